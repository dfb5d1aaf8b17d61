"""The histogram against sorted lists."""

from collections import Counter
from fractions import Fraction
from math import floor

from hypothesis import example, given, settings
from hypothesis import strategies as st

from kpi_stream.domain.histogram import (
    HIGHS,
    bucket_of,
    quantile,
    rank_of,
    representative,
)

ALPHA = Fraction(1, 100) * (1 + Fraction(1, 10**12))
"""1 %, and the rounding of a representative to a float (297 to 303 is 1 % on the point)."""

YEARS_279 = 1 << 43
VALUES = st.one_of(
    st.integers(0, 300),
    st.integers(0, 10**6),
    st.integers(0, YEARS_279),
    st.sampled_from(HIGHS),
    st.sampled_from(HIGHS[:-1]).map(lambda high: high + 1),
)
PERCENT = st.integers(1, 99)


def counts(values: list[int]) -> Counter[int]:
    """Return the histogram of a list."""
    return Counter(map(bucket_of, values))


def test_buckets_are_contiguous_and_cover_everything():
    """Each value from 0 on is in exactly one bucket, and neighbours touch."""
    assert HIGHS[0] == 0
    assert HIGHS[-1] >= YEARS_279
    for number, high in enumerate(HIGHS[:-1]):
        assert bucket_of(high) == number
        assert bucket_of(high + 1) == number + 1


def test_values_below_100_are_exact():
    """A bucket of its own for each value below 100."""
    assert [representative(bucket_of(value)) for value in range(100)] == list(range(100))


@settings(max_examples=300)
@given(VALUES)
def test_a_representative_is_within_one_percent(value: int):
    """What stands for a value is within 1 % of it."""
    found = Fraction(representative(bucket_of(value)))
    assert abs(found - value) <= ALPHA * value


def test_the_ends_of_every_bucket_are_within_one_percent():
    """The widest distance within a bucket keeps the promise."""
    for number in range(1, len(HIGHS)):
        for end in (HIGHS[number - 1] + 1, HIGHS[number]):
            assert abs(Fraction(representative(number)) - end) <= ALPHA * end


@settings(max_examples=200)
@given(st.lists(VALUES, min_size=1, max_size=120), PERCENT)
@example(list(range(1000, 1091)), 70)  # 0.7 * 90 is 62.99999999999999
def test_a_quantile_is_within_one_percent_of_the_order_statistic(values: list[int], percent: int):
    """The value at rank floor(q (n - 1)) of the sorted list, within 1 %."""
    exact = sorted(values)[floor(Fraction(percent, 100) * (len(values) - 1))]
    found = quantile(counts(values), percent / 100)
    assert found is not None
    assert found == representative(bucket_of(exact))
    assert abs(Fraction(found) - exact) <= ALPHA * exact


@settings(max_examples=300)
@given(PERCENT, st.integers(1, 10**9))
@example(70, 91)
@example(58, 51)
def test_the_rank_is_exact(percent: int, size: int):
    """The rank does not suffer from 0.7 being less than seven tenths."""
    assert rank_of(percent / 100, size) == floor(Fraction(percent, 100) * (size - 1))


@settings(max_examples=100)
@given(st.lists(VALUES, max_size=60), st.lists(VALUES, max_size=60), PERCENT)
def test_merging_is_adding(left: list[int], right: list[int], percent: int):
    """Two histograms added are the histogram of all values; subtracted again, the first."""
    both = counts(left) + counts(right)
    assert both == counts(left + right)
    assert both - counts(right) == counts(left)
    assert quantile(both, percent / 100) == quantile(counts(left + right), percent / 100)


def test_nothing_has_no_quantile():
    """An empty histogram has no quantile, and one whose counts were all taken back neither."""
    assert quantile({}, 0.5) is None
    assert quantile({7: 0}, 0.5) is None


def test_what_is_out_of_range_goes_to_the_ends():
    """Negative values count as 0, values beyond 279 years share the last bucket."""
    assert bucket_of(-1) == 0
    assert bucket_of(YEARS_279 * 1000) == len(HIGHS) - 1
