"""The Faust application of a worker and the life of its process.

One agent, concurrency 1, no tables, no web server, no leader topic: Faust is here for group
membership, batches and the agent. Its own exactly-once and tables are not used.

An agent must not die silently (Faust would start it again and carry on): the first error of any
kind ends the worker, and `run_worker` raises it.
"""

import asyncio
import logging
import os
import signal
import ssl
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, cast

import faust
import uvloop
from aiokafka.errors import KafkaError
from faust.streams import Stream
from faust.tables import TableManager
from faust.types import TP, StreamT
from yarl import URL

from kpi_stream.adapters.faust_app.closed_transports import mend_connections
from kpi_stream.adapters.faust_app.liveness import Liveness
from kpi_stream.adapters.faust_app.partitions import FlushOptions, Partitions
from kpi_stream.adapters.faust_app.transport import NAME, Batch, BatchConsumer, register
from kpi_stream.application.ports import BrokerOptions, OpenStore, Topics, WorkerMetrics
from kpi_stream.domain.errors import KpiStreamError, Unavailable

_log = logging.getLogger(__name__)

_STOP_S = 20.0
"""How long Faust may take to stop before the process ends without it."""
_START_S = 120.0
_REQUEST_S = 90.0
"""How long an answer of Kafka's may take at least; Faust's own default."""
_BEAT_S = 0.5


async def _never() -> None:
    await asyncio.Event().wait()


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """How a worker takes part in its group."""

    broker: BrokerOptions
    topics: Topics
    application: str = "kpi-stream"
    """The consumer group; the same for all workers."""
    instance_id: str | None = None
    """A name of its own for this worker, kept over restarts: it need not wait then for the session
    of the one before (static membership). None: no such name."""
    leaves: bool = False
    """A worker with a name leaves the group, too, when it ends in good order: its partitions go to
    the others at once, and whoever comes back later under the name is new."""
    session_timeout_s: float = 10.0
    """A worker that is silent so long has left; its partitions go to the others. The embedded
    broker holds a new worker back as long. Seconds."""
    metadata_max_age_s: float = 30.0
    """How soon topics that were created again, or moved, are noticed; seconds."""
    poll_records: int = 5_000
    """The most records of one batch."""
    fetch_bytes: int = 4 << 20
    """The most bytes of one fetch from one partition."""
    buffered_batches: int = 16
    """Batches that wait for the agent; at 5,000 events of 300 bytes, 24 MB."""
    flush: FlushOptions = field(default_factory=FlushOptions)
    refused: Callable[[BaseException, str], KpiStreamError | None] = lambda *_: None
    """Tells a refusal of Kafka's (a password, a right) from a broker that is away."""
    still_admitted: Callable[[], None] = lambda: None
    """Asked, in a thread, where no fetch is answered; raises a refusal."""
    epoch_over: Callable[[], Awaitable[None]] = _never
    """Returns once the worker is to end in good order, since another epoch serves."""


class _BytesSchema(faust.Schema[Any, Any]):
    """Hands messages over as they are; decoding happens in the store, where it can be rejected."""

    def loads_key(self, app: Any, message: Any, **_: Any) -> Any:  # noqa: ANN401, ARG002
        return message.key

    def loads_value(self, app: Any, message: Any, **_: Any) -> Any:  # noqa: ANN401, ARG002
        return message.value


class _NoTables(TableManager):
    """Faust's keeper of tables where there are none."""

    async def on_start(self) -> None:
        """Do what Faust does, without the second that it waits for tables to be declared."""
        await self._update_channels()
        await self.recovery.start()


class WorkerApp(faust.App):
    """A Faust application that keeps nothing on disk and fetches its events in batches."""

    batch_topics: frozenset[str] = frozenset()
    leaves = False

    def _create_directories(self) -> None:
        """Make none: there are no tables."""


class _Source:
    """The consumer, as the partitions see it."""

    def __init__(self, app: WorkerApp, topic: str) -> None:
        self._app = app
        self._topic = topic

    @property
    def _consumer(self) -> BatchConsumer:
        return cast("BatchConsumer", self._app.consumer)

    async def rewind(self, partition: int, offset: int) -> int:
        return await self._consumer.rewind(TP(self._topic, partition), offset)

    async def earliest(self, partition: int) -> int:
        return await self._consumer.earliest(TP(self._topic, partition))

    async def committed(self, partition: int) -> int | None:
        return await self._consumer.committed(TP(self._topic, partition))

    def end(self, partition: int) -> int | None:
        return self._consumer.end(TP(self._topic, partition))

    def answered(self, partition: int) -> int | None:
        return self._consumer.answered(TP(self._topic, partition))


class Worker:
    """One worker: the application, its partitions, and the first error that ends it."""

    def __init__(
        self,
        options: WorkerOptions,
        open_store: OpenStore,
        metrics: WorkerMetrics,
        liveness: Liveness,
    ) -> None:
        self._options = options
        self._metrics = metrics
        self._liveness = liveness
        self._ended = asyncio.Event()
        self.error: BaseException | None = None
        self.app = _app(options)
        source = self._source = _Source(self.app, options.topics.events)
        now_s = asyncio.get_running_loop().time
        self.partitions = Partitions(open_store, source, metrics, options.flush, now_s, liveness)
        topic = self.app.topic(
            options.topics.events, schema=_BytesSchema(), key_type=bytes, value_type=bytes
        )
        self.app.agent(topic, name="events", concurrency=1)(self._agent)
        self.app.on_partitions_revoked.connect(cast("Any", self._revoked), weak=False)
        self.app.on_partitions_assigned.connect(cast("Any", self._assigned), weak=False)

    def end(self, error: BaseException | None = None) -> None:
        """Have the worker end, with an error or in good order; the first call counts."""
        if self._ended.is_set():
            return
        if error is not None:
            self.error = error
            self._metrics.healthy(healthy=False)
            self._liveness.failed(error)
        self._ended.set()

    async def run(self) -> None:
        """Work until told to end; then flush, leave the group and raise what went wrong."""
        beside = [
            asyncio.create_task(each)
            for each in (
                self._watch(),
                self._tick(),
                self._doubt(),
                self._beat(),
                self._end_with_the_epoch(),
            )
        ]
        try:
            async with asyncio.timeout(_START_S):
                await self._start()
            self._metrics.healthy(healthy=True)
            await self._ended.wait()
        except Exception as err:  # noqa: BLE001  (raised below, after the stop)
            self.end(err)
        for task in beside:
            task.cancel()
        await self.partitions.close(flush=self.error is None)
        # One that ended with an error is started again, and the others need not notice.
        self.app.leaves = self._options.leaves and self.error is None
        try:
            async with asyncio.timeout(_STOP_S):
                await self.app.stop()
        except Exception:  # noqa: BLE001  (whatever it is, the process must end)
            _log.exception("Faust did not stop in good order")
            if self.error is None:
                os._exit(1)  # its threads would keep the process alive
        if isinstance(self.error, KafkaError):
            what = "Kafka does not go on with this worker: it"
            if (refusal := self._options.refused(self.error, what)) is not None:
                raise refusal from self.error
        if isinstance(self.error, KafkaError | Unavailable):
            # The clients say no more than that they reach nobody.
            await asyncio.to_thread(self._options.still_admitted)
        if isinstance(self.error, KafkaError):
            msg = f"Kafka does not take part any more: {self.error!r}"
            raise Unavailable(msg) from self.error
        if self.error is not None:
            raise self.error

    async def _start(self) -> None:
        """Start Faust, which waits for ever for a group that does not take it in."""
        starting = asyncio.ensure_future(self.app.start())
        ending = asyncio.ensure_future(self._ended.wait())
        try:
            await asyncio.wait([starting, ending], return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
        finally:
            starting.cancel()
            ending.cancel()

    async def _agent(self, stream: StreamT[Any]) -> None:
        try:
            async for event in cast("Stream[Any]", stream).noack().events():
                message = event.message
                if message.generation_id != self.app.consumer_generation_id:
                    continue  # of an earlier assignment; whoever owns it now reads it again
                batch: Batch = event.value
                await self.partitions.feed(message.partition, batch, event.ack)
        except Exception as err:  # noqa: BLE001  (raised again by `run`, whatever it is)
            _tell(err)
            self.end(err)
            await self._forever()

    async def _tick(self) -> None:
        try:
            while True:
                await asyncio.sleep(self._options.flush.interval_s / 2)
                await self.partitions.tick()
        except Exception as err:  # noqa: BLE001  (raised again by `run`, whatever it is)
            _tell(err)
            self.end(err)

    async def _beat(self) -> None:
        """Say that the loop runs; `_tick` may have to wait for a state that is being read."""
        while True:
            self._liveness.beat()
            await asyncio.sleep(_BEAT_S)

    async def _doubt(self) -> None:
        """End the worker where Kafka is silent since it does not let us in any more."""
        answered: dict[int, int | None] = {}
        try:
            while True:
                await asyncio.sleep(self._options.session_timeout_s)
                before = answered
                answered = {each: self._source.answered(each) for each in self._liveness.assigned}
                same = [each for each, mark in answered.items() if mark == before.get(each)]
                if same or not answered:
                    await asyncio.to_thread(self._options.still_admitted)
        except KpiStreamError as err:
            _log.error("the worker stops: %s", err)
            self.end(err)

    async def _end_with_the_epoch(self) -> None:
        try:
            await self._options.epoch_over()
        except KpiStreamError as err:
            _log.error("the worker stops: %s", err)
            self.end(err)
        else:
            self.end()

    async def _revoked(self, _app: object, revoked: Iterable[TP], **_: object) -> None:
        events = self._options.topics.events
        await self.partitions.revoke(tp.partition for tp in revoked if tp.topic == events)
        # What was flushed just now need not be read again by the next owner.
        await self.app.consumer.commit()

    async def _assigned(self, _app: object, assigned: Iterable[TP], **_: object) -> None:
        events = self._options.topics.events
        await self.partitions.assigned(tp.partition for tp in assigned if tp.topic == events)

    async def _watch(self) -> None:
        """End the worker when any service of Faust crashes."""
        await self.app._crashed.wait()  # noqa: SLF001
        self.end(self.app.crash_reason or RuntimeError("Faust has crashed"))

    async def _forever(self) -> None:
        """Keep Faust from starting the agent again."""
        await asyncio.Event().wait()


def _tell(error: Exception) -> None:
    """Log why the worker stops: an error of our own in one line, a defect with its traceback."""
    own = isinstance(error, KpiStreamError)
    _log.error("the worker stops: %s", error, exc_info=None if own else error)


def _app(options: WorkerOptions) -> WorkerApp:
    register()
    broker = options.broker
    app = WorkerApp(
        options.application,
        broker=[URL(f"{NAME}://{server}") for server in broker.bootstrap_servers],
        broker_credentials=_credentials(broker),
        broker_client_id=broker.client_id,
        consumer_group_instance_id=options.instance_id,
        consumer_auto_offset_reset="earliest",
        consumer_metadata_max_age_ms=int(options.metadata_max_age_s * 1000),
        consumer_max_fetch_size=options.fetch_bytes,
        broker_max_poll_records=options.poll_records,
        broker_session_timeout=options.session_timeout_s,
        # A join is answered once the others have joined; Faust refuses less than the session.
        broker_request_timeout=max(_REQUEST_S, 1.5 * options.session_timeout_s),
        broker_rebalance_timeout=options.session_timeout_s,
        broker_heartbeat_interval=options.session_timeout_s / 5,
        stream_buffer_maxsize=options.buffered_batches,
        stream_wait_empty=False,
        store="memory://",
        TableManager=_NoTables,
        table_standby_replicas=0,  # or Faust takes its own assignor, which is for tables
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        autodiscover=False,
    )
    app.batch_topics = frozenset({options.topics.events})
    return app


def _credentials(broker: BrokerOptions) -> Any:  # noqa: ANN401
    """Return Faust's form of the security settings; None for PLAINTEXT."""
    context = cast("ssl.SSLContext | None", broker.ssl_context)
    if broker.sasl_mechanism is not None:
        return faust.SASLCredentials(
            username=broker.sasl_username,
            password=broker.sasl_password,
            ssl_context=context,
            mechanism=broker.sasl_mechanism,
        )
    if context is not None:
        return faust.SSLCredentials(context=context)
    return None


def run_worker(
    options: WorkerOptions,
    open_store: OpenStore,
    metrics: WorkerMetrics,
    *,
    liveness: Liveness | None = None,
    on_started: Callable[[Worker], None] | None = None,
) -> None:
    """Work until SIGTERM or SIGINT; returns after a last flush and leaving the group.

    Args:
        options: How the worker takes part in its group.
        open_store: Opens a partition's store.
        metrics: Where the worker counts.
        liveness: Where the signs of life go; None: nobody asks for them.
        on_started: Called in the event loop before the work begins.

    Raises:
        StateError: Stored state cannot be trusted, or events are missing.
        InputError: Settings, topics or events do not fit.
        Unavailable: The broker does not answer, however often asked.
    """

    async def main() -> None:
        loop = asyncio.get_running_loop()
        signs = liveness or Liveness(loop.time, stalled_after_s=float("inf"))
        worker = Worker(options, open_store, metrics, signs)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, worker.end)
        if on_started is not None:
            on_started(worker)
        await worker.run()

    mend_connections()
    # Faust's consumer thread makes its loop by the policy.
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(main())
