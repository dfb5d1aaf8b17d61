"""What the README says is true: its commands run, its table, example and names are current."""

import csv
import io
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from kpi_stream.adapters.events.codec import EventCodec
from kpi_stream.adapters.simulator.csv_source import COLUMNS
from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.application.monitoring.conventions import all_names
from kpi_stream.bootstrap.generated import project_files, settings_table
from kpi_stream.cli import cli
from kpi_stream.settings import PREFIX, Settings
from tests.support.documents import (
    CONTRIBUTING,
    README,
    ROOT,
    blocks,
    code,
    commands,
    pages,
    run_script,
    unknown_words,
)

TEXT = README.read_text()
OFFLINE = blocks(README, "sh")
VARIABLES = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
RIGS = {"KPI_STREAM_REQUIRE", "KPI_STREAM_WIDE", "KPI_STREAM_DECLARATIONS"}
"""Variables of the tests, not of the product."""
COMPOSE = set(re.findall(r"\bKPI_STREAM_[A-Z_]+", (ROOT / ".env.example").read_text()))
"""Variables of the Compose file, some of them settings as well; tests/repo/test_compose_file.py."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all blocks, since a later one uses what an earlier one made."""
    return tmp_path_factory.mktemp("readme")


@pytest.fixture(scope="module")
def outputs(folder: Path) -> list[str]:
    """What each block that is marked `sh` prints."""
    printed = []
    for block in OFFLINE:
        result = run_script(block, folder)
        assert result.returncode == 0, f"{block}\n{result.stderr}"
        printed.append(result.stdout)
    return printed


def test_the_offline_commands_run_as_they_stand(outputs: list[str], folder: Path):
    """A file of events is simulated and read in three ways; a strategy is copied and checked."""
    assert (folder / "events.jsonl.gz").stat().st_size > 10_000
    assert (folder / "my-strategy" / "kpis.yaml").exists()
    readings = outputs[0]
    table, _, rest = readings.partition("kpi,window,dimension")
    assert "Release time, mean (TTLM)" in table
    assert "On track" in table
    rows, _, document = rest.partition("\n[")
    offices = list(csv.DictReader(io.StringIO(f"kpi,window,dimension{rows}")))
    assert {row["dimension"] for row in offices} == {"office"}
    assert {row["kpi"] for row in json.loads(f"[{document}")} == {"hit-rate"}
    assert all(row["as_of"] == "2026-06-15T17:00:00+00:00" for row in json.loads(f"[{document}"))


def test_a_block_that_fails_is_seen(folder: Path):
    """A block is run to its first failing command and no further."""
    assert run_script("kpi-stream check src/nowhere\ntouch went-on", folder).returncode == 2
    assert not (folder / "went-on").exists()


def test_every_offline_command_is_among_the_blocks():
    """The commands that need no broker are executed, not only mentioned."""
    blocks_of_all = OFFLINE + blocks(CONTRIBUTING, "sh")
    lines = [line for block in blocks_of_all for line in block.splitlines()]
    executed = {"check", "explain", "generate", "replay", "simulate", "whatif"}
    assert {words[0] for words in commands(lines)} == executed


@pytest.mark.parametrize("command", ["schema", "schema --output schemas", "check --json"])
def test_the_other_offline_commands_run(command: str, tmp_path: Path):
    """`schema` gives every type, on the screen or as files; `check --json` an empty list."""
    result = run_script(f"kpi-stream {command}", tmp_path)
    assert result.returncode == 0, result.stderr
    schemas = {path.name for path in (ROOT / "schemas").iterdir()}
    if "--output" in command:
        assert {path.name for path in (tmp_path / "schemas").iterdir()} == schemas
    elif command == "schema":
        assert {f"{name}.json" for name in json.loads(result.stdout)} == schemas
    else:
        assert json.loads(result.stdout) == []


def test_every_mentioned_command_and_option_exists():
    """Each `kpi-stream X --option` in the code of any page is known to the command line."""
    found = [(page.name, words) for page in pages() for words in commands(code(page))]
    assert len(found) > 20
    assert [(page, unknown_words(words)) for page, words in found if unknown_words(words)] == []


@pytest.mark.parametrize(
    "line", ["kpi-stream chek", "kpi-stream topics make", "kpi-stream check -z"]
)
def test_an_unknown_command_is_seen(line: str):
    """The look-up above finds a wrong command, subcommand and option."""
    (words,) = commands([f"$ KPI_STREAM_EPOCH=2 {line} | less"])
    assert unknown_words(words)


def test_every_command_has_a_row():
    """The table of commands has all of them and no others."""
    table = TEXT[TEXT.index("\n## Commands") : TEXT.index("\n## On your own Kafka")]
    rows = set(re.findall(r"^\| `kpi-stream ([a-z ]+?)(?: [\[A-Z].*?)?` \|", table, re.MULTILINE))
    assert rows == set(leaves(cli))


def leaves(group: click.Group, before: str = "") -> Iterator[str]:
    """Yield the full name of every command."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if not isinstance(command, click.Group) or command.invoke_without_command:
            yield f"{before}{name}"
        if isinstance(command, click.Group):
            yield from leaves(command, f"{before}{name} ")


def test_the_settings_table_is_generated():
    """The README holds the table that the settings give, and every generated file is current."""
    assert settings_table() in TEXT
    assert [path for path, text in project_files(ROOT).items() if path.read_text() != text] == []


def test_a_stale_table_is_found_and_repaired(tmp_path: Path):
    """`generate --check` fails on a change and writes nothing; `generate` repairs."""
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    stale = TEXT.replace("| `KPI_STREAM_EPOCH` |", "| `KPI_STREAM_ERA` |")
    assert stale != TEXT
    (tmp_path / "README.md").write_text(stale)
    root = ["--root", str(tmp_path)]
    assert CliRunner().invoke(cli, ["generate", "--check", *root]).exit_code == 1
    assert (tmp_path / "README.md").read_text() == stale
    assert CliRunner().invoke(cli, ["generate", *root]).exit_code == 0
    assert (tmp_path / "README.md").read_text() == TEXT
    assert CliRunner().invoke(cli, ["generate", "--check", *root]).exit_code == 0


def test_every_mentioned_variable_exists():
    """Each KPI_STREAM_X in a page is a setting, or belongs to Compose or to the tests."""
    named = {
        name for page in pages() for name in re.findall(r"KPI_STREAM_[A-Z_]+", page.read_text())
    }
    assert named - RIGS - COMPOSE <= VARIABLES
    assert set(re.findall(r"KPI_STREAM_[A-Z_]+", TEXT)) >= VARIABLES


def test_every_mentioned_metric_exists():
    """Each metric in a page is in the conventions; `name_*` stands for a family of units."""
    known = all_names()
    names = {
        name
        for page in pages()
        for name in re.findall(r"\bkpi_stream_[a-z_]+(?:\*|\b)", page.read_text())
    }
    assert len(names) > 15
    wrong = [
        name
        for name in names
        if not (
            any(each.startswith(name[:-1]) for each in known) if name[-1] == "*" else name in known
        )
    ]
    assert wrong == []


def test_the_example_is_an_event():
    """The JSON that producers are shown is accepted under its own subject as the key."""
    (example,) = blocks(README, "json")
    event = json.loads(example)
    strategy = load_strategy(packaged_strategy_path())
    codec = EventCodec(strategy.offices, skew_ms=300_000, max_bytes=65_536)
    received_ms = 1_893_456_000_000  # 2030
    decoded = codec.decode(event["subject"].encode(), example.encode(), received_ms)
    assert decoded.type.name == event["type"]
    assert f'"corrects": "{event["event_id"]}"' in TEXT


def test_the_columns_of_a_declarations_file_are_listed():
    """`make demo DECLARATIONS=FILE` reads the columns that the README lists."""
    (row,) = [line for line in TEXT.splitlines() if line.startswith("| `make demo DECLARATIONS")]
    assert set(re.findall(r"`([A-Z][\w ]+)`", row)) == set(COLUMNS)


def test_the_kinds_of_measure_are_listed():
    """The table of kinds has every kind that a strategy file can name."""
    from kpi_stream.domain.measures import MEASURES  # noqa: PLC0415

    table = TEXT[TEXT.index("| Kind | Gives |") : TEXT.index("adds one from end to end")]
    kinds = {
        kind
        for line in table.splitlines()[2:]
        for kind in re.findall(r"`([a-z_]+)`", line.split("|")[1] if "|" in line else "")
    }
    assert kinds == {*MEASURES, "not_measured"}


def test_the_environment_of_the_rig_is_clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A setting of whoever runs the tests does not reach the blocks."""
    monkeypatch.setitem(os.environ, "KPI_STREAM_STRATEGY", str(tmp_path / "nowhere"))
    assert run_script("kpi-stream check", tmp_path).returncode == 0
