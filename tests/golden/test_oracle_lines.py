"""Which lines the oracle refuses, and with which word."""

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.oracle.feed import DEFAULTS, Feed
from tests.oracle.lines import Refused, raw_lines, read_line

OFFICES = frozenset({"118", "235"})
RECEIVED_MS = int(datetime(2026, 3, 5, tzinfo=UTC).timestamp() * 1000)
SKEW_MS = 300_000
Event = dict[str, Any]


def reason(raw: bytes) -> str | None:
    """Return why a line is refused, or None."""
    try:
        read_line(raw, OFFICES, RECEIVED_MS, SKEW_MS, 2_000)
    except Refused as refused:
        return str(refused)
    return None


def settled(**changes: Any) -> bytes:
    """Return a payment with some fields changed; a field of `...` is left out."""
    event = Feed().event("debt.settled", "D1", "02 09:00") | changes
    return json.dumps({key: value for key, value in event.items() if value is not ...}).encode()


@pytest.mark.parametrize("kind", sorted(DEFAULTS))
def test_every_type_is_accepted(kind: str) -> None:
    """The events of the hand-made feeds are valid."""
    assert reason(json.dumps(Feed().event(kind, "D1", "02 09:00")).encode()) is None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"", "not_json"),
        (b"{", "not_json"),
        (b"[]", "not_json"),
        (b"\xff\xfe", "not_json"),
        (settled()[:-5], "not_json"),
        (settled(type="debt.forgotten"), "unknown_type"),
        (settled(type=...), "unknown_type"),
        (settled(subject=...), "invalid_field"),
        (settled(subject="a b"), "invalid_field"),
        (settled(event_id="x" * 65), "invalid_field"),
        (settled(schema_version=2), "invalid_field"),
        (settled(amount_cents=...), "invalid_field"),
        (settled(amount_cents="1"), "invalid_field"),
        (settled(amount_cents=1.0), "invalid_field"),
        (settled(amount_cents=True), "invalid_field"),
        (settled(amount_cents=-1), "impossible_number"),
        (settled(amount_cents=float("nan")), "impossible_number"),
        (settled(settlement="owed"), "invalid_field"),
        (settled(occurred_at="2026-03-02T09:00:00"), "naive_time"),
        (settled(occurred_at="yesterday"), "invalid_field"),
        (settled(occurred_at="2026-03-02T14:06:01Z"), "future_time"),
        (settled(recorded_at="2026-03-05T00:05:01Z"), "future_time"),
        (settled(office="999"), "unknown_office"),
        (settled(source="x" * 2_000), "oversized"),
        (settled(office="999", recorded_at="2026-03-05T00:06:00Z"), "future_time"),
        (settled(amount_cents=..., occurred_at="2026-03-02T09:00:00"), "invalid_field"),
    ],
)
def test_refused_lines(line: bytes, expected: str) -> None:
    """Each fault has its reason; of two, the one that is looked at first."""
    assert reason(line) == expected


@pytest.mark.parametrize(
    "change",
    [
        {"occurred_at": "2026-03-02T14:06:00Z"},
        {"recorded_at": "2026-03-05T00:05:00Z"},
        {"corrects": None},
        {"colour": "blue"},
        {"amount_cents": 0},
    ],
)
def test_accepted_at_the_edge(change: Event) -> None:
    """Exactly the skew, zero cents and unknown fields are fine."""
    assert reason(settled(**change)) is None


def test_times_are_cut_to_milliseconds() -> None:
    """Before 1970 as well as after it, a fraction is cut towards the past."""

    def read(text: str) -> int:
        raw = settled(occurred_at=text)
        return read_line(raw, OFFICES, RECEIVED_MS, SKEW_MS, 2_000).occurred_ms

    assert read("1970-01-01T00:00:00.0019Z") == 1
    assert read("1969-12-31T23:59:59.9999Z") == -1
    assert read("1970-01-01T00:00:01.5+01:00") == -3_598_500


@pytest.mark.parametrize(
    ("kind", "fields", "expected"),
    [
        ("assessment.adjusted", {"duties_after_cents": 1}, {"gain_cents": 0}),
        ("assessment.adjusted", {"duties_after_cents": 20_001}, {"gain_cents": 1}),
        ("oga.decided", {"waiting_hours": 0.1}, {"waiting_ms": 360_000}),
        ("enforcement.recorded", {"weight_kg": 0.0006}, {"weight_grams": 1}),
    ],
)
def test_derived_fields(kind: str, fields: Event, expected: Event) -> None:
    """Gains, waiting times and weights are whole numbers."""
    raw = json.dumps(Feed().event(kind, "D1", "02 09:00", **fields)).encode()
    kept = read_line(raw, OFFICES, RECEIVED_MS, SKEW_MS, 2_000).kept
    assert expected.items() <= kept.items()


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_files_may_be_gzipped(tmp_path: Path, name: str) -> None:
    """Empty lines are no lines, with either end of line."""
    opener: Callable[..., Any] = gzip.open if name.endswith(".gz") else open
    with opener(tmp_path / name, "wb") as file:
        file.write(b'{"a": 1}\r\n\n\r\n{"b": 2} ')
    assert list(raw_lines(tmp_path / name)) == [b'{"a": 1}', b'{"b": 2} ']
