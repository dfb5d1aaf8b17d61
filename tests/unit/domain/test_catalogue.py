from dataclasses import replace

import pytest

from kpi_stream.domain import strategy as s
from kpi_stream.domain.catalogue import Catalogue, canonical
from kpi_stream.domain.events import BY_MILESTONE, BY_NAME, EVENT_TYPES, Kind
from tests.laws.strategies import catalogue, strategy


def with_kpi(name: str, **changes: object) -> s.Strategy:
    """Return the strategy of the laws with one KPI changed."""
    kpis = tuple(
        replace(each, **changes) if each.id == name else each  # type: ignore[arg-type]
        for each in strategy().kpis
    )
    return replace(strategy(), kpis=kpis)


def kpi(name: str) -> s.Kpi:
    """Return a KPI of the strategy of the laws."""
    return next(each for each in strategy().kpis if each.id == name)


def test_one_histogram_serves_mean_and_quantiles():
    """KPIs that count the same thing share their counters."""
    kpis = catalogue().kpis
    assert kpis["release-mean"].measure is kpis["release-p50"].measure
    assert kpis["release-p29"].measure is kpis["release-p50"].measure
    assert (kpis["release-mean"].quantile, kpis["release-p29"].quantile) == (None, 0.29)


def test_stocks_of_different_ages_share_a_counter():
    """The limit of a stock enters when it is read, so that it is counted once."""
    week, month = (catalogue().kpis[name].measure for name in ("open-7d", "open-30d"))
    assert week is not None
    assert month is not None
    assert week.counters == month.counters
    assert week is not month


def test_other_dimensions_are_other_counters():
    """The same measure over other dimensions is counted apart: a row has one set of members."""
    fewer = Catalogue(with_kpi("release-p50", dimensions=("office",)))
    mean, median = (fewer.kpis[name].measure for name in ("release-mean", "release-p50"))
    assert mean is not None
    assert median is not None
    assert not set(mean.counters) & set(median.counters)


def test_what_is_not_measured_is_not_counted():
    """A KPI without a measure has no counters."""
    assert catalogue().kpis["satisfaction"].measure is None


def test_texts_do_not_change_what_is_counted():
    """Names, owners, targets' values, plans, limits of stocks and windows leave the state valid."""
    known = catalogue().fingerprint
    other = {"es": "otro", "en": "other"}
    dimensions = tuple(
        replace(each, name=other, members=tuple(replace(m, name=other) for m in each.members))
        for each in strategy().dimensions
    )
    plan = kpi("plan").measure
    assert isinstance(plan, s.Plan)
    assert Catalogue(replace(strategy(), dimensions=dimensions, name=other)).fingerprint == known
    assert Catalogue(with_kpi("plan", measure=s.Plan(plan.amount, {}))).fingerprint == known
    assert Catalogue(with_kpi("weight", owner="me", windows=("7d",))).fingerprint == known


@pytest.mark.parametrize(
    "other",
    [
        with_kpi("weight", measure=s.Amount("enforced", "value_cents")),
        with_kpi("weight", dimensions=("office",)),
        replace(strategy(), kpis=strategy().kpis[5:]),
        replace(strategy(), calendar=replace(strategy().calendar, time_zone="UTC")),
        replace(strategy(), dimensions=strategy().dimensions[::-1]),
        replace(
            strategy(),
            dimensions=(
                replace(strategy().dimensions[0], members=strategy().dimensions[0].members[:1]),
                *strategy().dimensions[1:],
            ),
        ),
    ],
    ids=["field", "kpi dimensions", "kpis", "time zone", "order of dimensions", "members"],
)
def test_what_is_counted_differently_has_another_fingerprint(other: s.Strategy):
    """Rows of other definitions must not be continued."""
    assert Catalogue(other).fingerprint != catalogue().fingerprint


def test_a_definition_has_one_text():
    """Sets and mappings are written in one order, whatever the hash seed of the process."""
    text = canonical(s.Condition("a", frozenset({"x", "y"})))
    assert text == "Condition(attribute='a',any_of={'x','y'},at_least=None,negate=False)"
    assert canonical({"b": 1, "a": (True, None)}) == "{a:(True,None),b:1}"


def test_an_event_touches_what_it_can_change():
    """The opening touches everything; an arrival the measures of it, and no audit's."""
    everything = catalogue().counted(Kind.DECLARATION)
    assert catalogue().touched(BY_NAME["declaration.numbered"]) == everything
    touched = catalogue().touched(BY_NAME["transport.arrived"])
    assert 0 < len(touched) < len(everything)
    slot = BY_MILESTONE["arrived"].slot
    assert all(slot in each.term.slots or slot in each.group.slots for each in touched)


def test_a_change_of_channel_touches_every_kpi_by_channel():
    """A channel that changes moves contributions to another row."""
    by_channel = {
        each for each in catalogue().counted(Kind.DECLARATION) if "channel" in each.group.declared
    }
    assert by_channel <= set(catalogue().touched(BY_NAME["channel.changed"]))


def test_every_type_is_planned():
    """Each type of event touches at least the count of conflicts."""
    assert all(catalogue().touched(each, again=True) for each in EVENT_TYPES)


def test_stocks_are_read_now():
    """The strategy of the laws has KPIs without a window."""
    assert catalogue().uses_now
    assert not Catalogue(replace(strategy(), kpis=(kpi("weight"),))).uses_now


def test_a_measure_of_what_does_not_exist_is_refused():
    """A measure over an unknown milestone is an error, not a KPI without data."""
    with pytest.raises(ValueError, match="unknown milestone 'nowhere'"):
        Catalogue(with_kpi("weight", measure=s.Share("nowhere", ())))
