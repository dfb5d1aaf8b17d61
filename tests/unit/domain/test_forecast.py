"""Forecasts at the deadline, in 180 days."""

import pytest

from kpi_stream.domain.forecast import DAY_MS, Point, Verdict, forecast
from tests.support.scorecard import (
    ADVANCE,
    NOON_MS,
    RED,
    RELEASE,
    red_share,
    release_time,
    share_of_advance,
    target,
)


def days(first: float, change: float, count: int = 28) -> list[Point]:
    """Return one reading a day up to now."""
    return [(NOON_MS - (count - 1 - at) * DAY_MS, first + change * at) for at in range(count)]


def test_the_line_is_extended_to_the_deadline() -> None:
    """100 s now, one less a day: -80 s is impossible, so 0; with 0.25 less, 55 s."""
    goal = target(RELEASE, 60.0)
    ahead = forecast(release_time(), goal, days(106.75, -0.25), 100.0, NOON_MS)
    assert ahead is not None
    assert ahead.value == pytest.approx(55.0)
    assert ahead.slope_per_day == pytest.approx(-0.25)
    assert ahead.verdict is Verdict.ON_PACE
    steep = forecast(release_time(), goal, days(127.0, -1.0), 100.0, NOON_MS)
    assert steep is not None
    assert steep.value == 0.0


def test_a_share_ends_at_one() -> None:
    """A rising share is not extended beyond all."""
    ahead = forecast(share_of_advance(), target(ADVANCE, 0.8), days(0.4, 0.01), 0.67, NOON_MS)
    assert ahead is not None
    assert ahead.value == 1.0


def test_met_today_is_not_met_if_it_slips_away() -> None:
    """Already met asks for both: now, and at the deadline at this pace."""
    goal = target(RELEASE, 60.0)
    flat = forecast(release_time(), goal, days(50.0, 0.0), 50.0, NOON_MS)
    rising = forecast(release_time(), goal, days(50.0, 0.3), 58.0, NOON_MS)
    assert flat is not None
    assert flat.verdict is Verdict.ALREADY_MET
    assert rising is not None
    assert rising.verdict is Verdict.OFF_PACE


def test_a_band_is_met_inside_it() -> None:
    """Drifting out through either edge is off pace."""
    goal = target(RED, 0.12, low=0.04)
    verdicts = [
        forecast(red_share(), goal, days(0.08, change), 0.08, NOON_MS)
        for change in (0, 1e-3, -1e-3)
    ]
    assert [each and each.verdict for each in verdicts] == [
        Verdict.ALREADY_MET,
        Verdict.OFF_PACE,
        Verdict.OFF_PACE,
    ]


def test_days_without_data_are_left_out_and_too_few_give_nothing() -> None:
    """Six days with data are none, the seventh makes a forecast."""
    goal = target(RELEASE, 60.0)
    known = days(100.0, 0.0, 7)
    gap: list[Point] = [(at, value if at != known[3][0] else None) for at, value in known]
    assert forecast(release_time(), goal, gap, 100.0, NOON_MS) is None
    assert forecast(release_time(), goal, known, 100.0, NOON_MS) is not None


def test_after_the_deadline_there_is_nothing_to_forecast() -> None:
    """What is over is judged, not forecast."""
    goal = target(RELEASE, 60.0)
    over = round(goal.deadline.timestamp()) * 1000
    assert forecast(release_time(), goal, days(100.0, 0.0), 100.0, over) is None
    assert forecast(release_time(), goal, days(100.0, 0.0), 100.0, over - 1) is not None
