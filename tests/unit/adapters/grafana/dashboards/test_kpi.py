"""A KPI's own dashboard: the panels that its measure, its targets and its dimensions allow."""

import re
from functools import cache

import pytest

from kpi_stream.adapters.grafana.dashboards.kpi_behind import same_measure
from kpi_stream.adapters.grafana.dashboards.kpi_numbers import Tile
from kpi_stream.adapters.grafana.notes import of_transitions
from kpi_stream.application.handbook.markdown import escaped
from kpi_stream.application.judge import Transition
from kpi_stream.application.monitoring import places
from kpi_stream.application.monitoring.alerts import alerts
from kpi_stream.application.monitoring.places import KpiPanel
from kpi_stream.domain.readings import SeriesKey
from kpi_stream.domain.status import Status
from kpi_stream.domain.strategy import (
    NATIONAL,
    Amount,
    Direction,
    Duration,
    Kpi,
    Lift,
    NotMeasured,
    Stock,
    Strategy,
    Target,
)
from tests.support.dashboards import Json, boards, edition, panels

STRATEGIES = ("sunat", "harbour", "pocket")
EVERY = [
    pytest.param(of, kpi, id=f"{of}-{kpi.id}")
    for of in STRATEGIES
    for kpi in edition(f"{of}-en").strategy.kpis
]
every_kpi = pytest.mark.parametrize(("of", "kpi"), EVERY)

TEXT, BENCHMARKS, SIBLINGS, COUNTS, SAMPLES = 30, 31, 32, 33, 34
"""Ids of the panels that nothing outside points at."""


def strategy_of(of: str) -> Strategy:
    """Return a strategy."""
    return edition(f"{of}-en").strategy


@cache
def pages(of: str) -> dict[str, Json]:
    """Return every dashboard by uid; nobody changes them here."""
    return {board["uid"]: board for board in boards(f"{of}-en").values()}


def page(of: str, kpi: Kpi) -> Json:
    """Return the KPI's dashboard."""
    return pages(of)[places.kpi_uid(strategy_of(of), kpi.id)]


def by_id(of: str, kpi: Kpi) -> dict[int, Json]:
    """Return its panels by id."""
    return {panel["id"]: panel for panel in panels(page(of, kpi))}


def targets_of(of: str, kpi: Kpi, *dimensions: str) -> list[Target]:
    """Return its targets, of some dimensions or of all."""
    return [
        target
        for target in strategy_of(of).targets
        if target.kpi == kpi.id and (not dimensions or target.dimension in dimensions)
    ]


@every_kpi
def test_it_has_the_panels_that_it_can_have(of: str, kpi: Kpi) -> None:
    """No panel that could never show anything, and none left out."""
    found = by_id(of, kpi)
    if isinstance(kpi.measure, NotMeasured):
        assert set(found) == {KpiPanel.VALUE, TEXT}
        return
    strategy, judged = strategy_of(of), targets_of(of, kpi, NATIONAL, "office")
    expected = {KpiPanel.VALUE, TEXT, SAMPLES, Tile.VALUE, Tile.SAMPLES, Tile.REASON}
    if judged:
        band = kpi.direction is Direction.BAND
        expected |= {Tile.STATUS, Tile.GOAL, Tile.DEADLINE, Tile.ATTAINMENT, Tile.SINCE}
        expected.add(Tile.UPPER if band else Tile.EXPECTED)
        if not band and any(target.value != target.baseline for target in judged):
            expected.add(Tile.PROGRESS)
        if not isinstance(kpi.measure, Stock):
            expected |= {Tile.FORECAST, Tile.VERDICT}
    if targets_of(of, kpi):
        expected.add(KpiPanel.STATUS_HISTORY)
    if any(mark.kpi == kpi.id for mark in strategy.benchmarks):
        expected.add(BENCHMARKS)
    if same_measure(strategy.kpis, kpi):
        expected.add(SIBLINGS)
    quantile = isinstance(kpi.measure, Duration) and kpi.measure.statistic != "mean"
    if not quantile and not isinstance(kpi.measure, Lift | Amount):
        expected.add(COUNTS)
    tables = {number for number, panel in found.items() if panel["type"] == "table"}
    assert set(found) - tables == expected
    assert len(tables) == len(kpi.dimensions)
    assert (KpiPanel.BY_OFFICE in tables) == ("office" in kpi.dimensions)
    shown = {
        match
        for number in tables
        for target in found[number]["targets"]
        for match in re.findall(r'dimension="([^"]+)"', target["expr"])
    }
    assert shown - {NATIONAL} == set(kpi.dimensions)


def test_mean_and_percentiles_of_the_same_times_are_one_distribution() -> None:
    """Others are measured over other cases, or are no times."""
    kpis = strategy_of("sunat").kpis
    groups = {tuple(each.id for each in same_measure(kpis, kpi)) for kpi in kpis}
    assert groups == {(), ("release-time-mean", "release-time-median", "release-time-p90")}
    assert not any(same_measure(strategy_of("pocket").kpis, k) for k in strategy_of("pocket").kpis)


@every_kpi
def test_the_value_is_beside_what_it_should_be(of: str, kpi: Kpi) -> None:
    """Trajectory, target and benchmarks, where there are such; a band has edges instead."""
    asked = " ".join(target["expr"] for target in by_id(of, kpi)[KpiPanel.VALUE]["targets"])
    judged = bool(targets_of(of, kpi, NATIONAL, "office"))
    band = kpi.direction is Direction.BAND
    assert ("kpi_stream_kpi_expected" in asked) == (judged and not band)
    bounds = set(re.findall(r'bound="([a-z]+)"', asked))
    assert bounds == (({"lower", "upper"} if band else {"goal"}) if judged else set())
    known = {mark.id for mark in strategy_of(of).benchmarks if mark.kpi == kpi.id}
    drawn = set(re.findall(r'benchmark="([^"]+)"', asked))
    assert drawn <= known
    # Beside a target a far one is left out; without a target there is nothing to flatten.
    assert drawn == known or judged


def test_a_benchmark_far_from_the_target_does_not_flatten_the_lines() -> None:
    """It is beside the others, and not in the chart of the value."""
    kpi = next(each for each in strategy_of("sunat").kpis if each.id == "release-time-mean")
    found = by_id("sunat", kpi)

    def drawn(number: int) -> set[str]:
        asked = " ".join(target["expr"] for target in found[number]["targets"])
        return set(re.findall(r'benchmark="([^"]+)"', asked))

    every = {mark.id for mark in strategy_of("sunat").benchmarks if mark.kpi == kpi.id}
    assert drawn(BENCHMARKS) == every
    # The target is 30 h.
    far = {"sunat-ttlm-2014", "sunat-ttlm-2016", "sunat-ttlm-2019", "brazil-2020"}
    far |= {"australia-air-2007", "australia-sea-2008"}
    assert drawn(KpiPanel.VALUE) == every - far


@every_kpi
def test_the_text_tells_what_who_and_what_to_do(of: str, kpi: Kpi) -> None:
    """Question, owner, source, targets, and the runbook entry of each of its alerts."""
    content = by_id(of, kpi)[TEXT]["options"]["content"]
    strategy, made_for = strategy_of(of), edition(f"{of}-en")
    for text in (kpi.question["en"], kpi.owner, kpi.source):
        assert escaped(text) in content
    for target in targets_of(of, kpi):
        who = f"v{target.version}; {target.owner}; approved by {target.approver}"
        assert escaped(who) in content
    for mark in strategy.benchmarks:
        assert (escaped(f"{mark.who}, {mark.period}") in content) or mark.kpi != kpi.id
    anchors = {each.anchor for each in alerts(strategy) if each.labels.get("kpi") == kpi.id}
    assert bool(anchors) == bool(targets_of(of, kpi))
    linked = set(re.findall(re.escape(made_for.runbook_url) + r"#([a-z-]+)\)", content))
    assert linked == anchors
    assert f"({made_for.runbook_url}" in content


@every_kpi
def test_its_annotations_are_those_that_the_scorecard_writes(of: str, kpi: Kpi) -> None:
    """A changed status has each tag that the dashboard asks for; that of another KPI has not."""
    strategy = strategy_of(of)
    own, tagged = page(of, kpi)["annotations"]["list"]
    assert own["type"] == "dashboard"
    assert tagged["type"] == tagged["target"]["type"] == "tags"
    assert tagged["enable"] is True
    assert tagged["target"]["matchAny"] is False
    wanted = set(tagged["target"]["tags"])
    for other in strategy.kpis:
        key = SeriesKey(other.id, other.windows[0], NATIONAL, "")
        change = Transition(
            key, 1, Status.ON_TRACK, Status.AT_RISK, 0, 1.0, 2.0, 3.0, None, 99, None, "t", 1, "d"
        )
        (note,) = of_transitions([change], strategy)
        assert (wanted <= set(note.tags)) == (other.id == kpi.id)
