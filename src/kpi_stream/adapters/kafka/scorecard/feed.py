"""The rows of every partition, handed to the totals, and how far each one is."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from kpi_stream.adapters.kafka.connection import client_arguments
from kpi_stream.adapters.kafka.dead_letters import EVENTS
from kpi_stream.adapters.kafka.position import Position
from kpi_stream.adapters.kafka.reader import RETRY_MS, Record, TopicReader
from kpi_stream.adapters.kafka.refusals import refused
from kpi_stream.adapters.kafka.scorecard.closing import closed
from kpi_stream.application.as_of import PartitionProgress
from kpi_stream.application.ports import POSITION_KEY, BrokerOptions, ClockMs, Topics
from kpi_stream.domain.errors import OtherDefinitions, StateError, Unavailable

_log = logging.getLogger(__name__)

ApplyRow = Callable[[int, bytes, bytes | None], None]

_UNCERTAIN_END_MS = 500
"""How long to read beyond the end that a broker without transactions reports."""
_CLOCKS_DIFFER_S = 60.0
"""A worker's clock, and that of this machine, may differ by so much before somebody is told."""


class RowFeed:
    """Reads `kpi.rows` from the first record on, for one totals, and follows it.

    Args:
        broker: How to reach Kafka.
        topics: The names of the topics.
        apply_row: Takes (partition, key, value) of every row.
        now_ms: The wall clock of this machine.
        certain_ends: Whether the broker's reported ends can be trusted (Apache Kafka: yes).
    """

    def __init__(
        self,
        broker: BrokerOptions,
        topics: Topics,
        apply_row: ApplyRow,
        *,
        now_ms: ClockMs,
        certain_ends: bool = True,
    ) -> None:
        self._topic = topics.rows
        self._now_ms, self._certain_ends = now_ms, certain_ends
        self._apply_row = apply_row
        settle_ms = 0 if certain_ends else _UNCERTAIN_END_MS
        self._reader = TopicReader(broker, topics.rows, settle_ms=settle_ms)
        self._positions: dict[int, Position] = {}
        self._moved_ms: dict[int, int] = {}
        self._loading = True
        self._skewed: set[int] = set()
        self._partitions: list[int] = []
        self._misfit: str | None = None

    async def load(self) -> int:
        """Connect and read all rows up to the present; return how many records there were.

        Raises:
            Unavailable: No broker answers.
            InputError: The topic does not exist.
            StateError: A record is not what a worker writes.
        """
        await self._reader.start()
        self._partitions = self._reader.partitions
        begins = await self._reader.begins() if self._certain_ends else {}
        count = await self._reader.read_to_end(self._take)
        self._loading = False
        for partition, position in self._positions.items():
            if begins.get(partition, 0) > position.state_begin:
                msg = (
                    f"{self._topic} partition {partition} begins at offset {begins[partition]}: "
                    "rows before it were deleted, so the sums would be too small. Count again "
                    "from the events: kpi-stream rebuild --again"
                )
                raise StateError(msg)
        return count

    async def poll(self, wait_ms: int) -> int:
        """Take what came since; return how many records, after at most `wait_ms`.

        Raises:
            StateError: A record is not what a worker writes, or the rows were started anew.
        """
        records = await self._reader.poll(wait_ms)
        self._take(records)
        return len(records)

    async def close(self) -> None:
        """Disconnect."""
        await closed(self._reader.stop())

    @property
    def partitions(self) -> list[int]:
        """The partitions of the rows, which are those of the events."""
        return self._partitions

    @property
    def fingerprint(self) -> str | None:
        """By which definitions the newest rows were counted; None before there are any."""
        newest = max(self._moved_ms, key=self._moved_ms.__getitem__, default=None)
        value = None if newest is None else self._positions[newest].meta.get("fingerprint")
        return value if isinstance(value, str) else None

    @property
    def misfit(self) -> str | None:
        """The first row that the totals could not take, counted by other dimensions; or None."""
        return self._misfit

    def progress(
        self, ends: Mapping[int, int], asked_ms: int | None = None
    ) -> tuple[PartitionProgress, ...]:
        """Return how far each partition is.

        Args:
            ends: The ends of the source partitions as the broker reports them, where it did.
            asked_ms: When it did, in milliseconds since 1970 UTC; None for just now.
        """
        return tuple(self._progress(each, ends.get(each), asked_ms) for each in self._partitions)

    def _progress(self, partition: int, end: int | None, asked_ms: int | None) -> PartitionProgress:
        position = self._positions.get(partition)
        if position is None:
            return PartitionProgress(partition, -1, None, end)
        # The worker has seen an end as well, and either answer can be the older one.
        end = position.end if end is None else max(end, position.end)
        watermark = position.meta.get("watermark_ms")
        known = isinstance(watermark, int) and watermark >= 0
        return PartitionProgress(
            partition,
            position.applied,
            int(str(watermark)) if known else None,
            end,
            self._moved_ms[partition],
            asked_ms,
            position.rejects.get(EVENTS, 0),
            {reason: n for reason, n in position.rejects.items() if reason != EVENTS},
        )

    def _take(self, records: Iterable[Record]) -> None:
        apply_row = self._apply_row
        for partition, offset, key, value, _ in records:
            if key == POSITION_KEY:
                self._move(partition, offset, value)
                continue
            try:
                apply_row(partition, key or b"", value)
            except OtherDefinitions as err:
                # By which ones, the position record says, which comes after its rows.
                self._misfit = self._misfit or f"{self._topic}[{partition}] at {offset}: {err}"
            except (StateError, ValueError) as err:
                msg = f"{self._topic} partition {partition} offset {offset} is no row: {err}"
                raise StateError(msg) from err

    def _move(self, partition: int, offset: int, value: bytes | None) -> None:
        position = Position.from_bytes(
            value, f"{self._topic} partition {partition} offset {offset}"
        )
        before = self._positions.get(partition)
        if before is not None and position.applied < before.applied:
            msg = (
                f"{self._topic}[{partition}] went back from event {before.applied} to "
                f"{position.applied}: the rows were started anew; restart the scorecard"
            )
            raise StateError(msg)
        self._positions[partition] = position
        # The worker's clock may be another: what is seen to move moves now, by this one.
        now_ms = self._now_ms()
        if self._loading:
            self._moved_ms[partition] = min(position.flushed_ms, now_ms)
            return
        self._moved_ms[partition] = now_ms
        self._compare_clocks(partition, (position.flushed_ms - now_ms) / 1000)

    def _compare_clocks(self, partition: int, ahead_s: float) -> None:
        """Tell once of a clock that goes wrong, and once that it goes right again."""
        differ = abs(ahead_s) > _CLOCKS_DIFFER_S
        if differ and partition not in self._skewed:
            _log.warning(
                "%s partition %d was written %.0f s %s this machine's clock says: that clock or "
                "the worker's is wrong, or the rows came late. No count depends on either; what "
                "is judged, and how old the data is said to be, depend on this machine's",
                self._topic,
                partition,
                abs(ahead_s),
                "later than" if ahead_s > 0 else "earlier than",
            )
            self._skewed.add(partition)
        elif not differ and partition in self._skewed:
            _log.info("%s partition %d: the clocks agree again", self._topic, partition)
            self._skewed.discard(partition)


class SourceEnds:
    """The ends of the events topic, asked for without ever reading it.

    Args:
        broker: How to reach Kafka.
        topics: The names of the topics.
        timeout_s: How long one question may take.
        still_admitted: Asked, in a thread, where no answer came; raises a refusal.
    """

    def __init__(
        self,
        broker: BrokerOptions,
        topics: Topics,
        *,
        timeout_s: float = 5.0,
        still_admitted: Callable[[], None] = lambda: None,
    ) -> None:
        self._broker, self._topic = broker, topics.events
        self._still_admitted = still_admitted
        self._timeout_s = timeout_s
        self._consumer: AIOKafkaConsumer | None = None

    async def start(self) -> None:
        """Connect.

        Raises:
            Unavailable: No broker answers.
        """
        # A client of aiokafka must be made where the loop runs.
        self._consumer = AIOKafkaConsumer(
            **client_arguments(self._broker),
            isolation_level="read_committed",
            enable_auto_commit=False,
            retry_backoff_ms=RETRY_MS,
        )
        try:
            await self._consumer.start()
        except KafkaError as err:
            if (refusal := refused(err, f"{self._topic} cannot be asked for: Kafka")) is not None:
                raise refusal from err
            msg = f"{self._topic} cannot be reached: {err!r}"
            raise Unavailable(msg) from err

    async def ask(self, partitions: Iterable[int]) -> dict[int, int]:
        """Return the next offset to be written of each partition; empty if no answer came.

        Raises:
            InputError: None came since Kafka refuses us now.
        """
        wanted = [TopicPartition(self._topic, each) for each in partitions]
        if self._consumer is None or not wanted:
            return {}
        try:
            async with asyncio.timeout(self._timeout_s):
                ends = await self._consumer.end_offsets(wanted)
        except (KafkaError, TimeoutError):
            await asyncio.to_thread(self._still_admitted)
            return {}
        return {each.partition: end for each, end in ends.items()}

    async def close(self) -> None:
        """Disconnect."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await closed(consumer.stop())
