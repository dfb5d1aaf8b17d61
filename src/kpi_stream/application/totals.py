"""The sums that readings are made of: rows of every partition and generation, added up.

Rows arrive as absolute values; their differences to what was known are queued and added to dense
sheets in one vectorised step when a reading is asked for.
"""

from array import array
from collections.abc import Hashable, Mapping, Sequence
from enum import IntEnum
from itertools import count
from operator import add
from typing import NamedTuple

import numpy as np

from kpi_stream.application.ledger import Ledger
from kpi_stream.application.ports import StateCodec
from kpi_stream.application.sheets import Ints, Sheet
from kpi_stream.domain.catalogue import ABSENT, CONFLICTING, Catalogue
from kpi_stream.domain.errors import OtherDefinitions
from kpi_stream.domain.rows import RowKey, decode_key
from kpi_stream.domain.strategy import NATIONAL
from kpi_stream.domain.windows import PANE_MS, PANES_KEPT, Span

DAYS_KEPT = 760
"""Local days that readings can look back on: 25 months, so that 12 months have a year before."""

_DAYS_AHEAD = 62
_PANES_AHEAD = 96 * 4
"""Room for what falls due later (`within`); anything further ahead waits beside its sheet."""


_NO_ENTRIES: Ints = np.zeros((4, 0), dtype=np.int64)
"""Of pane, row, column and delta."""


class Place(IntEnum):
    """What holds a counter."""

    COUNTER = 0
    BUCKET = 1
    """Of a KPI's histogram: a sheet of its own."""
    STAGE_BUCKET = 2
    """Of a stage's histogram: a ledger, since there are many and nobody reads them all."""


class Column(NamedTuple):
    """Where a counter lives."""

    place: Place
    number: int


class RowTotals:
    """Adds rows up by pane and member."""

    def __init__(self, catalogue: Catalogue, codec: StateCodec) -> None:
        """Start empty."""
        self._catalogue, self._codec = catalogue, codec
        self._dimensions = tuple(each.id for each in catalogue.strategy.dimensions)
        self._held: dict[tuple[int, bytes], bytes] = {}
        self.members: dict[tuple[str, str], int] = {(NATIONAL, ""): 0}
        self.first_day: int | None = None
        """The first local day of which there is a row."""
        self._rows: dict[str, int] = {}
        self._row_members = np.zeros((0, len(self._dimensions) + 1), dtype=np.int64)
        self._columns: dict[str, Column] = {}
        self._columns_but: dict[frozenset[str], tuple[int, Ints]] = {}
        self.buckets: dict[str, dict[int, int]] = {}
        """Columns by bucket number, by the histogram's counter prefix."""
        self._histograms: dict[str, tuple[Ints, Ints]] = {}
        self._queue = tuple(array("q") for _ in range(6))
        self.settled = 0
        """The number of the last settlement."""
        self._stamps = np.zeros(0, dtype=np.int64)
        """By member: the settlement that last changed its sums."""
        way = catalogue.way
        self._stages = {each.histogram for each in way.stages} if way is not None else set()
        self._sheets = {
            (True, Place.COUNTER): Sheet(PANES_KEPT, _PANES_AHEAD),
            (True, Place.BUCKET): Sheet(PANES_KEPT, _PANES_AHEAD, np.int32),
            (False, Place.COUNTER): Sheet(DAYS_KEPT, _DAYS_AHEAD),
            (False, Place.BUCKET): Sheet(DAYS_KEPT, _DAYS_AHEAD, np.int32),
        }
        self._ledgers = {
            (True, Place.STAGE_BUCKET): Ledger(PANES_KEPT),
            (False, Place.STAGE_BUCKET): Ledger(DAYS_KEPT),
        }
        self._sums: dict[tuple[bool, Place], Sheet | Ledger] = {**self._sheets, **self._ledgers}
        self._numbers = {place: count() for place in Place}
        """Of the columns to come."""
        self._ahead: dict[tuple[bool, Place], Ints] = dict.fromkeys(self._sheets, _NO_ENTRIES)
        """By sheet: entries without room yet. Where one partition is months behind the others,
        those are nearly all, so they are looked at again only once the sheet has come to them."""

    def __len__(self) -> int:
        """Return how many rows are known."""
        return len(self._held)

    @property
    def nbytes(self) -> int:
        """Memory of the sums in bytes."""
        return sum(each.nbytes for each in self._sums.values())

    def changed_since(self, settled: int) -> Ints:
        """Return the members, by number, that were changed after a settlement."""
        return np.flatnonzero(self._stamps > settled)

    @property
    def fine(self) -> Sheet:
        """The counters by 15-minute pane, without histograms."""
        return self._sheets[True, Place.COUNTER]

    def apply_row(self, partition: int, key: bytes, value: bytes | None) -> None:
        """Take one record of the rows' topic; a value of None is a tombstone.

        Raises:
            OtherDefinitions: The row has another number of dimensions; it is left out.
            StateError: The value is not a row's.
            ValueError: The key is not a row's.
        """
        if value is None:
            # The worker let go of a pane that went cold; the sheet drops it by itself in time.
            # (A row whose counters were all retracted stands in the topic as `{}`.)
            self._held.pop((partition, key), None)
            return
        row_key = decode_key(key)
        held = self._held.get((partition, key))
        before = {} if held is None else self._codec.decode_counters(held)
        self._add(row_key, self._codec.decode_counters(value), before)
        # As bytes: a year of rows is a third of the size of its dictionaries.
        self._held[partition, key] = value

    def _add(self, row_key: RowKey, counters: Mapping[str, int], held: Mapping[str, int]) -> None:
        row = self._rows.get(row_key.members)
        if row is None:
            row = self._new_row(row_key.members)
        if not row_key.fine and (self.first_day is None or row_key.start < self.first_day):
            self.first_day = row_key.start
        fine, place, start, rows, columns, deltas = self._queue
        for name, value in counters.items():
            delta = value - held.get(name, 0)
            if delta:
                column = self._columns.get(name) or self._new_column(name)
                fine.append(row_key.fine)
                place.append(column.place)
                start.append(row_key.start)
                rows.append(row)
                columns.append(column.number)
                deltas.append(delta)
        for name, value in held.items():
            if name not in counters:
                column = self._columns[name]
                fine.append(row_key.fine)
                place.append(column.place)
                start.append(row_key.start)
                rows.append(row)
                columns.append(column.number)
                deltas.append(-value)

    def settle(self, as_of_ms: int) -> None:
        """Add everything that is queued, as seen from `as_of_ms`."""
        self.settled += 1
        if len(self._stamps) < len(self.members):
            more = np.zeros(2 * len(self.members) - len(self._stamps), dtype=np.int64)
            self._stamps = np.concatenate([self._stamps, more])
        present = {True: as_of_ms // PANE_MS, False: self._catalogue.days.day_of(as_of_ms)}
        queue = np.array([np.frombuffer(each, dtype=np.int64) for each in self._queue])
        for each in self._queue:
            del each[:]
        for kind, sheet in self._sheets.items():
            fine, place = kind
            sheet.move(present[fine])
            entries, ahead = queue[2:, (queue[0] == fine) & (queue[1] == place)], self._ahead[kind]
            if sheet.holds(ahead[0])[0].any():
                entries, ahead = np.concatenate((ahead, entries), axis=1), _NO_ENTRIES
            if not entries.shape[1]:
                continue
            here, later = sheet.holds(entries[0])
            self._spread(sheet, entries[:, here])
            if later.any():
                ahead = np.concatenate((ahead, entries[:, later]), axis=1)
            self._ahead[kind] = ahead
        for (fine, place), ledger in self._ledgers.items():
            ledger.move(present[fine])
            self._spread(ledger, queue[2:, (queue[0] == fine) & (queue[1] == place)])

    def _spread(self, sheet: Sheet | Ledger, entries: Ints) -> None:
        """Add each entry to the national member and to the member of each dimension."""
        start, rows, columns, deltas = entries
        members = self._row_members[rows]
        for at in range(members.shape[1]):
            chosen = members[:, at]
            there = chosen >= 0
            self._stamps[chosen[there]] = self.settled
            sheet.add(start[there], chosen[there], columns[there], deltas[there])

    def window_sums(self, key: Hashable, span: Span) -> tuple[Ints, Ints]:
        """Return (counters, buckets of KPIs) over a span, as member x column."""
        sums = []
        for place in (Place.COUNTER, Place.BUCKET):
            days = self._sheets[False, place].total(key, *span.days)
            if span.panes[0] == span.panes[1]:
                sums.append(days)
                continue
            panes = self._sheets[True, place].total(key, *span.panes)
            sums.append(panes if span.days[0] == span.days[1] else _added(days, panes))
        return sums[0], sums[1]

    def member_sums(self, span: Span, member: int, names: tuple[str, ...]) -> tuple[int, ...]:
        """Return the sums of some counters of one member over a span."""
        return tuple(self.span_sums((span,), member, names)[0].tolist())

    def span_sums(self, spans: Sequence[Span], member: int, names: Sequence[str]) -> Ints:
        """Return the sums of some counters of one member over spans, as span x counter."""
        sums = np.zeros((len(spans), len(names)), dtype=np.int64)
        days, panes = [each.days for each in spans], [each.panes for each in spans]
        known = [
            (at, self._columns[name]) for at, name in enumerate(names) if name in self._columns
        ]
        for place in Place:
            at = [at for at, column in known if column.place is place]
            if not at:
                continue
            columns = np.array([each.number for _, each in known if each.place is place])
            sums[:, at] = self._sums[False, place].column_sums(days, member, columns)
            sums[:, at] += self._sums[True, place].column_sums(panes, member, columns)
        return sums

    def crossed(
        self,
        spans: Sequence[Span],
        by: Sequence[str],
        where: tuple[str, str],
        names: tuple[str, ...],
    ) -> tuple[dict[tuple[str, str], tuple[int, ...]], ...]:
        """Return, for each span, sums by (dimension, member) of one member of another only.

        The sheets hold one dimension at a time, so this reads every row: some seconds with a year
        of them. It works on a copy, and may run in a thread beside the one that takes rows.

        Args:
            spans: The panes and days.
            by: The dimensions whose members are told apart.
            where: (dimension, member) of what counts.
            names: The counters.
        """
        places = [(each, self._dimensions.index(each)) for each in by]
        chosen = self._dimensions.index(where[0])
        found: list[dict[tuple[str, str], list[int]]] = [{} for _ in spans]
        for (_, key), value in self._held.copy().items():
            row = decode_key(key)
            inside = [
                sums
                for at, sums in zip(spans, found, strict=True)
                if _within(at.panes if row.fine else at.days, row.start)
            ]
            codes = row.members.split("|") if inside else []
            if not inside or codes[chosen] != where[1]:
                continue
            counters = self._codec.decode_counters(value)
            counts = [counters.get(name, 0) for name in names]
            for dimension, place in places:
                if codes[place] == ABSENT or not any(counts):
                    continue
                for sums in inside:
                    held = sums.setdefault((dimension, codes[place]), [0] * len(names))
                    held[:] = map(add, held, counts)
        return tuple(
            {member: tuple(counts) for member, counts in sums.items() if any(counts)}
            for sums in found
        )

    def columns(self, names: Sequence[str]) -> list[int]:
        """Return the columns of counters; -1 for one that was not seen yet."""
        known = self._columns
        return [known[name].number if name in known else -1 for name in names]

    def histogram(self, prefix: str) -> tuple[Ints, Ints]:
        """Return (the bucket numbers of a histogram, ascending; their columns)."""
        columns = self.buckets.get(prefix, {})
        found = self._histograms.get(prefix)
        if found is None or len(found[0]) != len(columns):
            numbers = sorted(columns)
            found = (
                np.array(numbers, dtype=np.int64),
                np.array([columns[each] for each in numbers], dtype=np.int64),
            )
            self._histograms[prefix] = found
        return found

    def columns_but(self, names: frozenset[str]) -> Ints:
        """Return the columns of all counters but some, without histograms."""
        # Read at every evaluation, and another one only after a new counter.
        count, found = self._columns_but.get(names, (0, None))
        if found is None or count != len(self._columns):
            wanted = [
                each.number
                for name, each in self._columns.items()
                if each.place is Place.COUNTER and name not in names
            ]
            found = np.array(wanted, dtype=np.int64)
            self._columns_but[names] = (len(self._columns), found)
        return found

    def conflicting(self, span: Span) -> int:
        """Return how many subjects that opened in the span are in conflict."""
        return self.member_sums(span, 0, (CONFLICTING,))[0]

    def _new_column(self, name: str) -> Column:
        head, _, tail = name.rpartition(".h")
        histogram = f"{head}.h" if head and tail.isdigit() else ""
        place = Place.BUCKET if histogram else Place.COUNTER
        if histogram in self._stages:
            place = Place.STAGE_BUCKET
        column = self._columns[name] = Column(place, next(self._numbers[place]))
        if histogram:
            self.buckets.setdefault(histogram, {})[int(tail)] = column.number
        return column

    def _new_row(self, members: str) -> int:
        # The members of a row are an empty text where the strategy has no dimension at all.
        codes = members.split("|") if members else []
        if len(codes) != len(self._dimensions):
            msg = f"the row {members!r} has not the strategy's {len(self._dimensions)} dimensions"
            raise OtherDefinitions(msg)
        row = self._rows[members] = len(self._rows)
        if row >= len(self._row_members):
            more = np.full((max(64, row), self._row_members.shape[1]), -1, dtype=np.int64)
            self._row_members = np.concatenate([self._row_members, more])
        self._row_members[row, 0] = 0
        for at, (dimension, member) in enumerate(
            zip(self._dimensions, codes, strict=True), start=1
        ):
            if member != ABSENT:
                number = self.members.setdefault((dimension, member), len(self.members))
                self._row_members[row, at] = number
        return row


def _within(bounds: tuple[int, int], start: int) -> bool:
    return bounds[0] <= start < bounds[1]


def _added(left: Ints, right: Ints) -> Ints:
    """Return the sum of two totals whose sheets may have grown to different sizes."""
    shape = (max(left.shape[0], right.shape[0]), max(left.shape[1], right.shape[1]))
    total = np.zeros(shape, dtype=np.int64)
    total[: left.shape[0], : left.shape[1]] += left
    total[: right.shape[0], : right.shape[1]] += right
    return total
