-- Every KPI of the SUNAT strategy, one query each, written from its definition.
--
-- A section begins with `-- kpi: <id> <form>`. Its query gives one row a contribution: `counts_at`, the
-- time that decides the window (milliseconds since 1970 UTC), the columns of its form and those
-- of its dimensions. Forms:
--   mean, p50, p90  took: milliseconds
--   share           part: boolean
--   due             part: boolean; `counts_at` lies in the future where the limit has not passed yet
--   amount, plan    amount: cents
--   amount_share    part, whole: cents; counts: whether the row is one of the whole
--   stock <days>d   no column; `counts_at` is when the subject opened
--   lift            part, grouped, against: booleans

-- K01: arrival of the means of transport to release, imports for consumption. A release before
-- the arrival took no time.
-- kpi: release-time-mean mean
SELECT *, released_at AS counts_at, greatest(released_at - arrived_at, 0) AS took
FROM declarations
WHERE regime = '10' AND released_at IS NOT NULL AND arrived_at IS NOT NULL;

-- K02: the same durations, the middle one and the ninth of ten.
-- kpi: release-time-median p50
SELECT *, released_at AS counts_at, greatest(released_at - arrived_at, 0) AS took
FROM declarations
WHERE regime = '10' AND released_at IS NOT NULL AND arrived_at IS NOT NULL;

-- kpi: release-time-p90 p90
SELECT *, released_at AS counts_at, greatest(released_at - arrived_at, 0) AS took
FROM declarations
WHERE regime = '10' AND released_at IS NOT NULL AND arrived_at IS NOT NULL;

-- K03: 48 hours from the arrival or, where it is reported and later, the end of the discharge.
-- Whatever is due counts, released or not; the cancelled do not.
-- kpi: released-within-48h due
WITH clocks AS (
    SELECT *, greatest(arrived_at, coalesce(discharged_at, arrived_at)) AS started_at
    FROM declarations
    WHERE regime = '10' AND arrived_at IS NOT NULL AND cancelled_at IS NULL
)
SELECT
    *,
    started_at + 48 * 3600000 AS counts_at,
    coalesce(released_at <= started_at + 48 * 3600000, false) AS part
FROM clocks;

-- K04: lodged in advance, of the imports for consumption.
-- kpi: anticipated-share share
SELECT *, numbered_at AS counts_at, clearance_mode = 'anticipated' AS part
FROM declarations
WHERE regime = '10';

-- K05: from the moment at which nobody but customs can act: channel, payment, goods, documents.
-- kpi: customs-held-time mean
WITH clocks AS (
    SELECT
        *,
        greatest(
            assigned_at,
            coalesce(settled_at, assigned_at),
            coalesce(arrived_at, assigned_at),
            coalesce(documents_received_at, assigned_at)
        ) AS started_at
    FROM declarations
    WHERE channel IN ('orange', 'red') AND assigned_at IS NOT NULL AND released_at IS NOT NULL
)
SELECT *, released_at AS counts_at, greatest(released_at - started_at, 0) AS took
FROM clocks;

-- K06: from the assignment of the channel to the result of the inspection, red channel.
-- kpi: inspection-cycle mean
SELECT *, inspected_at AS counts_at, greatest(inspected_at - assigned_at, 0) AS took
FROM declarations
WHERE channel = 'red' AND inspected_at IS NOT NULL AND assigned_at IS NOT NULL;

-- K07: documents reviewed within 24 hours of the assignment of the channel, of all orange due.
-- kpi: review-within-24h due
SELECT
    *,
    assigned_at + 24 * 3600000 AS counts_at,
    coalesce(reviewed_at <= assigned_at + 24 * 3600000, false) AS part
FROM declarations
WHERE channel = 'orange' AND assigned_at IS NOT NULL AND cancelled_at IS NULL;

-- K08: the first of review, inspection and release fell on the local date of the registration.
-- kpi: same-day-processing share
WITH decided AS (
    SELECT *, least(reviewed_at, inspected_at, released_at) AS decided_at FROM declarations
),
dated AS (
    SELECT decided.*, opened.day AS opened_on
    FROM decided ASOF JOIN days AS opened ON decided.numbered_at >= opened.start
)
SELECT dated.*, numbered_at AS counts_at, coalesce(first.day = opened_on, false) AS part
FROM dated ASOF LEFT JOIN days AS first ON dated.decided_at >= first.start;

-- K09: open, of those that opened; how many of them are older is a matter of the reading.
-- kpi: backlog-over-5d stock 5d
SELECT *, numbered_at AS counts_at
FROM declarations
WHERE released_at IS NULL AND cancelled_at IS NULL AND refused_at IS NULL;

-- kpi: backlog-over-30d stock 30d
SELECT *, numbered_at AS counts_at
FROM declarations
WHERE released_at IS NULL AND cancelled_at IS NULL AND refused_at IS NULL;

-- K10: release to exit, every regime.
-- kpi: release-to-exit mean
SELECT *, exited_at AS counts_at, greatest(exited_at - released_at, 0) AS took
FROM declarations
WHERE exited_at IS NOT NULL AND released_at IS NOT NULL;

-- K11: electronic, of all that were numbered.
-- kpi: electronic-rate share
SELECT *, numbered_at AS counts_at, electronic AS part FROM declarations;

-- K12: customs value of certified operators, of all customs value.
-- kpi: aeo-trade-share amount_share
SELECT
    *,
    numbered_at AS counts_at,
    CASE WHEN aeo THEN cif_cents ELSE 0 END AS part,
    cif_cents AS whole,
    true AS counts
FROM declarations;

-- K13: assigned to red, of all that got a channel; what became of the channel later is no matter.
-- kpi: red-channel-rate share
SELECT *, assigned_at AS counts_at, assigned_channel = 'red' AS part
FROM declarations
WHERE assigned_at IS NOT NULL;

-- K14: with a discrepancy, of all that were inspected.
-- kpi: hit-rate share
SELECT *, inspected_at AS counts_at, inspection_result = 'discrepancy' AS part
FROM declarations
WHERE inspected_at IS NOT NULL;

-- K15: the last change of channel was an officer's own choice, of all that got a channel.
-- kpi: off-system-selections share
SELECT *, assigned_at AS counts_at, coalesce(changed_basis = 'discretion', false) AS part
FROM declarations
WHERE assigned_at IS NOT NULL;

-- K16: hit rate where risk chose, as a multiple of the hit rate where chance did.
-- kpi: targeting-lift lift
SELECT
    *,
    inspected_at AS counts_at,
    inspection_result = 'discrepancy' AS part,
    coalesce(assigned_basis = 'risk', false) AS grouped,
    coalesce(assigned_basis = 'random', false) AS against
FROM declarations
WHERE inspected_at IS NOT NULL;

-- K17: what was settled to date, against the monthly plan.
-- kpi: revenue-attainment plan
SELECT *, paid_at AS counts_at, amount_cents AS amount FROM payments;

-- K18: what adjustments added, by their own times, of the duties declared in orange and red.
-- kpi: control-yield amount_share
SELECT office, adjusted_at AS counts_at, gain_cents AS part, 0 AS whole, false AS counts
FROM adjustments
UNION ALL
SELECT office, numbered_at AS counts_at, 0 AS part, duties_cents AS whole, true AS counts
FROM declarations
WHERE channel IN ('orange', 'red');

-- K19: with a finding, of all audits.
-- kpi: audit-effectiveness share
SELECT *, audited_at AS counts_at, finding AS part FROM audits;

-- K20: value of what was seized.
-- kpi: interdiction-value amount
SELECT *, enforced_at AS counts_at, value_cents AS amount FROM controls WHERE action = 'seizure';

-- K21 is not measured.

-- K22: four or five of five, of all answers.
-- kpi: user-satisfaction share
SELECT *, answered_at AS counts_at, score >= 4 AS part FROM answers;

-- K23: amended at least once, of all that were numbered.
-- kpi: amendment-rate share
SELECT *, numbered_at AS counts_at, amended_at IS NOT NULL AS part FROM declarations;
