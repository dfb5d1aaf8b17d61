"""`whatif`: every instant against a replay of its own, the table, the picture, the mistakes."""

import gzip
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from kpi_stream.adapters.strategy_files import packaged_strategy_path
from tests.unit.cli.conftest import Run

KPI = "release-time-mean"
SHARE = "released-within-48h"


def changed(folder: Path, file: str, entry: str, old: str, new: str) -> None:
    """Replace a text in one entry of a file."""
    path = folder / file
    text = path.read_text(encoding="utf-8")
    begin = text.index(entry)
    at = text.index(old, begin)
    path.write_text(text[:at] + new + text[at + len(old) :], encoding="utf-8")


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packaged strategy with one target and one definition decided anew."""
    folder = tmp_path_factory.mktemp("trial") / "strategy"
    shutil.copytree(packaged_strategy_path(), folder)
    changed(folder, "targets.yaml", f"id: {KPI}-2026", "value: 30h", "value: 24h")
    changed(folder, "kpis.yaml", f"id: {SHARE}", "limit: 48h", "limit: 36h")
    changed(folder, "kpis.yaml", f"id: {SHARE}", "minimum_sample: 30", "minimum_sample: 5")
    return folder


@pytest.fixture
def told(kpi_stream: Run, events: Path, trial: Path) -> dict[str, Any]:
    """What is said as JSON, of every day."""
    words = ("whatif", "--strategy", trial, "--events", events, "--every", "1d", "--json")
    found: dict[str, Any] = json.loads(kpi_stream(*words).out)
    return found


def replayed(run: Run, events: Path, strategy: Path, at: str, kpi: str) -> dict[tuple, dict]:
    """Return what `replay` says of a KPI at an instant, by window, dimension and member."""
    words = ("replay", events, "--strategy", strategy, "--as-of", at, "--kpi", kpi)
    rows = json.loads(run(*words, "--format", "json").out)
    return {(row["window"], row["dimension"], row["member"]): row for row in rows}


def test_every_series_says_what_two_replays_say(
    kpi_stream: Run, events: Path, trial: Path, told: dict[str, Any]
):
    """Value, expectation and status of today and of the trial, with the whole strategies."""
    instants = [told["instants"][at] for at in (3, 17, 31, -1)]
    assert {(each["kpi"], each["dimension"]) for each in told["series"]} == {
        (KPI, "national"),
        (SHARE, "national"),
        (SHARE, "office"),
    }
    values = 0
    for side, strategy in (("today", packaged_strategy_path()), ("other", trial)):
        for kpi in (KPI, SHARE):
            for at in instants:
                wanted = replayed(kpi_stream, events, strategy, at, kpi)
                for series in told["series"]:
                    key = (series["window"], series["dimension"], series["member"])
                    if series["kpi"] != kpi or series[side] is None:
                        continue
                    points = {each["at"]: each for each in series[side]["points"]}
                    point, row = points.get(at), wanted.get(key)
                    if point is None or row is None or row["status"] is None:
                        # A member without data now, which had some before or will have.
                        assert point is None or point["status"] == "no_data"
                        assert row is None or row["value"] is None
                        continue
                    assert {name: point[name] for name in ("value", "expected", "status")} == {
                        name: row[name] for name in ("value", "expected", "status")
                    }, (side, at, key)
                    values += point["value"] is not None
    assert values > 20


def test_the_counts_are_those_of_the_points(told: dict[str, Any]):
    """Shares, breaches, runs and the first one, counted once more."""
    for series in told["series"]:
        for side in (series["today"], series["other"]):
            if side is None:
                continue
            statuses = [each["status"] for each in side["points"]]
            text = "".join("x" if each == "off_track" else "." for each in statuses)
            assert side["breaches"] == text.count("x")
            assert side["alerts"] == len(re.findall("x+", text))
            first = text.find("x")
            assert side["first_breach"] == (None if first < 0 else side["points"][first]["at"])
            for status in ("on_track", "at_risk", "off_track", "no_data"):
                assert side[status] == statuses.count(status) / len(statuses)
    assert any(series["today"] and series["today"]["alerts"] for series in told["series"])


def test_the_table_and_the_picture_say_the_same(
    kpi_stream: Run, events: Path, trial: Path, told: dict[str, Any], tmp_path: Path
):
    """Two lines a series, in the strategy's language; the file needs nothing beside it."""
    picture = tmp_path / "trial.html"
    words = ("whatif", "--strategy", trial, "--events", events, "--every", "1d")
    printed = kpi_stream(*words, "--html", picture)
    assert re.search(r"^\d+ instants, 2026-\d\d-\d\d .* to 2026-06-\d\d", printed.err)
    assert max(map(len, printed.out.splitlines())) <= 100
    html = picture.read_text(encoding="utf-8")
    assert '<html lang="es">' in html
    assert not re.search(r"<script|https?://|@import|url\(", html)
    with_data = [
        each
        for each in told["series"]
        if any(
            p["value"] is not None for s in ("today", "other") if each[s] for p in each[s]["points"]
        )
    ]
    assert html.count("<svg ") == len(with_data)
    assert len(re.findall(r"^.*\bprueba\b", printed.out, re.MULTILINE)) == len(with_data)
    silent = len(told["series"]) - len(with_data)
    assert f"{silent} más sin datos" in printed.out
    (mean,) = [each for each in with_data if each["kpi"] == KPI]
    for side in ("today", "other"):
        cells = f"<td>{mean[side]['breaches']}</td><td>{mean[side]['alerts']}</td>"
        assert cells in html
    assert "30,0 h hasta 2026-12-31" in html
    assert "24,0 h hasta 2026-12-31" in html
    assert "dentro de 36 horas" in html


def test_a_kpi_can_be_asked_for_although_nothing_differs(kpi_stream: Run, events: Path):
    """By its code; both sides are then the same."""
    words = ("whatif", "--strategy", packaged_strategy_path(), "--events", events)
    printed = kpi_stream(*words, "--kpi", "K01", "--every", "7d", "--json")
    found = json.loads(printed.out)
    assert {each["kpi"] for each in found["series"]} == {KPI}
    assert all(each["today"]["points"] == each["other"]["points"] for each in found["series"])


def test_the_time_can_be_cut(kpi_stream: Run, events: Path, trial: Path):
    """Two days by the hour, which is the default for so short a time."""
    words = ("whatif", "--strategy", trial, "--events", events, "--json")
    ends = ("--from", "2026-06-10", "--to", "2026-06-12")
    found = json.loads(kpi_stream(*words, *ends).out)["instants"]
    assert found[0] == "2026-06-10T05:00:00.000Z"
    assert found[-1] == "2026-06-12T05:00:00.000Z"
    assert len(found) == 49


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--every", "soon"], "--every 'soon' is not a length of time; write it as 15m, 1h or 1d"),
        (["--every", "0h"], "--every '0h' is not a length of time.*"),
        (["--kpi", "nothing"], "--kpi 'nothing' is in neither strategy; one of aeo-.*"),
        (["--from", "2027-01-01"], "no instant lies between 2027-.*; the events are of 2026-.*"),
        (["--to", "2020-01-01"], "no instant lies between 2026-.* and 2020-.*"),
        (["--html", "no/where.html", "--every", "20d"], "--html no/where.html: cannot be .*"),
    ],
)
def test_a_mistake_is_named(
    kpi_stream: Run, events: Path, trial: Path, words: list[str], said: str
):
    """In one line, with what would be right."""
    printed = kpi_stream("whatif", "--strategy", trial, "--events", events, *words, code=2)
    assert re.fullmatch(f"kpi-stream: {said}\n", printed.err), printed.err


def test_without_a_difference_there_is_nothing_to_see(kpi_stream: Run, events: Path):
    """And the remedy is told."""
    words = ("whatif", "--strategy", packaged_strategy_path(), "--events", events)
    assert "count and judge the same; name a KPI with --kpi" in kpi_stream(*words, code=2).err


def test_an_absurd_date_does_not_hold_the_log_back(
    kpi_stream: Run, events: Path, trial: Path, told: dict[str, Any], tmp_path: Path
):
    """A rejected line of the year 2090, and one of 2001, change nothing."""
    lines = gzip.decompress(events.read_bytes()).splitlines()
    for at, year in ((5, "2090"), (900, "2001")):
        line = json.loads(next(each for each in lines[at:] if each.startswith(b"{")))
        line["recorded_at"] = f"{year}-01-01T00:00:00Z"
        line["subject"] = "" if year == "2001" else line["subject"]
        lines.insert(at, json.dumps(line).encode())
    spoilt = tmp_path / "spoilt.jsonl"
    spoilt.write_bytes(b"\n".join(lines))
    words = ("whatif", "--strategy", trial, "--events", spoilt, "--every", "1d", "--json")
    assert json.loads(kpi_stream(*words).out) == told
