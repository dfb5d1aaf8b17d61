"""Rows: integer counters of one pane and one combination of members, and their keys.

Key of a fine row: `f|<pane start in epoch seconds>|<members>`, of a day row:
`d|<local date>|<generation>|<members>`.

A *generation* keeps the worker's memory bounded: it drops day rows that are long past (hot_days)
and cannot add to what it no longer holds. A contribution to such a row opens another row of the
same day, named by the day of the watermark at that moment, which depends on the log alone, never
on when a process restarted. Readers add generations up. Fine rows need none: a pane older than
eight days is read by no window.
"""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from kpi_stream.domain.windows import PANE_MS

PANE_S = PANE_MS // 1000


class RowKey(NamedTuple):
    """Which row of one partition."""

    fine: bool
    """True: `start` is a pane number; False: a local day's ordinal."""
    start: int
    generation: int
    """0 for a row that was hot, else the ordinal of the watermark's day."""
    members: str


def encode_key(key: RowKey) -> bytes:
    """Return the key as it stands in the topic.

    Example:
        >>> encode_key(RowKey(True, 2, 0, "118|sea"))
        b'f|1800|118|sea'
        >>> encode_key(RowKey(False, 739579, 0, "118|sea"))
        b'd|2025-11-24|0|118|sea'
    """
    start = fine_start(key.start) if key.fine else day_start(key.start, key.generation)
    return (start + key.members).encode()


def fine_start(pane: int) -> str:
    """Return how the keys of a pane's rows begin, up to the members."""
    return f"f|{pane * PANE_S}|"


def day_start(day: int, generation: int = 0) -> str:
    """Return how the keys of a day's rows begin, up to the members."""
    return f"d|{date.fromordinal(day).isoformat()}|{generation}|"


def decode_key(key: bytes) -> RowKey:
    """Return the parts of a row's key.

    Example:
        >>> decode_key(b"d|2025-11-24|0|118|sea")
        RowKey(fine=False, start=739579, generation=0, members='118|sea')

    Raises:
        ValueError: The key is not one of a row.
    """
    text = key.decode()
    if text.startswith("f|"):
        _, start, members = text.split("|", 2)
        return RowKey(fine=True, start=int(start) // PANE_S, generation=0, members=members)
    if text.startswith("d|"):
        _, day, generation, members = text.split("|", 3)
        ordinal = date.fromisoformat(day).toordinal()
        return RowKey(fine=False, start=ordinal, generation=int(generation), members=members)
    msg = f"not a row key: {text[:80]!r}"
    raise ValueError(msg)


class Row:
    """The counters of one row.

    No dataclass: the constructor of one is not compiled, and an event makes a row on average.
    """

    __slots__ = ("counters", "dirty", "ordered", "written")

    def __init__(
        self,
        counters: dict[str, int] | None = None,
        *,
        written: bool = False,
        ordered: bool = False,
    ) -> None:
        """Start empty, or with counters, which are kept and not copied.

        Args:
            counters: None of which is 0.
            written: It stands in the topic, so that its end needs a tombstone.
            ordered: The counters are in the order of their names.
        """
        self.counters: dict[str, int] = {} if counters is None else counters
        self.dirty = False
        """Changed since it was last written."""
        self.written = written
        self.ordered = ordered

    def add(self, counters: Iterable[tuple[str, int]], sign: int = 1) -> None:
        """Add (sign 1) or retract (sign -1) counters, none of which is 0."""
        held = self.counters
        for name, value in counters:
            before = held.get(name)
            if before is None:
                held[name] = value * sign
                self.ordered = False
                continue
            total = before + value * sign
            if total:
                held[name] = total
            else:
                del held[name]
