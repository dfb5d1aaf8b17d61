"""The strategic map's dashboard: what its Canvas asks for, shows and links to."""

from dataclasses import replace

import pytest

from kpi_stream.adapters.grafana.dashboards.builder import COLOURS, status_word
from kpi_stream.adapters.grafana.dashboards.strategic_map import MAP, build, rows
from kpi_stream.application.monitoring import places
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.application.strategy_map import strategy_map
from kpi_stream.domain.status import Status
from kpi_stream.domain.strategy import NotMeasured, Objective, Text
from tests.preview.canvas_page import canvas_panel
from tests.preview.drawn import answers, statuses
from tests.support import grafana_node
from tests.support.dashboards import Json, edition

EDITIONS = tuple(f"{of}-{to}" for of in ("sunat", "harbour", "pocket") for to in ("es", "en"))


@pytest.fixture(params=EDITIONS)
def chosen(request: pytest.FixtureRequest) -> Edition:
    """A strategy in a language."""
    return edition(request.param)


def panel_of(chosen: Edition) -> Json:
    """Return the Canvas panel."""
    (board,) = build(chosen)
    return canvas_panel(board)


def elements_of(chosen: Edition) -> list[Json]:
    """Return the elements, from the bottom to the top."""
    found: list[Json] = panel_of(chosen)["options"]["root"]["elements"]
    return found


def cover_of(chosen: Edition, objective: Objective) -> Json:
    """Return what lies over an objective's box."""
    title = f"{objective.code} {chosen.text(objective.name)}".strip()
    (found,) = [each for each in elements_of(chosen) if each["name"] == title]
    return found


def test_each_box_links_to_each_of_its_kpis(chosen: Edition):
    """One link a KPI, under its code and name, keeping time range and variables."""
    strategy = chosen.strategy
    for objective in strategy.objectives:
        links = cover_of(chosen, objective)["links"]
        wanted = [places.link(places.kpi_uid(strategy, part.kpi)) for part in objective.kpis]
        assert [each["url"] for each in links][: len(wanted)] == wanted
        served = any(objective.id in each.objectives for each in strategy.initiatives)
        rest = [places.link(places.initiatives_uid(strategy))] if served else []
        assert [each["url"] for each in links][len(wanted) :] == rest
        assert all(each["title"].strip() for each in links)


def test_the_covers_lie_on_top(chosen: Edition):
    """A click anywhere on a box must meet its links: nothing is drawn above them."""
    names = [each["name"] for each in elements_of(chosen)]
    covers = {cover_of(chosen, each)["name"] for each in chosen.strategy.objectives}
    assert set(names[-len(covers) :]) == covers


def test_names_are_there_and_unique(chosen: Edition):
    """Canvas joins connections by name, and invents one for an element without."""
    names = [each["name"] for each in elements_of(chosen)]
    assert all(names)
    assert len(set(names)) == len(names)


def test_everything_is_placed_by_percent(chosen: Edition):
    """Pixels would break on the next screen."""
    for each in elements_of(chosen):
        assert each["constraint"] == {"horizontal": "scale", "vertical": "scale"}
        place = each["placement"]
        assert set(place) == {"left", "top", "right", "bottom"}
        assert all(0 <= edge <= 100 for edge in place.values()), each["name"]
        assert place["left"] + place["right"] < 100
        assert place["top"] + place["bottom"] < 100


def test_connections_are_complete(chosen: Edition):
    """Known target, explicit direction as an object, points on the elements."""
    names = {each["name"] for each in elements_of(chosen)}
    lines = [line for each in elements_of(chosen) for line in each.get("connections", ())]
    assert lines
    for line in lines:
        assert line["targetName"] in names
        assert line["direction"]["mode"] == "fixed"
        assert line["direction"]["fixed"] in {"forward", "none"}
        assert line["path"] == "straight"
        for end in (line["source"], line["target"]):
            assert -1 <= end["x"] <= 1
            assert -1 <= end["y"] <= 1
    heads = [line["targetName"] for line in lines if line["direction"]["fixed"] == "forward"]
    effects = {effect for each in chosen.strategy.objectives for effect in each.causes}
    boxes = {each.id: cover_of(chosen, each)["name"] for each in chosen.strategy.objectives}
    assert set(heads) == {boxes[effect] for effect in effects}


def test_grafana_finds_the_field_of_every_element(chosen: Edition):
    """By Grafana's own transformations and display: name, text and colour of each field."""
    (board,) = build(chosen)
    panel = canvas_panel(board)
    variables = {each["name"]: each["current"] for each in board["templating"]["list"]}
    given = {"panel": panel, "answers": answers(chosen), "variables": variables}
    zone = chosen.strategy.calendar.time_zone
    (found,) = grafana_node.ask("shown", [{**given, "timeZone": zone}])
    cells = {each["name"]: each["values"][0] for each in found["fields"]}
    assert found["idle"] == []
    wanted = [each["config"]["text"] for each in elements_of(chosen)]
    fields = {each["field"] for each in wanted if each["mode"] == "field"}
    measured = {kpi.id for kpi in chosen.strategy.kpis if kpi.measure.kind != "not_measured"}
    for key, status in statuses(chosen.strategy).items():
        objective = next(each for each in chosen.strategy.objectives if each.id == key)
        assert (f"status {key}" in fields) == bool(objective.kpis)
        assert cells[f"status {key}"]["text"] == status_word(chosen, status)
        assert cells[f"status {key}"]["color"] == COLOURS[status]
        assert cells[f"attainment {key}"]["text"] == "100%"
        if measured & {part.kpi for part in objective.kpis}:
            assert {f"worst {key}", f"value {key}"} <= fields
            assert cells[f"worst {key}"]["text"] not in measured
            assert cells[f"value {key}"]["text"]


def test_a_field_that_is_missing_leaves_words(chosen: Edition):
    """A rectangle shows its fixed text; other kinds would say `Field not found`."""
    shown = [each for each in elements_of(chosen) if each["config"]["text"]["mode"] == "field"]
    assert {each["type"] for each in shown} == {"rectangle"}
    states = [each for each in shown if each["name"].endswith(": status")]
    assert states
    for each in states:
        assert each["config"]["text"]["fixed"] == status_word(chosen, Status.NO_DATA)


def test_the_panel_is_high_enough(chosen: Edition):
    """Texts keep their size, so the map needs its height: 38 pixels a row, 56 for the frame."""
    high = panel_of(chosen)["gridPos"]["h"]
    assert high == rows(strategy_map(chosen.strategy))
    assert 38 * high - 8 - 56 >= strategy_map(chosen.strategy).height_px


def test_an_objective_without_kpi_says_so():
    """SUNAT's O13 has none: grey, with words of its own, and asks for no field."""
    chosen = edition("sunat-es")
    (bare,) = [each for each in chosen.strategy.objectives if not each.kpis]
    said = {each["name"]: each["config"]["text"] for each in elements_of(chosen)}
    assert said[f"{bare.id}: status"] == {"mode": "fixed", "fixed": "○ Sin indicador"}
    assert f"{bare.id}: value" not in said


def test_boxes_of_the_same_title_keep_apart():
    """Two objectives may be named alike; their boxes' names then carry their ids."""
    chosen = edition("harbour-en")
    alike = tuple(
        replace(each, code="", name={"es": "Igual", "en": "Same"})
        for each in chosen.strategy.objectives
    )
    twin = replace(chosen, strategy=replace(chosen.strategy, objectives=alike))
    names = [each["name"] for each in elements_of(twin)]
    assert len(set(names)) == len(names)
    assert {f"Same ({each.id})" for each in alike} <= set(names)


def test_a_strategy_without_figures_has_its_map():
    """Nothing to rank: the queries of the worst KPIs are left out."""
    chosen = edition("pocket-es")
    reason: Text = {"es": "No", "en": "No"}
    kpis = tuple(replace(each, measure=NotMeasured(reason)) for each in chosen.strategy.kpis)
    bare = replace(chosen, strategy=replace(chosen.strategy, kpis=kpis, targets=()))
    panel = panel_of(bare)
    assert [each["refId"] for each in panel["targets"]] == ["A", "B"]
    assert panel["id"] == MAP
