"""The state machine of a status, step by step."""

from kpi_stream.domain.hysteresis import Damping, StatusState, step
from kpi_stream.domain.status import Expectation, Status
from kpi_stream.domain.strategy import Direction

UP = Expectation(Direction.UP, 1.0, None, 0.0, 0.1, None)


def run(values: list[float | None], damping: Damping = Damping()) -> list[str]:  # noqa: B008
    """Return the status after each value, its number of changes and its candidate."""
    state, seen = None, []
    for at, value in enumerate(values):
        state = step(state, value, UP, at, damping=damping)
        seen.append(f"{state.status}/{state.sequence}/{state.candidate or '-'}{state.held}")
    return seen


def test_a_change_must_hold_for_three_evaluations() -> None:
    """One and two evaluations are not enough, the third is; no data is no exception."""
    assert run([1.2, 0.5, 0.5, 0.5, None, None, None]) == [
        "on_track/0/-0",
        "on_track/0/off_track1",
        "on_track/0/off_track2",
        "off_track/1/-0",
        "off_track/1/no_data1",
        "off_track/1/no_data2",
        "no_data/2/-0",
    ]


def test_an_interruption_starts_the_count_again() -> None:
    """Back to the current status, or to a third one, and nothing is held any more."""
    assert run([1.2, 0.5, 0.5, 1.2, 0.5, 0.95, 0.95]) == [
        "on_track/0/-0",
        "on_track/0/off_track1",
        "on_track/0/off_track2",
        "on_track/0/-0",
        "on_track/0/off_track1",
        "on_track/0/at_risk1",
        "on_track/0/at_risk2",
    ]


def test_the_first_status_holds_at_once_and_is_no_change() -> None:
    """A series that was never judged has no status to leave."""
    assert step(None, 0.5, UP, 7, "a") == StatusState(Status.OFF_TRACK, 7, 0, target="a")


def test_a_target_decided_anew_is_judged_at_once() -> None:
    """Another digest needs no holding; it is a change only where the status differs."""
    before = StatusState(Status.OFF_TRACK, 1, 4, Status.AT_RISK, 2, "old")
    assert step(before, 1.2, UP, 9, "new") == StatusState(Status.ON_TRACK, 9, 5, target="new")
    assert step(before, 0.5, UP, 9, "new") == StatusState(Status.OFF_TRACK, 1, 4, target="new")


def test_a_hold_of_one_changes_at_once() -> None:
    """The smallest damping is none."""
    assert run([1.2, 0.5], Damping(hold=1)) == ["on_track/0/-0", "off_track/1/-0"]
