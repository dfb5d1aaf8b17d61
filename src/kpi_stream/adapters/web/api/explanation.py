"""Why a KPI moved, as models; `adapters.web.explanation` fills them."""

from pydantic import Field

from kpi_stream.adapters.web.api import base as b


class PeriodOf(b.Model):
    """A stretch of time."""

    from_: b.Instant = Field(alias="from")
    to: b.Instant
    """The instant after the last."""


class SumOf(b.Model):
    """A KPI over one period."""

    value: b.Value
    numerator: int
    denominator: int
    samples: int
    quantile: float | None
    """The quantile, where the KPI is one; `value` is then the mean."""


class EffectOf(b.Model):
    """What one member did."""

    member: str
    weight_before: float | None
    """Share of the denominator; null for a sum, which has no weights."""
    weight_now: float | None
    value_before: b.Value
    value_now: b.Value
    mix: float
    rate: float


class SplitOf(b.Model):
    """The change split by one dimension; mix and rate add up to it."""

    dimension: str
    mix: float
    rate: float
    effects: list[EffectOf]


class CostOf(b.Model):
    """A member that makes the reading worse."""

    dimension: str
    member: str
    gap: float
    value: b.Value
    samples: int


class ExplanationAnswer(b.Model):
    """Everything that is said about a KPI's movement."""

    kpi: str
    window: str
    office: str | None
    as_of: b.Instant
    period: PeriodOf | None
    previous: PeriodOf | None
    now: SumOf
    before: SumOf
    change: float | None
    of_mean: bool
    """The KPI is a quantile, which does not split: this is the mean of the same durations."""
    why_not: str | None
    """Why nothing is split."""
    cautions: list[str]
    splits: list[SplitOf]
    against: float | None
    """What the costs are held against."""
    costs: list[CostOf]
