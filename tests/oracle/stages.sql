-- Who held the time: a released import for consumption, its time from arrival to release cut at
-- every event of its stages, and each piece given to the first stage that was open then.
--
-- After subjects.sql. `no_end` stands for an end that never came.

CREATE OR REPLACE TEMP TABLE happened AS
SELECT subject, milestone, occurred_ms AS moment FROM counted WHERE kind = 'declaration';

CREATE OR REPLACE TEMP TABLE consumption AS
SELECT * FROM declarations WHERE regime = '10' AND arrived_at IS NOT NULL;

-- (rank, stage, begun, ended): a stage without a begin was open from before everything.
CREATE OR REPLACE TEMP TABLE open_spans AS
WITH
no_end AS (SELECT 9000000000000 AS never),
pairs AS (
    SELECT * FROM (VALUES
        (3, 'payment', 'numbered', 'settled'),
        (5, 'documents', 'documents_requested', 'documents_received'),
        (8, 'adjustment', 'adjusted', 'settled')
    ) AS each (rank, stage, begins, ends)
)
SELECT subject, 1 AS rank, 'discharge' AS stage, 0 AS begun, discharged_at AS ended
FROM declarations WHERE discharged_at IS NOT NULL
UNION ALL
SELECT subject, 2, 'lodgement', 0, numbered_at FROM declarations
UNION ALL
SELECT subject, 4, 'channel', 0, assigned_at FROM declarations WHERE assigned_at IS NOT NULL
UNION ALL
SELECT subject, 6, 'agencies', 0, max(moment) FROM happened
WHERE milestone = 'oga_decided' GROUP BY subject
UNION ALL
SELECT subject, 7, 'control', 0, max(moment) FROM happened
WHERE milestone IN ('reviewed', 'inspected') GROUP BY subject
UNION ALL
SELECT subject, 9, 'release', 0, never FROM declarations, no_end
UNION ALL
SELECT
    begun.subject, rank, stage, begun.moment,
    coalesce(min(ending.moment) FILTER (ending.moment >= begun.moment), any_value(never))
FROM pairs
CROSS JOIN no_end
JOIN happened AS begun ON begun.milestone = begins
LEFT JOIN happened AS ending ON ending.milestone = ends AND ending.subject = begun.subject
GROUP BY begun.subject, rank, stage, begun.moment;

CREATE OR REPLACE TEMP TABLE stage_parts AS
WITH
whole AS (
    SELECT *, arrived_at AS way_since, greatest(released_at, arrived_at) AS way_until
    FROM consumption WHERE released_at IS NOT NULL
),
cuts AS (
    SELECT subject, way_since AS moment FROM whole
    UNION
    SELECT subject, way_until FROM whole
    UNION
    SELECT subject, begun FROM open_spans JOIN whole USING (subject)
    WHERE begun > way_since AND begun < way_until
    UNION
    SELECT subject, ended FROM open_spans JOIN whole USING (subject)
    WHERE ended > way_since AND ended < way_until
),
pieces AS (
    SELECT subject, moment AS since, lead(moment) OVER (PARTITION BY subject ORDER BY moment) AS until
    FROM cuts
),
owned AS (
    SELECT pieces.subject, pieces.since, pieces.until, min(rank) AS rank
    FROM pieces
    JOIN open_spans ON open_spans.subject = pieces.subject
        AND begun <= pieces.since AND ended > pieces.since
    WHERE pieces.until IS NOT NULL
    GROUP BY ALL
),
took AS (
    SELECT subject, rank, sum(until - since) AS took FROM owned GROUP BY ALL
),
-- A stage that began in time had its part, if only of nothing.
had AS (
    SELECT DISTINCT subject, rank, stage
    FROM open_spans JOIN whole USING (subject)
    WHERE begun <= way_until
)
SELECT
    whole.* EXCLUDE (way_since, way_until),
    had.stage,
    released_at AS counts_at,
    CAST(coalesce(took.took, 0) AS BIGINT) AS took
FROM had
JOIN whole USING (subject)
LEFT JOIN took USING (subject, rank)
UNION ALL
SELECT
    *, 'exit', exited_at,
    greatest(exited_at - greatest(arrived_at, released_at), 0)
FROM consumption WHERE released_at IS NOT NULL AND exited_at IS NOT NULL;
