"""Every dashboard has the shapes that Grafana publishes as TypeScript, panel by panel.

`shapes.ts` holds, each with its reason, what Grafana reads at run time and does not publish.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from tests.support import dashboards, grafana_node
from tests.support.dashboards import Json

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

Cases = dict[str, tuple[Json, Callable[[Json], None], str, str]]


def panel_of(
    boards: Sequence[Json], kind: str, need: Callable[[Json], bool] = lambda _: True
) -> Json:
    """Return a dashboard with only one panel, the first of a kind that has what is needed."""
    for board in boards:
        for each in dashboards.panels(board):
            if each["type"] == kind and need(each):
                return {**copy.deepcopy(board), "panels": [copy.deepcopy(each)]}
    msg = f"no panel of type {kind}"
    raise LookupError(msg)


def first(board: Json) -> Any:
    """Return the only panel of a dashboard."""
    return board["panels"][0]


def broken(boards: Sequence[Json]) -> Iterator[tuple[str, Json, str, str]]:
    """Yield (name, dashboard with one defect, where it is found, words of the message)."""

    def case(
        name: str, board: Json, breaks: Callable[[Json], object], where: str, words: str
    ) -> tuple[str, Json, str, str]:
        breaks(board)
        return name, board, where, words

    def stat() -> Json:
        return panel_of(boards, "stat")

    def table() -> Json:
        return panel_of(boards, "table")

    yield case(
        "an unknown key of a panel",
        stat(),
        lambda board: first(board).update(tittle="x"),
        "tittle",
        "does not exist",
    )
    yield case(
        "an unknown option",
        stat(),
        lambda board: first(board)["options"].update(colourMode="value"),
        "options.colourMode",
        "does not exist",
    )
    yield case(
        "an unknown word",
        stat(),
        lambda board: first(board)["options"].update(colorMode="words"),
        "options.colorMode",
        "not assignable",
    )
    yield case(
        "a wrong type",
        stat(),
        lambda board: first(board)["fieldConfig"]["defaults"].update(decimals="one"),
        "fieldConfig.defaults.decimals",
        "not assignable",
    )
    yield case(
        "a missing key of the grid",
        stat(),
        lambda board: first(board)["gridPos"].pop("h"),
        "gridPos",
        "'h' is missing",
    )
    yield case(
        "a query without a name",
        stat(),
        lambda board: first(board)["targets"][0].pop("refId"),
        "targets[0]",
        "'refId' is missing",
    )
    yield case(
        "an unknown key of a query",
        stat(),
        lambda board: first(board)["targets"][0].update(legend="x"),
        "targets[0].legend",
        "does not exist",
    )
    yield case(
        "a property of another kind of panel",
        table(),
        lambda board: first(board)["fieldConfig"]["overrides"][0]["properties"].append(
            {"id": "custom.lineWidth", "value": 2}
        ),
        "fieldConfig.overrides[0].properties",
        "custom.lineWidth",
    )
    yield case(
        "a property of a wrong type",
        table(),
        lambda board: first(board)["fieldConfig"]["overrides"][0]["properties"].append(
            {"id": "custom.width", "value": "wide"}
        ),
        "fieldConfig.overrides[0].properties",
        "not assignable",
    )
    yield case(
        "an unknown option of a transformation",
        panel_of(
            boards,
            "table",
            lambda each: each["transformations"][0]["id"] == "joinByField",
        ),
        lambda board: first(board)["transformations"][0]["options"].update(field="kpi"),
        "transformations[0].options.field",
        "does not exist",
    )
    yield case(
        "a threshold without a colour",
        panel_of(boards, "stat", lambda each: "thresholds" in each["fieldConfig"]["defaults"]),
        lambda board: first(board)["fieldConfig"]["defaults"]["thresholds"]["steps"][0].pop(
            "color"
        ),
        "fieldConfig.defaults.thresholds.steps[0]",
        "'color' is missing",
    )
    yield case(
        "an unknown key of the dashboard",
        stat(),
        lambda board: board.update(readonly=True),
        "readonly",
        "does not exist",
    )
    yield case(
        "a variable without a type",
        stat(),
        lambda board: board["templating"]["list"][0].pop("type"),
        "templating.list[0]",
        "'type' is missing",
    )


@pytest.fixture(scope="module")
def answer(everything) -> tuple[dict[str, Any], dict[str, tuple[str, str]]]:
    """Return what TypeScript says about every dashboard and about broken ones, asked at once."""
    cases = list(broken([each["dashboard"] for each in everything]))
    asked = [{"file": name, "dashboard": board} for name, board, _, _ in cases]
    expected = {name: (where, words) for name, _, where, words in cases}
    return grafana_node.ask("shapes", [*everything, *asked]), expected


def test_the_published_types_accept_every_dashboard(answer):
    """No key is unknown, none is missing, none has a value of another type."""
    found, expected = answer
    assert found["checked"] > len(expected)
    refused = [
        "{file}: {where}: {path}: {message}".format(**each)
        for each in found["findings"]
        if each["file"] not in expected
    ]
    assert not refused, "\n".join(refused)


def test_a_defect_is_found_where_it_is(answer):
    """Each broken dashboard is refused, at the place that was broken and for that reason."""
    found, expected = answer
    said = {
        name: [
            (each["path"], each["message"]) for each in found["findings"] if each["file"] == name
        ]
        for name in expected
    }
    unseen = {
        name: said[name]
        for name, (where, words) in expected.items()
        if not any(path.startswith(where) and words in message for path, message in said[name])
    }
    assert unseen == {}
    assert len(expected) == 13
