"""Office hours as an axis of time on which only working time passes.

`after(t, w)` answers "when are `w` milliseconds of office time over, counted from `t`?" for whole
arrays at once: moments are projected on the axis of working time and back.
"""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from kpi_stream.domain.errors import InputError
from kpi_stream.domain.strategy import Calendar

Moments = NDArray[np.float64]
"""Milliseconds since 1970 UTC; NaN where something never happens. Exact for whole milliseconds."""

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
_EPOCH = date(1970, 1, 1).toordinal()
_MARGIN_DAYS = 400
"""Days that the table of office hours grows by; longer than any row of closed days that occurs."""


class OfficeHours:
    """The working time of one administration.

    Args:
        calendar: Its time zone, weekdays, opening hours and holidays.

    Raises:
        InputError: The calendar has no working time at all.
    """

    def __init__(self, calendar: Calendar) -> None:
        if not calendar.weekdays or calendar.opens_minute >= calendar.closes_minute:
            msg = (
                "The calendar has no office hours: name at least one weekday, "
                "and a closing time after the opening time"
            )
            raise InputError(msg)
        self._calendar = calendar
        self._zone = ZoneInfo(calendar.time_zone)
        self._first = self._last = 0
        self._opens = self._closes = self._start = self._end = np.empty(0)

    def midnight_ms(self, ordinal: int) -> int:
        """Return the first moment of a local day, given by its proleptic ordinal."""
        return self._moment(date.fromordinal(ordinal), 0)

    def day_of(self, moment_ms: int) -> int:
        """Return the ordinal of the local day of a moment."""
        guess = _EPOCH + moment_ms // DAY_MS
        return next(
            day for day in (guess + 1, guess, guess - 1) if self.midnight_ms(day) <= moment_ms
        )

    def is_working_day(self, ordinal: int) -> bool:
        """Return whether the offices open on a local day."""
        day = date.fromordinal(ordinal)
        return day.weekday() in self._calendar.weekdays and day not in self._calendar.holidays

    def after(self, start: Moments, work_ms: Moments | float) -> Moments:
        """Return the moments at which `work_ms` of office time have passed since `start`.

        NaN stays NaN. With no work left to do the result is the first moment of office hours.
        """
        known = start[~np.isnan(start)]
        if known.size == 0:
            return start
        self._cover(float(known.min()), float(known.max()))
        # Position of `start` on the axis: all office time before it.
        slot = np.searchsorted(self._closes, start, side="right")
        slot = np.minimum(slot, len(self._closes) - 1)
        position = self._start[slot] + np.maximum(start - self._opens[slot], 0.0) + work_ms
        # Work that fills a day ends at its closing; no work at all starts at the next opening.
        target = np.maximum(np.searchsorted(self._end, position), slot)
        target = np.minimum(target, len(self._end) - 1)
        return np.asarray(self._opens[target] + (position - self._start[target]))

    def _cover(self, first_ms: float, last_ms: float) -> None:
        first = _EPOCH + int(first_ms // DAY_MS) - 1
        last = _EPOCH + int(last_ms // DAY_MS) + 1 + _MARGIN_DAYS
        if self._first <= first and last <= self._last and self._first < self._last:
            return
        self._first, self._last = first - _MARGIN_DAYS, last + _MARGIN_DAYS
        days = [
            date.fromordinal(day)
            for day in range(self._first, self._last)
            if self.is_working_day(day)
        ]
        if not days:
            msg = f"The calendar has no working day in {_MARGIN_DAYS} days; check its holidays"
            raise InputError(msg)
        opens, closes = self._calendar.opens_minute, self._calendar.closes_minute
        self._opens = np.array([self._moment(day, opens) for day in days], dtype=np.float64)
        self._closes = np.array([self._moment(day, closes) for day in days], dtype=np.float64)
        self._end = np.cumsum(self._closes - self._opens)
        self._start = self._end - (self._closes - self._opens)

    def _moment(self, day: date, minute: int) -> int:
        # Aware arithmetic is arithmetic on the local clock, also on a day of 23 or 25 hours.
        local = datetime(day.year, day.month, day.day, tzinfo=self._zone)
        return round((local + timedelta(minutes=minute)).timestamp() * 1000)
