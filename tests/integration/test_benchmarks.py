"""The benchmarks run from end to end, at a scale that measures nothing."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.kafka import KafkaMissing, kafka_jars
from tests.support.processes import Process
from tests.support.required import missing

pytestmark = [pytest.mark.kafka, pytest.mark.long]
ROOT = Path(__file__).parents[2]
_WITHIN_S = 800.0

Measure = Callable[..., dict[str, Any]]


@pytest.fixture
def measure(tmp_path: Path) -> Measure:
    """Run one benchmark as the command does, and return what it keeps."""
    try:
        kafka_jars()
    except KafkaMissing as err:
        missing("kafka", str(err))

    def run(name: str, *options: str) -> dict[str, Any]:
        output = tmp_path / "results.json"
        command = [sys.executable, "-m", "benchmarks", name, "--output", str(output), *options]
        with Process(command, log=tmp_path / "log", cwd=ROOT, dies_with_parent=True) as process:
            code = process.wait(within_s=_WITHIN_S)
            assert code == 0, process.output()[-3_000:]
        kept: dict[str, Any] = json.loads(output.read_text())[name]
        assert kept["exact"]
        assert kept["tables"]
        return kept

    return run


def test_peers(measure: Measure):
    """The product and plain Faust do the same job; ours is exact, also after kill -9."""
    options = ("--scale", "0.005", "--runs", "1", "--engines", "kpi-stream,faust")
    engines = measure("peers", *options)["runs"]["engines"]
    assert {name: each["missing"] for name, each in engines.items()} == {
        "kpi-stream": "",
        "faust": "",
    }
    for each in engines.values():
        (run,) = each["runs"]
        assert run["wrong_panes"] == 0
        assert run["per_cpu_second"] > 0
        assert run["peak_rss_bytes"] > 10 << 20
    (killed,) = engines["kpi-stream"]["killed"]
    assert killed["wrong_panes"] == 0
    assert killed["counted"] == killed["wanted"] == 1_000


def test_latency(measure: Measure):
    """Every probe is seen, at every rate and interval, none before it was appended."""
    runs = measure("latency", "--scale", "0.05", "--runs", "1")["runs"]["runs"]
    assert len({(run["wanted_per_second"], run["interval_s"]) for run in runs}) == len(runs) == 6
    for run in runs:
        assert 0 < run["p50_s"] <= run["p99_s"] <= run["longest_s"]
        assert run["poll_s"] > 0


def test_recovery(measure: Measure):
    """The state is read back whole, and the new events are counted."""
    runs = measure("recovery", "--scale", "0.001", "--runs", "1")["runs"]["runs"]
    assert [run["declarations"] for run in runs] == [10, 100, 1_000]
    for run in runs:
        assert run["records"] >= run["declarations"]
        assert run["started_s"] <= run["first_s"] <= run["all_s"]


def test_scaling(measure: Measure):
    """One, two and four workers come to the same rows; all sizes are measured."""
    runs = measure("scaling", "--scale", "0.002", "--runs", "1")["runs"]
    assert [(run["workers"], run["differing_rows"]) for run in runs["workers"]] == [
        (1, 0),
        (2, 0),
        (4, 0),
    ]
    assert [run["size"] for run in runs["open declarations"]] == [20, 200, 2_000]
    assert [run["size"] for run in runs["KPIs"]] == [5, 10, 25, 50, 100]


def test_a_year(measure: Measure):
    """Two shares are replayed; the whole is called extrapolated."""
    kept = measure("year", "--scale", "0.001")
    half, whole = kept["runs"]["replays"]
    assert half["events"] * 1.8 < whole["events"] < half["events"] * 2.2
    (table,) = kept["tables"]
    assert "extrapolated" in table["rows"][-1][0]
    assert "measured" in table["rows"][0][0]
