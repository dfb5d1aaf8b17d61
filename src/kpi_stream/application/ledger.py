"""Sparse sums over panes, for counters that are many and seldom read.

A stage's histogram has hundreds of buckets, of which a member fills a few on one day. Beside the
other counters, in one array of pane x member x counter, they made a year of a small administration
1.5 GB; here each count that is not zero takes 16 bytes, and reading looks at those of the span.
"""

from collections.abc import Sequence

import numpy as np

from kpi_stream.application.sheets import Ints

_MEMBER_BITS, _COLUMN_BITS = 20, 16
_PANE_SHIFT = _MEMBER_BITS + _COLUMN_BITS
_COLUMN_MASK = (1 << _COLUMN_BITS) - 1
_MEMBER_MASK = (1 << _MEMBER_BITS) - 1
_FIRST = -1 << 62 - _PANE_SHIFT
"""The first pane that there can be; panes before 1970 have negative numbers."""
_MERGED_AT = 65_536
"""Counts that wait before they are sorted in; of a large ledger a quarter of its size does."""

_NONE: Ints = np.zeros(0, dtype=np.int64)


class Ledger:
    """Counters of panes (or days), by member and column, held where they are not zero.

    Args:
        kept: Panes before the present one that are kept.
    """

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._base = _FIRST
        # Sorted and without repetition: pane, member and column in one number, and the sum.
        self._keys, self._sums = _NONE, _NONE
        self._new: list[tuple[Ints, Ints]] = []
        self._waiting = 0

    @property
    def nbytes(self) -> int:
        """Memory of the sums in bytes."""
        return self._keys.nbytes + self._sums.nbytes + 16 * self._waiting

    def move(self, present: int) -> None:
        """Make `present` the current pane; older panes than are kept are read no more."""
        self._base = max(self._base, present - self._kept)

    def add(self, panes: Ints, members: Ints, columns: Ints, deltas: Ints) -> None:
        """Add counts.

        Raises:
            OverflowError: There are more members or columns than a key has room for.
        """
        if not len(panes):
            return
        if members.max() > _MEMBER_MASK or columns.max() > _COLUMN_MASK:
            msg = f"a ledger holds {_MEMBER_MASK + 1:,} members and {_COLUMN_MASK + 1:,} columns"
            raise OverflowError(msg)
        self._new.append((panes << _PANE_SHIFT | members << _COLUMN_BITS | columns, deltas))
        self._waiting += len(panes)
        if self._waiting > max(_MERGED_AT, len(self._keys) // 4):
            self._merge()

    def column_sums(self, spans: Sequence[tuple[int, int]], member: int, columns: Ints) -> Ints:
        """Return the sums of some counters of one member as span x counter.

        Args:
            spans: Panes [first, end).
            member: Its number.
            columns: The counters.
        """
        if len(self._new) > 1:
            keys, deltas = (np.concatenate(each) for each in zip(*self._new, strict=True))
            self._new = [(keys, deltas)]
        sums = [self._sums_over(*each, member, columns) for each in spans]
        return np.array(sums, dtype=np.int64).reshape(len(spans), len(columns))

    def _sums_over(self, first: int, end: int, member: int, columns: Ints) -> Ints:
        first = max(first, self._base)
        lowest, beyond = first << _PANE_SHIFT, max(first, end) << _PANE_SHIFT
        sums = np.zeros(int(columns.max(initial=0)) + 1, dtype=np.int64)
        inside = slice(*np.searchsorted(self._keys, (lowest, beyond)))
        for keys, deltas in ((self._keys[inside], self._sums[inside]), *self._new):
            found = (keys >= lowest) & (keys < beyond)
            found &= keys >> _COLUMN_BITS & _MEMBER_MASK == member
            chosen = keys[found] & _COLUMN_MASK
            wanted = chosen < len(sums)
            np.add.at(sums, chosen[wanted], deltas[found][wanted])
        return sums[columns]

    def _merge(self) -> None:
        keys = np.concatenate([self._keys, *(keys for keys, _ in self._new)])
        deltas = np.concatenate([self._sums, *(deltas for _, deltas in self._new)])
        self._new, self._waiting = [], 0
        kept = keys >= self._base << _PANE_SHIFT
        keys, deltas = keys[kept], deltas[kept]
        order = np.argsort(keys, kind="stable")
        keys, deltas = keys[order], deltas[order]
        begins = np.flatnonzero(np.diff(keys, prepend=keys[:1] - 1))
        sums = np.add.reduceat(deltas, begins) if len(begins) else _NONE
        there = sums != 0
        self._keys, self._sums = keys[begins][there], sums[there]
