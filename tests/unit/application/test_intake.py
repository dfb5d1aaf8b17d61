"""The loop over a batch: every record is skipped, folded or rejected, and counted so."""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from kpi_stream.application.intake import UnfoldableError, take
from kpi_stream.domain.errors import EventRejected, Reason
from kpi_stream.domain.events import BY_NAME, Event, Fact
from kpi_stream.domain.subject import Outcome
from tests.support.let_go import taken_and_let_go


class Record(NamedTuple):
    """A record whose value is all that matters."""

    offset: int
    value: bytes | None
    key: bytes | None = b"S"
    timestamp: int = 0
    headers: tuple[tuple[str, bytes], ...] = ()


def decode(key: bytes | None, value: bytes | None, received_ms: int) -> Event:
    """Read a type of event; anything else is no event."""
    del key, received_ms
    name = (value or b"").decode()
    if name not in BY_NAME:
        raise EventRejected(Reason.NOT_JSON, name)
    return Event("S", BY_NAME[name], Fact(0, "id", 0, ()))


def applier(known: list[tuple[str, bool]]) -> Callable[[Event, bool], Outcome]:
    """Return a fold that keeps what it was given; the second release is a duplicate."""

    def apply(event: Event, count_rows: bool) -> Outcome:  # noqa: FBT001
        before = [name for name, _ in known]
        known.append((event.type.name, count_rows))
        if event.type.name == "goods.exited":
            raise EventRejected(Reason.EXPIRED, "gone")
        if event.type.name == "debt.settled":
            msg = "a defect"
            raise ZeroDivisionError(msg)
        return Outcome.DUPLICATE if event.type.name in before else Outcome.COUNTED

    return apply


def batch(*values: str) -> list[Record]:
    """Records from offset 10 on."""
    return [Record(10 + at, value.encode()) for at, value in enumerate(values)]


def test_every_record_is_counted_once() -> None:
    """Skipped, counted, known before, rejected by the codec, rejected by the fold."""
    known: list[tuple[str, bool]] = []
    records = batch(
        *("channel.assigned", "release.granted", "no event", "release.granted", "goods.exited"),
        "transport.arrived",
    )
    taken = take(records, decode, applier(known), applied=10, rows_applied=11)
    assert taken.outcomes == {
        ("release.granted", Outcome.COUNTED): 1,
        ("release.granted", Outcome.DUPLICATE): 1,
        ("transport.arrived", Outcome.COUNTED): 1,
    }
    assert [(each.record.offset, each.reason) for each in taken.rejected] == [
        (12, Reason.NOT_JSON),
        (14, Reason.EXPIRED),
    ]
    assert taken.skipped == 1
    assert taken.skipped + taken.outcomes.total() + len(taken.rejected) == len(records)
    assert known[:2] == [("release.granted", False), ("release.granted", True)]


def test_a_defect_names_its_record() -> None:
    """Neither counted nor passed over; what went wrong is told."""
    records = batch("channel.assigned", "debt.settled", "release.granted")
    with pytest.raises(UnfoldableError, match="offset 11") as caught:
        take(records, decode, applier([]), applied=-1, rows_applied=-1)
    assert caught.value.offset == 11
    assert isinstance(caught.value.error, ZeroDivisionError)


def test_a_rejection_keeps_nothing_else_alive() -> None:
    """It lives on as a dead letter, and must not hold the state of a partition that has gone."""

    def strictly(key: bytes | None, value: bytes | None, received_ms: int) -> Event:
        del key, received_ms
        try:
            int(value or b"")
        except ValueError as error:
            raise EventRejected(Reason.NOT_JSON, str(error)) from None
        raise AssertionError

    taken = taken_and_let_go(batch("no event"), strictly)
    assert len(taken.rejected) == 1
