"""The partitions that this worker owns: opened on their first batch, fed, flushed, let go.

One agent feeds all of them, one batch after the other; flushes run beside it, one a partition.
Batches of an earlier assignment, or read before a rewind, are dropped: they come again.

No event is stepped over. The first batch after opening must begin at the event after the last
applied one, or the partition is rewound there. Where those events no longer exist, the worker stops
and says which are missing.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from kpi_stream.adapters.faust_app.kept import KeptStores, quietly
from kpi_stream.adapters.faust_app.liveness import Liveness
from kpi_stream.adapters.faust_app.transport import Batch
from kpi_stream.application.ports import Fenced, OpenStore, Store, WorkerMetrics
from kpi_stream.domain.errors import DamagedSubject, StateError, Unavailable

_log = logging.getLogger(__name__)


class Source(Protocol):
    """What is asked of the consumer of the events."""

    async def rewind(self, partition: int, offset: int) -> int:
        """Read on from `offset`; return the number of rewinds that its batches carry."""

    async def earliest(self, partition: int) -> int:
        """Return the first offset that the partition still holds."""

    async def committed(self, partition: int) -> int | None:
        """Return the group's committed position; None if it has none."""

    def end(self, partition: int) -> int | None:
        """Return the partition's end as last reported by the broker; None before the first."""

    def answered(self, partition: int) -> int | None:
        """Return a mark that changes with each answered fetch; None before the first."""


@dataclass(frozen=True, slots=True)
class FlushOptions:
    """When to flush and how long to try."""

    interval_s: float = 0.3
    """A partition is flushed when it has pending events for so long; seconds."""
    max_events: int = 50_000
    """... or so many of them."""
    behind_s: float = 3.0
    """The first of the two while more than `max_events` wait to be read: no reading is fresh then,
    and a row or a subject that many of them change is written once; seconds."""
    revoke_s: float = 5.0
    """How long a flush may take when the partition is revoked; seconds."""
    attempts: int = 5
    """How often in a row a partition is opened again after a failure, before giving up."""
    retry_s: float = 2.0
    """The wait before the partition is opened again; seconds, doubled each time."""
    fenced_s: float = 10.0
    """The same after another worker has taken the partition: long enough for the rebalance that
    explains it to arrive (the session timeout); seconds."""
    accept_missing: bool = False
    """Go on although events are missing that expired before they were counted."""


@dataclass(slots=True)
class _Partition:
    """One owned partition."""

    number: int
    store: Store
    rewinds: int
    position: int | None = None
    """The next offset that a batch should begin with; None until the first after opening."""
    end: int = 0
    """The end of the log, as the last batch brought it."""
    unacknowledged: deque[tuple[int, Callable[[], object]]] = field(default_factory=deque)
    flushing: "asyncio.Task[None] | None" = None
    pending_since: float | None = None
    """When the oldest event that is not flushed was applied, by `now_s`."""


class Partitions:
    """All partitions of one worker; see the module's text.

    Args:
        open_store: Opens a partition's store.
        source: The consumer of the events.
        metrics: Where the worker counts.
        options: When to flush and how long to try.
        now_s: A clock that never goes back, in seconds.
        liveness: Where the signs of life go.
    """

    def __init__(
        self,
        open_store: OpenStore,
        source: Source,
        metrics: WorkerMetrics,
        options: FlushOptions,
        now_s: Callable[[], float],
        liveness: Liveness,
    ) -> None:
        self._open_store = open_store
        self._source = source
        self._metrics = metrics
        self._options = options
        self._now_s = now_s
        self._liveness = liveness
        self._owned: dict[int, _Partition] = {}
        self._kept = KeptStores()
        self._rewinds: dict[int, int] = {}
        self._failures: dict[int, int] = {}
        """Failures in a row to open or to flush, by partition; the next flush forgets them."""
        self._fenced: set[int] = set()
        """Partitions that another worker took although they are still assigned to this one."""
        self._assignment = 0
        """Counts revocations, so that work begun before one is recognised after it."""
        self._lock = asyncio.Lock()
        self._closed = False

    @property
    def numbers(self) -> list[int]:
        """The partitions with an open store."""
        return sorted(self._owned)

    async def feed(self, number: int, batch: Batch, acknowledge: Callable[[], object]) -> None:
        """Apply a batch; `acknowledge` is called once it is durable.

        Raises:
            StateError: Stored state cannot be trusted, or events are missing.
            InputError: The broker, the topics or the events do not fit the settings.
            Unavailable: The broker does not answer, however often asked.
        """
        async with self._lock:
            assignment = self._assignment
            partition = await self._partition(number)
            if partition is None or batch.rewinds != partition.rewinds:
                return
            if not await self._follows(partition, batch) or assignment != self._assignment:
                return
            try:
                partition.store.process(batch.records, batch.end, batch.position)
            except DamagedSubject as damage:
                raise await partition.store.located(damage) from damage
            partition.position, partition.end = batch.position, batch.end
            partition.unacknowledged.append((batch.records[-1].offset, acknowledge))
            self._acknowledge(partition)
            if partition.pending_since is None and partition.store.pending:
                partition.pending_since = self._now_s()
            if self._due(partition):
                await self._flush_next(partition)

    async def tick(self) -> None:
        """Flush what has waited long enough and report; to be called about twice an interval.

        Raises:
            StateError, InputError, Unavailable: As `feed`.
        """
        async with self._lock:
            for partition in list(self._owned.values()):
                running = partition.flushing is not None and not partition.flushing.done()
                if not running:
                    await self._flush_next(partition)
                if partition.number in self._owned:
                    partition.store.report(self._source.end(partition.number))
            self._observe()

    async def assigned(self, numbers: Iterable[int]) -> None:
        """Note which partitions the group has given to this worker; each opens when fed."""
        mine = set(numbers)
        self._liveness.joined(mine)
        if not self._closed:
            await self._kept.let_go(but=mine)

    async def revoke(self, numbers: Iterable[int]) -> None:
        """Let partitions go: flush them in bounded time, and keep what may come back."""
        self._assignment += 1
        self._fenced.clear()
        self._liveness.rebalancing()
        wanted = list(numbers)
        going = [self._owned.pop(n) for n in wanted if n in self._owned]
        await asyncio.gather(*(self._suspend(each) for each in going))
        if wanted:
            self._metrics.revoked(wanted)

    async def close(self, *, flush: bool) -> None:
        """Let everything go and take nothing more; without a flush after an error."""
        self._closed = True
        self._assignment += 1
        going, self._owned = list(self._owned.values()), {}
        within = self._options.revoke_s if flush else None
        await asyncio.gather(*(self._close(each, within) for each in going))
        await self._kept.let_go()
        self._metrics.revoked([each.number for each in going])

    async def _partition(self, number: int) -> _Partition | None:
        """Return the partition, opened if need be; None if it was revoked meanwhile."""
        if self._closed:
            return None
        if number in self._owned:
            return self._owned[number]
        self._liveness.opening(number)
        assignment, how = self._assignment, "goes on"
        store = await self._kept.resumed(number)
        if store is None:
            store, how = await self._opened(number, assignment), "opened"
        if store is None:
            return None
        _log.info("partition %d %s, applied up to offset %d", number, how, store.applied)
        partition = _Partition(number, store, self._rewinds.get(number, 0))
        if assignment != self._assignment:  # revoked meanwhile
            await self._suspend(partition)
            self._metrics.revoked([number])
            return None
        self._owned[number] = partition
        self._liveness.opened(number)
        return partition

    async def _opened(self, number: int, assignment: int) -> Store | None:
        """Return a partition's store, asked for again while Kafka is away; None once revoked."""
        while assignment == self._assignment:
            try:
                return await self._open_store(number)
            except Unavailable as err:
                wait_s = self._wait_after(number, err)
                said = "partition %d could not be opened, again in %g s: %s"
                _log.warning(said, number, wait_s, err)
                await asyncio.sleep(wait_s)
        return None

    async def _follows(self, partition: _Partition, batch: Batch) -> bool:
        """Return whether a batch follows what was applied; if not, see to it that one will."""
        first, expected = batch.records[0].offset, partition.store.applied + 1
        if partition.position is None:
            if first <= expected:
                return True
            earliest = await self._source.earliest(partition.number)
            if earliest <= expected:
                await self._rewind(partition, expected)
                return False
            return await self._may_miss(partition, expected, earliest)
        if first < partition.position:
            # The log was cut or created again; opening the store finds out.
            _log.warning(
                "partition %d went back from offset %d to %d",
                partition.number,
                partition.position,
                first,
            )
            await self._reopen(partition)
            return False
        if first > max(partition.position, expected):
            # Between the records of a log are markers of transactions and aborted records, too.
            earliest = await self._source.earliest(partition.number)
            if earliest > partition.position:
                return await self._may_miss(partition, partition.position, earliest)
        return True

    async def _may_miss(self, partition: _Partition, expected: int, earliest: int) -> bool:
        missing = (
            f"partition {partition.number}: the events from offset {expected} to {earliest - 1} "
            "expired before they were counted"
        )
        first_start = (
            partition.store.fresh
            and partition.store.committed < 0
            and await self._source.committed(partition.number) is None
        )
        if first_start or self._options.accept_missing:
            _log.warning("%s; going on without them", missing)
            return True
        msg = (
            f"{missing}. Restore them, or set accept_missing_events to go on with KPIs that lack "
            "them"
        )
        raise StateError(msg)

    async def _rewind(self, partition: _Partition, offset: int) -> None:
        _log.info("partition %d is read again from offset %d", partition.number, offset)
        partition.rewinds = await self._source.rewind(partition.number, offset)
        self._rewinds[partition.number] = partition.rewinds
        partition.position = offset

    def _observe(self) -> None:
        for number in self._liveness.assigned:
            waiting = unflushed = 0
            # One that was never fed has nothing to be fed, or Kafka would not answer its fetches.
            if (partition := self._owned.get(number)) is not None:
                store, end = partition.store, self._source.end(number) or 0
                at = partition.position if partition.position is not None else store.applied + 1
                waiting, unflushed = max(0, end - at), store.applied - store.committed
            answered = self._source.answered(number)
            self._liveness.observe(number, answered, waiting=waiting, unflushed=unflushed)

    def _due(self, partition: _Partition) -> bool:
        if partition.pending_since is None:
            return False
        options, waited = self._options, self._now_s() - partition.pending_since
        behind = partition.end - (partition.position or 0) > options.max_events
        interval_s = max(options.interval_s, options.behind_s) if behind else options.interval_s
        return waited >= interval_s or partition.store.pending >= options.max_events

    async def _flush_next(self, partition: _Partition) -> None:
        """Begin a flush if one is due, after the running one; take note of how that ended."""
        await self._await_flush(partition)
        # Meanwhile it may have been revoked, or opened again.
        if self._owned.get(partition.number) is partition and self._due(partition):
            partition.pending_since = None
            partition.flushing = asyncio.create_task(self._flush(partition))

    async def _flush(self, partition: _Partition) -> None:
        await partition.store.flush()
        self._liveness.moved(partition.number)
        self._failures.pop(partition.number, None)
        self._acknowledge(partition)

    def _acknowledge(self, partition: _Partition) -> None:
        waiting, committed = partition.unacknowledged, partition.store.committed
        while waiting and waiting[0][0] <= committed:
            waiting.popleft()[1]()

    async def _await_flush(self, partition: _Partition) -> None:
        """Wait for the running flush; open the partition again if it failed."""
        task, partition.flushing = partition.flushing, None
        if task is None:
            return
        try:
            await task
        except (Fenced, Unavailable) as err:
            _log.warning("partition %d: a flush failed: %s", partition.number, err)
            await self._reopen(partition, err)

    async def _reopen(self, partition: _Partition, error: Exception | None = None) -> None:
        """Throw away what is in memory and read on from what is durable."""
        number, assignment = partition.number, self._assignment
        if self._owned.get(number) is not partition:
            return  # revoked meanwhile
        del self._owned[number]
        await quietly(partition.store.close(None), number)
        if error is not None:
            await asyncio.sleep(self._wait_after(number, error))
        if assignment != self._assignment:
            return  # another worker owns it
        again = await self._partition(number)
        if again is not None:
            await self._rewind(again, again.store.applied + 1)

    def _wait_after(self, number: int, error: Exception) -> float:
        """Return how long to wait before a partition is opened again, in seconds.

        Raises:
            Unavailable: It has failed too often.
        """
        if isinstance(error, Fenced):
            if number in self._fenced:
                msg = (
                    f"partition {number} was taken twice by another worker although it is assigned "
                    "to this one: another group uses the same application id, or two workers the "
                    "same instance id"
                )
                raise Unavailable(msg) from error
            self._fenced.add(number)
            return self._options.fenced_s
        failures = self._failures[number] = self._failures.get(number, 0) + 1
        if failures > self._options.attempts:
            msg = f"partition {number} was given up after {failures} failures: {error}"
            raise Unavailable(msg) from error
        return self._options.retry_s * 2.0 ** (failures - 1)

    async def _suspend(self, partition: _Partition) -> None:
        number, store = partition.number, partition.store
        if await self._kept.suspend(number, store, self._options.revoke_s):
            await self._end_flush(partition)
        else:
            await self._close(partition, None)

    async def _close(self, partition: _Partition, flush_within_s: float | None) -> None:
        await quietly(partition.store.close(flush_within_s), partition.number)
        await self._end_flush(partition)

    async def _end_flush(self, partition: _Partition) -> None:
        if partition.flushing is not None:
            partition.flushing.cancel()
            (ended,) = await asyncio.gather(partition.flushing, return_exceptions=True)
            if isinstance(ended, Exception):
                _log.warning("partition %d: its last flush failed: %s", partition.number, ended)
        self._acknowledge(partition)
