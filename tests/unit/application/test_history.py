from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from kpi_stream.application.history import (
    UNDAMPED,
    Survey,
    evaluations,
    in_batches,
    in_order,
    merged,
)
from kpi_stream.application.replay import Replay
from kpi_stream.application.scorecard import Evaluation, Scorecard
from kpi_stream.domain.errors import Reason
from kpi_stream.domain.events import Event
from kpi_stream.domain.readings import SeriesKey
from kpi_stream.domain.status import Status
from kpi_stream.domain.strategy import Strategy
from tests.laws.brute import Raw
from tests.laws.rig import CODEC
from tests.laws.strategies import DAY, HOUR, MINUTE, event, strategy
from tests.support.scorecard import target

NOW = 1_711_861_200_000 + 12 * HOUR  # 2024-03-31T12:00 in Lima
START, END = datetime(2023, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)
NATIONAL = SeriesKey("anticipated", "7d", "national", "")


def opened(number: int, recorded_ms: int, mode: str = "anticipated") -> Event:
    """Return the opening of a declaration a minute before its recording."""
    values = ("118", "10", "sea", mode, True, True, 0, 0)
    occurred_ms = recorded_ms - MINUTE
    return event(Raw("declaration.numbered", f"s{number}", "e1", recorded_ms, occurred_ms, values))


def judged(
    events: list[Event], instants: list[int], by: Strategy | None = None
) -> tuple[list[Evaluation], Replay]:
    """Return the evaluations of a small history, and what counted its events."""
    replay = Replay(by or strategy(), CODEC)
    card = Scorecard(by or strategy(), replay.table, damping=UNDAMPED)
    return list(evaluations(replay, card, iter(events), instants)), replay


def surveyed(log: list[Event]) -> Survey:
    """Return the survey of a log."""
    survey = Survey()
    for each in log:
        survey.see(each)
    return survey


@given(st.lists(st.integers(0, 9 * HOUR) | st.integers(0, 9), max_size=60), st.integers(1, 20))
def test_any_log_comes_in_order_and_whole(times: list[int], size: int):
    """By the time of recording; events of the same time keep their order."""
    log = [opened(number, NOW + at) for number, at in enumerate(times)]
    wanted = sorted(log, key=lambda each: each.fact.recorded_ms)
    disorder_ms = surveyed(log).disorder_ms
    assert list(in_order(log, disorder_ms)) == wanted
    assert list(chain.from_iterable(in_batches(log, disorder_ms, size))) == wanted


def test_batches_hold_back_no_more_than_the_disorder_and_themselves():
    """A long log in order passes through in lists of that size."""
    log = [opened(number, NOW + number) for number in range(10)]
    assert [len(each) for each in in_batches(log, 0, 4)] == [4, 4, 2, 0]


def test_no_more_is_held_back_than_the_disorder():
    """A log in order passes through; one that is not waits for as much as it is out of order."""
    taken = list[int]()

    def feed(times: list[int]) -> Iterator[Event]:
        for number, at in enumerate(times):
            taken.append(at)
            yield opened(number, NOW + at)

    assert next(in_order(feed([1, 2, 3]), 0)).fact.recorded_ms == NOW + 1
    assert taken == [1]
    taken.clear()
    assert next(in_order(feed([5, 3, 6, 7, 8]), 2)).fact.recorded_ms == NOW + 3
    assert taken == [5, 3]


def test_a_survey_says_what_a_log_holds():
    """How many, from when to when, and how far it is out of order."""
    log = [opened(1, NOW), opened(2, NOW + HOUR), opened(3, NOW - 1), opened(4, NOW + DAY)]
    survey = surveyed(log)
    assert (survey.accepted, survey.first_ms, survey.newest_ms) == (4, NOW - 1, NOW + DAY)
    assert survey.disorder_ms == HOUR + 1


def test_several_logs_are_one():
    """Each in order, they interleave by the time of recording."""
    one, two = [opened(1, NOW), opened(2, NOW + 2)], [opened(3, NOW + 1), opened(4, NOW + 3)]
    assert [each.subject for each in merged([one, two])] == ["s1", "s3", "s2", "s4"]


def test_what_is_recorded_at_an_instant_counts_at_it():
    """And not before; what is recorded later is not known yet."""
    instants = [NOW + HOUR - 1, NOW + HOUR, NOW + 2 * HOUR]
    found, replay = judged([opened(1, NOW), opened(2, NOW + HOUR), opened(3, NOW + DAY)], instants)
    assert [each.readings[NATIONAL].samples for each in found] == [1, 2, 2]
    assert [each.as_of_ms for each in found] == instants
    assert replay.tally.outcomes == {"counted": 2}


def test_nothing_is_said_before_the_first_event():
    """As live: before there is anything to speak about, there is no evaluation."""
    found, _ = judged([opened(1, NOW)], [NOW - HOUR, NOW - 1, NOW])
    assert [each.as_of_ms for each in found] == [NOW]


def test_the_age_of_the_data_is_that_of_the_past():
    """From the newest recording to the instant, on the clock of the time; nothing is stale."""
    (found,), _ = judged([opened(1, NOW)], [NOW + DAY])
    assert found.freshness is not None
    assert found.freshness.data_age_ms == DAY
    assert found.freshness.caught_up
    assert not found.stale


def test_an_event_whose_subject_has_left_is_counted_as_rejected():
    """It changes nothing, and history goes on."""
    values = ("118", "10", "sea", "urgent", True, True, 0, 0)
    late = event(Raw("declaration.numbered", "old", "e1", NOW + 1, NOW - 500 * DAY, values))
    found, replay = judged([opened(1, NOW), late, opened(2, NOW + 2)], [NOW + HOUR])
    assert replay.tally.rejected == {Reason.EXPIRED: 1}
    assert found[0].readings[NATIONAL].samples == 2


def test_a_status_is_that_of_a_scorecard_that_remembers_nothing():
    """A share that crosses its target by less than the margin every hour changes its status."""
    log = [opened(at, NOW + at * HOUR, ("urgent", "anticipated")[at % 2]) for at in range(100)]
    goal = target("anticipated", 0.5, window="7d", baseline_at=START, deadline=END)
    judging = replace(strategy(), targets=(goal,))
    found, _ = judged(log, list(range(NOW + 60 * HOUR, NOW + 70 * HOUR, HOUR)), judging)
    statuses = []
    for each in found:
        alone = Replay(judging, CODEC)
        for one in log:
            if one.fact.recorded_ms <= each.as_of_ms:
                alone.apply(one)
        alone.drain()
        (wanted,) = Scorecard(judging, alone.table).evaluate(each.as_of_ms).judged
        (got,) = each.judged
        assert (got.reading, got.status) == (wanted.reading, wanted.status)
        statuses.append(got.status)
    assert statuses == [Status.AT_RISK, Status.ON_TRACK] * 5
