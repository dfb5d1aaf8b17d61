"""The record of the serving epoch, and whose dead letters an event's is."""

import json
from collections.abc import Callable

import pytest

from kpi_stream.adapters.kafka.epochs import Serving, judged
from kpi_stream.adapters.kafka.position import Position
from kpi_stream.domain.errors import StateError

RECORD = Serving(3, 1, 4, "abc", 1_000)


def test_the_record_is_read_as_it_was_written() -> None:
    """As JSON, for whoever looks at the topic."""
    assert Serving.from_bytes(RECORD.to_bytes(), "kpi.epoch at 7") == RECORD
    assert json.loads(RECORD.to_bytes())["epoch"] == 3


def test_without_a_record_it_is_the_first_epoch() -> None:
    """Which no switch has brought, and of whose definitions nothing is known."""
    assert (Serving().epoch, Serving().switch, Serving().previous) == (1, 0, None)
    assert Serving().fingerprint is None


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"[]",
        b"7",
        b"{}",
        b'{"epoch":"2","switch":1}',
        b'{"epoch":0,"switch":1}',
        b'{"epoch":2,"switch":0}',
        b'{"epoch":2,"switch":1,"colour":"red"}',
    ],
)
def test_a_damaged_record_is_an_error(value: bytes | None) -> None:
    """A guess would have two epochs counted at once."""
    with pytest.raises(StateError, match=r"kpi\.epoch at 7: .* damaged .* KPI_STREAM_EPOCH"):
        Serving.from_bytes(value, "kpi.epoch at 7")


def at(applied: int, topic_id: str | None = "log") -> Position:
    """A position of the other epoch."""
    return Position(applied, applied + 1, topic_id, 0)


@pytest.mark.parametrize(
    ("position", "topic_id", "end", "last"),
    [
        (None, "log", 100, -1),
        (at(9), "log", 100, 9),
        (at(99), "log", 100, 99),
        (at(9), "log", None, 9),
        (at(9, None), "log", 100, 9),
        (at(9), None, 100, 9),
        (at(9), "another log", 100, -1),
        (at(100), "log", 100, -1),
    ],
)
def test_an_epoch_has_judged_what_it_has_applied_of_this_very_log(
    position: Position | None, topic_id: str | None, end: int | None, last: int
) -> None:
    """Offsets of a log that was created again or cut are those of other events."""
    assert judged(position, topic_id, end) == last


@pytest.mark.parametrize("switch", [0, 5])
def test_a_position_remembers_since_which_switch_it_judges(switch: int) -> None:
    """Left out where there was none, so that nothing changes for who never rebuilds."""
    written: Callable[[], bytes] = Position(9, 20, "id", 1_000, switch=switch).to_bytes
    assert Position.from_bytes(written(), "kpi.rows 0").switch == switch
    assert (b"switch" in written()) is bool(switch)
