"""Events in wire form: rows of columns become JSON values, each with its key and its turn.

The field names are those of the event contract. Identifiers need no store: they are made from the
seed, the day and a counter, and so stay the same from run to run.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import repeat
from typing import Any, NamedTuple, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from kpi_stream.adapters.simulator.office_hours import Moments

_ENVELOPE = (
    "event_id", "type", "schema_version", "subject",
    "occurred_at", "recorded_at", "office", "source",
)  # fmt: skip
_SYMBOLS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_BLOCK = len(_SYMBOLS) ** 2
_PAIRS = [a + b for a in _SYMBOLS for b in _SYMBOLS]

_RECORDED_AFTER_S = 15.0
_RECORDED_SIGMA = 1.3
_RECORDED_CAP_S = 1_800.0
"""The source system writes an event down some seconds after it occurred. An assumption."""


class Record(NamedTuple):
    """One message: what goes to Kafka, or as a line to a file."""

    key: bytes | None
    value: bytes
    append_ms: int
    """When it takes its place in the log; milliseconds since 1970 UTC."""


Turn: TypeAlias = tuple[int, str, bytes | None, bytes]
"""append_ms, a unique word that decides between equal times, key, value: sorts as it stands."""

Column: TypeAlias = Sequence[Any] | NDArray[Any] | str


def base32(number: int, length: int) -> str:
    """Return the last `length` base-32 digits of a number.

    Example:
        >>> base32(33, 3)
        'ABB'
    """
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_SYMBOLS))
        digits.append(_SYMBOLS[digit])
    return "".join(reversed(digits))


def iso(moments_ms: NDArray[np.int64]) -> list[str]:
    """Return RFC 3339 times in UTC with milliseconds."""
    moments = moments_ms.astype("datetime64[ms]")
    words: list[str] = np.datetime_as_string(moments, unit="ms", timezone="UTC").tolist()
    return words


def digest(*parts: object) -> int:
    """Return 64 bits that depend on every part and on nothing else."""
    text = "\x1f".join(map(str, parts))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


@dataclass(slots=True)
class EventWriter:
    """Encodes the events of one day and one replica.

    Args:
        prefix: Begins every event_id of the day.
        source: The envelope's `source`.
        rng: Draws the delay of the recording.
    """

    prefix: str
    source: str
    rng: np.random.Generator
    turns: list[Turn] = field(default_factory=list)
    """What was written so far, in no particular order."""

    def add(
        self,
        event_type: str,
        occurred: Moments,
        subject: NDArray[np.object_],
        office: NDArray[np.object_],
        /,
        **columns: Column,
    ) -> None:
        """Write one event for every moment that is not NaN.

        Args:
            event_type: The wire name.
            occurred: When; NaN writes nothing.
            subject: Whom it is about, one element a moment.
            office: The office code, one element a moment.
            columns: The type's own fields; a str is the same for every event.
        """
        rows = np.flatnonzero(occurred == occurred)  # noqa: PLR0124  (false for NaN alone)
        if rows.size == 0:
            return
        delay = _RECORDED_AFTER_S * np.exp(_RECORDED_SIGMA * self.rng.standard_normal(rows.size))
        occurred_ms = np.floor(occurred[rows]).astype(np.int64)
        recorded_ms = occurred_ms + (np.minimum(delay, _RECORDED_CAP_S) * 1000).astype(np.int64)
        subjects: list[str] = subject[rows].tolist()
        ids = self._ids(rows.size)
        names = (*_ENVELOPE, *columns)
        values = zip(
            ids,
            repeat(event_type),
            repeat(1),
            subjects,
            iso(occurred_ms),
            iso(recorded_ms),
            office[rows].tolist(),
            repeat(self.source),
            *(_cells(column, rows) for column in columns.values()),
            strict=False,  # the repeated ones have no end
        )
        encode = msgspec.json.Encoder().encode
        self.turns.extend(
            (append_ms, event_id, key.encode(), encode(dict(zip(names, row, strict=True))))
            for append_ms, event_id, key, row in zip(
                recorded_ms.tolist(), ids, subjects, values, strict=True
            )
        )

    def _ids(self, count: int) -> list[str]:
        start = len(self.turns)
        prefix = self.prefix
        return [
            f"{prefix}{_PAIRS[n // _BLOCK % _BLOCK]}{_PAIRS[n % _BLOCK]}"
            for n in range(start, start + count)
        ]


def _cells(column: Column, rows: NDArray[np.int64]) -> Any:  # noqa: ANN401  (an iterable of JSON)
    if isinstance(column, str):
        return repeat(column)
    if isinstance(column, np.ndarray):
        return column[rows].tolist()
    return [column[row] for row in rows.tolist()]
