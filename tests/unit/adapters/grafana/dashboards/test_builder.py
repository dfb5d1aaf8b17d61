"""A dashboard's frame: what it refuses, and what it adds to every panel."""

import pytest
from grafana_foundation_sdk.builders import stat

from kpi_stream.adapters.grafana.dashboards.builder import Board, Box, absent, nothing, query
from tests.support.dashboards import edition

ENGLISH = edition("pocket-en")


@pytest.fixture
def board() -> Board:
    """A dashboard with one panel in the upper left corner."""
    made = Board(ENGLISH, "pocket-x", "Title", "Question?")
    made.add(stat.Panel().unit("none").with_target(query("up")), 1, Box(0, 0, 12, 4), "A", "a")
    return made


def add(board: Board, number: int, box: Box) -> None:
    """Add a panel."""
    board.add(stat.Panel().unit("none"), number, box, "B", "b")


@pytest.mark.parametrize(
    ("number", "box", "why"),
    [
        (1, Box(12, 0, 4, 4), "there twice"),
        (2, Box(11, 3, 4, 4), "overlap"),
        (2, Box(0, 0, 1, 1), "overlap"),
        (2, Box(13, 0, 12, 4), "outside"),
        (2, Box(-1, 4, 4, 4), "outside"),
        (2, Box(12, 0, 4, 0), "outside"),
    ],
)
def test_a_panel_without_a_place_is_refused(board: Board, number: int, box: Box, why: str) -> None:
    """Its number is taken, its place is taken, or there is no such place."""
    with pytest.raises(ValueError, match=why):
        add(board, number, box)


@pytest.mark.parametrize("box", [Box(12, 0, 12, 4), Box(0, 4, 24, 1)])
def test_a_neighbour_is_not_refused(board: Board, box: Box) -> None:
    """Edges may touch."""
    add(board, 2, box)
    assert [panel["id"] for panel in board.json()["panels"]] == [1, 2]


def test_nobody_edits_it_in_the_browser(board: Board) -> None:
    """It comes from a file, in the model that Grafana provisions, and has no number of its own."""
    made = board.json()
    assert made["editable"] is False
    assert made["schemaVersion"] == 42
    assert made.get("id") is None
    assert made["timezone"] == ENGLISH.strategy.calendar.time_zone


def test_where_there_is_no_value_it_says_so(board: Board) -> None:
    """In its reader's language, or in the panel's own words."""
    board.add(stat.Panel(), 2, Box(0, 4, 4, 4), "C", "c", extra=absent("Choose one"))
    said = {
        panel["id"]: panel["fieldConfig"]["defaults"]["noValue"] for panel in board.json()["panels"]
    }
    assert said == {1: nothing(ENGLISH), 2: "Choose one"}
    assert nothing(ENGLISH) == "No data"
    assert nothing(edition("pocket-es")) == "Sin datos"


def test_the_offices_and_windows_can_be_chosen(board: Board) -> None:
    """The nation is the one chosen at first, and names with a comma stay whole."""
    variables = {each["name"]: each for each in board.json()["templating"]["list"]}
    office, window = variables["office"], variables["window"]
    assert office["current"]["value"] == "()"
    assert [option["value"] for option in office["options"]] == ["()", "01", "AIR_B"]
    assert r"North Quay\, post 1: 'the shed' : 01" in office["query"]
    assert [option["value"] for option in window["options"]] == [
        *("now", "24h", "7d", "30d", "mtd", "ytd"),
    ]
    # Most of its targets judge 30 days.
    assert window["current"]["value"] == "30d"
