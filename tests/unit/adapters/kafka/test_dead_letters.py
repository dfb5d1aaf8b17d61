# ruff: noqa: D101, D103
from dataclasses import dataclass, field

import pytest

from kpi_stream.adapters.kafka.dead_letters import RejectLimit, RejectWatch, dead_letter
from kpi_stream.domain.errors import EventRejected, InputError, Reason


@dataclass
class Record:
    key: bytes | None = b"k"
    value: bytes | None = b"v"
    offset: int = 7
    timestamp: int = 123
    headers: list[tuple[str, bytes]] = field(default_factory=lambda: [("trace", b"1")])


REJECTED = EventRejected(Reason.NOT_JSON, "no é" + "x" * 600)


def test_a_dead_letter_keeps_the_event_and_says_why() -> None:
    """Key, value and headers are untouched; reason and origin are added."""
    letter = dead_letter("customs.events", 3, Record(), REJECTED)
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
    letter = dead_letter("customs.events", 3, Record(key=None, value=None), REJECTED)
    assert (letter.key, letter.value) == (None, b"")


def watch(share: float = 0.5, events: int = 100) -> RejectWatch:
    return RejectWatch(RejectLimit(share, events))


def test_too_many_rejects_stop_the_worker_and_are_explained() -> None:
    """The text has the share, the limit and the commonest reason."""
    watched = watch()
    watched.add(60, {Reason.NOT_JSON: 1, Reason.UNKNOWN_OFFICE: 30})
    with pytest.raises(InputError, match=r"51 of the last 100 events .*50%.*, 50 of them for unk"):
        watched.add(40, {Reason.UNKNOWN_OFFICE: 20})


@pytest.mark.parametrize(
    ("share", "batches"),
    [
        (0.5, [(99, 99)]),  # fewer than the window are never judged
        (0.5, [(100, 50)]),  # exactly the share is allowed
        (0.0, [(1_000, 1_000)]),  # switched off
        (0.5, [(90, 90)]),
        (0.5, [(60, 60), (200, 0), (60, 60)]),  # old batches leave the window
    ],
)
def test_fewer_are_dead_lettered_and_the_work_goes_on(
    share: float, batches: list[tuple[int, int]]
) -> None:
    """Bad events are no reason to stop."""
    watched = watch(share)
    for events, rejected in batches:
        watched.add(events, {Reason.NOT_JSON: rejected})
