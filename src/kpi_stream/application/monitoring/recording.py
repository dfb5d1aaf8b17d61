"""What Prometheus records from the scraped families, as plain data.

Sums are divided by sums: a ratio of a worker that counted ten events does not weigh as much as
that of one that counted a million. What has nothing to divide by is absent.
"""

from dataclasses import dataclass

from kpi_stream.application.monitoring import conventions as c
from kpi_stream.application.monitoring.promql import select
from kpi_stream.domain.status import SEVERITY, Status

CODES: dict[Status, int] = {**SEVERITY, Status.NO_DATA: len(SEVERITY)}
"""0 on track, 1 at risk, 2 off track, 3 no data."""

RANGE = "[5m]"


@dataclass(frozen=True)
class Recording:
    """One recording rule."""

    family: c.Family
    """The recorded family; the rule's series have its labels and no others."""
    expr: str


def recordings() -> tuple[Recording, ...]:
    """Return the rules, the same for every strategy."""
    rejected = f"sum(rate({select(c.REJECTED)}{RANGE}))"
    # Before the first accepted event there is no series of accepted events.
    every = f"((sum(rate({select(c.EVENTS)}{RANGE})) or vector(0)) + {rejected})"
    flush = c.FLUSH_DURATION
    return (
        Recording(c.STATUS_CODE, _code(c.KPI_STATUS, c.SERIES)),
        Recording(c.OBJECTIVE_STATUS_CODE, _code(c.OBJECTIVE_STATUS, ("objective",))),
        Recording(
            c.EVENTS_RATE,
            f"sum by (outcome) (rate({select(c.EVENTS)}{RANGE})) "
            f'or label_replace({rejected}, "outcome", "rejected", "", "")',
        ),
        Recording(c.REJECTED_SHARE, f"{rejected} / ({every} > 0)"),
        Recording(
            c.FLUSH_MEAN,
            f"sum(rate({flush.name}_sum{RANGE})) / (sum(rate({flush.name}_count{RANGE})) > 0)",
        ),
    )


def _code(family: c.Family, labels: tuple[str, ...]) -> str:
    by = "by (" + ", ".join(labels) + ")"
    # Each state has a sample and exactly one of them is 1: the sum is the code of that one.
    return " + ".join(
        f"{code} * max {by} ({select(family, status=status.value)})"
        for status, code in CODES.items()
        if code
    )
