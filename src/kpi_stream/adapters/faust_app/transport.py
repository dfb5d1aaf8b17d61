"""A Faust transport that hands an agent whole fetched batches instead of single events.

Faust spends about 150 µs on each message, whatever the agent does with it. This transport therefore
yields one message for each fetched (partition, batch) of the topics that the application names in
its attribute `batch_topics`; the message's value is a `Batch`. All other topics come as usual. It
is chosen by the broker address ``kpibatch://host:port``.

For batch topics the agent is responsible for what Faust otherwise tracks message by message:

* Faust neither drops messages that it has seen before nor looks for gaps; a store knows which
  offsets are applied.
* Acknowledging a batch acknowledges all earlier ones of its partition.

Batches read before `Consumer.rewind` are told from those after it by `Batch.rewinds`.

The records of a batch are those that aiokafka's parser, written in C, has made. A ConsumerRecord of
each, which aiokafka makes for its users, would cost twice what reading it does (ADR 0016).
"""

import logging
from collections import OrderedDict, defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import aiokafka
from aiokafka.consumer.fetcher import FetchResult
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import IllegalStateError
from faust.transport import drivers
from faust.transport.drivers import aiokafka as base
from faust.types import TP, ConsumerMessage, Message

NAME = "kpibatch"

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Batch:
    """What one fetch returned of one partition."""

    records: Sequence[Any]
    """As aiokafka's parser made them, with rising offsets; never empty."""
    position: int
    """The next offset to be fetched; beyond the last record where the log has gaps."""
    end: int
    """The next offset to be written, as the broker reported with this fetch."""
    rewinds: int
    """How often the partition had been rewound when these records were handed over."""


class Fetched(OrderedDict[Any, Any]):
    """What the fetcher holds, by partition, until it is asked for: no copies of batch topics."""

    def __init__(self, batch_topics: frozenset[str], held: OrderedDict[Any, Any]) -> None:
        """Take over what the fetcher holds already."""
        super().__init__()
        self._batch_topics = batch_topics
        for tp, result in held.items():
            self[tp] = result

    def __setitem__(self, tp: Any, result: Any) -> None:  # noqa: ANN401
        """Take the answer to a fetch, or an error; aborted transactions stay aiokafka's matter."""
        if tp.topic in self._batch_topics and type(result) is FetchResult:
            result._partition_records._consumer_record = _as_parsed  # noqa: SLF001
        super().__setitem__(tp, result)


def _as_parsed(_: Any, record: Any) -> Any:  # noqa: ANN401
    return record


class BatchConsumerThread(base.AIOKafkaConsumerThread):
    """The thread with the Kafka client; only here are positions and fetches in step."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._rewinds: defaultdict[TP, int] = defaultdict(int)
        self._batch_topics: frozenset[str] = getattr(self.consumer.app, "batch_topics", frozenset())

    def _create_worker_consumer(self, transport: base.Transport) -> aiokafka.AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        # Faust ties this to its own exactly_once. A producer's aborted events must not count.
        consumer._isolation_level = "read_committed"  # noqa: SLF001
        # A partition that stays where it is need not be opened again; Faust deals them out anew.
        consumer._partition_assignment_strategy = (StickyPartitionAssignor,)  # noqa: SLF001
        return consumer

    async def on_thread_stop(self) -> None:
        """Leave the group, if the application says so; a client with a name would stay a member."""
        coordinator: Any = getattr(self._consumer, "_coordinator", None)  # None before the start
        if coordinator is not None and getattr(self.consumer.app, "leaves", False):
            coordinator._group_instance_id = None  # noqa: SLF001  (what its `close` asks)
        await super().on_thread_stop()

    async def _fetch_records(self, consumer: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        fetcher = consumer._fetcher  # noqa: SLF001
        if type(fetcher._records) is not Fetched:  # noqa: SLF001
            fetcher._records = Fetched(self._batch_topics, fetcher._records)  # noqa: SLF001
        fetched = await super()._fetch_records(consumer, *args, **kwargs)
        # No await from here: another fetch or a rewind would move the positions.
        assigned = consumer._subscription.subscription.assignment  # noqa: SLF001
        batches = {}
        for tp, records in fetched.items():
            state = assigned.state_value(tp) if assigned is not None else None
            if state is None:
                continue  # revoked while the fetch was under way; its next owner reads them
            batches[tp] = Batch(
                records=records,
                position=max(state.position, records[-1].offset + 1),
                end=state.lso if state.lso is not None else -1,
                rewinds=self._rewinds[TP(tp.topic, tp.partition)],
            )
        return batches

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Complain of nothing: `Liveness` tells what stalls.

        Faust counts from the start of the worker: after five minutes of it, a partition that a
        rebalance has just brought is an error for not being committed yet.
        """

    async def rewind(self, tp: TP, offset: int) -> int:
        """Read on from `offset`; return the partition's number of rewinds so far."""
        return cast("int", await self.call_thread(self._rewind, tp, offset))

    async def _rewind(self, tp: TP, offset: int) -> int:
        self._ensure_consumer().seek(base.ensure_aiokafka_TP(tp), offset)
        self._rewinds[tp] += 1
        return self._rewinds[tp]

    async def committed(self, tp: TP) -> int | None:
        """Return the group's committed position; None if it has none."""
        consumer = self._ensure_consumer()
        answer = await self.call_thread(consumer.committed, base.ensure_aiokafka_TP(tp))
        return cast("int | None", answer)

    def end(self, tp: TP) -> int | None:
        """Return the end of the committed records as last reported; None if not assigned."""
        if tp not in self.assignment():
            return None
        answer = self._ensure_consumer().last_stable_offset(base.ensure_aiokafka_TP(tp))
        return cast("int | None", answer)

    def answered(self, tp: TP) -> int | None:
        """Return when the last answered fetch was sent, ms since 1970; None if not assigned.

        Kafka answers the fetch of an empty partition as well, after half a second; a partition with
        records that nobody takes is not fetched.
        """
        if tp not in self.assignment():
            return None
        answer = self._ensure_consumer().last_poll_timestamp(base.ensure_aiokafka_TP(tp))
        return cast("int | None", answer)


class BatchConsumer(base.Consumer):
    """Faust's consumer, one message a batch; see the module's text."""

    _thread: BatchConsumerThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **kwargs)
        self._batch_topics: frozenset[str] = getattr(self.app, "batch_topics", frozenset())

    def _new_consumer_thread(self) -> BatchConsumerThread:
        return BatchConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(
        self,
        timeout: float,  # noqa: ASYNC109  (the signature is Faust's)
    ) -> AsyncIterator[tuple[TP, Message]]:
        """Yield one message for each partition that the fetch returned something of."""
        fetched, active = await self._wait_next_records(timeout)
        generation = self.app.consumer_generation_id
        if self.should_stop:
            return
        if not self.flow_active:
            await self.perform_seek()
            return
        for tp, batch in cast("dict[TP, Batch]", fetched).items():
            if self._interrupted(generation):
                return
            if not (active is None or tp in active or tp in self._buffered_partitions):
                continue
            self.app.monitor.track_tp_end_offset(tp, batch.end)
            if tp.topic not in self._batch_topics:
                for record in batch.records:
                    yield tp, self._to_message(tp, record)
                continue
            # Otherwise Faust drops batches after a rewind as read before, and counts gaps.
            self._read_offset[tp] = None
            yield tp, self._batch_message(tp, batch, generation)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Commit what is acknowledged first: Faust forgets it here, and it would be read again."""
        await self.commit()
        await super().on_partitions_revoked(revoked)

    async def perform_seek(self) -> None:
        """Go to the committed positions, unless a rebalance takes the partitions away meanwhile.

        Faust asks for one position after the other and fails where the assignment has gone by
        then; whatever is assigned next begins at its committed position by itself.
        """
        try:
            await super().perform_seek()
        except (IllegalStateError, AssertionError) as err:  # the latter: nothing is assigned
            _log.info("a rebalance interrupted the return to the committed positions: %s", err)

    def _interrupted(self, generation: int) -> bool:
        """Return whether a rebalance has begun: what is left of the fetch is read again."""
        return not self.flow_active or self.app.consumer_generation_id != generation

    def _batch_message(self, tp: TP, batch: Batch, generation: int) -> ConsumerMessage:
        last = batch.records[-1]
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            last.offset,
            last.timestamp / 1000,
            last.timestamp_type,
            last.headers,
            None,
            cast("Any", batch),
            None,
            0,
            0,
            tp,
            generation_id=generation,
        )

    def _new_offset(self, tp: TP) -> int | None:
        if tp.topic not in self._batch_topics:
            return super()._new_offset(tp)
        acked = self._acked[tp]
        if not acked:
            return None
        newest = max(acked)
        acked.clear()
        self._acked_index[tp].clear()
        return newest + 1

    async def rewind(self, partition: TP, offset: int) -> int:
        """Read a partition on from `offset`; batches of the returned number of rewinds count."""
        return await self._thread.rewind(partition, offset)

    async def committed(self, partition: TP) -> int | None:
        """Return the group's committed position; None if it has none."""
        return await self._thread.committed(partition)

    async def earliest(self, partition: TP) -> int:
        """Return the first offset that a partition still holds."""
        tp = base.ensure_aiokafka_TP(partition)
        return (await self.earliest_offsets(tp))[tp]

    def end(self, partition: TP) -> int | None:
        """Return the end of an assigned partition as last reported; None before the first."""
        return self._thread.end(partition)

    def answered(self, partition: TP) -> int | None:
        """Return a mark that changes with each answered fetch; None before the first."""
        return self._thread.answered(partition)


class Transport(base.Transport):
    """The batch transport; the application says which topics come in batches (`batch_topics`)."""

    Consumer: ClassVar[type[base.Consumer]] = BatchConsumer


def register() -> None:
    """Make ``kpibatch://`` known to Faust where the package's entry point is not installed."""
    drivers.TRANSPORTS.aliases[NAME] = f"{__name__}:{Transport.__name__}"
