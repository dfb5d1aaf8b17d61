"""Office hours: the time during which silence means something."""

from datetime import date, datetime, time, timedelta

from kpi_stream.domain.strategy import Calendar
from kpi_stream.domain.windows import LocalDays


class WorkingTime:
    """The office hours of one administration, as intervals of time.

    Opening and closing are times of the local clock, so office hours follow it when it changes: a
    day on which it jumps within them is longer or shorter by the jump.
    """

    def __init__(self, calendar: Calendar) -> None:
        """Take a calendar; one without weekdays has no office hours at all."""
        self._calendar = calendar
        self._days = LocalDays(calendar.time_zone)
        self._hours: dict[int, tuple[int, int]] = {}

    def of_day(self, day: int) -> tuple[int, int]:
        """Return the office hours [open, close) of a local day, in milliseconds since 1970 UTC.

        A day on which the offices stay shut has an empty interval.

        Args:
            day: Its ordinal, as in `LocalDays.day_of`.
        """
        hours = self._hours.get(day)
        if hours is None:
            hours = self._hours[day] = self._of_day(date.fromordinal(day))
        return hours

    def between(self, start_ms: int, end_ms: int) -> int:
        """Return how many milliseconds of [start, end) are office hours; 0 where end <= start.

        Example:
            >>> week = Calendar("America/Lima", frozenset(range(5)), 8 * 60, 16 * 60)
            >>> friday_3_pm = 1_711_742_400_000 - 86_400_000  # 2024-03-28T15:00 in Lima
            >>> WorkingTime(week).between(friday_3_pm, friday_3_pm + 3 * 86_400_000) // 3_600_000
            9
        """
        if end_ms <= start_ms:
            return 0
        total = 0
        for day in range(self._days.day_of(start_ms), self._days.day_of(end_ms) + 1):
            opens_ms, closes_ms = self.of_day(day)
            total += max(0, min(closes_ms, end_ms) - max(opens_ms, start_ms))
        return total

    def is_open(self, at_ms: int) -> bool:
        """Return whether an instant lies in office hours."""
        opens_ms, closes_ms = self.of_day(self._days.day_of(at_ms))
        return opens_ms <= at_ms < closes_ms

    def _of_day(self, day: date) -> tuple[int, int]:
        calendar = self._calendar
        if day.weekday() not in calendar.weekdays or day in calendar.holidays:
            return (0, 0)
        opens_ms = self._at(day, calendar.opens_minute)
        return (opens_ms, max(opens_ms, self._at(day, calendar.closes_minute)))

    def _at(self, day: date, minute: int) -> int:
        # On the local clock, not in elapsed time: 08:00 stays 08:00 when clocks change at 02:00.
        wall = datetime.combine(day, time.min) + timedelta(minutes=minute)
        return round(wall.replace(tzinfo=self._days.zone).timestamp()) * 1000
