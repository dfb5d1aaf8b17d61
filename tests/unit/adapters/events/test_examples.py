"""Every event type has its examples, and every example its event type."""

import pytest

from kpi_stream.domain.errors import EventRejected, Reason
from kpi_stream.domain.events import BY_NAME
from tests.support.event_examples import (
    RECEIVED_MS,
    Rejected,
    accepted,
    codec,
    key_of,
    rejected,
)
from tests.support.let_go import taken_and_let_go
from tests.support.stores import Source

CODEC = codec()


@pytest.mark.parametrize("name", accepted())
def test_an_accepted_example_is_an_event_of_the_type_in_its_file_name(name: str) -> None:
    """The message decodes, by the fast decoder alone."""
    value = accepted()[name]
    event = CODEC.decode(key_of(name), value, RECEIVED_MS)
    assert event.type is BY_NAME[name]
    assert CODEC._fast(value, RECEIVED_MS) == event


@pytest.mark.parametrize("example", rejected(), ids=lambda example: example.name)
def test_a_rejected_example_is_rejected_for_the_reason_in_its_file_name(example: Rejected) -> None:
    """The reason is the label; the detail is short and does not repeat the message."""
    with pytest.raises(EventRejected) as caught:
        CODEC.decode(key_of(example.type), example.value, RECEIVED_MS)
    assert caught.value.reason is example.reason
    assert 0 < len(caught.value.detail) <= 220
    assert example.value.decode()[:80] not in caught.value.detail


@pytest.mark.parametrize("example", rejected(), ids=lambda example: example.name)
def test_a_rejected_example_keeps_nothing_but_itself(example: Rejected) -> None:
    """Its dead letter may wait; the state of a partition that has gone meanwhile must not."""
    record = Source(0, key_of(example.type), example.value, RECEIVED_MS)
    taken = taken_and_let_go([record], CODEC.decode)
    assert [each.reason for each in taken.rejected] == [example.reason]


def test_every_event_type_has_an_accepted_and_a_rejected_example() -> None:
    """A new event type without examples is not complete."""
    assert set(accepted()) == set(BY_NAME)
    assert {example.type for example in rejected()} == set(BY_NAME)


def test_the_examples_show_every_reason_that_a_single_message_can_have() -> None:
    """Only `expired` needs more than one message."""
    assert {example.reason for example in rejected()} == set(Reason) - {Reason.EXPIRED}
