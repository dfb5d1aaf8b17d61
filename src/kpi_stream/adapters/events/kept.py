"""How the fields that the domain keeps are made from those on the wire.

Most are the field itself; the few others are listed in `DERIVED`. Both decoders use this table.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kpi_stream.domain.events import EventType, Value

_MS_PER_HOUR = 3_600_000
_GRAMS_PER_KG = 1000


@dataclass(frozen=True, slots=True)
class Derived:
    """A kept field that is computed from fields of the message."""

    sources: tuple[str, ...]
    make: Callable[..., Value]


def hours_to_ms(hours: float) -> int:
    """Return whole milliseconds; to the nearest, since 0.1 hours has no exact binary form."""
    return round(hours * _MS_PER_HOUR)


def kg_to_grams(kg: float) -> int:
    """Return whole grams, to the nearest."""
    return round(kg * _GRAMS_PER_KG)


def gain(before_cents: int, after_cents: int) -> int:
    """Return the cents that an adjustment brought in; 0 where it lowered the duties."""
    return max(0, after_cents - before_cents)


def number_text(value: float) -> str:
    """Return the shortest text that reads back as the same number; facts hold no floats.

    Example:
        >>> number_text(0.85), number_text(48.0), number_text(-0.0)
        ('0.85', '48.0', '0.0')
    """
    return repr(value + 0.0)


DERIVED: dict[tuple[str, str], Derived] = {
    ("oga.decided", "waiting_ms"): Derived(("waiting_hours",), hours_to_ms),
    ("assessment.adjusted", "gain_cents"): Derived(
        ("duties_before_cents", "duties_after_cents"), gain
    ),
    ("enforcement.recorded", "weight_grams"): Derived(("weight_kg",), kg_to_grams),
    ("target.revised", "old_value"): Derived(("old_value",), number_text),
    ("target.revised", "new_value"): Derived(("new_value",), number_text),
}
"""By wire type and kept field."""


def kept_values(event_type: EventType, read: Callable[[str], Any]) -> tuple[Value, ...]:
    """Return the kept fields in the order of `EventType.fields`.

    Args:
        event_type: Its `fields` say what is kept.
        read: Gives the (validated) field of the message by its name.
    """
    return tuple(
        derived.make(*map(read, derived.sources))
        if (derived := DERIVED.get((event_type.name, field)))
        else read(field)
        for field in event_type.fields
    )
