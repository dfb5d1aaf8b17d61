"""The scorecard process with annotations: real sockets, and a Grafana that hangs."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kpi_stream.adapters.grafana.annotations import GrafanaAnnotator
from kpi_stream.adapters.scorecard_app.process import ScorecardProcess
from kpi_stream.bootstrap.grafana import annotator
from kpi_stream.bootstrap.scorecard import _annotator
from kpi_stream.domain.errors import InputError, Unavailable
from kpi_stream.domain.hysteresis import StatusState
from kpi_stream.domain.readings import SeriesKey
from kpi_stream.domain.status import Status
from kpi_stream.settings import Settings
from tests.support.grafana_stub import TOKEN, GrafanaStub, hang
from tests.support.scorecard import ADVANCE, NOON_MS, national, strategy, target
from tests.support.scorecard_world import World, live, until

UID = "test-kpi-advance-share"


@pytest.fixture
def grafana() -> Iterator[GrafanaStub]:
    """A Grafana with the dashboards of the strategy."""
    with GrafanaStub() as stub:
        stub.dashboards = {uid: {"meta": {}, "dashboard": {}} for uid in (UID, "test-map")}
        yield stub


@pytest.fixture
def world(grafana: GrafanaStub, settings: Settings) -> World:
    """Everything around a scorecard that is wired to it as the settings say."""
    return wired(World(), grafana, settings)


@pytest.fixture
def settings(grafana: GrafanaStub, tmp_path: Path) -> Settings:
    """Grafana's address and token; so patient that nothing in these tests ever times out."""
    token = tmp_path / "token"
    token.write_text(TOKEN)
    return Settings(grafana_url=grafana.url, grafana_token_file=token, grafana_timeout_s=1_000)


def wired(made: World, grafana: GrafanaStub, settings: Settings) -> World:
    """Connect a world with Grafana."""
    assert grafana.url == settings.grafana_url
    made.annotator = annotator(settings, made.metrics)
    return made


def status(process: ScorecardProcess) -> Status | None:
    """Return the status of the one judged series."""
    evaluation = process.evaluation()
    return None if evaluation is None or not evaluation.judged else evaluation.judged[0].status


def falls(world: World) -> Callable[[ScorecardProcess], object]:
    """Return a visit during which the KPI goes off track, which is published."""

    async def visit(process: ScorecardProcess) -> None:
        await until(lambda: status(process) is Status.ON_TRACK)
        world.made[-1].values[national(ADVANCE)] = 0.1
        await until(lambda: world.told)

    return visit


def counted(world: World) -> dict[str, float]:
    """Return what was counted of annotations, as a scraper reads it."""
    text = world.metrics.render("")[0].decode()
    name = "kpi_stream_scorecard_grafana_annotations_total"
    return {
        outcome: float(line.rpartition(" ")[2])
        for line in text.splitlines()
        for outcome in ("sent", "failed", "dropped")
        if line.startswith(f'{name}{{outcome="{outcome}"}}')
    }


def test_a_change_is_marked_on_the_dashboard_of_its_kpi(grafana: GrafanaStub, world: World) -> None:
    """Told at the end at the latest, with what it rested on, and counted."""
    live(world, falls(world))  # type: ignore[arg-type]
    (made,) = grafana.annotations
    assert (made["dashboardUID"], made["panelId"], made["time"]) == (UID, 1, NOON_MS)
    assert made["text"] == "■ Off track: 0.10, should be 0.80 (n 100) · 24h"
    assert counted(world) == {"sent": 1, "failed": 0, "dropped": 0}


def test_a_hanging_grafana_delays_nothing(grafana: GrafanaStub, world: World) -> None:
    """While it hangs, for the whole of this test, evaluations and publications go on and on."""
    grafana.always = hang
    seen: list[object] = []

    async def visit(process: ScorecardProcess) -> None:
        await falls(world)(process)  # type: ignore[misc]
        await until(grafana.hanging.is_set)
        for _ in range(20):
            before = process.evaluation()
            await until(lambda before=before: process.evaluation() is not before)
            seen.append(process.evaluation())
        published = len(world.published)
        world.made[-1].values[national(ADVANCE)] = 0.9
        await until(lambda: status(process) is Status.ON_TRACK)
        await until(lambda: len(world.told) == 2 and len(world.published) > published)
        # It waits for Grafana a moment after it was published.
        await until(lambda: b"grafana_annotations_waiting 2.0" in process.metrics("")[0])
        assert process.healthy() == (True, "healthy")

    live(world, visit)
    assert len(seen) == 20
    assert not grafana.let_go.is_set()  # it hangs still, and the process has ended
    assert grafana.annotations == []
    assert counted(world) == {"sent": 0, "failed": 0, "dropped": 2}
    assert world.closed == 2  # and everything else ended in order


def test_a_restart_marks_nothing_again(
    grafana: GrafanaStub, world: World, settings: Settings
) -> None:
    """What was published was told; the next process remembers the status and is silent."""
    states = dict(states_of(live(world, falls(world))))  # type: ignore[arg-type]
    assert len(grafana.annotations) == 1
    again = wired(World(states=states), grafana, settings)
    again.totals.values[national(ADVANCE)] = 0.1

    async def visit(process: ScorecardProcess) -> None:
        await until(lambda: status(process) is Status.OFF_TRACK and again.published)

    live(again, visit)
    assert again.told == []
    assert len(grafana.annotations) == 1
    assert len(grafana.posts()) == 1


def states_of(process: ScorecardProcess) -> dict[SeriesKey, StatusState]:
    """Return what the next process remembers."""
    assert process._counting is not None
    return process._counting.scorecard.states


def test_what_is_published_late_is_marked_once(
    grafana: GrafanaStub, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is marked that a restart would publish again: first the broker, then Grafana."""
    monkeypatch.setattr("kpi_stream.adapters.scorecard_app.announcer._BACK_OFF_S", (0.01,))

    async def visit(process: ScorecardProcess) -> None:
        await until(lambda: status(process) is Status.ON_TRACK)
        world.publish_errors = [Unavailable("gone") for _ in range(3)]
        world.made[-1].values[national(ADVANCE)] = 0.1
        await until(lambda: len(world.publish_errors) == 1)
        assert grafana.posts() == []
        await until(lambda: world.told)

    live(world, visit)
    assert len(grafana.annotations) == 1


def test_a_revised_target_is_marked(grafana: GrafanaStub, world: World) -> None:
    """On its KPI's dashboard and on the map; reading the same again marks nothing."""

    async def visit(process: ScorecardProcess) -> None:
        await until(lambda: status(process))
        assert await process.reload() == ()
        assert grafana.posts() == []
        world.strategy = strategy(target(ADVANCE, 0.85, version=2))
        assert await process.reload() == ()

    live(world, visit)
    revised, whole = grafana.annotations
    assert (revised["dashboardUID"], whole["dashboardUID"]) == (UID, "test-map")
    assert revised["text"].startswith("▶ Target revised: 0.85 by ")
    assert "(before 0.80 by " in revised["text"]


def test_a_refused_strategy_is_not_marked(grafana: GrafanaStub, world: World) -> None:
    """The one before stays in force, so nothing has changed."""

    async def visit(process: ScorecardProcess) -> None:
        await until(lambda: status(process))
        world.load_error = Unavailable("no broker")
        renamed = tuple(replace(kpi, minimum_sample=5) for kpi in world.strategy.kpis)
        world.strategy = replace(world.strategy, kpis=renamed)
        assert await process.reload() == ("no broker",)

    live(world, visit)
    assert grafana.annotations == []


def test_the_settings_decide(settings: Settings, world: World) -> None:
    """Without an address nobody is told; with one, what is missing is said at the start."""
    assert _annotator(settings.model_copy(update={"grafana_url": ""}), world.metrics) is None
    assert isinstance(_annotator(settings, world.metrics), GrafanaAnnotator)
    with pytest.raises(InputError, match="KPI_STREAM_GRAFANA_TOKEN_FILE is not set"):
        _annotator(settings.model_copy(update={"grafana_token_file": None}), world.metrics)
