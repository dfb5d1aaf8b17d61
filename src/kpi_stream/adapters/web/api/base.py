"""What the models of all answers have in common."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from kpi_stream.domain.readings import NoData
from kpi_stream.domain.status import Status

Instant = Annotated[
    str,
    Field(
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", description="RFC 3339, UTC, with Z."
    ),
]
Offset = Annotated[str, Field(description="RFC 3339 with the offset of the strategy's time zone.")]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$", description="A local date.")]
Seconds = Annotated[float, Field(description="In seconds.")]
Share = Annotated[float, Field(description="1 is the whole.")]
Value = Annotated[
    float | None,
    Field(description="In the KPI's unit (seconds, ratio, major units of money, count)."),
]


class Model(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_enum_values=True, use_attribute_docstrings=True
    )


class Words(Model):
    """A text in both languages."""

    es: str
    en: str


class Problem(Model):
    """Why something is not answered."""

    error: str
    problems: list[str] = []
    """Each mistake of the question."""


class Reading(Model):
    """What a KPI says of one member over one window."""

    window: str
    dimension: str
    """`national`, or a dimension of the strategy."""
    member: str
    """Its code; empty for `national`."""
    value: Value
    numerator: int
    denominator: int
    samples: int
    no_data: NoData | None
    """Why there is no value."""


class Goal(Model):
    """What was decided about a KPI."""

    id: str
    value: float
    """The goal, in the KPI's unit; of a band the upper edge."""
    low: float | None
    """The lower edge of a band."""
    baseline: float
    baseline_at: Offset
    deadline: Offset
    """The instant that ends the last day."""
    owner: str
    source: str
    assumption: bool


class Judgement(Model):
    """What a reading means for its target."""

    status: Status
    status_since: Instant
    status_before: Status | None
    """The one before; null where no change is known."""
    expected: float | None
    """What it should be now, by the trajectory; null for a band."""
    gap: float | None
    """The value minus what is expected; of a band the distance from its nearer edge, 0 inside."""
    attainment: float | None
    progress: float | None
    """Share of the way from baseline to goal."""
    target: Goal
    trend: list[float | None]
    """One reading a local day, oldest first; 28 of them."""
    slope_per_day: float | None
    forecast: float | None
    """What it will be at the deadline at this pace."""
    verdict: str | None


def instant(ms: int) -> str:
    """Return an instant in milliseconds as the API writes it.

    Example:
        >>> instant(1_500)
        '1970-01-01T00:00:01.500Z'
    """
    whole, rest = divmod(ms, 1000)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"


def seconds(ms: int | None) -> float | None:
    """Return milliseconds as seconds."""
    return None if ms is None else ms / 1000
