-- What became of every accepted line, in the order of the file.
--
-- An event enters as conflicting where it differs (in time or content) from a rival that was
-- alive when it came: an earlier fact of its set-once milestone, or of its event id.
SELECT
    CASE
        WHEN known.line <> lines.line THEN 'duplicate'
        WHEN EXISTS (
            SELECT 1
            FROM known AS rival
            WHERE rival.kind = known.kind
              AND rival.subject = known.subject
              AND rival.milestone = known.milestone
              AND (NOT known.repeatable OR rival.event_id = known.event_id)
              AND rival.line < known.line
              AND (rival.occurred_ms, rival.content) <> (known.occurred_ms, known.content)
              AND NOT EXISTS (
                  SELECT 1
                  FROM corrected
                  WHERE corrected.kind = rival.kind
                    AND corrected.subject = rival.subject
                    AND corrected.event_id IN (rival.event_id, known.event_id)
                    AND corrected.line <= known.line
              )
        ) THEN 'conflicting'
        ELSE 'counted'
    END AS outcome,
    count(*) AS events
FROM (
    SELECT line, kind, subject, milestone, recorded_ms, event_id, occurred_ms, content
    FROM accepted JOIN vocabulary USING (type)
    WHERE recorded_ms <= getvariable('as_of')
) AS lines
JOIN known USING (kind, subject, milestone, recorded_ms, event_id, occurred_ms, content)
GROUP BY outcome;
