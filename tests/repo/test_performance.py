"""The page of figures is what the kept results give, and says what it has to."""

import json
import re
import xml.etree.ElementTree as ET
from typing import Any

import pytest

from benchmarks import report
from benchmarks.__main__ import BENCHMARKS
from benchmarks.losses import losses
from benchmarks.plots import Bar, bars, lines
from tests.support.documents import ROOT

KEPT = json.loads(report.RESULTS.read_text())
PAGE = report.rendered(KEPT)[report.PAGE]


def test_the_page_and_its_pictures_are_those_of_the_results():
    """Nobody writes them by hand, and none is left over: python -m benchmarks report."""
    files = report.rendered(KEPT)
    stale = [str(path) for path, text in files.items() if (ROOT / path).read_text() != text]
    assert stale == []
    pictures = {path.relative_to(ROOT) for path in (ROOT / report.IMAGES).glob("performance-*")}
    assert pictures == {path for path in files if path.suffix == ".svg"}


def test_the_report_writes_them(tmp_path):
    """The command writes every file, and removes a picture of what is gone."""
    (tmp_path / report.IMAGES).mkdir(parents=True)
    gone = tmp_path / report.IMAGES / "performance-gone.svg"
    gone.write_text("<svg/>")
    report.write(tmp_path)
    assert (tmp_path / report.PAGE).read_text() == PAGE
    assert not gone.exists()


def test_every_benchmark_has_a_place_on_the_page():
    """What is measured is shown, and what was not measured is named."""
    assert set(report.SECTIONS) == set(BENCHMARKS)
    for name, (heading, _) in report.SECTIONS.items():
        assert (f"## {heading}" in PAGE) == (name in KEPT)
        assert (f"`{name}`" in PAGE.partition("## Not in these results")[2]) == (name not in KEPT)


def test_the_machine_and_its_load_are_named():
    """Whoever compares knows what the figures come from."""
    for kept in KEPT.values():
        assert kept["machine"]["processor"] in PAGE
    assert "load average" in PAGE
    assert "## Where we lose" in PAGE


def test_how_to_run_them_lists_each_with_its_time():
    """The table of benchmarks/README.md is the command's."""
    text = (ROOT / "benchmarks" / "README.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \|", text, re.MULTILINE)
    assert rows == [(name, str(each.minutes)) for name, each in BENCHMARKS.items()]


def engine(per_cpu_second: float, peak: float, resumed_s: float) -> dict[str, Any]:
    """Return what is kept of an engine."""
    run = {
        "per_cpu_second": per_cpu_second,
        "warm_per_cpu_second": per_cpu_second * 1.5,
        "peak_rss_bytes": peak,
    }
    return {"runs": [run], "killed": [{"resumed_s": resumed_s}]}


def test_what_is_lost_to_a_peer_is_said():
    """A peer that is faster, smaller or sooner is named; one that is not, is not."""
    ours = engine(160_000, 300 << 20, 8.0)
    slow = {"kpi-stream": ours, "faust": engine(3_800, 400 << 20, 9.0)}
    assert losses({"peers": {"runs": {"engines": slow}}}) == []
    fast = {"kpi-stream": ours, "streams-eos": engine(120_000, 200 << 20, 3.0)}
    said = losses({"peers": {"runs": {"engines": fast}}})
    assert [
        re.search(r"(once it is warm|beaten 1\.3|less memory|sooner)", each)[1] for each in said
    ] == [
        "once it is warm",
        "beaten 1.3",
        "less memory",
        "sooner",
    ]


def test_a_slower_machine_than_that_of_the_aims_is_said():
    """Whoever compares with an aim knows by how much the machine differs."""
    engines = {"kpi-stream": engine(160_000, 1, 8.0), "floor": engine(150_800, 1, 8.0)}
    said, *_ = losses({"peers": {"runs": {"engines": engines}}})
    assert "377,000 events/CPU-second, 2.5 times as many as the 150,800 here" in said
    engines["floor"] = engine(377_000, 1, 8.0)
    assert not any("Aims in" in each for each in losses({"peers": {"runs": {"engines": engines}}}))


def test_a_missed_aim_is_said():
    """An aim of our own that is not reached is named with both figures."""
    late = {"interval_s": 1.0, "wanted_per_second": 1_000, "p99_s": 1.4}
    (said,) = losses(
        {"latency": {"runs": {"runs": [late, late | {"interval_s": 0.25, "p99_s": 0.7}]}}}
    )
    assert "1.40 s (p99) at 1,000 events/s, evaluated every 1 s" in said
    read = {"declarations": 10, "per_second": 90_000, "all_s": 9.0, "reading_s": 3.0}
    assert len(losses({"recovery": {"runs": {"runs": [read]}}})) == 2
    assert len(losses({"worker": {"runs": {"packaged strategy": [{"per_second": 69_000}]}}})) == 1
    starts = [{"counted_s": 4.9}, {"counted_s": 5.6}]
    (said,) = losses({"restart": {"runs": {"a name of its own, X": starts, "no name, X": starts}}})
    assert (
        "a name of its own, X: 1 of 2 counted again later than after 5 s, at most after 5.6" in said
    )


def test_bars_are_as_long_as_their_values():
    """From zero, in one scale, with the product's own in a colour of its own."""
    picture = bars("A title & more", [Bar("one", 200.0), Bar("two", 50.0, own=True)])
    root = ET.fromstring(picture)  # noqa: S314  (our own text)
    found = [e for e in root.iter("{http://www.w3.org/2000/svg}rect") if e.get("class") != "page"]
    assert float(found[0].get("width", 0)) == pytest.approx(4 * float(found[1].get("width", 0)))
    assert [each.get("class") for each in found] == ["bar", "own"]
    assert root.findtext("{http://www.w3.org/2000/svg}title") == "A title & more"


def test_lines_go_where_their_points_are():
    """Logarithmic across, linear and from zero upwards."""
    points = [(10.0, 0.0), (100.0, 2.0), (1_000.0, 4.0)]
    root = ET.fromstring(lines("T", {"a": points}, across="x", up="y"))  # noqa: S314  (as above)
    circles = [e for e in root.iter("{http://www.w3.org/2000/svg}circle") if e.get("r") == "4"]
    x, y = ([float(each.get(axis, 0)) for each in circles] for axis in ("cx", "cy"))
    assert x[1] - x[0] == pytest.approx(x[2] - x[1], abs=0.2)
    assert y[0] - y[1] == pytest.approx(y[1] - y[2], abs=0.2)
    assert y[2] < y[0]
