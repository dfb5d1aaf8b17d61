"""What the scorecard exports, read back as a scraper reads it."""

import re
import shutil
import subprocess
from collections.abc import Callable

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain

from kpi_stream.adapters.prometheus.families import Gauges
from kpi_stream.adapters.prometheus.kpi_families import add_evaluation
from kpi_stream.adapters.prometheus.scorecard import ScorecardMetrics
from kpi_stream.application.as_of import AsOfClock, PartitionProgress
from kpi_stream.application.monitoring import conventions
from kpi_stream.application.scorecard import Evaluation, Scorecard
from kpi_stream.domain.hysteresis import Damping
from kpi_stream.domain.readings import NoData, Reading, SeriesKey
from kpi_stream.domain.strategy import Strategy, Unit
from kpi_stream.domain.worklist import Worksheet
from tests.support.required import missing
from tests.support.scorecard import (
    ADVANCE,
    DAY_MS,
    NOON_MS,
    PLANNED,
    RED,
    RELEASE,
    FakeTotals,
    national,
    office,
    strategy,
    target,
)

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]
STATUSES = ("on_track", "at_risk", "off_track", "no_data")


class Rig:
    """A scorecard over written readings, with its metrics."""

    def __init__(self) -> None:
        self.strategy: Strategy = strategy(
            target(ADVANCE, 0.8), target(RELEASE, 100.0), target(RED, 0.12, low=0.04)
        )
        self.totals = FakeTotals(
            {
                national(ADVANCE): 0.75,
                national(RELEASE): 90.0,
                national(RED): None,
                office(ADVANCE, "118"): 0.7,
                office(ADVANCE, "235"): None,
            }
        )
        self.totals.points = [(NOON_MS - (9 - at) * DAY_MS, 0.75) for at in range(10)]
        self.metrics = ScorecardMetrics()
        self.metrics.strategy(self.strategy, NOON_MS)
        self._card = Scorecard(self.strategy, self.totals, damping=Damping(1))
        self._clock = AsOfClock()

    def evaluate(self, seconds: float = 0.02) -> Evaluation:
        """Evaluate at noon, ten seconds after the newest event."""
        progress = PartitionProgress(3, 9, NOON_MS - 10_000, 12, 0)
        freshness = self._clock.advance([progress], NOON_MS)
        evaluation = self._card.evaluate(NOON_MS, freshness)
        self.metrics.fresh(freshness)
        self.metrics.evaluated(evaluation, seconds)
        return evaluation

    def scrape(self) -> Samples:
        """Return every sample of a scrape."""
        body, content_type = self.metrics.render("")
        assert content_type.startswith("text/plain")
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in plain(body.decode())
            for sample in family.samples
        }


@pytest.fixture
def rig() -> Rig:
    """A rig after its first evaluation."""
    made = Rig()
    made.evaluate()
    return made


def at(
    name: str, key: SeriesKey | None = None, **labels: str
) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return the place of a sample."""
    return f"kpi_stream_{name}", tuple(sorted({**(key._asdict() if key else {}), **labels}.items()))


def test_values_are_in_the_family_of_their_unit(rig: Rig) -> None:
    """One family has one unit; expected, target and attainment stand beside the value."""
    found = rig.scrape()
    assert found[at("kpi_value_ratio", national(ADVANCE))] == 0.75
    assert found[at("kpi_value_ratio", office(ADVANCE, "118"))] == 0.7
    assert found[at("kpi_value_seconds", national(RELEASE))] == 90.0
    assert at("kpi_value_seconds", national(ADVANCE)) not in found
    assert found[at("kpi_expected_ratio", national(ADVANCE))] == 0.8
    assert found[at("kpi_target_ratio", national(ADVANCE), bound="goal")] == 0.8
    assert found[at("kpi_target_ratio", national(RED), bound="lower")] == 0.04
    assert found[at("kpi_target_ratio", national(RED), bound="upper")] == 0.12
    assert found[at("kpi_attainment_ratio", national(ADVANCE))] == pytest.approx(0.9375)
    assert found[at("kpi_forecast_ratio", national(ADVANCE))] == pytest.approx(0.75)
    verdict = at("kpi_forecast_verdict", national(ADVANCE), verdict="off_pace")
    assert found[verdict] == 1
    assert found[at("kpi_numerator", national(ADVANCE))] == 75
    assert found[at("kpi_denominator", national(ADVANCE))] == 100


def test_no_data_is_an_absent_series_with_a_reason_of_its_own(rig: Rig) -> None:
    """Neither 0 nor NaN: no value, no attainment; the samples and the reason are there."""
    found = rig.scrape()
    for name in ("kpi_value_ratio", "kpi_attainment_ratio", "kpi_numerator"):
        assert at(name, national(RED)) not in found
    assert found[at("kpi_samples", national(RED))] == 1
    assert found[at("kpi_no_data", national(RED), reason="too_few")] == 1
    assert found[at("kpi_status", national(RED), status="no_data")] == 1
    assert all(value == value for value in found.values())  # noqa: PLR0124  (NaN differs)


def test_a_status_is_a_state_set(rig: Rig) -> None:
    """Exactly one status of a series is 1."""
    found = rig.scrape()
    for key in (national(ADVANCE), national(RELEASE), national(RED)):
        assert sum(found[at("kpi_status", key, status=each)] for each in STATUSES) == 1
    assert found[at("kpi_status", national(ADVANCE), status="at_risk")] == 1


def test_a_series_that_is_gone_disappears(rig: Rig) -> None:
    """At the next scrape, with everything that was said about it."""
    assert at("kpi_value_ratio", office(ADVANCE, "118")) in rig.scrape()
    del rig.totals.values[office(ADVANCE, "118")]
    rig.evaluate()
    assert not [
        place
        for place in rig.scrape()
        if ("member", "118") in place[1] and ("kpi", ADVANCE) in place[1]
    ]


def test_a_suspended_scorecard_says_nothing_about_kpis(rig: Rig) -> None:
    """Rows that were counted by other definitions are no readings."""
    rig.metrics.matches(matches=False)
    rig.metrics.suspended()
    found = rig.scrape()
    assert at("kpi_value_ratio", national(ADVANCE)) not in found
    assert found[at("strategy_matches_rows")] == 0
    assert found[at("kpi_minimum_samples", kpi=ADVANCE)] == 2


def test_objectives_and_initiatives_are_exported(rig: Rig) -> None:
    """Roll-up, worst status, and what calendar and purse say."""
    found = rig.scrape()
    assert found[at("objective_attainment_ratio", objective="faster")] == pytest.approx(0.984375)
    assert found[at("objective_status", objective="faster", status="at_risk")] == 1
    assert at("objective_attainment_ratio", objective="sharper") not in found
    assert found[at("objective_kpi_weight_ratio", objective="faster", kpi=RELEASE)] == 0.75
    assert found[at("objective_cause_info", cause="sharper", effect="faster")] == 1
    assert found[at("initiative_spent_ratio", initiative="scanners")] == 0.25
    assert found[at("initiative_progress_ratio", initiative="scanners")] == 0.4
    assert found[at("initiative_overdue_actions", initiative="scanners")] == 1
    assert found[at("kpi_benchmark_ratio", kpi=ADVANCE, benchmark="sg", who="Singapore")] == 0.9


def test_texts_are_in_info_families(rig: Rig) -> None:
    """Names, owner and perspective are labels of constants, to be joined."""
    infos = {
        name: dict(labels)
        for name, labels in rig.scrape()
        if name == "kpi_stream_kpi_info" and dict(labels)["kpi"] == RELEASE
    }
    info = infos["kpi_stream_kpi_info"]
    assert info["objective"] == "faster"
    assert info["perspective"] == "users"
    assert info["owner"] == "Chief"
    assert (info["unit"], info["direction"], info["measure"]) == ("seconds", "down", "duration")


def test_freshness_is_exported(rig: Rig) -> None:
    """Ten seconds old and caught up, with two events of partition 3 to come."""
    found = rig.scrape()
    assert found[at("scorecard_data_age_seconds")] == 10
    assert found[at("scorecard_caught_up")] == 1
    assert found[at("scorecard_as_of_timestamp_seconds")] == NOON_MS / 1000
    assert found[at("scorecard_lag_events", partition="3")] == 2
    assert found[at("scorecard_watermark_timestamp_seconds", partition="3")] == NOON_MS / 1000 - 10
    assert found[at("scorecard_evaluation_duration_seconds_count")] == 1
    assert found[at("scorecard_evaluation_duration_seconds_bucket", le="0.025")] == 1
    assert found[at("scorecard_evaluation_duration_seconds_bucket", le="0.01")] == 0
    assert found[at("scorecard_quality_subjects", problem="conflicting", kpi="")] == 1


def test_transitions_reloads_and_records_are_counted(rig: Rig) -> None:
    """A change of status, a refused reload, and what was written."""
    rig.totals.values[national(ADVANCE)] = 0.1
    rig.evaluate()
    rig.metrics.reload_refused()
    rig.metrics.published({"kpi.readings": 5})
    rig.metrics.publish_failed()
    found = rig.scrape()
    assert found[at("scorecard_transitions_total", status="off_track")] == 1
    assert found[at("scorecard_transitions_total", status="on_track")] == 0
    assert found[at("strategy_last_reload_successful")] == 0
    assert found[at("strategy_last_reload_success_timestamp_seconds")] == NOON_MS / 1000
    assert found[at("scorecard_published_records_total", topic="kpi.readings")] == 5
    assert found[at("scorecard_publish_failures_total")] == 1


def test_a_kpi_that_is_not_measured_is_shown_so() -> None:
    """A reason, and neither value nor samples."""
    rig = Rig()
    key = national(PLANNED)
    measured = rig.totals.readings

    def readings(as_of_ms: int) -> dict[SeriesKey, Reading]:
        nothing = Reading(key, None, 0, 0, 0, NoData.NOT_MEASURED)
        return {**measured(as_of_ms), key: nothing}

    rig.totals.readings = readings  # type: ignore[method-assign]
    rig.evaluate()
    found = rig.scrape()
    assert found[at("kpi_no_data", key, reason="not_measured")] == 1
    assert at("kpi_samples", key) not in found


def test_before_the_first_evaluation_there_are_no_readings() -> None:
    """The strategy and the build are there already."""
    found = Rig().scrape()
    assert at("scorecard_as_of_timestamp_seconds") not in found
    assert found[at("strategy_last_reload_successful")] == 1
    assert [name for name, _ in found if name == "kpi_stream_build_info"]


def test_the_worklists_are_counted_by_office(rig: Rig) -> None:
    """Two numbers a list and office, also where nothing waits; none while nothing is judged."""
    lengths = {("release", "118"): Worksheet((), 7, 2), ("release", "235"): Worksheet((), 0, 0)}
    rig.metrics.waiting(lengths)
    found = rig.scrape()
    assert {
        (office, urgency): found[
            at("scorecard_worklist_subjects", worklist="release", office=office, urgency=urgency)
        ]
        for office in ("118", "235")
        for urgency in ("late", "close")
    } == {("118", "late"): 7, ("118", "close"): 2, ("235", "late"): 0, ("235", "close"): 0}
    rig.metrics.suspended()
    assert not [name for name, _ in rig.scrape() if name.endswith("worklist_subjects")]


def test_every_exported_family_is_in_the_conventions(rig: Rig) -> None:
    """No name is made elsewhere."""
    rig.metrics.waiting({("release", "118"): Worksheet((), 7, 2)})
    body, _ = rig.metrics.render("")
    names = {family.name for family in plain(body.decode())}
    mine = {name for name in names if name.startswith("kpi_stream_")}
    known = conventions.all_names() | {
        name.removesuffix("_total") for name in conventions.all_names()
    }
    assert len(mine) > 40
    assert mine <= known


def test_every_unit_has_a_name_that_promtool_accepts() -> None:
    """Also those that no KPI of the rig has: a plain count is no `_count`."""
    gauges = Gauges()
    for unit in Unit:
        gauges.set_unit(conventions.KPI_VALUE, unit, 1.0, *national(ADVANCE))
        gauges.set_unit(conventions.KPI_FORECAST, unit, 1.0, *national(ADVANCE))
    registry = CollectorRegistry(auto_describe=False)
    registry.register(gauges)
    body = generate_latest(registry)
    assert body.count(b"# TYPE") == 2 * len(Unit)
    assert check_metrics(body) == (0, b"")


def test_openmetrics_is_served_to_those_who_ask(rig: Rig) -> None:
    """The strict parser of the newer format accepts it."""
    body, content_type = rig.metrics.render("application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    assert any(family.name == "kpi_stream_kpi_status" for family in openmetrics(body.decode()))


def test_many_scrapers_cost_one_page(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was said is written once a form until something else is said; counters go on."""
    written: list[Evaluation] = []

    def counted(gauges: Gauges, evaluation: Evaluation) -> None:
        written.append(evaluation)
        add_evaluation(gauges, evaluation)

    monkeypatch.setattr("kpi_stream.adapters.prometheus.scorecard.add_evaluation", counted)
    first = rig.scrape()
    rig.metrics.published({"kpi.readings": 3})
    again = rig.scrape()
    at_records = at("scorecard_published_records_total", topic="kpi.readings")
    assert (first.get(at_records), again[at_records]) == (None, 3)
    rig.metrics.render("application/openmetrics-text; version=1.0.0")
    assert len(written) == 2

    rig.evaluate()
    rig.scrape()
    rig.scrape()
    assert len(written) == 3
    rig.metrics.suspended()
    assert at("kpi_no_data", national(RED), reason="too_few") in again
    assert not [name for name, _ in rig.scrape() if name == "kpi_stream_kpi_no_data"]


@pytest.mark.parametrize("accept", ["", "application/openmetrics-text; version=1.0.0"])
def test_some_are_rendered_by_name(rig: Rig, accept: str) -> None:
    """The samples of these names as on the whole page, from the library's registry or not."""
    names = frozenset({"kpi_stream_kpi_status", "process_open_fds", "kpi_stream_no_such"})
    whole, some = (rig.metrics.render(accept, each)[0].decode() for each in (frozenset(), names))
    kept = [line for line in whole.splitlines() if set(re.split(r"[ {]", line)) & names]
    assert sorted(some.splitlines()) == sorted([*kept, "# EOF"] if accept else kept)
    assert {"kpi_stream_kpi_status", "process_open_fds"} == {
        re.split(r"[ {]", line)[0] for line in kept if not line.startswith("#")
    }
    rig.evaluate()
    assert rig.metrics.render(accept, names)[0].decode().count("# HELP") == 2


def test_what_was_said_while_a_page_was_written_is_on_the_next(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that is older than what it was said to be is not kept."""
    later = rig._clock.advance([PartitionProgress(3, 9, NOON_MS, 12, 0)], NOON_MS + 60_000)
    monkeypatch.setattr(
        "kpi_stream.adapters.prometheus.scorecard.add_evaluation",
        lambda *_: rig.metrics.fresh(later),
    )
    rig.metrics.reload_refused()
    evaluated = at("scorecard_last_evaluation_timestamp_seconds")
    assert rig.scrape()[evaluated] == NOON_MS / 1000
    monkeypatch.undo()
    assert rig.scrape()[evaluated] == NOON_MS / 1000 + 60


@pytest.mark.parametrize(
    "say",
    [
        lambda metrics: metrics.strategy(strategy(target(ADVANCE, 0.8)), NOON_MS + 1_000),
        lambda metrics: metrics.reload_refused(),
        lambda metrics: metrics.matches(matches=False),
        lambda metrics: metrics.waiting({("release", "118"): Worksheet((), 7, 2)}),
        lambda metrics: metrics.suspended(),
    ],
)
def test_whatever_is_said_is_on_the_next_page(
    rig: Rig, say: Callable[[ScorecardMetrics], None]
) -> None:
    """Also where no evaluation comes with it."""
    before = rig.scrape()
    say(rig.metrics)
    changed = dict(rig.scrape().items() ^ before.items())
    assert [name for name, _ in changed if name.startswith("kpi_stream_")]


def test_a_scraper_that_asks_for_ever_other_forms_fills_no_memory(rig: Rig) -> None:
    """Every one of them is answered; a few are kept."""
    for patch in range(50):
        form = f"application/openmetrics-text; version=1.0.{patch}"
        for names in (frozenset[str](), frozenset({f"name_{patch}"})):
            body, _ = rig.metrics.render(form, names)
            assert body.count(b"# EOF") == 1
    assert len(rig.metrics._said) < 10
    assert len(rig.metrics._forms) < 10


def check_metrics(body: bytes) -> tuple[int, bytes]:
    """Return the exit code and the complaints of `promtool check metrics`."""
    promtool = shutil.which("promtool") or missing("promtool", "promtool is not installed")
    command = [promtool, "check", "metrics"]
    checked = subprocess.run(command, input=body, capture_output=True, check=False)
    return checked.returncode, checked.stdout + checked.stderr


def test_promtool_accepts_it(rig: Rig) -> None:
    """Names, types and help texts follow Prometheus's own rules."""
    body, _ = rig.metrics.render("")
    assert check_metrics(body) == (0, b"")


def test_promtool_refuses_what_is_wrong() -> None:
    """The check can fail."""
    assert check_metrics(b"# TYPE kpi_value_count gauge\nkpi_value_count 1\n")[0] != 0
