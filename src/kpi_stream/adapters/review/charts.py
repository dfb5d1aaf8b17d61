"""Pictures as SVG within the document: no script, a text for those who do not see them."""

from collections.abc import Sequence
from html import escape

from kpi_stream.adapters.review.parts import hours
from kpi_stream.application.display import HOLDERS
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.application.stages import WayReading
from kpi_stream.domain.strategy import Holder

_WIDTH, _HEIGHT = 1000, 74
_NARROWEST = 46
"""Pixels below which a stage has no words inside."""
_SMALL = (160, 12)


def way(edition: Edition, reading: WayReading) -> str:
    """Return the way as one bar, a piece for what each stage adds to its mean."""
    mean = reading.mean or 0.0
    if not mean:
        return ""
    pieces, x, told = [], 0.0, []
    for stage in reading.stages:
        part = reading.part(stage)
        if not part:
            continue
        width = _WIDTH * part / mean
        name = edition.text(stage.stage.name)
        told.append(f"{name} {hours(edition, part)}")
        pieces.append(
            f'<rect x="{x:.1f}" y="20" width="{max(width - 1, 0.5):.1f}" height="26" '
            f'fill="var(--{stage.stage.holder.value})"/>'
        )
        if width >= _NARROWEST:
            room = int(width / 7)
            label = name if len(name) <= room else name[: room - 1] + "…"
            pieces.append(f'<text x="{x:.1f}" y="14">{escape(label)}</text>')
            pieces.append(
                f'<text class="quiet" x="{x:.1f}" y="62">{escape(hours(edition, part))}</text>'
            )
        x += width
    words = escape("; ".join(told), quote=True)
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{words}">'
        f"{''.join(pieces)}</svg>\n"
    )


def shares(edition: Edition, held: Sequence[tuple[Holder, float]]) -> str:
    """Return who holds the time as a small bar for a cell."""
    total = sum(part for _, part in held)
    if not total:
        return ""
    width, height = _SMALL
    pieces, x = [], 0.0
    for holder, part in held:
        size = width * part / total
        pieces.append(
            f'<rect x="{x:.1f}" width="{size:.1f}" height="{height}" fill="var(--{holder.value})"/>'
        )
        x += size
    words = "; ".join(
        f"{HOLDERS[holder][edition.language]} {100 * part / total:.0f} %" for holder, part in held
    )
    return (
        f'<svg class="share" viewBox="0 0 {width} {height}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(words, quote=True)}">{"".join(pieces)}</svg>'
    )


def legend(edition: Edition, holders: Sequence[Holder]) -> str:
    """Return which colour is whose."""
    items = "".join(
        f'<li><i style="background:var(--{each.value})"></i>'
        f"{escape(HOLDERS[each][edition.language])}</li>"
        for each in holders
    )
    return f'<ul class="legend">{items}</ul>\n'


def progress(label: str, done: float, due: float) -> str:
    """Return how much is done, with a mark where it should be."""
    done, due = (min(max(each, 0.0), 1.0) * 100 for each in (done, due))
    return (
        f'<span class="bar" role="img" aria-label="{escape(label, quote=True)}">'
        f'<i style="width:{done:.0f}%"></i><u style="left:{due:.0f}%"></u></span>'
    )
