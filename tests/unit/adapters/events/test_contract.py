"""The wire contract and the domain's table of event types say the same."""

import inspect

import pytest

from kpi_stream.adapters.events.contract import MODELS, Envelope
from kpi_stream.adapters.events.kept import DERIVED
from kpi_stream.domain.events import BY_NAME, EVENT_TYPES, EventType


def test_each_model_has_an_event_type_and_each_event_type_a_model() -> None:
    """The order is the same too, since it is the order of the pages made from it."""
    assert list(MODELS) == [each.name for each in EVENT_TYPES]


@pytest.mark.parametrize("event_type", EVENT_TYPES, ids=lambda each: each.name)
def test_each_kept_field_is_on_the_wire_or_derived_from_what_is(event_type: EventType) -> None:
    """A kept field that no message carries could never have a value."""
    fields = MODELS[event_type.name].model_fields
    for kept in event_type.fields:
        derived = DERIVED.get((event_type.name, kept))
        for source in derived.sources if derived else (kept,):
            assert source in fields, f"{event_type.name} has no {source}"


def test_each_derivation_belongs_to_a_kept_field() -> None:
    """A derivation that nothing keeps is a leftover."""
    for name, kept in DERIVED:
        assert kept in BY_NAME[name].fields


def test_the_types_that_open_a_subject_keep_its_office() -> None:
    """Without it the subject could not be counted by office."""
    assert all("office" in each.fields for each in EVENT_TYPES if each.opens)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_each_model_says_what_it_is(model: type[Envelope]) -> None:
    """The docstring becomes the description of its JSON Schema."""
    assert model.__doc__
    assert inspect.getdoc(model) != inspect.getdoc(Envelope)
