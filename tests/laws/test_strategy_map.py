from itertools import combinations, pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings

from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.application.display import MARKS, STATUS_WORDS
from kpi_stream.application.strategy_map import Arrow, Point, Rect, Side, strategy_map
from kpi_stream.application.strategy_map.layout import (
    LABEL_PX,
    LINE_PX,
    NAME_PX,
    SMALL_PX,
    StrategyMap,
)
from kpi_stream.application.strategy_map.wording import width
from kpi_stream.domain.strategy import Strategy
from tests.laws.maps import band_of, shapes

_NEAR = 0.002
"""Percent: places are rounded to a thousandth."""

_FOLDERS = Path(__file__).parents[1] / "strategies"
_KNOWN = {
    "sunat": packaged_strategy_path(),
    "harbour": _FOLDERS / "harbour",
    "pocket": _FOLDERS / "pocket",
}


def _inside(inner: Rect, outer: Rect) -> bool:
    return (
        inner.left >= outer.left - _NEAR
        and inner.top >= outer.top - _NEAR
        and inner.right <= outer.right + _NEAR
        and inner.bottom <= outer.bottom + _NEAR
    )


def _overlap(one: Rect, other: Rect) -> bool:
    return (
        one.left < other.right - _NEAR
        and other.left < one.right - _NEAR
        and one.top < other.bottom - _NEAR
        and other.top < one.bottom - _NEAR
    )


def _check_boxes(drawn: StrategyMap) -> None:
    whole = Rect(0, 0, 100, 100)
    bands = {band.perspective.id: band for band in drawn.bands}
    for above, below in pairwise(drawn.bands):
        assert above.rect.bottom <= below.rect.top + _NEAR
    for band in drawn.bands:
        assert _inside(band.rect, whole)
        assert _inside(band.label, band.rect)
    for box in drawn.boxes:
        band = bands[box.objective.perspective]
        assert _inside(box.rect, band.rect)
        assert not _overlap(box.rect, band.label)
        parts = (box.stripe, box.name, box.status, box.attainment, box.worst, box.value)
        for part in parts:
            assert _inside(part, box.rect)
            assert part.left < part.right
            assert part.top < part.bottom
        for one, other in combinations(parts, 2):
            assert not _overlap(one, other)
    for one, other in combinations(drawn.boxes, 2):
        assert not _overlap(one.rect, other.rect)


def _on_edge(point: Point, rect: Rect, side: Side) -> bool:
    at = {
        Side.TOP: (point.y, rect.top),
        Side.BOTTOM: (point.y, rect.bottom),
        Side.LEFT: (point.x, rect.left),
        Side.RIGHT: (point.x, rect.right),
    }[side]
    along = (
        rect.left <= point.x <= rect.right
        if side in (Side.TOP, Side.BOTTOM)
        else rect.top <= point.y <= rect.bottom
    )
    return abs(at[0] - at[1]) <= _NEAR and along


def _points_away(here: Point, there: Point, side: Side) -> bool:
    """Return whether a line that begins on an edge leads away from the box."""
    return {
        Side.TOP: there.y < here.y,
        Side.BOTTOM: there.y > here.y,
        Side.LEFT: there.x < here.x,
        Side.RIGHT: there.x > here.x,
    }[side]


def _check_arrows(strategy: Strategy, drawn: StrategyMap) -> None:
    rects = {box.objective.id: box.rect for box in drawn.boxes}
    wanted = {(each.id, effect) for each in strategy.objectives for effect in each.causes}
    assert sorted((each.cause, each.effect) for each in drawn.arrows) == sorted(wanted)
    for arrow in drawn.arrows:
        first, last = arrow.points[0], arrow.points[-1]
        assert _on_edge(first, rects[arrow.cause], arrow.leaves)
        assert _on_edge(last, rects[arrow.effect], arrow.enters)
        assert _points_away(first, arrow.points[1], arrow.leaves)
        assert _points_away(last, arrow.points[-2], arrow.enters)
        for here, there in pairwise(arrow.points):
            assert (here.x == there.x) != (here.y == there.y)
            line = Rect(*map(min, here, there), *map(max, here, there))
            assert _inside(line, Rect(0, 0, 100, 100))
            # As wide as it is drawn, so that a line has an inside.
            thick = Rect(
                line.left - _NEAR, line.top - _NEAR, line.right + _NEAR, line.bottom + _NEAR
            )
            for rect in rects.values():
                inner = Rect(
                    rect.left + 2 * _NEAR,
                    rect.top + 2 * _NEAR,
                    rect.right - 2 * _NEAR,
                    rect.bottom - 2 * _NEAR,
                )
                assert not _overlap(thick, inner)


def _check_texts(drawn: StrategyMap) -> None:
    def px(percent: float, of: float) -> float:
        return percent * of / 100

    for box in drawn.boxes:
        room = px(box.name.bottom - box.name.top, drawn.height_px)
        wide = px(box.name.right - box.name.left, drawn.width_px)
        for language, lines in box.lines.items():
            assert "".join(lines).replace(" ", "") == box.title[language].replace(" ", "")
            assert len(lines) * NAME_PX * LINE_PX <= room + 0.1
            assert all(width(line, NAME_PX) <= wide + 0.1 for line in lines)
        for row, size in ((box.status, NAME_PX), (box.worst, SMALL_PX), (box.value, SMALL_PX)):
            assert px(row.bottom - row.top, drawn.height_px) >= size * LINE_PX - 0.1
    for band in drawn.bands:
        for lines in band.lines.values():
            assert len(lines) * LABEL_PX * LINE_PX <= 0.1 + px(
                band.label.bottom - band.label.top, drawn.height_px
            )
            assert all(width(line, LABEL_PX) <= drawn.label_px for line in lines)


def _check_words(drawn: StrategyMap) -> None:
    """The words for a status fit where a band has up to six boxes and no arrow passes it."""
    longest = [
        f"{MARKS[status]} {word}" for status, text in STATUS_WORDS.items() for word in text.values()
    ]
    for box in drawn.boxes:
        for rect, words in ((box.status, longest), (box.attainment, ["100%"])):
            room = (rect.right - rect.left) * drawn.width_px / 100
            assert all(width(word, NAME_PX) <= room + 0.1 for word in words)


def _check(strategy: Strategy) -> None:
    drawn = strategy_map(strategy)
    assert {box.objective.id for box in drawn.boxes} == {each.id for each in strategy.objectives}
    _check_boxes(drawn)
    _check_arrows(strategy, drawn)
    _check_texts(drawn)


@settings(max_examples=60)
@given(shapes())
def test_every_map_is_laid_out(strategy: Strategy):
    """Boxes apart and in their bands, arrows from edge to edge and around boxes, texts fit."""
    _check(strategy)


@settings(max_examples=20)
@given(shapes())
def test_the_same_strategy_gives_the_same_map(strategy: Strategy):
    """The layout depends on nothing but the strategy."""
    assert strategy_map(strategy) == strategy_map(strategy)


@pytest.mark.parametrize("name", _KNOWN)
def test_the_map_of_a_real_strategy(name: str):
    """The packaged strategy and the tests' own obey the laws."""
    strategy = load_strategy(_KNOWN[name])
    _check(strategy)
    _check_words(strategy_map(strategy))


@pytest.mark.parametrize("count", range(1, 7))
def test_a_full_band_has_room_for_the_status(count: int):
    """With six boxes in a band, the attainment stands below the status."""
    drawn = strategy_map(band_of(count))
    _check_boxes(drawn)
    _check_words(drawn)


def _stretches(arrow: Arrow) -> list[tuple[bool, float, float, float]]:
    """Return (vertical, where, from, to) of each line of an arrow."""
    found = []
    for here, there in pairwise(arrow.points):
        if here.x == there.x:
            found.append((True, here.x, *sorted((here.y, there.y))))
        else:
            found.append((False, here.y, *sorted((here.x, there.x))))
    return found


@pytest.mark.parametrize("name", _KNOWN)
def test_lines_upon_each_other_lead_to_the_same_box(name: str):
    """Where two arrows share a line, they have the same effect or the same cause's way."""
    drawn = strategy_map(load_strategy(_KNOWN[name]))
    for one, other in combinations(drawn.arrows, 2):
        if one.effect == other.effect:
            continue
        for vertical, at, begin, end in _stretches(one):
            for vertical_2, at_2, begin_2, end_2 in _stretches(other):
                apart = abs(at - at_2) > 0.2 or end <= begin_2 or end_2 <= begin
                assert vertical != vertical_2 or apart, (one, other)
