"""Tables: the columns that their readers need, each filled by a query, headed and formatted."""

import re

import pytest

from kpi_stream.application.monitoring import places
from tests.support.dashboards import Json, boards, edition, panels

SCORECARD, OFFICE = 8, 10
"""Ids of the two tables of KPIs."""


def tables(of: str, language: str = "en") -> list[tuple[str, Json]]:
    """Return (uid, panel) of every table."""
    return [
        (board["uid"], panel)
        for board in boards(f"{of}-{language}").values()
        for panel in panels(board)
        if panel["type"] == "table"
    ]


def step(panel: Json, name: str) -> Json:
    """Return the options of a transformation."""
    found: Json = next(each["options"] for each in panel["transformations"] if each["id"] == name)
    return found


def table(uid: str, number: int) -> Json:
    """Return one table of SUNAT's."""
    return next(panel for at, panel in tables("sunat") if at == uid and panel["id"] == number)


def columns(panel: Json) -> list[str]:
    """Return the headings in their order."""
    order = step(panel, "organize")
    names: Json = order["renameByName"]
    return [names[field] for field in sorted(names, key=lambda each: order["indexByName"][each])]


@pytest.mark.parametrize("of", ["sunat", "harbour", "pocket"])
def test_every_column_comes_from_a_query(of: str) -> None:
    """A value, a label that the query keeps or makes, or the small course of a row."""
    for uid, panel in tables(of):
        order = step(panel, "organize")
        if not order["indexByName"]:  # a matrix: its columns are members of a label
            assert any(each["id"] == "groupingToMatrix" for each in panel["transformations"])
            continue
        asked = {target["refId"]: target["expr"] for target in panel["targets"]}
        courses = {target["refId"] for target in panel["targets"] if target.get("range")}
        kept = step(panel, "filterFieldsByName")["include"]["names"]
        assert set(order["indexByName"]) == set(kept), uid
        for field in kept:
            kind, _, ref = field.partition(" #")
            if kind == "Value":
                assert ref in asked.keys() - courses, f"{uid}: {field}"
            elif kind == "Trend":
                assert ref in courses, f"{uid}: {field}"
            else:
                made = [re.search(rf"\b{field}\b", expr) for expr in asked.values()]
                assert any(made), f"{uid}: {field}"
        assert {each["field"].partition(" #")[2] for each in step(panel, "sortBy")["sort"]} <= {
            *asked
        }


@pytest.mark.parametrize("language", ["es", "en"])
@pytest.mark.parametrize("of", ["sunat", "harbour", "pocket"])
def test_every_format_belongs_to_a_column(of: str, language: str) -> None:
    """Grafana replaces variables in headings, and not where a format names its column."""
    for uid, panel in tables(of, language):
        headings = step(panel, "organize")["renameByName"].values()
        assert "$" not in "".join(headings)
        for each in panel["fieldConfig"]["overrides"]:
            assert each["matcher"]["options"] in {*headings, "uid"}, uid


@pytest.mark.parametrize("of", ["sunat", "harbour", "pocket"])
def test_a_text_is_never_formatted_as_a_number(of: str) -> None:
    """Grafana would write the member `01` as 1.0 h, and the figure `0.90` as 0.900."""
    texts = {"member", "office", "member\\kpi"}
    seen = 0
    for uid, panel in tables(of):
        names = step(panel, "organize")["renameByName"]
        properties = {
            each["matcher"]["options"]: {one["id"]: one["value"] for one in each["properties"]}
            for each in panel["fieldConfig"]["overrides"]
        }
        for field, heading in names.items():
            if field in texts or field.endswith("_text"):
                assert properties[heading]["unit"] == "string", f"{uid}: {heading}"
                seen += 1
    assert seen


def test_the_scorecard_has_what_the_meeting_asks_for() -> None:
    """The worst first: what it is, what it should be, by when, and where it is going."""
    uid = places.scorecard_uid(edition("sunat-en").strategy)
    panel = table(uid, SCORECARD)
    assert columns(panel) == [
        *("Status", "KPI", "Value", "Expected today", "Target", "Deadline", "Trend", "Forecast"),
        *("Chosen window", "Samples", "Like this for", "Objective", "Owner"),
    ]
    assert step(panel, "sortBy")["sort"] == [{"field": "Value #O"}]
    titles = {each["title"] for each in panels(boards_of("sunat", uid))}
    assert {"Age of the data", "Status by office", "How the KPIs stood"} <= titles


def test_an_office_stands_beside_the_nation() -> None:
    """Value beside value, target beside target."""
    panel = table(places.office_uid(edition("sunat-en").strategy), OFFICE)
    assert columns(panel) == [
        *("Status", "KPI", "The office", "National", "Difference", "Expected today"),
        *("Target of the office", "National target", "Samples", "Window"),
    ]


def boards_of(of: str, uid: str) -> Json:
    """Return a dashboard by uid."""
    return next(board for board in boards(f"{of}-en").values() if board["uid"] == uid)


@pytest.mark.parametrize("of", ["sunat", "harbour", "pocket"])
def test_each_judged_office_has_a_row(of: str) -> None:
    """A column for each KPI that judges offices; none judges, no table."""
    made_for = edition(f"{of}-en")
    judged = {each.kpi for each in made_for.strategy.targets if each.dimension == "office"}
    board = boards_of(of, places.scorecard_uid(made_for.strategy))
    found = [each for each in panels(board) if each["title"] == "Status by office"]
    assert len(found) == bool(judged)
    for panel in found:
        names = step(panel, "organize")["renameByName"]
        assert names.keys() - {"member\\kpi"} == judged
        matrix = step(panel, "groupingToMatrix")
        assert (matrix["rowField"], matrix["columnField"]) == ("member", "kpi")
