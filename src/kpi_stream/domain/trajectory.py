"""Where a KPI should be today: the way from its baseline to its target.

A target is a promise for a deadline. Until then a reading is held against the expected value on
the trajectory, not against the goal: "29 h by December" says as well what June should look like.
Before the baseline and after the deadline the trajectory is flat.
"""

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from kpi_stream.domain.strategy import Target, TrajectoryKind

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


def to_ms(instant: datetime) -> int:
    """Return an aware instant as whole milliseconds since 1970 UTC, rounded down.

    Example:
        >>> to_ms(datetime(1970, 1, 1, 0, 0, 1, 999, tzinfo=UTC))
        1000
    """
    return (instant - _EPOCH) // _MS


def expected(target: Target, at_ms: int) -> float | None:
    """Return the value that the trajectory of a target has at an instant.

    linear:     B + (T - B) * f          f = share of the time from baseline to deadline
    geometric:  B * (T / B) ** f
    step:       the last intermediate point reached; B before the first, T from the deadline on
    milestones: linear between neighbouring points

    The result never leaves the range of its two neighbouring points, whatever floating point does.

    Args:
        target: The target; a geometric one has a positive baseline and value.
        at_ms: Milliseconds since 1970 UTC.

    Returns:
        A value in the KPI's unit, or None for a band, which is constant and has two edges.

    Example:
        >>> way = Target(
        ...     "t",
        ...     "k",
        ...     "30d",
        ...     40.0,
        ...     datetime(2026, 1, 1, tzinfo=UTC),
        ...     30.0,
        ...     datetime(2026, 1, 11, tzinfo=UTC),
        ...     TrajectoryKind.LINEAR,
        ... )
        >>> day = 86_400_000
        >>> start = to_ms(way.baseline_at)
        >>> [expected(way, start + days * day) for days in (-1, 0, 4, 10, 11)]
        [40.0, 40.0, 36.0, 30.0, 30.0]

    Source: shared practice of scorecards; the four shapes are those of the strategy files.
    """
    if target.low is not None:
        return None
    start, end = to_ms(target.baseline_at), to_ms(target.deadline)
    if at_ms >= end:
        return target.value
    if at_ms <= start:
        return target.baseline
    points = [(start, target.baseline)]
    if target.trajectory in (TrajectoryKind.STEP, TrajectoryKind.MILESTONES):
        points += [(to_ms(when), value) for when, value in target.points]
    points.append((end, target.value))
    (left, before), (right, after) = next(
        pair for pair in pairwise(points) if pair[0][0] <= at_ms < pair[1][0]
    )
    if target.trajectory is TrajectoryKind.STEP:
        return before
    share = (at_ms - left) / (right - left)
    if target.trajectory is TrajectoryKind.GEOMETRIC:
        way = before * math.pow(after / before, share)
    else:
        way = before + (after - before) * share
    return min(max(way, min(before, after)), max(before, after))
