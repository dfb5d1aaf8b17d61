"""Where a KPI will be at its deadline if it goes on as it did lately.

A straight line by least squares through the readings at the ends of recent days. It is a warning
light, not a prediction: the more distant the deadline, the less it says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from kpi_stream.domain.status import ceiling, expectation, relative_gap
from kpi_stream.domain.strategy import Kpi, Target
from kpi_stream.domain.trajectory import to_ms
from kpi_stream.domain.windows import DAY_MS

DAYS = 28
"""Local days that a forecast looks back: four whole weeks, so weekdays weigh the same."""

MINIMUM_POINTS = 7
"""Fewer days with data give no forecast."""

Point = tuple[int, float | None]
"""(instant in milliseconds, value); None is a day without data."""


class Verdict(StrEnum):
    """What the forecast says about the target."""

    ALREADY_MET = "already_met"
    """The goal is met now, and at this pace it still is at the deadline."""
    ON_PACE = "on_pace"
    OFF_PACE = "off_pace"


@dataclass(frozen=True, slots=True)
class Forecast:
    """The reading extrapolated to the deadline."""

    value: float
    """In the KPI's unit, within what the KPI can be (not negative; a share at most 1)."""
    slope_per_day: float
    """Change of the reading a day, in the KPI's unit."""
    verdict: Verdict


def line(points: Sequence[tuple[int, float]]) -> tuple[float, float] | None:
    """Return (value at the last point, slope a day) of the least-squares line.

    slope = sum((t - mean t) (v - mean v)) / sum((t - mean t)^2)

    Returns:
        None where fewer than two instants differ.

    Example:
        >>> line([(0, 1.0), (DAY_MS, 3.0), (2 * DAY_MS, 5.0)])
        (5.0, 2.0)
        >>> line([(5, 1.0)]) is None
        True
    """
    if len({at for at, _ in points}) < 2:  # noqa: PLR2004  (a line needs two)
        return None
    # Days before the last point: small numbers keep the sums exact enough.
    last = points[-1][0]
    times = [(at - last) / DAY_MS for at, _ in points]
    mean_time = sum(times) / len(times)
    mean_value = sum(value for _, value in points) / len(points)
    above = sum(
        (time - mean_time) * (value - mean_value)
        for time, (_, value) in zip(times, points, strict=True)
    )
    slope = above / sum((time - mean_time) ** 2 for time in times)
    return mean_value - slope * mean_time, slope


def forecast(
    kpi: Kpi, target: Target, points: Sequence[Point], value: float | None, at_ms: int
) -> Forecast | None:
    """Return the reading extrapolated from recent days to the deadline of its target.

    Args:
        kpi: The KPI; says what its value can be.
        target: The goal and its deadline.
        points: One reading a local day, oldest first.
        value: The reading now, None without data.
        at_ms: Now; milliseconds since 1970 UTC.

    Returns:
        None once the deadline has passed, or with fewer than `MINIMUM_POINTS` days with data.
    """
    known = [(at, each) for at, each in points if each is not None]
    deadline = to_ms(target.deadline)
    if at_ms >= deadline or len(known) < MINIMUM_POINTS:
        return None
    fitted = line(known)
    if fitted is None:
        return None
    last, slope = fitted
    projected = max(0.0, last + slope * (deadline - known[-1][0]) / DAY_MS)
    limit = ceiling(kpi)
    if limit is not None:
        projected = min(projected, limit)
    goal = expectation(kpi, target, deadline)
    met_then = relative_gap(projected, goal) >= -goal.green
    met_now = value is not None and relative_gap(value, goal) >= 0
    if not met_then:
        verdict = Verdict.OFF_PACE
    else:
        verdict = Verdict.ALREADY_MET if met_now else Verdict.ON_PACE
    return Forecast(projected, slope, verdict)
