"""A reading: the value of one KPI at one instant, for one window and one member."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class SeriesKey(NamedTuple):
    """Which series a reading belongs to."""

    kpi: str
    window: str
    dimension: str
    """A dimension of the strategy, or `national`."""
    member: str
    """A member of the dimension; empty for `national`."""


class NoData(StrEnum):
    """Why a reading has no value; never 0, -1 or NaN in its place."""

    TOO_FEW = "too_few"
    """Fewer samples than the KPI's minimum (or nothing to divide by)."""
    STALE = "stale"
    """The feed is silent for longer than the scorecard's limit."""
    NOT_MEASURED = "not_measured"
    NO_PLAN = "no_plan"
    """A plan KPI for a member or a month without a planned amount."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The value of a KPI with the counts behind it."""

    key: SeriesKey
    value: float | None
    """In the KPI's unit (seconds, ratio, major units of money, count); None is no data."""
    numerator: int
    """Counter above the line (milliseconds for a mean duration, cents for money)."""
    denominator: int
    """Counter below the line; 1 where the KPI is a plain sum."""
    samples: int
    """How many subjects or events are behind it; held against the minimum sample."""
    no_data: NoData | None = None
