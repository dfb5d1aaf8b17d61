"""How a reading compares with what it should be today.

Nothing here rounds: alerts compare these numbers, and a value rounded before a comparison hides
a miss. Rounding belongs to whoever shows a number.
"""

from dataclasses import dataclass
from enum import StrEnum

from kpi_stream.domain.strategy import Direction, Kpi, Target
from kpi_stream.domain.trajectory import expected


class Status(StrEnum):
    """How a KPI stands; the order of `SEVERITY` is from good to bad."""

    ON_TRACK = "on_track"
    AT_RISK = "at_risk"
    OFF_TRACK = "off_track"
    NO_DATA = "no_data"


SEVERITY: dict[Status, int] = {Status.ON_TRACK: 0, Status.AT_RISK: 1, Status.OFF_TRACK: 2}
"""Rank of the statuses that rest on data; a higher one is worse."""

PARTS_OF_A_WHOLE = frozenset({"within", "same_day", "share", "amount_share", "stock"})
"""Kinds of measure whose value cannot exceed 1."""


def ceiling(kpi: Kpi) -> float | None:
    """Return the largest value that a KPI can have, None where there is no limit."""
    return 1.0 if kpi.measure.kind in PARTS_OF_A_WHOLE else None


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a reading is held against at one instant."""

    direction: Direction
    goal: float
    """Expected value now, in the KPI's unit; for a band its upper edge."""
    low: float | None
    """Lower edge of a band, else None."""
    green: float
    """Share of |goal| (>= 0) by which a value may miss and still be on track."""
    amber: float
    """Share of |goal| (>= green) by which a value may miss and be at risk."""
    headroom: float | None
    """The best relative gap that any value can have; None where there is no limit."""


def expectation(kpi: Kpi, target: Target, at_ms: int) -> Expectation:
    """Return what a reading of `kpi` at `at_ms` (milliseconds) is held against."""
    now = expected(target, at_ms)
    goal = target.value if now is None else now
    scale = abs(goal) or 1.0
    headroom: float | None = None
    if target.low is not None:
        # Half of the way from an edge to the middle of the band: coming back must stay possible.
        reach = (abs(target.low) or 1.0) + scale
        headroom = (target.value - target.low) / reach / 2
    elif kpi.direction is Direction.DOWN:
        headroom = goal / scale  # no KPI is below 0
    else:
        limit = ceiling(kpi)
        headroom = None if limit is None else (limit - goal) / scale
    return Expectation(
        Direction.BAND if target.low is not None else kpi.direction,
        goal,
        target.low,
        target.green_tolerance,
        target.amber_tolerance,
        headroom,
    )


def relative_gap(value: float, against: Expectation) -> float:
    """Return by how much a value is better (positive) or worse than expected.

    UP:   (value - goal) / |goal|         DOWN: (goal - value) / |goal|
    BAND: distance to the nearest edge / |that edge|, positive inside

    Where the number below the line is 0 the gap is absolute, in the KPI's unit.

    Example:
        >>> band = Expectation(Direction.BAND, 0.12, 0.04, 0.0, 0.1, None)
        >>> relative_gap(0.02, band)
        -0.5
        >>> relative_gap(3.0, Expectation(Direction.DOWN, 0.0, None, 0.0, 0.1, None))
        -3.0
    """
    scale = abs(against.goal) or 1.0
    if against.low is not None:
        above = (value - against.low) / (abs(against.low) or 1.0)
        return min(above, (against.goal - value) / scale)
    if against.direction is Direction.DOWN:
        return (against.goal - value) / scale
    return (value - against.goal) / scale


def classify(
    value: float | None,
    against: Expectation,
    current: Status | None = None,
    margin: float = 0.0,
) -> Status:
    """Return the status of a value, given the status that it would have to leave.

    on_track:  gap >= -green        at_risk: gap >= -amber        off_track: below

    A threshold gives way by `margin` in favour of the current status, so a value that trembles
    on it does not make the status tremble. Getting better never asks for more than a value can
    reach: a share that should be 100 % is on track again at 100 %.

    Args:
        value: The reading; None is no data.
        against: What it is held against.
        current: The status held now; None or no_data for none, then the thresholds are exact.
        margin: Share of |goal|, >= 0.

    Example:
        >>> share = Expectation(Direction.UP, 0.8, None, 0.0, 0.1, 0.25)
        >>> [str(classify(v, share)) for v in (0.8, 0.79, 0.71, None)]
        ['on_track', 'at_risk', 'off_track', 'no_data']
        >>> str(classify(0.795, share, Status.ON_TRACK, 0.01))  # within the margin
        'on_track'
        >>> str(classify(0.805, share, Status.AT_RISK, 0.01))  # better, but not by the margin
        'at_risk'
    """
    if value is None:
        return Status.NO_DATA
    gap = relative_gap(value, against)
    rank = None if current is None else SEVERITY.get(current)
    for status, tolerance in ((Status.ON_TRACK, against.green), (Status.AT_RISK, against.amber)):
        threshold = -tolerance
        if rank is not None and rank <= SEVERITY[status]:
            threshold -= margin
        elif rank is not None:
            threshold = _harder(threshold, margin, against.headroom)
        # A value equal to its goal has a gap of exactly 0: on track without any tolerance.
        if gap >= threshold:
            return status
    return Status.OFF_TRACK


def _harder(threshold: float, margin: float, headroom: float | None) -> float:
    if headroom is None:
        return threshold + margin
    return max(threshold, min(threshold + margin, headroom))


def attainment(value: float, against: Expectation) -> float | None:
    """Return the share of today's expectation that was reached; 1.0 is exactly met.

    UP:   value / goal        DOWN: goal / value
    BAND: 1 inside, value / lower edge below it, upper edge / value above it

    Neither rounded nor clipped: a value meets its expectation if and only if this is >= 1.

    Returns:
        A ratio >= 0, or None where it is undefined (something to divide by is not positive).

    Example:
        >>> up = Expectation(Direction.UP, 60.0, None, 0.0, 0.1, None)
        >>> attainment(45.0, up), attainment(75.0, up)
        (0.75, 1.25)
        >>> attainment(0.0, Expectation(Direction.DOWN, 60.0, None, 0.0, 0.1, 1.0)) is None
        True
    """
    if against.low is not None:
        if value < against.low:
            return _ratio(value, against.low)
        return 1.0 if value <= against.goal else _ratio(against.goal, value)
    if against.direction is Direction.DOWN:
        return _ratio(against.goal, value)
    return _ratio(value, against.goal)


def _ratio(above: float, below: float) -> float | None:
    return above / below if below > 0 and above >= 0 else None


def credit(value: float, against: Expectation) -> float:
    """Return the attainment within 0..1, for adding up; defined where the attainment is not.

    Doing better than expected in one KPI does not make up for a miss in another.

    Example:
        >>> credit(0.0, Expectation(Direction.DOWN, 5.0, None, 0.0, 0.1, 1.0))  # better than any
        1.0
    """
    share = attainment(value, against)
    if share is None:
        return 1.0 if relative_gap(value, against) >= 0 else 0.0
    return min(max(share, 0.0), 1.0)


def progress(value: float, target: Target) -> float | None:
    """Return the share of the way from baseline to goal; right for both directions.

    (value - baseline) / (goal - baseline)

    Returns:
        Any number (below 0: worse than the baseline), or None where there is no way to go: a
        band, or a goal equal to its baseline.
    """
    if target.low is not None or target.value == target.baseline:
        return None
    return (value - target.baseline) / (target.value - target.baseline)
