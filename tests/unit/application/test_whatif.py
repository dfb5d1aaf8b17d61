"""Two strategies over one history: what is compared, and how often it would have been told."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from kpi_stream.application.replay import Replay
from kpi_stream.application.whatif import (
    Course,
    Point,
    apart,
    courses,
    cut_down,
    differing,
    everything,
    paired,
    side_by_side,
)
from kpi_stream.domain.events import Event
from kpi_stream.domain.readings import SeriesKey
from kpi_stream.domain.status import Status
from kpi_stream.domain.strategy import Calendar, Condition, Share, Strategy, Target
from tests.laws.brute import Raw
from tests.laws.rig import CODEC
from tests.laws.strategies import DAY, HOUR, MINUTE, event, strategy
from tests.support.scorecard import target

NOON = 1_711_861_200_000 + 12 * HOUR  # 2024-03-31T12:00 in Lima
START, END = datetime(2023, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)
KEY = SeriesKey("anticipated", "7d", "national", "")


def goal(value: float, **more: Any) -> Target:
    """Return a constant target of the share of anticipated declarations."""
    made = target("anticipated", value, window="7d", baseline_at=START, deadline=END)
    return replace(made, **more)


def with_targets(*targets: Target) -> Strategy:
    """Return the strategy with these targets alone."""
    return replace(strategy(), targets=targets)


def opened(number: int, recorded_ms: int, mode: str, office: str = "118") -> Event:
    """Return the opening of a declaration a minute before its recording."""
    values = (office, "10", "sea", mode, True, True, 0, 0)
    fact = Raw("declaration.numbered", f"s{number}", "e", recorded_ms, recorded_ms - MINUTE, values)
    return event(fact)


def history() -> list[Event]:
    """Return eight days, on which ever fewer declarations of ten are anticipated."""
    return [
        opened(day * 10 + number, NOON + day * DAY + number, "x"[: number < day] or "anticipated")
        for day in range(8)
        for number in range(10)
    ]


def compared(today: Strategy, other: Strategy, instants: Sequence[int]):
    """Return the comparison of what differs."""
    parts = cut_down(today, other, differing(today, other))
    together = side_by_side(*parts)
    runs = apart(*parts) if together is None else (together,)
    found = [courses(each, Replay(each, CODEC), history(), instants) for each in runs]
    return paired(today, other, instants, found)


def test_a_target_that_is_decided_anew_is_in_question_and_nothing_else():
    """Neither the same target nor its wording."""
    office = goal(0.5, id="office", dimension="office", members=("*",))
    today = with_targets(goal(0.9, id="goal"), office)
    worded = with_targets(goal(0.9, id="goal", owner="another"), office)
    assert differing(today, worded) == {}
    other = with_targets(goal(0.7, id="goal"), office)
    assert differing(today, other) == {"anticipated": frozenset({("7d", "national")})}
    assert differing(today, with_targets(goal(0.9, id="goal"))) == {
        "anticipated": frozenset({("7d", "office")})
    }


def test_another_definition_puts_every_target_of_a_kpi_in_question():
    """And a KPI that only one of them has is in question without any target."""
    today = with_targets(
        goal(0.9, id="goal"), goal(0.5, id="o", dimension="office", members=("*",))
    )
    kpi = next(each for each in today.kpis if each.id == "anticipated")
    urgent = Share("numbered", (Condition("numbered.clearance_mode", frozenset({"urgent"})),))
    tried = replace(kpi, measure=urgent)
    rest = tuple(each for each in today.kpis if each.id != "anticipated")
    new = replace(kpi, id="new")
    other = replace(today, kpis=(*rest, tried, new))
    assert differing(today, other) == {
        "anticipated": frozenset({("7d", "national"), ("7d", "office")}),
        "new": frozenset(),
    }
    assert everything(today, today, ["anticipated"])["anticipated"] == {
        ("7d", "national"),
        ("7d", "office"),
    }


def test_only_what_is_in_question_is_counted():
    """One KPI, one window, no dimension; without a target the first window."""
    today = with_targets(goal(0.9))
    one, two = cut_down(
        today, today, {"anticipated": frozenset({("7d", "national")}), "paid": frozenset()}
    )
    assert one == two
    assert [(each.id, each.windows, each.dimensions) for each in one.kpis] == [
        ("anticipated", ("7d",), ()),
        ("paid", ("1h",), ()),
    ]
    assert one.dimensions == ()
    assert one.targets == today.targets


def test_both_are_judged_at_each_instant():
    """More than a tenth below what is expected is off track.

    day        0    1    2    3    4    5    6    7 (the first day is over by then)
    reading    1   .95   .9  .85  .8  .75   .7   .6
    of .9      +    +    +    ~    -    -    -    -
    of .75     +    +    +    +    +    +    ~    -
    """
    today, other = with_targets(goal(0.9)), with_targets(goal(0.75))
    instants = [NOON + day * DAY + HOUR for day in range(8)]
    (pair,) = compared(today, other, instants).pairs
    assert pair.key == KEY
    assert pair.today is not None
    assert pair.other is not None
    values = [point.value for point in pair.today.points]
    assert values == [1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.6]
    assert values == [point.value for point in pair.other.points]
    assert [point.goal for point in pair.other.points] == [0.75] * 8
    marks = {Status.ON_TRACK: "+", Status.AT_RISK: "~", Status.OFF_TRACK: "-"}
    courses_of = (pair.today, pair.other)
    words = ["".join(marks[p.status] for p in each.points if p.status) for each in courses_of]
    assert words == ["+++~----", "++++++~-"]
    assert [each.first_breach_ms for each in courses_of] == [instants[4], instants[7]]
    assert [each.breaches for each in courses_of] == [4, 1]


def test_an_instant_before_the_first_event_has_no_point():
    """And what is recorded at an instant is known at it."""
    today, other = with_targets(goal(0.9)), with_targets(goal(0.75))
    (pair,) = compared(today, other, [NOON - 1, NOON, NOON + DAY]).pairs
    assert [point.at_ms for _, course in pair.sides for point in course.points] == [
        NOON,
        NOON + DAY,
    ] * 2


def test_both_in_one_say_what_each_says_alone():
    """With targets for members, for a KPI that counts otherwise, and for one of one side."""
    each = goal(0.5, id="each", dimension="office", members=("*",))
    today = with_targets(goal(0.9), each)
    kpi = next(one for one in today.kpis if one.id == "anticipated")
    other_kpi = replace(kpi, measure=Share("numbered", kpi.measure.part, ()), minimum_sample=12)
    rest = tuple(one for one in today.kpis if one.id != "anticipated")
    other = replace(today, kpis=(*rest, other_kpi), targets=(goal(0.7), each))
    instants = [NOON + hour * 7 * HOUR for hour in range(30)]
    parts = cut_down(today, other, differing(today, other))
    together = side_by_side(*parts)
    assert together is not None
    assert len(together.kpis) == 2
    one = courses(together, Replay(together, CODEC), history(), instants)
    alone = {}
    for strategy_alone in apart(*parts):
        alone |= courses(strategy_alone, Replay(strategy_alone, CODEC), history(), instants)
    assert one == alone
    assert len(one) == 4
    assert len({course.points for course in one.values()}) == 4


def test_days_of_another_zone_or_members_of_another_set_are_followed_apart():
    """Side by side they would be counted under one of both."""
    each = goal(0.5, dimension="office", members=("*",))
    today = with_targets(each)
    zone = replace(today, calendar=Calendar("UTC", frozenset(range(5)), 480, 1020))
    few = replace(today.dimensions[0], members=today.dimensions[0].members[:1])
    fewer = replace(today, dimensions=(few, *today.dimensions[1:]))
    for other in (zone, fewer):
        parts = cut_down(today, other, differing(today, other))
        assert side_by_side(*parts) is None
        found = compared(today, other, [NOON + DAY + HOUR])
        key = SeriesKey("anticipated", "7d", "office", "118")
        (pair,) = [each for each in found.pairs if each.key == key]
        assert [course.points[0].value for _, course in pair.sides] == [0.95, 0.95]


def course(*statuses: Status | None) -> Course:
    """Return a course of these statuses, an hour apart."""
    points = tuple(
        Point(NOON + at * HOUR, None, None, None, status) for at, status in enumerate(statuses)
    )
    return Course(strategy().kpis[0], None, points)


def test_an_alert_is_a_run_of_breaches():
    """What lies between two of them ends one, no data as well."""
    on, off, none = Status.ON_TRACK, Status.OFF_TRACK, Status.NO_DATA
    found = course(on, off, off, none, off, on, on, off)
    assert (found.breaches, found.alerts) == (4, 3)
    assert found.first_breach_ms == NOON + HOUR
    assert [found.share(each) for each in (on, off, none)] == [3 / 8, 4 / 8, 1 / 8]


def test_what_nothing_judges_has_no_share():
    """And was never off track."""
    found = course(None, None)
    assert (found.breaches, found.alerts, found.first_breach_ms) == (0, 0, None)
    assert found.share(Status.NO_DATA) is None
