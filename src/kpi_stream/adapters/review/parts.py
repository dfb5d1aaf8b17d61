"""The small parts that every section of the document is made of: cells, tables, numbers, dates."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from html import escape
from zoneinfo import ZoneInfo

from kpi_stream.application.display import MARKS, NO_DATA_WORDS, STATUS_WORDS, number, shown
from kpi_stream.application.handbook import phrases
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.domain.readings import Reading
from kpi_stream.domain.status import Status
from kpi_stream.domain.strategy import Kpi, Target

NOTHING = "—"

_MONTHS: dict[str, Sequence[str]] = {
    "es": (
        *("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto"),
        *("septiembre", "octubre", "noviembre", "diciembre"),
    ),
    "en": (
        *("January", "February", "March", "April", "May", "June", "July", "August"),
        *("September", "October", "November", "December"),
    ),
}
_HOUR_S = 3600
_SHORT = 12
"""Rows up to which a table stays on one page."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table; its content is HTML already."""

    html: str
    number: bool = False
    """Stands to the right, its digits below each other."""
    head: bool = False
    """Names its row."""
    span: int = 1
    kind: str = ""
    """A class of the style sheet."""


def text(content: str) -> Cell:
    """Return a cell with a text, which is escaped here."""
    return Cell(escape(content))


def figure(content: str) -> Cell:
    """Return a cell with a number in its reader's form."""
    return Cell(escape(content), number=True)


def row_head(title: str, below: str = "") -> Cell:
    """Return the cell that names a row, with a quieter line below."""
    more = f"<small>{escape(below)}</small>" if below else ""
    return Cell(escape(title) + more, head=True)


def table(
    caption: str, heads: Sequence[str | Cell], groups: Iterable[Iterable[Sequence[Cell]]]
) -> str:
    """Return a table, each group of rows a body of its own that a page break rather leaves whole.

    Args:
        caption: Says what it holds.
        heads: Of the columns; a number's stands to the right.
        groups: Rows by group.
    """
    columns = "".join(
        f'<th scope="col"{_kind(each)}>{each.html}</th>'
        if isinstance(each, Cell)
        else f'<th scope="col">{escape(each)}</th>'
        for each in heads
    )
    lines = [["".join(map(_cell, row)) for row in rows] for rows in groups]
    bodies = "".join(
        f"<tbody{_short(rows)}>{''.join(f'<tr>{row}</tr>' for row in rows)}</tbody>\n"
        for rows in lines
    )
    wide = "wide short" if sum(map(len, lines)) <= _SHORT else "wide"
    return (
        f'<div class="{wide}" tabindex="0" role="group" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption>\n<thead><tr>{columns}</tr></thead>\n{bodies}"
        "</table></div>\n"
    )


def _short(rows: Sequence[str]) -> str:
    return ' class="short"' if len(rows) <= _SHORT else ""


def _cell(cell: Cell) -> str:
    span = f' colspan="{cell.span}"' if cell.span > 1 else ""
    if cell.head:
        scope = "rowgroup" if cell.span > 1 else "row"
        return f'<th scope="{scope}"{_kind(cell)}{span}>{cell.html}</th>'
    return f"<td{_kind(cell)}{span}>{cell.html}</td>"


def _kind(cell: Cell) -> str:
    names = " ".join(filter(None, ("n" if cell.number else "", cell.kind)))
    return f' class="{names}"' if names else ""


def status(edition: Edition, of: Status) -> str:
    """Return a status as shape and word, in its colour."""
    words = escape(STATUS_WORDS[of][edition.language])
    return f'<span class="status {of.value}"><b aria-hidden="true">{MARKS[of]}</b> {words}</span>'


def value(edition: Edition, kpi: Kpi, of: float | None) -> str:
    """Return a KPI's value as its readers see it, or a dash."""
    return shown(of, kpi, edition.strategy, edition.language)


def signed(edition: Edition, kpi: Kpi, of: float | None) -> str:
    """Return a difference with its sign."""
    if of is None:
        return NOTHING
    shown_size = value(edition, kpi, abs(of))
    if kpi.display == "%":
        # A difference of two shares is no share.
        shown_size = shown_size.replace("%", edition.say("pp", "pp"))
    if not any(digit in "123456789" for digit in shown_size):
        return shown_size
    return ("+" if of > 0 else "\N{MINUS SIGN}") + shown_size


def why_none(edition: Edition, kpi: Kpi, reading: Reading, *, untold: bool) -> str:
    """Return why a reading has no value."""
    if untold:
        return edition.say("no se puede saber después", "cannot be known afterwards")
    if reading.no_data is None:
        return ""
    words = NO_DATA_WORDS[reading.no_data][edition.language]
    return words.format(samples=reading.samples, minimum=kpi.minimum_sample)


def named(edition: Edition, kpi: Kpi) -> str:
    """Return a KPI's code and name."""
    return f"{kpi.code} {edition.text(kpi.name)}".strip()


def window(edition: Edition, name: str) -> str:
    """Return a window in words; a month to date is the month here."""
    return edition.say("el mes", "the month") if name == "mtd" else phrases.window(edition, name)


def counted(edition: Edition, count: int) -> str:
    """Return how many there are."""
    return number(count, 0, edition.language)


def hours(edition: Edition, seconds: float | None) -> str:
    """Return a length of time in hours."""
    return NOTHING if seconds is None else f"{number(seconds / _HOUR_S, 1, edition.language)} h"


def percent(edition: Edition, share: float | None) -> str:
    """Return a share of a whole."""
    return NOTHING if share is None else f"{number(share * 100, 0, edition.language)} %"


def month_name(edition: Edition, first: date) -> str:
    """Return a month in words.

    Example:
        >>> from types import SimpleNamespace
        >>> month_name(Edition(SimpleNamespace(), "es"), date(2026, 10, 1))
        'octubre de 2026'
    """
    name = _MONTHS[edition.language][first.month - 1]
    return edition.say(f"{name} de {first.year}", f"{name} {first.year}")


def day(edition: Edition, of: date) -> str:
    """Return a date as a reader of the language writes it.

    Example:
        >>> from types import SimpleNamespace
        >>> [day(Edition(SimpleNamespace(), each), date(2026, 3, 9)) for each in ("es", "en")]
        ['09/03/2026', '9 Mar 2026']
    """
    name = _MONTHS["en"][of.month - 1][:3]
    return edition.say(f"{of:%d/%m/%Y}", f"{of.day} {name} {of.year}")


def last_day(edition: Edition, target: Target) -> date:
    """Return the last day of a target; its deadline is the midnight that ends it."""
    zone = ZoneInfo(edition.strategy.calendar.time_zone)
    return (target.deadline - timedelta(seconds=1)).astimezone(zone).date()


def instant(edition: Edition, ms: int) -> str:
    """Return an instant as date and time of day in the strategy's zone."""
    zone = ZoneInfo(edition.strategy.calendar.time_zone)
    at = datetime.fromtimestamp(ms // 1000, zone)
    return f"{day(edition, at.date())} {at:%H:%M:%S} ({edition.strategy.calendar.time_zone})"


def paragraph(content: str, kind: str = "") -> str:
    """Return a paragraph of a text, which is escaped here; nothing without one."""
    if not content:
        return ""
    named_kind = f' class="{kind}"' if kind else ""
    return f"<p{named_kind}>{escape(content)}</p>\n"


def section(name: str, title: str, *content: str, kind: str = "") -> str:
    """Return a section with a heading and a place that links can name."""
    named_kind = f' class="{kind}"' if kind else ""
    return (
        f'<section id="{name}"{named_kind} aria-labelledby="{name}-title">\n'
        f'<h2 id="{name}-title">{escape(title)}</h2>\n{"".join(content)}</section>\n'
    )


def new_page(name: str, title: str, *content: str) -> str:
    """Return a section that begins on a page of its own."""
    return section(name, title, *content, kind="page")


def right(title: str) -> Cell:
    """Return the head of a column of numbers."""
    return Cell(escape(title), number=True)
