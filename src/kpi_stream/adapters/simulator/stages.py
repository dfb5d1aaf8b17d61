"""How long each stage of a declaration takes. Every figure here is an assumption.

Durations are log-normal: most are short and a few are very long, as in published time release
studies. A stage is given by its median in hours, the standard deviation of the logarithm, and a
cap in hours; per transport mode (in the order of TRANSPORT_MODES) where it depends on it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kpi_stream.adapters.simulator.office_hours import HOUR_MS, Moments


@dataclass(frozen=True, slots=True)
class Stage:
    """A log-normal duration."""

    median_h: float | tuple[float, ...]
    """One median, or one per transport mode; hours."""
    sigma: float
    cap_h: float
    """No duration is longer; hours."""


@dataclass(slots=True)
class Draws:
    """Chance for the declarations of one day."""

    rng: np.random.Generator
    n: int
    """Declarations, and so the length of every column that is drawn."""
    mode: NDArray[np.int64]
    """Their transport modes."""

    def chance(self, share: float | NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return True for `share` of the declarations."""
        return np.asarray(self.rng.random(self.n) < share)

    def between(self, low: float, high: float) -> NDArray[np.float64]:
        """Return uniform numbers in [low, high)."""
        return low + (high - low) * self.rng.random(self.n)

    def duration(self, stage: Stage, pace: float = 1.0) -> Moments:
        """Return durations in whole milliseconds; `pace` 2 makes the stage twice as long."""
        median = stage.median_h
        hours = np.array(median)[self.mode] if isinstance(median, tuple) else median
        drawn = hours * pace * np.exp(stage.sigma * self.rng.standard_normal(self.n))
        return np.asarray(np.floor(np.minimum(drawn, stage.cap_h) * HOUR_MS))


# Order of the medians: sea, air, road, rail, river, mail.
NOTICE = Stage((48.0, 6.0, 4.0, 8.0, 12.0, 8.0), 0.4, 72.0)
"""From the manifest to the arrival."""
UNLOAD = Stage((14.0, 2.5, 1.0, 5.0, 8.0, 5.0), 0.6, 72.0)
"""From the arrival to the end of the discharge."""
LEAD = Stage((80.0, 30.0, 18.0, 40.0, 48.0, 30.0), 0.7, 600.0)
"""From the numbering of an anticipated declaration to the arrival (the law: at most 30 days)."""
URGENT_LEAD = Stage(8.0, 0.6, 48.0)
DEFERRAL = Stage((34.0, 26.0, 10.0, 20.0, 26.0, 24.0), 0.8, 336.0)
"""From the discharge to the numbering of a deferred declaration (the law: at most 15 days)."""
URGENT_WAIT = Stage(8.0, 0.7, 160.0)

PAY_ANTICIPATED = Stage(16.0, 1.1, 288.0)
PAY_DEFERRED = Stage(4.0, 1.2, 192.0)
PAY_AT_ONCE = Stage(0.3, 0.8, 4.0)
"""Guaranteed or paid in the same minute as the declaration; also payment of an adjustment."""
PAY_ADJUSTED = Stage(8.0, 0.9, 120.0)

SYSTEM = Stage(0.04, 0.8, 1.0)
"""What a program does without a human: channel, automatic release."""
REGISTER_ARRIVAL = Stage((6.5, 4.0, 1.2, 4.0, 5.0, 4.0), 1.0, 120.0)
"""From the arrival until the goods of an anticipated declaration may be released."""

# Office hours, not hours:
ASSIGN = Stage(0.4, 0.7, 6.0)
ASK_DOCUMENTS = Stage(0.8, 0.7, 8.0)
REVIEW = Stage(1.6, 0.8, 24.0)
QUEUE_INSPECTION = Stage(2.4, 0.8, 40.0)
INSPECT = Stage(1.5, 0.6, 16.0)
DECIDE = Stage(0.4, 0.7, 6.0)
ADJUST = Stage(1.2, 0.7, 16.0)

SEND_DOCUMENTS = Stage(10.0, 1.0, 168.0)
AGENCY = Stage(14.0, 0.9, 240.0)
"""The permit of another agency, from the numbering."""
AGENCY_AGAIN = Stage(40.0, 0.5, 240.0)
"""A second request after a denial."""
SCAN = Stage(1.5, 0.6, 24.0)
EXIT = Stage((10.0, 6.0, 2.0, 8.0, 12.0, 8.0), 0.9, 480.0)
"""From release (and discharge) until the goods leave the terminal."""
REGULARIZE = Stage(150.0, 0.5, 600.0)
"""From the discharge; the law gives 15 days (360 h)."""
AMEND = Stage(60.0, 1.0, 960.0)
CANCEL = Stage(72.0, 0.7, 480.0)
ABANDON = Stage(900.0, 0.15, 1200.0)
"""Goods that nobody clears, until the declaration is cancelled."""
REFUSE = Stage(1.0, 0.8, 24.0)
"""How long before its numbering a first attempt was refused."""

BEFORE_MS = 21 * 24 * HOUR_MS
"""Nothing happens earlier than this before the local midnight of the numbering."""
AFTER_MS = 100 * 24 * HOUR_MS
"""Nothing happens later than this after the local midnight of the numbering."""
