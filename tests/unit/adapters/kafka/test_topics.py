"""Topics on a broker that takes its time; how they are made is in tests/integration."""

from collections.abc import Iterator
from typing import Any

import pytest
from kafka.errors import KafkaTimeoutError, RequestTimedOutError

from kpi_stream.adapters.kafka.topics import MADE_WITHIN_S, create_topic, wait_for_topics
from kpi_stream.domain.errors import Unavailable

MADE, THERE, TIMED_OUT, INVALID = 0, 36, 7, 38


class Busy:
    """A broker's answers to the attempts to create a topic, one after the other."""

    def __init__(self, *answers: int | Exception) -> None:
        self._answers: Iterator[int | Exception] = iter(answers)
        self.attempts = 0
        self.waited_ms: float = 0

    def create_topics(self, request: Any, **_: Any) -> dict[str, Any]:
        """Answer the next attempt."""
        self.attempts += 1
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        (name,) = request
        return {"topics": [{"name": name, "error_code": answer, "error_message": "it says why"}]}

    def wait_for_topics(self, names: list[str], timeout_ms: float) -> None:
        """Remember how long it may take."""
        assert names == ["t"]
        self.waited_ms = timeout_ms


@pytest.mark.parametrize("last", [MADE, THERE])
def test_a_broker_that_is_busy_is_asked_again(last: int) -> None:
    """It answers that time is up, or not at all; what it made all the same is there then."""
    busy = Busy(TIMED_OUT, KafkaTimeoutError(), RequestTimedOutError(), last)
    assert create_topic(busy, "t", 1, 1, {}) == ()
    assert busy.attempts == 4


def test_a_broker_that_stays_busy_is_given_up() -> None:
    """After some minutes, in words."""
    busy = Busy(*[TIMED_OUT] * 99)
    with pytest.raises(Unavailable, match="topic t could not be created: it says why"):
        create_topic(busy, "t", 1, 1, {})
    assert 5 < busy.attempts < 20


def test_another_refusal_is_not_repeated() -> None:
    """Such as too many copies: waiting does not help."""
    busy = Busy(INVALID)
    with pytest.raises(Unavailable, match="could not be created"):
        create_topic(busy, "t", 1, 1, {})
    assert busy.attempts == 1


def test_leaders_are_waited_for_longer_than_the_client_would() -> None:
    """Its own ten seconds are not enough."""
    busy = Busy()
    wait_for_topics(busy, ["t"])
    assert busy.waited_ms == MADE_WITHIN_S * 1000 > 60_000
