from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_stream.application.readings import ReadingTable
from kpi_stream.application.series import quantile_of, quantiles_of, stock_spans
from kpi_stream.domain import strategy as s
from kpi_stream.domain.catalogue import Catalogue
from kpi_stream.domain.histogram import quantile
from kpi_stream.domain.readings import NoData, Reading, SeriesKey
from kpi_stream.domain.windows import PANE_MS, Span
from tests.laws.brute import Raw
from tests.laws.rig import Partition, totals_of
from tests.laws.strategies import DAY, HOUR, catalogue, strategy

NOW = 1_711_861_200_000 + 12 * HOUR  # 2024-03-31T12:00 in Lima


def numbered(name: str, mode: str = "urgent", office: str = "118", days: int = 0) -> Raw:
    """Return the opening of a declaration, an hour and so many days ago."""
    at = NOW - HOUR - days * DAY
    values = (office, "10", "sea", mode, True, True, 0, 0)
    return Raw("declaration.numbered", name, "e1", at, at, values)


def read(*events: Raw, of: Catalogue | None = None) -> dict[SeriesKey, Reading]:
    """Return every reading now."""
    known = of or catalogue()
    log = Partition(known).take(events).drain().row_log
    return ReadingTable(known, totals_of(known, log)).readings(NOW)


def test_fewer_than_the_minimum_are_no_data():
    """The counts are there, the value is not; a value of 0 is one."""
    few = read(numbered("s1"))[SeriesKey("within-10m", "7d", "national", "")]
    assert (few.value, few.no_data) == (None, NoData.TOO_FEW)
    assert (few.numerator, few.denominator, few.samples) == (0, 1, 1)
    enough = read(numbered("s1"), numbered("s2"))[SeriesKey("within-10m", "7d", "national", "")]
    assert (enough.value, enough.no_data, enough.samples) == (0.0, None, 2)


def test_nothing_to_divide_by_is_no_data():
    """An empty window has no value, for every kind of measure."""
    found = read()
    assert all(each.value is None for each in found.values())
    assert {key.dimension for key in found} == {"national"}
    not_measured = SeriesKey("satisfaction", "30d", "national", "")
    assert found[not_measured].no_data is NoData.NOT_MEASURED


def test_a_month_without_a_plan_is_no_data():
    """What is not planned cannot be compared with a plan."""
    plan = next(each for each in strategy().kpis if each.id == "plan").measure
    assert isinstance(plan, s.Plan)
    kpis = tuple(
        replace(each, measure=s.Plan(plan.amount, {"2024-03": 5})) if each.id == "plan" else each
        for each in strategy().kpis
    )
    found = read(of=Catalogue(replace(strategy(), kpis=kpis)))
    assert found[SeriesKey("plan", "qtd", "national", "")].no_data is NoData.NO_PLAN
    assert found[SeriesKey("plan", "mtd", "national", "")].no_data is NoData.TOO_FEW


def test_the_surplus_of_a_capped_dimension_is_other():
    """The two largest members are named, ties by name, and the rest are added up."""
    modes = ["deferred"] * 3 + ["urgent"] * 2 + ["anticipated"] * 2 + ["x"]
    found = read(*(numbered(f"s{number}", mode) for number, mode in enumerate(modes)))
    samples = {
        key.member: each.samples
        for key, each in found.items()
        if key[:3] == ("anticipated", "7d", "mode")
    }
    assert samples == {"deferred": 3, "anticipated": 2, "other": 3}


def test_a_value_outside_the_declared_members_is_other():
    """An office that the strategy does not declare is not lost."""
    found = read(numbered("s1"), numbered("s2", office="999"))
    offices = {key.member for key in found if key[:3] == ("anticipated", "7d", "office")}
    assert offices == {"118", "other"}


def test_a_member_that_was_never_counted_has_no_history():
    """Nor has a stock, whose past cannot be told from the present."""
    known = catalogue()
    table = ReadingTable(
        known, totals_of(known, Partition(known).take([numbered("s1")]).drain().row_log)
    )
    assert table.daily("anticipated", "7d", "office", "235", NOW, 3) == []
    assert table.daily("open-7d", "now", "national", "", NOW, 3) == []
    assert table.daily("satisfaction", "30d", "national", "", NOW, 3) == []
    assert [value for _, value in table.daily("anticipated", "7d", "office", "118", NOW, 3)] == [
        None,
        None,
        None,
    ]


@pytest.mark.parametrize("statistic", ["p70", "p58"])
def test_a_quantile_is_that_of_its_exact_rank(statistic: str):
    """With 91 durations of 1 to 91 ms the 70th percentile is the 64th, not the 63rd."""
    kpi = replace(
        strategy().kpis[1], measure=s.Duration(("numbered",), "settled", (), (), statistic)
    )
    events = []
    for took in range(1, 92):
        opened = numbered(f"s{took}")
        at = opened.occurred_ms + took
        events += [opened, Raw("debt.settled", f"s{took}", "e2", at, at, ("paid", 1))]
    found = read(*events, of=Catalogue(replace(strategy(), kpis=(kpi,))))
    reading = found[SeriesKey(kpi.id, "24h", "national", "")]
    rank = int(statistic[1:]) * 90 // 100
    assert (reading.value, reading.samples) == ((rank + 1) / 1000, 91)


def test_a_stock_is_older_by_panes_up_to_a_week_and_by_days_beyond():
    """The boundary day of a week is read pane by pane, that of a month as a whole.

    ```
    400 days ago ...... | boundary day 00:00 .. edge | .................. as_of
    ^^^^^^ days ^^^^^^^^  ^^^^^^^^ panes ^^^^^^^^^^^^
    ```
    """
    today, midnight = catalogue().days.day_of(NOW), NOW - 12 * HOUR
    week, every = stock_spans(7 * DAY, NOW + 1, catalogue())
    edge = (NOW - 7 * DAY) // PANE_MS
    assert week == Span((edge - 48, edge), (today - 400, today - 7))
    assert every == Span((midnight // PANE_MS, NOW // PANE_MS + 1), (today - 400, today))
    month, _ = stock_spans(30 * DAY, NOW, catalogue())
    assert month == Span((0, 0), (today - 400, today - 30))


def test_what_did_not_change_is_not_read_again():
    """An event makes the readings of its members anew, and those alone."""
    known = catalogue()
    log = Partition(known)
    totals = totals_of(
        known, log.take([numbered("s1"), numbered("s2", office="235")]).drain().row_log
    )
    table = ReadingTable(known, totals)
    before = table.readings(NOW)
    log.row_log.clear()
    for key, value in log.take([numbered("s3", office="235")]).drain().row_log:
        totals.apply_row(0, key, value)
    after = table.readings(NOW + 1000)
    key = SeriesKey("anticipated", "7d", "office", "118")
    assert after[key] is before[key]
    assert (
        after[key._replace(member="235")].samples == before[key._replace(member="235")].samples + 1
    )
    assert table.readings(NOW + 2000) == after


def test_a_plan_grows_without_any_event():
    """What should be there by now is more from second to second; what is there is not."""
    known = catalogue()
    table = ReadingTable(
        known, totals_of(known, Partition(known).take([numbered("s1")]).drain().row_log)
    )
    key = SeriesKey("plan", "mtd", "national", "")
    first, later = table.readings(NOW)[key], table.readings(NOW + 60_000)[key]
    assert later.denominator > first.denominator
    assert later.numerator == first.numerator


@given(
    st.lists(st.lists(st.integers(0, 5), min_size=4, max_size=4), max_size=5),
    st.sampled_from([0.0, 0.5, 0.9, 0.99, 1.0]),
)
def test_many_quantiles_are_each_of_them(counts: list[list[int]], q: float):
    """Read together or one by one, they are the same; an empty sample has none."""
    numbers, rows = np.array([0, 3, 40, 700]), np.array(counts, dtype=np.int64).reshape(-1, 4)
    assert quantiles_of(numbers, rows, q) == [quantile_of(numbers, row, q) for row in rows]
    for (value, _), row in zip(quantiles_of(numbers, rows, q), counts, strict=True):
        alone = quantile(dict(zip(numbers.tolist(), row, strict=True)), q)
        assert value == (None if alone is None else alone / 1000)
    none = np.zeros(0, dtype=np.int64)
    assert quantiles_of(none, rows[:, :0], q) == [quantile_of(none, row[:0], q) for row in rows]
