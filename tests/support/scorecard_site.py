"""A site for the scorecard process of the tests: topics, and a worker played by the test."""

import base64
import json
import random
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic

from kpi_stream.application.ports import Topics
from kpi_stream.domain.events import Event
from tests.support.ports import free_port
from tests.support.processes import Process, eventually
from tests.support.scorecard import ADVANCE, Rows, numbered, strategy
from tests.support.scorecard_process import topics

PARTITIONS = 2
NATIONAL = {"kpi": ADVANCE, "window": "24h", "dimension": "national", "member": ""}


LOGIN = ("reader", "of the tests")


class Answer(NamedTuple):
    """What the web server said."""

    status: int
    text: str


def call(port: int, path: str, method: str = "GET") -> Answer:
    """Call a URL of the process, as who may."""
    login = base64.b64encode(":".join(LOGIN).encode()).decode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}",
        method=method,
        headers={"Authorization": f"Basic {login}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310  (loopback)
            return Answer(response.status, response.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.read().decode())


class Site:
    """Topics, a worker played by the test, and scorecard processes."""

    def __init__(self, brokers: str, folder: Path, *, exactly_once: bool) -> None:
        self.topics: Topics = topics(f"t{random.randrange(16**8):08x}")
        self.prefix = self.topics.events.removesuffix(".events")
        self.brokers, self.folder, self.exactly_once = brokers, folder, exactly_once
        admin = KafkaAdminClient(bootstrap_servers=brokers)
        t = self.topics
        wanted = [(t.events, PARTITIONS), (t.rows, PARTITIONS), (t.readings, 1), (t.transitions, 1)]
        admin.create_topics([NewTopic(name, count, 1) for name, count in wanted])
        admin.close()
        self.producer = KafkaProducer(bootstrap_servers=brokers, acks="all")
        self.rows = [Rows(strategy()) for _ in range(PARTITIONS)]
        self.goal(0.8)
        self._numbers = 0
        self.first_ms: int | None = None

    def goal(self, value: object, **more: object) -> None:
        """Write the strategy's file."""
        self.strategy.write_text(json.dumps({"goal": value, **more}))

    @property
    def strategy(self) -> Path:
        """The strategy's file."""
        return self.folder / "strategy.json"

    def number(self, count: int, *, anticipated: bool, partition: int = 0) -> None:
        """Let the worker count declarations that are numbered now."""
        now_ms = round(time.time() * 1000)
        events: list[Event] = []
        for _ in range(count):
            self._numbers += 1
            events.append(numbered(f"D{self._numbers}", now_ms, anticipated=anticipated))
        self.flush(events, partition)

    def share(self, value: float, office: str = "118") -> None:
        """Let the worker correct its counts: so much of an office's 100 was in advance."""
        if self.first_ms is None:
            self.first_ms = round(time.time() * 1000)
        self.producer.send(self.topics.events, b"{}", partition=0)
        for key, value_ in self.rows[0].correct(self.first_ms, round(value * 100), 100, office):
            self.producer.send(self.topics.rows, value_, key, partition=0)
        self.producer.flush()

    def flush(self, events: list[Event], partition: int) -> None:
        """Write one flush of the worker."""
        for event in events:
            self.producer.send(self.topics.events, b"{}", partition=partition)
            assert event
        for key, value in self.rows[partition].flush(events, round(time.time() * 1000)):
            self.producer.send(self.topics.rows, value, key, partition=partition)
        self.producer.flush()

    def process(
        self, name: str = "scorecard", program: Sequence[str] = ("tests.support.scorecard_process",)
    ) -> Process:
        """Return a scorecard process, not started; the program is a module and its arguments."""
        given = self.folder / f"{name}.json"
        given.write_text(
            json.dumps(
                {
                    "brokers": self.brokers,
                    "prefix": self.prefix,
                    "exactly_once": self.exactly_once,
                    "strategy": str(self.strategy),
                    "port": free_port(),
                    "evaluate_every_s": 0.1,
                    "publish_every_s": 0.2,
                    "login": LOGIN,
                }
            )
        )
        command: list[str | Path] = [sys.executable, "-m", *program, given]
        return Process(command, log=self.folder / f"{name}.log", cwd=Path(__file__).parents[2])

    def records(self, topic: str) -> list[tuple[bytes, dict[str, object] | None]]:
        """Return the committed records of a topic's first partition."""
        consumer = KafkaConsumer(
            bootstrap_servers=self.brokers,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )
        place = TopicPartition(topic, 0)
        consumer.assign([place])
        consumer.seek_to_beginning(place)
        found = []
        while batch := consumer.poll(timeout_ms=1_000):
            found += [(r.key, r.value and json.loads(r.value)) for r in batch[place]]
        consumer.close()
        return found

    def close(self) -> None:
        """End the worker."""
        self.producer.close()


def serving(process: Process) -> int:
    """Start a process where it does not run, and return its port once it is ready."""
    if not process.running:
        process.start()
    port: int = json.loads(Path(process.command[-1]).read_text())["port"]

    def ready() -> bool:
        try:
            return call(port, "/-/ready").status == 200
        except urllib.error.URLError:
            return False

    process.wait_until(ready, within_s=90, what="it is ready")
    return port


def sample(text: str, name: str, **labels: str) -> float | None:
    """Return the value of one sample of an exposition, None where it is absent."""
    for line in text.splitlines():
        if line.startswith(name + ("{" if labels else " ")) and all(
            f'{label}="{value}"' in line for label, value in labels.items()
        ):
            return float(line.rsplit(" ", 1)[1])
    return None


def status(port: int) -> str | None:
    """Return the status of the one target as it is scraped."""
    text = call(port, "/metrics").text
    states = ("on_track", "at_risk", "off_track", "no_data")
    ones = [
        each
        for each in states
        if sample(text, "kpi_stream_kpi_status", **NATIONAL, status=each) == 1
    ]
    return ones[0] if len(ones) == 1 else None


def await_status(port: int, *wanted: str) -> None:
    """Return once the status is one of those wanted."""
    eventually(lambda: status(port) in wanted, within_s=90, what=f"status {wanted}")
