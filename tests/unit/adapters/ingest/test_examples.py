"""The mapping examples that are shipped work on the files beside them."""

import json
from pathlib import Path

import pytest

from kpi_stream.adapters.ingest import ingest_file
from tests.unit.adapters.ingest.conftest import KeepingSender

EXAMPLES = Path(__file__).parents[4] / "examples" / "ingest"
NOW_MS = 1_800_000_000_000


def ingested(name, tmp_path, decode):
    """Return the report and the events of an example."""
    csv = tmp_path / f"{name}.csv"
    csv.write_bytes((EXAMPLES / f"{name}.csv").read_bytes())
    sender = KeepingSender()
    report = ingest_file(
        csv, sender, decode=decode, now_ms=NOW_MS, mapping=EXAMPLES / f"{name}.yaml"
    )
    return report, [json.loads(value) for _, value in sender.kept]


def test_a_wide_file_gives_an_event_for_every_time(tmp_path, decode):
    """Each row gives numbering and channel, and payment and release where they happened."""
    report, events = ingested("paraguay-dna", tmp_path, decode)
    assert (report.accepted, report.rejected) == (14, {})
    assert [e["type"] for e in events if e["subject"] == "25019IC04000204A"] == [
        "declaration.numbered",
        "channel.assigned",
    ]
    first = events[0]
    # Asunción has kept UTC-3 all year since October 2024.
    assert first["occurred_at"] == "2025-02-03T11:14:00.000Z"
    assert (first["cif_cents"], first["duties_cents"]) == (4_821_055, 723_158)
    assert (first["office"], first["regime"], first["hs_chapter"]) == ("118", "10", "87")
    assert [e["channel"] for e in events if e["type"] == "channel.assigned"] == [
        "orange",
        "green",
        "red",
        "green",
    ]
    assert [e["hs_chapter"] for e in events if e["type"] == "declaration.numbered"][-1] == "02"


def test_a_long_file_gives_an_event_for_every_row(tmp_path, decode):
    """Each row gives the event of its activity; the ignored activity gives none."""
    report, events = ingested("event-log", tmp_path, decode)
    assert (report.lines, report.accepted, report.rejected) == (12, 10, {})
    inspected = next(e for e in events if e["type"] == "inspection.completed")
    assert inspected["result"] == "discrepancy"
    assert inspected["occurred_at"] == "2025-03-04T16:45:00.000Z"
    numbered = [e for e in events if e["type"] == "declaration.numbered"]
    assert [(e["aeo"], e["origin"], e["hs_chapter"]) for e in numbered] == [
        (True, "CN", "84"),
        (False, "ZZ", "03"),
    ]


@pytest.mark.parametrize("name", ["paraguay-dna", "event-log"])
def test_the_same_file_gives_the_same_identities(name, tmp_path, decode):
    """A file that is sent twice repeats its event_ids, each once a file."""
    (tmp_path / "again").mkdir()
    _, once = ingested(name, tmp_path, decode)
    _, again = ingested(name, tmp_path / "again", decode)
    identities = [event["event_id"] for event in once]
    assert identities == [event["event_id"] for event in again]
    assert len(set(identities)) == len(identities)


def test_every_example_is_listed():
    """The page beside the examples names every file, and every mapping has its file."""
    page = (EXAMPLES / "README.md").read_text()
    files = sorted(path.name for path in EXAMPLES.iterdir() if path.name != "README.md")
    assert all(f"`{name}`" in page for name in files)
    stems = {suffix: {p.stem for p in EXAMPLES.glob(f"*{suffix}")} for suffix in (".csv", ".yaml")}
    assert stems[".csv"] == stems[".yaml"]
