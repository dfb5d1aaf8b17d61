"""What is published, and what is not published again, on topics that are lists."""

import asyncio

import pytest

from kpi_stream.adapters.kafka.reader import Record
from kpi_stream.adapters.kafka.scorecard.publisher import Publisher
from kpi_stream.adapters.kafka.scorecard.records import encode_key
from kpi_stream.application.ports import BrokerOptions, Fenced
from kpi_stream.application.scorecard import Evaluation, Scorecard
from kpi_stream.domain.errors import StateError, Unavailable
from kpi_stream.domain.hysteresis import Damping
from tests.support.scorecard import (
    ADVANCE,
    NOON_MS,
    RELEASE,
    FakeTotals,
    national,
    office,
    strategy,
    target,
)
from tests.support.scorecard_lists import TOPICS, Log, lists_for_topics


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Log:
    """Lists in the place of topics."""
    return lists_for_topics(monkeypatch)


class Site:
    """A scorecard and its publisher, which may be started anew."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.totals = FakeTotals({national(ADVANCE): 0.9, national(RELEASE): 90.0})
        self.at_ms = NOON_MS
        self.restart()

    def restart(self) -> None:
        """Forget everything but the topics, as after kill -9."""
        self.publisher = Publisher(BrokerOptions(("nowhere",)), TOPICS, transactional_id=None)
        memory = asyncio.run(self.publisher.open())
        self.card = Scorecard(
            strategy(target(ADVANCE, 0.8)),
            self.totals,
            damping=Damping(1, 0.0),
            states=memory.states,
        )

    def evaluate(self) -> Evaluation:
        """Return the evaluation of the next second."""
        self.at_ms += 1000
        return self.card.evaluate(self.at_ms)

    def publish(self, evaluation: Evaluation, *, every: bool = True) -> dict[str, int]:
        """Publish an evaluation and its transitions."""
        made = self.publisher.publish(evaluation, evaluation.transitions, every=every)
        return dict(asyncio.run(made))


def test_only_what_changed_is_written_again(log: Log) -> None:
    """The clock alone makes nothing new; a value does, and only its own series."""
    site = Site(log)
    assert site.publish(site.evaluate()) == {TOPICS.readings: 2}
    assert site.publish(site.evaluate()) == {}
    site.totals.values[national(RELEASE)] = 91.0
    assert site.publish(site.evaluate()) == {TOPICS.readings: 1}
    assert log.records[TOPICS.readings][-1].key == encode_key(national(RELEASE))


def test_a_transition_does_not_wait_and_takes_its_reading_along(log: Log) -> None:
    """Of the other readings nothing is written before their time."""
    site = Site(log)
    site.publish(site.evaluate())
    site.totals.values = {national(ADVANCE): 0.1, national(RELEASE): 91.0}
    written = site.publish(site.evaluate(), every=False)
    assert written == {TOPICS.transitions: 1, TOPICS.readings: 1}
    assert site.publish(site.evaluate()) == {TOPICS.readings: 1}


def test_a_series_that_is_gone_is_taken_back(log: Log) -> None:
    """By a tombstone, once; also one that only an earlier process knew."""
    site = Site(log)
    site.totals.values[office(RELEASE, "118")] = 50.0
    site.publish(site.evaluate())
    del site.totals.values[office(RELEASE, "118")]
    site.restart()
    site.publish(site.evaluate())
    gone = [each for each in log.records[TOPICS.readings] if each.value is None]
    assert [each.key for each in gone] == [encode_key(office(RELEASE, "118"))]
    assert site.publish(site.evaluate()) == {}


def test_a_restart_repeats_no_transition(log: Log) -> None:
    """The status and its number go on where they were."""
    site = Site(log)
    site.publish(site.evaluate())
    site.totals.values[national(ADVANCE)] = 0.1
    site.publish(site.evaluate())
    assert log.count()[1] == 1
    site.restart()
    assert site.evaluate().transitions == ()
    site.totals.values[national(ADVANCE)] = 0.9
    (told,) = site.evaluate().transitions
    assert told.sequence == 2


def test_killed_between_transition_and_reading_it_is_told_once(log: Log) -> None:
    """The log of transitions is ahead of the readings, and is believed."""
    site = Site(log)
    site.publish(site.evaluate())
    site.totals.values[national(ADVANCE)] = 0.1
    log.fail_after = 1
    with pytest.raises(Unavailable):
        site.publish(site.evaluate())
    assert log.count()[1] == 1
    log.fail_after = None
    site.restart()
    evaluation = site.evaluate()
    assert evaluation.transitions == ()
    assert evaluation.judged[0].state.sequence == 1
    site.publish(evaluation)
    assert log.count()[1] == 1


@pytest.mark.parametrize("durable", [0, 1, 2])
def test_a_failed_publication_is_repeated_without_telling_twice(log: Log, durable: int) -> None:
    """Whatever of it was written, after opening again the same transition is there once."""
    site = Site(log)
    site.publish(site.evaluate())
    site.totals.values[national(ADVANCE)] = 0.1
    evaluation = site.evaluate()
    log.fail_after = durable
    with pytest.raises(Unavailable):
        site.publish(evaluation)
    log.fail_after = None
    asyncio.run(site.publisher.open())
    site.publish(evaluation)
    assert log.count()[1] == 1


def test_a_fenced_publisher_stops(log: Log) -> None:
    """Another scorecard has opened the same transactional id."""
    site = Site(log)
    log.fail_after, log.error = 0, Fenced("another worker has taken over x")
    with pytest.raises(StateError, match="another scorecard has taken over"):
        site.publish(site.evaluate())


def test_a_record_of_somebody_else_stops_it(log: Log) -> None:
    """What is not ours is not our memory."""
    log.records[TOPICS.readings].append(Record(0, 0, b"k", b"{}", 0))
    with pytest.raises(StateError, match=r"kpi\.readings holds what no scorecard wrote"):
        Site(log)
