"""The command line as a process of its own: what it loads, pipes, topics."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kpi_stream.adapters.embedded_broker import EmbeddedBroker
from tests.support.site import COMMAND, TOPICS, WITHIN_S, run


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
