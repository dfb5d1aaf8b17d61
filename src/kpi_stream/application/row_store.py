"""The rows that one partition holds in memory: hot panes, hot days and late generations."""

from collections import defaultdict
from typing import TypeAlias

from kpi_stream.application.ports import StateCodec
from kpi_stream.domain.rows import Row, RowKey, day_start, decode_key, fine_start
from kpi_stream.domain.terms import Contributions, Counters
from kpi_stream.domain.windows import PANE_MS, PANES_KEPT, LocalDays

HOT_DAYS = 40
"""Days for which a day row stays in memory; a later contribution opens a generation of it."""

_MANY = 50
"""Counters from which on a row is kept in the order in which it is written: the histograms of a
busy office have a thousand, and to sort them takes twice as long as to write them."""

Rows: TypeAlias = defaultdict[str, Row]
"""The rows of one pane, by their members."""


def _rows() -> Rows:
    return defaultdict(Row)


def _counters() -> defaultdict[str, dict[str, int]]:
    return defaultdict(dict)


class RowStore:
    """Counters by pane and members; knows what changed since the last drain.

    What is added stays pending until the drain, since many events of one flush fall into the same
    pane; a day that is cold at that moment is continued under generation 0 all the same when it
    was hot at the event, so that where a drain happens does not show.
    """

    def __init__(self, days: LocalDays, codec: StateCodec) -> None:
        """Start empty."""
        self._day_of, self._codec = days.day_of, codec
        self._panes: defaultdict[int, Rows] = defaultdict(_rows)
        self._days: defaultdict[tuple[int, int], Rows] = defaultdict(_rows)
        self._pending: defaultdict[int, defaultdict[str, dict[str, int]]] = defaultdict(_counters)
        self._dirty: list[tuple[str, Row]] = []
        self._hot_pane = -(1 << 62)
        self._hot_day = -(1 << 62)
        self._generation = 0

    def __len__(self) -> int:
        """Return how many rows are in memory."""
        return sum(map(len, self._panes.values())) + sum(map(len, self._days.values()))

    def add(self, members: str, contributions: Contributions, sign: int) -> None:
        """Add (1) or retract (-1) contributions at the panes and days of their times."""
        for time_ms, counters in contributions:
            pane = time_ms // PANE_MS
            if pane < self._hot_pane and self._day_of(time_ms) < self._hot_day:
                self._add_late(self._day_of(time_ms), members, counters, sign)
                continue
            held = self._pending[pane][members]
            for name, value in counters:
                held[name] = held.get(name, 0) + value * sign

    def _add_late(self, day: int, members: str, counters: Counters, sign: int) -> None:
        """Open or continue a generation, which the watermark of this very event names."""
        row = self._days[day, self._generation][members]
        row.add(counters, sign)
        if not row.dirty:
            row.dirty = True
            self._dirty.append((day_start(day, self._generation) + members, row))

    def _settle(self) -> None:
        """Move what is pending to the rows of its panes and days."""
        dirty = self._dirty
        for pane, by_members in self._pending.items():
            day = self._day_of(pane * PANE_MS)
            of_day, of_pane = day_start(day), fine_start(pane)
            days = self._days[day, 0]
            # A pane that went cold is read by no window any more; its day is, for ever.
            panes = self._panes[pane] if pane >= self._hot_pane else None
            for members, held in by_members.items():
                counters = held
                if 0 in held.values():
                    counters = {name: value for name, value in held.items() if value}
                if not counters:
                    continue
                row = days[members]
                row.add(counters.items())
                if not row.dirty:
                    row.dirty = True
                    dirty.append((of_day + members, row))
                if panes is not None:
                    fine = panes.get(members)
                    if fine is None:
                        # Nothing else holds what was pending.
                        fine = panes[members] = Row(counters)
                    else:
                        fine.add(counters.items())
                    # Once a drain, so it needs no mark.
                    dirty.append((of_pane + members, fine))
        self._pending.clear()

    def advance(self, watermark_ms: int) -> None:
        """Move the edge between hot and cold; called whenever the watermark rises."""
        self._hot_pane = watermark_ms // PANE_MS - PANES_KEPT
        today = self._day_of(watermark_ms)
        self._hot_day, self._generation = today - HOT_DAYS, today

    def drain(self, watermark_ms: int) -> list[tuple[bytes, bytes | None]]:
        """Return the records of the rows that changed, and drop the cold rows from memory."""
        self._settle()
        records: list[tuple[bytes, bytes | None]] = []
        for key, row in self._dirty:
            row.dirty = False
            # An emptied row is written as `{}`: a tombstone means that a pane went cold.
            if row.counters or row.written:
                records.append((key.encode(), self._encode(row)))
                row.written = True
        self._dirty.clear()
        if watermark_ms >= 0:
            records.extend(self._cool())
        return records

    def _encode(self, row: Row) -> bytes:
        """Return the counters in the order of their names, as every row is written."""
        if row.ordered:
            return self._codec.encode_ordered(row.counters)
        record = self._codec.encode_counters(row.counters)
        if len(row.counters) >= _MANY:
            row.counters, row.ordered = dict(sorted(row.counters.items())), True
        return record

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Take back one record of the rows' topic."""
        row_key = decode_key(key)
        if value is None:
            self._held(row_key).pop(row_key.members, None)
            return
        held = self._held(row_key)
        counters = self._codec.decode_counters(value)
        held[row_key.members] = Row(counters, written=True, ordered=True)

    def restored(self, watermark_ms: int) -> None:
        """Drop what is cold by the restored watermark."""
        if watermark_ms >= 0:
            self.advance(watermark_ms)
            # Tombstones for panes that went cold are written by the next drain.
            for key in [key for key in self._days if self._is_cold(*key)]:
                del self._days[key]

    def _held(self, key: RowKey) -> Rows:
        return self._panes[key.start] if key.fine else self._days[key.start, key.generation]

    def _is_cold(self, day: int, generation: int) -> bool:
        # A generation of a later day than the watermark's: the rows were written, the subjects were
        # not (at_least_once), and the events in between will continue it.
        return generation < self._generation if generation else day < self._hot_day

    def _cool(self) -> list[tuple[bytes, bytes | None]]:
        records: list[tuple[bytes, bytes | None]] = []
        for pane in [pane for pane in self._panes if pane < self._hot_pane]:
            of_pane = fine_start(pane)
            for members, row in self._panes.pop(pane).items():
                if row.written:
                    records.append(((of_pane + members).encode(), None))
        for key in [key for key in self._days if self._is_cold(*key)]:
            del self._days[key]
        return records
