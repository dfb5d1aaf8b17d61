"""The fast decoder and the contract are one and the same rule.

`fast` is the msgspec decoder alone, `contract` the pydantic path alone. Whatever the message:

* what `fast` accepts, `contract` accepts, with an equal event;
* what one JSON object without repeated keys makes `contract` accept, `fast` accepts (it may pass
  stranger messages on, such as one whose first of two equal keys has a wrong value);
* the codec's verdict is the contract's, reason and detail included.
"""

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from kpi_stream.adapters.events.schema import schemas
from kpi_stream.domain.errors import EventRejected
from tests.support.event_examples import MAX_BYTES, OFFICES, RECEIVED_MS, accepted, codec

CODEC = codec()
EXAMPLES = {name: json.loads(value) for name, value in accepted().items()}
SCHEMAS = schemas()

# --- messages that fit, made from the JSON Schemas -------------------------------------------

OFFSETS = st.sampled_from(["Z", "z", "-05:00", "+00:00", "-00:00", "+05:45", "-23:59", "+23:59"])
FRACTIONS = st.sampled_from(["", ".0", ".5", ".123", ".999999999", ".000000001"])
TIMES = st.builds(
    lambda at, fraction, offset: f"{at:%Y-%m-%dT%H:%M:%S}{fraction}{offset}",
    st.integers(978_393_600, 1_767_052_800).map(lambda s: datetime.fromtimestamp(s, UTC)),
    FRACTIONS,
    OFFSETS,
)  # from 2001 to two days before the examples are received


def fitting(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Return values that fit the schema of a field."""
    if "anyOf" in schema:
        return st.one_of(*map(fitting, schema["anyOf"]))
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema.get("format") == "date-time":
        return TIMES
    if "pattern" in schema:
        return st.from_regex(schema["pattern"][1:-1], fullmatch=True)
    low, high = schema.get("minimum"), schema.get("maximum")
    return {
        "null": st.none,
        "boolean": st.booleans,
        "integer": lambda: st.integers(low, high),
        "number": lambda: st.integers(low, high) | st.floats(low, high),
        "string": lambda: st.text(
            st.characters(exclude_categories=["Cs"]),
            min_size=schema.get("minLength", 0),
            max_size=schema.get("maxLength"),
        ),
    }[schema["type"]]()


@st.composite
def fitting_messages(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a message that must be accepted: any type, any allowed value, keys in any order."""
    name = draw(st.sampled_from(sorted(SCHEMAS)))
    properties, required = SCHEMAS[name]["properties"], SCHEMAS[name]["required"]
    fields = [each for each in properties if each in required or draw(st.booleans())]
    message = {each: draw(fitting(properties[each])) for each in draw(st.permutations(fields))}
    message["office"] = draw(st.sampled_from(sorted(OFFICES)))
    message["recorded_at"] = message["occurred_at"]
    return message


# --- messages with something strange in them --------------------------------------------------

STRANGE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 8),
    st.integers(-(10**40), 10**40),
    st.sampled_from([2**63, 2**64, -(2**63) - 1, 10**15, 10**15 + 1, 10**400]),
    st.floats(),
    st.sampled_from([0.0, -0.0, 1.0, 1e300, 5e-324, float("nan"), float("inf"), -float("inf")]),
    st.text(max_size=70),
    st.text(st.sampled_from("aZ9._:- \n\x00é\u0660\U0001f6c3"), max_size=70),
    st.sampled_from(["", "a\n", "10\n", "CN\n", "118", "999", "x" * 64, "x" * 65, "ñ" * 501]),
    st.sampled_from(["green", "red ", "Red", "paid", "conforming", "release.granted", "\u0301"]),
    TIMES,
    st.sampled_from(
        ["2025-03-01T10:00:00", "2025-03-01", "2025-02-30T10:00:00Z", "2025-03-01T10:00:60Z",
         "2025-03-01T10:00:00+24:00", "1999-12-31T23:59:59Z", "2100-12-31T23:59:59-00:01",
         "2031-01-01T00:00:00Z", "2025-03-01 10:00:00Z", "2025-03-01T10:00:00Z\n"]
    ),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)  # fmt: skip


@st.composite
def strange_messages(draw: st.DrawFn) -> dict[str, Any]:
    """Draw an accepted example with some fields dropped, replaced, added or moved."""
    message = dict(EXAMPLES[draw(st.sampled_from(sorted(EXAMPLES)))])
    for _ in range(draw(st.integers(1, 2))):
        field = draw(st.sampled_from([*sorted(message), "unknown"]))
        if draw(st.integers(0, 4)):
            message[field] = draw(STRANGE)
        else:
            message.pop(field, None)
    return {each: message[each] for each in draw(st.permutations(sorted(message)))}


SPLICES = st.one_of(
    st.binary(max_size=3),
    st.sampled_from(
        [b"NaN", b"-Infinity", b"1e999", b"-1e999", b"1E2", b"-0", b"01", b"1.", b"\\ud800",
         b"\\u00e9", b"\\u0000", b"\\q", b"\xff", b"\xed\xa0\x80", b"\xc3\xa9", b"\xef\xbb\xbf",
         b"\x00", b"\n", b"{", b"}", b"[", b"]", b'"', b",", b":", b"//", b"null", b"true",
         b'"type": "goods.exited",', b'"type": 7,', b'"office": "235",', b'"office": 7,',
         b'"event_\\u0069d": "again",', b'"\xff": 1,', b'"deep": ' + b"[" * 90 + b"]" * 90 + b",",
         b'"deep": ' + b"[" * 1700 + b"]" * 1700 + b",", b'"long": ' + b"9" * 600 + b","]
    ),
)  # fmt: skip


@st.composite
def spliced_bytes(draw: st.DrawFn) -> bytes:
    """Draw the bytes of an example with some cut out and some put in, often between fields."""
    value = json.dumps(EXAMPLES[draw(st.sampled_from(sorted(EXAMPLES)))]).encode()
    for _ in range(draw(st.integers(1, 3))):
        between = [0, 1, *(at + 2 for at in range(len(value)) if value[at : at + 2] == b", ")]
        at = draw(st.sampled_from(between) | st.integers(0, len(value)))
        cut = draw(st.sampled_from([0, 0, 0, 1, 2, 20]))
        value = value[:at] + draw(SPLICES) + value[at + cut :]
    return value


# --- the laws ---------------------------------------------------------------------------------


def contract(value: bytes) -> str:
    """Return the verdict of the contract alone; as text, so that True is not 1 and 1.0 not 1."""
    try:
        if len(value) > CODEC._plain_bytes or not value.isascii():
            CODEC._check_bytes(value)
        return repr(CODEC._decide(value, RECEIVED_MS))
    except EventRejected as error:
        return f"{error.reason}: {error.detail}"


def verdict(value: bytes) -> str:
    """Return the verdict of the codec, as text."""
    try:
        return repr(CODEC.decode_value(value, RECEIVED_MS))
    except EventRejected as error:
        return f"{error.reason}: {error.detail}"


def fast(value: bytes) -> str | None:
    """Return what the fast decoder accepts, as text; None where it passes the message on."""
    event = CODEC._fast(value, RECEIVED_MS)
    return None if event is None else repr(event)


@settings(max_examples=400, deadline=None)
@given(fitting_messages())
def test_both_accept_whatever_the_schemas_allow(message: dict[str, Any]) -> None:
    """No message that fits takes the slow way, and the event is the same."""
    value = json.dumps(message, ensure_ascii=False).encode()
    if len(value) <= MAX_BYTES:
        event = fast(value)
        assert event is not None
        assert event == contract(value) == verdict(value)


@settings(max_examples=1500, deadline=None)
@given(strange_messages())
@example({**EXAMPLES["goods.exited"], "schema_version": True})
@example({**EXAMPLES["goods.exited"], "schema_version": 1.0})
@example({**EXAMPLES["survey.answered"], "score": True})
@example({**EXAMPLES["declaration.numbered"], "regime": "10\n"})
@example({**EXAMPLES["goods.exited"], "event_id": "a\nb"})
@example({**EXAMPLES["goods.exited"], "office": None})
@example({**EXAMPLES["goods.exited"], "corrects": "a b"})
@example({**EXAMPLES["oga.decided"], "waiting_hours": -0.0})
@example({**EXAMPLES["oga.decided"], "waiting_hours": 100_000})
@example({**EXAMPLES["manifest.transmitted"], "eta": "2025-03-01"})
def test_both_accept_and_reject_the_same_messages(message: dict[str, Any]) -> None:
    """For one object without repeated keys, neither is stricter than the other."""
    value = json.dumps(message, ensure_ascii=False).encode(errors="surrogatepass")
    expected = contract(value)
    assert verdict(value) == expected
    event = CODEC._fast(value, RECEIVED_MS) if _is_text(value) else None
    assert expected == repr(event) if event else not expected.startswith("Event(")


@settings(max_examples=1500, deadline=None)
@given(spliced_bytes())
@example(b"")
@example(b"null")
@example(b'{"type": "goods.exited"')
def test_the_verdict_is_the_contracts_for_any_bytes(value: bytes) -> None:
    """JSON or not: what the fast decoder accepts is what the contract accepts."""
    expected = contract(value)
    assert verdict(value) == expected
    event = fast(value) if _is_text(value) else None
    assert event is None or event == expected or "nest" in expected or "oversized" in expected


def _is_text(value: bytes) -> bool:
    """Return whether the codec lets the decoders see the value at all."""
    try:
        return bool(value.decode()) or not value
    except UnicodeDecodeError:
        return False
