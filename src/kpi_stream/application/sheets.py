"""Dense sums over panes: one array of pane x member x counter, with cached totals of windows.

The array is a ring: a pane that comes takes the place of the oldest, and nothing is moved. A
window's total is kept; every new count is added to it as well as to its pane, and when the window
goes on, the panes that enter are added and those that leave are subtracted. So an evaluation costs
the same with a day of rows as with a year of them, at midnight as well.
"""

from collections.abc import Hashable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


class Sheet:
    """Counters of consecutive panes (or days), grown as members and counters appear."""

    def __init__(self, kept: int, ahead: int, dtype: type[np.signedinteger] = np.int64) -> None:
        """Reserve nothing yet.

        Args:
            kept: Panes before the present one that are kept.
            ahead: Panes after the present one for which there is room.
            dtype: int64 for sums, int32 for the many counts of a histogram.
        """
        self._kept, self._size = kept, kept + ahead
        self._base: int | None = None
        self._data = np.zeros((self._size, 1, 1), dtype=dtype)
        self._totals: dict[Hashable, tuple[tuple[int, int], Ints]] = {}
        self._touched = np.zeros(self._size, dtype=np.bool_)

    @property
    def size(self) -> int:
        """How many panes there is room for, from `base` on."""
        return self._size

    @property
    def base(self) -> int | None:
        """The first pane that is kept, or None before the first `move`."""
        return self._base

    def move(self, present: int) -> None:
        """Make `present` the current pane; older panes than are kept are dropped."""
        base = present - self._kept
        if self._base is None:
            self._base = base
        for part in self._parts(self._base, min(base, self._base + self._size)):
            self._data[part] = 0
            self._touched[part] = False
        self._base = max(base, self._base)

    def holds(self, panes: Ints) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return which panes have room here, and which lie too far ahead."""
        at = panes - (self._base or 0)
        return (at >= 0) & (at < self._size), at >= self._size

    def add(self, panes: Ints, members: Ints, columns: Ints, deltas: Ints) -> None:
        """Add counts; every pane must have room (`holds`)."""
        if not len(panes):
            return
        self._grow(int(members.max()) + 1, int(columns.max()) + 1)
        at = panes % self._size
        np.add.at(self._data, (at, members, columns), deltas.astype(self._data.dtype))
        self._touched[at] = True
        for (first, end), total in self._totals.values():
            inside = (panes >= first) & (panes < end)
            if inside.any():
                np.add.at(total, (members[inside], columns[inside]), deltas[inside])

    def total(self, key: Hashable, first: int, end: int) -> Ints:
        """Return the sums over panes [first, end) as member x counter; kept under `key`."""
        first, end = self._clip(first, end)
        where, total = self._totals.get(key, ((0, 0), None))
        if total is None or not self._follows(where, first, end):
            total = self._sum(first, end)
        elif where != (first, end):
            total -= self._sum(where[0], first)
            total += self._sum(where[1], end)
        self._totals[key] = ((first, end), total)
        return total

    def _follows(self, where: tuple[int, int], first: int, end: int) -> bool:
        """Whether a window has gone on by less than what it covers, and what leaves is held."""
        held = (self._base or 0) <= where[0] <= first <= where[1] <= end
        return held and (first - where[0]) + (end - where[1]) < end - first

    def _sum(self, first: int, end: int) -> Ints:
        """Return the sums over panes that are held, as member x counter."""
        total = np.zeros(self._data.shape[1:], dtype=np.int64)
        for part in self._parts(first, end):
            total += self._data[part].sum(axis=0, dtype=np.int64)
        return total

    def column_sums(self, spans: Sequence[tuple[int, int]], member: int, columns: Ints) -> Ints:
        """Return the sums of some counters of one member as span x counter.

        Args:
            spans: Panes [first, end); each pane is read once, however many spans it is in.
            member: Its number.
            columns: The counters.
        """
        sums = np.zeros((len(spans), len(columns)), dtype=np.int64)
        held = np.array([self._clip(*each) for each in spans], dtype=np.int64).reshape(-1, 2)
        there, known = held[:, 0] < held[:, 1], columns < self._data.shape[2]
        if member >= self._data.shape[1] or not there.any():
            return sums
        first, end = int(held[there, 0].min()), int(held[there, 1].max())
        chosen = [self._data[part, member, columns[known]] for part in self._parts(first, end)]
        running = np.zeros((end - first + 1, int(known.sum())), dtype=np.int64)
        np.concatenate(chosen).cumsum(axis=0, out=running[1:])
        begins, ends = (held[there] - first).T
        sums[np.ix_(there, known)] = running[ends] - running[begins]
        return sums

    def take_touched(self) -> Ints:
        """Return which panes changed since the last call, counted from `base`."""
        found = (np.flatnonzero(self._touched) - (self._base or 0)) % self._size
        self._touched[:] = False
        return found

    def any_of(self, at: Ints, members: Ints, columns: Ints) -> NDArray[np.bool_]:
        """Return, as pane x member, where any of some counters is not 0.

        Args:
            at: Panes, counted from `base`.
            members: Their numbers.
            columns: The counters.
        """
        _, had_members, had_columns = self._data.shape
        there = members < had_members
        found = np.zeros((len(at), len(members)), dtype=np.bool_)
        places = (at + (self._base or 0)) % self._size
        cells = np.ix_(places, members[there], columns[columns < had_columns])
        found[:, there] = self._data[cells].any(axis=2)
        return found

    @property
    def nbytes(self) -> int:
        """Memory of the array in bytes."""
        return self._data.nbytes

    def _clip(self, first: int, end: int) -> tuple[int, int]:
        """Return the panes of a span that are held."""
        base = self._base or 0
        start = min(max(first, base), base + self._size)
        return start, min(max(end, start), base + self._size)

    def _parts(self, first: int, end: int) -> Iterator[slice]:
        """Yield where panes lie that have room: in one piece, or around the end of the ring."""
        if first >= end:
            return
        start = first % self._size
        stop = start + end - first
        yield slice(start, min(stop, self._size))
        if stop > self._size:
            yield slice(0, stop - self._size)

    def _grow(self, members: int, columns: int) -> None:
        _, had_members, had_columns = self._data.shape
        if members <= had_members and columns <= had_columns:
            return
        wider = (
            had_members if members <= had_members else members + members // 4,
            had_columns if columns <= had_columns else columns + columns // 4,
        )
        data = np.zeros((self._size, *wider), dtype=self._data.dtype)
        data[:, :had_members, :had_columns] = self._data
        self._data = data
        for key, (where, total) in list(self._totals.items()):
            grown = np.zeros(wider, dtype=np.int64)
            grown[: total.shape[0], : total.shape[1]] = total
            self._totals[key] = (where, grown)
