"""What commands write: files, JSON, CSV and tables, and nothing but these on standard output."""

import csv
import io
import json
import re
from pathlib import Path

from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.application.display import STATUS_WORDS, member_name, shown
from kpi_stream.cli.replay import COLUMNS
from kpi_stream.domain.status import Status
from kpi_stream.domain.strategy import NATIONAL
from tests.unit.cli.conftest import UNTIL, Run

STRATEGY = load_strategy(packaged_strategy_path())
KPIS = {kpi.id: kpi for kpi in STRATEGY.kpis}


def _lines(table: str) -> list[str]:
    """Return the rows of a table, without its headings."""
    lines = table.splitlines()
    rule = next(at for at, line in enumerate(lines) if line.startswith("──"))
    return [line for line in lines[rule + 1 :] if line.strip()]


def test_the_formats_of_replay_agree(kpi_stream: Run, events: Path) -> None:
    """JSON and CSV have the same series and numbers, and only the summary is for people."""
    as_json = kpi_stream("replay", events, "--format", "json")
    as_csv = kpi_stream("replay", events, "--format", "csv")
    assert as_json.err == as_csv.err
    assert re.fullmatch(r"\d+ events: .*\d+ counted, .*rejected \(not_json\).*\n", as_json.err)
    rows = json.loads(as_json.out)
    assert len(rows) > 300
    as_text = [{name: "" if row[name] is None else str(row[name]) for name in row} for row in rows]
    assert list(csv.DictReader(io.StringIO(as_csv.out))) == as_text
    assert as_csv.out.startswith(",".join(COLUMNS) + "\n")


def test_the_table_has_one_row_a_national_target(kpi_stream: Run, events: Path) -> None:
    """Code before name, no member, no more than 100 columns; and the numbers are those of JSON."""
    printed = kpi_stream("replay", events, "--language", "en")
    rows = json.loads(kpi_stream("replay", events, "--format", "json").out)
    targets = {(each.kpi, each.window): each for each in STRATEGY.targets}
    expected = [
        row
        for row in rows
        if row["dimension"] == NATIONAL
        and ((row["kpi"], row["window"]) in targets or row["no_data"] == "not_measured")
    ]
    lines = _lines(printed.out)
    assert len(lines) == len(expected)
    assert len({row["kpi"] for row in expected}) == len(STRATEGY.kpis)
    for line, row in zip(lines, expected, strict=True):
        kpi = KPIS[row["kpi"]]
        assert line.startswith(f"{kpi.code} {kpi.name['en'][:8]}")
        cells = re.split(r" {2,}", line[len(kpi.code) + 1 :].rstrip())
        assert cells[1:3] == [row["window"], shown(row["value"], kpi, STRATEGY, "en")]
        if row["status"] not in {None, "no_data"}:
            assert STATUS_WORDS[Status(row["status"])]["en"] in cells[-1]
            assert shown(row["expected"] or row["target"], kpi, STRATEGY, "en") in cells[-3]
            assert shown(row["target"], kpi, STRATEGY, "en") in cells[-2]
    assert "Member" not in printed.out
    assert max(map(len, printed.out.splitlines())) <= 100


def test_filters_widen_the_table(kpi_stream: Run, events: Path) -> None:
    """A KPI shows all of its windows, a window all KPIs, a dimension its members by name."""
    mean = KPIS["release-time-mean"]
    one = _lines(kpi_stream("replay", events, "--kpi", mean.id).out)
    assert [re.split(r" {2,}", line)[1] for line in one] == list(mean.windows)
    week = _lines(kpi_stream("replay", events, "--window", "7d").out)
    assert len(week) == sum("7d" in kpi.windows for kpi in STRATEGY.kpis)
    words = ("--kpi", mean.id, "--window", "30d", "--dimension", "office")
    offices = kpi_stream("replay", events, *words)
    rows = json.loads(kpi_stream("replay", events, *words, "--format", "json").out)
    assert "Miembro" in offices.out
    assert len(rows) > 3
    for line, row in zip(_lines(offices.out), rows, strict=True):
        assert member_name(STRATEGY, "office", row["member"], "es")[:7] in line
    assert max(map(len, offices.out.splitlines())) <= 100


def test_as_of_leaves_out_what_was_recorded_later(kpi_stream: Run, events: Path) -> None:
    """A time without an offset is local; the same instant with one gives the same bytes."""
    local = kpi_stream("replay", events, "--format", "json", "--as-of", "2026-06-15T07:00:00")
    utc = kpi_stream("replay", events, "--format", "json", "--as-of", "2026-06-15T12:00:00Z")
    assert local == utc
    assert re.search(r", \d{3,} recorded later\n$", local.err)
    assert {row["as_of"] for row in json.loads(local.out)} == {"2026-06-15T12:00:00+00:00"}


def test_the_same_seed_gives_the_same_bytes(kpi_stream: Run, tmp_path: Path) -> None:
    """Packed or not; another seed gives others."""

    def simulated(name: str, seed: int) -> bytes:
        path = tmp_path / name
        words = f"simulate --days 3 --per-day 10 --seed {seed} --until {UNTIL} --late 0.1".split()
        printed = kpi_stream(*words, "--output", path)
        assert printed.out == ""
        assert re.fullmatch(rf"\d+ events in {path}\n", printed.err)
        return path.read_bytes()

    assert simulated("a.jsonl", 1) == simulated("b.jsonl", 1) != simulated("c.jsonl", 2)
    assert simulated("a.jsonl.gz", 1) == simulated("b.jsonl.gz", 1)


def test_schemas_come_as_one_object_or_as_files(kpi_stream: Run, tmp_path: Path) -> None:
    """The same ones."""
    whole = json.loads(kpi_stream("schema").out)
    printed = kpi_stream("schema", "--output", tmp_path / "new" / "schemas")
    assert printed.out == ""
    files = {path.stem: json.loads(path.read_text()) for path in tmp_path.rglob("*.json")}
    assert files == whole
