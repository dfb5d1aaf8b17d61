"""The durable state of one partition: opened, fed, flushed and let go.

In memory the fold is ahead of the topics by what was not flushed yet. A flush writes the changed
rows and subjects, the dead letters, the changed worklists and, last with the rows and last with the
subjects, the position record that says which events are in them. With `exactly_once` all of it is
one transaction. With `at_least_once` the parts are written in an order that recovery can repair:
dead letters, worklists, rows, subjects. A crash between the last two leaves rows that know more
events than the subjects; those events are then applied to the subjects alone. Whatever worklists
were written, the first flush after an opening writes all of them again.

A store whose flush failed is broken: what it has in memory is not what is stored. It must be
closed, and opened again from the topics.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from kpi_stream.adapters.kafka.dead_letters import (
    DeadLetter,
    RejectLimit,
    RejectWatch,
    dead_letter,
)
from kpi_stream.adapters.kafka.position import Position
from kpi_stream.adapters.kafka.recovery import Recovered, Recovery, damaged
from kpi_stream.adapters.kafka.topics import TopicFacts
from kpi_stream.adapters.kafka.writer import OrderedWriter, Part, TransactionalWriter, Writer
from kpi_stream.application.intake import Taken, UnfoldableError, take
from kpi_stream.application.ports import (
    POSITION_KEY,
    BrokerOptions,
    ClockMs,
    Decode,
    FoldFactory,
    Guarantee,
    SourceRecord,
    Topics,
    WorkerMetrics,
)
from kpi_stream.domain.errors import DamagedSubject, InputError, StateError, Unavailable


@dataclass(frozen=True, slots=True)
class Handover:
    """From the epoch that served before to this one, or to and fro."""

    switch: int
    """The number of the switch after which this epoch serves."""
    judged: Callable[[int], Awaitable[int]]
    """Tells up to which event of a partition the other epoch has written dead letters, for good."""


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """Everything that the stores of a worker have in common."""

    broker: BrokerOptions
    topics: Topics
    application: str
    """Prefix of the transactional ids; the same for all workers of one group."""
    fold_factory: FoldFactory
    decode: Decode
    metrics: WorkerMetrics
    clock_ms: ClockMs
    topic_facts: Callable[[], Awaitable[Mapping[str, TopicFacts]]]
    """Asks the broker for the ids of the events' and the state's topics, and for the numbers of
    their partitions; without those that do not exist."""
    guarantee: Guarantee = Guarantee.EXACTLY_ONCE
    reject_limit: RejectLimit = field(default_factory=RejectLimit)
    compression: str | None = None
    """Of what is written: None, gzip, snappy, lz4 or zstd."""
    reading: Callable[[int], None] = lambda _: None
    """Told of each piece of a partition's state that was read: a large state takes its time."""
    handover: Handover | None = None
    """None where no other epoch has served."""

    @property
    def transactional(self) -> bool:
        """Whether flushes are transactions."""
        return self.guarantee is Guarantee.EXACTLY_ONCE

    def recovery(self, facts: Mapping[str, TopicFacts]) -> Recovery:
        """Return what reads a partition's state and checks what it was counted from."""
        return Recovery(
            self.broker,
            self.topics,
            self.fold_factory,
            facts,
            certain_ends=self.transactional,
            reading=self.reading,
        )

    def writer(self, partition: int) -> Writer:
        """Return the writer of a partition, not yet connected."""
        if self.transactional:
            return TransactionalWriter(
                self.broker,
                partition,
                transactional_id=f"{self.application}-{partition}",
                compression=self.compression,
            )
        return OrderedWriter(
            self.broker, partition, transactional_id=None, compression=self.compression
        )


class PartitionStore:
    """The state of one partition of the events topic; see the module's text."""

    def __init__(
        self,
        options: StoreOptions,
        partition: int,
        *,
        writer: Writer,
        state: Recovered,
        facts: Mapping[str, TopicFacts],
        end: int,
        judged: int = -1,
    ) -> None:
        self._options = options
        self._partition = partition
        self._writer = writer
        self._fold = state.fold
        self._ids = _ids(facts)
        self._begins = state.begins
        self._end = end
        self._position: int | None = None
        self._rows_applied = state.rows_applied
        self._applied = self._committed = state.subjects_applied
        self._letters: list[DeadLetter] = []
        self._pending = 0
        self._lock = asyncio.Lock()
        self._broken = False
        self._rejects = RejectWatch(options.reject_limit, state.rejects)
        self._judged, self._switch = judged, state.switch
        self.fresh = state.fresh

    @classmethod
    async def open(cls, options: StoreOptions, partition: int) -> Self:
        """Fence the previous owner, read the state and return the store.

        Raises:
            StateError: The stored state cannot be trusted, or belongs to other events.
            InputError: A topic is missing, or the broker knows no transactions.
            Unavailable: The broker does not answer.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        writer = options.writer(partition)
        try:
            facts = await options.topic_facts()
            recovery = options.recovery(facts)
            recovery.check_partitions()
            await writer.start()
            state = await recovery.read(partition)
            end = await recovery.check_source(partition, state.subjects_applied, state.topic_id)
            if state.repairs:
                await writer.write(state.repairs)
            handover, judged = options.handover, -1
            if handover is not None and handover.switch != state.switch:
                judged = await handover.judged(partition)
        except BaseException:
            await writer.stop()
            raise
        store = cls(
            options,
            partition,
            writer=writer,
            state=state,
            facts=facts,
            end=end,
            judged=judged,
        )
        options.metrics.opened(partition, loop.time() - began, state.records)
        store._report_flushed()
        return store

    @property
    def applied(self) -> int:
        """The offset of the last event applied in memory; -1 before the first."""
        return self._applied

    @property
    def committed(self) -> int:
        """The offset of the last event whose effects are durable; -1 before the first."""
        return self._committed

    @property
    def pending(self) -> int:
        """How many events were applied since the last flush began."""
        return self._pending

    def process(self, records: Sequence[SourceRecord], end: int, position: int | None) -> None:
        """Apply the records beyond `applied`, in order; see `application.ports.Store`."""
        try:
            taken = take(
                records,
                self._options.decode,
                self._fold.apply,
                applied=self._applied,
                rows_applied=self._rows_applied,
            )
        except DamagedSubject:
            self._broken = True
            raise
        except UnfoldableError as err:
            msg = (
                f"the event at {self._options.topics.events} partition {self._partition} offset "
                f"{err.offset} could not be folded: {err.error!r}. This is a defect: the event is "
                "neither counted nor passed over"
            )
            self._broken = True
            raise StateError(msg) from err
        self._end = max(self._end, end)
        self._position = position
        self._applied = max(self._applied, records[-1].offset)
        self._pending += len(records) - taken.skipped
        self._count(taken)

    async def located(self, damage: DamagedSubject) -> StateError:
        """Return the error with the record's place; see `application.ports.Store`."""
        options = self._options
        return await damaged(options.broker, options.topics.declarations, self._partition, damage)

    def _count(self, taken: Taken) -> None:
        outcomes, rejected, skipped = taken
        metrics, partition = self._options.metrics, self._partition
        metrics.events(partition, outcomes)
        if skipped:
            metrics.skipped(partition, skipped)
        if rejected:
            source = self._options.topics.events
            metrics.rejected(partition, Counter(each.reason for each in rejected))
            # Those that the rows know were written before the rows were.
            written = max(self._rows_applied, self._judged)
            self._letters += [
                dead_letter(source, partition, each)
                for each in rejected
                if each.record.offset > written
            ]
        example = ""
        if rejected:
            last = rejected[-1]
            example = f"the last: partition {partition} offset {last.record.offset}, {last.detail}"
        try:
            self._rejects.add(
                outcomes.total() + len(rejected),
                Counter(each.reason for each in rejected),
                example,
            )
        except InputError:
            self._broken = True  # what was applied must not be written after all
            raise

    async def flush(self) -> None:
        """Make everything applied so far durable; see `application.ports.Store`."""
        async with self._lock:
            self._check()
            if self._applied != self._committed:
                await self._flush()

    def _check(self) -> None:
        if self._broken:
            msg = f"partition {self._partition} must be opened again: a flush failed"
            raise Unavailable(msg)

    async def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        began, applied, events = loop.time(), self._applied, self._pending
        self._pending = 0
        parts = self._drain()
        try:
            await self._writer.write(parts)
        except BaseException:
            # Cancelled ones too: what was drained may be written or not.
            self._broken = True
            raise
        self._committed = applied
        self._options.metrics.flushed(
            self._partition,
            loop.time() - began,
            events,
            sum(len(part.records) for part in parts),
        )
        self._report_flushed()

    def report(self, end: int | None = None) -> None:
        """Set the gauges of the progress; see `application.ports.Store`."""
        self._end = max(self._end, end or 0)
        behind = self._end - (self._position if self._position is not None else self._applied + 1)
        self._options.metrics.progress(self._partition, max(0, behind), self._fold.watermark_ms)

    def _report_flushed(self) -> None:
        """Set the gauges of the size as well; what is not flushed would have to be gone through."""
        self.report()
        fold = self._fold
        self._options.metrics.store_size(self._partition, fold.subjects, fold.rows)

    async def suspend(self, flush_within_s: float) -> bool:
        """Flush, and return whether `resume` can be asked; see `application.ports.Store`."""
        await self._flush_within(flush_within_s)
        return self._options.transactional

    async def resume(self) -> None:
        """Go on with what is in memory; see `application.ports.Store`.

        Whoever opens a partition fences all before it. So a transaction that still succeeds, of
        the position records alone, proves that nobody has: what is in memory is what is stored.
        """
        async with self._lock:
            self._check()
            facts = await self._options.topic_facts()
            if _ids(facts) != self._ids:
                msg = f"a topic of partition {self._partition} was created again"
                raise StateError(msg)
            recovery = self._options.recovery(facts)
            recovery.check_partitions()
            source_id = self._ids.get(self._options.topics.events)
            end = await recovery.check_source(self._partition, self._applied, source_id)
            self._end = max(self._end, end)
            await self._flush()

    async def close(self, flush_within_s: float | None) -> None:
        """Flush, if a time for it is given, and let the partition go; raises what flush raises."""
        try:
            if flush_within_s is not None and not self._broken:
                await self._flush_within(flush_within_s)
        finally:
            self._broken = True
            await self._writer.stop()

    async def _flush_within(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self.flush()
        except TimeoutError as err:
            msg = f"partition {self._partition} was not flushed within {seconds:g} s"
            raise Unavailable(msg) from err

    def _drain(self) -> list[Part]:
        topics = self._options.topics
        changes = self._fold.drain()
        letters, self._letters = self._letters, []
        # While subjects catch up with rows after a crash, the rows still know more events.
        rows = self._at(topics.rows, max(self._applied, self._rows_applied))
        subjects = self._at(topics.declarations, self._applied)
        parts = [
            Part(topics.rows, [*changes.rows, rows]),
            Part(topics.declarations, [*changes.subjects, subjects]),
        ]
        if changes.worklists:
            parts.insert(0, Part(topics.worklist, changes.worklists))
        if letters:
            records = [(letter.key, letter.value) for letter in letters]
            headers = [letter.headers for letter in letters]
            parts.insert(0, Part(topics.dead_letters, records, headers))
        return parts

    def _at(self, topic: str, applied: int) -> tuple[bytes, bytes]:
        """Return the position record; it must be the last of its topic's part."""
        handover = self._options.handover
        # Not before: until then a restart has to ask again which letters are the other epoch's.
        handed_over = handover is not None and applied >= self._judged
        position = Position(
            applied=applied,
            end=self._end,
            topic_id=self._ids.get(self._options.topics.events),
            flushed_ms=self._options.clock_ms(),
            position=self._position,
            rejects=self._rejects.stored(),
            meta=self._fold.meta(),
            state_id=self._ids.get(topic),
            state_begin=self._begins.get(topic, 0),
            switch=handover.switch if handover and handed_over else self._switch,
        )
        return POSITION_KEY, position.to_bytes()


def _ids(facts: Mapping[str, TopicFacts]) -> dict[str, str | None]:
    return {name: each.topic_id for name, each in facts.items()}
