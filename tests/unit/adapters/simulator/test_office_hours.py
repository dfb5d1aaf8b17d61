"""Working time passes in office hours only."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_stream.adapters.simulator.office_hours import HOUR_MS, OfficeHours
from kpi_stream.domain.errors import InputError
from kpi_stream.domain.strategy import Calendar

LIMA = ZoneInfo("America/Lima")
CALENDAR = Calendar("America/Lima", frozenset(range(5)), 510, 990, frozenset({date(2026, 4, 3)}))
HOURS = OfficeHours(CALENDAR)


def ms(*local: int, zone: ZoneInfo = LIMA) -> float:
    """Return a local time in milliseconds since 1970 UTC."""
    return datetime(*local, tzinfo=zone).timestamp() * 1000


# Offices open 08:30-16:30. 2026-04-03 (a Friday) is a holiday.
#   Wed 1         Thu 2         Fri 3    Sat 4   Sun 5   Mon 6
#   [==========]  [==========]  holiday                  [==========]
@pytest.mark.parametrize(
    ("start", "work_h", "end"),
    [
        ((2026, 4, 1, 10, 0), 2, (2026, 4, 1, 12, 0)),
        ((2026, 4, 1, 10, 0), 6.5, (2026, 4, 1, 16, 30)),
        ((2026, 4, 1, 10, 0), 7, (2026, 4, 2, 9, 0)),
        ((2026, 4, 1, 7, 0), 1, (2026, 4, 1, 9, 30)),
        ((2026, 4, 1, 16, 30), 0, (2026, 4, 2, 8, 30)),
        ((2026, 4, 1, 20, 0), 0, (2026, 4, 2, 8, 30)),
        ((2026, 4, 2, 16, 0), 1, (2026, 4, 6, 9, 0)),
        ((2026, 4, 4, 12, 0), 0, (2026, 4, 6, 8, 30)),
        ((2026, 4, 1, 8, 30), 24, (2026, 4, 6, 16, 30)),
    ],
)
def test_work_waits_for_the_offices(start, work_h, end):
    """Nights, week-ends and holidays do not count."""
    assert HOURS.after(np.array([ms(*start)]), work_h * HOUR_MS)[0] == ms(*end)


def test_what_never_starts_never_ends():
    """NaN stays NaN beside other moments, and alone."""
    done = HOURS.after(np.array([np.nan, ms(2026, 4, 1, 10)]), 0.0)
    assert np.isnan(done[0])
    assert done[1] == ms(2026, 4, 1, 10)
    assert np.isnan(HOURS.after(np.array([np.nan]), 1.0)).all()


def worked(start: datetime, end: datetime) -> int:
    """Return the whole minutes of office time in [start, end), by looking at each."""
    minutes = 0
    while start < end:
        local = start.astimezone(LIMA)
        inside = 510 <= local.hour * 60 + local.minute < 990
        minutes += inside and local.weekday() < 5 and local.date() != date(2026, 4, 3)
        start += timedelta(minutes=1)
    return minutes


@given(
    st.integers(0, 9 * 24 * 60).map(
        lambda m: datetime(2026, 3, 30, tzinfo=UTC) + timedelta(minutes=m)
    ),
    st.integers(1, 30 * 60),
)
def test_the_work_that_was_done_is_the_work_that_was_asked(start, minutes):
    """Counted minute by minute, exactly the asked office time passes."""
    end = HOURS.after(np.array([start.timestamp() * 1000]), minutes * 60_000.0)[0]
    assert worked(start, datetime.fromtimestamp(end / 1000, UTC)) == minutes


def test_days_follow_the_local_clock():
    """A day of 23 hours begins and ends at local midnight, and offices open by the clock."""
    zone = ZoneInfo("Europe/Amsterdam")
    hours = OfficeHours(Calendar("Europe/Amsterdam", frozenset(range(7)), 540, 1020))
    day = date(2026, 3, 29).toordinal()
    assert hours.midnight_ms(day + 1) - hours.midnight_ms(day) == 23 * HOUR_MS
    assert hours.day_of(hours.midnight_ms(day)) == day
    assert hours.day_of(hours.midnight_ms(day) - 1) == day - 1
    opened = hours.after(np.array([float(hours.midnight_ms(day))]), 0.0)[0]
    assert opened == ms(2026, 3, 29, 9, zone=zone)


@pytest.mark.parametrize(
    "calendar",
    [
        Calendar("America/Lima", frozenset(), 510, 990),
        Calendar("America/Lima", frozenset({0}), 990, 990),
    ],
)
def test_a_calendar_without_office_hours_is_refused(calendar):
    """Human steps would never end."""
    with pytest.raises(InputError, match="no office hours"):
        OfficeHours(calendar)
