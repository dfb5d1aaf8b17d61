"""The command line as a process of its own: start, pipes, brokers that are not there."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kpi_stream.adapters.embedded_broker import HOST, EmbeddedBroker, free_port
from kpi_stream.adapters.kafka.topics import missing_topics
from kpi_stream.application.ports import BrokerOptions
from tests.support.site import COMMAND, TOPICS, WITHIN_S, run

ON_KAFKA = ("topics init", "ingest", "simulate --days 1 --per-day 1", "worker", "scorecard")


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of events with many series."""
    path = tmp_path_factory.mktemp("cli") / "events.jsonl.gz"
    run("simulate", "--days", "40", "--per-day", "15", "-o", path)
    return path


LOADED = """
import sys
from kpi_stream.cli import main
sys.argv = ["kpi-stream", *sys.argv[1:]]
try:
    main()
finally:
    print(*sys.modules, file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("words", "spared"),
    [
        ("--help", {"faust", "kafka", "aiokafka", "numpy", "pydantic", "rich", "yaml"}),
        ("--version", {"faust", "kafka", "aiokafka", "numpy", "pydantic", "rich", "yaml"}),
        ("check", {"faust", "kafka", "aiokafka", "numpy"}),
        ("replay --help", {"faust", "kafka", "aiokafka"}),
        ("topics init --help", {"faust", "kafka", "aiokafka", "numpy"}),
        ("worker --help", {"faust", "kafka", "aiokafka", "numpy"}),
        ("demo --help", {"faust", "kafka", "aiokafka", "numpy"}),
    ],
)
def test_a_command_loads_only_what_it_needs(words: str, spared: set[str]) -> None:
    """Faust alone takes as long as a small check."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *words.split()], capture_output=True, text=True, check=True
    )
    loaded = done.stderr.split()
    assert "click" in loaded
    assert spared & set(loaded) == set()


@pytest.mark.parametrize("form", ["json", "csv", "table"])
def test_a_reader_that_has_seen_enough_ends_it_silently(events: Path, form: str) -> None:
    """`kpi-stream replay ... | head` says nothing about the pipe."""
    # 160 kB or more wait for the reader, a pipe holds 64.
    words = ["--dimension", "office"] if form == "table" else []
    with subprocess.Popen(
        [*COMMAND, "replay", events, "--format", form, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "300"},
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()
        assert process.wait(WITHIN_S) in {0, 1}
    assert re.fullmatch(r"(\d+ events: .*\n)?", said)


@contextmanager
def started(
    commands: tuple[str, ...], env: dict[str, str], file: Path
) -> Iterator[dict[str, subprocess.Popen[str]]]:
    """Run commands at the same time."""
    ports = {"KPI_STREAM_WORKER_PORT": "0", "KPI_STREAM_SCORECARD_PORT": "0"}
    found = {
        words: subprocess.Popen(
            [*COMMAND, *words.split(), *([str(file)] if words == "ingest" else [])],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **ports, **env},
        )
        for words in commands
    }
    try:
        yield found
    finally:
        for each in found.values():
            each.kill()
            each.communicate()


def test_a_broker_that_is_not_there_is_named(events: Path) -> None:
    """Exit code 1 after a few seconds, and what to do."""
    address = f"{HOST}:{free_port()}"
    with started(ON_KAFKA, {"KPI_STREAM_BROKERS": address}, events) as commands:
        for words, process in commands.items():
            out, err = process.communicate(timeout=WITHIN_S)
            assert (process.returncode, out) == (1, ""), f"{words}\n{err}"
            assert re.fullmatch(
                rf"kpi-stream: no Kafka broker answers at {address} \(.*\); "
                r"start it, or name yours in KPI_STREAM_BROKERS .*\n",
                err,
            ), words


def test_topics_that_are_not_there_are_named_and_not_made(
    embedded_broker: EmbeddedBroker, events: Path
) -> None:
    """Exit code 2 and how to make them; a topic made by accident would have one partition."""
    address = embedded_broker.bootstrap
    with started(ON_KAFKA[1:], {"KPI_STREAM_BROKERS": address}, events) as commands:
        for words, process in commands.items():
            out, err = process.communicate(timeout=WITHIN_S)
            assert (process.returncode, out) == (2, ""), f"{words}\n{err}"
            assert re.fullmatch(
                r"kpi-stream: Kafka .* has no topic .*kpi-stream topics init\n", err
            )
    missing = missing_topics(BrokerOptions((address,)), [TOPICS.events, TOPICS.rows])
    assert missing == [TOPICS.events, TOPICS.rows]


def test_topics_are_made_once_and_checked_ever_after(events: Path) -> None:
    """Created, then found; another number of partitions is refused with exit code 1."""
    with EmbeddedBroker() as broker:
        env = {"KPI_STREAM_BROKERS": broker.bootstrap}
        made = run("topics", "init", env=env)
        assert set(made.stdout.splitlines()) == {f"{name}: created" for name in vars_of_topics()}
        found = run("topics", "init", env=env)
        assert set(found.stdout.splitlines()) == {f"{name}: exists" for name in vars_of_topics()}
        refused = run("topics", "init", env={**env, "KPI_STREAM_PARTITIONS": "7"}, code=1)
        assert re.search(r"customs\.events: has 4 partitions, 7 are needed: .*", refused.stderr)
        # A file goes in, and the report is for people.
        sent = run("ingest", events, env=env)
        assert sent.stdout == ""
        assert re.search(r"^\d{4,} events sent, ", sent.stderr, re.MULTILINE)
        again = run("ingest", events, env=env)
        assert again.stderr == f"{events} was sent whole before; --restart sends it again\n"


def vars_of_topics() -> list[str]:
    """Return the names of all topics."""
    return [getattr(TOPICS, field) for field in TOPICS.__dataclass_fields__]


def test_the_module_is_the_command() -> None:
    """`python -m kpi_stream` prints the same as `kpi-stream`."""
    program = Path(sys.executable).with_name("kpi-stream")
    done = subprocess.run([program, "check", "--json"], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == json.loads(run("check", "--json").stdout) == []
