"""Which stretch of time a window covers, which one it is compared with, and which can be read.

The window before has the same length and shares nothing with the window now. A window to date
(`mtd`, `qtd`, `ytd`) is compared with as many days from the beginning of the month, the quarter or
the year before, at most all of it: 1 to 15 November with 1 to 15 October.
"""

import re
from dataclasses import dataclass
from datetime import date

from kpi_stream.domain.windows import (
    DAY_MS,
    PANE_MS,
    PANES_KEPT,
    LocalDays,
    Span,
    Window,
    WindowKind,
    first_day,
    span,
)

_TO_DATE = frozenset({WindowKind.MONTH, WindowKind.QUARTER, WindowKind.YEAR})
_MONTH = re.compile(r"\d{4}-\d{2}")
_REAL_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
_YEARS = range(1970, 2200)


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time, over panes and days that are kept."""

    span: Span
    start_ms: int
    """First instant, milliseconds since 1970 UTC."""
    end_ms: int
    """The instant after the last."""


def current(window: Window, as_of_ms: int, days: LocalDays, *, complete: bool) -> Period:
    """Return what a window covers at an instant.

    Args:
        window: Any window but `now`.
        as_of_ms: The instant, milliseconds since 1970 UTC.
        days: The strategy's local days.
        complete: Only panes that have ended count, as in `domain.windows.span`.
    """
    at = span(window, as_of_ms, days, complete=complete)
    if window.kind is WindowKind.ROLLING:
        return Period(at, at.panes[0] * PANE_MS, at.panes[1] * PANE_MS)
    end_ms = at.panes[1] * PANE_MS if complete else as_of_ms + 1
    return Period(at, days.start_of(at.days[0]), end_ms)


def before(window: Window, now: Period, as_of_ms: int, days: LocalDays) -> Period | None:
    """Return the period that a window is compared with; None where it is not kept any more.

    Fine panes reach back eight days. Where the window before a rolling one lies further back, it
    is made of the last whole local days before the window now; hours that are no whole days have
    none then.

    Args:
        window: Any window but `now`.
        now: What it covers at `as_of_ms`.
        as_of_ms: The instant, milliseconds since 1970 UTC.
        days: The strategy's local days.
    """
    if window.kind is WindowKind.ROLLING:
        first, end = now.span.panes
        if 2 * first - end >= as_of_ms // PANE_MS - PANES_KEPT:
            earlier = (2 * first - end, first)
            return Period(Span(earlier, (0, 0)), earlier[0] * PANE_MS, earlier[1] * PANE_MS)
        whole, rest = divmod(window.length, DAY_MS)
        last = days.day_of(now.start_ms)
        return None if rest else whole_days(last - whole, last, days)
    begin = days.day_of(now.start_ms)
    start = first_day(window, date.fromordinal(begin - 1)).toordinal()
    if window.kind not in _TO_DATE:
        return whole_days(start, begin, days)
    length = days.day_of(as_of_ms) + 1 - begin
    return whole_days(start, min(start + length, begin), days)


def whole_days(first: int, end: int, days: LocalDays) -> Period:
    """Return the period of the local days [first, end), by their ordinals."""
    return Period(Span((0, 0), (first, end)), days.start_of(first), days.start_of(end))


def named(text: str, days: LocalDays) -> Period:
    """Return the period that a text names: `2026-10`, or `2026-10-01/2026-10-15`.

    Both days of the second form belong to it.

    Raises:
        ValueError: The text is neither, or the last day lies before the first.
    """
    try:
        if _MONTH.fullmatch(text):
            first = date.fromisoformat(f"{text}-01")
            later = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
            return whole_days(first.toordinal(), later.toordinal(), days)
        first, last = (date.fromisoformat(each) for each in text.split("/"))
    except ValueError as err:
        msg = f"{text!r} is not a period; write it as 2026-10 or 2026-10-01/2026-10-15"
        raise ValueError(msg) from err
    if last < first:
        msg = f"{text!r} ends before it begins"
        raise ValueError(msg)
    return whole_days(first.toordinal(), last.toordinal() + 1, days)


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month, and up to which instant it is told."""

    name: str
    """As in `2026-10`."""
    period: Period
    previous: Period
    """The month before, whole."""
    as_of_ms: int
    """Milliseconds since 1970 UTC."""

    @property
    def over(self) -> bool:
        """Return whether it is told to its end."""
        return self.as_of_ms == self.period.end_ms - 1


def month_of(text: str, days: LocalDays) -> tuple[Period, Period]:
    """Return a month and the one before it.

    Raises:
        ValueError: The text names no month of a year that is counted.

    Example:
        >>> now, before = month_of("2026-01", LocalDays("America/Lima"))
        >>> days = LocalDays("America/Lima")
        >>> str(days.date_of(before.start_ms)), str(days.date_of(now.end_ms - 1))
        ('2025-12-01', '2026-01-31')
    """
    found = _REAL_MONTH.fullmatch(text)
    if found is None:
        msg = f"{text!r} is not a month; write it as 2026-10"
        raise ValueError(msg)
    year, month = int(found[1]), int(found[2])
    if year not in _YEARS:
        msg = f"{text!r} is not in the years {_YEARS[0]} to {_YEARS[-1]}"
        raise ValueError(msg)
    earlier = f"{year - (month == 1):04}-{(month - 2) % 12 + 1:02}"
    return named(text, days), named(earlier, days)
