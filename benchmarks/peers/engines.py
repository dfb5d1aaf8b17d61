"""Which engines there are, what each promises, and how each is started."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.peers.install import JOBS, classpath, python_with

OURS = "kpi-stream"
FLOOR = "floor"

Command = Callable[[Path], list[str]]
"""From the folder for its state to what is run, after installing what that needs."""


@dataclass(frozen=True, slots=True)
class Engine:
    """One way of doing the job."""

    title: str
    """With its version."""
    promise: str
    """How it is set up to survive a crash."""
    command: Command
    settings: dict[str, str] = field(default_factory=dict)
    whole: bool = True
    """False: so slow that it gets the first tenth of the events."""
    ends: bool = False
    """It ends by itself once all events are counted."""
    killed: bool = True
    """Whether it makes sense to kill it: it has a state that survives."""


def _java(folder: str, main: str, *options: str) -> Command:
    def command(_: Path) -> list[str]:
        words = ["java", "-Xmx1g", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", *options]
        return [*words, "-cp", classpath(folder), main]

    return command


def _job(environment: str, script: str) -> Command:
    return lambda _: [str(python_with(environment)), str(JOBS / script)]


def _bytewax(snapshot_s: int) -> Command:
    def command(state: Path) -> list[str]:
        python = str(python_with("bytewax"))
        if not any(state.glob("*.sqlite3")):
            made = [python, "-m", "bytewax.recovery", str(state), "1"]
            subprocess.run(made, check=True, capture_output=True, timeout=120)
        words = [python, "-m", "bytewax.run", "bytewax_job:flow", "--recovery-directory"]
        words += [str(state), "--snapshot-interval", str(snapshot_s)]
        return [*words, "--backup-interval", "0"]

    return command


_OPENS = (
    "--add-opens=java.base/java.util=ALL-UNNAMED",
    "--add-opens=java.base/java.lang=ALL-UNNAMED",
)

ENGINES: dict[str, Engine] = {
    "flink": Engine(
        "Flink 2.2.1",
        "RocksDB, a checkpoint a second",
        _java("flink", "FlinkJob", *_OPENS),
        ends=True,
    ),
    "streams-eos": Engine(
        "Kafka Streams 4.3.1",
        "exactly_once_v2, a commit a second",
        _java("kafka_streams", "KafkaStreamsJob"),
        {"PEER_GUARANTEE": "exactly_once_v2"},
    ),
    "streams": Engine(
        "Kafka Streams 4.3.1",
        "at_least_once, a commit a second",
        _java("kafka_streams", "KafkaStreamsJob"),
        {"PEER_GUARANTEE": "at_least_once"},
    ),
    "bytewax": Engine("Bytewax 0.21.1", "a snapshot a second", _bytewax(1), ends=True),
    "bytewax-10s": Engine("Bytewax 0.21.1", "a snapshot every 10 s", _bytewax(10), ends=True),
    "quix": Engine(
        "Quix Streams 3.28.1",
        "at-least-once, a commit a second",
        _job("quix", "quix_job.py"),
        {"PEER_GUARANTEE": "at-least-once"},
    ),
    "quix-eos": Engine(
        "Quix Streams 3.28.1",
        "exactly-once, a commit a second",
        _job("quix", "quix_job.py"),
        {"PEER_GUARANTEE": "exactly-once"},
    ),
    "faust": Engine(
        "Faust 0.15.3 as it comes",
        "changelogs, a commit a second",
        lambda _: [sys.executable, str(JOBS / "faust_job.py")],
        whole=False,
    ),
    FLOOR: Engine(
        "floor: read, decode, a dictionary",
        "none: no state outlives it",
        _job("bytewax", "floor_job.py"),
        ends=True,
        killed=False,
    ),
}
"""All but the product itself, which is `OURS`."""

NAMES = (OURS, *ENGINES)
