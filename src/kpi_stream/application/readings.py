"""From sums to readings: every KPI, window and member at one instant."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from kpi_stream.application.activity import Activity, OfficeActivity
from kpi_stream.application.sheets import Ints
from kpi_stream.application.totals import RowTotals
from kpi_stream.domain.catalogue import Catalogue, CompiledKpi
from kpi_stream.domain.histogram import rank_of, representative
from kpi_stream.domain.measures import DurationMeasure, PlanMeasure, StockMeasure
from kpi_stream.domain.plan import planned_to_date
from kpi_stream.domain.readings import NoData, Reading, SeriesKey
from kpi_stream.domain.strategy import NATIONAL, OTHER
from kpi_stream.domain.terms import Ratio
from kpi_stream.domain.windows import (
    DAY_MS,
    PANE_MS,
    PANES_KEPT,
    ROLLING_MAX_MS,
    Span,
    Window,
    WindowKind,
    pane_ceil,
    pane_floor,
    parse,
    span,
)

STOCK_DAYS = 400
"""Local days before today in which a subject must have opened to be part of a stock: as long as a
subject that never completes stays in the state (`Retention.incomplete_ms`)."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Counters of one series as (counter sums, bucket numbers and counts)."""

    counters: tuple[int, ...]
    buckets: tuple[Ints, Ints] | None = None


class ReadingTable:
    """Reads every series from the totals."""

    def __init__(self, catalogue: Catalogue, totals: RowTotals) -> None:
        """Bind what is read to how it is defined."""
        self._catalogue, self._totals = catalogue, totals
        self._activity = OfficeActivity(catalogue, totals)
        self._capped = {
            each.id: each.cap for each in catalogue.strategy.dimensions if each.cap is not None
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
        members: dict[str, list[tuple[str, int]]] = {}
        for (dimension, member), number in self._totals.members.items():
            members.setdefault(dimension, []).append((member, number))
        found: dict[SeriesKey, Reading] = {}
        for compiled in self._catalogue.kpis.values():
            for window in compiled.kpi.windows:
                for reading in self._window(compiled, window, as_of_ms, members):
                    found[reading.key] = reading
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
        today, kept_from = local.day_of(as_of_ms), as_of_ms // PANE_MS - PANES_KEPT
        values: list[tuple[int, float | None]] = []
        for day in range(today - days, today):
            end_ms = local.start_of(day + 1)
            at = span(known, end_ms - 1, local)
            if known.kind is WindowKind.ROLLING:
                at = _as_days(at, end_ms, known, local.day_of(end_ms - 1))
            if at.panes[0] < min(at.panes[1], kept_from):
                values.append((end_ms, None))
                continue
            counters = self._totals.member_sums(at, number, compiled.measure.counters)
            buckets = self._member_buckets(compiled, at, number)
            ratio = self._read(compiled, known, Sums(counters, buckets), end_ms - 1, dimension)
            enough = ratio is not None and ratio.samples >= compiled.kpi.minimum_sample
            values.append((end_ms, ratio.value if ratio is not None and enough else None))
        return values

    def _window(
        self,
        compiled: CompiledKpi,
        window: str,
        as_of_ms: int,
        members: dict[str, list[tuple[str, int]]],
    ) -> Iterator[Reading]:
        kpi = compiled.kpi
        national = SeriesKey(kpi.id, window, NATIONAL, "")
        if compiled.measure is None:
            yield Reading(national, as_of_ms, None, 0, 0, 0, NoData.NOT_MEASURED)
            return
        known = self._catalogue.windows[window]
        sums = _SeriesSums(self._totals, compiled, known, as_of_ms, self._catalogue)
        yield self._reading(compiled, known, national, sums.of(0), as_of_ms)
        for dimension in kpi.dimensions:
            there = [
                (member, each)
                for member, number in members.get(dimension, ())
                if (each := sums.of(number)) is not None and any(each.counters)
            ]
            for member, each in self._within_cap(dimension, there):
                key = SeriesKey(kpi.id, window, dimension, member)
                yield self._reading(compiled, known, key, each, as_of_ms)

    def _within_cap(self, dimension: str, there: list[tuple[str, Sums]]) -> list[tuple[str, Sums]]:
        """Keep the largest members of a capped dimension and add the rest up as `other`."""
        cap = self._capped.get(dimension)
        if cap is None or len(there) <= cap:
            return there
        # The last counter of every measure is the one that its samples are counted by.
        ranked = sorted(there, key=lambda item: (item[0] == OTHER, -item[1].counters[-1], item[0]))
        kept, rest = ranked[:cap], ranked[cap:]
        counters = tuple(sum(column) for column in zip(*(e.counters for _, e in rest), strict=True))
        buckets = None
        if rest[0][1].buckets is not None:
            numbers = rest[0][1].buckets[0]
            counts = np.sum([e.buckets[1] for _, e in rest if e.buckets is not None], axis=0)
            buckets = (numbers, counts)
        return [*kept, (OTHER, Sums(counters, buckets))]

    def _reading(
        self,
        compiled: CompiledKpi,
        window: Window,
        key: SeriesKey,
        sums: Sums | None,
        as_of_ms: int,
    ) -> Reading:
        ratio = (
            None if sums is None else self._read(compiled, window, sums, as_of_ms, key.dimension)
        )
        if ratio is None:
            return Reading(key, as_of_ms, None, 0, 0, 0, NoData.NO_PLAN)
        if ratio.value is None or ratio.samples < compiled.kpi.minimum_sample:
            reason = NoData.TOO_FEW
            return Reading(
                key, as_of_ms, None, ratio.numerator, ratio.denominator, ratio.samples, reason
            )
        return Reading(
            key, as_of_ms, ratio.value, ratio.numerator, ratio.denominator, ratio.samples
        )

    def _read(
        self, compiled: CompiledKpi, window: Window, sums: Sums, as_of_ms: int, dimension: str
    ) -> Ratio | None:
        measure = compiled.measure
        if isinstance(measure, PlanMeasure):
            if dimension != NATIONAL:
                return None
            planned = planned_to_date(measure.months, window, as_of_ms, self._catalogue.days)
            return None if planned is None else measure.read((*sums.counters, planned))
        if compiled.quantile is not None and sums.buckets is not None:
            return _quantile(sums, compiled.quantile)
        if measure is None:
            return None
        return measure.read(sums.counters)

    def _member_buckets(
        self, compiled: CompiledKpi, at: Span, number: int
    ) -> tuple[Ints, Ints] | None:
        if compiled.quantile is None or not isinstance(compiled.measure, DurationMeasure):
            return None
        return member_buckets(self._totals, compiled.measure.histogram, at, number)


def member_buckets(totals: RowTotals, prefix: str, at: Span, number: int) -> tuple[Ints, Ints]:
    """Return (bucket numbers, counts) of one histogram of one member over a span."""
    numbers = sorted(totals.buckets.get(prefix, {}))
    names = tuple(f"{prefix}{each}" for each in numbers)
    counts = totals.member_sums(at, number, names)
    return np.array(numbers, dtype=np.int64), np.array(counts, dtype=np.int64)


def _as_days(at: Span, end_ms: int, window: Window, last_day: int) -> Span:
    """Return whole days for a rolling window of whole days: fine panes reach back only a week."""
    whole, rest = divmod(window.length, DAY_MS)
    if rest or end_ms % PANE_MS:
        return at
    return Span((0, 0), (last_day + 1 - whole, last_day + 1))


def _quantile(sums: Sums, q: float) -> Ratio:
    """Return the quantile in seconds; the numerator is its representative in milliseconds."""
    empty = np.zeros(0, dtype=np.int64)
    numbers, counts = sums.buckets if sums.buckets is not None else (empty, empty)
    value, total = quantile_of(numbers, counts, q)
    return Ratio(value, 0 if value is None else round(value * 1000), 1, total)


def quantile_of(numbers: Ints, counts: Ints, q: float) -> tuple[float | None, int]:
    """Return (the quantile of a histogram of milliseconds, in seconds; the size of the sample).

    Args:
        numbers: Bucket numbers, ascending.
        counts: How many values each holds.
        q: 0..1.
    """
    running = np.cumsum(counts)
    total = int(running[-1]) if len(running) else 0
    if total <= 0:
        return None, 0
    at = int(np.searchsorted(running, rank_of(q, total), side="right"))
    return representative(int(numbers[at])) / 1000, total


class _SeriesSums:
    """The sums of every member for one KPI and window, read once."""

    def __init__(
        self,
        totals: RowTotals,
        compiled: CompiledKpi,
        window: Window,
        as_of_ms: int,
        catalogue: Catalogue,
    ) -> None:
        measure, self._buckets = compiled.measure, None
        self._rows: list[list[int]] = []
        if measure is None:
            return
        if isinstance(measure, StockMeasure):
            older, every = stock_spans(measure.older_than_ms, as_of_ms, catalogue)
            columns = [
                self._column(
                    totals.window_sums(("stock", measure.older_than_ms), older)[0],
                    totals,
                    measure.counters[0],
                ),
                self._column(totals.window_sums("stock", every)[0], totals, measure.counters[0]),
            ]
        else:
            complete = measure.future_dated
            at = span(window, as_of_ms, catalogue.days, complete=complete)
            counters, buckets = totals.window_sums((window.name, complete), at)
            columns = [self._column(counters, totals, name) for name in measure.counters]
            if compiled.quantile is not None and isinstance(measure, DurationMeasure):
                known = totals.buckets.get(measure.histogram, {})
                numbers = sorted(known)
                wanted = np.array([known[each] for each in numbers], dtype=np.int64)
                inside = wanted < buckets.shape[1]
                self._buckets = (
                    np.array(numbers, dtype=np.int64)[inside],
                    buckets[:, wanted[inside]],
                )
        height = max((len(column) for column in columns), default=0)
        padded = [column + [0] * (height - len(column)) for column in columns]
        self._rows = [list(row) for row in zip(*padded, strict=True)]
        self._width = len(columns)

    @staticmethod
    def _column(sums: Ints, totals: RowTotals, name: str) -> list[int]:
        column = totals.column(name)
        if column is None or column >= sums.shape[1]:
            return [0] * sums.shape[0]
        values: list[int] = sums[:, column].tolist()
        return values

    def of(self, member: int) -> Sums | None:
        """Return the sums of one member; zeros where it was never counted."""
        if not self._rows:
            return None
        counters = self._rows[member] if member < len(self._rows) else [0] * self._width
        if self._buckets is None:
            return Sums(tuple(counters))
        numbers, counts = self._buckets
        if member < len(counts):
            return Sums(tuple(counters), (numbers, counts[member]))
        return Sums(tuple(counters), (numbers, np.zeros(len(numbers), dtype=np.int64)))


def stock_spans(older_than_ms: int, as_of_ms: int, catalogue: Catalogue) -> tuple[Span, Span]:
    """Return (where the subjects older than the limit opened, where all opened)."""
    days = catalogue.days
    today = days.day_of(as_of_ms)
    first = today - STOCK_DAYS
    # Today from fine panes: an event may be dated a little ahead, and that part is not open yet.
    so_far = (days.start_of(today) // PANE_MS, pane_ceil(as_of_ms) // PANE_MS)
    every = Span(so_far, (first, today))
    if older_than_ms > ROLLING_MAX_MS:
        return Span((0, 0), (first, days.day_of(as_of_ms - older_than_ms))), every
    edge_ms = pane_floor(as_of_ms - older_than_ms)
    day = days.day_of(edge_ms)
    return Span((days.start_of(day) // PANE_MS, edge_ms // PANE_MS), (first, day)), every
