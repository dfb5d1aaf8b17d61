"""Evaluations of a small strategy on readings that are written down."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from kpi_stream.application.as_of import AsOfClock, Freshness, PartitionProgress
from kpi_stream.application.scorecard import Evaluation, Scorecard, judged_initiative
from kpi_stream.domain.hysteresis import Damping
from kpi_stream.domain.readings import NoData, SeriesKey
from kpi_stream.domain.status import Status
from kpi_stream.domain.strategy import OTHER, UNKNOWN, Target
from tests.support.scorecard import (
    ADVANCE,
    DAY_MS,
    NOON,
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

GOALS = (target(ADVANCE, 0.8), target(RELEASE, 100.0), target(RED, 0.12, low=0.04))
EACH_OFFICE = target(ADVANCE, 0.8, id="each", dimension="office", members=("*",))


def statuses(evaluation: Evaluation) -> dict[SeriesKey, Status]:
    """Return the status of every judged series."""
    return {each.key: each.status for each in evaluation.judged}


def card(values: dict[SeriesKey, float | None], *targets: Target, hold: int = 1) -> Scorecard:
    """Return a scorecard over written readings, by default without holding."""
    return Scorecard(strategy(*targets), FakeTotals(values), damping=Damping(hold, 0.0))


def test_each_target_is_judged_and_no_data_is_a_status() -> None:
    """A value, a miss, and a KPI without enough samples."""
    evaluation = card(
        {national(ADVANCE): 0.75, national(RELEASE): 90.0, national(RED): None}, *GOALS
    ).evaluate(NOON_MS)
    assert statuses(evaluation) == {
        national(ADVANCE): Status.AT_RISK,
        national(RELEASE): Status.ON_TRACK,
        national(RED): Status.NO_DATA,
    }
    advance, _, red = evaluation.judged
    assert advance.expected == 0.8
    assert advance.attainment == pytest.approx(0.9375)
    assert (red.expected, red.attainment, red.credit, red.progress) == (None, None, None, None)
    assert red.reading.no_data is NoData.TOO_FEW
    assert evaluation.transitions == ()


def test_a_star_judges_each_declared_member_that_has_data() -> None:
    """Neither the surplus nor the unknown is a member, nor one that never had data."""
    values = {office(ADVANCE, each): 0.9 for each in ("118", OTHER, UNKNOWN)}
    evaluation = card(values, EACH_OFFICE).evaluate(NOON_MS)
    assert statuses(evaluation) == {office(ADVANCE, "118"): Status.ON_TRACK}


def test_a_star_over_a_capped_dimension_judges_all_but_the_surplus() -> None:
    """Nothing declares its members, so each of them is one."""
    (offices,) = strategy().dimensions
    capped = strategy(EACH_OFFICE, dimensions=(replace(offices, members=(), cap=5),))
    totals = FakeTotals({office(ADVANCE, each): 0.9 for each in ("999", OTHER, UNKNOWN)})
    assert statuses(Scorecard(capped, totals).evaluate(NOON_MS)) == {
        office(ADVANCE, "999"): Status.ON_TRACK
    }


def test_a_member_whose_data_ended_has_no_data_and_does_not_vanish() -> None:
    """Its window has emptied; the status says so, after the holding."""
    of = card({office(ADVANCE, "118"): 0.9}, EACH_OFFICE)
    of.evaluate(NOON_MS)
    of.totals.values.clear()  # type: ignore[attr-defined]
    evaluation = of.evaluate(NOON_MS + 1)
    assert statuses(evaluation) == {office(ADVANCE, "118"): Status.NO_DATA}
    assert [(t.before, t.after) for t in evaluation.transitions] == [
        (Status.ON_TRACK, Status.NO_DATA)
    ]


def test_a_named_member_goes_before_a_star() -> None:
    """An office with a target of its own is judged by that one only."""
    own = target(ADVANCE, 0.5, id="own", dimension="office", members=("118",))
    values: dict[SeriesKey, float | None] = {office(ADVANCE, m): 0.6 for m in ("118", "235")}
    evaluation = card(values, EACH_OFFICE, own).evaluate(NOON_MS)
    assert statuses(evaluation) == {
        office(ADVANCE, "118"): Status.ON_TRACK,
        office(ADVANCE, "235"): Status.OFF_TRACK,
    }


def test_the_nearest_deadline_that_is_not_over_judges() -> None:
    """This year's target until it ends, then next year's, and the last one for ever."""
    this_year = target(ADVANCE, 0.5, id="y1", deadline=NOON + timedelta(days=1))
    next_year = target(ADVANCE, 0.9, id="y2", deadline=NOON + timedelta(days=366))
    of = card({national(ADVANCE): 0.6}, next_year, this_year)
    by = []
    for days in (0, 1, 900):
        (judged,) = of.evaluate(NOON_MS + days * DAY_MS).judged
        by.append((judged.target.id, judged.status))
    assert by == [
        ("y1", Status.ON_TRACK),
        ("y2", Status.OFF_TRACK),
        ("y2", Status.OFF_TRACK),
    ]


def test_a_transition_carries_what_it_rested_on() -> None:
    """Value, expectation, goal, samples and target at the evaluation that completed it."""
    of = card({national(ADVANCE): 0.9}, target(ADVANCE, 0.8, version=3), hold=2)
    of.evaluate(NOON_MS)
    of.totals.values[national(ADVANCE)] = 0.6  # type: ignore[attr-defined]
    assert of.evaluate(NOON_MS + 1).transitions == ()
    (told,) = of.evaluate(NOON_MS + 2).transitions
    assert (told.before, told.after, told.sequence) == (Status.ON_TRACK, Status.OFF_TRACK, 1)
    assert (told.as_of_ms, told.value, told.expected, told.goal) == (NOON_MS + 2, 0.6, 0.8, 0.8)
    assert (told.samples, told.target, told.version) == (100, "advance-share-goal", 3)


def fresh(age_ms: int, *, lag: int = 0) -> Freshness:
    """Return the freshness at noon of a feed whose newest event is so old."""
    progress = PartitionProgress(0, 9, NOON_MS - age_ms, 10 + lag, 0)
    return AsOfClock().advance([progress], NOON_MS)


def test_a_silent_feed_gives_no_data_once_it_is_caught_up() -> None:
    """Older than the limit and caught up is stale; a backfill is not, however old."""
    of = Scorecard(
        strategy(*GOALS),
        FakeTotals({national(ADVANCE): 0.9, national(RED): None}),
        damping=Damping(1),
        stale_after_ms=60_000,
    )
    assert not of.evaluate(NOON_MS, fresh(60_000)).stale
    assert not of.evaluate(NOON_MS, fresh(400 * DAY_MS, lag=50)).stale
    evaluation = of.evaluate(NOON_MS, fresh(60_001))
    assert evaluation.stale
    reading = evaluation.readings[national(ADVANCE)]
    assert (reading.value, reading.no_data, reading.samples) == (None, NoData.STALE, 100)
    assert evaluation.readings[national(RED)].no_data is NoData.TOO_FEW
    assert statuses(evaluation)[national(ADVANCE)] is Status.NO_DATA


def test_an_objective_is_the_weighted_mean_and_the_worst_status() -> None:
    """Doing better than asked in one KPI does not make up for a miss in another."""
    evaluation = card(
        {national(RELEASE): 50.0, national(ADVANCE): 0.4, national(RED): None}, *GOALS
    ).evaluate(NOON_MS)
    faster, sharper = evaluation.objectives
    assert faster.attainment == pytest.approx(0.75 * 1.0 + 0.25 * 0.5)
    assert (faster.status, faster.worst) == (Status.OFF_TRACK, national(ADVANCE))
    assert (sharper.attainment, sharper.status, sharper.worst) == (None, Status.NO_DATA, None)


def test_members_enter_an_objective_only_without_a_national_target() -> None:
    """An office's miss is not counted beside the national reading that contains it."""
    values = {national(ADVANCE): 0.9, office(ADVANCE, "118"): 0.1}
    both = card(values, GOALS[0], EACH_OFFICE).evaluate(NOON_MS)
    assert both.objectives[0].status is Status.ON_TRACK
    members = card(values, EACH_OFFICE).evaluate(NOON_MS)
    assert members.objectives[0].status is Status.OFF_TRACK


def test_an_initiative_is_held_against_calendar_and_budget() -> None:
    """A quarter spent, 165 of 365 days over, and the action of June 1 overdue on June 15."""
    (judged,) = card({}).evaluate(NOON_MS).initiatives
    assert judged.elapsed == pytest.approx(165 / 365)
    assert judged.spent == 0.25
    assert [action.responsible for action in judged.overdue] == ["Ana"]


def test_an_action_is_overdue_after_its_day_and_until_it_is_done() -> None:
    """Due today is not overdue; done tomorrow still is."""
    (initiative,) = strategy().initiatives
    action = initiative.actions[0]

    def overdue(today: date, done: date | None = None) -> int:
        one = replace(initiative, actions=(replace(action, done=done),), budget_cents=0)
        judged = judged_initiative(one, today)
        assert judged.spent is None
        return len(judged.overdue)

    assert overdue(action.due) == 0
    assert overdue(action.due + timedelta(days=1)) == 1
    assert overdue(action.due + timedelta(days=5), done=action.due + timedelta(days=6)) == 1
    assert overdue(action.due + timedelta(days=6), done=action.due + timedelta(days=6)) == 0


def test_statuses_go_on_under_another_strategy() -> None:
    """An unchanged target keeps its holding, a changed one is judged at once, a gone one ends."""
    values = {national(ADVANCE): 0.9, national(RELEASE): 90.0}
    before = card(values, *GOALS[:2], hold=3)
    before.evaluate(NOON_MS)
    totals = FakeTotals({national(ADVANCE): 0.1, national(RELEASE): 90.0})
    after = before.with_strategy(strategy(GOALS[0], target(RELEASE, 50.0)), totals)
    evaluation = after.evaluate(NOON_MS + 1)
    assert statuses(evaluation) == {
        national(ADVANCE): Status.ON_TRACK,  # one of three
        national(RELEASE): Status.OFF_TRACK,
    }
    assert [(t.key.kpi, t.sequence) for t in evaluation.transitions] == [(RELEASE, 1)]
    renamed = strategy(replace(GOALS[0], source="another report", owner="Somebody"))
    again = after.with_strategy(renamed, totals)
    assert set(again.states) == {national(ADVANCE)}
    assert again.states[national(ADVANCE)].held == 1
    again.evaluate(NOON_MS + 2)
    (told,) = again.evaluate(NOON_MS + 3).transitions
    assert told.after is Status.OFF_TRACK


def test_histories_are_asked_for_once_a_pane_and_by_and_by() -> None:
    """Two at each evaluation, the longest waiting first; none again within 15 minutes."""
    totals = FakeTotals(dict.fromkeys((national(ADVANCE), national(RED)), 0.9))
    totals.points = [(NOON_MS - (9 - at) * DAY_MS, 0.9) for at in range(10)]
    of = Scorecard(strategy(*GOALS), totals, forecast_budget=2)
    found = [
        [each.forecast is not None for each in of.evaluate(NOON_MS + at).judged] for at in range(3)
    ]
    assert found == [[True, True, False], [True, True, True], [True, True, True]]
    assert len(totals.asked) == 3
    of.evaluate(NOON_MS + 15 * 60_000)
    assert [key.kpi for key, _ in totals.asked[3:]] == [ADVANCE, RELEASE]


def test_a_kpi_that_is_not_measured_is_a_reading_without_a_target() -> None:
    """It is shown with the readings and judged by nothing."""
    evaluation = card({national(PLANNED): None}, *GOALS).evaluate(NOON_MS)
    assert national(PLANNED) in evaluation.readings
    assert national(PLANNED) not in statuses(evaluation)
