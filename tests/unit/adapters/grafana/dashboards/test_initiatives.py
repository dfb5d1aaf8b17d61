"""Initiatives and resources: what a reader sees of their pace, their money and what is due."""

from dataclasses import replace
from typing import Any

import pytest

from kpi_stream.adapters.grafana.dashboards.builder import GREEN, ORANGE, VERMILION
from kpi_stream.adapters.grafana.dashboards.initiatives import (
    ACTIONS,
    LATE,
    SLOW,
    TABLE,
    build,
)
from kpi_stream.application.monitoring import conventions as c
from kpi_stream.application.monitoring.edition import Edition
from tests.support import grafana_node
from tests.support.dashboards import Json, edition

CHOSEN = edition("sunat-en")
INITIATIVES = CHOSEN.strategy.initiatives[:3]


def panel_of(chosen: Edition, number: int) -> Json:
    """Return a panel by its number."""
    (board,) = build(chosen)
    (found,) = [each for each in board["panels"] if each["id"] == number]
    return dict(found)


def drawn(panel: Json, answers: dict[str, list[Json]]) -> dict[str, list[tuple[str, str]]]:
    """Return (text, colour) of each row by column, by Grafana's own code."""
    given: Any = {"panel": panel, "answers": answers, "variables": {}, "timeZone": "America/Lima"}
    (found,) = grafana_node.ask("shown", [given])
    assert found["idle"] == []
    return {
        each["name"]: [(one["text"], one.get("color", "")) for one in each["values"]]
        for each in found["fields"]
    }


def sample(value: float, **metric: str) -> Json:
    """Return a sample as Prometheus answers it."""
    return {"metric": metric, "value": [1_790_000_000, str(value)]}


def test_the_furthest_behind_is_first_and_red():
    """Time less progress: red from 15 points, amber from 5, else green."""
    gaps = {INITIATIVES[0].id: -0.02, INITIATIVES[1].id: 0.21, INITIATIVES[2].id: 0.1}
    shares = {"B": 0.8, "C": 0.6, "E": 0.5, "F": 1_200_000, "G": 600_000, "H": 1}
    answers = {
        ref: [sample(value, initiative=each.id) for each in INITIATIVES]
        for ref, value in shares.items()
    }
    answers["D"] = [sample(gap, initiative=key) for key, gap in gaps.items()]
    answers["A"] = [
        sample(
            1,
            initiative=each.id,
            name_en=each.name["en"],
            owner=each.owner,
            objectives=",".join(each.objectives),
        )
        for each in INITIATIVES
    ]
    table = drawn(panel_of(CHOSEN, TABLE), answers)
    assert table["Behind by"] == [("21%", VERMILION), ("10%", ORANGE), ("-2%", GREEN)]
    order = [INITIATIVES[1], INITIATIVES[2], INITIATIVES[0]]
    assert [text for text, _ in table["Initiative"]] == [each.name["en"] for each in order]
    assert [text for text, _ in table["Owner"]] == [each.owner for each in order]
    assert table["Overdue"][0] == ("1", VERMILION)
    assert table["Time elapsed"][0][0] == "80%"
    assert table["Progress"][0][0] == "60%"
    assert table["Spent of budget"][0][0] == "50%"
    assert CHOSEN.strategy.currency in table["Budget"][0][0]
    assert "600" in table["Spent"][0][0]
    assert table["Objectives"][2][0].startswith("O4 ")


def test_an_overdue_action_is_first_with_its_responsible():
    """Days below zero are red; an action due within a month is amber."""
    rows = {"late": -3.2, "soon": 12.4, "later": 90.0}
    answers: dict[str, list[Json]] = {"A": [], "B": []}
    for at, (name, left) in enumerate(rows.items()):
        labels = {
            "initiative": INITIATIVES[at].id,
            "action": "1",
            "name_en": name,
            "responsible": f"chief of {name}",
        }
        answers["B"].insert(0, sample(left, **labels))
        answers["A"].insert(0, sample(1_790_000_000_000 + at, **labels))
    table = drawn(panel_of(CHOSEN, ACTIONS), answers)
    assert table["Days left"] == [("-3", VERMILION), ("12", ORANGE), ("90", GREEN)]
    assert [text for text, _ in table["Action"]] == ["late", "soon", "later"]
    assert table["Responsible"][0][0] == "chief of late"
    assert table["Initiative"][0][0] == INITIATIVES[0].name["en"]
    assert table["Due"][0][0] == "2026-09-21"


def test_two_actions_of_one_name_are_two_rows():
    """The number of the action keeps apart what one responsible has to do twice."""
    exprs = [each["expr"] for each in panel_of(CHOSEN, ACTIONS)["targets"]]
    assert all("max by (initiative, action, name_en, responsible)" in each for each in exprs)
    assert all(c.INITIATIVE_ACTION_DUE.name in each for each in exprs)


@pytest.mark.parametrize("name", ["sunat-es", "sunat-en"])
def test_the_limits_are_told(name: str):
    """A reader learns at the panel from where on it is amber and red."""
    told = panel_of(edition(name), TABLE)["description"]
    assert f"{SLOW:.0%}" in told
    assert f"{LATE:.0%}" in told


def test_a_strategy_without_initiatives_has_the_dashboard():
    """Every dashboard links to it."""
    bare = replace(CHOSEN, strategy=replace(CHOSEN.strategy, initiatives=()))
    assert panel_of(bare, TABLE)["type"] == "table"
