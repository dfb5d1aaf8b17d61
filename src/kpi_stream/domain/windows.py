"""Panes, local days and windows. Every interval here is half-open: [start, end).

A *pane* is the smallest slice of time that is counted: 15 minutes, aligned to UTC. A *day* is a
local calendar day of the strategy's time zone, named by its proleptic ordinal
(`datetime.date.toordinal`). Days begin on a pane boundary in every zone whose offset is a multiple
of 15 minutes, which all present zones satisfy.

A rolling window ends with the pane that contains `as_of`; a window of days ends with the local day
that contains it.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

PANE_MS = 15 * 60 * 1000
"""Length of a fine pane in milliseconds."""

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS

FINE_DAYS = 8
"""Days for which fine panes are kept; a rolling window may use one day less (ADR-0002)."""

ROLLING_MAX_MS = (FINE_DAYS - 1) * DAY_MS

PANES_KEPT = (FINE_DAYS * DAY_MS + 2 * HOUR_MS) // PANE_MS
"""Fine panes before the present one that are kept. A stock of seven days is read from the first
pane of its boundary day on, and that day may have 25 hours; the other hour is for sources whose
clocks are ahead."""

_EPOCH = date(1970, 1, 1).toordinal()


class WindowKind(StrEnum):
    """How a window finds its panes."""

    ROLLING = "rolling"
    DAYS = "days"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    TWELVE_MONTHS = "twelve_months"
    NOW = "now"
    """No interval at all: the state of things at `as_of` (a stock)."""


_NAMED = {
    "mtd": WindowKind.MONTH,
    "qtd": WindowKind.QUARTER,
    "ytd": WindowKind.YEAR,
    "12m": WindowKind.TWELVE_MONTHS,
    "now": WindowKind.NOW,
}
_UNITS_MS = {"m": 60_000, "h": HOUR_MS, "d": DAY_MS}
DAYS_MAX = 366
"""Longest `Nd` window in days; day panes are kept for longer than that."""


@dataclass(frozen=True, slots=True)
class Window:
    """A window by its name, for example `24h`, `30d` or `mtd`."""

    name: str
    kind: WindowKind
    length: int = 0
    """Milliseconds of a rolling window, days of a `days` window, otherwise 0."""


def parse(name: str) -> Window:
    """Return the window of that name.

    Example:
        >>> parse("24h").kind, parse("30d").kind, parse("mtd").kind
        (<WindowKind.ROLLING: 'rolling'>, <WindowKind.DAYS: 'days'>, <WindowKind.MONTH: 'month'>)

    Raises:
        ValueError: The name is not a window, or 15-minute panes do not divide it.
    """
    if name in _NAMED:
        return Window(name, _NAMED[name])
    match = re.fullmatch(r"([1-9]\d{0,4})([smhd])", name)
    if match is None:
        msg = f"{name!r} is not a window; use 15m..7d, 8d..{DAYS_MAX}d, mtd, qtd, ytd, 12m or now"
        raise ValueError(msg)
    count, unit = int(match[1]), match[2]
    length_ms = count * _UNITS_MS.get(unit, 1000)
    if unit == "d" and length_ms > ROLLING_MAX_MS:
        if count > DAYS_MAX:
            msg = f"window {name} is longer than the {DAYS_MAX} days that are kept for it"
            raise ValueError(msg)
        return Window(name, WindowKind.DAYS, count)
    if length_ms > ROLLING_MAX_MS:
        msg = f"window {name} is longer than 7d; windows beyond that are whole days, such as 30d"
        raise ValueError(msg)
    if length_ms % PANE_MS:
        msg = f"15-minute panes do not divide window {name}; use a multiple of 15m"
        raise ValueError(msg)
    return Window(name, WindowKind.ROLLING, length_ms)


def pane_floor(ms: int) -> int:
    """Return the last pane boundary at or before `ms`, in milliseconds."""
    return ms // PANE_MS * PANE_MS


def pane_ceil(ms: int) -> int:
    """Return the first pane boundary at or after `ms`, in milliseconds."""
    return -(-ms // PANE_MS) * PANE_MS


class LocalDays:
    """Maps instants to local calendar days of one time zone, and back."""

    def __init__(self, time_zone: str) -> None:
        """Take an IANA zone name, for example `America/Lima`."""
        self.zone = ZoneInfo(time_zone)
        self._of_pane: dict[int, int] = {}
        self._starts: dict[int, int] = {}

    def day_of(self, ms: int) -> int:
        """Return the ordinal of the local day that contains the instant."""
        pane = ms // PANE_MS
        day = self._of_pane.get(pane)
        if day is None:
            seconds = pane * (PANE_MS // 1000)
            local = datetime.fromtimestamp(seconds, UTC).astimezone(self.zone)
            day = self._of_pane[pane] = local.toordinal()
        return day

    def start_of(self, day: int) -> int:
        """Return the first instant of a local day, in milliseconds."""
        start = self._starts.get(day)
        if start is None:
            midnight = datetime.combine(date.fromordinal(day), datetime.min.time(), self.zone)
            start = self._starts[day] = round(midnight.timestamp()) * 1000
        return start

    def date_of(self, ms: int) -> date:
        """Return the local date that contains the instant."""
        return date.fromordinal(self.day_of(ms))


@dataclass(frozen=True, slots=True)
class Span:
    """Where a window lies at one instant, over fine panes and over days."""

    panes: tuple[int, int]
    """Fine panes [first, end) as pane numbers (milliseconds // PANE_MS)."""
    days: tuple[int, int]
    """Local days [first, end) as ordinals."""


_EMPTY = (0, 0)


def first_day(window: Window, today: date) -> date:
    """Return the first local day of a window of days that ends today.

    Example:
        >>> first_day(parse("12m"), date(2026, 11, 24))
        datetime.date(2025, 11, 25)
        >>> first_day(parse("qtd"), date(2026, 11, 24))
        datetime.date(2026, 10, 1)
    """
    match window.kind:
        case WindowKind.DAYS:
            return today - timedelta(days=window.length - 1)
        case WindowKind.MONTH:
            return today.replace(day=1)
        case WindowKind.QUARTER:
            return today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1)
        case WindowKind.YEAR:
            return today.replace(month=1, day=1)
        case WindowKind.TWELVE_MONTHS:
            last = monthrange(today.year - 1, today.month)[1]
            return date(today.year - 1, today.month, min(today.day, last)) + timedelta(days=1)
        case _:
            msg = f"window {window.name} is not a window of days"
            raise ValueError(msg)


def span(window: Window, as_of_ms: int, days: LocalDays, *, complete: bool = False) -> Span:
    """Return the panes and days that a window covers at `as_of_ms`.

    Args:
        window: Any window but `now`.
        as_of_ms: The instant of the reading.
        days: The strategy's local days.
        complete: True counts only panes that have ended at `as_of_ms`. What is dated in the future
            (a release that falls due at 18:00) must not be counted at 12:00, so today comes
            from fine panes then.
    """
    end_ms = pane_floor(as_of_ms) if complete else pane_ceil(as_of_ms)
    if window.kind is WindowKind.ROLLING:
        return Span(((end_ms - window.length) // PANE_MS, end_ms // PANE_MS), _EMPTY)
    today = days.day_of(as_of_ms)
    first = first_day(window, date.fromordinal(today)).toordinal()
    if not complete:
        return Span(_EMPTY, (first, today + 1))
    return Span((days.start_of(today) // PANE_MS, end_ms // PANE_MS), (first, today))
