"""What the benchmarks compute from what they see."""

import pytest

from benchmarks.latency import Seen, delays, samples
from benchmarks.live_feed import Load, _endless, _probe_subject, event, partition_of
from benchmarks.scaling import with_kpis
from benchmarks.year import EVENTS, Replayed, extrapolated
from kpi_stream.adapters.prometheus.scorecard import ScorecardMetrics
from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.bootstrap.common import event_codec
from kpi_stream.domain.catalogue import Catalogue
from kpi_stream.settings import Settings

NOW_S = 1_790_000_000.0
BODY = b"""\
# HELP kpi_stream_kpi_samples Subjects or events behind the value of the KPI.
kpi_stream_kpi_samples{dimension="office",kpi="release-time-mean",member="118",window="24h"} 41.0
kpi_stream_kpi_samples{dimension="office",kpi="release-time-mean",member="118",window="7d"} 99.0
kpi_stream_kpi_samples{dimension="office",kpi="release-time-p90",member="118",window="24h"} 77.0
kpi_stream_kpi_samples{dimension="office",kpi="release-time-mean",member="172",window="24h"} 7.0
kpi_stream_kpi_samples{dimension="office",kpi="release-time-mean",member="046",window="24h"} 5.0
"""


def test_a_probe_is_late_by_the_first_answer_that_counts_it():
    """Each by its place in its own partition, beyond what was counted before."""
    seen = [Seen(10.0, (5, 0)), Seen(11.0, (6, 0)), Seen(12.5, (8, 1))]
    assert delays(seen, [[9.5, 10.5, 11.0], [12.0]], (5, 0)) == [1.5, 2.0, 1.5, 0.5]
    with pytest.raises(ValueError, match="never seen"):
        delays(seen, [[9.5], [12.0, 12.1]], (5, 0))


def test_the_offices_of_the_probes_are_read_from_the_metrics():
    """One KPI, one window; no other office."""
    assert samples(BODY, ("118", "172")) == {"118": 41, "172": 7}
    assert samples(ScorecardMetrics().render("")[0], ("118",)) == {}


def test_the_live_feed_is_what_the_product_takes():
    """Every step of a declaration is accepted, and those of one come in their order."""
    strategy = load_strategy(packaged_strategy_path())
    decode = event_codec(Settings(), strategy).decode
    load = Load("", "", ("118", "172"), ("046",) * 4, 1_000, 1, 8, "run")
    life, steps = _endless(load), {}
    for _ in range(20_000):
        step, subject, office = next(life)
        taken = decode(subject.encode(), event(step, subject, office, NOW_S), round(NOW_S * 1000))
        assert taken.subject == subject
        steps.setdefault(subject, []).append(step)
    assert any(each == [0, 1, 2, 3, 4, 5] for each in steps.values())
    assert all(each == list(range(len(each))) for each in steps.values())


def test_a_probe_lies_in_the_partition_of_its_office():
    """So that the order of the counted ones is that of the appended ones."""
    subjects = [_probe_subject("run", number) for number in range(40)]
    assert [partition_of(each.encode()) for each in subjects] == [
        number % 4 for number in range(40)
    ]
    assert len(set(subjects)) == 40


@pytest.mark.parametrize("number", [5, 25, 100])
def test_a_strategy_of_any_size_is_one(number):
    """The first KPIs, then clones that share neither a name nor a counter with another."""
    strategy = load_strategy(packaged_strategy_path())
    grown = with_kpis(strategy, number)
    assert [each.id for each in grown.kpis][:5] == [each.id for each in strategy.kpis][:5]
    assert len({each.id for each in grown.kpis}) == number
    clones = grown.kpis[len(strategy.kpis) :]
    assert len({repr(each.measure) for each in clones}) == len(clones)
    assert Catalogue(grown).fingerprint != Catalogue(with_kpis(strategy, number - 1)).fingerprint


def test_a_year_is_extrapolated_on_a_straight_line():
    """What does not grow with the events is not multiplied."""

    def replayed(events: int) -> Replayed:
        fixed, each = 100 << 20, 50
        return Replayed(0.1, events, 1.0, 5 + events / 20_000, fixed + each * events, [], 1.0)

    cpu_s, peak = extrapolated([replayed(1_800_000), replayed(3_600_000)])
    assert cpu_s == pytest.approx(5 + EVENTS / 20_000)
    assert peak == pytest.approx((100 << 20) + 50 * EVENTS)
