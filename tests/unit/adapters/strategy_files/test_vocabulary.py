from typing import get_args

import pytest

from kpi_stream.adapters.events.contract import MODELS
from kpi_stream.adapters.strategy_files.vocabulary import CODES, FLAGS, NUMBERS, is_flag, is_number
from kpi_stream.domain.events import EVENT_TYPES, EventType

DERIVED = {"gain_cents": int, "waiting_ms": int, "weight_grams": int}
"""Kept fields that the wire has under another name or not at all."""
UNUSED = {"old_value", "new_value"}
"""Values of a KPI in a revision of its target: no condition can name them."""


@pytest.mark.parametrize("event_type", EVENT_TYPES, ids=lambda each: each.name)
def test_the_vocabulary_is_that_of_the_contract(event_type: EventType):
    """Flags, numbers and closed sets of codes are those that the event contract accepts."""
    fields = MODELS[event_type.name].model_fields
    for name in set(event_type.fields) - UNUSED:
        attribute = f"{event_type.milestone}.{name}"
        kind = DERIVED.get(name) or fields[name].annotation
        assert is_flag(attribute) == (kind is bool), attribute
        assert is_number(attribute) == (kind is int), attribute
        assert CODES.get(attribute, ()) == get_args(kind), attribute


def test_the_vocabulary_has_no_orphans():
    """Every word of the vocabulary is a field of some event."""
    kept = {name for each in EVENT_TYPES for name in each.fields}
    attributes = {f"{each.milestone}.{name}" for each in EVENT_TYPES for name in each.fields}
    assert kept >= FLAGS | NUMBERS
    assert attributes >= set(CODES) - {"channel"}
