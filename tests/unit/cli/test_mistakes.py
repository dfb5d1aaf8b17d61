"""Every command, with what people get wrong: exit code 1 or 2, words, and never a traceback."""

import os
import re
import shutil
from pathlib import Path

import click
import pytest

from kpi_stream import cli
from kpi_stream.adapters.embedded_broker import HOST
from kpi_stream.adapters.strategy_files import packaged_strategy_path
from tests.support.documents import README
from tests.support.ports import free_port
from tests.unit.cli.conftest import Run
from tests.unit.cli.test_help import PATHS

ARGUMENTS = {
    "replay": "events.jsonl",
    "explain": "release-time-mean --url http://127.0.0.1:1",
    "whatif": "--strategy {strategy} --events events.jsonl",
    "backfill": "events.jsonl -o history",
    "report": "--period 2026-06",
    "ingest": "events.jsonl",
    "healthcheck": "worker",
    "simulate": "--days 1 --per-day 1",
    "dlq show": "0:1",
    "dlq redrive": "--all",
    "completion": "bash",
}
"""What a command cannot do without."""
COMMANDS = [" ".join(each) for each in PATHS]
OF_KAFKA = (
    *("simulate", "worklist", "report", "topics init", "ingest", "worker", "scorecard", "rebuild"),
    *("dlq list", "dlq show", "dlq redrive"),
)
OF_A_STRATEGY = (
    *("simulate", "replay", "explain", "whatif", "worklist", "backfill", "report", "check"),
    *("ingest", "worker", "scorecard", "rebuild", "doctor", "doctor grafana", "generate", "demo"),
)
"""Those that read a strategy before anything else."""
WITHOUT_SETTINGS = {"schema", "completion"}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, with a file of events that holds none."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "events.jsonl").write_bytes(b'{"type": "unknown"}\n')
    monkeypatch.setenv("KPI_STREAM_WORKER_PORT", "0")
    monkeypatch.setenv("KPI_STREAM_SCORECARD_PORT", "0")
    return tmp_path


def words(command: str, strategy: str = "nowhere") -> list[str]:
    """Return the words of a command, with the arguments that it must have."""
    given = ARGUMENTS.get(command, "").format(strategy=strategy).split()
    return [*command.split(), *given]


def test_the_lists_above_name_commands() -> None:
    """One that was renamed would not be tested any more; a new one is, by `COMMANDS`."""
    for each in (*ARGUMENTS, *OF_KAFKA, *OF_A_STRATEGY, *WITHOUT_SETTINGS):
        assert each in COMMANDS, each


@pytest.mark.parametrize("command", [each for each in COMMANDS if each not in WITHOUT_SETTINGS])
def test_a_setting_that_is_wrong(
    kpi_stream: Run, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Named, with exit code 2, before anything is done."""
    monkeypatch.setenv("KPI_STREAM_PARTITIONS", "many")
    printed = kpi_stream(*words(command), code=2)
    assert "KPI_STREAM_PARTITIONS" in printed.out + printed.err
    assert [each.name for each in Path.cwd().iterdir()] == ["events.jsonl"]


@pytest.mark.parametrize("command", OF_A_STRATEGY)
@pytest.mark.parametrize("kind", ["missing", "a file", "binary"])
def test_a_strategy_that_cannot_be_read(
    kpi_stream: Run, monkeypatch: pytest.MonkeyPatch, here: Path, command: str, kind: str
) -> None:
    """A folder that is not there, that is none, or whose files are no text."""
    folder = here / "strategy"
    if kind == "a file":
        folder.write_text("strategy: true\n")
    elif kind == "binary":
        folder.mkdir()
        for name in ("strategy", "kpis", "targets", "objectives", "dimensions"):
            (folder / f"{name}.yaml").write_bytes(b"\xff\xfe\x00" + os.urandom(64))
    monkeypatch.setenv("KPI_STREAM_STRATEGY", str(folder))
    monkeypatch.setenv("KPI_STREAM_GRAFANA_URL", "http://127.0.0.1:1")
    printed = kpi_stream(*words(command, str(folder)), code=2)
    assert "strategy" in printed.out + printed.err


@pytest.mark.parametrize(
    "command", ["replay", "explain", "whatif", "backfill", "report", "ingest", "simulate"]
)
def test_a_file_that_cannot_be_read(kpi_stream: Run, here: Path, command: str) -> None:
    """One that is not there, and one that is no text; both are named."""
    (here / "noise.jsonl").write_bytes(b"\x00\xff" * 100 + b"\n")
    shutil.copytree(packaged_strategy_path(), here / "other")
    targets = here / "other" / "targets.yaml"
    targets.write_text(targets.read_text().replace("value: 30h", "value: 20h", 1))
    given = {
        "explain": "release-time-mean --events",
        "whatif": "--strategy other --events",
        "backfill": "-o history",
        "report": "--period 2026-06 --events",
        "simulate": "-o out.jsonl --declarations",
    }
    # What ingest rejects goes to Kafka's side of the work, and is another code.
    for name in ("missing.jsonl", "noise.jsonl")[: 1 if command == "ingest" else 2]:
        printed = kpi_stream(command, *given.get(command, "").split(), name, code=2)
        assert name in printed.err, printed


@pytest.mark.parametrize("command", OF_KAFKA)
def test_a_broker_that_is_away(
    kpi_stream: Run, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Exit code 1, its address, and the setting."""
    address = f"{HOST}:{free_port()}"
    monkeypatch.setenv("KPI_STREAM_BROKERS", address)
    said = kpi_stream(*words(command), code=1).err
    assert said.startswith(f"kpi-stream: no Kafka broker answers at {address} ")
    assert "KPI_STREAM_BROKERS" in said


@pytest.mark.parametrize("command", [*OF_KAFKA, "doctor"])
def test_a_password_file_that_cannot_be_read(
    kpi_stream: Run, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Exit code 2, and the variable that names it."""
    monkeypatch.setenv("KPI_STREAM_SECURITY_PROTOCOL", "SASL_SSL")
    monkeypatch.setenv("KPI_STREAM_SASL_USERNAME", "worker")
    monkeypatch.setenv("KPI_STREAM_SASL_PASSWORD_FILE", "nowhere")
    printed = kpi_stream(*words(command), code=2)
    assert "KPI_STREAM_SASL_PASSWORD_FILE: nowhere cannot be read" in printed.out + printed.err


@pytest.mark.parametrize("command", ["explain", "healthcheck"])
def test_a_service_that_is_away(kpi_stream: Run, command: str) -> None:
    """Exit code 1, and its address."""
    assert "no answer" in kpi_stream(*words(command), code=1).err


def _options(command: click.Command) -> dict[str, click.Option]:
    return {
        name: each
        for each in command.params
        if isinstance(each, click.Option)
        for name in each.opts
    }


def _command(path: list[str]) -> click.Command:
    command: click.Command = cli.cli
    for word in path:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), word)
        assert found is not None
        command = found
    return command


def test_one_thing_has_one_name() -> None:
    """An option of several commands has the same kind of value, and says the same about it."""
    seen: dict[str, tuple[str, str, str]] = {}
    for path in PATHS:
        for name, option in _options(_command(path)).items():
            kind = repr(option.type) if isinstance(option.type, click.Choice) else option.type.name
            here = (" ".join(path), kind, option.make_metavar(click.Context(cli.cli)))
            assert seen.setdefault(name, here)[1:] == here[1:] or name in _DIFFERENT, (name, here)
    helps = {
        (name, option.help)
        for path in PATHS
        for name, option in _options(_command(path)).items()
        if name in {"--office", "--grafana-url", "--runbook-url"}
    }
    assert len(helps) == 3, helps


_DIFFERENT = {"--output", "-o", "--limit", "--check", "--declarations"}
"""A file or a folder; at least nothing, or at least one."""


def test_the_readme_lists_the_commands_that_print_json() -> None:
    """A command in several parts is named as a whole where each of them does."""
    text = README.read_text()
    (sentence,) = re.findall(r"script reads, `--json`: (.*?); `schema`", text, re.DOTALL)
    listed = set(re.findall(r"`([a-z ]+)`", sentence))
    printing = {" ".join(each) for each in PATHS if "--json" in _options(_command(each))}
    parts = {each for each in printing if each.split()[0] in {"dlq", "doctor"}}
    assert listed == (printing - parts) | {"dlq", "doctor"}
    assert {each for each in COMMANDS if each.startswith(("dlq", "doctor"))} == parts


def test_the_readme_has_every_exit_code() -> None:
    """And the commands to which one of them means something of their own."""
    rows = re.findall(r"^\| (\d+) \| (.+?) \| (.*?) ?\|$", README.read_text(), re.MULTILINE)
    assert [int(code) for code, *_ in rows] == [0, 1, cli.WRONG_INPUT, cli.INTERRUPTED]
    named = {each for *_, of in rows for each in re.findall(r"`([a-z]+)", of)}
    assert named <= {*cli.COMMANDS, "generate"}
