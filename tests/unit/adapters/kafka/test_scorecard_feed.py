"""Rows and position records as the scorecard takes them."""

import json
import logging
from typing import Any

import pytest

from kpi_stream.adapters.kafka.reader import Record
from kpi_stream.adapters.kafka.scorecard import feed as module
from kpi_stream.adapters.kafka.scorecard.feed import RowFeed
from kpi_stream.application.as_of import PartitionProgress
from kpi_stream.application.ports import BrokerOptions, Topics
from kpi_stream.domain.errors import OtherDefinitions, StateError


def position(applied: int, **changes: object) -> bytes:
    """Return a position record."""
    made = {
        "applied": applied,
        "end": applied + 1,
        "topic_id": None,
        "flushed_ms": 1_000 + applied,
        "watermark_ms": 500 + applied,
        "fingerprint": "abc",
        "state_version": 1,
    }
    return json.dumps({**made, **changes}).encode()


class Rig(RowFeed):
    """A feed without a broker."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, bytes, bytes | None]] = []
        self.now_ms = 1_000_000
        super().__init__(
            BrokerOptions(("nowhere",)), Topics(), self._keep, now_ms=lambda: self.now_ms
        )
        self._partitions = [0, 1]

    def _keep(self, partition: int, key: bytes, value: bytes | None) -> None:
        if key == b"bad":
            msg = "not a row key"
            raise ValueError(msg)
        if key == b"worse":
            msg = "no counters"
            raise StateError(msg)
        if key.startswith(b"other"):
            raise OtherDefinitions(key.decode())
        self.rows.append((partition, key, value))

    def give(self, *records: tuple[int, bytes, bytes | None]) -> None:
        """Take records as they are read."""
        self._take(Record(partition, 0, key, value, 0) for partition, key, value in records)


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Rig:
    """A feed whose reader is never used."""

    def reader(*_: Any, **__: Any) -> None:
        return None

    monkeypatch.setattr(module, "TopicReader", reader)
    return Rig()


def test_a_row_of_other_dimensions_is_told_and_the_rest_is_read(rig: Rig) -> None:
    """Whoever judges must know, and by which definitions they were counted comes later."""
    assert rig.misfit is None
    rig.give((0, b"other", b"{}"), (1, b"other too", b"{}"), (0, b"row", b"{}"))
    rig.give((0, b"@", position(3, fingerprint="theirs")))
    assert rig.misfit == "kpi.rows[0] at 0: other"
    assert rig.rows == [(0, b"row", b"{}")]
    assert rig.fingerprint == "theirs"


def test_rows_are_handed_on_and_positions_are_kept(rig: Rig) -> None:
    """A tombstone is a row as well; the position is not."""
    rig.give((0, b"f|1", b"{}"), (1, b"f|1", None), (0, b"@", position(9)))
    assert rig.rows == [(0, b"f|1", b"{}"), (1, b"f|1", None)]
    assert rig.progress({}) == (
        PartitionProgress(0, 9, 509, 10, 1_009),
        PartitionProgress(1, -1, None, None),
    )


def test_the_larger_end_counts(rig: Rig) -> None:
    """The broker's answer and the worker's can each be the older one."""
    rig.give((0, b"@", position(9, end=40)))
    assert [each.end for each in rig.progress({0: 30, 1: 7})] == [40, 7]
    assert [each.end for each in rig.progress({0: 50})] == [50, None]


def test_the_latest_rejects_are_in_the_position(rig: Rig) -> None:
    """By reason, with how many events they are of; a worker without a limit counts none."""
    rejects = {"events": 500, "expired": 3, "unknown_office": 2}
    rig.give((0, b"@", position(9, rejects=rejects)), (1, b"@", position(4)))
    first, second = rig.progress({})
    assert (first.judged, first.rejected) == (500, {"expired": 3, "unknown_office": 2})
    assert (second.judged, second.rejected) == (0, {})


def test_a_watermark_of_minus_one_is_none(rig: Rig) -> None:
    """Events were applied and none was accepted."""
    rig.give((0, b"@", position(9, watermark_ms=-1)))
    assert rig.progress({})[0].watermark_ms is None


def test_when_rows_move_is_told_by_the_clock_of_this_machine(rig: Rig) -> None:
    """Read at the start, a flush of the future is one of now; followed, its own time is ignored."""
    late = rig.now_ms + 600_000
    rig.give((0, b"@", position(9, flushed_ms=late)), (1, b"@", position(3, flushed_ms=7)))
    assert [each.moved_ms for each in rig.progress({})] == [rig.now_ms, 7]
    rig._loading = False
    rig.now_ms += 1_000
    rig.give((0, b"@", position(10, flushed_ms=late)), (1, b"@", position(4, flushed_ms=8)))
    assert [each.moved_ms for each in rig.progress({})] == [rig.now_ms] * 2


@pytest.mark.parametrize(("ahead_s", "words"), [(600, "600 s later"), (-600, "600 s earlier")])
def test_clocks_that_differ_are_told_once(
    rig: Rig, caplog: pytest.LogCaptureFixture, ahead_s: int, words: str
) -> None:
    """Nobody else would notice: neither counts nor statuses show it."""
    caplog.set_level(logging.INFO)
    rig._loading = False
    for applied, ahead_ms in ((1, 0), (2, ahead_s * 1000), (3, ahead_s * 1000), (4, 0), (5, 0)):
        rig.give((0, b"@", position(applied, flushed_ms=rig.now_ms + ahead_ms)))
    told, again = caplog.messages
    assert f"kpi.rows partition 0 was written {words} than this machine's clock says" in told
    assert again == "kpi.rows partition 0: the clocks agree again"


def test_the_newest_flush_says_by_which_definitions_it_counts(rig: Rig) -> None:
    """An idle partition keeps the fingerprint of a worker that is gone."""
    assert rig.fingerprint is None
    rig.give((0, b"@", position(3, flushed_ms=7, fingerprint="new")))
    rig.give((1, b"@", position(9, flushed_ms=6, fingerprint="old")))
    assert rig.fingerprint == "new"


def test_rows_that_were_started_anew_stop_the_scorecard(rig: Rig) -> None:
    """Its sums contain what is gone, so it must read again from the start."""
    rig.give((0, b"@", position(9)))
    rig.give((0, b"@", position(9)))
    with pytest.raises(StateError, match=r"kpi\.rows\[0\] went back from event 9 to 8"):
        rig.give((0, b"@", position(8)))


def test_a_damaged_record_stops_the_scorecard(rig: Rig) -> None:
    """It says where it lies."""
    text = r"kpi\.rows partition 1 offset 0 is no row: "
    with pytest.raises(StateError, match=text + "not a row key"):
        rig.give((1, b"bad", b"{}"))
    with pytest.raises(StateError, match=text + "no counters"):
        rig.give((1, b"worse", b"?"))
    text = r"kpi\.rows partition 0 offset 0: the position record is damaged"
    with pytest.raises(StateError, match=text):
        rig.give((0, b"@", None))
