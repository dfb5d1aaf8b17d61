"""How often a library may say the same thing."""

import logging

import pytest

from kpi_stream.adapters.log_limit import Repeats


def said(limit: Repeats, at_s: float, text: str, *values: object, name: str = "aiokafka.client"):
    """Return what is told of a message at a time; None where it is kept back."""
    record = logging.LogRecord(name, logging.ERROR, "", 0, text, values, None)
    record.created = at_s
    return record.getMessage() if limit.filter(record) else None


@pytest.fixture
def limit() -> Repeats:
    """Three in a row, then one a minute."""
    return Repeats(["aiokafka", "kafka"])


def test_an_outage_is_a_line_a_minute(limit: Repeats) -> None:
    """Ten attempts a second for ten minutes; the values differ, the kind is one."""
    lines = [said(limit, number / 10, "Unable connect to %s", number) for number in range(6_000)]
    told = [each for each in lines if each is not None]
    assert told[:3] == [f"Unable connect to {number}" for number in range(3)]
    assert 11 <= len(told) <= 13
    assert told[3] == "Unable connect to 602 (and 599 more of the kind since then)"


def test_what_was_quiet_is_new_again(limit: Repeats) -> None:
    """The next outage is told like the first."""
    first = [said(limit, at_s, "away") for at_s in range(5)]
    second = [said(limit, at_s, "away") for at_s in range(100, 105)]
    assert first == second == ["away"] * 3 + [None] * 2


def test_other_kinds_are_told(limit: Repeats) -> None:
    """Another text, another part of the library, and what is ours."""
    for _ in range(9):
        said(limit, 1, "away")
    assert said(limit, 1, "away") is None
    assert said(limit, 1, "refused") == "refused"
    assert said(limit, 1, "away", name="kafka.conn") == "away"
    assert [said(limit, 1, "away", name="kpi_stream.worker") for _ in range(9)] == ["away"] * 9
    assert said(limit, 1, "away", name="aiokafkaesque") == "away"


def test_texts_that_never_repeat_take_no_more_memory(limit: Repeats) -> None:
    """A library that formats by itself."""
    for number in range(5_000):
        assert said(limit, 1, f"attempt {number}") is not None
    assert len(limit._heard) <= 1_000
