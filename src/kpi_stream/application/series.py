"""The readings of one KPI over one window, made anew only where something was counted.

Between two evaluations few members change, or nothing does, until the window goes on with the next
pane or day. What did not change keeps the reading that it has.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from kpi_stream.application.sheets import Ints
from kpi_stream.application.totals import RowTotals
from kpi_stream.application.window_sums import Members, WindowSums
from kpi_stream.domain.catalogue import Catalogue, CompiledKpi
from kpi_stream.domain.histogram import rank_of, representative
from kpi_stream.domain.measures import DurationMeasure, PlanMeasure
from kpi_stream.domain.plan import planned_to_date
from kpi_stream.domain.readings import NoData, Reading, SeriesKey
from kpi_stream.domain.strategy import NATIONAL, OTHER
from kpi_stream.domain.terms import Ratio
from kpi_stream.domain.windows import (
    PANE_MS,
    ROLLING_MAX_MS,
    Span,
    pane_ceil,
    pane_floor,
)

STOCK_DAYS = 400
"""Local days before today in which a subject must have opened to be part of a stock: as long as a
subject that never completes stays in the state (`Retention.incomplete_ms`)."""

Counters: TypeAlias = tuple[int, ...]
"""The sums of a measure's counters, in their order."""
Histogram: TypeAlias = tuple[Ints, Ints]
"""Bucket numbers, ascending, and how many values each holds; of several members, a row each."""
_Read: TypeAlias = tuple[Counters, Ratio | None]
"""What a reading was made of."""


class Series:
    """Reads one KPI over one window for everybody.

    Args:
        catalogue: Where the KPI is defined.
        compiled: The KPI.
        window: Its window, by name.
        members: Everybody.
        sums: What it is read from: of a stock those older than its limit and all, else one.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        compiled: CompiledKpi,
        window: str,
        members: Members,
        sums: Sequence[WindowSums],
    ) -> None:
        self._catalogue, self._compiled = catalogue, compiled
        self._name, self._window = window, catalogue.windows[window]
        self._members, self._sums = members, sums
        self._dimensions = (NATIONAL, *compiled.kpi.dimensions)
        self._caps = {
            each.id: each.cap for each in catalogue.strategy.dimensions if each.cap is not None
        }
        self._read: dict[int, _Read] = {}
        """By number; without the members that have no counts."""
        self._readings: dict[SeriesKey, Reading] = {}
        if compiled.measure is None:
            key = self._key(NATIONAL, "")
            self._readings[key] = Reading(key, None, 0, 0, 0, NoData.NOT_MEASURED)

    def read(self, as_of_ms: int) -> Mapping[SeriesKey, Reading]:
        """Return the reading for the nation, and for each member with counts.

        Args:
            as_of_ms: The instant, to which members and sums have followed.
        """
        if self._compiled.measure is None:
            return self._readings
        partly = not any(each.moved for each in self._sums)
        numbers = {each: self._members.of(each, changed=partly) for each in self._dimensions}
        if isinstance(self._compiled.measure, PlanMeasure):
            numbers[NATIONAL] = (0,)  # what is planned by now grows without any event
        wanted = [number for each in numbers.values() for number in each]
        changed = set(self._recount(wanted, as_of_ms, partly=partly)) if wanted else set()
        if not changed:
            return self._readings
        for dimension, those in numbers.items():
            if dimension in self._caps:
                if not changed.isdisjoint(those):
                    self._put_capped(dimension)
                continue
            for number in those:
                if number in changed:
                    self._put(dimension, self._members.names[number], self._read.get(number))
        return self._readings

    def ratio(
        self, number: int, counters: Counters, histogram: Histogram | None, as_of_ms: int
    ) -> Ratio | None:
        """Return what the sums of a member say; None where there is no plan to hold them against.

        Args:
            number: The member's.
            counters: The sums of the measure's counters.
            histogram: Of the same member; None where the KPI is no quantile.
            as_of_ms: The instant up to which a plan counts.
        """
        measure = self._compiled.measure
        if isinstance(measure, PlanMeasure):
            if number:
                return None
            planned = planned_to_date(measure.months, self._window, as_of_ms, self._catalogue.days)
            return None if planned is None else measure.read((*counters, planned))
        if histogram is not None and self._compiled.quantile is not None:
            return _quantile_ratio(*quantile_of(*histogram, self._compiled.quantile))
        return None if measure is None else measure.read(counters)

    def _recount(self, numbers: list[int], as_of_ms: int, *, partly: bool) -> Iterator[int]:
        """Read some members again and yield those that say something else than before."""
        read = self._read
        planned = isinstance(self._compiled.measure, PlanMeasure)
        quantiles = None
        if (prefix := self._histogram) is not None and self._compiled.quantile is not None:
            histograms = self._sums[0].histograms(prefix, numbers)
            quantiles = quantiles_of(*histograms, self._compiled.quantile)
        for place, (number, counters) in enumerate(self._counters(numbers, changed=partly)):
            held = read.get(number)
            if number and not any(counters):
                if held is not None:
                    del read[number]
                    yield number
                continue
            ratio: Ratio | None
            if quantiles is not None:
                ratio = _quantile_ratio(*quantiles[place])
            elif held is not None and held[0] == counters and not planned:
                continue
            else:
                ratio = self.ratio(number, counters, None, as_of_ms)
            if held != (counters, ratio):
                read[number] = (counters, ratio)
                yield number

    def _counters(self, numbers: list[int], *, changed: bool) -> Iterator[tuple[int, Counters]]:
        """Yield members with the sums of the measure's counters."""
        measure = self._compiled.measure
        names = () if measure is None else measure.counters
        first, *others = self._sums
        rows, places = first.rows(changed=changed), first.places(names)
        if others:
            (every,) = others
            all_rows, all_places = every.rows(changed=changed), every.places(names)
            for number in numbers:
                yield number, (rows[number][places[0]], all_rows[number][all_places[0]])
            return
        for number in numbers:
            if number in rows:
                row = rows[number]
                yield number, tuple([row[place] for place in places])
            else:  # a plan, of which only the plan has changed
                yield number, self._read[number][0]

    @property
    def _histogram(self) -> str | None:
        """The counter prefix of the histogram, if the KPI is a quantile."""
        measure = self._compiled.measure
        if self._compiled.quantile is None or not isinstance(measure, DurationMeasure):
            return None
        return measure.histogram

    def _put(self, dimension: str, member: str, read: _Read | None) -> None:
        key = self._key(dimension, member)
        if read is None:
            self._readings.pop(key, None)
        else:
            self._readings[key] = _reading(key, read[1], self._compiled.kpi.minimum_sample)

    def _put_capped(self, dimension: str) -> None:
        """Keep the largest members of a capped dimension and add the rest up as `other`."""
        for key in [key for key in self._readings if key.dimension == dimension]:
            del self._readings[key]
        names, read, cap = self._members.names, self._read, self._caps[dimension]
        there = [each for each in self._members.of(dimension, changed=False) if each in read]
        if len(there) > cap:
            # The last counter of every measure is the one that its samples are counted by.
            there.sort(key=lambda each: (names[each] == OTHER, -read[each][0][-1], names[each]))
        for number in there[:cap]:
            self._put(dimension, names[number], read[number])
        if rest := there[cap:]:
            self._put(dimension, OTHER, self._together(rest))

    def _together(self, numbers: list[int]) -> _Read:
        """Return what some members say together."""
        columns = zip(*(self._read[number][0] for number in numbers), strict=True)
        counters = tuple(map(sum, columns))
        histogram = None
        if (prefix := self._histogram) is not None:
            buckets, counts = self._sums[0].histograms(prefix, numbers)
            histogram = (buckets, counts.sum(axis=0))
        return counters, self.ratio(numbers[0], counters, histogram, 0)

    def _key(self, dimension: str, member: str) -> SeriesKey:
        return SeriesKey(self._compiled.kpi.id, self._name, dimension, member)


def member_buckets(totals: RowTotals, prefix: str, at: Span, number: int) -> tuple[Ints, Ints]:
    """Return (bucket numbers, counts) of one histogram of one member over a span."""
    numbers, counts = buckets_of_spans(totals, prefix, (at,), number)
    return numbers, counts[0]


def buckets_of_spans(
    totals: RowTotals, prefix: str, spans: Sequence[Span], number: int
) -> tuple[Ints, Ints]:
    """Return (bucket numbers, counts as span x bucket) of one histogram of one member."""
    numbers, _ = totals.histogram(prefix)
    names = [f"{prefix}{each}" for each in numbers.tolist()]
    return numbers, totals.span_sums(spans, number, names)


def quantile_of(numbers: Ints, counts: Ints, q: float) -> tuple[float | None, int]:
    """Return (the quantile of a histogram of milliseconds, in seconds; the size of the sample).

    Args:
        numbers: Bucket numbers, ascending.
        counts: How many values each holds.
        q: 0..1.
    """
    return quantiles_of(numbers, counts[np.newaxis], q)[0]


def quantiles_of(numbers: Ints, counts: Ints, q: float) -> list[tuple[float | None, int]]:
    """Return the same as `quantile_of` for many histograms: counts are one a row."""
    if not len(numbers):
        return [(None, 0)] * len(counts)
    running = counts.cumsum(axis=1)
    sizes: list[int] = running[:, -1].tolist()
    ranks = np.array([rank_of(q, max(size, 1)) for size in sizes], dtype=np.int64)
    places: list[int] = (running <= ranks[:, np.newaxis]).sum(axis=1).tolist()
    values: list[int] = numbers.tolist()
    return [
        (representative(values[place]) / 1000, size) if size > 0 else (None, 0)
        for place, size in zip(places, sizes, strict=True)
    ]


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


def _quantile_ratio(value: float | None, size: int) -> Ratio:
    """Return a quantile in seconds; the numerator is its representative in milliseconds."""
    return Ratio(value, 0 if value is None else round(value * 1000), 1, size)


def _reading(key: SeriesKey, ratio: Ratio | None, minimum_sample: int) -> Reading:
    if ratio is None:
        return Reading(key, None, 0, 0, 0, NoData.NO_PLAN)
    value, numerator, denominator, samples = ratio
    if value is None or samples < minimum_sample:
        return Reading(key, None, numerator, denominator, samples, NoData.TOO_FEW)
    return Reading(key, value, numerator, denominator, samples)
