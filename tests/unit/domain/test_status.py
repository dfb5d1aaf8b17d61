"""Thresholds, margins and edges of the status."""

import pytest

from kpi_stream.domain.status import (
    Expectation,
    Status,
    attainment,
    classify,
    credit,
    expectation,
    progress,
    relative_gap,
)
from kpi_stream.domain.strategy import Direction, TrajectoryKind
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

BAND = Expectation(Direction.BAND, 0.12, 0.04, 0.0, 0.25, 0.25)


@pytest.mark.parametrize(
    ("value", "status", "share"),
    [
        (0.02, Status.OFF_TRACK, 0.5),
        (0.035, Status.AT_RISK, 0.875),
        (0.04, Status.ON_TRACK, 1.0),
        (0.08, Status.ON_TRACK, 1.0),
        (0.12, Status.ON_TRACK, 1.0),
        (0.14, Status.AT_RISK, 6 / 7),
        (0.16, Status.OFF_TRACK, 0.75),
    ],
)
def test_both_sides_of_a_band_are_a_miss(value: float, status: Status, share: float) -> None:
    """Too few red channels are a risk as well as too many."""
    assert classify(value, BAND) is status
    assert attainment(value, BAND) == pytest.approx(share)


def test_a_band_is_left_and_entered_again_with_a_margin() -> None:
    """At its edge the current status stays; well inside, it is on track again."""
    assert classify(0.1205, BAND, Status.ON_TRACK, 0.01) is Status.ON_TRACK
    assert classify(0.1195, BAND, Status.AT_RISK, 0.01) is Status.AT_RISK
    assert classify(0.11, BAND, Status.AT_RISK, 0.01) is Status.ON_TRACK


def test_a_narrow_band_can_be_entered_again() -> None:
    """Where the margin is wider than the band, half of the band suffices."""
    narrow = Expectation(Direction.BAND, 1.001, 0.999, 0.0, 0.1, 0.0005)
    assert classify(1.0, narrow, Status.OFF_TRACK, 0.05) is Status.ON_TRACK


def test_the_margin_moves_each_threshold_away_from_the_current_status() -> None:
    """At risk between -0.11 and +0.01 once it is held; exactly -0.1 and 0 before."""
    up = Expectation(Direction.UP, 100.0, None, 0.0, 0.1, None)
    for value, fresh, held in (
        (100.5, Status.ON_TRACK, Status.AT_RISK),
        (101.5, Status.ON_TRACK, Status.ON_TRACK),
        (89.5, Status.OFF_TRACK, Status.AT_RISK),
        (88.5, Status.OFF_TRACK, Status.OFF_TRACK),
    ):
        assert classify(value, up) is fresh
        assert classify(value, up, Status.AT_RISK, 0.01) is held
    assert classify(100.5, up, Status.NO_DATA, 0.01) is Status.ON_TRACK


def test_an_expectation_of_nothing_counts_the_gap_in_units() -> None:
    """There is no share of 0: a miss of 3 is a gap of -3."""
    nothing = Expectation(Direction.DOWN, 0.0, None, 0.5, 4.0, 0.0)
    assert relative_gap(3.0, nothing) == -3.0
    assert classify(0.5, nothing) is Status.ON_TRACK
    assert classify(3.0, nothing) is Status.AT_RISK
    assert attainment(3.0, nothing) == 0.0
    assert credit(3.0, nothing) == 0.0


def test_the_best_possible_gap_follows_from_what_a_kpi_can_be() -> None:
    """A share ends at 1, a duration at 0, and a band at its middle."""
    share = expectation(share_of_advance(), target(ADVANCE, 0.8), NOON_MS)
    assert share.headroom == pytest.approx(0.25)
    assert expectation(release_time(), target(RELEASE, 3600.0), NOON_MS).headroom == 1.0
    band = expectation(red_share(), target(RED, 0.12, low=0.04), NOON_MS)
    assert band.direction is Direction.BAND
    assert band.headroom == pytest.approx(0.25)


def test_progress_is_the_way_done_in_either_direction() -> None:
    """From 112 h towards 30 h, 71 h is half of the way; back beyond the baseline is below 0."""
    way = target(RELEASE, 30.0, baseline=112.0)
    assert progress(71.0, way) == 0.5
    assert progress(194.0, way) == -1.0
    assert progress(30.0, target(RELEASE, 30.0)) is None
    assert progress(0.1, target(RED, 0.12, low=0.04, baseline=0.3)) is None


def test_a_reading_is_held_against_today_not_against_the_deadline() -> None:
    """Half way through the time, half of the improvement is on track."""
    way = target(RELEASE, 20.0, baseline=40.0, trajectory=TrajectoryKind.LINEAR)
    now = expectation(release_time(), way, NOON_MS)
    assert now.goal == pytest.approx(40 - 20 * 365 / 545)
    assert classify(now.goal, now) is Status.ON_TRACK
    assert classify(now.goal * 1.05, now) is Status.AT_RISK
