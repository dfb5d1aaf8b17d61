"""The fast decoder: msgspec structs derived from the JSON Schemas of the contract.

It accepts only what the contract accepts (`tests/laws/test_codec.py`), and answers None where it
does not: the contract then decides and words the reason. A keyword of JSON Schema that it does not
know stops the derivation, so a new kind of constraint cannot be lost on the way.

Why it is fast: msgspec decodes straight into a struct of the right type (the tag picks it), enums
come out as shared strings, and the fields that have a pattern are joined by newlines and matched
at once, which costs a third of one match each.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter
from typing import Annotated, Any, Literal, Union

import msgspec

from kpi_stream.adapters.events.kept import DERIVED
from kpi_stream.adapters.events.schema import schemas
from kpi_stream.adapters.events.times import NotAnInstant, instant_ms
from kpi_stream.domain.events import BY_NAME, Event, EventType, Fact, Value

_HEAD = ("event_id", "subject", "occurred_at", "recorded_at", "corrects")
"""The fields that every type keeps, at these positions in each struct."""
_new = tuple.__new__
"""Makes a NamedTuple without the Python-level constructor: 80 ns less for each of the two."""

_SAYS_NOTHING = {"title", "description", "default"}
_TYPES: dict[str, type] = {"string": str, "integer": int, "number": float, "boolean": bool}
_BOUNDS = {"minimum": "ge", "maximum": "le", "minLength": "min_length", "maxLength": "max_length"}


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is left to do once msgspec has decoded a message of one type."""

    type: EventType
    texts: Callable[[tuple[Any, ...]], tuple[str, ...]]
    """The fields that have a pattern."""
    matches: Callable[[str], object]
    """Matches those, joined by newlines."""
    correction: Callable[[str], object]
    instants: tuple[int, ...]
    """Positions of further times, which are checked and dropped."""
    values: Callable[[tuple[Any, ...]], tuple[Value, ...]]


def fast_decoder(offices: frozenset[str], skew_ms: int) -> Callable[[bytes, int], Event | None]:
    """Return the function from (value, received_ms) to the event.

    The function gives None for whatever it does not accept: a message outside the contract, an
    unknown office, a time in the future.

    Args:
        offices: The codes that events may name.
        skew_ms: By how much a time may be ahead, as in `EventCodec`.
    """
    plans: dict[type, _Plan] = {}
    for name, schema in schemas().items():
        struct = _struct(name, schema, offices)
        plans[struct] = _plan(BY_NAME[name], schema, struct.__struct_fields__)
    from_json = msgspec.json.Decoder(Union[tuple(plans)]).decode  # noqa: UP007 - made at run time
    astuple = msgspec.structs.astuple

    def decode(value: bytes, received_ms: int) -> Event | None:
        try:
            message = from_json(value)
            fields = astuple(message)
            occurred_ms = instant_ms(fields[2])
            recorded_ms = instant_ms(fields[3])
            plan = plans[message.__class__]
            for position in plan.instants:
                instant_ms(fields[position])
        except (msgspec.MsgspecError, NotAnInstant, RecursionError):
            return None
        event_id, subject, corrects = fields[0], fields[1], fields[4]
        if (
            not plan.matches("\n".join(plan.texts(fields)))
            or occurred_ms > recorded_ms + skew_ms
            or recorded_ms > received_ms + skew_ms
            or (corrects is not None and not plan.correction(corrects))
        ):
            return None
        fact = _new(Fact, (recorded_ms, event_id, occurred_ms, plan.values(fields)))
        return _new(Event, (subject, plan.type, fact, corrects))

    return decode


def _struct(name: str, schema: dict[str, Any], offices: frozenset[str]) -> type[msgspec.Struct]:
    required = set(schema["required"])
    properties = schema["properties"]
    names = (*_HEAD, *(each for each in properties if each not in {*_HEAD, "type"}))
    fields: list[Any] = []
    for each in names:
        kind: Any = _kind(properties[each])
        if each != "corrects" and {"pattern", "format"} & _of_nullable(properties[each]):
            raise _not_derivable(schema)  # `corrects` alone has a match that allows for null
        if each == "office":
            # Doubles as the check of the office and gives one shared string for each.
            kind = _one_of(tuple(sorted(filter(_office_pattern(schema), offices))))
        fields.append(
            (each, kind) if each in required else (each, kind, properties[each]["default"])
        )
    return msgspec.defstruct(
        name.title().replace(".", "").replace("_", ""),
        fields,
        tag_field="type",
        tag=name,
        kw_only=True,
        gc=False,
    )


def _kind(schema: dict[str, Any]) -> Any:  # noqa: ANN401 - a type expression
    rest = {key: value for key, value in schema.items() if key not in _SAYS_NOTHING}
    if "anyOf" in rest:
        *kinds, null = rest.pop("anyOf")
        if rest or len(kinds) != 1 or null != {"type": "null"}:
            raise _not_derivable(schema)
        return _kind(kinds[0]) | None
    base = _TYPES.get(rest.pop("type", ""))
    if base is None:
        raise _not_derivable(schema)
    if "enum" in rest or "const" in rest:
        kind: Any = Literal[tuple(rest.pop("enum", None) or [rest.pop("const")])]
    else:
        bounds = {_BOUNDS[key]: rest.pop(key) for key in list(rest) if key in _BOUNDS}
        kind = Annotated[base, msgspec.Meta(**bounds)] if bounds else base
        if base is str:
            rest.pop("pattern", None)
            if rest.pop("format", "date-time") != "date-time":
                raise _not_derivable(schema)
    if rest:
        raise _not_derivable(schema)
    return kind


def _of_nullable(schema: dict[str, Any]) -> set[str]:
    """Return the keywords of a field that may be null; none for one that may not."""
    return {keyword for kind in schema.get("anyOf", ()) for keyword in kind}


def _not_derivable(schema: dict[str, Any]) -> NotImplementedError:
    return NotImplementedError(f"the fast decoder cannot derive {schema}; teach it or reword")


def _plan(event_type: EventType, schema: dict[str, Any], names: tuple[str, ...]) -> _Plan:
    properties = schema["properties"]
    patterned = [each for each in names if "pattern" in properties[each] and each != "office"]
    # `$` also matches before a newline at the end; a whole match over the joined text does not.
    # No pattern of the contract matches a newline, so joining cannot shift text between fields.
    patterns = [_bare(properties[each]) for each in patterned]
    return _Plan(
        type=event_type,
        texts=_getter(list(map(names.index, patterned))),
        matches=re.compile("\n".join(patterns)).fullmatch,
        correction=re.compile(_bare(properties["corrects"]["anyOf"][0])).fullmatch,
        instants=tuple(
            position
            for position, each in enumerate(names)
            if properties[each].get("format") == "date-time" and each not in _HEAD
        ),
        values=_values(event_type, names),
    )


def _bare(schema: dict[str, Any]) -> str:
    """Return the pattern without its anchors."""
    pattern: str = schema["pattern"]
    if not (pattern.startswith("^") and pattern.endswith("$")):
        raise _not_derivable(schema)
    return f"(?:{pattern[1:-1]})"


def _one_of(texts: tuple[str, ...]) -> Any:  # noqa: ANN401 - a type expression
    """Return the type that takes just these; without any, one that takes nothing."""
    return Literal[texts] if texts else Annotated[str, msgspec.Meta(min_length=1, max_length=0)]


def _office_pattern(schema: dict[str, Any]) -> Callable[[str], object]:
    return re.compile(_bare(schema["properties"]["office"])).fullmatch


def _values(
    event_type: EventType, names: tuple[str, ...]
) -> Callable[[tuple[Any, ...]], tuple[Value, ...]]:
    """Return the reader of the kept fields: straight from the tuple wherever nothing is derived."""
    derived = {
        each: DERIVED[event_type.name, each]
        for each in event_type.fields
        if (event_type.name, each) in DERIVED
    }
    places = {each: position for position, each in enumerate(names)}
    if not derived:
        return _getter([places[each] for each in event_type.fields])
    makers = [
        (each.make, _getter([places[source] for source in each.sources]))
        for each in derived.values()
    ]
    places.update({each: len(names) + index for index, each in enumerate(derived)})
    pick = _getter([places[each] for each in event_type.fields])
    return lambda fields: pick(fields + tuple([make(*read(fields)) for make, read in makers]))


def _getter(positions: list[int]) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    """Return the reader of these positions of a tuple, as a tuple also for one and for none."""
    if not positions:
        return lambda _: ()
    if len(positions) == 1:
        only = positions[0]
        return lambda fields: (fields[only],)
    return itemgetter(*positions)
