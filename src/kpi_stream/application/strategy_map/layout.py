"""The map put together: heights from texts and tracks, then everything in percent."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from kpi_stream.application.strategy_map.columns import LEFT_PX, Columns, columns
from kpi_stream.application.strategy_map.ordering import Net, Order, Slot, order
from kpi_stream.application.strategy_map.wording import lines
from kpi_stream.domain.strategy import Objective, Perspective, Strategy, Text

WIDTH_PX = 1240.0
"""The narrowest panel in which every text fits: Grafana on a screen of 1366, its menu closed."""

NAME_PX, SMALL_PX, LABEL_PX = 13, 12, 13
"""Sizes of the fonts: the name of a box, its other words, the name of a band."""

LINE_PX = 22 / 14
"""Height of a line, in em: Grafana's; the operators' page sets the same."""

STRIPE_PX = 10.0
"""The coloured edge of a box; Canvas makes nothing smaller."""

STATUS_PX, ATTAINMENT_PX = 121.0, 43.0
"""Width of the longest word for a status with its shape, and of `100%`; beside each other where
both have room, else one above the other. Up to six boxes in a band have room for the word."""

_INSET_PX = 6.0
_LINE_OF_STATUS_PX = 24.0
_ROW_PX = 19.0
_PAD_PX = 10.0
"""Between a box and the edge of its band."""
_CLEAR_PX = 20.0
"""From a box to the next track: the head of an arrow is 15 long."""
_TRACK_PX = 11.0
_GUTTER_PX = 40.0
"""The least room between the boxes of two bands: both pads, and the bands apart."""


class Side(StrEnum):
    """The edge of a box that an arrow leaves or enters."""

    TOP = "top"
    BOTTOM = "bottom"
    LEFT = "left"
    RIGHT = "right"


class Point(NamedTuple):
    """A place, in percent of the map's width and height."""

    x: float
    y: float


class Rect(NamedTuple):
    """An area; its edges are percent of the map's width (left, right) and height."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def middle(self) -> Point:
        """Return its centre."""
        return Point((self.left + self.right) / 2, (self.top + self.bottom) / 2)


@dataclass(frozen=True, slots=True)
class Band:
    """A perspective across the whole width."""

    perspective: Perspective
    rect: Rect
    label: Rect
    """Room for its name, at the left."""
    lines: Mapping[str, tuple[str, ...]]
    """Its name by language, in lines that fit."""


@dataclass(frozen=True, slots=True)
class Box:
    """An objective, with the room for what is said about it."""

    objective: Objective
    title: Text
    """Code and name."""
    rect: Rect
    stripe: Rect
    """The edge that takes the colour of the status."""
    name: Rect
    status: Rect
    attainment: Rect
    worst: Rect
    """Room for one line: which KPI stands worst."""
    value: Rect
    """Room for one line: its value, and what it should be."""
    lines: Mapping[str, tuple[str, ...]]
    """The title by language, in lines that fit."""


@dataclass(frozen=True, slots=True)
class Arrow:
    """Cause and effect: straight lines from point to point, through no other box."""

    cause: str
    effect: str
    points: tuple[Point, ...]
    """At least two: the first on the edge of the cause, the last on that of the effect."""
    leaves: Side
    enters: Side


@dataclass(frozen=True, slots=True)
class StrategyMap:
    """The whole picture."""

    bands: tuple[Band, ...]
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    width_px: float
    """The least width at which texts fit; the map grows with its frame."""
    height_px: float
    """The height it is made for; texts need it whole."""
    text_px: float
    """Width of a line of text within a box, at `width_px`."""
    label_px: float
    """Width of a line of a band's name, at `width_px`."""


def strategy_map(strategy: Strategy) -> StrategyMap:
    """Return the map of a strategy; the same in both languages.

    Args:
        strategy: Its perspectives are the bands, from above; its objectives the boxes.
    """
    found = order(strategy)
    across = columns(found, WIDTH_PX)
    return _Heights(strategy, found, across).whole()


class _Heights:
    """Everything vertical, in pixels until it leaves."""

    def __init__(self, strategy: Strategy, found: Order, across: Columns) -> None:
        self._strategy = strategy
        self._order = found
        self._across = across
        spans = tuple(across.boxes.values())
        wide = spans[0][1] - spans[0][0] if spans else WIDTH_PX
        self._text_px = max(wide - STRIPE_PX - 2 * _INSET_PX, 1.0)
        self._titles = {
            each.id: {
                language: f"{each.code} {name}".strip() for language, name in each.name.items()
            }
            for each in strategy.objectives
        }
        self._lines = {
            key: {lang: lines(text, NAME_PX, self._text_px) for lang, text in title.items()}
            for key, title in self._titles.items()
        }
        # One row for both, or one for each.
        self._stacked = self._text_px < STATUS_PX + ATTAINMENT_PX
        self._said_px = (2 if self._stacked else 1) * _LINE_OF_STATUS_PX + 2 * _ROW_PX
        most = max((len(v) for by in self._lines.values() for v in by.values()), default=1)
        self._label_px = LEFT_PX - 2 * _INSET_PX
        self._labels = [
            {lang: lines(text, LABEL_PX, self._label_px) for lang, text in each.name.items()}
            for each in strategy.perspectives
        ]
        longest = max((len(v) for by in self._labels for v in by.values()), default=1)
        # A band's name of many lines needs its height as well.
        self._box_px = max(
            2 * _INSET_PX + most * NAME_PX * LINE_PX + self._said_px,
            longest * LABEL_PX * LINE_PX,
        )
        self._tops = self._rows()
        self._height_px = self._tops[-1] + self._box_px + _PAD_PX if self._tops else 1.0

    def _rows(self) -> list[float]:
        """Return the top of the boxes of every band."""
        tops: list[float] = []
        bottom = 0.0
        for band in range(len(self._labels)):
            tracks = self._across.tracks(band)
            gutter = 2 * _CLEAR_PX + (tracks - 1) * _TRACK_PX if tracks else 0.0
            gutter = max(gutter, _GUTTER_PX if band else _PAD_PX)
            tops.append(bottom + gutter)
            bottom = tops[-1] + self._box_px
        return tops

    def whole(self) -> StrategyMap:
        """Return the map."""
        return StrategyMap(
            tuple(self._band(at) for at in range(len(self._tops))),
            tuple(self._box(each) for each in self._strategy.objectives),
            tuple(
                self._arrow(each.id, effect)
                for each in self._strategy.objectives
                for effect in dict.fromkeys(each.causes)
            ),
            WIDTH_PX,
            self._height_px,
            self._text_px,
            self._label_px,
        )

    def _point(self, x: float, y: float) -> Point:
        return Point(_percent(x, WIDTH_PX), _percent(y, self._height_px))

    def _rect(self, left: float, top: float, right: float, bottom: float) -> Rect:
        return Rect(*self._point(left, top), *self._point(right, bottom))

    def _band(self, at: int) -> Band:
        top = self._tops[at] - _PAD_PX if at else 0.0
        bottom = self._tops[at] + self._box_px + _PAD_PX
        rect = self._rect(0, top, WIDTH_PX, bottom)
        row = self._tops[at]
        label = self._rect(_INSET_PX, row, LEFT_PX - _INSET_PX, row + self._box_px)
        return Band(self._strategy.perspectives[at], rect, label, self._labels[at])

    def _box(self, objective: Objective) -> Box:
        left, right = self._across.boxes[objective.id]
        top = self._tops[self._band_of(objective.id)]
        bottom = top + self._box_px
        begin, end = left + STRIPE_PX + _INSET_PX, right - _INSET_PX
        y = top + _INSET_PX
        # A box that a long label made higher gives the room to the name.
        status = bottom - _INSET_PX - self._said_px
        below = status + _LINE_OF_STATUS_PX
        worst = bottom - _INSET_PX - 2 * _ROW_PX
        split = end - ATTAINMENT_PX
        word = self._rect(begin, status, end if self._stacked else split, below)
        reached = (
            self._rect(begin, below, end, worst)
            if self._stacked
            else self._rect(split, status, end, below)
        )
        return Box(
            objective,
            self._titles[objective.id],
            self._rect(left, top, right, bottom),
            self._rect(left, top, left + STRIPE_PX, bottom),
            self._rect(begin, y, end, status),
            word,
            reached,
            self._rect(begin, worst, end, worst + _ROW_PX),
            self._rect(begin, worst + _ROW_PX, end, worst + 2 * _ROW_PX),
            self._lines[objective.id],
        )

    def _band_of(self, objective: str) -> int:
        return next(at for at, band in enumerate(self._order.bands) if objective in band)

    def _arrow(self, cause: str, effect: str) -> Arrow:
        here, there = self._band_of(cause), self._band_of(effect)
        if (cause, effect) in self._order.side:
            return self._side_arrow(cause, effect, here)
        up = here > there
        leaves = Side.TOP if here >= there else Side.BOTTOM
        enters = Side.BOTTOM if up else Side.TOP
        points = [(0.0, self._edge(here, leaves))]
        slot: Slot = cause
        for net in self._way(effect, here, there):
            begin, end = self._across.x(net, slot), self._across.x(net, net.sink)
            points[-1] = (begin, points[-1][1])
            level = self._across.level.get((net.gutter, net.effect, net.up))
            if level is not None and begin != end:
                y = self._track(net.gutter, level)
                points += [(begin, y), (end, y)]
            points.append((end, self._edge(there, enters)))
            slot = net.sink
        return Arrow(cause, effect, self._straight(points), leaves, enters)

    def _way(self, effect: str, here: int, there: int) -> list[Net]:
        nets = {(net.gutter, net.up): net for net in self._order.nets if net.effect == effect}
        if here > there:
            return [nets[gutter, True] for gutter in range(here, there, -1)]
        if here == there:
            return [nets[here, False]]
        return [nets[gutter, False] for gutter in range(here + 1, there + 1)]

    def _side_arrow(self, cause: str, effect: str, band: int) -> Arrow:
        y = self._tops[band] + self._box_px / 2
        one, other = self._across.boxes[cause], self._across.boxes[effect]
        if one[0] < other[0]:
            ends, leaves, enters = (one[1], other[0]), Side.RIGHT, Side.LEFT
        else:
            ends, leaves, enters = (one[0], other[1]), Side.LEFT, Side.RIGHT
        points = tuple(self._point(x, y) for x in ends)
        return Arrow(cause, effect, points, leaves, enters)

    def _edge(self, band: int, side: Side) -> float:
        return self._tops[band] + (self._box_px if side is Side.BOTTOM else 0.0)

    def _track(self, gutter: int, level: int) -> float:
        top = self._tops[gutter - 1] + self._box_px if gutter else 0.0
        room = self._tops[gutter] - top
        used = (self._across.tracks(gutter) - 1) * _TRACK_PX
        return top + (room - used) / 2 + level * _TRACK_PX

    def _straight(self, points: list[tuple[float, float]]) -> tuple[Point, ...]:
        """Return the corners only."""
        kept = [points[0]]
        for at, point in enumerate(points[1:], 1):
            following = points[at + 1] if at + 1 < len(points) else None
            if following is not None and (
                kept[-1][0] == point[0] == following[0] or kept[-1][1] == point[1] == following[1]
            ):
                continue
            kept.append(point)
        return tuple(self._point(x, y) for x, y in kept)


def _percent(part: float, whole: float) -> float:
    return round(100 * part / whole, 3)
