"""The sums of one window as evaluations see them: whose changed since the one before."""

from collections.abc import Callable, Hashable, Sequence

import numpy as np

from kpi_stream.application.sheets import Ints
from kpi_stream.application.totals import RowTotals
from kpi_stream.domain.windows import Span


class Members:
    """The members of the totals, by dimension, and which of them changed.

    Args:
        totals: The rows, added up.
    """

    def __init__(self, totals: RowTotals) -> None:
        self._totals = totals
        self._seen = 0
        self._dimensions: list[str] = []
        self._everybody: dict[str, list[int]] = {}
        self._changed: dict[str, list[int]] = {}
        self._changed_numbers: Ints = np.zeros(0, dtype=np.int64)
        self.names: list[str] = []
        """By number."""

    def follow(self) -> None:
        """Take over new members, and which changed since the last call."""
        for dimension, member in list(self._totals.members)[len(self.names) :]:
            self._everybody.setdefault(dimension, []).append(len(self.names))
            self._dimensions.append(dimension)
            self.names.append(member)
        self._changed = {}
        self._changed_numbers = self._totals.changed_since(self._seen)
        for number in self._changed_numbers.tolist():
            self._changed.setdefault(self._dimensions[number], []).append(number)
        self._seen = self._totals.settled

    def of(self, dimension: str, *, changed: bool) -> Sequence[int]:
        """Return the numbers of a dimension's members: of all, or of those that changed."""
        return (self._changed if changed else self._everybody).get(dimension, ())

    def numbers(self, *, changed: bool) -> Ints:
        """Return the numbers of the members of all dimensions."""
        return self._changed_numbers if changed else np.arange(len(self.names))


class WindowSums:
    """The sums over one window.

    Args:
        totals: The rows, added up.
        members: Of the totals; they follow before the window does.
        key: Under which the totals keep the window's sums.
        span_at: Where the window lies at an instant.
    """

    def __init__(
        self,
        totals: RowTotals,
        members: Members,
        key: Hashable,
        span_at: Callable[[int], Span],
    ) -> None:
        self._totals, self._members = totals, members
        self._key, self._span_at = key, span_at
        self._span: Span | None = None
        self._sums: tuple[Ints, Ints] | None = None
        self._rows: dict[bool, dict[int, list[int]]] = {}
        self.moved = True
        """Whether the window lies elsewhere than at the evaluation before."""

    def follow(self, as_of_ms: int) -> None:
        """Go on to an instant, once an evaluation; the totals are settled."""
        at = self._span_at(as_of_ms)
        self.moved, self._span = at != self._span, at
        self._sums, self._rows = None, {}

    @property
    def sums(self) -> tuple[Ints, Ints]:
        """The sums (counters, buckets of KPIs), as member x column."""
        if self._sums is None:
            if self._span is None:
                msg = "a window must follow to an instant before it is read"
                raise RuntimeError(msg)
            self._sums = self._totals.window_sums(self._key, self._span)
        return self._sums

    def rows(self, *, changed: bool) -> dict[int, list[int]]:
        """Return the counters of all members, or of those that changed, by number.

        There is a 0 behind the last counter of each.
        """
        found = self._rows.get(changed)
        if found is None:
            numbers, counters = self._members.numbers(changed=changed), self.sums[0]
            picked = np.zeros((len(numbers), counters.shape[1] + 1), dtype=np.int64)
            inside = numbers < len(counters)
            picked[inside, :-1] = counters[numbers[inside]]
            found = self._rows[changed] = dict(zip(numbers.tolist(), picked.tolist(), strict=True))
        return found

    def places(self, names: Sequence[str]) -> list[int]:
        """Return where counters stand in a row; -1, which is the 0, for one without a sum."""
        width = self.sums[0].shape[1]
        return [at if at < width else -1 for at in self._totals.columns(names)]

    def histograms(self, prefix: str, numbers: list[int]) -> tuple[Ints, Ints]:
        """Return (bucket numbers, ascending; counts as member x bucket) of some members."""
        buckets, columns = self._totals.histogram(prefix)
        sums, rows = self.sums[1], np.array(numbers, dtype=np.int64)
        height, width = sums.shape
        if rows.max(initial=-1) < height and columns.max(initial=-1) < width:
            return buckets, sums[rows[:, np.newaxis], columns]
        counts = np.zeros((len(rows), len(columns)), dtype=np.int64)
        there, known = rows < height, columns < width
        counts[np.ix_(there, known)] = sums[rows[there][:, np.newaxis], columns[known]]
        return buckets, counts
