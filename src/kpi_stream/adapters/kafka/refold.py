"""Folds the log into a new epoch while another one serves, as far as that one has come.

One process takes every partition, without a group: the stores are those of a worker, so each flush
is a transaction, a killed rebuild goes on where it was, and two at once fence each other. It never
goes beyond what the serving epoch has applied. So that one's dead letters cover everything that is
folded here, and none is written twice.
"""

import asyncio
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Any

from aiokafka import TopicPartition

from kpi_stream.adapters.kafka.epochs import judged, tail
from kpi_stream.adapters.kafka.reader import TopicReader, reading
from kpi_stream.adapters.kafka.store import Handover, PartitionStore, StoreOptions
from kpi_stream.application.ports import Fenced, Topics
from kpi_stream.domain.errors import InputError, Reason, StateError, Unavailable
from kpi_stream.domain.subject import Outcome

_EVER = (1 << 63) - 1
_NEAR = 10_000
"""Events that may be missing at the switch: less than a second of work for the workers."""
_BATCH = 5_000
"""Records that are folded before the other tasks have their turn."""
_WAIT_MS = 500
_STALL_S = 60.0


@dataclass(frozen=True, slots=True)
class RefoldOptions:
    """What is folded into what."""

    stores: StoreOptions
    """Of the epoch that is built."""
    serving: Topics
    """The names in the epoch that serves."""
    flush_events: int
    """A partition is flushed after this many events."""
    accept_missing: bool = False
    """Go on although events have expired."""


@dataclass(frozen=True, slots=True)
class RefoldProgress:
    """How far it is."""

    done: int
    """Offsets that are in the new epoch, those of an earlier run included."""
    total: int
    """Those that are in the serving epoch; grows while events come."""
    events: int
    """Events that were folded by this run."""


OnProgress = Callable[[RefoldProgress], None]


class Folded:
    """What became of the events of this run; stands in the place of a worker's metrics."""

    def __init__(self) -> None:
        self.outcomes: Counter[Outcome] = Counter()
        self.reasons: Counter[Reason] = Counter()

    @property
    def total(self) -> int:
        """Events so far."""
        return self.outcomes.total() + self.reasons.total()

    def events(self, partition: int, counts: Mapping[tuple[str, Outcome], int]) -> None:
        """Add events by (event type, outcome)."""
        del partition
        for (_, outcome), count in counts.items():
            self.outcomes[outcome] += count

    def rejected(self, partition: int, counts: Mapping[Reason, int]) -> None:
        """Add rejected events by reason."""
        del partition
        self.reasons.update(counts)

    def skipped(self, partition: int, events: int) -> None:
        """Nothing: nothing is read twice."""

    def flushed(self, partition: int, seconds: float, events: int, records: int) -> None:
        """Nothing: nobody scrapes a rebuild."""

    def progress(self, partition: int, lag: int, watermark_ms: int) -> None:
        """Nothing, as above."""

    def store_size(self, partition: int, subjects: int, rows: int) -> None:
        """Nothing, as above."""

    def opened(self, partition: int, seconds: float, records: int) -> None:
        """Nothing, as above."""

    def revoked(self, partitions: Sequence[int]) -> None:
        """Nothing: no partition is taken away but by fencing."""

    def healthy(self, healthy: bool) -> None:  # noqa: FBT001
        """Nothing: the first error ends the rebuild."""


@dataclass(slots=True)
class _Partition:
    number: int
    store: PartitionStore
    begin: int
    """The first offset that is there."""
    at: int
    """The next offset to be folded."""
    target: int = -1
    """The last event that the serving epoch has applied."""
    held: list[Any] = field(default_factory=list)
    """Records that were fetched and lie beyond the target."""
    flushing: "asyncio.Task[None] | None" = None

    @property
    def behind(self) -> int:
        """Offsets that are still to be folded."""
        return max(0, self.target + 1 - self.at)

    @property
    def total(self) -> int:
        """Offsets that the serving epoch has applied."""
        return max(0, self.target + 1 - self.begin)


class _Events(TopicReader):
    """The events, as the client gives them, of those partitions that are wanted now."""

    def seek(self, partition: int, offset: int) -> None:
        self._consumer.seek(TopicPartition(self._topic, partition), offset)

    async def fetch(self, partitions: Sequence[int]) -> dict[int, list[Any]]:
        wanted = [TopicPartition(self._topic, each) for each in partitions]
        with self._translated():
            fetched = await self._consumer.getmany(*wanted, timeout_ms=_WAIT_MS, max_records=_BATCH)
        return {tp.partition: list(records) for tp, records in fetched.items()}

    async def next_offset(self, partition: int) -> int:
        """Return where the next fetch begins; beyond the last record where markers follow it."""
        with self._translated():
            return int(await self._consumer.position(TopicPartition(self._topic, partition)))


async def refold(options: RefoldOptions, on_progress: OnProgress, folded: Folded) -> None:
    """Fold until the new epoch is as far as the serving one, all of it durable.

    Raises:
        InputError: Events have expired, or too large a share of them is rejected.
        StateError: What an earlier run left cannot be trusted, or another process writes it.
        Unavailable: The broker does not answer; the next run goes on where this one was.
    """
    broker = options.stores.broker
    stores = replace(
        options.stores,
        metrics=folded,
        # What is folded here is for good the serving epoch's to judge.
        handover=Handover(switch=-1, judged=_all_of_it),
    )
    async with AsyncExitStack() as stack:
        rows = await stack.enter_async_context(reading(TopicReader(broker, options.serving.rows)))
        events = await stack.enter_async_context(reading(_Events(broker, stores.topics.events)))
        try:
            await _Refold(replace(options, stores=stores), rows, events, on_progress, folded).run()
        except Fenced as err:
            msg = (
                f"another process counts into {stores.topics.rows} ({err}): a second rebuild, or a "
                "worker with KPI_STREAM_EPOCH; this one ends"
            )
            raise StateError(msg) from err


async def _all_of_it(partition: int) -> int:
    del partition
    return _EVER


class _Refold:
    def __init__(
        self,
        options: RefoldOptions,
        rows: TopicReader,
        events: _Events,
        on_progress: OnProgress,
        folded: Folded,
    ) -> None:
        self._options, self._rows, self._events = options, rows, events
        self._on_progress, self._folded = on_progress, folded
        self._partitions: dict[int, _Partition] = {}

    async def run(self) -> None:
        begins = await self._events.begins()
        try:
            # One after the other: the state of each may be large.
            for number in self._events.partitions:
                store = await PartitionStore.open(self._options.stores, number)
                begin = begins[number]
                self._partitions[number] = _Partition(number, store, begin, store.applied + 1)
            self._check_begins()
            for each in self._partitions.values():
                each.at = max(each.at, each.begin)
                self._events.seek(each.number, each.at)
            await self._fold()
        finally:
            await self._close()

    def _check_begins(self) -> None:
        missing = [
            f"partition {each.number} from offset {each.at} to {each.begin - 1}"
            for each in self._partitions.values()
            if each.begin > each.at
        ]
        if missing and not self._options.accept_missing:
            msg = (
                f"{self._options.stores.topics.events} does not hold all events any more: "
                f"{', '.join(missing)} expired. KPIs that are counted again would lack them. "
                "Restore them, or accept it with --accept-missing"
            )
            raise InputError(msg)

    async def _fold(self) -> None:
        await self._ask()
        while True:
            await self._catch_up()
            for each in self._partitions.values():
                await self._flushed(each)
            await asyncio.gather(*(each.store.flush() for each in self._partitions.values()))
            # Events came meanwhile; it is near enough when they are few.
            await self._ask()
            self._report()
            if sum(each.behind for each in self._partitions.values()) <= _NEAR:
                return

    async def _catch_up(self) -> None:
        """Fold what the serving epoch has applied, as it was told last."""
        loop = asyncio.get_running_loop()
        moved_s = loop.time()
        while wanted := [each for each in self._partitions.values() if each.behind]:
            self._report()
            before = sum(each.at for each in wanted)
            for each in wanted:
                records, each.held = each.held, []
                await self._take(each, records)
            await self._fetch([each for each in wanted if each.behind])
            if sum(each.at for each in wanted) > before:
                moved_s = loop.time()
            elif loop.time() - moved_s > _STALL_S:
                topic = self._options.stores.topics.events
                msg = f"{topic} gives nothing more, although the serving epoch has more of it"
                raise Unavailable(msg)

    async def _fetch(self, wanted: Sequence[_Partition]) -> None:
        if not wanted:
            return
        fetched = await self._events.fetch([each.number for each in wanted])
        for each in wanted:
            await self._take(each, fetched.get(each.number, []))
            if not each.held:
                # The log may end in markers of transactions, which are no records.
                each.at = max(each.at, await self._events.next_offset(each.number))

    async def _take(self, each: _Partition, records: list[Any]) -> None:
        cut = bisect_right(records, each.target, key=lambda record: record.offset)
        now, each.held = records[:cut], records[cut:]
        if now:
            each.store.process(now, 0, None)
            each.at = now[-1].offset + 1
        if each.held:
            each.at = max(each.at, each.held[0].offset)
        if each.store.pending >= self._options.flush_events:
            await self._flushed(each)
            each.flushing = asyncio.create_task(each.store.flush())

    async def _flushed(self, each: _Partition) -> None:
        task, each.flushing = each.flushing, None
        if task is not None:
            await task

    async def _ask(self) -> None:
        """Ask how far the serving epoch is, and whether it speaks of these events at all."""
        stores, serving = self._options.stores, self._options.serving
        found = await tail(self._rows, serving)
        ends = await self._events.ends() if stores.transactional else {}
        facts = (await stores.topic_facts()).get(stores.topics.events)
        topic_id = None if facts is None else facts.topic_id
        for each in self._partitions.values():
            at = judged(found.get(each.number), topic_id, ends.get(each.number))
            each.target = max(each.target, at)

    async def _close(self) -> None:
        for each in self._partitions.values():
            if each.flushing is not None:
                each.flushing.cancel()
                await asyncio.gather(each.flushing, return_exceptions=True)
            await each.store.close(None)

    def _report(self) -> None:
        partitions = self._partitions.values()
        self._on_progress(
            RefoldProgress(
                sum(each.total - min(each.total, each.behind) for each in partitions),
                sum(each.total for each in partitions),
                self._folded.total,
            )
        )
