"""The contract's own decoder: slower, and precise about what is wrong.

It decides whenever the fast decoder does not accept a message, so its verdict is the codec's.
"""

import json
import math
from typing import Any

import msgspec
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from kpi_stream.adapters.events.contract import MODELS
from kpi_stream.adapters.events.kept import kept_values
from kpi_stream.domain.errors import EventRejected, Reason
from kpi_stream.domain.events import BY_NAME, Event, Fact

_LONGEST_DETAIL = 200
_LONGEST_QUOTE = 40

# Fields of other types and unknown ones are only skipped, as the fast decoder does.
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ANY = msgspec.json.Decoder()

_REASONS = {
    "finite_number": Reason.IMPOSSIBLE_NUMBER,
    "greater_than_equal": Reason.IMPOSSIBLE_NUMBER,
    "less_than_equal": Reason.IMPOSSIBLE_NUMBER,
    Reason.NAIVE_TIME.value: Reason.NAIVE_TIME,
}
"""The reason behind the types of error of pydantic; all others are an invalid field."""


def decode_strictly(value: bytes) -> tuple[Event, str]:
    """Return the event and its office code.

    Raises:
        EventRejected: The message does not fit the contract. Of several problems the first in
            the order of the fields is named, a naive time last.
    """
    message, non_finite = _fields(value)
    try:
        event = MODELS[message["type"]].model_validate(message)
    except ValidationError as error:
        raise _rejected(error) from None
    if non_finite:
        raise EventRejected(Reason.IMPOSSIBLE_NUMBER, "NaN and Infinity are no numbers in JSON")
    event_type = BY_NAME[message["type"]]
    fact = Fact(
        recorded_ms=event.recorded_at,
        event_id=event.event_id,
        occurred_ms=event.occurred_at,
        values=kept_values(event_type, lambda field: getattr(event, field)),
    )
    return Event(event.subject, event_type, fact, event.corrects), event.office


def _fields(value: bytes) -> tuple[dict[str, Any], bool]:
    """Return the fields that the type has, and whether a NaN or Infinity is anywhere."""
    try:
        raw = _OBJECT.decode(value)
    except msgspec.ValidationError:
        raise EventRejected(Reason.NOT_JSON, "should be one JSON object") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        message = _almost_json(value)
        if message is None:
            detail = f"should be JSON: {str(error)[:_LONGEST_DETAIL]}"
            raise EventRejected(Reason.NOT_JSON, detail) from None
        names = _names(message.get("type"))
        return {each: message[each] for each in names if each in message}, True
    name = _read("type", raw["type"]) if "type" in raw else None
    return {each: _read(each, raw[each]) for each in _names(name) if each in raw}, False


def _names(name: object) -> tuple[str, ...]:
    """Return the names of the fields of this type of event."""
    if not isinstance(name, str):
        raise EventRejected(Reason.UNKNOWN_TYPE, "type: should be the name of an event type")
    if name not in MODELS:
        detail = f"type: should be an event type, not {name[:_LONGEST_QUOTE]!a}"
        raise EventRejected(Reason.UNKNOWN_TYPE, detail)
    return tuple(MODELS[name].model_fields)


def _read(field: str, raw: msgspec.Raw) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return _ANY.decode(raw)
    except msgspec.ValidationError:
        # Valid JSON that Python numbers cannot hold, such as 1e999.
        raise EventRejected(Reason.IMPOSSIBLE_NUMBER, f"{field}: should be finite") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise EventRejected(Reason.NOT_JSON, f"{field}: should be JSON") from None


def _almost_json(value: bytes) -> dict[str, Any] | None:
    """Return the object if NaN and Infinity are all that keeps it from being JSON."""
    seen = False

    def note(_: str) -> float:
        nonlocal seen
        seen = True
        return float("nan")

    try:
        message = json.loads(value, parse_constant=note)
    except (ValueError, RecursionError):
        return None
    return message if seen and isinstance(message, dict) else None


def _rejected(error: ValidationError) -> EventRejected:
    problems = error.errors(include_url=False, include_context=False)
    problem = min(problems, key=lambda each: _reason(each) is Reason.NAIVE_TIME)
    field = ".".join(map(str, problem["loc"]))
    wrong = "missing" if problem["type"] == "missing" else problem["msg"]
    wrong = wrong.removeprefix("Input ")
    others = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return EventRejected(_reason(problem), f"{field}: {wrong}"[:_LONGEST_DETAIL] + others)


def _reason(problem: ErrorDetails) -> Reason:
    value = problem["input"]
    if isinstance(value, float) and not math.isfinite(value):
        return Reason.IMPOSSIBLE_NUMBER  # whatever the type that the field should have
    return _REASONS.get(problem["type"], Reason.INVALID_FIELD)
