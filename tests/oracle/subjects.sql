-- One row a subject that has opened, and one row an event that may repeat.

-- `at` is the time of a milestone; of one that repeats, the latest.
CREATE OR REPLACE TEMP TABLE declarations AS
WITH
-- Of an event that repeats, its attributes are those of the one that happened last.
last_change AS (
    SELECT subject, channel, basis
    FROM counted
    WHERE milestone = 'channel_changed'
    QUALIFY row_number() OVER (
        PARTITION BY subject ORDER BY occurred_ms DESC, recorded_ms DESC, event_id DESC
    ) = 1
),
facts AS (
    SELECT
        subject,
        any_value(office)         FILTER (milestone = 'numbered') AS office,
        any_value(regime)         FILTER (milestone = 'numbered') AS regime,
        any_value(transport_mode) FILTER (milestone = 'numbered') AS transport_mode,
        any_value(clearance_mode) FILTER (milestone = 'numbered') AS clearance_mode,
        any_value(aeo)            FILTER (milestone = 'numbered') AS aeo,
        any_value(electronic)     FILTER (milestone = 'numbered') AS electronic,
        any_value(cif_cents)      FILTER (milestone = 'numbered') AS cif_cents,
        any_value(duties_cents)   FILTER (milestone = 'numbered') AS duties_cents,
        any_value(channel) FILTER (milestone = 'channel_assigned') AS assigned_channel,
        any_value(basis)   FILTER (milestone = 'channel_assigned') AS assigned_basis,
        any_value(result)  FILTER (milestone = 'inspected') AS inspection_result,
        max(occurred_ms) FILTER (milestone = 'arrived')             AS arrived_at,
        max(occurred_ms) FILTER (milestone = 'discharged')          AS discharged_at,
        max(occurred_ms) FILTER (milestone = 'numbered')            AS numbered_at,
        max(occurred_ms) FILTER (milestone = 'refused')             AS refused_at,
        max(occurred_ms) FILTER (milestone = 'settled')             AS settled_at,
        max(occurred_ms) FILTER (milestone = 'channel_assigned')    AS assigned_at,
        max(occurred_ms) FILTER (milestone = 'channel_changed')     AS changed_at,
        max(occurred_ms) FILTER (milestone = 'documents_received')  AS documents_received_at,
        max(occurred_ms) FILTER (milestone = 'reviewed')            AS reviewed_at,
        max(occurred_ms) FILTER (milestone = 'inspected')           AS inspected_at,
        max(occurred_ms) FILTER (milestone = 'amended')             AS amended_at,
        max(occurred_ms) FILTER (milestone = 'cancelled')           AS cancelled_at,
        max(occurred_ms) FILTER (milestone = 'released')            AS released_at,
        max(occurred_ms) FILTER (milestone = 'exited')              AS exited_at
    FROM counted
    WHERE kind = 'declaration'
    GROUP BY subject
)
SELECT
    facts.*,
    last_change.basis AS changed_basis,
    -- An empty text is not a channel; a change always names one.
    coalesce(last_change.channel, facts.assigned_channel) AS channel
FROM facts LEFT JOIN last_change USING (subject)
WHERE numbered_at IS NOT NULL;

-- Events of declarations that repeat, with the attributes of their declaration.
CREATE OR REPLACE TEMP TABLE payments AS
SELECT declarations.*, counted.occurred_ms AS paid_at, counted.amount_cents, counted.settlement
FROM counted JOIN declarations USING (subject)
WHERE counted.milestone = 'settled';

CREATE OR REPLACE TEMP TABLE adjustments AS
SELECT declarations.*, counted.occurred_ms AS adjusted_at, counted.gain_cents
FROM counted JOIN declarations USING (subject)
WHERE counted.milestone = 'adjusted';

-- Subjects of one event each.
CREATE OR REPLACE TEMP TABLE audits AS
SELECT subject, office, occurred_ms AS audited_at, finding, amount_cents
FROM counted WHERE milestone = 'audited';

CREATE OR REPLACE TEMP TABLE controls AS
SELECT subject, office, occurred_ms AS enforced_at, action, value_cents, weight_grams
FROM counted WHERE milestone = 'enforced';

CREATE OR REPLACE TEMP TABLE answers AS
SELECT subject, office, occurred_ms AS answered_at, score
FROM counted WHERE milestone = 'answered';
