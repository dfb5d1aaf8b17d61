"""The strategic map: what a reader expects of its picture; the laws are in tests/laws."""

import os
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import pytest

from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.application.strategy_map import Side, StrategyMap, strategy_map
from kpi_stream.application.strategy_map.wording import BREAK, breakable, cut, lines, width
from kpi_stream.domain.strategy import Strategy

_PRINT = """
from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.application.strategy_map import strategy_map
drawn = strategy_map(load_strategy(packaged_strategy_path()))
print([(box.objective.id, box.rect) for box in drawn.boxes], [each.points for each in drawn.arrows])
"""


@pytest.fixture(scope="module")
def strategy() -> Strategy:
    """The packaged strategy."""
    return load_strategy(packaged_strategy_path())


@pytest.fixture(scope="module")
def drawn(strategy: Strategy) -> StrategyMap:
    """Its map."""
    return strategy_map(strategy)


def test_bands_are_the_perspectives_from_above(strategy: Strategy, drawn: StrategyMap):
    """Outcomes stand above, resources below, as in the strategy's file."""
    assert [band.perspective for band in drawn.bands] == list(strategy.perspectives)
    tops = [band.rect.top for band in drawn.bands]
    assert tops == sorted(tops)


def test_an_arrow_leaves_toward_its_effect(drawn: StrategyMap):
    """Upwards from the top to the bottom of a box, beside from side to side."""
    top = {box.objective.id: box.rect.top for box in drawn.boxes}
    for arrow in drawn.arrows:
        if top[arrow.cause] > top[arrow.effect]:
            assert (arrow.leaves, arrow.enters) == (Side.TOP, Side.BOTTOM)
        elif top[arrow.cause] < top[arrow.effect]:
            assert (arrow.leaves, arrow.enters) == (Side.BOTTOM, Side.TOP)


def test_lines_of_the_packaged_map_seldom_cross(drawn: StrategyMap):
    """More crossings than this were a worse order of the boxes."""
    upright, level = set(), set()
    for arrow in drawn.arrows:
        for here, there in pairwise(arrow.points):
            if here.x == there.x:
                upright.add((here.x, *sorted((here.y, there.y))))
            else:
                level.add((here.y, *sorted((here.x, there.x))))
    crossings = sum(
        left < x < right and top < y < bottom
        for x, top, bottom in upright
        for y, left, right in level
    )
    assert crossings <= 1


def test_the_map_is_as_high_as_a_small_screen(drawn: StrategyMap):
    """All of the packaged strategy is seen at once in a panel of 1280 by 720."""
    assert drawn.width_px <= 1280
    assert drawn.height_px <= 720


def test_the_map_is_the_same_in_every_process():
    """Neither hashes nor the order of sets decide where a box stands."""
    printed = [
        subprocess.run(
            [sys.executable, "-c", _PRINT],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert printed[0] == printed[1]
    assert "faster-trade" in printed[0]


def test_a_band_without_objectives_keeps_its_place(strategy: Strategy):
    """A perspective that has no objective yet is an empty band."""
    without = tuple(each for each in strategy.objectives if each.perspective != "users")
    kept = {each.id for each in without}
    objectives = tuple(
        replace(each, causes=tuple(one for one in each.causes if one in kept)) for each in without
    )
    found = strategy_map(replace(strategy, objectives=objectives))
    assert len(found.bands) == len(strategy.perspectives)
    assert {box.objective.id for box in found.boxes} == kept


def test_a_map_without_any_objective_is_bands_only(strategy: Strategy):
    """The first file of a new strategy may hold perspectives and nothing else."""
    found = strategy_map(replace(strategy, objectives=()))
    assert found.boxes == found.arrows == ()
    assert len(found.bands) == len(strategy.perspectives)


@pytest.mark.parametrize("room", [30, 60, 200])
def test_a_long_word_is_broken(room: float):
    """A browser gets a place to break where a line ends, and no letter is lost."""
    word = "interoperabilidadinstitucional"
    assert all(width(line, 12) <= room for line in lines(word, 12, room))
    assert "".join(lines(word, 12, room)) == word
    broken = breakable(word, 12, room)
    assert broken.replace(BREAK, "") == word
    assert all(width(part, 12) <= room for part in broken.split(BREAK))


@pytest.mark.parametrize("room", [20, 40, 80, 1000])
def test_a_cut_text_fits(room: float):
    """With its ellipsis; a text that fits is not touched."""
    text = "K05 Tiempo medio de levante"
    found = cut(text, 12, room)
    assert width(found, 12) <= room
    assert (found == text) == (width(text, 12) <= room)
    assert text.startswith(found.removesuffix("…"))
