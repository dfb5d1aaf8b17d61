"""From sums to readings: every KPI, window and member at one instant."""

from collections.abc import Callable, Hashable, Mapping, Sequence

from kpi_stream.application.activity import Activity, OfficeActivity
from kpi_stream.application.series import Histogram, Series, buckets_of_spans, stock_spans
from kpi_stream.application.totals import RowTotals
from kpi_stream.application.window_sums import Members, WindowSums
from kpi_stream.domain.catalogue import Catalogue, CompiledKpi
from kpi_stream.domain.measures import DurationMeasure, StockMeasure
from kpi_stream.domain.readings import Reading, SeriesKey
from kpi_stream.domain.windows import (
    DAY_MS,
    PANE_MS,
    PANES_KEPT,
    Span,
    Window,
    WindowKind,
    parse,
    span,
)


class ReadingTable:
    """Reads every series from the totals."""

    def __init__(self, catalogue: Catalogue, totals: RowTotals) -> None:
        """Bind what is read to how it is defined."""
        self._catalogue, self._totals = catalogue, totals
        self._activity = OfficeActivity(catalogue, totals)
        self._members = Members(totals)
        self._windows: dict[Hashable, WindowSums] = {}
        self._series = {
            (compiled.kpi.id, window): Series(
                catalogue, compiled, window, self._members, self._sums_of(compiled, window)
            )
            for compiled in catalogue.kpis.values()
            for window in compiled.kpi.windows
        }

    @property
    def catalogue(self) -> Catalogue:
        """What is counted."""
        return self._catalogue

    @property
    def totals(self) -> RowTotals:
        """The rows, added up."""
        return self._totals

    def apply_row(self, partition: int, key: bytes, value: bytes | None) -> None:
        """Take one record of the rows' topic; see `RowTotals.apply_row`."""
        self._totals.apply_row(partition, key, value)

    def quality(self, as_of_ms: int) -> dict[str, int]:
        """Return what had to be interpreted in the last 30 local days, by what was wrong.

        `conflicting` counts subjects for which two sources said different things;
        `clamped:<kpi>` counts durations below 0 (released before arrival), taken as 0.
        """
        self._totals.settle(as_of_ms)
        at = span(parse("30d"), as_of_ms, self._catalogue.days)
        found = {"conflicting": self._totals.conflicting(at)}
        for compiled in self._catalogue.kpis.values():
            if isinstance(compiled.measure, DurationMeasure):
                names = (compiled.measure.clamped,)
                found[f"clamped:{compiled.kpi.id}"] = self._totals.member_sums(at, 0, names)[0]
        return found

    def offices(self, as_of_ms: int) -> Mapping[str, Activity]:
        """Return how active each office is that had an event in the last 8 days, by its code."""
        return self._activity.read(as_of_ms)

    def readings(self, as_of_ms: int) -> dict[SeriesKey, Reading]:
        """Return a reading for each KPI and window: national, and each member with counts."""
        self._totals.settle(as_of_ms)
        self._members.follow()
        for window in self._windows.values():
            window.follow(as_of_ms)
        found: dict[SeriesKey, Reading] = {}
        for series in self._series.values():
            found.update(series.read(as_of_ms))
        return found

    def daily(
        self, kpi: str, window: str, dimension: str, member: str, as_of_ms: int, days: int
    ) -> list[tuple[int, float | None]]:
        """Return (end of day, value) for the last whole local days, oldest first.

        The values are what is known now of those days, so late events are in them. A stock has
        none: what was open then cannot be told from what is open now. A window of 24 hours or of
        7 days is made of whole local days here, and one of some hours has no value where its fine
        panes are not kept any more.

        Args:
            kpi: Its id.
            window: The window as it stood at the end of each day.
            dimension: `national`, or a dimension of the strategy.
            member: Empty for `national`.
            as_of_ms: The days are those that ended at or before this instant.
            days: How many.
        """
        compiled = self._catalogue.kpis[kpi]
        number = self._totals.members.get((dimension, member))
        if number is None or compiled.measure is None or isinstance(compiled.measure, StockMeasure):
            return []
        self._totals.settle(as_of_ms)
        local, known = self._catalogue.days, self._catalogue.windows[window]
        series = self._series[kpi, window]
        today, kept_from = local.day_of(as_of_ms), as_of_ms // PANE_MS - PANES_KEPT
        ends = [local.start_of(day + 1) for day in range(today - days, today)]
        spans = [span(known, end_ms - 1, local) for end_ms in ends]
        if known.kind is WindowKind.ROLLING:
            spans = [
                _as_days(at, end_ms, known, local.day_of(end_ms - 1))
                for at, end_ms in zip(spans, ends, strict=True)
            ]
        sums = self._totals.span_sums(spans, number, compiled.measure.counters).tolist()
        histograms = self._histograms(compiled, spans, number)
        values: list[tuple[int, float | None]] = []
        for at, end_ms, counters, histogram in zip(spans, ends, sums, histograms, strict=True):
            if at.panes[0] < min(at.panes[1], kept_from):
                values.append((end_ms, None))
                continue
            ratio = series.ratio(number, tuple(counters), histogram, end_ms - 1)
            enough = ratio is not None and ratio.samples >= compiled.kpi.minimum_sample
            values.append((end_ms, ratio.value if ratio is not None and enough else None))
        return values

    def _sums_of(self, compiled: CompiledKpi, window: str) -> tuple[WindowSums, ...]:
        """Return what a KPI is read from over a window; KPIs share it."""
        catalogue, measure = self._catalogue, compiled.measure
        if measure is None:
            return ()
        if isinstance(measure, StockMeasure):
            limit_ms = measure.older_than_ms
            older = self._sums(
                ("stock", limit_ms), lambda at_ms: stock_spans(limit_ms, at_ms, catalogue)[0]
            )
            return older, self._sums("stock", lambda at_ms: stock_spans(0, at_ms, catalogue)[1])
        known, complete = catalogue.windows[window], measure.future_dated
        sums = self._sums(
            (window, complete),
            lambda at_ms: span(known, at_ms, catalogue.days, complete=complete),
        )
        return (sums,)

    def _sums(self, key: Hashable, span_at: Callable[[int], Span]) -> WindowSums:
        found = self._windows.get(key)
        if found is None:
            found = self._windows[key] = WindowSums(self._totals, self._members, key, span_at)
        return found

    def _histograms(
        self, compiled: CompiledKpi, spans: Sequence[Span], number: int
    ) -> Sequence[Histogram | None]:
        """Return a member's histogram over each span; None each where the KPI is no quantile."""
        if compiled.quantile is None or not isinstance(compiled.measure, DurationMeasure):
            return [None] * len(spans)
        prefix = compiled.measure.histogram
        numbers, counts = buckets_of_spans(self._totals, prefix, spans, number)
        return [(numbers, each) for each in counts]


def _as_days(at: Span, end_ms: int, window: Window, last_day: int) -> Span:
    """Return whole days for a rolling window of whole days: fine panes reach back only a week."""
    whole, rest = divmod(window.length, DAY_MS)
    if rest or end_ms % PANE_MS:
        return at
    return Span((0, 0), (last_day + 1 - whole, last_day + 1))
