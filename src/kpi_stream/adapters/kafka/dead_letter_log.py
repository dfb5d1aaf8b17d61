"""The topic of dead letters, read: what was rejected and why, and what was sent back already.

Beside the dead letters the topic holds *markers*: records that say which of its letters were sent
back. A marker is written in the transaction that sends them, to the partition of its letters and
so behind them. Retention removes a log from its beginning: as long as a letter is there, so is the
marker that keeps it from being sent a second time.
"""

import asyncio
import json
from bisect import bisect_right
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from aiokafka import TopicPartition

from kpi_stream.adapters.kafka.dead_letters import CUT, WHY_AND_WHENCE, Headers
from kpi_stream.adapters.kafka.reader import TopicReader
from kpi_stream.domain.errors import InputError, Unavailable

REDRIVEN = ("redriven.tries", "redriven.from", "redriven.timestamp")
"""The names of the headers that an event which was sent back ends with, in this order."""
MARKER = "redriven.marker"
"""The name of a marker's only header."""
_WAIT_MS = 500
_MOST_RECORDS = 500
"""Of one fetch: a dead letter may have megabytes."""


class Place(NamedTuple):
    """Where a dead letter is in its topic."""

    partition: int
    offset: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the place that is written PARTITION:OFFSET.

        Raises:
            InputError: It is not written so.

        Example:
            >>> str(Place.parse("2:17"))
            '2:17'
        """
        partition, colon, offset = text.partition(":")
        if not (colon and _is_number(partition) and _is_number(offset)):
            msg = f"{text!r} is no place of a dead letter; write it as PARTITION:OFFSET, like 2:17"
            raise InputError(msg)
        return cls(int(partition), int(offset))

    def __str__(self) -> str:
        return f"{self.partition}:{self.offset}"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an event was when it was rejected."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    """When the broker received it; ms since 1970."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter, read."""

    place: Place
    rejected_ms: int
    """When it was written; ms since 1970."""
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    """Of the event as its producer sent it."""
    reason: str
    detail: str
    origin: Origin
    tries: int = 0
    """How often the event had been sent back when it was rejected this time."""
    first_received_ms: int = -1
    """When the broker received the event for the first time; as in `origin` before any try."""
    cut: Mapping[str, int] = field(default_factory=dict)
    """The full size in bytes of what is not kept whole: key, value, headers; empty: all is."""


def read_letter(place: Place, record: Any) -> Letter | None:  # noqa: ANN401 # aiokafka has no types
    """Return the dead letter in a record; None where the record is something else."""
    headers: list[tuple[str, bytes]] = list(record.headers)
    cut: dict[str, int] = {}
    try:
        if headers and headers[-1][0] == CUT:
            cut = {str(name): int(size) for name, size in json.loads(headers.pop()[1]).items()}
        said = dict(headers[-len(WHY_AND_WHENCE) :])
        if tuple(name for name, _ in headers[-len(WHY_AND_WHENCE) :]) != WHY_AND_WHENCE:
            return None
        origin = Origin(
            said["source.topic"].decode(),
            int(said["source.partition"]),
            int(said["source.offset"]),
            int(said["source.timestamp"]),
        )
        reason = said["reason"].decode()
    except (ValueError, AttributeError, TypeError):
        return None
    own, tries, first_ms = _without_tries(headers[: -len(WHY_AND_WHENCE)])
    return Letter(
        place,
        record.timestamp,
        record.key,
        record.value,
        tuple(own),
        reason,
        said["detail"].decode(errors="replace"),
        origin,
        tries,
        origin.timestamp_ms if first_ms is None else first_ms,
        cut,
    )


def _without_tries(headers: Headers) -> tuple[Headers, int, int | None]:
    """Return the producer's own headers, the number of tries and the first time of receipt."""
    last = headers[-len(REDRIVEN) :]
    if tuple(name for name, _ in last) != REDRIVEN:
        return headers, 0, None
    try:
        tries, first_ms = int(last[0][1]), int(last[2][1])
    except ValueError:  # a producer's own headers of these names
        return headers, 0, None
    return headers[: -len(REDRIVEN)], tries, first_ms


class Offsets:
    """A set of offsets, kept as ranges: most of what is sent back lies side by side.

    Example:
        >>> offsets = Offsets([(5, 7), (1, 2), (3, 4)])
        >>> offsets.ranges(), 4 in offsets, 8 in offsets
        ([(1, 7)], True, False)
    """

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for first, last in ranges:
            self.add(first, last)

    def add(self, first: int, last: int) -> None:
        """Add all offsets from `first` to `last`."""
        low = bisect_right(self._lasts, first - 2)  # a range that ends just before is joined
        high = bisect_right(self._firsts, last + 1)
        if low < high:
            first = min(first, self._firsts[low])
            last = max(last, self._lasts[high - 1])
        self._firsts[low:high] = [first]
        self._lasts[low:high] = [last]

    def ranges(self) -> list[tuple[int, int]]:
        """Return the ranges, first and last offset of each, in order."""
        return list(zip(self._firsts, self._lasts, strict=True))

    def __contains__(self, offset: int) -> bool:
        at = bisect_right(self._firsts, offset) - 1
        return at >= 0 and offset <= self._lasts[at]


def marker(offsets: Offsets) -> tuple[bytes, list[tuple[str, bytes]]]:
    """Return value and headers of the marker for these letters of its partition."""
    return json.dumps({"redriven": offsets.ranges()}).encode(), [(MARKER, b"1")]


def _marked(record: Any) -> list[tuple[int, int]] | None:  # noqa: ANN401
    """Return the ranges that a marker names; None where the record is no marker."""
    if [name for name, _ in record.headers] != [MARKER]:
        return None
    try:
        ranges = json.loads(record.value or b"")["redriven"]
        return [(int(first), int(last)) for first, last in ranges]
    except (ValueError, KeyError, TypeError) as err:
        msg = f"the marker at offset {record.offset} of the dead letters is damaged: {err!r}"
        raise InputError(msg) from err


@dataclass(frozen=True, slots=True)
class Survey:
    """What the markers say, and up to where the topic was read for it."""

    redriven: dict[int, Offsets]
    """The letters that were sent back, by partition."""
    ends: dict[int, int]
    """The first offset of each partition that was not looked at."""
    records: int
    """How many records there are."""


class DeadLetterReader(TopicReader):
    """Reads the topic of dead letters from its first record, as often as asked."""

    async def survey(self) -> Survey:
        """Read the whole topic for its markers.

        Raises:
            InputError: A marker is damaged; what it names could be sent twice.
            Unavailable: The broker stopped answering.
        """
        redriven = {partition: Offsets() for partition in self.partitions}
        count, ends = 0, await self.ends()
        async for partition, records in self._scan(ends):
            count += len(records)
            for record in records:
                for first, last in _marked(record) or ():
                    redriven[partition].add(first, last)
        # The embedded broker may report an end below its last record.
        positions = await self.positions()
        return Survey(redriven, {p: max(end, positions[p]) for p, end in ends.items()}, count)

    async def letters(self, survey: Survey) -> AsyncIterator[list[tuple[Place, Letter | None]]]:
        """Yield the dead letters that were there at the survey, in order within a partition.

        What is neither a dead letter nor a marker comes as None.
        """
        for partition, begin in (await self.begins()).items():
            self._consumer.seek(TopicPartition(self._topic, partition), begin)
        async for partition, records in self._scan(survey.ends):
            places = ((Place(partition, record.offset), record) for record in records)
            yield [
                (place, read_letter(place, record))
                for place, record in places
                if place.offset < survey.ends[partition] and _marked(record) is None
            ]

    async def partitions_of(self, topic: str) -> int:
        """Return the number of partitions of another topic."""
        with self._translated():
            metadata = await self._consumer._client.fetch_all_metadata()  # noqa: SLF001
        return len(metadata.partitions_for_topic(topic) or ())

    async def _scan(self, ends: Mapping[int, int]) -> AsyncIterator[tuple[int, list[Any]]]:
        """Yield what each fetch returns, up to the ends and, where set, until all is silent."""
        loop = asyncio.get_running_loop()
        moved_at, before = loop.time(), dict[int, int]()
        while True:
            positions = await self.positions()
            behind = any(positions[p] < end for p, end in ends.items())
            if not behind and not self._settle_ms:
                return
            with self._translated():
                fetched = await self._consumer.getmany(
                    timeout_ms=_WAIT_MS if behind else self._settle_ms, max_records=_MOST_RECORDS
                )
            if not fetched and not behind:
                return
            for tp, records in fetched.items():
                yield tp.partition, records
            if fetched or positions != before:
                moved_at, before = loop.time(), positions
            elif loop.time() - moved_at > self._stall_s:
                msg = f"{self._topic} stopped at {positions} before its end {ends}"
                raise Unavailable(msg)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()
