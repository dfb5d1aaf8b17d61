"""Faults in stated shares: what a real feed does, and what must be rejected.

Works on encoded events and touches only those it spoils. Nothing moves forward in the log, so the
events that were already handed out stay right.
"""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from kpi_stream.adapters.simulator.options import Injections
from kpi_stream.adapters.simulator.wire import Turn
from kpi_stream.domain.errors import Reason
from kpi_stream.domain.events import BY_NAME

_MINUTE_MS = 60_000
_HOUR_MS = 60 * _MINUTE_MS
_DISORDER_MS = 10 * _MINUTE_MS
_DUPLICATE_MS = 24 * _HOUR_MS
_LATE_MS = (2 * _HOUR_MS, 96 * _HOUR_MS)
_CORRECTED_MS = (_HOUR_MS, 72 * _HOUR_MS)
_CONFLICT_MS = (_MINUTE_MS, 24 * _HOUR_MS)
_WRONG_BY_MS = (30 * _MINUTE_MS, 12 * _HOUR_MS)
"""A wrong fact says that it happened this much earlier."""

AFTER_MS = max(_LATE_MS[1], _DUPLICATE_MS) + _CORRECTED_MS[1] + _DISORDER_MS
"""Nothing that is injected comes later than this after the event it is made from."""

_Fields = dict[str, Any]
_Message = tuple[bytes | None, bytes]


def inject(turns: list[Turn], injections: Injections, rng: np.random.Generator) -> list[Turn]:
    """Return the turns with faults among them.

    Args:
        turns: Valid events.
        injections: The shares.
        rng: Where chance comes from.
    """
    late, corrections, conflicts, malformed, duplicates, disorder = (
        np.flatnonzero(rng.random(len(turns)) < share).tolist()
        for share in (
            injections.late,
            injections.corrections,
            injections.conflicts,
            injections.malformed,
            injections.duplicates,
            injections.disorder,
        )
    )
    chance = _Chance(rng)
    spoilt = list(turns)
    for n in late:
        spoilt[n] = _late(spoilt[n], chance)
    for n in corrections:
        wrong, right = _correction(spoilt[n], chance)
        spoilt[n] = wrong
        spoilt.append(right)
    corrected = set(corrections)
    for n in conflicts:
        # A rival of a fact that is corrected as well would make the right answer ambiguous.
        if n not in corrected and not _type_of(spoilt[n]).repeatable:
            spoilt.append(_conflict(spoilt[n], chance))
    for n in malformed:
        spoilt.append(_malformed(spoilt[n], injections, chance))
    for n in duplicates:
        append_ms, word, key, value = spoilt[n]
        spoilt.append((append_ms + chance.between(0, _DUPLICATE_MS), word + "d", key, value))
    for n in disorder:
        append_ms, word, key, value = spoilt[n]
        spoilt[n] = (append_ms + chance.between(0, _DISORDER_MS), word, key, value)
    return spoilt


class _Chance:
    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng

    def between(self, low: int, high: int) -> int:
        """Return a whole number in [low, high)."""
        return int(self._rng.integers(low, high))

    def one_of(self, count: int) -> int:
        return int(self._rng.integers(0, count))


def _type_of(turn: Turn) -> Any:  # noqa: ANN401
    return BY_NAME[_fields(turn)["type"]]


def _fields(turn: Turn) -> _Fields:
    fields: _Fields = json.loads(turn[3])
    return fields


def _encode(fields: _Fields) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode()


def _moved(moment: str, by_ms: int) -> str:
    moved = datetime.fromisoformat(moment) + timedelta(milliseconds=by_ms)
    return moved.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _late(turn: Turn, chance: _Chance) -> Turn:
    append_ms, word, key, _ = turn
    fields, by_ms = _fields(turn), chance.between(*_LATE_MS)
    fields["recorded_at"] = _moved(fields["recorded_at"], by_ms)
    return append_ms + by_ms, word, key, _encode(fields)


def _correction(turn: Turn, chance: _Chance) -> tuple[Turn, Turn]:
    append_ms, word, key, _ = turn
    wrong, right = _fields(turn), _fields(turn)
    by_ms = chance.between(*_CORRECTED_MS)
    wrong["occurred_at"] = _moved(wrong["occurred_at"], -chance.between(*_WRONG_BY_MS))
    right["event_id"] += ".c"
    right["corrects"] = wrong["event_id"]
    right["recorded_at"] = _moved(right["recorded_at"], by_ms)
    first = (append_ms, word, key, _encode(wrong))
    return first, (append_ms + by_ms, word + "c", key, _encode(right))


def _conflict(turn: Turn, chance: _Chance) -> Turn:
    append_ms, word, key, _ = turn
    fields, by_ms = _fields(turn), chance.between(*_CONFLICT_MS)
    fields["event_id"] += ".x"
    fields["occurred_at"] = _moved(fields["occurred_at"], -chance.between(*_WRONG_BY_MS))
    fields["recorded_at"] = _moved(fields["recorded_at"], by_ms)
    return append_ms + by_ms, word + "x", key, _encode(fields)


def _malformed(turn: Turn, injections: Injections, chance: _Chance) -> Turn:
    _, make = MALFORMED[chance.one_of(len(MALFORMED))]
    key, value = make(turn, injections.max_bytes)
    return turn[0], turn[1] + "m", key, value


def _with(turn: Turn, **changes: Any) -> _Message:  # noqa: ANN401  (JSON values)
    return turn[2], _encode(_fields(turn) | changes)


def _without(turn: Turn, name: str) -> _Message:
    fields = _fields(turn)
    del fields[name]
    return turn[2], _encode(fields)


def _oversized(turn: Turn, max_bytes: int) -> _Message:
    key, value = _with(turn, padding="")
    return key, value[:-2] + b"x" * (max_bytes + 1 - len(value)) + b'"}'


def _naive(turn: Turn, _: int) -> _Message:
    return _with(turn, occurred_at=_fields(turn)["occurred_at"].removesuffix("Z"))


def _future(turn: Turn, _: int) -> _Message:
    return _with(turn, occurred_at=_moved(_fields(turn)["recorded_at"], 48 * _HOUR_MS))


_SETTLED = {"type": "debt.settled", "settlement": "paid"}
_Maker = Callable[[Turn, int], _Message]

MALFORMED: tuple[tuple[Reason, _Maker], ...] = (
    (Reason.NOT_JSON, lambda turn, _: (turn[2], turn[3][: len(turn[3]) // 2])),
    (Reason.NOT_JSON, lambda turn, _: (turn[2], b"\xff\xfe not text")),
    (Reason.UNKNOWN_TYPE, lambda turn, _: _with(turn, type="declaration.teleported")),
    (Reason.INVALID_FIELD, lambda turn, _: _without(turn, "event_id")),
    (Reason.INVALID_FIELD, lambda turn, _: _with(turn, schema_version="one")),
    (Reason.IMPOSSIBLE_NUMBER, lambda turn, _: _with(turn, **_SETTLED, amount_cents=-1)),
    (
        Reason.IMPOSSIBLE_NUMBER,
        lambda turn, _: _with(turn, **_SETTLED, amount_cents=float("nan")),
    ),
    (Reason.NAIVE_TIME, _naive),
    (Reason.FUTURE_TIME, _future),
    (Reason.UNKNOWN_OFFICE, lambda turn, _: _with(turn, office="no-such-office")),
    (Reason.OVERSIZED, _oversized),
    # In a file the key of a line is its subject: there these two are duplicates, and harmless.
    (Reason.KEY_MISMATCH, lambda turn, _: (b"somebody-else", turn[3])),
    (Reason.KEY_MISMATCH, lambda turn, _: (None, turn[3])),
)
"""Every way to be wrong, with the reason for which it must be rejected."""
