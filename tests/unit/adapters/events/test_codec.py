"""The codec: what it keeps, what it refuses, and in which order it looks."""

import json
from typing import Any

import pytest

from kpi_stream.adapters.events.codec import DEEPEST, EventCodec
from kpi_stream.domain.errors import EventRejected, Reason
from kpi_stream.domain.events import BY_NAME, Event, Fact
from tests.support.event_examples import (
    MAX_BYTES,
    RECEIVED_MS,
    SKEW_MS,
    accepted,
    codec,
)

CODEC = codec()


def message(name: str, **changes: object) -> dict[str, Any]:
    """Return the accepted example of a type, with changes."""
    return {**json.loads(accepted()[name]), **changes}


def decode(changed: dict[str, Any], key: bytes | None = None) -> Event:
    """Decode a message under its own key, or the given one."""
    subject = str(changed.get("subject")).encode() if key is None else key
    return CODEC.decode(subject, json.dumps(changed).encode(), RECEIVED_MS)


def rejection(changed: dict[str, Any], key: bytes | None = None) -> EventRejected:
    """Return why a message is rejected."""
    with pytest.raises(EventRejected) as caught:
        decode(changed, key)
    return caught.value


def test_an_event_carries_its_fact_in_integers() -> None:
    """Times are milliseconds, money cents, and the fields come in the order of the domain."""
    event = decode(message("declaration.numbered", corrects="sigad-1"))
    assert event == Event(
        subject="118-2025-10-012345",
        type=BY_NAME["declaration.numbered"],
        fact=Fact(
            recorded_ms=1_740_849_342_250,
            event_id="sigad-000004",
            occurred_ms=1_740_849_330_000,
            values=("118", "10", "sea", "anticipated", True, True, 4_512_350, 812_223),
        ),
        corrects="sigad-1",
    )


@pytest.mark.parametrize(
    ("name", "changes", "values"),
    [
        ("goods.exited", {}, ()),
        ("release.granted", {}, ("",)),
        ("oga.decided", {"waiting_hours": 0.1}, ("SENASA", "approved", 360_000)),
        ("oga.decided", {"waiting_hours": 0.29}, ("SENASA", "approved", 1_044_000)),
        ("oga.decided", {"waiting_hours": 2}, ("SENASA", "approved", 7_200_000)),
        (
            "assessment.adjusted",
            {"duties_before_cents": 500, "duties_after_cents": 700},
            (500, 700, 200, "off-0042"),
        ),
        (
            "assessment.adjusted",
            {"duties_before_cents": 700, "duties_after_cents": 500},
            (700, 500, 0, "off-0042"),
        ),
        ("enforcement.recorded", {"weight_kg": 0.0004}, ("118", "seizure", 22_480_000, 0)),
        ("enforcement.recorded", {"weight_kg": 1.2345}, ("118", "seizure", 22_480_000, 1234)),
        (
            "target.revised",
            {"old_value": 48, "new_value": 0.85},
            ("118", "clearance-time", "48.0", "0.85", "Intendencia Nacional"),
        ),
    ],
)
def test_kept_fields_are_derived_exactly(
    name: str, changes: dict[str, object], values: tuple[object, ...]
) -> None:
    """Hours become milliseconds, kilograms grams; a gain is never negative."""
    kept = decode(message(name, **changes)).fact.values
    assert [(type(each), each) for each in kept] == [(type(each), each) for each in values]


@pytest.mark.parametrize("absent", ["source", "corrects"])
def test_what_is_optional_may_be_absent(absent: str) -> None:
    """An event without a source or a correction is an event."""
    changed = message("assessment.adjusted")
    del changed[absent]
    assert decode(changed).subject == "118-2025-10-012345"


def test_each_check_comes_before_the_next() -> None:
    """Repairing one mistake after the other brings up the reasons in their fixed order."""
    good = message("debt.settled")
    repairs: list[tuple[dict[str, object], Reason]] = [
        ({}, Reason.UNKNOWN_TYPE),
        ({"type": "debt.settled"}, Reason.INVALID_FIELD),
        ({"settlement": "paid"}, Reason.NAIVE_TIME),
        ({"occurred_at": "2030-01-01T00:00:00Z"}, Reason.FUTURE_TIME),
        ({"occurred_at": good["occurred_at"]}, Reason.UNKNOWN_OFFICE),
        ({"office": "118"}, Reason.KEY_MISMATCH),
    ]
    changed = message(
        "debt.settled",
        type="debt.paid",
        settlement="waived",
        occurred_at="2030-01-01T00:00:00",
        office="999",
    )
    for repair, reason in repairs:
        changed |= repair
        assert rejection(changed, b"another-subject").reason is reason
    assert decode(changed)


def test_a_null_key_is_seen_before_anything_else() -> None:
    """A record without a key cannot be placed, whatever its value."""
    with pytest.raises(EventRejected) as caught:
        CODEC.decode(None, None, RECEIVED_MS)
    assert caught.value.reason is Reason.KEY_MISMATCH


def test_a_tombstone_is_no_event() -> None:
    """The topic of events is not compacted; a null value there is a mistake."""
    with pytest.raises(EventRejected) as caught:
        CODEC.decode(b"a", None, RECEIVED_MS)
    assert caught.value.reason is Reason.NOT_JSON


def test_the_size_limit_is_inclusive() -> None:
    """A message of just the limit is accepted, one byte more is not."""
    value = accepted()["goods.exited"]
    value += b" " * (MAX_BYTES - len(value))
    assert CODEC.decode_value(value, RECEIVED_MS).type.name == "goods.exited"
    with pytest.raises(EventRejected) as caught:
        CODEC.decode_value(value + b" ", RECEIVED_MS)
    assert caught.value.reason is Reason.OVERSIZED


def test_a_time_may_be_ahead_by_just_the_skew() -> None:
    """The chain is occurred, recorded, received; each may be ahead of the next by the skew."""
    changed = message(
        "goods.exited", occurred_at="2025-03-01T10:05:00Z", recorded_at="2025-03-01T10:00:00Z"
    )
    recorded_ms = 1_740_823_200_000
    just_ahead = json.dumps(changed).encode()
    later = json.dumps({**changed, "occurred_at": "2025-03-01T10:05:00.001Z"}).encode()
    for decoder in (CODEC._fast, CODEC._decide):
        assert decoder(just_ahead, recorded_ms - SKEW_MS)
    for value, received_ms in ((just_ahead, recorded_ms - SKEW_MS - 1), (later, recorded_ms)):
        assert CODEC._fast(value, received_ms) is None
        with pytest.raises(EventRejected) as caught:
            CODEC._decide(value, received_ms)
        assert caught.value.reason is Reason.FUTURE_TIME


def test_without_offices_no_event_is_accepted() -> None:
    """A strategy that names no office knows none, not all."""
    strict = EventCodec(frozenset(), SKEW_MS, MAX_BYTES)
    with pytest.raises(EventRejected) as caught:
        strict.decode_value(accepted()["goods.exited"], RECEIVED_MS)
    assert caught.value.reason is Reason.UNKNOWN_OFFICE


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"channel": "verde"}, "channel: should be 'green', 'orange' or 'red'"),
        ({"basis": None, "office": 7}, "office: should be a valid string (and 1 more)"),
        ({"recorded_at": "yesterday"}, "recorded_at: should be a time like 2026-01-31T08:15:00"),
        ({"recorded_at": "2025-03-01T10:00:00"}, "recorded_at: should end in an offset"),
        ({"type": "channel.asigned"}, "type: should be an event type, not 'channel.asigned'"),
        ({"office": "999"}, "office: 999 should be an office of the strategy"),
    ],
)
def test_the_detail_names_the_field_and_what_would_be_right(
    changes: dict[str, object], detail: str
) -> None:
    """Who repairs the source system reads nothing but this."""
    assert rejection(message("channel.assigned", **changes)).detail.startswith(detail)


def test_a_missing_field_is_called_missing() -> None:
    """As opposed to one with a wrong value."""
    changed = message("channel.assigned")
    del changed["basis"]
    assert rejection(changed).detail == "basis: missing"


def test_deep_nesting_is_refused_at_a_fixed_depth() -> None:
    """Brackets within texts do not nest; the verdict does not depend on the caller's stack."""
    padding = "[{" * 500

    def nested(levels: int) -> dict[str, Any]:
        deep: object = 0
        for _ in range(levels - 1):  # the message itself is the first level
            deep = [deep]
        return message("goods.exited", deep=deep, remark=padding)

    assert decode(nested(DEEPEST))
    assert rejection(nested(DEEPEST + 1)).reason is Reason.NOT_JSON
    text = accepted()["goods.exited"].rstrip()[:-1] + b', "deep": ' + b"[" * 1500 + b"}"
    with pytest.raises(EventRejected, match="levels deep"):
        CODEC.decode_value(text, RECEIVED_MS)


def test_text_that_is_not_utf_8_is_refused_also_where_it_would_be_skipped() -> None:
    """An unknown field is ignored, but the message has to be JSON."""
    value = accepted()["goods.exited"].rstrip()[:-1] + b', "remark": "\xff"}'
    with pytest.raises(EventRejected, match="UTF-8"):
        CODEC.decode_value(value, RECEIVED_MS)


def test_nan_is_refused_also_where_it_would_be_skipped() -> None:
    """It is no JSON; the detail says so rather than naming a byte."""
    value = accepted()["goods.exited"].rstrip()[:-1] + b', "remark": NaN}'
    with pytest.raises(EventRejected, match="NaN and Infinity") as caught:
        CODEC.decode_value(value, RECEIVED_MS)
    assert caught.value.reason is Reason.IMPOSSIBLE_NUMBER


def test_a_producer_can_check_a_mapping_before_it_sends_it() -> None:
    """The verdict is the worker's, also for what JSON cannot say."""
    good = message("debt.settled")
    assert CODEC.validate(good, RECEIVED_MS) == decode(good)
    wrong: list[tuple[object, Reason]] = [
        (float("nan"), Reason.IMPOSSIBLE_NUMBER),
        (1.0, Reason.INVALID_FIELD),
        (object(), Reason.NOT_JSON),
    ]
    for amount, reason in wrong:
        with pytest.raises(EventRejected) as caught:
            CODEC.validate({**good, "amount_cents": amount}, RECEIVED_MS)
        assert caught.value.reason is reason


def test_events_from_elsewhere_may_have_any_offset() -> None:
    """The same instant is the same millisecond."""
    changes = [
        "2025-03-01T10:00:00Z",
        "2025-03-01T05:00:00-05:00",
        "2025-03-01T15:45:00.000999+05:45",
    ]
    instants = {decode(message("goods.exited", occurred_at=at)).fact.occurred_ms for at in changes}
    assert instants == {1_740_823_200_000}
