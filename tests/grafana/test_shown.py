"""What an operator sees, drawn by Grafana's own functions from the answers of a real Prometheus.

Grafana writes a decimal point in every language (only its unit `locale` follows the browser), so
the texts of numbers are compared in the English way.
"""

import copy
import re
from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from kpi_stream.application.display import MARKS, STATUS_WORDS, presentation
from kpi_stream.application.monitoring import places
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.domain.status import Status
from kpi_stream.domain.strategy import NATIONAL, Kpi, Unit
from tests.support import dashboards
from tests.support.dashboard_rules import texts
from tests.support.dashboards import Json
from tests.support.grafana_shown import Key, Shown, show
from tests.support.told_prometheus import EXPECTED, VALUES, ToldPrometheus, member_status

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

EDITIONS = ("sunat-es", "harbour-en", "pocket-es")
COLOURS = {
    Status.ON_TRACK: "#009E73",
    Status.AT_RISK: "#E69F00",
    Status.OFF_TRACK: "#D55E00",
    Status.NO_DATA: "#7A7A7A",
}
STATUS, VALUE = {"Estado", "Status"}, {"Valor", "Value"}
"""Headings and titles in both languages."""

Seen = Mapping[Key, Shown]
Site = tuple[Edition, dict[str, Json], Seen]


@pytest.fixture(scope="module", params=EDITIONS)
def site(request, tmp_path_factory) -> Iterator[Site]:
    """Return an edition, its dashboards and what each panel shows in each status."""
    edition, boards = dashboards.edition(request.param), dashboards.boards(request.param)
    with ToldPrometheus(edition.strategy, tmp_path_factory.mktemp("told")) as prometheus:
        yield edition, boards, show(edition, boards, prometheus)


def word(edition: Edition, status: Status) -> tuple[str, str]:
    """Return how a status is to be seen: text and colour."""
    return f"{MARKS[status]} {edition.text(STATUS_WORDS[status])}", COLOURS[status]


def plain(text: str) -> str:
    """Return a text without what the browser's language changes."""
    return re.sub(r"\s", "", text).replace(",", "")


def figure(edition: Edition, kpi: Kpi, value: float) -> str:
    """Return how a value of a KPI is to be seen, as `plain` leaves it."""
    divisor, decimals, suffix = presentation(kpi)
    before = edition.strategy.currency if kpi.unit is Unit.MONEY else ""
    # Grafana rounds a half up, Python the binary fraction that is nearest to it.
    shown = (Decimal(repr(value)) / Decimal(divisor)).quantize(
        Decimal(10) ** -decimals, ROUND_HALF_UP
    )
    return plain(f"{before}{shown}{suffix}")


def judged(edition: Edition) -> dict[str, Kpi]:
    """Return the KPIs that have a target for the nation, by the uid of their page."""
    strategy = edition.strategy
    ids = {target.kpi for target in strategy.targets if target.dimension == NATIONAL}
    return {places.kpi_uid(strategy, kpi.id): kpi for kpi in strategy.kpis if kpi.id in ids}


def pages(edition: Edition, seen: Seen) -> Iterator[tuple[Kpi, Status, str, Shown]]:
    """Yield (KPI, status, title without what stands in brackets, panel) of the KPIs' pages."""
    known = judged(edition)
    for (uid, _, status), panel in seen.items():
        if uid in known and panel.panel["type"] == "stat":
            yield known[uid], status, panel.panel["title"].partition(" (")[0], panel


def wrong_statuses(edition: Edition, seen: Seen) -> list[str]:
    """Return where the status of a KPI is not seen as its shape, its word and its colour."""
    return [
        f"{kpi.id} {status}: {panel.first}"
        for kpi, status, title, panel in pages(edition, seen)
        if title in STATUS and tuple(panel.first) != word(edition, status)
    ]


def wrong_values(edition: Edition, seen: Seen) -> list[str]:
    """Return where the value of a KPI is not seen in its unit with its decimals, or as no data."""
    found = []
    for kpi, status, title, panel in pages(edition, seen):
        if title in VALUE:
            due, text = figure(edition, kpi, VALUES[kpi.unit]), panel.first.text
            if status is Status.NO_DATA:
                due = edition.text(STATUS_WORDS[status])
            if due not in text if status is Status.NO_DATA else plain(text) != due:
                found.append(f"{kpi.id} {status}: {text}, not {due}")
    return found


def idle_overrides(edition: Edition, seen: Seen) -> list[str]:
    """Return the overrides that are for no field in any hour.

    A KPI without a target has none; a query without an answer has none either.
    """
    ids = {kpi.id for kpi in edition.strategy.kpis}
    places_of: dict[tuple[str, int, int], list[Shown]] = {}
    for (uid, number, _), panel in seen.items():
        for at in range(len(panel.panel["fieldConfig"]["overrides"])):
            places_of.setdefault((uid, number, at), []).append(panel)
    found = []
    for (uid, number, at), hours in places_of.items():
        matcher = hours[0].panel["fieldConfig"]["overrides"][at]["matcher"]
        name = matcher["options"]
        if name in ids or not all(at in panel.idle for panel in hours):
            continue
        if matcher["id"] == "byFrameRefID" and not any(panel.answers[name] for panel in hours):
            continue
        found.append(f"{uid} panel {number}: {name}")
    return found


def missing_on_canvas(_: Edition, seen: Seen) -> list[str]:
    """Return the fields that an element of the map shows and that no query brings."""
    return [
        f"{uid} {status}: {name}"
        for (uid, _, status), panel in seen.items()
        if panel.panel["type"] == "canvas" and status is not Status.NO_DATA
        for name in fields_of_elements(panel.panel) - set(panel.fields)
        if not without_figures(name)
    ]


def fields_of_elements(panel: Json) -> set[str]:
    """Return the names of the fields that elements of a canvas show."""
    elements: list[Any] = panel["options"]["root"]["elements"]
    return {text for key, text in texts(elements) if key == "field"}


def without_figures(name: str) -> bool:
    """Return whether a field is missing for an objective of unmeasured KPIs only."""
    return name.partition(" ")[0] in {"worst", "value"}


def test_something_is_seen(site: Site):
    """Every edition has panels, and each dashboard has one that shows a value."""
    _, boards, seen = site
    assert len(seen) > 4 * len(boards)
    full = {uid for (uid, _, _), panel in seen.items() if panel.fields and any(panel.answers)}
    assert full == {board["uid"] for board in boards.values()}


def test_the_status_of_each_kpi(site: Site):
    """On track, at risk, off track and no data: the shape, the word and the colour."""
    edition, _, seen = site
    looked_at = [title for _, _, title, _ in pages(edition, seen) if title in STATUS]
    assert len(looked_at) == len(Status) * len(judged(edition))
    assert wrong_statuses(edition, seen) == []


def test_the_value_of_each_kpi(site: Site):
    """In the unit that its readers use, with its decimals; a word where there is none."""
    edition, _, seen = site
    looked_at = [title for _, _, title, _ in pages(edition, seen) if title in VALUE]
    assert len(looked_at) == len(Status) * len(judged(edition))
    assert wrong_values(edition, seen) == []


def test_every_override_is_for_a_field(site: Site):
    """No width, unit or colour is given to a field whose name is written differently."""
    edition, _, seen = site
    assert idle_overrides(edition, seen) == []


def test_the_fields_of_the_map(site: Site):
    """What the elements of the canvas show arrives under that name."""
    edition, _, seen = site
    canvases = [panel for panel in seen.values() if panel.panel["type"] == "canvas"]
    assert all(fields_of_elements(panel.panel) for panel in canvases)
    assert len(canvases) == len(Status)
    assert missing_on_canvas(edition, seen) == []


def test_the_statuses_on_the_map(site: Site):
    """Each objective has its status as shape, word and colour."""
    edition, _, seen = site
    for (_, _, status), panel in seen.items():
        if panel.panel["type"] == "canvas":
            told = {
                tuple(cell)
                for name, cells in panel.fields.items()
                if name.startswith("status ")
                for cell in cells
            }
            assert told == {word(edition, status)}


@pytest.mark.parametrize("kind", ["stat", "table", "state-timeline", "canvas"])
def test_a_status_has_one_colour(site: Site, kind: str):
    """Each status is seen on each kind of panel, and everywhere in the same colour."""
    edition, _, seen = site
    due = dict(word(edition, status) for status in Status)
    cells = {
        tuple(cell)
        for panel in seen.values()
        if panel.panel["type"] == kind
        for column in panel.fields.values()
        for cell in column
        if cell.text in due
    }
    assert cells == set(due.items())


def test_the_benchmarks_of_each_kpi(site: Site):
    """Each published figure is seen in the unit of its KPI."""
    edition, _, seen = site
    for kpi in edition.strategy.kpis:
        marks = [each for each in edition.strategy.benchmarks if each.kpi == kpi.id]
        uid = places.kpi_uid(edition.strategy, kpi.id)
        gauges = [
            panel
            for (board, _, status), panel in seen.items()
            if board == uid and status is Status.ON_TRACK and panel.panel["type"] == "bargauge"
        ]
        told = sorted(
            plain(cell.text)
            for panel in gauges
            for name, column in panel.fields.items()
            for cell in column
            if name != edition.text(edition.strategy.name)
        )
        assert told == sorted(figure(edition, kpi, each.value) for each in marks), kpi.id


@pytest.mark.parametrize("status", Status)
def test_the_table_of_all_kpis(site: Site, status: Status):
    """Each judged KPI has its row, with its status, value and what is expected in its own unit."""
    edition, _, seen = site
    uid = places.scorecard_uid(edition.strategy)
    table = seen[(uid, 8, status)].fields
    rows = {
        cell.text: {name: column[at] for name, column in table.items()}
        for at, cell in enumerate(table["KPI"])
    }
    (heading,) = STATUS & set(table)
    (due,) = {"Debe hoy", "Expected today"} & set(table)
    # Without a single value Prometheus answers nothing, and the table has no such column.
    values = VALUE & set(table)
    assert values or status is Status.NO_DATA
    nothing = edition.text(STATUS_WORDS[Status.NO_DATA])
    for kpi in judged(edition).values():
        row = rows[f"{kpi.code} {edition.text(kpi.name)}".strip()]
        assert tuple(row[heading]) == word(edition, status)
        told = nothing if status is Status.NO_DATA else figure(edition, kpi, VALUES[kpi.unit])
        assert {plain(row[each].text) for each in values} <= {plain(told)}, kpi.id
        expected = figure(edition, kpi, EXPECTED * VALUES[kpi.unit])
        assert plain(row[due].text) == expected, kpi.id
    assert len(rows) == len(edition.strategy.kpis)


def statuses_of_offices(edition: Edition, table: Shown) -> dict[str, set[tuple[str, str]]]:
    """Return the statuses in the row of each office of a table, by its code."""
    columns = dict(table.fields)
    names = [cell.text for cell in columns.pop(next(iter(columns)))]
    shapes = tuple(MARKS.values())
    rows = {
        name: {
            tuple(column[at]) for column in columns.values() if column[at].text.startswith(shapes)
        }
        for at, name in enumerate(names)
    }
    offices = next(each for each in edition.strategy.dimensions if each.id == "office").members
    found = {office.code: rows.get(edition.text(office.name), set()) for office in offices}
    return {code: statuses for code, statuses in found.items() if statuses}


def test_the_offices_in_the_tables_of_statuses(site: Site):
    """In the scorecard and on a KPI's page each judged office has its own status by its name."""
    edition, _, seen = site
    targets = [each for each in edition.strategy.targets if each.dimension == "office"]
    uids = {
        places.kpi_uid(edition.strategy, each.kpi): places.KpiPanel.BY_OFFICE for each in targets
    }
    if targets:
        uids[places.scorecard_uid(edition.strategy)] = 9
    offices = next(each for each in edition.strategy.dimensions if each.id == "office").members
    for uid, number in uids.items():
        for status in Status:
            told = statuses_of_offices(edition, seen[(uid, number, status)])
            due = {
                office.code: {word(edition, member_status(status, at))}
                for at, office in enumerate(offices)
                if office.code in told
            }
            assert told
            assert told == due, (uid, status)


def broken(edition: Edition, boards: dict[str, Json]) -> dict[str, Json]:
    """Return the page of a judged KPI and the map, with a defect for each check."""
    page = copy.deepcopy(next(b for b in boards.values() if b["uid"] in judged(edition)))
    by_title = {panel["title"].partition(" (")[0]: panel for panel in page["panels"]}
    (status,) = (by_title[title] for title in STATUS & set(by_title))
    (value,) = (by_title[title] for title in VALUE & set(by_title))
    codes = status["fieldConfig"]["defaults"]["mappings"][0]["options"]
    codes["1"], codes["2"] = codes["2"], codes["1"]
    value["fieldConfig"]["defaults"] |= {"decimals": 3, "noValue": "0"}
    board = copy.deepcopy(next(b for b in boards.values() if b["uid"].endswith("-map")))
    canvas = next(panel for panel in board["panels"] if panel["type"] == "canvas")
    canvas["targets"][0]["legendFormat"] = "state {{objective}}"
    return {"page": page, "map": board}


def test_defects_are_seen(tmp_path):
    """Exchanged colours, wrong decimals, a zero for no data, a renamed field: all are found."""
    edition = dashboards.edition("harbour-en")
    boards = broken(edition, dashboards.boards("harbour-en"))
    with ToldPrometheus(edition.strategy, tmp_path) as prometheus:
        seen = show(edition, boards, prometheus)
    statuses = wrong_statuses(edition, seen)
    assert [each.split()[1].rstrip(":") for each in statuses] == ["at_risk", "off_track"]
    values = wrong_values(edition, seen)
    assert len(values) == len(Status)
    assert "0, not" in values[-1]
    assert any("/^status /" in each for each in idle_overrides(edition, seen))
    assert any(": status " in each for each in missing_on_canvas(edition, seen))
