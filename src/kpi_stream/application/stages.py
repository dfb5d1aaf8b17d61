"""Who holds the time: the stages of a way, read from the sums like a KPI."""

from dataclasses import dataclass

import numpy as np

from kpi_stream.application.series import quantile_of
from kpi_stream.application.totals import RowTotals
from kpi_stream.domain.catalogue import Catalogue
from kpi_stream.domain.stages import CompiledWay
from kpi_stream.domain.strategy import NATIONAL, Stage
from kpi_stream.domain.windows import Span, parse, span


@dataclass(frozen=True, slots=True)
class StageReading:
    """One stage of the subjects that came to the end in a window."""

    stage: Stage
    inside: bool
    """Whether it lies on the way; what comes after it adds nothing to the whole."""
    samples: int
    """How many subjects had this stage."""
    total_ms: int
    """What it took them together."""
    p50: float | None
    """Median of those that had it, in seconds, within 1 %; None without any."""
    p90: float | None
    """The same for nine of ten."""

    @property
    def mean(self) -> float | None:
        """Mean of those that had this stage, in seconds; None without any."""
        return self.total_ms / (1000 * self.samples) if self.samples else None


@dataclass(frozen=True, slots=True)
class WayReading:
    """The whole way and its stages, over one window and member."""

    window: str
    dimension: str
    member: str
    as_of_ms: int
    samples: int
    """How many subjects came to the end."""
    total_ms: int
    """What the way took them together: the sum over the stages on it."""
    stages: tuple[StageReading, ...]

    @property
    def mean(self) -> float | None:
        """Mean of the whole way in seconds; None without samples."""
        return self.total_ms / (1000 * self.samples) if self.samples else None

    def part(self, stage: StageReading) -> float | None:
        """Return what a stage adds to the mean of the whole way, in seconds.

        The parts of the stages on the way add up to the mean. None without samples.
        """
        return stage.total_ms / (1000 * self.samples) if self.samples and stage.inside else None


class WayTable:
    """Reads the stages from the totals.

    Args:
        catalogue: Where the way is defined.
        totals: The rows, added up.
    """

    def __init__(self, catalogue: Catalogue, totals: RowTotals) -> None:
        """Bind what is read to how it is defined."""
        self._catalogue, self._totals = catalogue, totals

    def read(self, as_of_ms: int, window: str, dimension: str = NATIONAL) -> tuple[WayReading, ...]:
        """Return the stages of each member of a dimension that has samples.

        Args:
            as_of_ms: The instant, milliseconds since 1970 UTC.
            window: One of the way's windows.
            dimension: One of the way's dimensions, or `national`: then there is one reading,
                even without samples.

        Raises:
            ValueError: The way has no such window or dimension, or the strategy has no way.
        """
        way = self._catalogue.way
        if way is None:
            msg = "the strategy splits nothing into stages"
            raise ValueError(msg)
        if window not in way.way.windows:
            msg = f"unknown window {window!r}; one of {', '.join(way.way.windows)}"
            raise ValueError(msg)
        if dimension not in (NATIONAL, *way.way.dimensions):
            known = ", ".join((NATIONAL, *way.way.dimensions))
            msg = f"unknown dimension {dimension!r}; one of {known}"
            raise ValueError(msg)
        return self.over(
            span(parse(window), as_of_ms, self._catalogue.days), window, dimension, as_of_ms
        )

    def over(self, at: Span, window: str, dimension: str, as_of_ms: int) -> tuple[WayReading, ...]:
        """Return the same over any span of panes and days, named `window`."""
        way = self._catalogue.way
        if way is None:
            return ()
        self._totals.settle(as_of_ms)
        numbers = [
            (member, number)
            for (of, member), number in self._totals.members.items()
            if of == dimension
        ]
        read = (
            self._member(way, at, (window, dimension, member), number, as_of_ms)
            for member, number in numbers
        )
        return tuple(each for each in read if each.samples or dimension == NATIONAL)

    def _member(
        self, way: CompiledWay, at: Span, key: tuple[str, str, str], number: int, as_of_ms: int
    ) -> WayReading:
        histograms = [sorted(self._totals.buckets.get(each.histogram, {})) for each in way.stages]
        names = [way.n, way.sum]
        for stage, buckets in zip(way.stages, histograms, strict=True):
            names += [stage.n, stage.sum, *(f"{stage.histogram}{each}" for each in buckets)]
        # All of a member at once: every look goes through the counts of the span.
        sums = iter(self._totals.member_sums(at, number, tuple(names)))
        samples, total = next(sums), next(sums)
        stages = []
        for place, (stage, buckets) in enumerate(zip(way.stages, histograms, strict=True)):
            n, took = next(sums), next(sums)
            counts = np.array([next(sums) for _ in buckets], dtype=np.int64)
            numbers = np.array(buckets, dtype=np.int64)
            p50, p90 = (quantile_of(numbers, counts, q)[0] for q in (0.5, 0.9))
            stages.append(StageReading(stage.spec, place < way.inner, n, took, p50, p90))
        return WayReading(*key, as_of_ms, samples, total, tuple(stages))
