"""Days that are over, read from day rows alone, against the oracle and against the fine panes."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_stream.application.closed_days import ClosedDays, ClosedTotals, is_told_afterwards
from kpi_stream.application.readings import ReadingTable
from kpi_stream.application.totals import RowTotals
from kpi_stream.domain.readings import SeriesKey
from kpi_stream.domain.strategy import Within
from tests.laws.brute import Raw, known, local_date
from tests.laws.brute_readings import day_value, readings
from tests.laws.rig import CODEC, Partition, totals_of
from tests.laws.strategies import ZONES, catalogue, feeds, instants, strategy
from tests.laws.test_readings import ALPHA, assert_equal, in_log_order

KPIS = {kpi.id: kpi for kpi in strategy().kpis}
IN_PANES = ("24h", "7d")


@st.composite
def worlds(draw: st.DrawFn) -> tuple[str, int, list[Raw]]:
    """Return (zone, the day that has begun, the events up to some days later)."""
    zone = draw(st.sampled_from(ZONES))
    as_of = draw(instants(zone))
    end = catalogue(zone).days.day_of(as_of) - draw(st.integers(0, 40))
    return zone, end, draw(feeds(as_of))


def closed(zone: str, end: int, rows: list[tuple[bytes, bytes | None]]) -> ClosedTotals:
    """Return what is read at the end of a day, from the records of the rows' topic."""
    compiled = catalogue(zone)
    totals = RowTotals(compiled, CODEC)
    take = ClosedDays(totals.apply_row, compiled.days, end)
    for key, value in rows:
        take.apply_row(0, key, value)
    return ClosedTotals(compiled, ReadingTable(compiled, totals))


@settings(max_examples=120)
@given(world=worlds(), again=st.booleans())
def test_readings_equal_the_oracle(world: tuple[str, int, list[Raw]], *, again: bool) -> None:
    """Whatever was recorded later, and wherever the drains were, whole days read the same.

    ```
    day rows | ...... | 8 days: each as a pane at noon as well | end | recorded later ......
    ```
    """
    zone, end, events = world
    partition = Partition(catalogue(zone))
    for number, raw in enumerate(in_log_order(events)):
        partition.take([raw])
        if number % 3 == 0:
            partition.drain()
    log = partition.drain().row_log
    as_of = catalogue(zone).days.start_of(end) - 1
    table = closed(zone, end, log + log if again else log)
    got = dict(table.readings(as_of))

    def is_compared(key: SeriesKey) -> bool:
        steady = zone in {"America/Lima", "UTC"} or key.window not in IN_PANES
        told = is_told_afterwards(KPIS[key.kpi], key.window)
        return told and steady and not isinstance(KPIS[key.kpi].measure, Within)

    wanted = readings(strategy(zone), events, as_of)
    assert_equal(
        {key: each for key, each in got.items() if is_compared(key)},
        {key: each for key, each in wanted.items() if is_compared(SeriesKey(*key))},
    )
    day = local_date(as_of, ZoneInfo(zone))
    subjects = list(known(events).values())
    for key, reading in got.items():
        kpi = KPIS[key.kpi]
        if not is_told_afterwards(kpi, key.window):
            assert (reading.value, reading.samples) == (None, 0)
        elif isinstance(kpi.measure, Within) and not key.member and key.window not in IN_PANES:
            # What fell due in the last quarter of an hour is in it: the day is over.
            want = day_value(strategy(zone), subjects, kpi, key.window, day)
            assert reading.value == want, key


@settings(max_examples=60)
@given(worlds())
def test_windows_of_panes_are_whole_days(world: tuple[str, int, list[Raw]]) -> None:
    """24 hours and 7 days are local days here, also where one of them has 23 or 25 hours."""
    zone, end, events = world
    partition = Partition(catalogue(zone)).take(in_log_order(events)).drain()
    as_of = catalogue(zone).days.start_of(end) - 1
    got = closed(zone, end, partition.row_log).readings(as_of)
    plain = ReadingTable(catalogue(zone), totals_of(catalogue(zone), partition.row_log))
    for key, reading in got.items():
        if key.window in IN_PANES and not key.member and KPIS[key.kpi].measure.kind != "plan":
            ((_, want),) = plain.daily(*key, as_of + 1, 1) or ((0, None),)
            found = reading.value
            assert (found is None) is (want is None), key
            assert found is None or abs(found - (want or 0.0)) <= ALPHA * abs(found), key


def test_generations_of_a_day_add_up() -> None:
    """A day that was continued after it went cold is two rows, and one pane of both."""
    rows: list[tuple[bytes, bytes | None]] = [
        (f"d|2024-03-30|{generation}|118|10|green|true|urgent".encode(), CODEC.encode_counters(n))
        for generation, n in ((0, _counters(5, 2)), (738_990, _counters(3, 1)))
    ]
    compiled = catalogue()
    end = 738_976  # 2024-03-31
    got = closed("America/Lima", end, rows).readings(compiled.days.start_of(end) - 1)
    for window in ("24h", "7d", "mtd"):
        reading = got[SeriesKey("anticipated", window, "national", "")]
        assert (reading.numerator, reading.denominator) == (3, 8)


@pytest.mark.parametrize(("zone", "day"), [("Europe/Madrid", 739_186), ("Europe/Madrid", 738_976)])
def test_a_day_of_23_or_25_hours_is_one_day(zone: str, day: int) -> None:
    """Its rows are in the windows that end with it, and those of the day before are not."""
    rows = [
        (f"d|{date.fromordinal(each)}|0|118|10|green|true|urgent".encode(), count)
        for each, count in ((day, _row(1)), (day - 1, _row(10)), (day - 7, _row(100)))
    ]
    got = closed(zone, day + 1, list(rows)).readings(catalogue(zone).days.start_of(day + 1) - 1)
    samples = {
        each: got[SeriesKey("anticipated", each, "national", "")].samples for each in IN_PANES
    }
    assert samples == {"24h": 1, "7d": 11}


def test_fine_panes_are_left_out() -> None:
    """What is left of them in the topic counts nothing twice."""
    compiled, end = catalogue(), 738_976
    pane = compiled.days.start_of(end - 1) // 1000
    rows = [
        (b"d|2024-03-30|0|118|10|green|true|urgent", _row(5)),
        (f"f|{pane}|118|10|green|true|urgent".encode(), _row(5)),
    ]
    got = closed("America/Lima", end, list(rows)).readings(compiled.days.start_of(end) - 1)
    assert got[SeriesKey("anticipated", "24h", "national", "")].samples == 5


def _row(samples: int) -> bytes:
    return CODEC.encode_counters(_counters(samples, 0))


def _counters(samples: int, part: int) -> dict[str, int]:
    measure = catalogue().kpis["anticipated"].measure
    assert measure is not None
    above, below = measure.counters
    return {above: part, below: samples}
