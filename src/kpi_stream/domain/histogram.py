"""A log-bucket histogram of non-negative integers whose quantiles are within 1 % of the truth.

The scheme is DDSketch's (Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable quantile sketch
with relative-error guarantees", VLDB 2019, arXiv 1908.10693) with alpha = 0.01. Bucket bounds are a
table of integers made with integer arithmetic, so a bucket is the same on every machine (math.log
may differ in its last bit). Counts add and subtract exactly and their order does not matter.

A bucket holds [low, high] with high <= low * (1 + alpha) / (1 - alpha); its representative,
the harmonic mean of both ends, is within alpha of every value in it. Values up to 99 have a bucket
of their own. Memory is one counter per bucket in use; 400 days in milliseconds use 1,000 buckets.
"""

from bisect import bisect_left
from collections.abc import Mapping

ALPHA = 0.01
"""Relative error of a quantile."""

_GAMMA = (101, 99)
"""(1 + alpha) / (1 - alpha) as an exact fraction."""

_EXACT = 100
"""Smaller values have a bucket of their own."""

_LARGEST = 1 << 43
"""Values from here on share the last bucket: 8.8e12 ms, 279 years."""


def _bounds() -> tuple[int, ...]:
    highs = [0]
    while highs[-1] < _LARGEST:
        low = highs[-1] + 1
        highs.append(low if low < _EXACT else low * _GAMMA[0] // _GAMMA[1])
    return tuple(highs)


HIGHS: tuple[int, ...] = _bounds()
"""The largest value of each bucket, by bucket number; bucket 0 holds the value 0."""


def bucket_of(value: int) -> int:
    """Return the number of the bucket that holds a value.

    Example:
        >>> bucket_of(0), bucket_of(7), bucket_of(-5)
        (0, 7, 0)
    """
    return min(bisect_left(HIGHS, value), len(HIGHS) - 1)


def representative(bucket: int) -> float:
    """Return the value that stands for a bucket, within 1 % of everything in it."""
    if bucket == 0:
        return 0.0
    low, high = HIGHS[bucket - 1] + 1, HIGHS[bucket]
    return 2.0 * low * high / (low + high)


def rank_of(q: float, n: int) -> int:
    """Return floor(q * (n - 1)), with q as the decimal number that it stands for.

    Args:
        q: 0..1, a multiple of 0.0001.
        n: Size of the sample, at least 1.

    Example:
        >>> rank_of(0.7, 91), int(0.7 * 90)  # 0.7 * 90 is 62.99999999999999
        (63, 62)
    """
    return round(q * 10_000) * (n - 1) // 10_000


def quantile(counts: Mapping[int, int], q: float) -> float | None:
    """Return the value at rank floor(q * (n - 1)) of the sorted sample, within 1 %.

    Args:
        counts: Count by bucket number.
        q: 0..1.

    Returns:
        The representative of the bucket at that rank, or None for an empty histogram.

    Example:
        >>> quantile({bucket_of(v): 1 for v in (10, 20, 30)}, 0.5)
        20.0
        >>> quantile({}, 0.5) is None
        True
    """
    total = sum(counts.values())
    if total <= 0:
        return None
    rank = rank_of(q, total)
    seen = 0
    for bucket in sorted(counts):
        seen += counts[bucket]
        if seen > rank:
            return representative(bucket)
    return None
