"""When warnings wait: outside the office hours of the strategy's calendar."""

from collections.abc import Iterable
from datetime import date
from itertools import groupby

from kpi_stream.adapters.grafana.provisioning.writing import File, Json, mute_timing_name
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.domain.strategy import Calendar

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY_MINUTES = 1440


def mute_timings(edition: Edition) -> File:
    """Return the mute timing; none where the offices never close."""
    intervals = outside_office_hours(edition.strategy.calendar)
    if not intervals:
        return File({"apiVersion": 1})
    timing = {"orgId": 1, "name": mute_timing_name(edition), "time_intervals": intervals}
    remark = "\nThe holidays are those of the strategy's calendar: add a new year's there, in time."
    return File({"apiVersion": 1, "muteTimes": [timing]}, remark)


def outside_office_hours(calendar: Calendar) -> list[Json]:
    """Return intervals that together cover every minute in which no office is open.

    Within one interval all parts must hold; the intervals are alternatives.
    """
    zone: Json = {"location": calendar.time_zone}
    intervals: list[Json] = []
    closed = []
    if calendar.opens_minute > 0:
        closed.append({"start_time": "00:00", "end_time": _clock(calendar.opens_minute)})
    if calendar.closes_minute < _DAY_MINUTES:
        closed.append({"start_time": _clock(calendar.closes_minute), "end_time": "24:00"})
    if closed:
        intervals.append({"times": closed, **zone})
    free = [name for day, name in enumerate(_DAYS) if day not in calendar.weekdays]
    if free:
        intervals.append({"weekdays": free, **zone})
    intervals += [{**days, **zone} for days in _by_month(calendar.holidays)]
    return intervals


def _by_month(holidays: Iterable[date]) -> list[Json]:
    """Return one interval for each month that has holidays: a pair of ranges is a product."""
    months = groupby(sorted(holidays), key=lambda day: (day.year, day.month))
    return [
        {
            "days_of_month": [str(day.day) for day in days],
            "months": [str(month)],
            "years": [str(year)],
        }
        for (year, month), days in months
    ]


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
