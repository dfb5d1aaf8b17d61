"""How long it took how many: the histogram of a duration in bars that a person can read.

The buckets of a histogram are 2 % wide, so several of them make a bar; one that an edge of a bar
divides belongs where the value that stands for it lies. So a bar may be off by what is within 1 %
of its edges, and all bars together hold every subject.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from kpi_stream.application.series import member_buckets
from kpi_stream.application.totals import RowTotals
from kpi_stream.domain.catalogue import Catalogue
from kpi_stream.domain.histogram import representative
from kpi_stream.domain.measures import DurationMeasure
from kpi_stream.domain.readings import SeriesKey
from kpi_stream.domain.windows import parse, span

BARS = 30
"""At most so many bars of one width; what is longer than those is one more."""

_REACH = 0.97
"""The share of the subjects that the bars of one width show."""

_WIDTHS_S = (
    *(1, 2, 5, 10, 15, 30),
    *(60 * each for each in (1, 2, 5, 10, 15, 30)),
    *(3_600 * each for each in (1, 2, 3, 4, 6, 12)),
    *(86_400 * each for each in (1, 2, 5, 7, 14, 30, 60, 90, 180, 365)),
)
"""Widths that people count in."""


@dataclass(frozen=True, slots=True)
class Bar:
    """How many took from so long to so long."""

    from_s: int
    to_s: int | None
    """None for the last bar, which has no end."""
    count: int


def distribution(
    catalogue: Catalogue,
    totals: RowTotals,
    series: SeriesKey,
    as_of_ms: int,
) -> tuple[Bar, ...] | None:
    """Return the bars of a KPI, the shortest times first; empty without samples.

    None for a KPI without a histogram. A duration has one where the strategy asks for a quantile
    of it.

    Args:
        catalogue: What is counted.
        totals: The rows; they are settled.
        series: Whose.
        as_of_ms: Where the window ends, milliseconds since 1970 UTC.
    """
    measure = catalogue.kpis[series.kpi].measure
    if not isinstance(measure, DurationMeasure) or not measure.histogram:
        return None
    number = totals.members.get((series.dimension, series.member))
    if number is None:
        return ()
    at = span(parse(series.window), as_of_ms, catalogue.days)
    numbers, counts = member_buckets(totals, measure.histogram, at, number)
    return bars(dict(zip(numbers.tolist(), counts.tolist(), strict=True)))


def bars(buckets: Mapping[int, int]) -> tuple[Bar, ...]:
    """Return the bars of a histogram of milliseconds.

    Args:
        buckets: Counts by bucket number.

    Example:
        >>> from kpi_stream.domain.histogram import bucket_of
        >>> day = 86_400_000
        >>> [bar.count for bar in bars({bucket_of(day // 2): 3, bucket_of(day): 1})][-3:]
        [0, 0, 1]
    """
    held = sorted((number, count) for number, count in buckets.items() if count > 0)
    total = sum(count for _, count in held)
    if not total:
        return ()
    seen, reach_s = 0, 0.0
    for number, count in held:
        seen += count
        if seen >= _REACH * total:
            reach_s = representative(number) / 1000
            break
    width = next((each for each in _WIDTHS_S if reach_s < each * BARS), _WIDTHS_S[-1])
    found = [0] * (min(int(reach_s // width), BARS - 1) + 2)
    for number, count in held:
        place = int(representative(number) / 1000 // width)
        found[min(place, len(found) - 1)] += count
    *whole, beyond = found
    shown = [Bar(at * width, (at + 1) * width, count) for at, count in enumerate(whole)]
    return (*shown, *([Bar(len(whole) * width, None, beyond)] if beyond else ()))
