from itertools import combinations, pairwise

import pytest
from playwright.sync_api import Browser

from kpi_stream.adapters.grafana.dashboards.builder import COLOURS, status_word
from kpi_stream.adapters.grafana.dashboards.strategic_map import build
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.application.strategy_map import strategy_map
from kpi_stream.domain.status import Status
from tests.preview.canvas_page import canvas_panel
from tests.preview.drawn import Drawn, answers, draw, statuses
from tests.support.dashboards import edition

EDITIONS = tuple(f"{of}-{to}" for of in ("sunat", "harbour", "pocket") for to in ("es", "en"))
WIDE, NARROW, NARROWEST = 1600, 1280, 1240
"""Widths of panels; the map promises that texts fit in the narrowest."""

_PX = 1.0
"""A browser rounds to pixels."""


def _size(chosen: Edition, width: int) -> tuple[int, int]:
    """Return a panel of a screen of 900 or 720 lines; a small strategy's panel is as low."""
    high = 900 if width == WIDE else 720
    return width, min(high, round(strategy_map(chosen.strategy).height_px))


@pytest.fixture(scope="module", params=EDITIONS)
def chosen(request: pytest.FixtureRequest) -> Edition:
    """A strategy in a language."""
    return edition(request.param)


@pytest.fixture(scope="module", params=[WIDE, NARROW, NARROWEST])
def drawn(request: pytest.FixtureRequest, browser: Browser, chosen: Edition) -> Drawn:
    """The map full of its longest texts, on a large and on a small screen."""
    return draw(browser, chosen, answers(chosen), size=_size(chosen, request.param))


def _titles(chosen: Edition) -> dict[str, str]:
    boxes = strategy_map(chosen.strategy).boxes
    return {box.objective.id: chosen.text(box.title) for box in boxes}


def test_no_boxes_overlap(drawn: Drawn, chosen: Edition):
    """The boxes of the objectives stand apart, inside the panel."""
    places = [drawn.place(title) for title in _titles(chosen).values()]
    for left, top, right, bottom in places:
        assert left >= 0
        assert top >= 0
        assert right <= drawn.size[0]
        assert bottom <= drawn.size[1]
    for one, other in combinations(places, 2):
        across = one[0] < other[2] and other[0] < one[2]
        down = one[1] < other[3] and other[1] < one[3]
        assert not (across and down)


def test_every_text_fits(drawn: Drawn):
    """No text needs more room than its element has, in width or in height."""
    said = [each for each in drawn.elements.values() if each["text"]]
    assert len(said) > 5
    for each in said:
        assert each["needed"][0] <= each["room"][0], each
        assert each["needed"][1] <= each["room"][1] + _PX, each


def test_every_arrow_goes_from_edge_to_edge(drawn: Drawn, chosen: Edition):
    """From each cause a way of joined lines leads to its effect, with a head at its end only."""
    titles = _titles(chosen)
    for objective in chosen.strategy.objectives:
        for effect in objective.causes:
            ways = [[line] for line in drawn.lines if line.source == titles[objective.id]]
            whole = []
            while ways:
                way = ways.pop()
                if way[-1].target in titles.values():
                    whole.append(way)
                    continue
                ways += [[*way, line] for line in drawn.lines if line.source == way[-1].target]
            reached = [way for way in whole if way[-1].target == titles[effect]]
            assert reached, f"{objective.id} -> {effect}"
            for way in reached:
                assert _on_edge(way[0].begin, drawn.place(titles[objective.id]))
                assert _on_edge(way[-1].end, drawn.place(titles[effect]))
                assert [line.head for line in way] == [False] * (len(way) - 1) + [True]
                for line, following in pairwise(way):
                    assert line.end == pytest.approx(following.begin, abs=_PX)
    allowed = {
        (titles[each.id], titles[effect])
        for each in chosen.strategy.objectives
        for effect in each.causes
    }
    assert {(a, b) for a, b in _reached(drawn, set(titles.values()))} == allowed


def _reached(drawn: Drawn, boxes: set[str]) -> set[tuple[str, str]]:
    """Return every (box, box) that the drawn lines join."""
    found: set[tuple[str, str]] = set()
    for begin in boxes:
        waiting = [begin]
        while waiting:
            here = waiting.pop()
            for line in drawn.lines:
                if line.source == here and line.target in boxes:
                    found.add((begin, line.target))
                elif line.source == here:
                    waiting.append(line.target)
    return found


def _on_edge(point: tuple[float, float], place: tuple[float, float, float, float]) -> bool:
    (x, y), (left, top, right, bottom) = point, place
    within = left - _PX <= x <= right + _PX and top - _PX <= y <= bottom + _PX
    return within and min(abs(x - left), abs(x - right), abs(y - top), abs(y - bottom)) <= _PX


def test_no_line_crosses_a_box(drawn: Drawn, chosen: Edition):
    """Lines pass between the boxes."""
    places = [drawn.place(title) for title in _titles(chosen).values()]
    for line in drawn.lines:
        (x1, y1), (x2, y2) = line.begin, line.end
        assert abs(x1 - x2) <= _PX or abs(y1 - y2) <= _PX, line
        for left, top, right, bottom in places:
            across = min(x1, x2) < right - _PX and max(x1, x2) > left + _PX
            down = min(y1, y2) < bottom - _PX and max(y1, y2) > top + _PX
            assert not (across and down), line


def test_a_box_tells_its_status(drawn: Drawn, chosen: Edition):
    """Shape and word, the colour of the edge, the attainment, the worst KPI and its value."""
    for key, status in statuses(chosen.strategy).items():
        objective = next(each for each in chosen.strategy.objectives if each.id == key)
        if not objective.kpis:
            assert drawn.text(f"{key}: status").startswith("○ ")
            assert drawn.elements[f"{key}: colour"]["colour"] == _rgb(COLOURS[Status.NO_DATA])
            continue
        assert drawn.text(f"{key}: status") == status_word(chosen, status)
        assert drawn.elements[f"{key}: colour"]["colour"] == _rgb(COLOURS[status])
        assert drawn.text(f"{key}: attainment") == "100%"


def _rgb(colour: str) -> str:
    return "rgb({}, {}, {})".format(*(int(colour[at : at + 2], 16) for at in (1, 3, 5)))


def test_without_any_answer_every_box_says_no_data(browser: Browser, chosen: Edition):
    """Nothing like `Field not found` when the scorecard is down or Prometheus is new."""
    empty = draw(browser, chosen, {}, size=_size(chosen, NARROW))
    assert not [each for each in empty.elements.values() if "not found" in each["text"]]
    for each in chosen.strategy.objectives:
        assert empty.text(f"{each.id}: status").startswith("○ ")
        assert empty.elements[f"{each.id}: colour"]["colour"] == _rgb(COLOURS[Status.NO_DATA])
        if each.kpis:
            assert empty.text(f"{each.id}: attainment") == ""


def test_the_preview_reads_the_panel_that_ships(chosen: Edition):
    """The page is made of the panel's own JSON: elements that Canvas knows, placed by scale."""
    (board,) = build(chosen)
    kinds = {each["type"] for each in canvas_panel(board)["options"]["root"]["elements"]}
    assert kinds == {"rectangle", "text"}
