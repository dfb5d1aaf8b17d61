"""A real Apache Kafka that holds the feed, and the worker processes that count it.

Every run is an epoch of its own: it reads the same log from its first event, into new topics.
"""

import itertools
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import msgspec
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.feed import Feed
from benchmarks.machine import on_its_core
from kpi_stream.adapters.embedded_broker import HOST, free_port
from kpi_stream.adapters.kafka.topics import Layout, topics_init
from kpi_stream.adapters.simulator import KafkaSink, Record
from kpi_stream.application.monitoring import conventions as c
from kpi_stream.application.ports import BrokerOptions, Topics
from kpi_stream.domain.errors import Unavailable
from kpi_stream.settings import PREFIX
from tests.support.kafka import Kafka
from tests.support.processes import Process

PARTITIONS = 4
_START_S = 120.0
_STOP_S = 60.0
_ATTEMPTS = 5
"""To create the topics."""
_SERVES = r"metrics on (http\S+)"


class _Addressed(msgspec.Struct):
    subject: str


@dataclass(frozen=True, slots=True)
class Sample:
    """What a worker said about itself at one moment."""

    at_s: float
    """By a clock that never goes back."""
    events: int
    """Applied or rejected since the start."""
    flushed: int
    """Of them, those whose effects are durable."""
    lag: int
    """Waiting in all partitions."""
    cpu_s: float
    """Processor time since the start, of the whole process."""
    rss_bytes: int
    subjects: int
    rows: int
    """Held in memory, in all partitions."""


class Opened(NamedTuple):
    """What a worker took to read the state of its partitions."""

    records: int
    seconds: float
    """Added up over the partitions, which are opened one after the other."""


class Cluster:
    """One broker on the cores that are not measured, with the feed in its log.

    Args:
        feed: What is written into the events topic; None writes nothing.
        wanted: Event types to keep; None keeps everything.
    """

    def __init__(self, feed: Feed | None, wanted: frozenset[str] | None = None) -> None:
        self._feed, self._wanted = feed, wanted
        self._folder = tempfile.TemporaryDirectory(prefix="kpi-stream-benchmark-")
        self._kafka = Kafka(Path(self._folder.name) / "kafka", heap="1g", long_lived=True)
        self._epochs = itertools.count(1)
        self._processes: list[Process] = []
        self.events = 0
        """Records in the log."""

    def __enter__(self) -> Self:
        try:
            self._kafka.start()
            self.new_epoch()
            if self._feed is not None:
                with KafkaSink(self._kafka.bootstrap, Topics().events) as sink:
                    self.events = sink.send(self._records(self._feed))
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for process in self._processes:
            process.kill()
        self._kafka.kill()
        self._folder.cleanup()

    @property
    def broker(self) -> BrokerOptions:
        """How to reach it."""
        return BrokerOptions((self._kafka.bootstrap,))

    def new_epoch(self) -> tuple[int, Topics]:
        """Create empty state topics and return the epoch's number and the names."""
        epoch = next(self._epochs)
        topics = Topics().with_epoch("" if epoch == 1 else str(epoch))
        for left in reversed(range(_ATTEMPTS)):
            try:
                topics_init(self.broker, topics, Layout(partitions=PARTITIONS))
                break
            except Unavailable:  # a broker that has just started on a busy machine
                if not left:
                    raise
        return epoch, topics

    @contextmanager
    def worker(
        self,
        epoch: int,
        strategy: Path,
        *,
        program: tuple[str, ...] = ("-m", "kpi_stream"),
    ) -> Iterator["Worker"]:
        """Run `kpi-stream worker` on the measured core, stop it in good order at the end.

        Args:
            epoch: As `new_epoch` gave it.
            strategy: Folder of the strategy.
            program: What Python runs; its last argument will be `worker`.
        """
        worker = self.start_worker(epoch, strategy, program=program)
        with worker.process:
            yield worker
            worker.stop()

    def start_worker(
        self,
        epoch: int,
        strategy: Path,
        *,
        program: tuple[str, ...] = ("-m", "kpi_stream"),
        further: Mapping[str, str] | None = None,
    ) -> "Worker":
        """Start one more worker on the measured core; it ends with the cluster at the latest.

        Args:
            epoch: As `new_epoch` gave it.
            strategy: Folder of the strategy.
            program: What Python runs; its last argument will be `worker`.
            further: Settings by their names without the prefix.
        """
        (worker,) = self.start_workers(epoch, strategy, 1, program=program, further=further)
        return worker

    def start_workers(
        self,
        epoch: int,
        strategy: Path,
        number: int,
        *,
        program: tuple[str, ...] = ("-m", "kpi_stream"),
        further: Mapping[str, str] | None = None,
    ) -> list["Worker"]:
        """Start several at once, all on the one measured core; else as `start_worker`."""
        settings = {"EPOCH": str(epoch), "STRATEGY": str(strategy), "WORKER_PORT": "0"}
        command = on_its_core([sys.executable, *program, "worker"])
        started = [
            self._start("worker", command, {**settings, **(further or {})}) for _ in range(number)
        ]
        return [
            Worker(process, process.wait_for_output(_SERVES, within_s=_START_S)[1])
            for process in started
        ]

    def start_scorecard(
        self, epoch: int, strategy: Path, further: Mapping[str, str] | None = None
    ) -> tuple[Process, str]:
        """Start a scorecard on the measured core as well; return it and where its metrics are."""
        port = str(free_port())
        settings = {"EPOCH": str(epoch), "STRATEGY": str(strategy), "SCORECARD_PORT": port}
        command = on_its_core([sys.executable, "-m", "kpi_stream", "scorecard"])
        process = self._start("scorecard", command, {**settings, **(further or {})})
        url = f"http://{HOST}:{port}/metrics"
        process.wait_until(lambda: _serves(url), within_s=_START_S, what="it serves metrics")
        return process, url

    def _start(self, name: str, command: list[str], settings: Mapping[str, str]) -> Process:
        every = {
            "BROKERS": self._kafka.bootstrap,
            "PARTITIONS": str(PARTITIONS),
            "PROCESSING_GUARANTEE": "exactly_once",
            **settings,
        }
        process = Process(
            command,
            log=Path(self._folder.name) / f"{name}-{len(self._processes)}.log",
            env={PREFIX + each: value for each, value in every.items()},
            dies_with_parent=True,
        )
        self._processes.append(process)
        return process.start()

    def _records(self, feed: Feed) -> Iterator[Record]:
        """Yield the lines with their keys: the subject, or none where it cannot be read."""
        subject_of = msgspec.json.Decoder(_Addressed).decode
        type_of = msgspec.json.Decoder(dict[str, object]).decode
        for line in feed.lines():
            try:
                if self._wanted is not None and type_of(line).get("type") not in self._wanted:
                    continue
                key = subject_of(line).subject.encode()
            except msgspec.DecodeError:
                key = None
            yield Record(key, line, 0)


class Worker:
    """A running worker, seen through its `/metrics`."""

    def __init__(self, process: Process, url: str) -> None:
        self.process, self._url = process, url

    def stop(self) -> None:
        """End it in good order.

        Raises:
            RuntimeError: It ended with an error.
        """
        code = self.process.terminate(within_s=_STOP_S)
        if code:
            msg = f"the worker ended with {code}:\n{self.process.output()[-2000:]}"
            raise RuntimeError(msg)

    def sample(self) -> Sample:
        """Ask once."""
        return _sample(self._totals())

    def _totals(self) -> dict[str, float]:
        """Return the sums of its metrics over their labels."""
        with urllib.request.urlopen(self._url, timeout=10) as answer:  # noqa: S310  (our worker)
            text = answer.read().decode()
        totals: dict[str, float] = {}
        for family in text_string_to_metric_families(text):
            for each in family.samples:
                totals[each.name] = totals.get(each.name, 0.0) + each.value
        return totals

    def opened(self) -> "Opened":
        """Return what opening its partitions has taken since its start."""
        totals = self._totals()
        seconds = totals.get(f"{c.OPEN_DURATION.name}_sum", 0.0)
        return Opened(round(totals.get(c.OPENED_RECORDS.name, 0.0)), seconds)

    def first_sample(self, within_s: float) -> Sample:
        """Return the first answer that knows an event."""
        return self.process.wait_until(
            lambda: found if (found := self.sample()).events else None,
            within_s=within_s,
            what="the first event is applied",
        )

    def samples(self, events: int, within_s: float) -> list[Sample]:
        """Ask until that many events are durable and none waits; return the useful answers.

        Asked four times a second, and more often near the end: an answer takes the worker 2 ms.

        Raises:
            RuntimeError: The worker ended, or was not done in time.
        """
        deadline = time.monotonic() + within_s
        found: list[Sample] = []
        while True:
            sample = self.sample()
            if sample.events:
                found.append(sample)
            if sample.flushed >= events and not sample.lag:
                return found
            if time.monotonic() > deadline or not self.process.running:
                msg = f"not done: {sample}\n{self.process.output()[-2000:]}"
                raise RuntimeError(msg)
            time.sleep(0.25 if events - sample.events > _NEAR_END else 0.05)


def _serves(url: str) -> bool:
    """Return whether there is an answer."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310  (our scorecard)
            return bool(answer.read())
    except OSError:
        return False


_NEAR_END = 40_000
"""Events; less than a second's work."""


def _sample(totals: Mapping[str, float]) -> Sample:
    def total(name: str) -> int:
        return round(totals.get(name, 0.0))

    return Sample(
        time.monotonic(),
        total(c.EVENTS.name) + total(c.REJECTED.name),
        total(c.FLUSHED_EVENTS.name),
        total(c.WORKER_LAG.name),
        totals.get("process_cpu_seconds_total", 0.0),
        total("process_resident_memory_bytes"),
        total(c.STORE_SUBJECTS.name),
        total(c.STORE_ROWS.name),
    )
