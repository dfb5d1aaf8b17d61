"""Every metric name and label that leaves a process; the only file that knows them.

* One family has one unit, and the KPI is a label: no part of a name is made from data.
* Base units: seconds, ratios of 0..1, money in major units of the strategy's currency. A plain
  count is `_number`, since the suffix `_count` belongs to histograms (`promtool check metrics`).
* No data is an absent series, never 0, -1 or NaN; why there is none is a series of its own.
* Texts are in `_info` families, to be joined with `group_left`.
"""

from typing import NamedTuple

from kpi_stream.domain.strategy import Unit


class Family(NamedTuple):
    """A metric family."""

    name: str
    """As it is scraped; a histogram's without `_bucket`, `_sum` and `_count`."""
    help: str
    labels: tuple[str, ...] = ()


UNIT_SUFFIX: dict[Unit, str] = {
    Unit.SECONDS: "seconds",
    Unit.RATIO: "ratio",
    Unit.MONEY: "money",
    Unit.COUNT: "number",
}

SERIES = ("kpi", "window", "dimension", "member")
"""Labels of everything that is said about one series; national has an empty member."""


def _per_unit(name: str, text: str, labels: tuple[str, ...]) -> dict[Unit, Family]:
    return {
        unit: Family(f"kpi_stream_{name}_{suffix}", f"{text} ({suffix}).", labels)
        for unit, suffix in UNIT_SUFFIX.items()
    }


# The KPIs.
KPI_VALUE = _per_unit("kpi_value", "Value of the KPI at as_of", SERIES)
KPI_EXPECTED = _per_unit(
    "kpi_expected", "What the KPI should be at as_of, on the trajectory of its target", SERIES
)
KPI_TARGET = _per_unit(
    "kpi_target",
    "What the KPI must be at the deadline; bound is goal, or lower and upper of a band",
    (*SERIES, "bound"),
)
KPI_FORECAST = _per_unit(
    "kpi_forecast", "What the KPI will be at the deadline at the pace of recent weeks", SERIES
)
KPI_BENCHMARK = _per_unit(
    "kpi_benchmark", "Published figure of another administration", ("kpi", "benchmark", "who")
)
KPI_FORECAST_VERDICT = Family(
    "kpi_stream_kpi_forecast_verdict",
    "1 for what the forecast says about the target, 0 for the other verdicts.",
    (*SERIES, "verdict"),
)
KPI_ATTAINMENT = Family(
    "kpi_stream_kpi_attainment_ratio",
    "Share reached of what the KPI should be at as_of; 1 is exactly met.",
    SERIES,
)
KPI_PROGRESS = Family(
    "kpi_stream_kpi_progress_ratio",
    "Share of the way from baseline to target; below 0 is worse than the baseline.",
    SERIES,
)
KPI_STATUS = Family(
    "kpi_stream_kpi_status",
    "1 for the status of the KPI against its target, 0 for the other statuses.",
    (*SERIES, "status"),
)
KPI_STATUS_SINCE = Family(
    "kpi_stream_kpi_status_since_timestamp_seconds", "as_of at which the status began.", SERIES
)
KPI_NO_DATA = Family(
    "kpi_stream_kpi_no_data",
    "1 where a judged or unmeasured KPI has no value, with the reason.",
    (*SERIES, "reason"),
)
KPI_SAMPLES = Family(
    "kpi_stream_kpi_samples", "Subjects or events behind the value of the KPI.", SERIES
)
KPI_NUMERATOR = Family(
    "kpi_stream_kpi_numerator",
    "Counter above the line of the KPI: events, milliseconds or cents. Add up, then divide.",
    SERIES,
)
KPI_DENOMINATOR = Family("kpi_stream_kpi_denominator", "Counter below the line of the KPI.", SERIES)
KPI_INFO = Family(
    "kpi_stream_kpi_info",
    "Texts of a KPI; objective and perspective are the first ones that it belongs to.",
    (
        *("kpi", "code", "name_es", "name_en", "objective", "perspective", "owner"),
        *("unit", "direction", "display", "measure"),
    ),
)
KPI_MINIMUM_SAMPLES = Family(
    "kpi_stream_kpi_minimum_samples", "Fewer samples than this are no data.", ("kpi",)
)
TARGET_INFO = Family(
    "kpi_stream_target_info",
    "The target that judges a series now.",
    (*SERIES, "target", "version", "trajectory", "owner", "approver", "assumption"),
)
TARGET_DEADLINE = Family(
    "kpi_stream_target_deadline_timestamp_seconds", "End of the target's last day.", SERIES
)

# The strategy.
OBJECTIVE_ATTAINMENT = Family(
    "kpi_stream_objective_attainment_ratio",
    "Weighted mean of the attainment, each within 0..1, of the KPIs that have data.",
    ("objective",),
)
OBJECTIVE_STATUS = Family(
    "kpi_stream_objective_status",
    "1 for the worst status of the KPIs of the objective, 0 for the other statuses.",
    ("objective", "status"),
)
OBJECTIVE_INFO = Family(
    "kpi_stream_objective_info",
    "Texts of an objective.",
    ("objective", "name_es", "name_en", "perspective", "perspective_es", "perspective_en", "owner"),
)
OBJECTIVE_WEIGHT = Family(
    "kpi_stream_objective_kpi_weight_ratio",
    "Weight of a KPI in its objective.",
    ("objective", "kpi"),
)
OBJECTIVE_CAUSE = Family(
    "kpi_stream_objective_cause_info", "One objective leads to another.", ("cause", "effect")
)
INITIATIVE_PROGRESS = Family(
    "kpi_stream_initiative_progress_ratio", "Share of the work that is done.", ("initiative",)
)
INITIATIVE_ELAPSED = Family(
    "kpi_stream_initiative_elapsed_ratio", "Share of the time that is over.", ("initiative",)
)
INITIATIVE_SPENT = Family(
    "kpi_stream_initiative_spent_ratio", "Share of the budget that is spent.", ("initiative",)
)
INITIATIVE_OVERDUE = Family(
    "kpi_stream_initiative_overdue_actions",
    "Actions of the initiative that are due and not done.",
    ("initiative",),
)
INITIATIVE_BUDGET = Family(
    "kpi_stream_initiative_budget_money", "Budget of the initiative.", ("initiative",)
)
INITIATIVE_SPENT_MONEY = Family(
    "kpi_stream_initiative_spent_money", "What the initiative has spent.", ("initiative",)
)
INITIATIVE_ACTION_DUE = Family(
    "kpi_stream_initiative_action_due_timestamp_seconds",
    "End of the day on which an action is due that is not done.",
    ("initiative", "action", "name_es", "name_en", "responsible"),
)
INITIATIVE_INFO = Family(
    "kpi_stream_initiative_info",
    "Texts of an initiative; objectives are joined by commas.",
    ("initiative", "name_es", "name_en", "owner", "objectives"),
)
MEMBER_INFO = Family(
    "kpi_stream_member_info",
    "Texts of a member of a dimension.",
    ("dimension", "member", "name_es", "name_en"),
)
STRATEGY_INFO = Family(
    "kpi_stream_strategy_info",
    "The strategy in force.",
    ("strategy", "name_es", "name_en", "currency", "time_zone", "language"),
)

# The scorecard process.
AS_OF = Family(
    "kpi_stream_scorecard_as_of_timestamp_seconds", "The instant that the scorecard speaks about."
)
DATA_AGE = Family(
    "kpi_stream_scorecard_data_age_seconds", "Time since the newest counted event was recorded."
)
CAUGHT_UP = Family(
    "kpi_stream_scorecard_caught_up", "1 while as_of is the wall clock, 0 during a backfill."
)
STALE = Family(
    "kpi_stream_scorecard_stale", "1 while the feed is silent for longer than it may be."
)
WATERMARK = Family(
    "kpi_stream_scorecard_watermark_timestamp_seconds",
    "Newest time of recording that the rows of a partition contain.",
    ("partition",),
)
SCORECARD_LAG = Family(
    "kpi_stream_scorecard_lag_events", "Events that are not in the rows yet.", ("partition",)
)
OFFICE_SILENT = Family(
    "kpi_stream_scorecard_office_silent_working_seconds",
    "Office hours since the newest counted event of an office.",
    ("office",),
)
OFFICE_ACTIVE = Family(
    "kpi_stream_scorecard_office_active_ratio",
    "Share of the quarter hours of the last 7 days' office hours in which an office had events.",
    ("office",),
)
WORKLIST = Family(
    "kpi_stream_scorecard_worklist_subjects",
    "Subjects of a worklist that are late, or close to their limit, by office.",
    ("worklist", "office", "urgency"),
)
QUALITY = Family(
    "kpi_stream_scorecard_quality_subjects",
    "Subjects of the last 30 days whose events contradict each other or had to be interpreted.",
    ("problem", "kpi"),
)
EVALUATION_DURATION = Family(
    "kpi_stream_scorecard_evaluation_duration_seconds", "Duration of one evaluation."
)
LAST_EVALUATION = Family(
    "kpi_stream_scorecard_last_evaluation_timestamp_seconds", "Wall clock of the last evaluation."
)
STATUS_TRANSITIONS = Family(
    "kpi_stream_scorecard_transitions_total", "Status changes by the new status.", ("status",)
)
PUBLISHED = Family(
    "kpi_stream_scorecard_published_records_total",
    "Records written to the output topics.",
    ("topic",),
)
PUBLISH_FAILURES = Family(
    "kpi_stream_scorecard_publish_failures_total",
    "Attempts to publish that failed and are repeated.",
)
RELOAD_SUCCESSFUL = Family(
    "kpi_stream_strategy_last_reload_successful",
    "1 if the last attempt to read the strategy was accepted, 0 if it was refused.",
)
RELOAD_TIMESTAMP = Family(
    "kpi_stream_strategy_last_reload_success_timestamp_seconds",
    "When the strategy in force was read.",
)
STRATEGY_MATCHES = Family(
    "kpi_stream_strategy_matches_rows",
    "1 if the rows were counted by the definitions of the strategy in force.",
)
ANNOTATIONS = Family(
    "kpi_stream_scorecard_grafana_annotations_total",
    "Annotations for Grafana: sent, dropped (given up), and attempts that failed.",
    ("outcome",),
)
ANNOTATIONS_WAITING = Family(
    "kpi_stream_scorecard_grafana_annotations_waiting", "Annotations that are not sent yet."
)
BUILD_INFO = Family("kpi_stream_build_info", "Version of this program.", ("version",))

# The worker process.
EVENTS = Family(
    "kpi_stream_worker_events_total",
    "Events by type and by what became of them.",
    ("type", "outcome"),
)
REJECTED = Family(
    "kpi_stream_worker_rejected_events_total", "Events written to the dead letters.", ("reason",)
)
SKIPPED = Family(
    "kpi_stream_worker_skipped_events_total", "Events that were read again after a restart."
)
WORKER_LAG = Family(
    "kpi_stream_worker_lag_events", "Events waiting in an assigned partition.", ("partition",)
)
WORKER_WATERMARK = Family(
    "kpi_stream_worker_watermark_timestamp_seconds",
    "Newest time of recording that was applied in a partition.",
    ("partition",),
)
WORKER_DATA_AGE = Family(
    "kpi_stream_worker_data_age_seconds",
    "Time since the newest applied event of a partition was recorded.",
    ("partition",),
)
FLUSH_DURATION = Family(
    "kpi_stream_worker_flush_duration_seconds", "Time until a flush was durable."
)
FLUSHED_EVENTS = Family(
    "kpi_stream_worker_flushed_events_total", "Events whose effects are durable."
)
FLUSHED_RECORDS = Family("kpi_stream_worker_flushed_records_total", "Records written by flushes.")
STORE_SUBJECTS = Family(
    "kpi_stream_worker_store_subjects", "Subjects in the state of a partition.", ("partition",)
)
STORE_ROWS = Family(
    "kpi_stream_worker_store_rows", "Rows in the state of a partition.", ("partition",)
)
OPEN_DURATION = Family(
    "kpi_stream_worker_open_duration_seconds", "Time to read the state of a partition."
)
OPENED_RECORDS = Family(
    "kpi_stream_worker_opened_records_total", "Records read while opening partitions."
)
PARTITIONS = Family(
    "kpi_stream_worker_partitions_assigned", "Partitions whose state this worker holds."
)
HEALTHY = Family(
    "kpi_stream_worker_healthy", "1 while the worker works, 0 from the error that stops it."
)


# What Prometheus records from the above (rules/recording.yml).
STATUS_CODE = Family(
    "series:kpi_stream_kpi_status:code",
    "0 on track, 1 at risk, 2 off track, 3 no data.",
    SERIES,
)
OBJECTIVE_STATUS_CODE = Family(
    "objective:kpi_stream_objective_status:code",
    "0 on track, 1 at risk, 2 off track, 3 no data.",
    ("objective",),
)
EVENTS_RATE = Family(
    "job:kpi_stream_worker_events:rate5m",
    "Events per second, all workers, by outcome.",
    ("outcome",),
)
REJECTED_SHARE = Family(
    "job:kpi_stream_worker_rejected_events:ratio_rate5m",
    "Rejected events divided by all events, over 5 minutes, all workers.",
)
FLUSH_MEAN = Family(
    "job:kpi_stream_worker_flush_duration_seconds:mean5m",
    "Time of a flush: sum of times divided by number of flushes, over 5 minutes, all workers.",
)

SCORECARD_JOB = "kpi-stream-scorecard"
WORKER_JOB = "kpi-stream-worker"
"""The jobs of prometheus.yml, as `up{job=...}` knows them."""


def all_names() -> frozenset[str]:
    """Return the name of every family, for checks of rules and dashboards."""
    names: set[str] = set()
    for each in globals().values():
        if isinstance(each, Family):
            names.add(each.name)
        elif isinstance(each, dict):
            names.update(one.name for one in each.values() if isinstance(one, Family))
    return frozenset(names)
