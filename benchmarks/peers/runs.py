"""One run of another engine: started, watched, perhaps killed once, and its output checked."""

import asyncio
import os
import re
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from benchmarks.cluster import PARTITIONS
from benchmarks.machine import load_average, on_its_core
from benchmarks.peers.engines import Engine
from benchmarks.peers.feed import PANE_S, Expected, Panes, summed
from benchmarks.peers.install import JOBS
from kpi_stream.adapters.kafka.reader import Record, TopicReader, reading
from kpi_stream.application.ports import BrokerOptions
from tests.support.processes import Process

_LINE = re.compile(r"(FIRST|MARK|LAST|CLOSED) t=(\S+) cpu=(\S+) events=(\d+) released=(\d+)")
_SLOWEST_PER_S = 1_000
"""Below this a run is given up."""
_STOP_S = 60.0
_QUIET_S = 75.0
"""After a crash: longer than the longest stall that was seen, a transaction's time-out of 60 s."""
_LOOK_S = 0.2


@dataclass(frozen=True, slots=True)
class Said:
    """One line of a job about itself."""

    moment: str
    at_s: float
    """Seconds since 1970."""
    cpu_s: float
    events: int
    released: int


@dataclass(frozen=True, slots=True)
class Run:
    """All events counted by one engine, without a disturbance."""

    per_second: float
    per_cpu_second: float
    warm_per_cpu_second: float
    """Over the second half, when a virtual machine has compiled what it runs."""
    seconds: float
    cpu_seconds: float
    peak_rss_bytes: int
    wrong_panes: int
    """Panes of the output that differ from the answer; must be 0."""
    load_average: float


@dataclass(frozen=True, slots=True)
class Killed:
    """The same with one kill -9 in the middle."""

    at_share: float
    """Of the events, when it was killed."""
    resumed_s: float | None
    """From the kill to the first event after it; None where nothing was left to be read."""
    wrong_panes: int
    counted: int
    wanted: int
    """Releases in the output, and in the answer."""
    load_average: float


class Output:
    """What an engine has written: the newest record of each key, committed ones only."""

    def __init__(self, broker: BrokerOptions, topic: str) -> None:
        self._broker, self._topic = broker, topic
        self.last_at_s = 0.0
        """When the broker took the newest record."""

    def panes(self) -> Panes:
        """Return the panes as they stand."""
        return asyncio.run(self._panes())

    async def _panes(self) -> Panes:
        found: Panes = {}
        read = msgspec.json.Decoder(dict[str, int]).decode

        def keep(records: list[Record]) -> None:
            for record in records:
                self.last_at_s = max(self.last_at_s, record.timestamp_ms / 1000)
                if record.key is not None and record.value is not None:
                    pane = read(record.value)
                    found[_key(record.key, pane)] = [pane["n"], pane["s"]]

        async with reading(TopicReader(self._broker, self._topic)) as reader:
            await reader.read_to_end(keep)
        return summed(found, PANE_S)


class Bench:
    """Runs engines against one broker.

    Args:
        broker: How to reach it.
        topics: Where all events are, and where their first tenth is.
        answers: What both come to.
    """

    def __init__(
        self, broker: BrokerOptions, topics: dict[bool, str], answers: dict[bool, Expected]
    ) -> None:
        self._broker, self._topics, self._answers = broker, topics, answers
        self._number = 0

    def run(self, engine: Engine) -> Run:
        """Measure one run from the first event to the last, and to the last record written."""
        expected, load = self._answers[engine.whole], load_average()
        with tempfile.TemporaryDirectory(prefix="kpi-stream-benchmark-") as folder:
            job = _Job(self, engine, Path(folder), self._new_name())
            with job.process:
                job.until("LAST", _within_s(expected))
                job.end()
            said, panes = job.said(), job.output.panes()
        first = next(each for each in said if each.moment == "FIRST")
        last = next(each for each in said if each.moment == "LAST")
        half = min(
            (each for each in said if each.moment == "MARK"),
            key=lambda each: abs(each.events - expected.events / 2),
            default=first,
        )
        seconds = max(last.at_s, job.output.last_at_s) - first.at_s
        return Run(
            per_second=expected.events / seconds,
            per_cpu_second=expected.events / (last.cpu_s - first.cpu_s),
            warm_per_cpu_second=(expected.events - half.events) / (last.cpu_s - half.cpu_s),
            seconds=seconds,
            cpu_seconds=last.cpu_s - first.cpu_s,
            peak_rss_bytes=job.peak_rss_bytes,
            wrong_panes=differences(panes, expected.panes),
            load_average=load,
        )

    def kill(self, engine: Engine, share: float) -> Killed:
        """Kill an engine once it has read that share of the events, start it again, and check."""
        expected, load = self._answers[engine.whole], load_average()
        with tempfile.TemporaryDirectory(prefix="kpi-stream-benchmark-") as folder:
            job = _Job(self, engine, Path(folder), self._new_name())
            with job.process:
                job.until_events(share * expected.events, _within_s(expected))
                job.process.kill()
                killed_at_s = time.time()
                job.process.start()
                again = job.again(expected.panes)
                panes = settle(
                    job.output.panes,
                    expected.panes,
                    ended=lambda: engine.ends and not job.process.running,
                    quiet_s=_within_s(expected) if engine.ends else _QUIET_S,
                )
                job.check()
        return Killed(
            at_share=share,
            resumed_s=None if again is None else again.at_s - killed_at_s,
            wrong_panes=differences(panes, expected.panes),
            counted=sum(number for number, _ in panes.values()),
            wanted=expected.releases,
            load_average=load,
        )

    def _new_name(self) -> str:
        self._number += 1
        return f"peers.{os.getpid()}.{self._number}"

    def output(self, name: str) -> Output:
        """Create an empty topic for an engine's output."""
        settings = {"message.timestamp.type": "LogAppendTime", "retention.ms": "-1"}
        asyncio.run(create_topic(self._broker, name, settings))
        return Output(self._broker, name)

    def environment(self, engine: Engine, state: Path, name: str) -> dict[str, str]:
        """Return what counting.py documents."""
        expected = self._answers[engine.whole]
        return {
            "PEER_BROKERS": ",".join(self._broker.bootstrap_servers),
            "PEER_GROUP": name,
            "PEER_IN": self._topics[engine.whole],
            "PEER_OUT": f"{name}.out",
            "PEER_STATE": str(state),
            "PEER_EVENTS": str(expected.events),
            "PEER_RELEASES": str(expected.releases),
            # The product's own packages are not theirs.
            "PYTHONPATH": "",
            **engine.settings,
        }


class _Job:
    """The process of one run."""

    def __init__(self, bench: Bench, engine: Engine, folder: Path, name: str) -> None:
        state = folder / "state"
        state.mkdir()
        self._engine = engine
        self.output = bench.output(f"{name}.out")
        self.process = Process(
            on_its_core(engine.command(state)),
            log=folder / "log",
            env=bench.environment(engine, state, name),
            cwd=JOBS,
            dies_with_parent=True,
        )
        self.peak_rss_bytes = 0

    def said(self) -> list[Said]:
        """Return what it has said so far."""
        return [
            Said(moment, float(at), float(cpu), int(events), int(released))
            for moment, at, cpu, events, released in _LINE.findall(self.process.output())
        ]

    def until(self, moment: str, within_s: float, *, times: int = 1) -> None:
        """Wait until it has said that so many times."""

        def found() -> bool:
            return sum(each.moment == moment for each in self.said()) >= times

        self._wait(found, within_s, f"it says {moment}")

    def until_events(self, events: float, within_s: float) -> None:
        """Wait until it has read so many events."""
        self._wait(
            lambda: any(each.events >= events for each in self.said()),
            within_s,
            f"{events:,.0f} events are read",
        )

    def again(self, wanted: Panes) -> Said | None:
        """Return what it says at the first event after its second start.

        None where the output is right without: it had read everything before it was killed.
        """
        deadline = time.monotonic() + _QUIET_S
        while True:
            found = [each for each in self.said() if each.moment == "FIRST"]
            if len(found) > 1:
                return found[1]
            late = time.monotonic() > deadline or not self.process.running
            if late and not differences(self.output.panes(), wanted):
                return None
            if not self.process.running or time.monotonic() > deadline + _QUIET_S:
                msg = f"it reads nothing after the kill: {self.process.output()[-600:]}"
                raise RuntimeError(msg)
            time.sleep(_LOOK_S)

    def check(self) -> None:
        """Refuse one that has ended with an error: its output says nothing about the engine.

        Raises:
            RuntimeError: It has.
        """
        if not self.process.running and self.process.wait(within_s=1.0):
            msg = f"it ended with an error: {self.process.output()[-600:]}"
            raise RuntimeError(msg)

    def end(self) -> None:
        """Let it end, or end it in good order; one that does not is killed."""
        try:
            if self._engine.ends:
                self.process.wait(within_s=_STOP_S)
            else:
                self.process.terminate(within_s=_STOP_S)
        except TimeoutError:
            self.process.kill()

    def _wait(self, condition: Callable[[], bool], within_s: float, what: str) -> None:
        deadline = time.monotonic() + within_s
        while not condition():
            self.peak_rss_bytes = max(self.peak_rss_bytes, peak_rss_bytes(self.process.pid))
            ended = not self.process.running
            if (ended and not condition()) or time.monotonic() > deadline:
                why = "it ended" if ended else f"not within {within_s:.0f} s"
                msg = f"{why} before {what}: {self.process.output()[-600:]}"
                raise RuntimeError(msg)
            time.sleep(_LOOK_S)
        self.peak_rss_bytes = max(self.peak_rss_bytes, peak_rss_bytes(self.process.pid))


async def create_topic(broker: BrokerOptions, name: str, settings: dict[str, str]) -> None:
    """Create a topic with as many partitions as the events have."""
    admin = AIOKafkaAdminClient(bootstrap_servers=",".join(broker.bootstrap_servers))
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, PARTITIONS, 1, topic_configs=settings)])
    finally:
        await admin.close()


def settle(
    read: Callable[[], Panes],
    wanted: Panes,
    *,
    ended: Callable[[], bool] = lambda: False,
    quiet_s: float = _QUIET_S,
) -> Panes:
    """Wait until the output is right, or nothing more is to be expected of it; return it.

    Args:
        read: Returns the output as it stands.
        wanted: The answer.
        ended: Whether the engine has done all that it will do.
        quiet_s: How long the output may stay the same before that is taken as its last word.
    """
    before, since = read(), time.monotonic()
    while differences(before, wanted) and time.monotonic() - since < quiet_s:
        over = ended()
        time.sleep(1.0)
        now = read()
        if over:
            return now
        if now != before:
            before, since = now, time.monotonic()
    return before


def differences(one: Panes, other: Panes) -> int:
    """Return in how many panes the two differ."""
    return sum(1 for key in one.keys() | other.keys() if one.get(key) != other.get(key))


def peak_rss_bytes(pid: int) -> int:
    """Return the largest resident memory that a process has had so far; 0 once it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) * 1024 if found else 0


def _key(key: bytes, pane: dict[str, int]) -> str:
    """Return office and start; Quix writes the start, in milliseconds, into the value."""
    text = key.decode()
    return f"{text}|{pane['start'] // 1000}" if "start" in pane else text


def _within_s(expected: Expected) -> float:
    return 300 + expected.events / _SLOWEST_PER_S
