-- What was known at an instant, from the accepted lines of the file.
--
-- accepted(line, type, subject, event_id, recorded_ms, occurred_ms, corrects, content, <fields>)
-- is filled by oracle.py; the variable as_of holds milliseconds since 1970 UTC.

CREATE OR REPLACE TEMP TABLE vocabulary AS
SELECT * FROM (VALUES
    ('manifest.transmitted',     'declaration', 'manifested',          false),
    ('transport.arrived',        'declaration', 'arrived',             false),
    ('discharge.completed',      'declaration', 'discharged',          false),
    ('declaration.numbered',     'declaration', 'numbered',            false),
    ('declaration.rejected',     'declaration', 'refused',             false),
    ('debt.settled',             'declaration', 'settled',             true),
    ('channel.assigned',         'declaration', 'channel_assigned',    false),
    ('channel.changed',          'declaration', 'channel_changed',     true),
    ('officer.assigned',         'declaration', 'officer_assigned',    true),
    ('documents.requested',      'declaration', 'documents_requested', true),
    ('documents.received',       'declaration', 'documents_received',  true),
    ('review.completed',         'declaration', 'reviewed',            false),
    ('inspection.started',       'declaration', 'inspection_started',  false),
    ('inspection.completed',     'declaration', 'inspected',           false),
    ('scan.completed',           'declaration', 'scanned',             true),
    ('oga.decided',              'declaration', 'oga_decided',         true),
    ('assessment.adjusted',      'declaration', 'adjusted',            true),
    ('declaration.amended',      'declaration', 'amended',             true),
    ('declaration.cancelled',    'declaration', 'cancelled',           false),
    ('release.granted',          'declaration', 'released',            false),
    ('goods.exited',             'declaration', 'exited',              false),
    ('regularization.completed', 'declaration', 'regularized',         false),
    ('audit.completed',          'audit',       'audited',             false),
    ('enforcement.recorded',     'control',     'enforced',            false),
    ('appeal.filed',             'appeal',      'appeal_filed',        false),
    ('appeal.resolved',          'appeal',      'appeal_resolved',     false),
    ('refund.requested',         'refund',      'refund_requested',    false),
    ('refund.paid',              'refund',      'refund_paid',         false),
    ('aeo.status_changed',       'operator',    'aeo_changed',         true),
    ('survey.answered',          'survey',      'answered',            false),
    ('target.revised',           'target',      'target_revised',      true)
) AS words (type, kind, milestone, repeatable);

-- The same fact twice is one fact; its first line stands for it.
CREATE OR REPLACE TEMP TABLE known AS
SELECT
    kind, subject, milestone, repeatable, recorded_ms, event_id, occurred_ms, content,
    min(line) AS line
FROM accepted JOIN vocabulary USING (type)
WHERE recorded_ms <= getvariable('as_of')
GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE corrected AS
SELECT kind, subject, corrects AS event_id, min(line) AS line
FROM accepted JOIN vocabulary USING (type)
WHERE recorded_ms <= getvariable('as_of') AND corrects IS NOT NULL
GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE alive AS
SELECT * FROM known ANTI JOIN corrected USING (kind, subject, event_id);

-- One fact counts: of a set-once milestone the first written, of a repeatable one the first
-- written of every event id.
CREATE OR REPLACE TEMP TABLE counted AS
SELECT
    winners.* EXCLUDE (content),
    accepted.* EXCLUDE (line, type, subject, event_id, recorded_ms, occurred_ms, corrects, content)
FROM (
    SELECT *
    FROM alive
    QUALIFY row_number() OVER (
        PARTITION BY kind, subject, milestone, CASE WHEN repeatable THEN event_id END
        ORDER BY recorded_ms, event_id, occurred_ms, content
    ) = 1
) AS winners
JOIN accepted ON accepted.line = winners.line;
