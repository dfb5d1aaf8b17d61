"""Panes, days and windows against plain comparisons of datetimes."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from hypothesis import example, given, settings
from hypothesis import strategies as st

from kpi_stream.domain.plan import planned_to_date
from kpi_stream.domain.windows import (
    PANE_MS,
    LocalDays,
    pane_ceil,
    pane_floor,
    parse,
    span,
)
from tests.laws import brute
from tests.laws.strategies import DAY, HOUR, ZONES, instants

# Around 1970 and around today, to the millisecond: 1956 to 1983, 2018 to 2025.
TIMES = st.one_of(
    st.integers(-5_000 * DAY, 5_000 * DAY),
    st.integers(1_520_000_000_000, 1_760_000_000_000),
    st.sampled_from([-PANE_MS - 1, -PANE_MS, -PANE_MS + 1, -1, 0, 1, PANE_MS - 1, PANE_MS]),
)
WINDOWS = st.sampled_from("15m 1h 6h 24h 7d 8d 30d 366d mtd qtd ytd 12m".split())
SMALL = settings(max_examples=200)


def in_ms(at: object) -> int:
    """Return milliseconds since 1970 of an aware datetime."""
    return (at - brute.EPOCH) // timedelta(milliseconds=1)  # type: ignore[operator]


@SMALL
@given(TIMES)
def test_panes_hold_every_instant_once(ms: int):
    """A pane begins at a quarter of an hour and holds [start, end), before 1970 as well."""
    at = brute.instant(ms)
    assert pane_floor(ms) == in_ms(brute.pane_floor(at))
    assert pane_ceil(ms) == in_ms(brute.pane_ceil(at))
    assert pane_floor(ms) <= ms < pane_floor(ms) + PANE_MS


@SMALL
@given(TIMES, st.sampled_from(ZONES))
def test_days_are_those_of_the_local_calendar(ms: int, zone: str):
    """Every instant is on the day that a calendar on the wall shows."""
    assert LocalDays(zone).date_of(ms) == brute.local_date(ms, ZoneInfo(zone))


@settings(max_examples=100)
@given(st.sampled_from(ZONES).flatmap(lambda zone: st.tuples(st.just(zone), instants(zone))))
def test_a_day_starts_where_the_date_changes(at: tuple[str, int]):
    """The start of a day is its first instant, where midnight does not exist as well."""
    zone, ms = at
    day = brute.local_date(ms, ZoneInfo(zone))
    start = LocalDays(zone).start_of(day.toordinal())
    assert start == in_ms(brute.first_instant(day, ZoneInfo(zone)))


def test_a_day_without_midnight_starts_at_one():
    """In São Paulo the 4th of November 2018 began at 01:00, an hour of the day before missing.

    ```
    3 Nov 23:59:59 -03 | 4 Nov 01:00 -02        03:00 UTC
    ```
    """
    days = LocalDays("America/Sao_Paulo")
    start = days.start_of(date(2018, 11, 4).toordinal())
    assert start == 1_541_300_400_000
    assert days.date_of(start) == date(2018, 11, 4)
    assert days.date_of(start - 1) == date(2018, 11, 3)
    assert days.start_of(date(2018, 11, 5).toordinal()) - start == 23 * HOUR


@settings(max_examples=400)
@given(
    st.sampled_from(ZONES).flatmap(lambda zone: st.tuples(st.just(zone), instants(zone))),
    WINDOWS,
    st.sampled_from(["complete", "as it is"]),
    st.one_of(
        st.integers(-2 * HOUR, 2 * HOUR),
        st.integers(-40 * DAY, 2 * DAY),
        st.integers(-400 * DAY, 0),
        st.sampled_from([-24 * HOUR, -HOUR, -7 * DAY, -1, 0, 1]),
    ),
    st.integers(-1, 1),
)
@example(("Europe/Madrid", 1_711_846_800_000), "24h", "as it is", -24 * HOUR, 0)
def test_a_window_holds_what_its_definition_says(
    at: tuple[str, int],
    window: str,
    panes: str,
    offset: int,
    ms: int,
):
    """An instant is in the panes or in the days of a window, never in both, or in neither.

    ```
    rolling:  [ceil(as_of) - W ............ as_of .. ceil(as_of))
    days:     [first day 00:00 ............ as_of .. end of today)
    complete: [the same first ... floor(as_of)) as_of
    ```
    """
    zone, as_of = at
    days, time, complete = LocalDays(zone), as_of + offset + ms, panes == "complete"
    found = span(parse(window), as_of, days, complete=complete)
    in_panes = found.panes[0] <= time // PANE_MS < found.panes[1]
    in_days = found.days[0] <= days.day_of(time) < found.days[1]
    wanted = brute.in_window(window, time, as_of, ZoneInfo(zone), complete=complete)
    assert in_panes + in_days == int(wanted)


@settings(max_examples=150)
@given(
    st.sampled_from(ZONES).flatmap(lambda zone: st.tuples(st.just(zone), instants(zone))),
    st.sampled_from(["mtd", "qtd", "ytd"]),
    st.lists(st.integers(0, 10**12), min_size=12, max_size=12),
)
def test_the_plan_to_date(at: tuple[str, int], window: str, amounts: list[int]):
    """Whole months count in full, the present one by the share of it that has elapsed."""
    zone, as_of = at
    months = {
        f"{year}-{number:02}": amounts[number - 1]
        for year in range(1969, 2026)
        for number in range(1, 13)
        if (year, number) != (2024, 2)
    }
    got = planned_to_date(months, parse(window), as_of, LocalDays(zone))
    assert got == brute.planned(months, window, as_of, ZoneInfo(zone))
