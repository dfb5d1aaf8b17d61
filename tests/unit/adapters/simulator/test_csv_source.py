"""Declarations from a file: shifted by whole weeks, repeated, and refused with the place."""

import gzip
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from kpi_stream.adapters.simulator import OfficeShare, Simulation, simulate
from kpi_stream.adapters.simulator.csv_source import COLUMNS
from kpi_stream.domain.errors import InputError
from tests.unit.adapters.simulator.conftest import NOW_MS, events_of

TODAY = date(2026, 3, 18)
ROW = {
    "Declaration ID": "1",
    "Date": "2020-01-01",
    "Office ID": "40",
    "Mode of Transport": "10",
    "Declarant ID": "AGENT",
    "Importer ID": "IMPORTER",
    "HS6 Code": "071080",
    "Country of Origin": "CN",
    "Tax Rate": "8.0",
    "Item Price": "1000.0",
    "Fraud": "0",
}


def text(*rows: dict[str, str], columns: tuple[str, ...] = COLUMNS) -> str:
    """Return rows, each a change of the model row, as CSV."""
    lines = [",".join(columns)]
    lines += [",".join((ROW | row)[name] for name in columns) for row in rows]
    return "\n".join(lines) + "\n"


def daily(days: int, first: date = date(2020, 1, 1), per_day: int = 1) -> str:
    """Return rows on consecutive days."""
    return text(
        *(
            {
                "Declaration ID": f"{day}x{n}",
                "Date": str(first + timedelta(days=day)),
                "Fraud": str(n % 2),
                "Importer ID": f"I{n}",
            }
            for day in range(days)
            for n in range(per_day)
        )
    )


@pytest.fixture
def declared(tmp_path, options):
    """Simulate with a file of declarations."""

    def declared(content: str, *, days: int | None = None, name: str = "d.csv") -> Simulation:
        path = tmp_path / name
        raw = content.encode()
        path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
        return Simulation(options(declarations=path, days=days))

    return declared


def serials(simulation: Simulation, day: date) -> list[str]:
    """Return what is numbered on a local day."""
    return list(simulation.source.on(day.toordinal(), None, 0).serial)


@pytest.mark.parametrize("name", ["d.csv", "d.csv.gz"])
def test_the_file_moves_by_whole_weeks_and_reaches_today(declared, name):
    """The last date falls on today or within six days after it; weekdays stay."""
    # 21 days from Wednesday 2020-01-01 to Tuesday 2020-01-21; today is Wednesday 2026-03-18.
    simulation = declared(daily(21), name=name)
    last = date(2026, 3, 24)
    assert serials(simulation, last) == ["20x0"]
    assert last.weekday() == date(2020, 1, 21).weekday()
    assert date.fromordinal(simulation.first_day) == date(2026, 3, 4)
    assert serials(simulation, date(2026, 3, 4)) == ["0x0"]


def test_a_last_date_on_todays_weekday_is_today(declared):
    """No whole week is lost."""
    assert serials(declared(daily(22)), TODAY) == ["21x0"]


def test_the_file_repeats_after_its_end_and_before_its_beginning(declared):
    """Further rounds are whole weeks of the file, with serials of their own."""
    simulation = declared(daily(23), days=60)  # 2026-02-25 (a Wednesday) to 2026-03-19
    cases = {
        date(2026, 2, 24): ["20x0-b2"],
        date(2026, 2, 25): ["0x0"],
        date(2026, 3, 19): ["22x0"],
        date(2026, 3, 20): ["2x0-1"],
        date(2026, 4, 9): ["22x0-1"],
        date(2026, 4, 10): ["2x0-2"],
    }
    assert {day: serials(simulation, day) for day in cases} == cases
    assert date.fromordinal(simulation.first_day) == date(2026, 1, 18)
    rounds = [
        serial
        for day in range(simulation.first_day, simulation.first_day + 120)
        for serial in serials(simulation, date.fromordinal(day))
    ]
    assert len(rounds) == len(set(rounds)) == 120


def test_weekdays_stay_in_every_round(declared):
    """A row of a Monday is numbered on Mondays only."""
    simulation = declared(daily(30))
    for day in range(simulation.first_day - 40, simulation.first_day + 90):
        for serial in serials(simulation, date.fromordinal(day)):
            original = date(2020, 1, 1) + timedelta(days=int(serial.split("x")[0]))
            assert original.weekday() == date.fromordinal(day).weekday()


def test_rows_keep_what_the_file_says(tmp_path, options):
    """Mode, chapter, origin and the order of values come from the row; names are hidden."""
    path = tmp_path / "d.csv"
    rows = [
        {"Declaration ID": "a", "Mode of Transport": "40", "Item Price": "10"},
        {"Declaration ID": "b", "Country of Origin": "?", "Item Price": "900000"},
        {"Declaration ID": "c", "Mode of Transport": "90", "Item Price": "0"},
    ]
    # All on the day before yesterday's weekday, in an unsorted file.
    path.write_text(text(*({"Date": "2020-01-06"} | row for row in rows), {"Date": "2020-01-08"}))
    events = events_of(simulate(options(declarations=path, mean_cif_cents=5_000_000)))
    numbered = {
        event["subject"].rsplit("-", 1)[1]: event
        for event in events
        if event["type"] == "declaration.numbered"
    }
    assert [numbered[key]["transport_mode"] for key in "abc"] == ["air", "sea", "river"]
    assert numbered["a"]["hs_chapter"] == "07"
    assert (numbered["a"]["origin"], numbered["b"]["origin"]) == ("CN", "ZZ")
    assert numbered["b"]["cif_cents"] > numbered["a"]["cif_cents"] > numbered["c"]["cif_cents"] > 0
    assert numbered["a"]["duties_cents"] == int(numbered["a"]["cif_cents"] * 0.13)
    assert "IMPORTER" not in {event["importer"] for event in numbered.values()}


def test_offices_are_matched_by_volume(tmp_path, options):
    """The busiest office of the file becomes the one with the largest share of its mode."""
    path = tmp_path / "d.csv"
    counts = {"20": 60, "30": 25, "40": 15}
    rows = [
        {"Declaration ID": f"{office}.{n}", "Office ID": office, "Date": "2020-01-08"}
        for office, count in counts.items()
        for n in range(count)
    ]
    path.write_text(text(*rows))
    offices = tuple(OfficeShare(code, share) for code, share in (("S", 1), ("L", 6), ("M", 3)))
    simulation = Simulation(options(declarations=path, offices=offices))
    assert Counter(simulation.source.on(TODAY.toordinal(), None, 0).office) == {
        "L": 60,
        "M": 25,
        "S": 15,
    }


def test_a_mode_that_no_office_has_is_shared_out(tmp_path, options):
    """Declarations by rail are numbered somewhere even if the options name no railway."""
    path = tmp_path / "d.csv"
    path.write_text(text({"Mode of Transport": "20", "Date": "2020-01-08"}))
    offices = (OfficeShare("A", 2, {"sea": 1}), OfficeShare("B", 1, {"air": 1}))
    simulation = Simulation(options(declarations=path, offices=offices))
    assert list(simulation.source.on(TODAY.toordinal(), None, 0).office) == ["A"]


@pytest.mark.parametrize(
    ("change", "column", "words"),
    [
        ({"Date": "2020-13-01"}, "Date", "found '2020-13-01'; a date is written YYYY-MM-DD"),
        ({"Date": ""}, "Date", "found nothing"),
        ({"Declaration ID": "a b"}, "Declaration ID", "letters, digits"),
        ({"Mode of Transport": "11"}, "Mode of Transport", "one of 10, 20, 30, 40, 50, 90"),
        ({"Fraud": "2"}, "Fraud", "0 or 1"),
        ({"HS6 Code": "000000"}, "HS6 Code", "01 to 99"),
        ({"Item Price": "1,5e"}, "Item Price", "a number"),
        ({"Item Price": "-1"}, "Item Price", "0 or more"),
        ({"Tax Rate": "nan"}, "Tax Rate", "a finite number"),
        ({"Office ID": ""}, "Office ID", "found nothing"),
    ],
)
def test_a_wrong_cell_is_named_with_file_line_and_column(declared, change, column, words):
    """The text says where the cell is, what it says, and what would be right."""
    rows = text(
        {},
        change | {"Item Price": f'"{change["Item Price"]}"'} if "Item Price" in change else change,
    )
    with pytest.raises(InputError, match=rf'd\.csv: line 3, column "{column}": .*{words}'):
        declared(rows)


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (text({}, columns=COLUMNS[1:]), "d.csv", 'line 1: no column "Declaration ID"'),
        ("", "d.csv", "line 1: no column"),
        (text(), "d.csv", "no declarations"),
        ("Declaration ID\n", "d.csv", 'no column "Date"'),
    ],
)
def test_a_file_of_another_shape_is_refused(declared, content, name, words):
    """The header must name the columns, and there must be rows."""
    with pytest.raises(InputError, match=words):
        declared(content, name=name)


def test_unreadable_files_are_refused(tmp_path, options):
    """Missing, not compressed, cut short, not text: each says what to do about which file."""
    cases = {
        "missing.csv": (None, "no such file"),
        "plain.csv.gz": (b"not gzip", "cannot be read as a gzip file"),
        "short.csv.gz": (gzip.compress(daily(99).encode())[:-30], "cannot be read as a gzip"),
        "latin.csv": (text({"Office ID": "ñ"}).encode("latin-1"), "not UTF-8"),
    }
    for name, (content, words) in cases.items():
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(InputError, match=rf"{name}: .*{words}"):
            Simulation(options(declarations=path))


def test_history_ends_at_now(declared):
    """Rows after now are left to the live part."""
    simulation = declared(daily(60, per_day=3))
    turns = [record.append_ms for record in simulate(simulation.options)]
    assert max(turns) <= NOW_MS
    assert datetime.fromtimestamp(max(turns) / 1000, UTC).date() == TODAY
