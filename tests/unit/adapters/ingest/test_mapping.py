"""CSV through a mapping: what is wrong is named with its file, line and column."""

import json
import re
from typing import Any

import pytest

from kpi_stream.adapters.ingest import IngestReport, ingest_file
from kpi_stream.domain.errors import InputError
from tests.unit.adapters.ingest.conftest import KeepingSender

NOW_MS = 1_800_000_000_000
MAPPING = """
source: test
subject: {column: id}
office: {column: office}
activity: what
occurred_at: {column: at, time_zone: America/Lima}
ignore: [noise]
events:
  - activity: pay
    type: debt.settled
    fields:
      settlement: {constant: paid}
      amount_cents: {column: amount, convert: cents, decimal: ",", thousands: "."}
  - activity: exit
    type: goods.exited
"""
HEADER = "id,office,what,at,amount\n"


@pytest.fixture
def run(tmp_path, decode):
    """Ingest rows through a mapping, and return the report and the events."""

    def run(
        rows: str, mapping: str = MAPPING, *, encoding: str = "utf-8", header: str = HEADER
    ) -> tuple[IngestReport, list[dict[str, Any]]]:
        csv, yaml = tmp_path / "log.csv", tmp_path / "map.yaml"
        csv.write_text(header + rows, encoding=encoding)
        yaml.write_text(mapping)
        sender = KeepingSender()
        report = ingest_file(csv, sender, decode=decode, now_ms=NOW_MS, mapping=yaml)
        return report, [json.loads(value) for _, value in sender.kept]

    return run


@pytest.mark.parametrize(
    ("row", "reason", "words"),
    [
        (
            "D1,118,leave,2025-03-01 10:00,",
            "unknown_type",
            "column \"what\": .*no activity 'leave'",
        ),
        (
            "D1,118,pay,yesterday,1",
            "invalid_field",
            "column \"at\": 'yesterday' is not an ISO time",
        ),
        ("D1,118,pay,,1", "invalid_field", 'column "at": empty'),
        (",118,pay,2025-03-01 10:00,1", "invalid_field", 'column "id": empty'),
        ("D1,118,pay,2025-03-01 10:00,ten", "invalid_field", "'ten' is not an amount"),
        ("D1,118,pay,2025-03-01 10:00,NaN", "invalid_field", "'NaN' is not an amount"),
        ("D1,118,pay,2025-03-01 10:00,-5", "impossible_number", "amount_cents"),
        ("D1,118,pay,2025-03-01 10:00", "invalid_field", "4 columns, but the header has 5"),
        ("D1,118,pay,2025-03-01 10:00,", "invalid_field", "amount_cents"),
        ("D1,999,exit,2025-03-01 10:00,", "unknown_office", "999"),
    ],
)
def test_a_wrong_row_is_rejected_with_its_place(run, row, reason, words):
    """A row that makes no event is rejected with its line and column; the others go on."""
    report, events = run(f"D0,118,exit,2025-03-01 10:00,\n{row}\nD2,118,exit,2025-03-01 10:00,\n")
    assert [event["subject"] for event in events] == ["D0", "D2"]
    (detail,) = report.details
    assert (detail.line, detail.reason) == (3, reason)
    assert re.search(words, detail.detail), detail.detail


def test_cells_become_fields(run):
    """Amounts become cents, local times become UTC, ignored activities become nothing."""
    report, events = run(
        'D1,118,pay,2025-03-01 10:00,"1.234,56"\n'
        "D1,118,noise,,\n"
        "D1,118,exit,2025-03-01T10:00+02:00,\n"
    )
    assert (report.rejected, report.lines) == ({}, 4)
    assert events[0]["amount_cents"] == 123_456
    assert events[0]["occurred_at"] == events[0]["recorded_at"] == "2025-03-01T15:00:00.000Z"
    assert events[1]["occurred_at"] == "2025-03-01T08:00:00.000Z"


def test_equal_rows_are_one_event_and_different_rows_are_two(run):
    """The identity of an event is its content."""
    row = "D1,118,pay,2025-03-01 10:00,{}\n"
    _, events = run(row.format(1) + row.format(1) + row.format(2))
    first, second, third = (event["event_id"] for event in events)
    assert first == second != third


def test_the_order_of_fields_in_the_mapping_does_not_matter(run, tmp_path):
    """A mapping that says the same in another order gives the same identities."""
    row = "D1,118,pay,2025-03-01 10:00,1\n"
    _, events = run(row)
    (tmp_path / "log.csv.ingest.json").unlink()
    paid = "      settlement: {constant: paid}\n"
    amount = '      amount_cents: {column: amount, convert: cents, decimal: ",", thousands: "."}\n'
    _, again = run(row, MAPPING.replace(paid + amount, amount + paid))
    assert list(again[0]) != list(events[0])
    assert again == events


def test_cells_over_several_lines_and_resuming(run):
    """A quoted line end does not disturb the place at which a later run goes on."""
    mapping = MAPPING.replace("column: id}", 'column: id, values: {"a\\nb": D1, D2: D2}}')
    report, events = run('"a\nb",118,exit,2025-03-01 10:00,\n', mapping)
    assert (report.lines, [event["subject"] for event in events]) == (3, ["D1"])
    report, events = run(
        '"a\nb",118,exit,2025-03-01 10:00,\nD2,118,exit,2025-03-01 10:00,\nD3,118,exit,x,\n',
        mapping,
    )
    assert (report.resumed_after, [event["subject"] for event in events]) == (3, ["D2"])
    assert [detail.line for detail in report.details] == [5]


def test_the_header_must_have_the_columns(run):
    """A column that the mapping reads but the file lacks is named, with those that there are."""
    with pytest.raises(
        InputError, match=r'log\.csv: line 1: no column "amount".*the columns are id, x'
    ):
        run(
            "",
            header="id,x\n",
            mapping=MAPPING.replace("column: office", "column: x").replace(
                "activity: what", "activity: id"
            ),
        )


def test_a_wrong_encoding_names_the_line(run):
    """Text in another encoding is refused at its line, with the way out."""
    with pytest.raises(InputError, match=r"log\.csv: line 3: not utf-8.*`encoding`"):
        run("D1,118,exit,2025-03-01 10:00,\nDñ,118,exit,2025-03-01 10:00,\n", encoding="latin-1")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("activity: what", "activity: [what"), "is not YAML"),
        (("type: goods.exited", "type: goods.exit"), r"events\[1\]\.type: unknown event type"),
        (("America/Lima", "Lima"), r"occurred_at\.time_zone: unknown time zone 'Lima'"),
        (("column: id", "colum: id"), r"subject\.colum: Extra inputs"),
        (("settlement: {constant: paid}", "settlement: {}"), "name either a column or a constant"),
        (("occurred_at:", "recorded_at:"), r"events\[0\]: no `occurred_at`"),
        (("activity: what", "separator: ';'"), r"events\[0\]: `activity` belongs here"),
        (("source: test", "encoding: utf-16"), "cannot read 'utf-16'"),
        (("source: test", "encoding: klingon"), "cannot read 'klingon'"),
    ],
)
def test_a_wrong_mapping_is_refused_with_its_place(run, change, words):
    """Every problem of a mapping is named with the file and the place in it."""
    with pytest.raises(InputError, match=rf"map\.yaml: .*{words}"):
        run("", MAPPING.replace(*change, 1))


def test_another_mapping_does_not_continue(run):
    """A file that was begun with one mapping is not continued with another."""
    run("D1,118,exit,2025-03-01 10:00,\n")
    with pytest.raises(InputError, match=r"another mapping.*--restart"):
        run("D1,118,exit,2025-03-01 10:00,\n", MAPPING.replace("source: test", "source: other"))
