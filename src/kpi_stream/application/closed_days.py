"""The rows of days that are over: what is known now of a period that ended some time ago.

Day rows are kept for two years, the fine panes for eight days. At the end of a day every window of
whole days can be read from day rows alone, and then it does not matter when one asks. So the days
before the end of the period come in twice: as days, and each as one pane in the middle of its
day, where the windows that end in panes look. The middle, since a window of 24 or 168 hours begins
an hour beside midnight where clocks were put forward or back.

Two things have no past. A window of some hours would need the fine panes. And what was open at that
time cannot be told from what is open now, so a stock is read only where somebody kept it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from kpi_stream.application.activity import Activity
from kpi_stream.application.readings import ReadingTable
from kpi_stream.domain.catalogue import Catalogue
from kpi_stream.domain.forecast import Point
from kpi_stream.domain.readings import NoData, Reading, SeriesKey
from kpi_stream.domain.rows import RowKey, decode_key, encode_key
from kpi_stream.domain.strategy import Kpi, Stock
from kpi_stream.domain.windows import DAY_MS, FINE_DAYS, PANE_MS, LocalDays, WindowKind, parse

ApplyRow = Callable[[int, bytes, bytes | None], None]

_GENERATIONS = 1 << 32
"""Partitions are fewer. The rows of several generations of a day must not replace each other."""


class ClosedDays:
    """Hands rows over for readings at the end of a day.

    Args:
        apply_row: Takes the rows that are read.
        days: The strategy's local days.
        end: Ordinal of the day after the last one.
    """

    def __init__(self, apply_row: ApplyRow, days: LocalDays, end: int) -> None:
        """Bind the rows to the day."""
        self._apply_row, self._end = apply_row, end
        noons = {
            day: (days.start_of(day) + days.start_of(day + 1)) // 2 // PANE_MS
            for day in range(end - FINE_DAYS, end)
        }
        self._noons = noons

    def apply_row(self, partition: int, key: bytes, value: bytes | None) -> None:
        """Take one record of the rows' topic; fine panes are left out.

        Raises:
            OtherDefinitions: The row has another number of dimensions.
            StateError: The value is not a row's.
            ValueError: The key is not a row's.
        """
        row = decode_key(key)
        if row.fine:
            return
        self._apply_row(partition, key, value)
        noon = self._noons.get(row.start)
        if noon is not None:
            pane = encode_key(RowKey(fine=True, start=noon, generation=0, members=row.members))
            self._apply_row(partition + row.generation * _GENERATIONS, pane, value)


def is_told_afterwards(kpi: Kpi, window: str) -> bool:
    """Return whether a window can be read when its days are over.

    Example:
        >>> from types import SimpleNamespace
        >>> kpi = SimpleNamespace(measure=None)
        >>> [is_told_afterwards(kpi, window) for window in ("1h", "24h", "30d", "mtd")]
        [False, True, True, True]
    """
    if isinstance(kpi.measure, Stock):
        return False
    known = parse(window)
    return known.kind is not WindowKind.ROLLING or known.length % DAY_MS == 0


class ClosedTotals:
    """Readings at the end of a day, without those that have no past.

    Args:
        catalogue: What is counted.
        table: Reads what `ClosedDays` handed over.
        kept: Readings that were taken in time, of stocks and of windows of hours.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        table: ReadingTable,
        kept: Mapping[SeriesKey, Reading] | None = None,
    ) -> None:
        """Bind what is read to how it is defined."""
        self._kpis = {kpi.id: kpi for kpi in catalogue.strategy.kpis}
        self._table = table
        self._kept = {key: each for key, each in (kept or {}).items() if not self._is_told(key)}

    def apply_row(self, partition: int, key: bytes, value: bytes | None) -> None:
        """Take one record; see `RowTotals.apply_row`."""
        self._table.apply_row(partition, key, value)

    def readings(self, as_of_ms: int) -> Mapping[SeriesKey, Reading]:
        """Return every reading at the last instant of the last day."""
        found = {}
        for key, reading in self._table.readings(as_of_ms).items():
            if self._is_told(key) or reading.no_data is NoData.NOT_MEASURED:
                found[key] = reading
            elif not key.member:
                found[key] = replace(
                    reading,
                    value=None,
                    numerator=0,
                    denominator=0,
                    samples=0,
                    no_data=NoData.TOO_FEW,
                )
        return found | self._kept

    def daily(
        self, kpi: str, window: str, dimension: str, member: str, as_of_ms: int, days: int
    ) -> Sequence[Point]:
        """Return (end of day, value) of the days before, as `ReadingTable.daily`."""
        if not is_told_afterwards(self._kpis[kpi], window):
            return []
        return self._table.daily(kpi, window, dimension, member, as_of_ms, days)

    def quality(self, as_of_ms: int) -> Mapping[str, int]:
        """Return how often the input had to be interpreted."""
        return self._table.quality(as_of_ms)

    def offices(self, as_of_ms: int) -> Mapping[str, Activity]:
        """Return nothing: which office was silent for some hours is not known afterwards."""
        del as_of_ms
        return {}

    def _is_told(self, key: SeriesKey) -> bool:
        return is_told_afterwards(self._kpis[key.kpi], key.window)
