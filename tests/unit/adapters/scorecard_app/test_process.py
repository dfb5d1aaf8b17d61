"""The scorecard process in one event loop, with everything outside of it faked."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from kpi_stream.adapters.scorecard_app.process import ScorecardProcess
from kpi_stream.application.scorecard import Evaluation, Scorecard
from kpi_stream.domain.errors import Problem, StateError, Unavailable
from kpi_stream.domain.status import Status
from kpi_stream.domain.worklist import OfficeList, Worksheet
from tests.support.scorecard import ADVANCE, NOON_MS, national, strategy, target
from tests.support.scorecard_world import FAST, FakeFeed, World, live, until


def current(process: ScorecardProcess) -> Status | None:
    """Return the status of the one judged series."""
    evaluation = process.evaluation()
    return None if evaluation is None or not evaluation.judged else evaluation.judged[0].status


def advance(process: ScorecardProcess) -> float | None:
    """Return the one reading."""
    evaluation = process.evaluation()
    return None if evaluation is None else evaluation.readings[national(ADVANCE)].value


def test_it_evaluates_publishes_and_ends_in_order() -> None:
    """A change is told once, the last readings are published, and everything is closed."""
    world = World()

    async def visit(process: ScorecardProcess) -> None:
        await until(lambda: current(process) is Status.ON_TRACK)
        world.made[0].values[national(ADVANCE)] = 0.1
        await until(lambda: current(process) is Status.OFF_TRACK)
        await until(lambda: world.told)
        assert process.ready() == (True, "ready")

    live(world, visit)
    assert [(each.before, each.after) for each in world.told] == [
        (Status.ON_TRACK, Status.OFF_TRACK)
    ]
    assert world.published[-1][1] is True
    assert world.published[-1][0].judged[0].status is Status.OFF_TRACK
    assert world.closed == 2  # output and ends
    assert [each.closed for each in world.feeds] == [True]


class NoWorklists:
    """Worklists that nothing is on."""

    def of(self, office: str | None) -> dict[str, list[OfficeList]]:
        """Return none."""
        del office
        return {}

    async def follow(self) -> None:
        """Read nothing, until cancelled."""
        await asyncio.Event().wait()


def test_a_page_is_of_one_evaluation(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is made while the next is worked out says nothing of it, and is not made again."""
    world, said, shown = World(worklists=NoWorklists()), list[float](), list[list[float]]()
    evaluate, as_before = Scorecard.evaluate, list[bool]()
    at = frozenset({"kpi_stream_scorecard_last_evaluation_timestamp_seconds"})

    def page() -> list[float]:
        text = world.metrics.render("", at)[0].decode()
        return [float(line.split()[1]) for line in text.splitlines() if line[0] != "#"]

    def watched(*args: Any, **options: Any) -> Evaluation:
        shown.append(page())
        said.append(args[2].now_ms / 1000)
        return evaluate(*args, **options)

    def listed(*_: object) -> dict[tuple[str, str], Worksheet]:
        as_before.append(page() == shown[-1])
        return {}

    monkeypatch.setattr(Scorecard, "evaluate", watched)
    monkeypatch.setattr("kpi_stream.adapters.scorecard_app.process.sheets", listed)
    monkeypatch.setattr(world, "now_ms", lambda: NOON_MS + 1_000 * len(said))
    live(world, lambda _: until(lambda: len(said) >= 3))
    assert shown[:3] == [[], said[:1], said[1:2]]
    assert set(as_before) == {True}
    assert len(set(said[:3])) == 3


def test_it_publishes_what_is_left_before_it_ends() -> None:
    """A reading that changed a moment ago does not wait for the next interval."""
    world = World()
    slow = replace(FAST, publish_every_s=1_000.0)

    async def visit(process: ScorecardProcess) -> None:
        await until(lambda: world.published)
        world.made[0].values[national(ADVANCE)] = 0.95
        await until(lambda: advance(process) == 0.95)
        assert len(world.published) == 1

    live(world, visit, slow)
    evaluation, every = world.published[-1]
    assert (evaluation.readings[national(ADVANCE)].value, every) == (0.95, True)


def test_it_goes_on_from_what_was_said_before() -> None:
    """A remembered status is neither told again nor judged anew, and its changes stay known."""
    first = World()

    async def judge(process: ScorecardProcess) -> None:
        await until(lambda: current(process) is Status.ON_TRACK)
        first.made[0].values[national(ADVANCE)] = 0.1
        await until(lambda: first.told)

    before = live(first, judge)
    (state,) = dict(before._counting.scorecard.states).values()  # type: ignore[union-attr]
    (said,) = first.told
    assert before.transitions() == (said,)
    remembered = {national(ADVANCE): replace(state, sequence=7)}
    past = replace(said, sequence=7)
    world = World(states=remembered, transitions=(past,))

    async def visit(process: ScorecardProcess) -> None:
        await until(lambda: world.told)
        assert current(process) is Status.ON_TRACK
        assert process.transitions() == (past, *world.told)

    live(world, visit)
    assert [(each.before, each.sequence) for each in world.told] == [(Status.OFF_TRACK, 8)]


def test_an_unreachable_broker_delays_nothing_and_loses_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The output is opened again, and the transition is published then."""
    monkeypatch.setattr("kpi_stream.adapters.scorecard_app.announcer._BACK_OFF_S", (0.01,))
    world = World()

    async def visit(process: ScorecardProcess) -> None:
        await until(lambda: world.published)
        world.publish_errors = [Unavailable("gone"), Unavailable("still gone")]
        world.made[0].values[national(ADVANCE)] = 0.1
        await until(lambda: world.told)
        assert current(process) is Status.OFF_TRACK
        assert b"publish_failures_total 2.0" in process.metrics("")[0]

    live(world, visit)
    assert world.opened == 3
    assert len(world.told) == 1


def test_a_wrong_strategy_is_refused_with_every_problem() -> None:
    """The one before stays; a metric says so until a good one comes."""
    world = World()

    async def visit(process: ScorecardProcess) -> None:
        await until(lambda: current(process))
        world.problems = (Problem("kpis.yaml", "a", "b"), Problem("targets.yaml", "c", "d"))
        assert await process.reload() == ("kpis.yaml: a: b", "targets.yaml: c: d")
        assert b"last_reload_successful 0.0" in process.metrics("")[0]
        assert current(process) is Status.ON_TRACK
        world.problems = ()
        world.strategy = strategy(target(ADVANCE, 0.95))
        assert await process.reload() == ()
        await until(lambda: current(process) is Status.AT_RISK)
        assert b"last_reload_successful 1.0" in process.metrics("")[0]

    live(world, visit)
    assert len(world.feeds) == 1  # the same KPIs: the rows go on
    assert [(each.before, each.after) for each in world.told] == [(Status.ON_TRACK, Status.AT_RISK)]


def test_another_set_of_kpis_reads_the_rows_again_beside_the_old_ones() -> None:
    """The old feed is closed after the new one was loaded; the statuses go on."""
    world = World()

    async def visit(process: ScorecardProcess) -> None:
        await until(lambda: current(process))
        renamed = tuple(replace(kpi, minimum_sample=5) for kpi in world.strategy.kpis)
        world.strategy = replace(world.strategy, kpis=renamed)
        world.load_error = Unavailable("no broker")
        assert await process.reload() == ("no broker",)
        assert [each.closed for each in world.feeds] == [False, True]
        world.load_error = None
        assert await process.reload() == ()
        assert [each.closed for each in world.feeds] == [True, True, False]
        assert world.made[-1].rows == {(0, b"row"): b"{}"}
        evaluation = process.evaluation()
        await until(lambda: process.evaluation() is not evaluation)

    live(world, visit)
    assert world.told == []
    assert all(each.closed for each in world.feeds)


def test_a_strategy_that_the_worker_does_not_count_by_is_refused() -> None:
    """Other definitions in the files than in the rows: the reason names both."""
    world = World()

    async def visit(process: ScorecardProcess) -> None:
        await until(lambda: current(process))
        world.strategy = replace(world.strategy, kpis=world.strategy.kpis[:2])
        (problem,) = await process.reload()
        assert "definitions of 4, this strategy gives definitions of 2" in problem

    live(world, visit)


def test_rows_of_other_definitions_suspend_the_readings() -> None:
    """Nothing is evaluated until they fit again; the page says why."""
    world = World(counted_by="others")

    async def visit(process: ScorecardProcess) -> None:
        await until(lambda: b"strategy_matches_rows 0.0" in process.metrics("")[0])
        ready, why = process.ready()
        assert not ready
        assert "(others) than the strategy's (definitions of 4)" in why
        assert process.evaluation() is None
        world.counted_by = "definitions of 4"
        await until(lambda: current(process))
        world.counted_by = "others"
        await until(lambda: process.evaluation() is None)

    live(world, visit)


def test_rows_of_other_dimensions_suspend_the_readings() -> None:
    """Even where the position record has not come that would say so."""
    world = World(counted_by=None, misfit="kpi.rows[0] at 7: another row")

    async def visit(process: ScorecardProcess) -> None:
        await until(lambda: b"strategy_matches_rows 0.0" in process.metrics("")[0])
        ready, why = process.ready()
        assert not ready
        assert "(kpi.rows[0] at 7: another row)" in why
        assert process.evaluation() is None

    live(world, visit)


def test_another_set_of_kpis_is_refused_where_the_rows_do_not_fit() -> None:
    """What is read again must fit as well."""
    world = World(counted_by=None)

    async def visit(process: ScorecardProcess) -> None:
        await until(lambda: current(process))
        world.strategy = replace(world.strategy, kpis=world.strategy.kpis[:2])
        world.misfit = "kpi.rows[0] at 7: another row"
        assert await process.reload() == ("kpi.rows[0] at 7: another row",)

    live(world, visit)


def test_an_empty_feed_is_ready_and_says_nothing() -> None:
    """Before the first event there is no `as_of`, so no reading and no status."""
    world = World(watermark_ms=None)

    async def visit(process: ScorecardProcess) -> None:
        await until(lambda: process.ready()[0])
        await until(lambda: b"scorecard_caught_up 1.0" in process.metrics("")[0])
        assert process.ready() == (True, "ready; there is nothing to evaluate yet")
        assert process.evaluation() is None
        world.watermark_ms = NOON_MS - 1_000
        await until(lambda: current(process))

    live(world, visit)


def test_what_is_counted_is_shown_before_the_next_judgement() -> None:
    """As often as rows come; a status, which must hold for judgements, is what it was."""
    world = World()
    slow = replace(FAST, evaluate_every_s=1_000.0)

    async def visit(process: ScorecardProcess) -> None:
        await until(lambda: current(process) is Status.ON_TRACK)
        for value in (0.1, 0.2, 0.3, 0.4):
            world.made[0].values[national(ADVANCE)] = value
            world.counted = 1
            await until(lambda value=value: advance(process) == value)
            assert f" {value}\n".encode() in process.metrics("")[0]
            assert current(process) is Status.ON_TRACK

    live(world, visit, slow)
    assert not world.told


def test_what_is_read_of_the_past_waits_for_the_judgement() -> None:
    """A worker that is behind, or rows that are, would have every figure shown that is over."""
    world = World(end=12, watermark_ms=NOON_MS - 3_600_000)
    slow = replace(FAST, evaluate_every_s=1_000.0)

    async def visit(process: ScorecardProcess) -> None:
        await until(lambda: current(process) is Status.ON_TRACK)
        world.made[0].values[national(ADVANCE)] = 0.1
        world.counted = 1
        until_polls = world.polls + 100
        await until(lambda: world.polls > until_polls)
        assert not world.counted
        assert advance(process) == 0.9

    live(world, visit, slow)


def test_a_stuck_evaluation_is_unhealthy() -> None:
    """Thirty evaluations without a tick."""
    world = World()
    slow = replace(FAST, evaluate_every_s=1_000.0)

    async def visit(process: ScorecardProcess) -> None:
        await until(lambda: current(process))
        assert process.healthy() == (True, "healthy")
        world.second = 30_001.0
        assert process.healthy() == (False, "no evaluation for 30001 s")
        assert process.stalled(30_001.0) is None
        assert process.stalled(30_000.0) == "no evaluation for 30001 s"

    live(world, visit, slow)


def test_a_silent_kafka_makes_it_not_ready_and_no_more() -> None:
    """It evaluates what it knows, says how old that is, and is ready again with the answer."""
    world = World()

    async def visit(process: ScorecardProcess) -> None:
        await until(lambda: current(process))
        world.silent = True
        world.second = 121.0
        await until(lambda: not process.ready()[0])
        said = "Kafka has not answered for 121 s; what is shown is as old"
        assert process.ready() == (False, said)
        await until(lambda: process.healthy()[0])
        assert process.stalled(60.0) is None
        world.silent = False
        await until(lambda: process.ready()[0])

    live(world, visit)


@pytest.mark.parametrize("place", ["load_error", "poll_error"])
def test_an_error_ends_it_and_closes_everything(place: str) -> None:
    """It is raised, not logged and forgotten."""
    world = World()
    setattr(world, place, StateError("the rows were started anew"))

    async def visit(_: ScorecardProcess) -> None:
        await asyncio.Event().wait()

    with pytest.raises(StateError, match="started anew"):
        live(world, visit)
    assert world.closed == 2
    assert all(each.closed for each in world.feeds)


def test_it_can_be_stopped_while_it_reads_the_rows() -> None:
    """A restart must not wait for an hour of rows."""
    world = World()
    reading = asyncio.Event()

    async def never(_: FakeFeed) -> int:
        reading.set()
        await asyncio.Event().wait()
        return 0

    async def visit(process: ScorecardProcess) -> None:
        await reading.wait()
        assert process.ready() == (False, "the rows are being read")
        assert await process.reload() == ("the rows are being read; try again",)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FakeFeed, "load", never)
        live(world, visit)
    assert world.published == []
    assert all(each.closed for each in world.feeds)
