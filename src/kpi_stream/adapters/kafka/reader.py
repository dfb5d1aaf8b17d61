"""Reads topics from their first record on, committed records only: state, rows, readings.

Three things go wrong easily and are done here once:

* The reader starts at the earliest record by its reset rule. `seek_to_beginning` after `assign`
  races with the default rule, *latest*, and then reads nothing: state silently lost.
* Only committed records are read (`read_committed`).
* A broker may report an end below its last record (the embedded one does when several batches
  were in flight), so the end is reached only when a fetch beyond it comes back empty.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, NamedTuple, Self, TypeAlias, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import FetchResult
from aiokafka.errors import KafkaError

from kpi_stream.adapters.kafka.connection import client_arguments
from kpi_stream.adapters.kafka.refusals import refused
from kpi_stream.application.ports import BrokerOptions
from kpi_stream.domain.errors import InputError, KpiStreamError, Unavailable

_FETCH_BYTES = 8 << 20
"""Per partition and fetch; 1 MiB, the default, makes reading state three times slower."""
_MAX_RECORDS = 20_000
RETRY_MS = 1_000
"""Between two attempts to reach a broker; the default of 100 makes every outage a storm."""
_WAIT_MS = 500
"""Of one fetch while records are known to be missing."""
_TAIL = 32
"""Offsets before the end that are looked at first for the newest record of a key."""


class Record(NamedTuple):
    """One committed record of a topic."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    """None is a tombstone: the key is gone."""
    timestamp_ms: int


OnRecords: TypeAlias = Callable[[list[Record]], None]


class _Fetched(OrderedDict[Any, Any]):
    """What the fetcher holds until it is asked for: records as aiokafka's parser made them, in C.

    They have offset, timestamp, key, value and headers. A ConsumerRecord of each, which aiokafka
    makes for its users, takes as long as the reading itself: 1.7 us a record instead of 0.8.
    """

    def __setitem__(self, tp: Any, result: Any) -> None:  # noqa: ANN401
        """Take the answer to a fetch, or an error."""
        if type(result) is FetchResult:
            result._partition_records._consumer_record = _as_parsed  # noqa: SLF001
        super().__setitem__(tp, result)


def _as_parsed(_: Any, record: Any) -> Any:  # noqa: ANN401
    return record


class TopicReader:
    """Reads every partition of one topic, or some, from the first record and then follows it.

    Args:
        broker: How to reach Kafka.
        topic: The topic's name.
        partitions: Which partitions; None is all of them.
        settle_ms: How long an empty fetch must wait beyond the reported end before that end is
            believed; 0 believes the broker, which is right for Apache Kafka.
        stall_s: How long a read may go without any progress before the broker counts as down.
    """

    def __init__(
        self,
        broker: BrokerOptions,
        topic: str,
        partitions: Iterable[int] | None = None,
        *,
        settle_ms: int = 0,
        stall_s: float = 60.0,
    ) -> None:
        self._topic = topic
        self._partitions = None if partitions is None else sorted(partitions)
        self._settle_ms = settle_ms
        self._stall_s = stall_s
        self._assigned: list[TopicPartition] = []
        self._consumer = AIOKafkaConsumer(
            **client_arguments(broker),
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=_FETCH_BYTES,
            retry_backoff_ms=RETRY_MS,
        )

    async def start(self) -> Self:
        """Connect and take the partitions.

        Raises:
            Unavailable: No broker answers.
            InputError: The topic, or one of the partitions, does not exist.
        """
        try:
            with self._translated():
                await self._consumer.start()
                self._consumer._fetcher._records = _Fetched()  # noqa: SLF001
                # The public `topics()` gives the names alone.
                metadata = await self._consumer._client.fetch_all_metadata()  # noqa: SLF001
            known = sorted(metadata.partitions_for_topic(self._topic) or ())
            wanted = known if self._partitions is None else self._partitions
            if not known or set(wanted) - set(known):
                msg = (
                    f"topic {self._topic} has the partitions {known}, and {wanted} are needed; "
                    "run: kpi-stream topics init (none: it may also be that this user may not "
                    "see the topic)"
                )
                raise InputError(msg)
        except KpiStreamError:
            await self._consumer.stop()
            raise
        self._assigned = [TopicPartition(self._topic, p) for p in wanted]
        self._consumer.assign(self._assigned)
        return self

    async def stop(self) -> None:
        """Disconnect."""
        await self._consumer.stop()

    @property
    def partitions(self) -> list[int]:
        """The partitions that are read."""
        return [tp.partition for tp in self._assigned]

    async def poll(self, wait_ms: int) -> list[Record]:
        """Return the next records, in order within a partition; none if nothing came in time."""
        with self._translated():
            fetched = await self._consumer.getmany(timeout_ms=wait_ms, max_records=_MAX_RECORDS)
        return _records(fetched)

    async def positions(self) -> dict[int, int]:
        """Return the next offset to be read of each partition."""
        with self._translated():
            return {tp.partition: await self._consumer.position(tp) for tp in self._assigned}

    async def ends(self) -> dict[int, int]:
        """Return the end of each partition: the next offset that a committed record can get."""
        with self._translated():
            return _by_partition(await self._consumer.end_offsets(self._assigned))

    async def begins(self) -> dict[int, int]:
        """Return the first offset that each partition still holds."""
        with self._translated():
            return _by_partition(await self._consumer.beginning_offsets(self._assigned))

    async def read_to_end(self, on_records: OnRecords) -> int:
        """Hand over all records up to the end as it is when reached; return how many.

        Raises:
            Unavailable: The broker stopped answering, or the read got stuck before the end.
        """
        loop = asyncio.get_running_loop()
        count, moved_at, before = 0, loop.time(), dict[int, int]()
        ends = await self.ends()
        while True:
            positions = await self.positions()
            behind = any(positions[p] < end for p, end in ends.items())
            if not behind and not self._settle_ms:
                return count
            records = await self.poll(_WAIT_MS if behind else self._settle_ms)
            if not records and not behind:
                return count
            on_records(records)
            count += len(records)
            if records or positions != before:
                moved_at, before = loop.time(), positions
            elif loop.time() - moved_at > self._stall_s:
                msg = f"{self._topic} stopped at {positions} before its end {ends}"
                raise Unavailable(msg)

    async def last(self, key: bytes) -> dict[int, Record]:
        """Return the newest record with that key of each partition that has one.

        Read backwards in growing steps, so cheap where it lies near the end; moves the reading
        positions.
        """
        begins, ends = await self.begins(), await self.ends()
        found: dict[int, Record] = {}
        reach, wanted = _TAIL, [p for p, end in ends.items() if end > begins[p]]
        while wanted:
            starts = {p: max(begins[p], ends[p] - reach) for p in wanted}
            for record in await self._between(starts, ends):
                if record.key == key:
                    found[record.partition] = record
            wanted = [p for p in wanted if p not in found and starts[p] > begins[p]]
            reach *= 8
        return found

    async def _between(self, starts: Mapping[int, int], ends: Mapping[int, int]) -> list[Record]:
        tps = {p: TopicPartition(self._topic, p) for p in starts}
        loop = asyncio.get_running_loop()
        records: list[Record] = []
        moved_at = loop.time()
        with self._translated():
            for p, tp in tps.items():
                self._consumer.seek(tp, starts[p])
            while tps:
                fetched = await self._consumer.getmany(*tps.values(), timeout_ms=_WAIT_MS)
                records += _records(fetched)
                positions = {p: await self._consumer.position(tp) for p, tp in tps.items()}
                left = {p: tp for p, tp in tps.items() if positions[p] < ends[p]}
                if fetched or len(left) < len(tps):
                    moved_at = loop.time()
                elif self._settle_ms:
                    return records  # such a broker's end may lie beyond its last record, too
                elif loop.time() - moved_at > self._stall_s:
                    msg = f"{self._topic} stopped at {positions} before its end {ends}"
                    raise Unavailable(msg)
                tps = left
        return records

    async def holds(self, partition: int, offset: int) -> bool:
        """Return whether a record at `offset` or beyond exists; moves the reading position."""
        self._consumer.seek(TopicPartition(self._topic, partition), offset)
        records = await self.poll(max(self._settle_ms, _WAIT_MS))
        return any(r.partition == partition and r.offset >= offset for r in records)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except KafkaError as err:
            if (refusal := refused(err, f"{self._topic} cannot be read: Kafka")) is not None:
                raise refusal from err
            msg = f"{self._topic} cannot be read: {err!r}"
            raise Unavailable(msg) from err


def _by_partition(offsets: Mapping[TopicPartition, int]) -> dict[int, int]:
    return {tp.partition: offset for tp, offset in offsets.items()}


def _records(fetched: Mapping[TopicPartition, Iterable[Any]]) -> list[Record]:
    return [
        Record(tp.partition, r.offset, r.key, r.value, r.timestamp)
        for tp, records in fetched.items()
        for r in records
    ]


Reader = TypeVar("Reader", bound=TopicReader)


@asynccontextmanager
async def reading(reader: Reader) -> AsyncIterator[Reader]:
    """Start a reader and stop it in the end, however that comes."""
    await reader.start()
    try:
        yield reader
    finally:
        await reader.stop()
