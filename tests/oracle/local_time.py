"""Panes, local days and windows, as half-open intervals of milliseconds since 1970 UTC."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

PANE_MS = 15 * 60 * 1000
DAY_MS = 86_400_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
STOCK_DAYS = 400
"""How far back a stock looks for subjects that are still open."""
ROLLING_DAYS = 7
"""Windows up to this long roll by panes; longer ones are made of local days."""


class Window(NamedTuple):
    """Where a reading looks."""

    name: str
    start: int
    end: int
    due_start: int
    """For shares of what is due: only panes that are over."""
    due_end: int


def milliseconds(moment: datetime) -> int:
    """Return the milliseconds since 1970 UTC, rounded down."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def floor_pane(at: int) -> int:
    """Return the last pane boundary that is not after `at`.

    Example:
        >>> floor_pane(PANE_MS), floor_pane(PANE_MS - 1), floor_pane(-1) == -PANE_MS
        (900000, 0, True)
    """
    return at - at % PANE_MS


def ceil_pane(at: int) -> int:
    """Return the first pane boundary that is not before `at`.

    Example:
        >>> ceil_pane(PANE_MS), ceil_pane(PANE_MS + 1), ceil_pane(-1)
        (900000, 1800000, 0)
    """
    return at + -at % PANE_MS


class LocalTime:
    """Local days of one time zone."""

    def __init__(self, zone: str) -> None:
        self.zone = ZoneInfo(zone)

    def day_of(self, at: int) -> date:
        """Return the local date at an instant."""
        return (EPOCH + timedelta(milliseconds=at)).astimezone(self.zone).date()

    def start_of(self, day: date) -> int:
        """Return the instant at which a local day begins."""
        midnight = datetime(day.year, day.month, day.day, tzinfo=self.zone)
        return milliseconds(midnight.astimezone(UTC))

    def days(self, first: int, last: int) -> list[tuple[date, int, int]]:
        """Return (date, start, end) of each local day from that of `first` to that of `last`."""
        day, end, rows = self.day_of(first), self.day_of(last), []
        while day <= end:
            rows.append((day, self.start_of(day), self.start_of(day + timedelta(days=1))))
            day += timedelta(days=1)
        return rows

    def window(self, name: str, at: int) -> Window:
        """Return the interval of a window that is read at `at`.

        Raises:
            ValueError: The window's name is none that the strategy may use.
        """
        today = self.day_of(at)
        if name == "now":
            start = self.start_of(today - timedelta(days=STOCK_DAYS))
            return Window(name, start, ceil_pane(at), start, floor_pane(at))
        if match := re.fullmatch(r"([1-9][0-9]*)([hd])", name):
            count = int(match[1])
            length = count * (3_600_000 if match[2] == "h" else DAY_MS)
            if length <= ROLLING_DAYS * DAY_MS:
                end, over = ceil_pane(at), floor_pane(at)
                return Window(name, end - length, end, over - length, over)
            first = today - timedelta(days=count - 1)
        else:
            first = self._first_day(name, today)
        start, end = self.start_of(first), self.start_of(today + timedelta(days=1))
        return Window(name, start, end, start, floor_pane(at))

    def _first_day(self, name: str, today: date) -> date:
        if name == "mtd":
            return today.replace(day=1)
        if name == "qtd":
            return today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1)
        if name == "ytd":
            return today.replace(month=1, day=1)
        if name == "12m":
            back = today.replace(year=today.year - 1, day=min(today.day, 28))
            # 29 February has no twin last year; 28 February stands for it.
            day = 28 if (today.month, today.day) == (2, 29) else today.day
            return back.replace(day=day) + timedelta(days=1)
        raise ValueError(name)

    def planned(self, name: str, at: int, months: dict[str, int]) -> tuple[int, int] | None:
        """Return the plan from the start of a window to `at` as a fraction, in cents.

        Whole local months count whole; the current one by the share of it that is over.

        Returns:
            (numerator, denominator), or None where a month has no plan.
        """
        today = self.day_of(at)
        month, total = self._first_day(name, today).replace(day=1), 0
        while (month.year, month.month) < (today.year, today.month):
            if (key := f"{month:%Y-%m}") not in months:
                return None
            total += months[key]
            month = (month + timedelta(days=31)).replace(day=1)
        if (key := f"{month:%Y-%m}") not in months:
            return None
        start = self.start_of(month)
        length = self.start_of((month + timedelta(days=31)).replace(day=1)) - start
        return total * length + months[key] * (at - start), length
