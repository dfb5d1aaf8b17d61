"""What is said about a KPI's movement: both readings, the splits of the change, who costs most."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from kpi_stream.application.periods import Period
from kpi_stream.domain.decomposition import Effect
from kpi_stream.domain.strategy import Kpi


class WhyNot(StrEnum):
    """Why a change is not split."""

    NOT_MEASURED = "not_measured"
    STOCK = "stock"
    """What was open then cannot be told from what is open now."""
    LIFT = "lift"
    """A ratio of two ratios is not the mean of its members."""
    PLAN = "plan"
    """There is one plan for all members together."""
    NOT_KEPT = "not_kept"
    """The hours before a window of many hours are not kept any more."""
    NO_ROWS = "no_rows"
    """Nothing had been counted yet in the earlier period."""
    EMPTY = "empty"
    """One of both periods has nothing to divide by."""


class Caution(StrEnum):
    """What a reader must know before comparing two periods."""

    UNFINISHED = "unfinished"
    """A sum is compared, and the last day of the window is not over yet."""
    UNLIKE = "unlike"
    """A sum is compared, and one period has more days than the other."""
    PARTLY = "partly"
    """The first rows are of a day within the earlier period."""


@dataclass(frozen=True, slots=True)
class Sum:
    """A KPI over one period."""

    numerator: int
    denominator: int
    samples: int
    """How many subjects or events are behind it."""
    value: float | None
    """In the KPI's unit, whatever the number of samples; None with nothing to divide by. The mean,
    where the KPI is a quantile."""
    quantile: float | None = None
    """The quantile, where the KPI is one."""


@dataclass(frozen=True, slots=True)
class Split:
    """The change split by one dimension; the effects add up to the change."""

    dimension: str
    effects: tuple[Effect, ...]
    """In the counters' own ratio, the largest first; `Explanation.scale` makes it the unit's."""

    @property
    def mix(self) -> Fraction:
        """Return what the weights of the members did together."""
        return sum((each.mix for each in self.effects), Fraction(0))

    @property
    def rate(self) -> Fraction:
        """Return what the ratios of the members did together."""
        return sum((each.rate for each in self.effects), Fraction(0))


@dataclass(frozen=True, slots=True)
class Cost:
    """A member that makes the reading worse."""

    dimension: str
    member: str
    gap: Fraction
    """What it adds to the distance from what is expected, in the counters' own ratio."""
    value: float | None
    samples: int
    """How many subjects or events are behind it."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that is said about a KPI's movement."""

    kpi: Kpi
    window: str
    office: str | None
    as_of_ms: int
    now: Sum
    before: Sum
    period: Period | None
    """What `now` covers; None for a stock and for what is not measured."""
    previous: Period | None
    """What `before` covers; None where there is nothing to compare with."""
    scale: Fraction
    """Times a ratio of counters is the KPI's unit: 1/1000 of milliseconds."""
    splits: tuple[Split, ...] = ()
    costs: tuple[Cost, ...] = ()
    """Those that cost most; of all dimensions, at most three. None for a sum."""
    against: float | None = None
    """What the costs are held against, in the KPI's unit: the expectation, else the whole."""
    of_mean: bool = False
    """The KPI is a quantile, which does not split: this is the mean of the same durations."""
    why_not: WhyNot | None = None
    """Why nothing is split; None where it is."""
    cautions: tuple[Caution, ...] = ()

    @property
    def change(self) -> float | None:
        """Return the value now minus the value before, in the KPI's unit."""
        if self.now.value is None or self.before.value is None:
            return None
        return self.now.value - self.before.value
