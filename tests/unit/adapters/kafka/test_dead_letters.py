# ruff: noqa: D101, D103
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_stream.adapters.kafka.dead_letter_log import Letter, Offsets, Origin, Place, read_letter
from kpi_stream.adapters.kafka.dead_letters import (
    DeadLetter,
    RejectLimit,
    RejectWatch,
    dead_letter,
)
from kpi_stream.application.intake import Rejected
from kpi_stream.domain.errors import InputError, Reason


@dataclass
class Record:
    key: bytes | None = b"k"
    value: bytes | None = b"v"
    offset: int = 7
    timestamp: int = 123
    headers: list[tuple[str, bytes]] = field(default_factory=lambda: [("trace", b"1")])


def rejected(record: Record) -> Rejected:
    """Return a record that was rejected for a long reason."""
    return Rejected(record, Reason.NOT_JSON, "no é" + "x" * 600)


def test_a_dead_letter_keeps_the_event_and_says_why() -> None:
    """Key, value and headers are untouched; reason and origin are added."""
    letter = dead_letter("customs.events", 3, rejected(Record()))
    assert (letter.key, letter.value) == (b"k", b"v")
    headers = dict(letter.headers)
    assert len(headers.pop("detail")) == 501  # 500 characters
    assert headers == {
        "trace": b"1",
        "reason": b"not_json",
        "source.topic": b"customs.events",
        "source.partition": b"3",
        "source.offset": b"7",
        "source.timestamp": b"123",
    }


def test_a_record_of_nothing_still_makes_a_record() -> None:
    """Kafka's clients refuse a record without key and value."""
    letter = dead_letter("customs.events", 3, rejected(Record(key=None, value=None)))
    assert (letter.key, letter.value) == (None, b"")


def letter_of(place: Place, letter: DeadLetter) -> Letter:
    """Read a dead letter as it would come out of its topic."""
    read = read_letter(place, Record(letter.key, letter.value, place.offset, 456, letter.headers))
    assert read is not None
    return read


def test_a_letter_is_read_as_it_was_written() -> None:
    """A producer's own headers of the same names are the event's, not the worker's."""
    own = [("reason", b"mine"), ("redriven.marker", b""), ("source.offset", b"x")]
    record = Record(headers=own)
    letter = letter_of(Place(3, 50), dead_letter("customs.events", 3, rejected(record)))
    assert letter.headers == tuple(own)
    assert (letter.reason, letter.rejected_ms, letter.tries) == ("not_json", 456, 0)
    assert letter.origin == Origin("customs.events", 3, 7, 123)
    assert (letter.first_received_ms, dict(letter.cut)) == (123, {})


def test_an_event_that_is_too_large_is_cut_and_says_so() -> None:
    """The topic of dead letters takes 8 MiB; beyond, each part keeps its beginning."""
    headers = [("a", b"1"), ("b", b"x" * (65 << 10)), ("c", b"2")]
    record = Record(b"k", b"v" * (10 << 20), headers=headers)
    letter = letter_of(Place(3, 50), dead_letter("customs.events", 3, rejected(record)))
    assert (letter.key, letter.value) == (b"k", b"v" * (64 << 10))
    assert letter.headers == (("a", b"1"),)
    assert dict(letter.cut) == {"value": 10 << 20, "headers": (65 << 10) + 5}
    whole = Record(b"k", b"v" * (5 << 20), headers=headers)
    kept = letter_of(Place(3, 50), dead_letter("customs.events", 3, rejected(whole)))
    assert (kept.value, len(kept.headers), dict(kept.cut)) == (whole.value, 3, {})


@pytest.mark.parametrize("headers", [[], [("reason", b"x")], [("redriven.marker", b"1")]])
def test_another_record_is_no_letter(headers: list[tuple[str, bytes]]) -> None:
    """Somebody else may write to the topic."""
    assert read_letter(Place(0, 0), Record(headers=headers)) is None


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 5))))
def test_ranges_of_offsets_are_a_set(ranges: list[tuple[int, int]]) -> None:
    """In whatever order they come, overlapping or side by side."""
    offsets, expected = Offsets(), set[int]()
    for first, more in ranges:
        offsets.add(first, first + more)
        expected |= set(range(first, first + more + 1))
    assert {each for each in range(50) if each in offsets} == expected
    found = offsets.ranges()
    assert {each for first, last in found for each in range(first, last + 1)} == expected
    assert all(one[1] + 1 < other[0] for one, other in pairwise(found))


def watch(share: float = 0.5, events: int = 100) -> RejectWatch:
    return RejectWatch(RejectLimit(share, events))


def test_too_many_rejects_stop_the_worker_and_are_explained() -> None:
    """The text has the share, the limit and the commonest reason."""
    watched = watch()
    watched.add(60, {Reason.NOT_JSON: 1, Reason.UNKNOWN_OFFICE: 30})
    said = (
        r"51 of the last 100 events .*50%\): 50 unknown_office, 1 not_json; offset 9\..*limit = 0"
    )
    with pytest.raises(InputError, match=said):
        watched.add(40, {Reason.UNKNOWN_OFFICE: 20}, "offset 9")


def test_a_restart_begins_no_new_window() -> None:
    """What was counted before counts on, and leaves the window as any other batch does."""
    before = watch()
    before.add(60, {Reason.NOT_JSON: 45, Reason.OVERSIZED: 1})
    assert before.stored() == {"events": 60, "not_json": 45, "oversized": 1}
    limit = RejectLimit(0.5, 100)
    with pytest.raises(InputError, match="66 of the last 100"):
        RejectWatch(limit, before.stored()).add(40, {Reason.NOT_JSON: 20})
    after = RejectWatch(limit, before.stored())
    after.add(100, {})
    assert after.stored() == {"events": 100}
    # Switched off for a while: what was let through then is not held against what comes later.
    assert RejectWatch(RejectLimit(0, 100), before.stored()).stored() == {"events": 0}


@pytest.mark.parametrize(
    ("share", "batches"),
    [
        (0.5, [(99, 99)]),  # fewer than the window are never judged
        (0.5, [(100, 50)]),  # exactly the share is allowed
        (0.0, [(1_000, 1_000)]),  # switched off
        (0.5, [(90, 90)]),
        (0.5, [(60, 60), (200, 0), (60, 60)]),  # old batches leave the window
        (0.5, [(99, 99), (20, 1), (20, 1)]),  # put right
    ],
)
def test_fewer_are_dead_lettered_and_the_work_goes_on(
    share: float, batches: list[tuple[int, int]]
) -> None:
    """Bad events are no reason to stop."""
    watched = watch(share)
    for events, rejected in batches:
        watched.add(events, {Reason.NOT_JSON: rejected})
