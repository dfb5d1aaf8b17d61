"""Rejected events: the record that keeps each, and the limit that stops a wrong deployment.

What the headers say is read again in `dead_letter_log`. The worker's own come last and in a fixed
order, so no header of a producer can be taken for one of them, whatever it is called.
"""

import json
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from kpi_stream.application.intake import Rejected
from kpi_stream.domain.errors import InputError, Reason

Headers: TypeAlias = Sequence[tuple[str, bytes]]

WHY_AND_WHENCE = (
    "reason",
    "detail",
    "source.topic",
    "source.partition",
    "source.offset",
    "source.timestamp",
)
"""The names of the headers that every dead letter ends with, in this order."""
CUT = "cut"
"""One more header, the very last, of an event that was too large to be kept whole."""

WHOLE_BYTES = 6 << 20
"""Key, value and headers up to this size are kept whole; the topic takes 8 MiB a record.

More than `max.message.bytes` of the events can arrive, since the broker looks at the size of the
compressed batch: 10 MB of spaces are 10 kB.
"""
CUT_BYTES = 64 << 10
"""What is kept of a larger event: so much of its key, of its value and of its headers."""
_DETAIL_CHARS = 500
EVENTS = "events"
"""Beside the reasons in the stored counts of a `RejectWatch`."""


class DeadLetter(NamedTuple):
    """The record that keeps a rejected event."""

    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


def dead_letter(topic: str, partition: int, rejected: Rejected) -> DeadLetter:
    """Return the dead letter of a record: key and value untouched, the why in headers.

    The headers are `reason`, `detail` and where the event came from, after its own headers.
    A record without key and value could not be told from nothing, so its value becomes empty.
    An event that the topic of dead letters could not take is cut, and the header `cut` says how
    large what was cut had been; the event itself is still where it came from.
    """
    record = rejected.record
    said = (
        rejected.reason.value.encode(),
        rejected.detail[:_DETAIL_CHARS].encode(errors="replace"),
        topic.encode(),
        b"%d" % partition,
        b"%d" % record.offset,
        b"%d" % record.timestamp,
    )
    why = list(zip(WHY_AND_WHENCE, said, strict=True))
    key, value, own = record.key, record.value, record.headers
    # aiokafka hands a header without a value over as None and cannot write it so.
    own = [(name, content or b"") for name, content in own]
    sizes = {"key": len(key or b""), "value": len(value or b""), "headers": _size(own)}
    if sum(sizes.values()) > WHOLE_BYTES:
        key, value = key and key[:CUT_BYTES], value and value[:CUT_BYTES]
        own = _first(own)
        too_large = {name: size for name, size in sizes.items() if size > CUT_BYTES}
        why.append((CUT, json.dumps(too_large).encode()))
    nothing = key is None and value is None
    return DeadLetter(key, b"" if nothing else value, [*own, *why])


def _size(headers: Headers) -> int:
    return sum(len(name) + len(content) for name, content in headers)


def _first(headers: Headers) -> list[tuple[str, bytes]]:
    """Return the first headers, as many as are kept of an event that is too large."""
    kept: list[tuple[str, bytes]] = []
    room = CUT_BYTES
    for name, content in headers:
        room -= len(name) + len(content)
        if room < 0:
            break
        kept.append((name, content))
    return kept


@dataclass(frozen=True, slots=True)
class RejectLimit:
    """When rejects are no longer single bad events but a wrong deployment."""

    share: float = 0.5
    """Of the events in the window, 0..1; 0 switches the limit off."""
    events: int = 10_000
    """The window: the last so many events of a partition; fewer are never judged."""


class RejectWatch:
    """Counts the rejects among the last events of a partition, batch by batch.

    The counts are stored with the state. Otherwise every restart, and services are restarted by
    themselves, would begin a new window and fill the dead letters by as much again.
    """

    def __init__(self, limit: RejectLimit, stored: Mapping[str, int] | None = None) -> None:
        self._limit = limit
        self._batches: deque[tuple[int, Counter[str]]] = deque()
        self._events = 0
        self._rejected: Counter[str] = Counter()
        if stored and limit.share:
            rejected = Counter({name: count for name, count in stored.items() if name != EVENTS})
            self._append(stored.get(EVENTS, 0), rejected)

    def stored(self) -> dict[str, int]:
        """Return the counts of the window: events, and rejects by reason."""
        return {EVENTS: self._events, **+self._rejected}

    def add(self, events: int, rejected: Mapping[Reason, int], example: str = "") -> None:
        """Add a batch.

        Args:
            events: How many events it had, rejected or not.
            rejected: Rejects by reason.
            example: One of the rejects, for the error's text.

        Raises:
            InputError: More than the allowed share of the window was rejected, and this batch goes
                on with it; a feed that has been put right is not stopped for its past.
        """
        if not self._limit.share or not events:
            return
        self._append(events, Counter({reason.value: n for reason, n in rejected.items()}))
        total, share = self._rejected.total(), self._limit.share
        goes_on = sum(rejected.values()) >= share * events
        if goes_on and self._events >= self._limit.events and total > share * self._events:
            reasons = ", ".join(f"{n} {reason}" for reason, n in self._rejected.most_common() if n)
            msg = (
                f"{total} of the last {self._events} events were rejected (limit: "
                f"{share:.0%}): {reasons}{example and f'; {example}'}. The worker "
                "stops before it fills the dead letters; nothing of the last batch was counted or "
                "dead-lettered. Repair the producer, or the offices of the strategy. To "
                "dead-letter these events all the same, run it with dead_letter_limit = 0 until "
                "it has caught up"
            )
            raise InputError(msg)

    def _append(self, events: int, rejected: Counter[str]) -> None:
        self._batches.append((events, rejected))
        self._events += events
        self._rejected.update(rejected)
        while self._events - self._batches[0][0] >= self._limit.events:
            old_events, old_rejected = self._batches.popleft()
            self._events -= old_events
            self._rejected.subtract(old_rejected)
