"""Which box stands where in its band, so that arrows cross as little as possible.

Layers are the bands; an arrow that skips a band takes a lane through it, and all arrows to one
objective share it. Sweeps by barycentre find a start, moving one box at a time improves it until
nothing helps (Sugiyama, Tagawa, Toda 1981). Minimal crossings are NP-hard to find; for the half
dozen boxes of a band, moves end in the best or next to it. Same strategy, same order.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from kpi_stream.domain.strategy import Strategy

SWEEPS = 8
"""Barycentres settle within a handful of sweeps; each costs next to nothing."""

MOVES = 12
"""Rounds of moves; the last ones find nothing on any map seen."""

_BETWEEN = 2.0
"""A box between two that a side arrow joins costs as much as two crossings: it is a detour."""

_SPAN = 1.0
"""A way across the whole map costs as much as one crossing: a short detour is worth a crossing."""

_LANE = 0.08
"""Width of a lane, in boxes."""


class Lane(NamedTuple):
    """A way through a band for the arrows to one objective of another band."""

    effect: str
    up: bool
    """Whether the arrows rise (the causes are below)."""
    band: int


Slot: TypeAlias = str | Lane
"""What stands in a band: the id of an objective, or a lane."""


@dataclass(frozen=True, slots=True)
class Net:
    """The arrows of one gutter that lead to the same place; they share one horizontal track."""

    gutter: int
    """The gutter above this band."""
    effect: str
    up: bool
    sink: Slot
    sources: tuple[Slot, ...]
    beside: frozenset[str] = frozenset()
    """Sources that stand in the same band as the sink, with boxes between."""


@dataclass(frozen=True, slots=True)
class Order:
    """The slots of every band, from left to right, and what joins them."""

    bands: tuple[tuple[Slot, ...], ...]
    nets: tuple[Net, ...]
    side: tuple[tuple[str, str], ...]
    """(cause, effect) of one band without a box between: an arrow from side to side."""


@dataclass(frozen=True, slots=True)
class _Graph:
    band_of: Mapping[str, int]
    causes: tuple[tuple[str, str], ...]
    links: tuple[tuple[Slot, Slot], ...]
    """(upper, lower) of neighbouring bands."""
    level: tuple[tuple[str, str], ...]
    """(cause, effect) of the same band."""


def order(strategy: Strategy) -> Order:
    """Return the order of the boxes and lanes of a strategy's map."""
    graph, bands = _graph(strategy)
    best = [list(each) for each in bands]
    least = _cost(graph, best)
    for sweep in range(SWEEPS):
        _sweep(graph, bands, downward=sweep % 2 == 0)
        cost = _cost(graph, bands)
        if cost < least:
            best, least = [list(each) for each in bands], cost
    _moves(graph, best)
    return _ordered(graph, best)


def _graph(strategy: Strategy) -> tuple[_Graph, list[list[Slot]]]:
    number = {each.id: at for at, each in enumerate(strategy.perspectives)}
    band_of = {each.id: number[each.perspective] for each in strategy.objectives}
    bands: list[list[Slot]] = [[] for _ in strategy.perspectives]
    for each in strategy.objectives:
        bands[band_of[each.id]].append(each.id)
    causes = tuple(
        (each.id, effect) for each in strategy.objectives for effect in dict.fromkeys(each.causes)
    )
    links: dict[tuple[Slot, Slot], None] = {}
    for cause, effect in causes:
        here, there = band_of[cause], band_of[effect]
        step = 1 if there > here else -1
        way: list[Slot] = [cause]
        for band in range(here + step, there, step) if here != there else ():
            lane = Lane(effect, step < 0, band)
            if lane not in bands[band]:
                bands[band].append(lane)
            way.append(lane)
        way.append(effect)
        if here != there:
            for one, other in pairwise(way):
                links[(one, other) if step > 0 else (other, one)] = None
    level = tuple(pair for pair in causes if band_of[pair[0]] == band_of[pair[1]])
    return _Graph(band_of, causes, tuple(links), level), bands


def _places(bands: Sequence[Sequence[Slot]]) -> dict[Slot, float]:
    """Return about where each slot's middle is, as a share of the width."""
    places: dict[Slot, float] = {}
    for band in bands:
        whole = sum(_wide(slot) for slot in band)
        begin = 0.0
        for slot in band:
            places[slot] = (begin + _wide(slot) / 2) / whole
            begin += _wide(slot)
    return places


def _wide(slot: Slot) -> float:
    return _LANE if isinstance(slot, Lane) else 1.0


def _cost(graph: _Graph, bands: Sequence[Sequence[Slot]]) -> float:
    place = _places(bands)
    number = {slot: at for at, band in enumerate(bands) for slot in band}
    cost = 0.0
    for at, (upper, lower) in enumerate(graph.links):
        cost += _SPAN * abs(place[upper] - place[lower])
        for other_upper, other_lower in graph.links[at + 1 :]:
            if number[upper] == number[other_upper]:
                apart = (place[upper] - place[other_upper]) * (place[lower] - place[other_lower])
                cost += apart < 0
    for cause, effect in graph.level:
        band = bands[number[cause]]
        first, last = sorted((band.index(cause), band.index(effect)))
        for slot in band[first + 1 : last]:
            cost += 1.0 if isinstance(slot, Lane) else _BETWEEN
        cost += _SPAN * abs(place[cause] - place[effect])
    return cost


def _between(band: Sequence[Slot], one: str, other: str) -> list[Slot]:
    first, last = sorted((band.index(one), band.index(other)))
    return [slot for slot in band[first + 1 : last] if isinstance(slot, str)]


def _sweep(graph: _Graph, bands: list[list[Slot]], *, downward: bool) -> None:
    numbers = range(len(bands)) if downward else range(len(bands) - 1, -1, -1)
    for number in numbers:
        place = _places(bands)
        neighbours: dict[Slot, list[float]] = {slot: [] for slot in bands[number]}
        for upper, lower in graph.links:
            fixed, moved = (upper, lower) if downward else (lower, upper)
            if moved in neighbours:
                neighbours[moved].append(place[fixed])
        for cause, effect in graph.level:
            if cause in neighbours:
                neighbours[cause].append(place[effect])
                neighbours[effect].append(place[cause])
        mean = {
            slot: sum(near) / len(near) if near else place[slot]
            for slot, near in neighbours.items()
        }
        bands[number].sort(key=mean.__getitem__)


def _moves(graph: _Graph, bands: list[list[Slot]]) -> None:
    least = _cost(graph, bands)
    for _ in range(MOVES):
        before = least
        for band in bands:
            for slot in tuple(band):
                least = _best_place(graph, bands, band, slot, least)
        if least >= before:
            return


def _best_place(
    graph: _Graph, bands: list[list[Slot]], band: list[Slot], slot: Slot, least: float
) -> float:
    stays = band.index(slot)
    best = stays
    for at in range(len(band)):
        band.remove(slot)
        band.insert(at, slot)
        cost = _cost(graph, bands)
        if cost < least:
            best, least = at, cost
    band.remove(slot)
    band.insert(best, slot)
    return least


def _ordered(graph: _Graph, bands: Sequence[Sequence[Slot]]) -> Order:
    side = tuple(
        (cause, effect)
        for cause, effect in graph.level
        if not _between(bands[graph.band_of[cause]], cause, effect)
    )
    nets: dict[tuple[int, str, bool], dict[Slot, None]] = {}
    for cause, effect in graph.causes:
        if (cause, effect) in side:
            continue
        here, there = graph.band_of[cause], graph.band_of[effect]
        for gutter, source in _gutters(cause, effect, here, there):
            nets.setdefault((gutter, effect, here > there), {})[source] = None
    return Order(
        tuple(tuple(band) for band in bands),
        tuple(
            Net(
                gutter,
                effect,
                up,
                _sink(graph, gutter, effect, up=up),
                tuple(sources),
                frozenset(cause for cause, of in graph.level if of == effect and cause in sources),
            )
            for (gutter, effect, up), sources in sorted(nets.items(), key=lambda one: one[0])
        ),
        side,
    )


def _gutters(cause: str, effect: str, here: int, there: int) -> Iterable[tuple[int, Slot]]:
    """Return (gutter, where the arrow comes from in it) along the way."""
    if here > there:
        for gutter in range(here, there, -1):
            yield gutter, cause if gutter == here else Lane(effect, up=True, band=gutter)
    elif here == there:
        yield here, cause
    else:
        for gutter in range(here + 1, there + 1):
            source = cause if gutter == here + 1 else Lane(effect, up=False, band=gutter - 1)
            yield gutter, source


def _sink(graph: _Graph, gutter: int, effect: str, *, up: bool) -> Slot:
    there = graph.band_of[effect]
    if up:
        return effect if gutter == there + 1 else Lane(effect, up=True, band=gutter - 1)
    return effect if gutter == there else Lane(effect, up=False, band=gutter)
