from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from kpi_stream.adapters.strategy_files import check_strategy, load_strategy
from kpi_stream.domain import strategy as s
from kpi_stream.domain.catalogue import Catalogue
from kpi_stream.domain.measures import MEASURES

HARBOUR = Path(__file__).parents[3] / "strategies" / "harbour"


@pytest.fixture(scope="module")
def harbour() -> s.Strategy:
    """Another administration: other offices, a zone with summer time, euros."""
    return load_strategy(HARBOUR)


def kpi(strategy: s.Strategy, name: str) -> s.Kpi:
    """Return the KPI of that id."""
    return next(each for each in strategy.kpis if each.id == name)


def target(strategy: s.Strategy, name: str) -> s.Target:
    """Return the target of that id."""
    return next(each for each in strategy.targets if each.id == name)


def test_nothing_is_wrong_with_it():
    """Another administration is another folder of YAML."""
    assert check_strategy(HARBOUR) == []


def test_it_can_be_counted(harbour: s.Strategy):
    """Every measure compiles."""
    assert set(Catalogue(harbour).kpis) == {each.id for each in harbour.kpis}


def test_it_has_every_kind_of_measure(harbour: s.Strategy):
    """The example shows each kind once, the one that is not measured included."""
    assert {each.measure.kind for each in harbour.kpis} == {*MEASURES, "not_measured"}


def test_frame(harbour: s.Strategy):
    """The frame is that of the files."""
    assert (harbour.id, harbour.language, harbour.currency) == ("harbour", "en", "EUR")
    assert harbour.offices == {"QUAY", "FERRY", "GATE"}
    assert harbour.calendar == s.Calendar(
        time_zone="Europe/Madrid",
        weekdays=frozenset(range(6)),
        opens_minute=360,
        closes_minute=1_440,
        holidays=frozenset({date(2026, 1, 1), date(2026, 5, 1)}),
    )
    assert [(each.id, each.cap) for each in harbour.dimensions] == [
        ("office", None),
        ("agency", 4),
        ("regime", None),
    ]


def test_measures_in_base_units(harbour: s.Strategy):
    """Limits become milliseconds, amounts cents, short conditions their long form."""
    assert kpi(harbour, "turnaround-median").measure == s.Duration(
        start=("discharged", "numbered"),
        end="exited",
        start_if_present=("settled",),
        where=(
            s.Condition("numbered.transport_mode", any_of=frozenset({"mail"}), negate=True),
            s.Condition("numbered.cif_cents", at_least=100_000),
        ),
        statistic="p50",
    )
    assert kpi(harbour, "decided-within-90m").measure == s.Within(
        ("channel_assigned",), ("reviewed", "inspected", "released"), 5_400_000
    )
    assert kpi(harbour, "scan-rate").measure == s.Share(
        "numbered", (s.Condition("has.scanned", any_of=frozenset({True})),)
    )
    denials = kpi(harbour, "agency-denials").measure
    assert isinstance(denials, s.Share)
    assert denials.where == (
        s.Condition("oga_decided.waiting_ms", at_least=259_200_000, negate=True),
    )
    stale = kpi(harbour, "stale-files").measure
    assert stale == s.Stock("numbered", ("exited", "cancelled"), 129_600_000)
    plan = kpi(harbour, "revenue-to-plan").measure
    assert isinstance(plan, s.Plan)
    assert plan.months == {
        "2026-01": 10_000_000,
        "2026-02": 9_000_000,
        "2026-03": 11_000_000,
        "2026-04": 10_500_050,
    }


def test_the_way_and_its_stages(harbour: s.Strategy):
    """Stages are in the order of the file; `begin` and `where` may be left out."""
    way = harbour.way
    assert way is not None
    mail = s.Condition("numbered.transport_mode", any_of=frozenset({"mail"}), negate=True)
    assert (way.start, way.end, way.where) == ("discharged", "exited", (mail,))
    assert (way.dimensions, way.windows) == (("office",), ("7d", "30d"))
    papers, decision, pick_up, after_care = way.stages
    assert papers == s.Stage(
        "papers",
        {"es": "Papeles", "en": "Papers"},
        s.Holder.TRADER,
        ("documents_received",),
        begin="documents_requested",
    )
    channels = s.Condition("channel", any_of=frozenset({"orange", "red"}))
    assert (decision.end, decision.where) == (("reviewed", "inspected"), (channels,))
    assert [each.holder for each in (decision, pick_up, after_care)] == [
        s.Holder.CUSTOMS,
        s.Holder.CARRIER,
        s.Holder.TRADER,
    ]
    compiled = Catalogue(harbour).way
    assert compiled is not None
    assert compiled.inner == 3


def test_worklists(harbour: s.Strategy):
    """Three quarters of the limit and 50 of an office, unless a file says otherwise."""
    assert harbour.worklists == (
        s.Worklist("decisions", "decided-within-90m", 0.75, 50),
        s.Worklist("decisions-soon", "decided-within-90m", 0.5, 5),
    )


def test_a_baseline_opens_its_day_and_a_deadline_ends_it(harbour: s.Strategy):
    """Dates are local days, winter or summer: a target holds up to and including its last day."""
    turnaround = target(harbour, "turnaround")
    assert turnaround.baseline_at == datetime(2025, 12, 31, 23, tzinfo=UTC)
    assert turnaround.deadline == datetime(2026, 6, 30, 22, tzinfo=UTC)
    assert (turnaround.baseline, turnaround.value) == (72_000, 43_200)


def test_points(harbour: s.Strategy):
    """`by` ends its day like a deadline, `from` opens it, on days when the clocks change too."""
    assert target(harbour, "turnaround-ferry").points == (
        (datetime(2026, 3, 10, 23, tzinfo=UTC), 28_800),
        (datetime(2026, 3, 29, 22, tzinfo=UTC), 25_200),
    )
    assert target(harbour, "decided").points == (
        (datetime(2026, 3, 31, 22, tzinfo=UTC), 0.6),
        (datetime(2026, 10, 24, 22, tzinfo=UTC), 0.7),
    )


def test_scopes_and_tolerances(harbour: s.Strategy):
    """A target is national unless it names members; tolerances have their defaults."""
    decided, ferry = target(harbour, "decided"), target(harbour, "turnaround-ferry")
    assert (decided.dimension, decided.members) == ("office", ("*",))
    assert (ferry.dimension, ferry.members) == ("office", ("FERRY",))
    assert (ferry.green_tolerance, ferry.amber_tolerance) == (0.01, 0.2)
    scans = target(harbour, "scans")
    assert (scans.dimension, scans.members) == (s.NATIONAL, ("",))
    assert (scans.low, scans.value) == (0.05, 0.15)
    assert (scans.green_tolerance, scans.amber_tolerance) == (0.0, 0.1)
    assert target(harbour, "duties").value == 1_250_000


def test_work_and_benchmarks(harbour: s.Strategy):
    """Budgets are exact cents; a benchmark is in the KPI's unit."""
    (scanner,) = harbour.initiatives
    assert (scanner.budget_cents, scanner.spent_cents) == (25_000_000, 9_999_999)
    assert scanner.actions[0].done == date(2026, 4, 2)
    (next_port,) = harbour.benchmarks
    assert (next_port.value, next_port.note["en"]) == (32_400, "Containers only.")
