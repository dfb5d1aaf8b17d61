"""Which lines of a JSONL file are events; the reasons for refusing the others.

Written from the description of the wire format, not from the product's contract.
"""

import gzip
import json
import math
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

FIELDS = (
    # An order in which the kept fields of every type stand as that type declares them, because
    # the last resort between two rival facts compares field by field.
    "office regime transport_mode clearance_mode aeo electronic cif_cents duties_cents "
    "reason_code settlement from_channel channel basis agency result waiting_ms "
    "duties_before_cents duties_after_cents gain_cents officer after_release finding "
    "amount_cents action value_cents weight_grams outcome role status score kpi old_value "
    "new_value author"
).split()

CODE = re.compile(r"[A-Za-z0-9._:-]{1,64}", re.ASCII)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)

Check = Callable[[Any], str | None]
"""Returns the reason for refusing a value, or None."""


class Line(NamedTuple):
    """An accepted line: the envelope, and the kept fields by name."""

    type: str
    subject: str
    event_id: str
    recorded_ms: int
    occurred_ms: int
    corrects: str | None
    kept: dict[str, Any]

    @property
    def content(self) -> str:
        """The kept values as one text: equal if the facts say the same; the last tie-break."""
        return repr(tuple(self.kept.values()))


class Refused(Exception):
    """The line is not an event; the only argument is the reason."""


def _whole(low: int = 0, high: int | None = None) -> Check:
    def check(value: Any) -> str | None:
        if isinstance(value, float) and not math.isfinite(value):
            return "impossible_number"
        if isinstance(value, bool) or not isinstance(value, int):
            return "invalid_field"
        if value < 0:
            return "impossible_number"
        return None if value >= low and (high is None or value <= high) else "invalid_field"

    return check


def _number(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "invalid_field"
    return None if math.isfinite(value) and value >= 0 else "impossible_number"


def _flag(value: Any) -> str | None:
    return None if isinstance(value, bool) else "invalid_field"


def _text(value: Any) -> str | None:
    return None if isinstance(value, str) else "invalid_field"


def _code(value: Any) -> str | None:
    return None if isinstance(value, str) and CODE.fullmatch(value) else "invalid_field"


def _like(pattern: str) -> Check:
    form = re.compile(pattern, re.ASCII)
    return lambda value: (
        None if isinstance(value, str) and form.fullmatch(value) else "invalid_field"
    )


def _one_of(words: str) -> Check:
    allowed = frozenset(words.split())
    return lambda value: None if isinstance(value, str) and value in allowed else "invalid_field"


def _time(value: Any) -> str | None:
    if not isinstance(value, str):
        return "invalid_field"
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return "invalid_field"
    return "naive_time" if moment.tzinfo is None else None


_CENTS = _whole()
_CHANNEL = _one_of("green orange red")
_MODE = _one_of("sea air road river rail mail")
_RESULT = _one_of("conforming discrepancy")

# Type -> field -> check; a trailing question mark marks a field that may be missing.
TYPES: dict[str, dict[str, Check]] = {
    "manifest.transmitted": {"manifest_id": _text, "transport_mode": _MODE, "eta": _time},
    "transport.arrived": {"manifest_id": _text},
    "discharge.completed": {"manifest_id": _text},
    "declaration.numbered": {
        "regime": _like("[0-9]{2}"),
        "transport_mode": _MODE,
        "clearance_mode": _one_of("anticipated deferred urgent"),
        "importer": _text,
        "declarant": _text,
        "aeo": _flag,
        "electronic": _flag,
        "hs_chapter": _like("0[1-9]|[1-9][0-9]"),
        "origin": _like("[A-Z]{2}"),
        "cif_cents": _CENTS,
        "duties_cents": _CENTS,
    },
    "declaration.rejected": {"reason_code": _text},
    "debt.settled": {"settlement": _one_of("paid guaranteed"), "amount_cents": _CENTS},
    "channel.assigned": {"channel": _CHANNEL, "basis": _one_of("risk random mandatory")},
    "channel.changed": {
        "from_channel": _CHANNEL,
        "channel": _CHANNEL,
        "basis": _one_of("discretion risk mandatory"),
        "officer": _text,
        "reason": _text,
    },
    "officer.assigned": {"officer": _text},
    "documents.requested": {},
    "documents.received": {},
    "review.completed": {"result": _RESULT, "officer": _text},
    "inspection.started": {"officer": _text},
    "inspection.completed": {"result": _RESULT, "officer": _text, "discrepancy_class?": _text},
    "scan.completed": {"result": _RESULT},
    "oga.decided": {
        "agency": _text,
        "result": _one_of("approved denied"),
        "waiting_hours": _number,
    },
    "assessment.adjusted": {
        "duties_before_cents": _CENTS,
        "duties_after_cents": _CENTS,
        "officer": _text,
    },
    "declaration.amended": {"after_release": _flag},
    "declaration.cancelled": {"reason_code": _text},
    "release.granted": {"officer?": _text},
    "goods.exited": {},
    "regularization.completed": {},
    "audit.completed": {"finding": _flag, "amount_cents": _CENTS},
    "enforcement.recorded": {
        "action": _one_of("seizure hold inspection destruction"),
        "goods": _text,
        "value_cents": _CENTS,
        "weight_kg": _number,
    },
    "appeal.filed": {"declaration": _text},
    "appeal.resolved": {"outcome": _one_of("upheld dismissed partial")},
    "refund.requested": {"amount_cents": _CENTS},
    "refund.paid": {"amount_cents": _CENTS},
    "aeo.status_changed": {
        "role": _one_of("importer exporter agent warehouse express"),
        "status": _one_of("granted suspended revoked"),
    },
    "survey.answered": {"score": _whole(1, 5)},
    "target.revised": {
        "kpi": _text,
        "old_value": _number,
        "new_value": _number,
        "author": _text,
        "reason": _text,
    },
}

OPENING = frozenset(
    "declaration.numbered audit.completed enforcement.recorded appeal.filed refund.requested "
    "aeo.status_changed survey.answered target.revised".split()
)
"""Types whose office is kept; the other events of a subject take it from these."""


def _milliseconds(text: str) -> int:
    return (datetime.fromisoformat(text) - EPOCH) // MILLISECOND


def _object(raw: bytes, max_bytes: int) -> dict[str, Any]:
    if len(raw) > max_bytes:
        raise Refused("oversized")
    try:
        event = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Refused("not_json") from None
    if not isinstance(event, dict):
        raise Refused("not_json")
    return event


def _reasons(event: dict[str, Any]) -> Iterator[str | None]:
    for name in ("event_id", "subject", "office"):
        yield _code(event.get(name))
    yield _whole(1, 1)(event.get("schema_version"))
    if event.get("corrects") is not None:
        yield _code(event["corrects"])
    for name in ("occurred_at", "recorded_at"):
        yield _time(event.get(name))
    for declared, check in TYPES[event["type"]].items():
        name = declared.removesuffix("?")
        if declared == name or event.get(name) is not None:
            yield check(event.get(name))


def _check_fields(event: dict[str, Any]) -> None:
    reasons = [reason for reason in _reasons(event) if reason]
    # Fields are looked at before times, so another fault comes before a missing offset.
    for reason in sorted(reasons, key="naive_time".__eq__):
        raise Refused(reason)


def _kept(event: dict[str, Any]) -> dict[str, Any]:
    known = dict(event)
    # A type keeps only its own fields: an extra one of another type's name is not its content.
    own = {name.removesuffix("?") for name in TYPES[event["type"]]}
    if event["type"] in OPENING:
        own.add("office")
    if event["type"] == "channel.changed":
        own.discard("officer")
    if event["type"] == "assessment.adjusted":
        own.add("gain_cents")
        gain = event["duties_after_cents"] - event["duties_before_cents"]
        known["gain_cents"] = max(0, gain)
    if event["type"] == "oga.decided":
        own.add("waiting_ms")
        known["waiting_ms"] = round(event["waiting_hours"] * 3_600_000)
    if event["type"] == "enforcement.recorded":
        own.add("weight_grams")
        known["weight_grams"] = round(event["weight_kg"] * 1000)
    return {name: known.get(name) for name in FIELDS if name in own}


def read_line(
    raw: bytes, offices: frozenset[str], received_ms: int, skew_ms: int, max_bytes: int
) -> Line:
    """Return the accepted line.

    Args:
        raw: One line of the file, without its end.
        offices: Codes that an event may name.
        received_ms: When the file is read; a later `recorded_at` (plus the skew) is refused.
        skew_ms: How far clocks may differ.
        max_bytes: Longer lines are refused unread.

    Raises:
        Refused: with the reason, one word.
    """
    event = _object(raw, max_bytes)
    kind = event.get("type")
    if not isinstance(kind, str) or kind not in TYPES:
        raise Refused("unknown_type")
    _check_fields(event)
    occurred, recorded = _milliseconds(event["occurred_at"]), _milliseconds(event["recorded_at"])
    if occurred > recorded + skew_ms or recorded > received_ms + skew_ms:
        raise Refused("future_time")
    if event["office"] not in offices:
        raise Refused("unknown_office")
    return Line(
        kind,
        event["subject"],
        event["event_id"],
        recorded,
        occurred,
        event.get("corrects"),
        _kept(event),
    )


def raw_lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a JSONL file that are not empty; it is gunzipped if named `.gz`."""
    opener: Callable[..., Any] = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rb") as file:
        for raw in file:
            if line := raw.rstrip(b"\r\n"):
                yield line
