-- Whoever waits for the release, 48 hours after the arrival or the later end of the discharge:
-- when the time is up, and in which stage it waits since when. After stages.sql.
WITH
newest AS (
    SELECT
        subject,
        max(moment) FILTER (milestone = 'documents_requested') AS requested_at,
        max(moment) FILTER (milestone = 'documents_received') AS received_at,
        max(moment) FILTER (milestone = 'adjusted') AS adjusted_at,
        max(moment) FILTER (milestone = 'settled') AS settled_at,
        max(moment) FILTER (milestone IN (
            'arrived', 'discharged', 'numbered', 'settled', 'channel_assigned',
            'documents_requested', 'documents_received', 'oga_decided', 'reviewed', 'inspected',
            'adjusted'
        )) AS since
    FROM happened GROUP BY subject
)
SELECT
    subject,
    office,
    greatest(arrived_at, coalesce(discharged_at, arrived_at)) + 48 * 3600000 AS due,
    channel,
    CASE
        WHEN discharged_at IS NULL THEN 'discharge'
        WHEN newest.settled_at IS NULL OR newest.settled_at < numbered_at THEN 'payment'
        WHEN assigned_at IS NULL THEN 'channel'
        WHEN requested_at IS NOT NULL AND coalesce(received_at < requested_at, true)
            THEN 'documents'
        WHEN channel IN ('orange', 'red') AND reviewed_at IS NULL AND inspected_at IS NULL
            THEN 'control'
        WHEN adjusted_at IS NOT NULL AND newest.settled_at < adjusted_at THEN 'adjustment'
        ELSE 'release'
    END AS stage,
    since
FROM consumption JOIN newest USING (subject)
WHERE released_at IS NULL AND cancelled_at IS NULL
ORDER BY due, subject;
