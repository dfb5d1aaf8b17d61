"""Readings against the oracle: rows, sums and windows together say what the raw events say."""

from collections.abc import Mapping
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_stream.application.readings import ReadingTable
from kpi_stream.application.totals import RowTotals
from kpi_stream.domain.readings import Reading, SeriesKey
from kpi_stream.domain.strategy import Kpi
from tests.laws.brute import Raw, entries, in_window, known, local_date
from tests.laws.brute_readings import Expected, Key, day_value, last_of, readings
from tests.laws.rig import CODEC, Partition, totals_of
from tests.laws.strategies import (
    DAY,
    HOUR,
    MINUTE,
    ZONES,
    catalogue,
    feeds,
    instants,
    strategy,
)

ALPHA = 0.01
"""What the histogram promises for a quantile."""


def assert_equal(got: Mapping[SeriesKey, Reading], wanted: Mapping[Key, Expected]) -> None:
    """Fail with the first reading that differs from the oracle's."""
    assert {tuple(key) for key in got} == set(wanted)
    for key, want in wanted.items():
        found = got[SeriesKey(*key)]
        said = (found.denominator, found.samples, found.no_data)
        assert said == (want.denominator, want.samples, want.no_data), (key, found, want)
        if want.numerator is not None:
            assert (found.numerator, found.value) == (want.numerator, want.value), (key, want)
        elif want.value is None or found.value is None:
            assert found.value is want.value, (key, found, want)
        else:
            assert abs(found.value - want.value) <= ALPHA * want.value + 1e-12, (key, found, want)


def in_log_order(events: list[Raw]) -> list[Raw]:
    """Return the events as they are written down, one after the other."""
    return sorted(events, key=lambda each: each.recorded_ms)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[str, int, list[Raw]]:
    """Return (time zone, as_of, events recorded until then)."""
    zone = draw(st.sampled_from(ZONES))
    as_of = draw(instants(zone))
    return zone, as_of, draw(feeds(as_of))


@settings(max_examples=150)
@given(worlds(), st.integers(1, 3))
def test_readings_equal_the_oracle(world: tuple[str, int, list[Raw]], partitions: int):
    """Every kind, window and member reads what the raw events say, over 1 to 3 partitions."""
    zone, as_of, events = world
    folds = [Partition(catalogue(zone)) for _ in range(partitions)]
    for raw in in_log_order(events):
        folds[sum(raw.subject.encode()) % partitions].take([raw])
    totals = totals_of(catalogue(zone), *(each.drain().row_log for each in folds))
    got = ReadingTable(catalogue(zone), totals).readings(as_of)
    assert_equal(got, readings(strategy(zone), events, as_of))


@pytest.mark.parametrize("minute", [0, 14, 15, 44, 45, 59, 60, 90])
def test_a_stock_reads_a_boundary_day_of_25_hours(minute: int):
    """What opened early on the day on which the clocks went back is older than seven days.

    ```
    27 Oct 00:00 ...... 25 h ...... 28 Oct 00:00 ... 7 x 24 h ... 3 Nov 23:59 = as_of
    | opened here                 | edge = as_of - 7 d
    ```
    """
    midnight = 1_729_980_000_000  # 2024-10-27T00:00 in Madrid
    as_of = midnight + 25 * HOUR + 7 * DAY - MINUTE
    opened = midnight + minute * MINUTE
    values = ("118", "10", "sea", "urgent", True, True, 0, 0)
    events = [
        Raw("declaration.numbered", "s1", "e1", opened, opened, values),
        Raw("transport.arrived", "s2", "e2", as_of, as_of, ()),
    ]
    log = Partition(catalogue("Europe/Madrid")).take(events).drain().row_log
    totals = totals_of(catalogue("Europe/Madrid"), log)
    got = ReadingTable(catalogue("Europe/Madrid"), totals).readings(as_of)
    assert_equal(got, readings(strategy("Europe/Madrid"), events, as_of))


@settings(max_examples=40)
@given(worlds())
def test_what_had_to_be_interpreted_is_counted(world: tuple[str, int, list[Raw]]):
    """Contradictions and negative durations of the last 30 days, as the raw events have them."""
    zone, as_of, events = world
    log = Partition(catalogue(zone)).take(in_log_order(events)).drain().row_log
    got = ReadingTable(catalogue(zone), totals_of(catalogue(zone), log)).quality(as_of)
    subjects, place = list(known(events).values()), ZoneInfo(zone)
    wanted = {
        f"clamped:{kpi.id}": sum(
            entry.numbers["clamped"]
            for each in subjects
            for entry in entries(kpi.measure, each, place)
            if in_window("30d", entry.at_ms, as_of, place, complete=False)
        )
        for kpi in strategy(zone).kpis
        if kpi.measure.kind == "duration"
    }
    wanted["conflicting"] = sum(
        each.conflicting and in_window("30d", each.opened_ms, as_of, place, complete=False)
        for each in subjects
    )
    assert got == wanted


LATER = st.lists(
    st.one_of(st.just(0), st.integers(0, 2 * HOUR), st.integers(0, 12 * DAY)),
    min_size=5,
    max_size=5,
)


@settings(max_examples=50)
@given(worlds(), LATER)
def test_a_reader_that_follows_reads_what_one_that_comes_later_reads(
    world: tuple[str, int, list[Raw]], later: list[int]
):
    """Readings at moving instants equal the oracle each time: no cached sum is ever stale.

    ```
    drain  drain read  drain read  ... the sheets grow, panes come into reach and fall out
    ```
    """
    zone, _, events = world
    partition, taken, as_of = Partition(catalogue(zone)), list[Raw](), -(1 << 60)
    totals = RowTotals(catalogue(zone), CODEC)
    table = ReadingTable(catalogue(zone), totals)
    log = in_log_order(events)
    size = -(-len(log) // len(later))
    for at, ahead in enumerate(later):
        for raw in log[at * size : (at + 1) * size]:
            taken.append(raw)
            partition.take([raw]).drain()
        for key, value in partition.row_log:
            totals.apply_row(0, key, value)
        partition.row_log.clear()
        newest = max((raw.recorded_ms for raw in taken), default=0)
        as_of = max(as_of, newest + ahead)
        assert_equal(table.readings(as_of), readings(strategy(zone), taken, as_of))
    fresh = totals_of(catalogue(zone), partition.rows.items())
    assert ReadingTable(catalogue(zone), fresh).readings(as_of) == table.readings(as_of)


@settings(max_examples=40)
@given(worlds(), st.data())
def test_rows_may_come_in_any_order_and_again(
    world: tuple[str, int, list[Raw]], data: st.DataObject
):
    """A topic that was read in another order, or twice, gives the same readings."""
    zone, as_of, events = world
    rows = list(Partition(catalogue(zone)).take(in_log_order(events)).drain().rows.items())
    again = data.draw(st.permutations(rows)) + data.draw(st.permutations(rows))
    one, other = (totals_of(catalogue(zone), log) for log in (rows, again))
    assert ReadingTable(catalogue(zone), one).readings(as_of) == (
        ReadingTable(catalogue(zone), other).readings(as_of)
    )


@settings(max_examples=50)
@given(worlds(), st.sampled_from(strategy().kpis))
def test_the_history_of_days_equals_the_oracle(world: tuple[str, int, list[Raw]], kpi: Kpi):
    """The value at the end of each past day is that of the window that ended with it."""
    zone, as_of, events = world
    log = Partition(catalogue(zone)).take(in_log_order(events)).drain().row_log
    table = ReadingTable(catalogue(zone), totals_of(catalogue(zone), log))
    subjects = list(known(events).values())
    in_118 = [each for each in subjects if each.attribute("office") == "118"]
    today = local_date(as_of, ZoneInfo(zone))
    past = [today - timedelta(days=back) for back in range(9, 0, -1)]
    # Where clocks change, 24 hours are not a day; history is made of days.
    steady = zone in {"America/Lima", "UTC"}
    windows = [
        each for each in kpi.windows if each != "1h" and (steady or each not in {"24h", "7d"})
    ]
    for window in windows:
        for dimension, name, chosen in (("national", "", subjects), ("office", "118", in_118)):
            got = table.daily(kpi.id, window, dimension, name, as_of, len(past))
            if kpi.measure.kind in {"stock", "not_measured"}:
                assert got == []
            elif dimension in {"national", *kpi.dimensions} and got:
                wanted = [
                    (
                        last_of(day, ZoneInfo(zone)) + 1,
                        day_value(strategy(zone), chosen, kpi, window, day),
                    )
                    for day in past
                ]
                assert_days(got, wanted)


def assert_days(
    got: list[tuple[int, float | None]], wanted: list[tuple[int, float | None]]
) -> None:
    """Fail with the first day whose value is not the oracle's, within the histogram's error."""
    assert [at for at, _ in got] == [at for at, _ in wanted]
    for (at, value), (_, want) in zip(got, wanted, strict=True):
        if value is None or want is None:
            assert value is want, (at, value, want)
        else:
            assert abs(value - want) <= ALPHA * abs(want) + 1e-12, (at, value, want)


def test_the_history_has_no_value_where_fine_panes_are_gone():
    """An hour of which a part is not kept any more has no value, rather than that of the rest.

    ```
    23:00 (urgent)      23:30 (anticipated)      00:00 = end of the day, 8 days ago
    | not kept          | kept
    ```
    """
    midnight = 1_711_861_200_000  # 2024-03-31T00:00 in Lima
    events = [
        Raw(
            "declaration.numbered",
            f"s{before}/{day}",
            "e1",
            at,
            at,
            ("118", "10", "sea", mode, True, True, 0, 0),
        )
        for before, mode in ((50, "urgent"), (20, "anticipated"))
        for day in range(12)
        if (at := midnight - day * DAY - before * MINUTE)
    ]
    log = Partition(catalogue()).take(in_log_order(events)).drain().row_log
    table = ReadingTable(catalogue(), totals_of(catalogue(), log))
    got = table.daily("anticipated", "1h", "national", "", midnight + 90 * MINUTE, 12)
    assert [value for _, value in got] == [None] * 4 + [0.5] * 8
