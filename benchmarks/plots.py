"""Plots as plain SVG: bars and lines, for a page that is read in light and in dark."""

import math
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import NamedTuple

_WIDTH = 800
_STYLE = """\
<style>
  .page { fill: #ffffff; stroke: #d0d7de }
  .bar { fill: #8c959f }
  .own { fill: #0969da }
  .grid { stroke: #d8dee4 }
  text { font: 14px system-ui, "DejaVu Sans", Arial, sans-serif; fill: #1f2328 }
  .title { font-weight: 600 }
  .small { font-size: 12px; fill: #57606a }
  .line { fill: none; stroke-width: 2.5 }
  .c0 { stroke: #0969da; fill: #0969da }
  .c1 { stroke: #bc4c00; fill: #bc4c00 }
  .c2 { stroke: #1a7f37; fill: #1a7f37 }
  .c3 { stroke: #8250df; fill: #8250df }
  .line.c0, .line.c1, .line.c2, .line.c3 { fill: none }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; stroke: #3d444d }
    .grid { stroke: #3d444d }
    text { fill: #f0f6fc }
    .small { fill: #9198a1 }
  }
</style>"""


class Bar(NamedTuple):
    """One bar."""

    label: str
    value: float
    own: bool = False
    """The product's own, which stands out."""
    low: float | None = None
    high: float | None = None
    """Smallest and largest of the runs."""


def bars(title: str, values: Sequence[Bar]) -> str:
    """Return a picture of horizontal bars from zero, with their values and their spread."""
    left, right, step, top = 300, 90, 34, 56
    most = max(max(bar.value, bar.high or 0.0) for bar in values) or 1.0
    room = _WIDTH - left - right
    lines = []
    for place, bar in enumerate(values):
        y = top + place * step
        length = room * bar.value / most
        lines += [
            f'<text x="{left - 12}" y="{y + 17}" text-anchor="end">{escape(bar.label)}</text>',
            (
                f'<rect class="{"own" if bar.own else "bar"}" x="{left}" y="{y}" '
                f'width="{length:.1f}" height="24" rx="3"/>'
            ),
        ]
        end = length
        if bar.low is not None and bar.high is not None:
            low, end = room * bar.low / most, max(length, room * bar.high / most)
            lines.append(
                f'<path class="grid" stroke-width="2" d="M{left + low:.1f} {y + 12}'
                f'H{left + room * bar.high / most:.1f}"/>'
            )
        lines.append(f'<text x="{left + end + 8:.1f}" y="{y + 17}">{number(bar.value)}</text>')
    return _picture(title, top + len(values) * step + 14, lines)


def lines(
    title: str,
    series: Mapping[str, Sequence[tuple[float, float]]],
    *,
    across: str,
    up: str,
    even: bool = False,
) -> str:
    """Return a picture of lines, from zero upwards.

    Args:
        title: Of the picture.
        series: Points in their order, by the line's name; all x are greater than 0.
        across: What x is.
        up: What y is.
        even: Whether x is drawn as it is; otherwise by its logarithm.
    """
    left, right, top, height = 84, 200, 72, 260
    xs = sorted({x for points in series.values() for x, _ in points})
    most = _round_up(max(y for points in series.values() for _, y in points))
    along: Callable[[float], float] = float if even else math.log10
    first, last = along(xs[0]), along(xs[-1])
    width = _WIDTH - left - right

    def at(x: float, y: float) -> tuple[float, float]:
        share = (along(x) - first) / (last - first) if last > first else 0.5
        return left + width * share, top + height * (1 - y / most)

    drawn = [f'<text class="small" x="{left}" y="{top - 14}">{escape(up)}</text>']
    for quarter in range(5):
        y = top + height * (1 - quarter / 4)
        drawn += [
            f'<path class="grid" d="M{left} {y:.1f}H{left + width}"/>',
            (
                f'<text class="small" x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">'
                f"{number(most * quarter / 4)}</text>"
            ),
        ]
    for x in xs if len(xs) <= 6 else (xs[0], xs[-1]):
        drawn.append(
            f'<text class="small" x="{at(x, 0)[0]:.1f}" y="{top + height + 20}" '
            f'text-anchor="middle">{number(x)}</text>'
        )
    drawn.append(
        f'<text class="small" x="{left + width / 2:.1f}" y="{top + height + 40}" '
        f'text-anchor="middle">{escape(across)}</text>'
    )
    for place, (name, points) in enumerate(series.items()):
        colour, path = f"c{place % 4}", [at(x, y) for x, y in points]
        drawn.append(
            f'<path class="line {colour}" d="M{" L".join(f"{x:.1f} {y:.1f}" for x, y in path)}"/>'
        )
        if len(path) <= 12:
            drawn += [
                f'<circle class="{colour}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>' for x, y in path
            ]
        y = top + 10 + place * 22
        drawn += [
            f'<circle class="{colour}" cx="{left + width + 24}" cy="{y - 4}" r="5"/>',
            f'<text class="small" x="{left + width + 36}" y="{y}">{escape(name)}</text>',
        ]
    return _picture(title, top + height + 58, drawn)


def number(value: float) -> str:
    """Return a number as short as it can be read.

    Example:
        >>> number(106_000), number(0.25), number(12.5), number(1_500_000)
        ('106,000', '0.25', '12.5', '1,500,000')
    """
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


def _round_up(value: float) -> float:
    """Return the next larger number that divides well by four."""
    if value <= 0:
        return 1.0
    power: float = 10 ** math.floor(math.log10(value))
    steps: tuple[float, ...] = (1, 2, 4, 6, 8, 10, 20)
    return next(step * power for step in steps if step * power >= value)


def _picture(title: str, height: float, drawn: Sequence[str]) -> str:
    text, box = escape(title), f"{_WIDTH} {height:.0f}"
    size = f'width="{_WIDTH - 1}" height="{height - 1:.0f}"'
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {box}" role="img">',
            f"<title>{text}</title>",
            _STYLE,
            f'<rect class="page" x="0.5" y="0.5" {size} rx="8"/>',
            f'<text class="title" x="20" y="32">{text}</text>',
            *drawn,
            "</svg>\n",
        )
    )
