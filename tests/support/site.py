"""A whole site of real processes: topics, workers and a scorecard, all of them `kpi-stream`.

The broker is given. The events of a file go in by the simulator's own sender, since `ingest` keeps
back what must be rejected; the rows come out as the scorecard reads them.
"""

import asyncio
import json
import os
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from kpi_stream.adapters.event_files import read_lines
from kpi_stream.adapters.kafka.scorecard.feed import RowFeed
from kpi_stream.adapters.simulator import KafkaSink, Record
from kpi_stream.adapters.state_codec import MsgspecStateCodec
from kpi_stream.application.monitoring import conventions
from kpi_stream.application.ports import BrokerOptions, Topics
from kpi_stream.application.readings import ReadingTable
from kpi_stream.application.totals import RowTotals
from kpi_stream.bootstrap.common import now_ms
from kpi_stream.domain.catalogue import Catalogue
from kpi_stream.domain.strategy import Strategy
from tests.support.ports import free_port
from tests.support.processes import Process, eventually

COMMAND = (sys.executable, "-m", "kpi_stream")
TOPICS = Topics()
PARTITIONS = 4
WITHIN_S = 180.0
_NO_SUBJECT = b"?"
"""The key of a line from which no subject can be read: not null, which is a reason by itself."""


def keyed(path: Path) -> list[Record]:
    """Return the records of a file of events: the key of a line is its subject."""
    return [Record(_subject(line), line, 0) for line in read_lines(path)]


def _subject(line: bytes) -> bytes:
    try:
        event = json.loads(line)
    except ValueError:
        return _NO_SUBJECT
    subject = event.get("subject") if isinstance(event, dict) else None
    return subject.encode() if isinstance(subject, str) else _NO_SUBJECT


def page(url: str) -> bytes:
    """Return what is served at a URL of this machine."""
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310  (loopback)
        body: bytes = answer.read()
        return body


def samples(url: str) -> list[Sample]:
    """Return every sample of a metrics page."""
    families = text_string_to_metric_families(page(url).decode())
    return [sample for family in families for sample in family.samples]


class Rows:
    """`kpi.rows`, followed from the first record on, as a context manager."""

    def __init__(self, brokers: str, strategy: Strategy, *, exactly_once: bool) -> None:
        self._catalogue = Catalogue(strategy)
        self.by_key: dict[tuple[int, bytes], bytes] = {}
        self._runner = asyncio.Runner()
        broker = BrokerOptions(tuple(brokers.split(",")))

        async def load() -> RowFeed:
            feed = RowFeed(broker, TOPICS, self._take, now_ms=now_ms, certain_ends=exactly_once)
            await feed.load()
            return feed

        self._feed = self._runner.run(load())

    def _take(self, partition: int, key: bytes, value: bytes | None) -> None:
        if value is None:
            self.by_key.pop((partition, key), None)
        else:
            self.by_key[partition, key] = value

    def table(self) -> ReadingTable:
        """Return a new table of readings, since one can not go back in time."""
        table = ReadingTable(self._catalogue, RowTotals(self._catalogue, MsgspecStateCodec()))
        for (partition, key), value in self.by_key.items():
            table.apply_row(partition, key, value)
        return table

    def applied(self) -> int:
        """Return how many records of the events' topic are in the rows by now."""
        while self._runner.run(self._feed.poll(20)):
            pass
        return sum(each.applied + 1 for each in self._feed.progress({}))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._runner.run(self._feed.close())
        self._runner.close()


class Site:
    """Topics and processes on a broker of its own; leaving the context kills the processes.

    Args:
        brokers: The broker's address; its topics have the usual names, so it serves one site.
        folder: Gets the logs.
        exactly_once: Whether the broker knows transactions (Apache Kafka does).
        settings: Further settings, by the names of `Settings`.
    """

    def __init__(self, brokers: str, folder: Path, *, exactly_once: bool, **settings: Any) -> None:
        self.brokers, self.folder, self.exactly_once = brokers, folder, exactly_once
        self.scorecard_url = ""
        self.sent = 0
        chosen = {
            "brokers": brokers,
            "partitions": PARTITIONS,
            "processing_guarantee": "exactly_once" if exactly_once else "at_least_once",
            "flush_interval_s": 0.1,
            "publish_interval_s": 0.2,
            # A feed that ends is not silent by mistake.
            "stale_after_s": 1e9,
            "worker_port": 0,
            **settings,
        }
        self.env = {f"KPI_STREAM_{name.upper()}": str(value) for name, value in chosen.items()}
        self.processes: list[Process] = []

    def __enter__(self) -> Self:
        self.run("topics", "init")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for process in self.processes:
            process.kill()

    def run(self, *words: str | Path) -> str:
        """Run a command to its end and return its standard output; it must succeed."""
        return run(*words, env=self.env).stdout

    def start(self, name: str, **settings: Any) -> Process:
        """Start a service of that name."""
        log = self.folder / f"{name}-{len(self.processes)}.log"
        more = {f"KPI_STREAM_{key.upper()}": str(value) for key, value in settings.items()}
        process = Process([*COMMAND, name], log=log, env=self.env | more)
        self.processes.append(process)
        return process.start()

    def worker(self) -> Process:
        """Start a worker."""
        return self.start("worker")

    def scorecard(self) -> Process:
        """Start a scorecard and return once it says that it is ready."""
        port = free_port()
        self.scorecard_url = f"http://127.0.0.1:{port}"
        process = self.start("scorecard", scorecard_port=port)
        process.wait_until(self._ready, within_s=WITHIN_S, what="the scorecard is ready")
        return process

    def _ready(self) -> bool:
        try:
            page(f"{self.scorecard_url}/-/ready")
        except OSError:
            return False
        return True

    def document(self) -> dict[str, Any]:
        """Return what the scorecard's API says, once it has caught up with the feed."""

        def settled() -> dict[str, Any] | None:
            try:
                said: dict[str, Any] = json.loads(page(f"{self.scorecard_url}/api/v1/scorecard"))
            except OSError:
                return None
            return said if said["caught_up"] and not said["lag_events"] else None

        return eventually(settled, within_s=WITHIN_S, what="the scorecard has caught up")

    def send(self, records: Sequence[Record]) -> None:
        """Send records to the events' topic and return once the broker has them."""
        with KafkaSink(self.brokers, TOPICS.events) as sink:
            self.sent += sink.send(records)

    def rows(self, strategy: Strategy) -> Rows:
        """Follow the rows."""
        return Rows(self.brokers, strategy, exactly_once=self.exactly_once)

    def wait_until_counted(self, rows: Rows, worker: Process) -> None:
        """Return once everything that was sent is in the rows; the worker may not end before."""
        worker.wait_until(
            lambda: rows.applied() >= self.sent, within_s=WITHIN_S, what="every record is counted"
        )

    def outcomes(self, *workers: Process) -> Counter[str]:
        """Return what the workers' metrics say about the records: by outcome, or `rejected`."""
        found: Counter[str] = Counter()
        for worker in workers:
            for sample in samples(metrics_url(worker)):
                if sample.name == conventions.EVENTS.name:
                    found[sample.labels["outcome"]] += int(sample.value)
                elif sample.name == conventions.REJECTED.name:
                    found["rejected"] += int(sample.value)
        return +found

    def records(self, topic: str, at_least: int) -> list[Any]:
        """Return the committed records of a topic, as the client gives them, headers included."""
        return asyncio.run(_records(self.brokers, topic, at_least))

    def dead_letters(self, at_least: int) -> Counter[str]:
        """Return how many dead letters there are, by reason."""
        letters = self.records(TOPICS.dead_letters, at_least)
        return Counter(dict(letter.headers)["reason"].decode() for letter in letters)


def metrics_url(worker: Process) -> str:
    """Return where a worker serves its metrics, which it says itself."""
    return worker.wait_for_output(r"metrics on (http://\S+)", within_s=WITHIN_S)[1]


def run(
    *words: str | Path, env: dict[str, str] | None = None, cwd: Path | None = None, code: int = 0
) -> subprocess.CompletedProcess[str]:
    """Run a `kpi-stream` command to its end; it must end with that code."""
    done = subprocess.run(
        [*COMMAND, *map(str, words)],
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "100", **(env or {})},
        cwd=cwd,
        timeout=WITHIN_S,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == code, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


async def _records(brokers: str, topic: str, at_least: int) -> list[Any]:
    found: list[Any] = []
    consumer = AIOKafkaConsumer(
        bootstrap_servers=brokers,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    async with consumer, asyncio.timeout(WITHIN_S):
        partitions = (await consumer._client.fetch_all_metadata()).partitions_for_topic(topic)
        consumer.assign([TopicPartition(topic, each) for each in partitions])
        # The embedded broker's end offsets are not to be trusted: read until it is silent.
        while True:
            batches: dict[Any, Iterable[Any]] = await consumer.getmany(timeout_ms=300)
            if not batches and len(found) >= at_least and await _at_end(consumer):
                return found
            for records in batches.values():
                found.extend(records)


async def _at_end(consumer: AIOKafkaConsumer) -> bool:
    """Return whether everything was read that the broker reports; a slow one is silent, too."""
    ends = await consumer.end_offsets(consumer.assignment())
    return all([await consumer.position(place) >= end for place, end in ends.items()])
