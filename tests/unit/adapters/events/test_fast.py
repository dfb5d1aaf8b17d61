"""Deriving the fast decoder from the schemas."""

import re
from typing import Any

import pytest

from kpi_stream.adapters.events.fast import _bare, _kind, _struct
from kpi_stream.adapters.events.schema import schemas
from tests.support.event_examples import OFFICES


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer", "multipleOf": 5},
        {"type": "string", "format": "uri"},
        {"anyOf": [{"type": "string"}, {"type": "integer"}]},
        {"anyOf": [{"type": "string"}, {"type": "null"}], "pattern": "^a$"},
        {"type": "array"},
    ],
)
def test_a_constraint_that_it_does_not_know_stops_the_derivation(schema: dict[str, Any]) -> None:
    """Otherwise the fast decoder would accept what the contract rejects."""
    with pytest.raises(NotImplementedError):
        _kind(schema)


def test_a_pattern_of_a_field_that_may_be_null_stops_the_derivation() -> None:
    """The joined match has no place for null; `corrects` has a match of its own."""
    schema = schemas()["goods.exited"]
    _struct("goods.exited", schema, OFFICES)
    schema["properties"]["seal"] = schema["properties"]["corrects"]
    with pytest.raises(NotImplementedError):
        _struct("goods.exited", schema, OFFICES)


@pytest.mark.parametrize("pattern", ["^a", "a$", "a"])
def test_a_pattern_has_to_be_anchored(pattern: str) -> None:
    """One that is not means a search, which a match over joined texts is not."""
    with pytest.raises(NotImplementedError):
        _bare({"pattern": pattern})


def test_no_pattern_of_the_contract_matches_a_newline() -> None:
    """The decoder joins texts by newlines and matches them at once."""
    patterns = set(re.findall(r"'pattern': '([^']*)'", str(schemas())))
    assert len(patterns) > 3
    for pattern in patterns:
        for text in ("\n", "a\n", "\na", "10\n", "AA\n", "a\nb"):
            assert not re.fullmatch(pattern[1:-1], text)
