"""Explanations against the oracle: the members' parts and the change, from the raw events."""

from fractions import Fraction
from zoneinfo import ZoneInfo

from hypothesis import event as label
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_stream.application.explain import Explainer
from kpi_stream.application.explanation import Explanation, WhyNot
from kpi_stream.application.readings import ReadingTable
from kpi_stream.domain.readings import NoData, SeriesKey
from kpi_stream.domain.strategy import Kpi
from tests.laws.brute import Raw, local_date, window_days
from tests.laws.brute_changes import PAIRS, Held, capped, held, periods, ratio
from tests.laws.rig import Partition, totals_of
from tests.laws.strategies import (
    AGES,
    DAY,
    HOUR,
    MINUTE,
    ZONES,
    catalogue,
    feeds,
    instants,
    raws,
    strategy,
)

SPLIT = [kpi for kpi in strategy().kpis if kpi.measure.kind in PAIRS]


LENGTHS = {"1h": HOUR, "24h": DAY, "7d": 7 * DAY, "30d": 30 * DAY, "12m": 365 * DAY}
"""About how long a window is; of one to date as long as it has been going on."""
_TYPES = [
    *["transport.arrived", "release.granted", "debt.settled", "channel.assigned"],
    *["assessment.adjusted", "channel.changed", "inspection.completed", "goods.exited"],
]


@st.composite
def worlds(draw: st.DrawFn) -> tuple[str, int, Kpi, str, list[Raw]]:
    """Return (time zone, as_of, KPI, window, events), most of them in this window or the last."""
    zone = draw(st.sampled_from(ZONES))
    as_of = draw(instants(zone))
    kpi = draw(st.sampled_from(SPLIT))
    window = draw(st.sampled_from(kpi.windows))
    between = window_days(window, local_date(as_of, ZoneInfo(zone)))
    length = LENGTHS.get(window) or DAY * (between[1] - between[0]).days + HOUR
    ages = st.one_of(st.integers(0, length), st.integers(length, 2 * length), AGES)
    events = draw(feeds(as_of, max_size=6, ages=ages))
    for number in range(draw(st.integers(4, 9))):
        # In turn in this window and in the last, so that both have some.
        here = st.integers(length * (number % 2), length * (number % 2 + 1))
        name, age = f"t{number}", st.just(draw(st.one_of(here, here, ages)))
        chosen = draw(st.sets(st.sampled_from(_TYPES), max_size=6))
        for each in ["declaration.numbered", "transport.arrived", "release.granted", *chosen]:
            one = draw(raws(as_of, 1, age, each))
            # A little apart, so that durations are none of 0; the late ones are in the feed.
            happened = one.recorded_ms - draw(st.integers(0, 90)) * MINUTE
            if each == "declaration.numbered" and number < 4:
                # Four that most conditions let through, three of them of the office asked for.
                one = one._replace(values=(("118", "235")[number == 3], "10", *one.values[2:]))
            events.append(
                one._replace(subject=name, event_id=each, occurred_ms=happened, corrects=None)
            )
    for number in range(draw(st.integers(0, 3))):
        of_type = draw(st.sampled_from(["audit.completed", "aeo.status_changed"]))
        one = draw(raws(as_of, 1, ages, of_type))
        events.append(one._replace(subject=f"u{number}", event_id=f"u{number}", corrects=None))
    return zone, as_of, kpi, window, sorted(events, key=lambda each: each.recorded_ms)


@settings(max_examples=250)
@given(world=worlds(), of_office=st.booleans())
def test_the_parts_and_the_change_are_the_oracles(
    *, world: tuple[str, int, Kpi, str, list[Raw]], of_office: bool
):
    """Each member of each dimension, in both periods, of the whole and of one office."""
    zone, as_of, kpi, window, events = world
    office = "118" if of_office and "office" in kpi.dimensions else None
    log = Partition(catalogue(zone)).take(events).drain()
    totals = totals_of(catalogue(zone), log.row_log)
    found = Explainer(catalogue(zone), totals).explain(kpi.id, window, as_of, office=office)
    was, new = (
        held(strategy(zone), kpi, events, inside, office)
        for inside in periods(kpi, window, as_of, ZoneInfo(zone))
    )
    label(f"{'split' if found.why_not is None else found.why_not} of {kpi.measure.kind}")
    if found.why_not is not None:
        assert found.splits == found.costs == ()
        assert_nothing_to_split(found, was["national"], new["national"], kpi)
        return
    for split in found.splits:
        cap = next(each.cap for each in strategy().dimensions if each.id == split.dimension)
        pair = capped(was.get(split.dimension, {}), new.get(split.dimension, {}), cap)
        assert_parts(split.effects, *pair, plain=kpi.measure.kind == "amount")
        change = sum(each.total for each in split.effects)
        assert change == split.mix + split.rate == whole_change(was, new, kpi)
    assert [each.dimension for each in found.splits] == [
        each for each in kpi.dimensions if office is None or each != "office"
    ]
    assert_sums(found, was["national"], new["national"], kpi)


def assert_nothing_to_split(
    found: Explanation, was: dict[str, Held], new: dict[str, Held], kpi: Kpi
) -> None:
    """Fail unless there is really nothing to compare."""
    if found.why_not is WhyNot.NO_ROWS:
        assert not was
    else:
        assert found.why_not is WhyNot.EMPTY
        if kpi.measure.kind == "amount":
            assert not was
            assert not new
        else:
            assert ratio(was) is None or ratio(new) is None


def assert_parts(effects, was: dict[str, Held], new: dict[str, Held], *, plain: bool) -> None:
    """Fail with the first member whose counts differ."""
    assert {each.member for each in effects} == {*was, *new}
    for each in effects:
        for part, members in ((each.before, was), (each.now, new)):
            above, below, _ = members.get(each.member, Held(0, 0, 0))
            assert part == (above, 1 if plain else below), (each.member, part, members)


def whole_change(was: dict[str, dict[str, Held]], new: dict[str, dict[str, Held]], kpi: Kpi):
    """Return what the whole changed by, as a fraction of the counters."""
    if kpi.measure.kind == "amount":
        above = [sum(each.above for each in side["national"].values()) for side in (was, new)]
        return above[1] - above[0]
    before, now = ratio(was["national"]), ratio(new["national"])
    assert before is not None
    assert now is not None
    return now - before


def assert_sums(found: Explanation, was: dict[str, Held], new: dict[str, Held], kpi: Kpi) -> None:
    """Fail unless both sums, and what the costs are held against, are those of the events."""
    for given_sum, members in ((found.before, was), (found.now, new)):
        above, below, samples = members.get("", Held(0, 0, 0))
        below = 1 if kpi.measure.kind == "amount" else below
        assert (given_sum.numerator, given_sum.denominator, given_sum.samples) == (
            above,
            below,
            samples,
        )
        assert given_sum.value == float(Fraction(above, below) * found.scale)
    gaps = [each.gap for each in found.costs]
    assert gaps == sorted(gaps)[: len(gaps)]
    assert len(gaps) <= 3
    assert all(each < 0 for each in gaps)  # up is better: what costs lies below the whole


@settings(max_examples=150)
@given(
    world=worlds(),
    kpi=st.sampled_from(strategy().kpis),
    data=st.data(),
    of_office=st.booleans(),
)
def test_now_is_the_reading(
    *, world: tuple[str, int, Kpi, str, list[Raw]], kpi: Kpi, data: st.DataObject, of_office: bool
):
    """Every kind says the same as the scorecard of the same instant, quantiles included."""
    zone, as_of, _, _, events = world
    window = data.draw(st.sampled_from(kpi.windows))
    office = "118" if of_office and "office" in kpi.dimensions else None
    log = Partition(catalogue(zone)).take(events).drain()
    totals = totals_of(catalogue(zone), log.row_log)
    found = Explainer(catalogue(zone), totals).explain(kpi.id, window, as_of, office=office)
    place = ("national", "") if office is None else ("office", office)
    readings = ReadingTable(catalogue(zone), totals).readings(as_of)
    reading = readings.get(SeriesKey(kpi.id, window, *place))
    if reading is None:
        assert found.now.samples == 0
        return
    if reading.no_data is NoData.NO_PLAN:
        assert found.now.value is None
        return
    assert found.now.samples == reading.samples
    if reading.value is not None:
        label(f"a value of {kpi.measure.kind}")
        quantile = found.now.quantile
        assert reading.value == (found.now.value if quantile is None else quantile)
        counts = (found.now.numerator, found.now.denominator)
        assert quantile is not None or counts == (reading.numerator, reading.denominator)
