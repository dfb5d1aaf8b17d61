"""`kpi-stream backfill`: what it writes and tells, and what it refuses."""

import gzip
import re
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics

from kpi_stream.application.monitoring import conventions as c
from kpi_stream.cli.backfill import backfill
from tests.support.documents import ROOT
from tests.unit.cli.conftest import UNTIL, Run

DAY_S = 86_400
UNTIL_S = 1_782_838_800
"""`UNTIL`, 2026-06-30T17:00Z."""
SHORT = ["--from", "2026-06-28T12:00:00", "--to", UNTIL, "--step", "12h"]


def times(text: str, family: c.Family = c.AS_OF) -> list[float]:
    """Return the times at which a family has samples, each once and ascending."""
    return sorted(
        {
            float(sample.timestamp)
            for each in openmetrics(text)
            if each.name == family.name
            for sample in each.samples
        }
    )


def test_it_writes_a_folder_of_blocks(kpi_stream: Run, events: Path, tmp_path: Path):
    """Instants are a step apart from the first on, the last one included."""
    printed = kpi_stream("backfill", events, *SHORT, "--output", tmp_path / "history")
    (file,) = (tmp_path / "history").iterdir()
    assert file.name == "20260628T170000Z.om"
    assert times(file.read_text()) == [UNTIL_S - DAY_S / 2 * each for each in (4, 3, 2, 1, 0)]
    assert printed.out == ""
    said = r"\d+ samples at 5 instants, 2026-06-28 17:00Z to 2026-06-30 17:00Z, in 1 file in .*"
    assert re.fullmatch(said, printed.err.splitlines()[-1])
    assert re.search(r"^\d{4} events taken, \d+ rejected \(\w+\)", printed.err, re.MULTILINE)


def test_the_same_text_goes_to_standard_output(kpi_stream: Run, events: Path, tmp_path: Path):
    """Data alone, so that it can go on through a pipe."""
    kpi_stream("backfill", events, *SHORT, "-o", tmp_path / "history")
    (file,) = (tmp_path / "history").iterdir()
    assert kpi_stream("backfill", events, *SHORT, "-o", "-").out == file.read_text()


def test_the_default_is_all_of_it(kpi_stream: Run, events: Path, tmp_path: Path):
    """From the local midnight before the first event, none before it, to the newest one."""
    printed = kpi_stream("backfill", events, "--step", "7d", "-o", tmp_path / "history")
    files = sorted((tmp_path / "history").iterdir())
    found = [at for file in files for at in times(file.read_text())]
    assert {at % DAY_S for at in found} == {5 * 3600}  # midnight in Lima
    assert {after - at for at, after in pairwise(found)} == {7 * DAY_S}
    assert len(found) == 7
    assert f"in {len(files)} files in" in printed.err


def test_the_instance_is_that_of_the_live_scorecard(kpi_stream: Run, events: Path):
    """Its series then go on in one line; another name can be given."""
    words = ["backfill", events, "--from", UNTIL, "--to", UNTIL, "-o", "-"]
    assert 'instance="scorecard:9100"' in kpi_stream(*words).out
    text = kpi_stream(*words, "--instance", "10.0.0.7:9100").out
    assert text.count('job="kpi-stream-scorecard",instance="10.0.0.7:9100"') > 100


def test_the_default_instance_is_what_prometheus_scrapes():
    """The labels of the past are those that deploy/prometheus/prometheus.yml gives the present."""
    config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    (job,) = [each for each in config["scrape_configs"] if each["job_name"] == c.SCORECARD_JOB]
    (option,) = [each for each in backfill.params if each.name == "instance"]
    assert job["static_configs"] == [{"targets": [option.default]}]
    assert not {"relabel_configs", "metric_relabel_configs"} & set(job)


def test_the_default_step_is_how_far_prometheus_looks_back():
    """Otherwise curves of the past would have gaps between two instants."""
    text = (ROOT / "docker-compose.yml").read_text()
    (option,) = [each for each in backfill.params if each.name == "step"]
    assert re.findall(r"--query\.lookback-delta=(\w+)", text) == [option.default]


def test_rejected_lines_are_named(kpi_stream: Run, events: Path, tmp_path: Path):
    """File and line, blank lines counted, the first few of many."""
    lines = gzip.decompress(events.read_bytes()).splitlines()[:400]
    good = [line for line in lines if b'"event_id"' in line]
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"\n".join([*good[:10], b"", b"{}", *good[10:], *[b"no json"] * 9]))
    words = ["--from", "2026-05-22", "--to", "2026-05-22", "-o", "-"]
    told = kpi_stream("backfill", file, *words).err
    named = re.findall(r"events\.jsonl: line (\d+): (.+)", told)
    assert int(named[0][0]) == 12
    assert len(named) == 5
    assert "9 rejected (not_json)" in told


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, events: Path) -> Path:
    """A folder with files of every sort, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    whole = gzip.compress(b'{"a": 1}\n' * 1000)
    (tmp_path / "cut.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "useless.jsonl").write_text('{"a": 1}\nno json\n')
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "good.jsonl.gz").symlink_to(events)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "old.om").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("nowhere.jsonl -o new", r"nowhere\.jsonl: there is no such file"),
        ("good.jsonl.gz nowhere.jsonl -o new", r"nowhere\.jsonl: there is no such file"),
        ("cut.jsonl.gz -o new", r"cut\.jsonl\.gz: line \d+: not a whole gzip file .*"),
        ("empty.jsonl -o new", r"empty\.jsonl: no event was accepted \(nothing is there\)"),
        ("useless.jsonl -o new", r"useless\.jsonl: .*1 unknown_type, 1 not_json.*"),
        ("good.jsonl.gz -o new --step 1", r"--step '1' is not a length .* 15m, 1h or 1d"),
        ("good.jsonl.gz -o new --step 0h", r"--step '0h' is not a length .*"),
        ("good.jsonl.gz -o new --to soon", r"--to 'soon' is not a time; write .*"),
        ("good.jsonl.gz -o new --to 2190-01-01", r"--to 2190-01-01 .* is not over yet; .*"),
        ("good.jsonl.gz -o new --to 2020-01-01", r"nothing lies between .* of 2026-05-11 .*"),
        ("good.jsonl.gz -o new --from 2026-07-02 --to 2026-07-01", r"nothing lies between .*"),
        ("good.jsonl.gz -o full", r"full: there is something already; .*"),
        ("good.jsonl.gz -o good.jsonl.gz", r"good\.jsonl\.gz: there is something already; .*"),
        ("good.jsonl.gz -o empty.jsonl/new", r"empty\.jsonl/new: cannot be written: .*"),
    ],
)
def test_a_mistake_is_named_in_one_line(kpi_stream: Run, there: Path, words: str, said: str):
    """The line says what is wrong; nothing is written."""
    printed = kpi_stream("backfill", *words.split(), code=2)
    assert re.fullmatch(rf"kpi-stream: {said}\n", printed.err), printed.err
    assert printed.out == ""
    assert not list(there.glob("new*"))
