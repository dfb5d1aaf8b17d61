"""The picture of one series: the reading, both trajectories, and a band of statuses for each."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from itertools import groupby, pairwise
from math import ceil, floor, log10
from zoneinfo import ZoneInfo

from kpi_stream.application.display import MARKS, STATUS_WORDS
from kpi_stream.application.whatif import Course, Pair, Point

WIDTH, HEIGHT = 960, 300
_LEFT, _RIGHT, _TOP = 66, 150, 12
_PLOT_BOTTOM = 206
_BAND, _BAND_GAP = 18, 6
_AXIS = 282
_LABEL = 15
"""Height of a label in user units: no two may be nearer."""
_MARK_ROOM = 16
"""A stretch of the band that is narrower shows its colour, but no mark."""
_TICKS = 4


@dataclass(frozen=True, slots=True)
class Texts:
    """What stands in a picture."""

    sides: dict[str, str]
    """`today` and `other` in the reader's language."""
    reading: str
    expected: str
    value: Callable[[float | None], str]
    unit: float
    """What a value is divided by where it is shown; lines are drawn at round numbers of it."""
    zone: ZoneInfo
    language: str


@dataclass(frozen=True, slots=True)
class _Scale:
    """From times and values to places."""

    first_ms: int
    last_ms: int
    low: float
    high: float

    def x(self, at_ms: float) -> float:
        share = (at_ms - self.first_ms) / ((self.last_ms - self.first_ms) or 1)
        return _LEFT + share * (WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        share = (value - self.low) / ((self.high - self.low) or 1)
        return _PLOT_BOTTOM - share * (_PLOT_BOTTOM - _TOP)


def chart(pair: Pair, instants: Sequence[int], texts: Texts, title: str) -> str:
    """Return the picture of a pair as SVG.

    Args:
        pair: One series under both strategies.
        instants: The whole time axis, milliseconds since 1970 UTC.
        texts: In the reader's language.
        title: For those who cannot see it.
    """
    scale = _scaled(pair, instants)
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">',
        *_grid(scale, texts),
        *_lines(pair, scale, texts),
        *_bands(pair, instants, scale, texts),
        *_time_axis(instants, scale, texts.zone),
        "</svg>",
    ]
    return "\n".join(parts)


def _scaled(pair: Pair, instants: Sequence[int]) -> _Scale:
    values = [
        each
        for _, course in pair.sides
        for point in course.points
        for each in (point.value, point.goal, point.low)
        if each is not None
    ]
    low, high = min(values, default=0.0), max(values, default=1.0)
    room = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
    bottom = low - room
    return _Scale(instants[0], instants[-1], 0.0 if low >= 0 > bottom else bottom, high + room)


def _grid(scale: _Scale, texts: Texts) -> Iterator[str]:
    step = _round_step((scale.high - scale.low) / texts.unit / _TICKS) * texts.unit
    for number in range(ceil(scale.low / step), floor(scale.high / step) + 1):
        value = number * step
        y = scale.y(value)
        yield f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        text = escape(texts.value(value))
        yield f'<text class="tick" x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{text}</text>'


def _round_step(least: float) -> float:
    """Return the smallest of 1, 2, 5, 10, ... (and their tenths) that is not less."""
    ten: float = 10.0 ** floor(log10(least))
    return next(each * ten for each in (1, 2, 5, 10) if each * ten >= least * (1 - 1e-9))


def _lines(pair: Pair, scale: _Scale, texts: Texts) -> Iterator[str]:
    """Yield the readings and the trajectories, each with its name at its end."""
    labels: list[tuple[float, str, str]] = []
    for kind, name, edges in (
        ("expected", texts.expected, (_low, _goal)),
        ("reading", texts.reading, (_value,)),
    ):
        ways = {
            side: [[(point.at_ms, edge(point)) for point in course.points] for edge in edges]
            for side, course in pair.sides
        }
        alike = ways.get("today") == ways.get("other")
        for side in list(ways)[: 1 if alike else None]:
            of_side = name if alike else f"{name}, {texts.sides[side]}"
            for way in ways[side]:
                yield from _path(way, scale, f"{kind} {side}")
                labels += _label(way, scale, f"{kind} {side}", of_side)
    for y, style, text in _spread(labels):
        yield (
            f'<text class="label {style}" x="{WIDTH - _RIGHT + 8}" y="{y + 4:.1f}">'
            f"{escape(text)}</text>"
        )


def _goal(point: Point) -> float | None:
    return point.goal


def _low(point: Point) -> float | None:
    return point.low


def _value(point: Point) -> float | None:
    return point.value


def _label(
    way: Sequence[tuple[int, float | None]], scale: _Scale, style: str, text: str
) -> list[tuple[float, str, str]]:
    last = next((value for _, value in reversed(way) if value is not None), None)
    return [] if last is None else [(scale.y(last), style, text)]


def _spread(labels: list[tuple[float, str, str]]) -> list[tuple[float, str, str]]:
    """Return the labels from top to bottom, moved apart where they would touch."""
    placed: list[tuple[float, str, str]] = []
    for y, style, text in sorted(labels):
        above = placed[-1][0] + _LABEL if placed else _TOP
        placed.append((max(y, above), style, text))
    over = max(0.0, placed[-1][0] - _PLOT_BOTTOM) if placed else 0.0
    return [(y - over, style, text) for y, style, text in placed]


def _path(way: Sequence[tuple[int, float | None]], scale: _Scale, style: str) -> Iterator[str]:
    """Yield one path; it is broken where there is no data, and a lone point is a dot."""
    steps, dots = [], []
    for known, stretch in groupby(way, key=lambda each: each[1] is not None):
        if not known:
            continue
        points = [(scale.x(at), scale.y(value)) for at, value in stretch if value is not None]
        if len(points) == 1:
            dots.append(points[0])
        steps.append("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points))
    if steps:
        yield f'<path class="{style}" d="{"".join(steps)}"/>'
    for x, y in dots:
        yield f'<circle class="{style}" cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>'


def _bands(pair: Pair, instants: Sequence[int], scale: _Scale, texts: Texts) -> Iterator[str]:
    top = _PLOT_BOTTOM + 2 * _BAND_GAP
    for side, course in pair.sides:
        if course.target is None:
            continue
        yield (
            f'<text class="tick" x="{_LEFT - 8}" y="{top + 13}" text-anchor="end">'
            f"{escape(texts.sides[side])}</text>"
        )
        yield from _band(course, instants, scale, texts, top)
        top += _BAND + _BAND_GAP


def _band(
    course: Course, instants: Sequence[int], scale: _Scale, texts: Texts, top: int
) -> Iterator[str]:
    """Yield a rectangle for each stretch of one status, from its first instant to the next one."""
    after = dict(pairwise(instants))
    for status, stretch in groupby(course.points, key=lambda point: point.status):
        if status is None:
            continue
        points = list(stretch)
        begin, last = points[0].at_ms, points[-1].at_ms
        left, right = scale.x(begin), scale.x(after.get(last, last))
        width = max(right - left, 1.0)
        word = STATUS_WORDS[status][texts.language]
        when = " \N{EN DASH} ".join(moment(at, texts.zone) for at in (begin, last))
        yield (
            f'<rect class="{status}" x="{left:.1f}" y="{top}" width="{width:.1f}" '
            f'height="{_BAND}"><title>{escape(f"{word}: {when}")}</title></rect>'
        )
        if width >= _MARK_ROOM:
            middle = left + width / 2
            yield (
                f'<text class="mark" x="{middle:.1f}" y="{top + 13}" text-anchor="middle">'
                f"{MARKS[status]}</text>"
            )


def _time_axis(instants: Sequence[int], scale: _Scale, zone: ZoneInfo) -> Iterator[str]:
    places = min(6, len(instants))
    for number in range(places):
        at_ms = instants[round(number * (len(instants) - 1) / max(1, places - 1))]
        anchor = "start" if number == 0 else "end" if number == places - 1 else "middle"
        yield (
            f'<text class="tick" x="{scale.x(at_ms):.1f}" y="{_AXIS}" '
            f'text-anchor="{anchor}">{moment(at_ms, zone)}</text>'
        )


def moment(at_ms: int, zone: ZoneInfo) -> str:
    """Return a date and a time of day; of the end of a day the date alone."""
    at = datetime.fromtimestamp(at_ms / 1000, zone)
    late = (at.hour, at.minute) == (23, 59)
    return f"{at:%Y-%m-%d}" if late else f"{at:%Y-%m-%d %H:%M}"
