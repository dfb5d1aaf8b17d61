"""Rejected events: the record that keeps each, and the limit that stops a wrong deployment."""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from kpi_stream.application.ports import SourceRecord
from kpi_stream.domain.errors import EventRejected, InputError, Reason

_DETAIL_CHARS = 500


class DeadLetter(NamedTuple):
    """The record that keeps a rejected event."""

    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


def dead_letter(
    topic: str, partition: int, record: SourceRecord, rejected: EventRejected
) -> DeadLetter:
    """Return the dead letter of a record: key and value untouched, the why in headers.

    The headers are `reason`, `detail` and where the event came from, after its own headers.
    A record without key and value could not be told from nothing, so its value becomes empty.
    """
    headers = [
        *record.headers,
        ("reason", rejected.reason.value.encode()),
        ("detail", rejected.detail[:_DETAIL_CHARS].encode(errors="replace")),
        ("source.topic", topic.encode()),
        ("source.partition", b"%d" % partition),
        ("source.offset", b"%d" % record.offset),
        ("source.timestamp", b"%d" % record.timestamp),
    ]
    nothing = record.key is None and record.value is None
    return DeadLetter(record.key, b"" if nothing else record.value, headers)


@dataclass(frozen=True, slots=True)
class RejectLimit:
    """When rejects are no longer single bad events but a wrong deployment."""

    share: float = 0.5
    """Of the events in the window, 0..1; 0 switches the limit off."""
    events: int = 10_000
    """The window: the last so many events of a partition; fewer are never judged."""


class RejectWatch:
    """Counts the rejects among the last events of a partition, batch by batch."""

    def __init__(self, limit: RejectLimit) -> None:
        self._limit = limit
        self._batches: deque[tuple[int, Counter[Reason]]] = deque()
        self._events = 0
        self._rejected: Counter[Reason] = Counter()

    def add(self, events: int, rejected: Mapping[Reason, int]) -> None:
        """Add a batch.

        Raises:
            InputError: More than the allowed share of the window was rejected.
        """
        if not self._limit.share or not events:
            return
        self._batches.append((events, Counter(rejected)))
        self._events += events
        self._rejected.update(rejected)
        while self._events - self._batches[0][0] >= self._limit.events:
            old_events, old_rejected = self._batches.popleft()
            self._events -= old_events
            self._rejected.subtract(old_rejected)
        total = self._rejected.total()
        if self._events >= self._limit.events and total > self._limit.share * self._events:
            reason, count = self._rejected.most_common(1)[0]
            msg = (
                f"{total} of the last {self._events} events were rejected (limit: "
                f"{self._limit.share:.0%}), {count} of them for {reason.value}. The worker stops "
                "before it fills the dead letters: check that the producer and the strategy's "
                "offices fit this version, or raise the limit"
            )
            raise InputError(msg)
