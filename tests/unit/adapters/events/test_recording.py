"""What is told of a message without decoding it, against the decoder."""

import json

import pytest

from kpi_stream.adapters.events.codec import EventCodec
from kpi_stream.adapters.events.recording import one_of, recorded_ms
from kpi_stream.domain.events import EVENT_TYPES
from tests.support.event_examples import accepted

CODEC = EventCodec(frozenset({"118", "235"}), 300_000, 1 << 20)
LATER_MS = 4_000_000_000_000
EXAMPLES = {name: json.loads(value) for name, value in accepted().items()}


@pytest.mark.parametrize("name", [each.name for each in EVENT_TYPES])
def test_every_example_is_told_by_its_type(name: str):
    """And taken for no other; it was recorded when the decoder says."""
    value = accepted()[name]
    fields = {each: value for each, value in EXAMPLES[name].items() if each != "corrects"}
    plain = json.dumps(fields, ensure_ascii=False).encode()
    others = [each.name for each in EVENT_TYPES if each.name != name]
    assert one_of([name])(plain)
    assert not one_of(others)(plain)
    assert not one_of([])(plain)
    assert recorded_ms(value) == CODEC.decode_value(value, LATER_MS).fact.recorded_ms


def told(text: str) -> bool:
    """Return whether a message is certainly an exit."""
    return one_of(["goods.exited"])(text.encode())


def test_spaces_and_order_do_not_matter():
    """As JSON has it."""
    assert told('{ "subject" : "s" ,\t"type"\n:  "goods.exited" }')
    assert not told('{"type":"goods.exitedx"}')
    assert not told('{"type":"goodsxexited"}')


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"goods.exited","corrects":"e1"}',
        '{"type":"goods.exited","type":"release.granted"}',
        '{"type":"goods.exited","t\\u0079pe":"release.granted"}',
        '{"source":"\\"type\\":\\"goods.exited\\"","type":"release.granted"}',
        '{"subject":"s"}',
        "",
    ],
)
def test_what_is_not_certain_is_looked_at(text: str):
    """A correction may matter whatever its type, and a type may be hidden behind another."""
    assert not told(text)


@pytest.mark.parametrize("value", [b"", b"[]", b"{", b'{"recorded_at":7}', b'{"recorded_at":"x"}'])
def test_what_was_recorded_never_has_no_time(value: bytes):
    """None, whatever it is."""
    assert recorded_ms(value) is None


def test_whether_it_would_be_accepted_is_another_question():
    """A message that no worker takes has a type and a time as well."""
    value = json.dumps({**EXAMPLES["goods.exited"], "subject": ""}).encode()
    assert recorded_ms(value) is not None
    assert told(value.decode())
