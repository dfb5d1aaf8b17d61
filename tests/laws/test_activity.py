"""Office hours and silent offices against minutes and events counted one by one."""

from collections.abc import Mapping
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_stream.application.activity import Activity
from kpi_stream.application.readings import ReadingTable
from kpi_stream.application.totals import RowTotals
from kpi_stream.domain.strategy import Calendar, Strategy
from kpi_stream.domain.windows import PANE_MS, PANES_KEPT
from kpi_stream.domain.working_time import WorkingTime
from tests.laws.brute import Raw, entries, instant, known, local_date
from tests.laws.rig import CODEC, Partition
from tests.laws.strategies import DAY, HOUR, MINUTE, ZONES, catalogue, feeds, instants, strategy

ODD = ("Australia/Lord_Howe", "Asia/Kathmandu")
"""Half an hour of summer time; an offset of 5:45."""


def works(calendar: Calendar, at_ms: int) -> bool:
    """Return whether the clock and the calendar on the wall say that offices are open."""
    at = instant(at_ms).astimezone(ZoneInfo(calendar.time_zone))
    minute = at.hour * 60 + at.minute
    return (
        at.weekday() in calendar.weekdays
        and at.date() not in calendar.holidays
        and calendar.opens_minute <= minute < calendar.closes_minute
    )


@st.composite
def calendars(draw: st.DrawFn) -> tuple[Calendar, int]:
    """Return (calendar, an instant near which clocks may change)."""
    zone = draw(st.sampled_from([*ZONES, *ODD]))
    at_ms = draw(instants(zone)) // MINUTE * MINUTE
    today = local_date(at_ms, ZoneInfo(zone))
    # From 05:00 on: what the clock says twice in a night belongs to no office hours.
    opens = draw(st.integers(5 * 60, 23 * 60))
    closes = draw(st.integers(opens, 24 * 60))
    shut = frozenset(today + timedelta(days=d) for d in draw(st.sets(st.integers(-3, 3))))
    days = frozenset(draw(st.sets(st.integers(0, 6))))
    return Calendar(zone, days, opens, closes, shut), at_ms


@settings(max_examples=60)
@given(calendars(), st.integers(-3 * 1440, 3 * 1440), st.integers(0, 4 * 1440))
def test_working_time_is_that_of_the_clock_on_the_wall(
    world: tuple[Calendar, int], shift: int, minutes: int
):
    """The time between two instants is the number of minutes at which offices are open."""
    calendar, at_ms = world
    start = at_ms + shift * MINUTE
    every = [start + each * MINUTE for each in range(minutes)]
    working = WorkingTime(calendar)
    wanted = sum(works(calendar, each) for each in every)
    assert working.between(start, start + minutes * MINUTE) == wanted * MINUTE
    assert all(working.is_open(each) == works(calendar, each) for each in every[::97])
    assert working.between(start + MINUTE, start) == 0


def standing(
    of: Strategy, events: list[Raw], as_of_ms: int, office: str
) -> tuple[int, float | None] | None:
    """Return (minutes silent, active share) of an office from the raw events."""
    zone, present = ZoneInfo(of.calendar.time_zone), as_of_ms // PANE_MS
    busy = {
        entry.at_ms // PANE_MS
        for subject in known(events).values()
        if subject.attribute("office") == office
        for kpi in of.kpis
        if "office" in kpi.dimensions and kpi.measure.kind not in {"within", "not_measured"}
        for entry in entries(kpi.measure, subject, zone)
    }
    seen = {pane for pane in busy if present - PANES_KEPT <= pane <= present}
    if not seen:
        return None
    after = range((max(seen) + 1) * PANE_MS, as_of_ms // MINUTE * MINUTE, MINUTE)
    hours = {
        pane
        for pane in range(present - 7 * DAY // PANE_MS, present)
        if works(of.calendar, pane * PANE_MS)
    }
    silent = sum(works(of.calendar, each) for each in after)
    return silent, len(busy & hours) / len(hours) if hours else None


def assert_equal(
    got: Mapping[str, Activity], of: Strategy, events: list[Raw], as_of_ms: int
) -> None:
    """Fail with the first office that does not stand as the events say, to the minute."""
    for office in ("118", "235"):
        wanted = standing(of, events, as_of_ms, office)
        found = got.get(office)
        if wanted is None or found is None:
            assert found is wanted, (office, found, wanted)
            continue
        assert 0 <= found.silent_ms - wanted[0] * MINUTE < MINUTE, (office, found, wanted)
        assert found.active == wanted[1], (office, found, wanted)
    assert set(got) <= {"118", "235"}


@st.composite
def worlds(draw: st.DrawFn) -> tuple[str, list[Raw]]:
    """Return (time zone, events in the order of their recording)."""
    zone = draw(st.sampled_from(ZONES))
    events = draw(feeds(draw(instants(zone))))
    return zone, sorted(events, key=lambda each: each.recorded_ms)


LATER = st.lists(
    st.one_of(st.just(0), st.integers(0, 3 * HOUR), st.integers(0, 9 * DAY)), max_size=4
)


@settings(max_examples=100)
@given(worlds(), LATER)
def test_offices_stand_as_the_raw_events_say(world: tuple[str, list[Raw]], later: list[int]):
    """At moving instants, events coming in between, silence and activity are counted again."""
    zone, log = world
    partition, totals = Partition(catalogue(zone)), RowTotals(catalogue(zone), CODEC)
    table = ReadingTable(catalogue(zone), totals)
    taken, as_of, steps = list[Raw](), -(1 << 60), [*later, 0]
    size = -(-len(log) // len(steps))
    for at, ahead in enumerate(steps):
        for raw in log[at * size : (at + 1) * size]:
            taken.append(raw)
            partition.take([raw]).drain()
        for key, value in partition.row_log:
            totals.apply_row(0, key, value)
        partition.row_log.clear()
        as_of = max(as_of, max((raw.recorded_ms for raw in taken), default=0) + ahead)
        assert_equal(table.offices(as_of), strategy(zone), taken, as_of)


def test_a_holiday_is_no_silence():
    """Over a weekend and a holiday the silence of an office does not grow."""
    friday = date(2026, 7, 24)
    holidays = frozenset({date(2026, 7, 28), date(2026, 7, 29)})
    working = WorkingTime(Calendar("America/Lima", frozenset(range(5)), 480, 990, holidays))
    four_pm = 1_784_926_800_000
    assert local_date(four_pm, ZoneInfo("America/Lima")) == friday
    # Friday 16:00-16:30, Monday 8:00-16:30, then Thursday from 8:00 on.
    assert working.between(four_pm, four_pm + 3 * DAY) == HOUR // 2 + 8 * HOUR
    assert working.between(four_pm, four_pm + 5 * DAY) == 9 * HOUR
    assert working.between(four_pm, four_pm + 6 * DAY) == 9 * HOUR + 8 * HOUR
