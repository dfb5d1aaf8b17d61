"""Expected values, drawn: baseline 40 on January 1, goal 20 after January 10."""

from datetime import UTC, datetime, timedelta

import pytest

from kpi_stream.domain.strategy import Target, TrajectoryKind
from kpi_stream.domain.trajectory import expected, to_ms

START = datetime(2026, 1, 1, tzinfo=UTC)


def way(shape: TrajectoryKind, *points: tuple[int, float], low: float | None = None) -> Target:
    """Return a target of ten days with points after so many days."""
    placed = tuple((START + timedelta(days=day), value) for day, value in points)
    return Target(
        "t", "k", "30d", 40.0, START, 20.0, START + timedelta(days=10), shape, placed, low=low
    )


@pytest.mark.parametrize(
    ("target", "drawn"),
    [
        #                                                  day  -1  0   2   4   5   8   10  11
        (way(TrajectoryKind.LINEAR), (40.0, 40.0, 36.0, 32.0, 30.0, 24.0, 20.0, 20.0)),
        (
            way(TrajectoryKind.STEP, (4, 35.0), (8, 25.0)),
            (40.0, 40.0, 40.0, 35.0, 35.0, 25.0, 20.0, 20.0),
        ),
        (
            way(TrajectoryKind.MILESTONES, (4, 20.0), (8, 30.0)),
            (40.0, 40.0, 30.0, 20.0, 22.5, 30.0, 20.0, 20.0),
        ),
    ],
    ids=lambda each: each.trajectory.value if isinstance(each, Target) else None,
)
def test_the_way_is_the_drawn_one(target: Target, drawn: tuple[float, ...]) -> None:
    """Each shape has the drawn value at the drawn days, and is flat outside."""
    days = (-1, 0, 2, 4, 5, 8, 10, 11)
    at = [to_ms(START + timedelta(days=day)) for day in days]
    assert [expected(target, each) for each in at] == pytest.approx(list(drawn), rel=1e-12)


def test_a_geometric_way_halves_in_equal_times() -> None:
    """From 40 to 20 the middle is 40 / sqrt(2), not 30."""
    middle = to_ms(START + timedelta(days=5))
    assert expected(way(TrajectoryKind.GEOMETRIC), middle) == pytest.approx(40 / 2**0.5)


def test_a_step_is_taken_at_its_instant() -> None:
    """A millisecond before the point the earlier value still holds."""
    target = way(TrajectoryKind.STEP, (4, 35.0))
    at = to_ms(START + timedelta(days=4))
    assert (expected(target, at - 1), expected(target, at)) == (40.0, 35.0)


def test_a_band_has_no_trajectory() -> None:
    """A band is constant and has two edges, so there is no one expected value."""
    assert expected(way(TrajectoryKind.LINEAR, low=10.0), to_ms(START)) is None


def test_an_instant_with_an_offset_is_counted_in_utc() -> None:
    """Local midnight in Lima is five in the morning UTC."""
    lima = datetime.fromisoformat("1970-01-01T00:00:00-05:00")
    assert to_ms(lima) == 5 * 3_600_000
