"""A user's mistake gives one clear message and exit code 2, never a traceback."""

import gzip
import json
import re
import shutil
from pathlib import Path

import pytest

from kpi_stream.adapters.strategy_files import packaged_strategy_path
from kpi_stream.cli import offline
from tests.unit.cli.conftest import Run


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with wrong files, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    whole = gzip.compress(b'{"a": 1}\n' * 1000)
    (tmp_path / "cut.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "unpacked.jsonl.gz").write_bytes(b"{}\n")
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "useless.jsonl").write_text('{"a": 1}\nno json\n')
    (tmp_path / "good.jsonl").touch()
    (tmp_path / "wrong.csv").write_text("Date,Office\n")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("replay nowhere.jsonl", r"nowhere\.jsonl: there is no such file"),
        ("replay cut.jsonl.gz", r"cut\.jsonl\.gz: line \d+: not a whole gzip file .*copy it again"),
        ("replay unpacked.jsonl.gz", r"unpacked\.jsonl\.gz: line 1: not a whole gzip file .*"),
        ("replay empty.jsonl", r"empty\.jsonl: no event was accepted \(the file is empty\)"),
        ("replay useless.jsonl", r"useless\.jsonl: .*1 unknown_type, 1 not_json.*"),
        ("replay good.jsonl --kpi nothing", r"--kpi 'nothing' .*; one of aeo-.*, user-.*"),
        ("replay good.jsonl --window 9d", r"--window '9d' .*; one of 12m, .*24h.*"),
        ("replay good.jsonl --dimension hue", r"--dimension 'hue' .*; one of .*national.*"),
        ("replay good.jsonl --as-of yesterday", r"--as-of 'yesterday' is not a time; write .*"),
        ("replay good.jsonl --as-of 0001-01-01", r"--as-of '0001-01-01' is not in the years .*"),
        ("replay good.jsonl --strategy nowhere", r"nowhere: is not a readable folder.*"),
        ("simulate --until noon -o new.jsonl", r"--until 'noon' is not a time; write .*"),
        ("simulate --days 1 -o nowhere/new.jsonl", r"nowhere/new\.jsonl: cannot be written: .*"),
        ("simulate --live -o new.jsonl", r"--live sends to Kafka; leave out --output, or --live"),
        ("simulate --declarations nowhere.csv -o new.jsonl", r"nowhere\.csv: no such file"),
        ("simulate --declarations wrong.csv -o new.jsonl", r"wrong\.csv: line 1: no column .*"),
        ("ingest nowhere.jsonl", r"nowhere\.jsonl: there is no such file"),
        ("ingest wrong.csv --mapping no.yaml", r"no\.yaml: there is no such file"),
        ("schema -o good.jsonl/new", r"good\.jsonl/new: cannot be written: .*"),
        ("generate --root nowhere", r"nowhere/README\.md: cannot be read: .*--root"),
    ],
)
def test_it_is_named_in_one_line(kpi_stream: Run, there: Path, words: str, said: str) -> None:
    """The line says what is wrong, where the choice is small what would be right."""
    printed = kpi_stream(*words.split(), code=2)
    assert re.fullmatch(rf"kpi-stream: {said}\n", printed.err), printed.err
    assert printed.out == ""
    assert not (there / "new.jsonl").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("teleport", r"No such command 'teleport'; one of demo, .*completion"),
        ("replay", r"Missing argument 'FILE'\."),
        ("replay good.jsonl --fromat csv", r"No such option.*--fromat.*--format.*"),
        ("replay good.jsonl --format xml", r".*'xml' is not one of 'table', 'json', 'csv'\."),
        ("simulate --late 2", r".*--late.*2\.0 is not in the range 0<=x<=1\."),
        ("simulate --days 0", r".*--days.*0 is not in the range x>=1\."),
        ("check good.jsonl", r".*'good\.jsonl' is a file\."),
        ("doctor --json grafana", r"put the options behind grafana"),
        ("completion tcsh", r".*'tcsh' is not one of 'bash', 'zsh', 'fish'\."),
        ("demo --port 99999", r".*--port.*99999 is not in the range 1<=x<=65535\."),
    ],
)
@pytest.mark.usefixtures("there")
def test_a_wrong_word_is_named_with_the_usage(kpi_stream: Run, words: str, said: str) -> None:
    """Usage, where to find help, and the error."""
    printed = kpi_stream(*words.split(), code=2)
    assert re.fullmatch(rf"Usage: .*\nTry .*\n\nError: {said}\n", printed.err), printed.err
    assert printed.out == ""


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"PARTITIONS": "zero"}, [r"KPI_STREAM_PARTITIONS: .*integer.* \(got 'zero'\)"]),
        (
            {"FLUSH_INTERVAL_S": "-1", "LOG_LEVEL": "LOUD"},
            [
                r"KPI_STREAM_FLUSH_INTERVAL_S: .*greater than 0.*",
                r"KPI_STREAM_LOG_LEVEL: .*'LOUD'.*",
            ],
        ),
    ],
)
@pytest.mark.parametrize("words", ["check", "topics init", "worker", "scorecard", "demo --once"])
def test_a_wrong_setting_names_its_variable(
    kpi_stream: Run,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    said: list[str],
    words: str,
) -> None:
    """Every one of them, whatever the command."""
    for name, value in variables.items():
        monkeypatch.setenv(f"KPI_STREAM_{name}", value)
    printed = kpi_stream(*words.split(), code=2)
    lines = printed.err.removeprefix("kpi-stream: ").splitlines()
    assert len(lines) == len(said)
    assert all(re.fullmatch(*each) for each in zip(said, lines, strict=True))


@pytest.mark.parametrize("address", ["kafka", "kafka:port", "", "kafka-1:9092,,kafka-2:9092"])
@pytest.mark.parametrize("words", ["topics init", "simulate --days 1"])
def test_a_broker_without_a_port_is_refused(
    kpi_stream: Run, monkeypatch: pytest.MonkeyPatch, address: str, words: str
) -> None:
    """The variable is named, and how an address looks."""
    monkeypatch.setenv("KPI_STREAM_BROKERS", address)
    said = kpi_stream(*words.split(), code=2).err
    assert re.fullmatch(r"kpi-stream: KPI_STREAM_BROKERS: .* should be host:port, .*\n", said)


@pytest.fixture
def wrong_strategy(tmp_path: Path) -> Path:
    """The packaged strategy with three mistakes in two files."""
    folder = tmp_path / "strategy"
    shutil.copytree(packaged_strategy_path(), folder)
    for name, right, wrong in (
        ("targets.yaml", "kpi: release-time-mean", "kpi: release-time-maen"),
        ("objectives.yaml", "perspective: society", "perspective: sosiety"),
        ("objectives.yaml", "causes: [service-quality]", "causes: [servise-quality]"),
    ):
        path = folder / name
        text = path.read_text()
        assert right in text
        path.write_text(text.replace(right, wrong, 1))
    return folder


def test_check_lists_every_problem(kpi_stream: Run, wrong_strategy: Path) -> None:
    """Problems are data: one a line, or as JSON; how many there are is for people."""
    printed = kpi_stream("check", wrong_strategy, code=2)
    for wrong in ("release-time-maen", "sosiety", "servise-quality"):
        assert re.search(rf"^(targets|objectives)\.yaml: .*{wrong}", printed.out, re.MULTILINE)
    lines = printed.out.splitlines()
    assert printed.err == f"{len(lines)} problems in {wrong_strategy}\n"
    problems = json.loads(kpi_stream("check", wrong_strategy, "--json", code=2).out)
    assert [f"{p['file']}: {p['path']}: {p['message']}" for p in problems] == lines


def test_the_other_commands_list_every_problem_too(
    kpi_stream: Run, there: Path, wrong_strategy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They do nothing with such a strategy."""
    problems = kpi_stream("check", wrong_strategy, code=2).out
    monkeypatch.setenv("KPI_STREAM_STRATEGY", str(wrong_strategy))
    for words in ("replay good.jsonl", "simulate -o new.jsonl", "worker", "demo"):
        printed = kpi_stream(*words.split(), code=2)
        assert printed.err == f"kpi-stream: {problems}"
        assert printed.out == ""
    assert not (there / "new.jsonl").exists()


def test_a_right_strategy_prints_no_problem(kpi_stream: Run) -> None:
    """The packaged one: nothing on standard output, or an empty list, and exit code 0."""
    printed = kpi_stream("check")
    assert printed.out == ""
    assert re.search(r"\d+ KPIs, .*: no problems\n$", printed.err)
    assert json.loads(kpi_stream("check", "--json").out) == []


def test_ctrl_c_ends_a_command_without_words(
    kpi_stream: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 130, as shells have it."""

    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(offline, "load_strategy", interrupted)
    assert kpi_stream("check", code=130).err.strip() == ""
