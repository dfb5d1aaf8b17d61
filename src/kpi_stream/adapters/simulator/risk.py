"""Risk selection: which declarations get which channel, and how well that hits.

Every declaration has a score: standard normal, raised by `separation` where there is a true
discrepancy and lowered for a trusted operator. The thresholds are the quantiles of that mixture,
so the shares of the channels hold whatever the share of discrepancies is.
"""

from dataclasses import dataclass
from math import erf, sqrt

import numpy as np
from numpy.typing import NDArray

GREEN, ORANGE, RED = 0, 1, 2
CHANNELS = ("green", "orange", "red")

RISK, RANDOM, MANDATORY = 0, 1, 2
BASES = ("risk", "random", "mandatory")

RED_SHARE = 0.065
ORANGE_SHARE = 0.085
"""Shares selected by risk. Assumptions; orange 5-12 %, red 6-12 % are usual."""

MANDATORY_SHARE = 0.004
"""Goods that a rule sends to inspection whatever the score. An assumption."""

SEPARATION = (0.85, 1.15)
"""How far the score tells a discrepancy, at the start and at the end of the history."""

_TRUST = 0.6
"""By how much the score of a trusted operator is lower. An assumption."""

_BISECTIONS = 40


@dataclass(frozen=True, slots=True)
class Selection:
    """The outcome of the selection, one element a declaration."""

    channel: NDArray[np.int64]
    """GREEN, ORANGE or RED."""
    basis: NDArray[np.int64]
    """RISK, RANDOM or MANDATORY."""


def separation(progress: float) -> float:
    """Return the separation at a point of the history, 0 at its start and 1 at its end."""
    start, end = SEPARATION
    return start + (end - start) * progress


def threshold(share: float, *, fraud: float, trusted: float, distance: float) -> float:
    """Return the score that `share` of all declarations exceed.

    Args:
        share: Of all declarations, above 0 and below 1.
        fraud: Share with a true discrepancy.
        trusted: Share of trusted operators.
        distance: The separation.

    Example:
        >>> round(threshold(0.16, fraud=0.0, trusted=0.0, distance=1.0), 2)
        0.99
    """
    low, high = -10.0, 10.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        above = sum(
            weight * (1.0 - erf((middle - mean) / sqrt(2.0))) / 2.0
            for weight, mean in (
                ((1 - fraud) * (1 - trusted), 0.0),
                (fraud * (1 - trusted), distance),
                ((1 - fraud) * trusted, -_TRUST),
                (fraud * trusted, distance - _TRUST),
            )
        )
        low, high = (middle, high) if above > share else (low, middle)
    return round((low + high) / 2, 9)


def select(
    fraud: NDArray[np.bool_],
    aeo: NDArray[np.bool_],
    rng: np.random.Generator,
    *,
    thresholds: tuple[float, float],
    distance: float,
    random_share: float,
) -> Selection:
    """Return the channel and its basis for each declaration.

    Args:
        fraud: True where there is a discrepancy to find.
        aeo: True for trusted operators.
        rng: Where chance comes from.
        thresholds: Scores above which a declaration is orange, and red.
        distance: The separation that the thresholds were made for.
        random_share: Share that is inspected at random, on top of the score.
    """
    n = len(fraud)
    score = rng.standard_normal(n) + distance * fraud - _TRUST * aeo
    orange, red = thresholds
    channel = np.where(score > red, RED, np.where(score > orange, ORANGE, GREEN))
    basis = np.full(n, RISK)
    u = rng.random(n)
    at_random = u < random_share
    mandatory = u > 1.0 - MANDATORY_SHARE
    basis[at_random], basis[mandatory] = RANDOM, MANDATORY
    channel[at_random | mandatory] = RED
    return Selection(channel, basis)
