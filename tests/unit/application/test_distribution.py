"""The bars of a histogram: widths that people count in, nobody left out."""

import random

import pytest

from kpi_stream.application.distribution import BARS, Bar, bars
from kpi_stream.domain.histogram import bucket_of

HOUR_MS = 3_600_000


def buckets(values_ms: list[int]) -> dict[int, int]:
    """Return the histogram of some times."""
    found: dict[int, int] = {}
    for each in values_ms:
        found[bucket_of(each)] = found.get(bucket_of(each), 0) + 1
    return found


def test_no_time_is_left_out() -> None:
    """All bars together hold every subject, side by side from 0 on."""
    chance = random.Random(4)
    times = [round(chance.lognormvariate(18, 1)) for _ in range(3_000)]
    found = bars(buckets(times))
    assert sum(each.count for each in found) == 3_000
    assert len(found) <= BARS + 1
    assert [each.from_s for each in found] == [0, *(each.to_s for each in found[:-1])]
    assert found[-1].to_s is None


@pytest.mark.parametrize(("hours", "width"), [(0.2, 30), (5, 600), (29, 3_600), (47, 7_200)])
def test_the_width_is_one_that_people_count_in(hours: float, width: int) -> None:
    """The smallest with which few bars show nearly everybody."""
    found = bars(buckets([round(hours * HOUR_MS)] * 50))
    assert found[0] == Bar(0, width, 0)
    assert found[-1].count == 50


def test_a_few_very_long_ones_do_not_flatten_the_rest() -> None:
    """They share the last bar, which has no end."""
    found = bars(buckets([HOUR_MS] * 98 + [5_000 * HOUR_MS] * 2))
    assert (found[-1].to_s, found[-1].count) == (None, 2)
    assert found[0].to_s == 300


def test_nothing_counted_has_no_bars() -> None:
    """Nor has what was counted and taken back."""
    assert bars({}) == bars({5: 0}) == ()
