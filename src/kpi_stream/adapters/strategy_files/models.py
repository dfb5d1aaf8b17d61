"""The files of a strategy, one model for each thing that stands in them.

Only the form is checked here: keys, types, required texts. What refers to something else, or
depends on it, is checked over all files in the `check_*` modules.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from kpi_stream.adapters.strategy_files.base import (
    CURRENCY,
    FileModel,
    MemberCode,
    Slug,
    TextModel,
    Words,
)
from kpi_stream.adapters.strategy_files.measure_models import Conditions, MeasureModel, Milestones
from kpi_stream.adapters.strategy_files.quantities import Cents, MinuteOfDay, Quantity
from kpi_stream.domain.strategy import Direction, Holder, TrajectoryKind, Unit

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""Working days as they are written, Monday first."""

Share = Annotated[float, Field(ge=0, le=1)]


class OfficeHoursModel(FileModel):
    """When offices open and close, local time."""

    opens: MinuteOfDay
    closes: MinuteOfDay


class HolidayModel(FileModel):
    """A public holiday; the name is for whoever reads the file."""

    date: date
    name: Words


class CalendarModel(FileModel):
    """`calendar` of strategy.yaml."""

    time_zone: Words
    office_hours: OfficeHoursModel
    working_days: Annotated[
        tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...],
        Field(min_length=1, strict=False),
    ]
    holidays: Annotated[tuple[HolidayModel, ...], Field(strict=False)] = ()


class PerspectiveModel(FileModel):
    """A band of the map, in strategy.yaml."""

    id: Slug
    name: TextModel


class HeadModel(FileModel):
    """strategy.yaml but for its perspectives."""

    id: Slug
    name: TextModel
    vision: TextModel
    language: Literal["es", "en"]
    currency: Annotated[str, StringConstraints(pattern=CURRENCY)]
    calendar: CalendarModel


class MemberModel(FileModel):
    """A declared value of a dimension."""

    code: MemberCode
    name: TextModel


class DimensionModel(FileModel):
    """An entry of dimensions.yaml: an attribute, and either its members or a cap."""

    id: Slug
    name: TextModel
    attribute: str
    members: Annotated[tuple[MemberModel, ...], Field(strict=False)] = ()
    cap: Annotated[int, Field(ge=1, le=1000)] | None = None


class WeightModel(FileModel):
    """A KPI's part in an objective."""

    kpi: str
    weight: Annotated[float, Field(gt=0, le=1)]


class ObjectiveModel(FileModel):
    """An entry of objectives.yaml."""

    id: Slug
    code: Annotated[str, StringConstraints(max_length=8)] = ""
    name: TextModel
    statement: TextModel
    perspective: str
    owner: Words
    pmm_dimension: str = ""
    causes: Annotated[tuple[str, ...], Field(strict=False)] = ()
    kpis: Annotated[tuple[WeightModel, ...], Field(strict=False)]


class KpiModel(FileModel):
    """An entry of kpis.yaml."""

    id: Slug
    code: Annotated[str, StringConstraints(max_length=8)] = ""
    name: TextModel
    question: TextModel
    measure: MeasureModel
    unit: Annotated[Unit, Field(strict=False)]
    display: Literal["", "h", "d", "min", "%", "x", "M"] = ""
    direction: Annotated[Direction, Field(strict=False)]
    windows: Annotated[tuple[str, ...], Field(min_length=1, strict=False)]
    dimensions: Annotated[tuple[str, ...], Field(strict=False)] = ()
    minimum_sample: Annotated[int, Field(ge=1)]
    owner: Words
    source: Words


class BaselineModel(FileModel):
    """Where a target starts; the value holds at the local midnight that opens the date."""

    value: Quantity
    date: date


class PointModel(FileModel):
    """A point on the way: `by` ends its date like a deadline, `from` opens its date."""

    by: date | None = None
    from_: Annotated[date | None, Field(alias="from")] = None
    value: Quantity


class ToleranceModel(FileModel):
    """How far a value may miss, as a share of what is expected."""

    green: Share = 0.0
    amber: Share = 0.1


class ScopeModel(FileModel):
    """Which members a target judges."""

    dimension: str
    members: Annotated[tuple[str, ...], Field(min_length=1, strict=False)]


class TargetModel(FileModel):
    """An entry of targets.yaml."""

    id: Slug
    kpi: str
    window: str
    scope: ScopeModel | None = None
    baseline: BaselineModel
    value: Quantity
    low: Quantity | None = None
    deadline: date
    trajectory: Annotated[TrajectoryKind, Field(strict=False)]
    points: Annotated[tuple[PointModel, ...], Field(strict=False)] = ()
    tolerance: ToleranceModel = ToleranceModel()
    owner: Words
    approver: Words
    version: Annotated[int, Field(ge=1)]
    source: str = ""
    assumption: bool = False


class ActionModel(FileModel):
    """A step of an initiative."""

    name: TextModel
    responsible: Words
    due: date
    done: date | None = None


class InitiativeModel(FileModel):
    """An entry of initiatives.yaml."""

    id: Slug
    name: TextModel
    owner: Words
    start: date
    end: date
    budget: Cents
    spent: Cents
    progress: Share
    objectives: Annotated[tuple[str, ...], Field(min_length=1, strict=False)]
    actions: Annotated[tuple[ActionModel, ...], Field(strict=False)] = ()
    source: str = ""
    assumption: bool = False


class BenchmarkModel(FileModel):
    """An entry of benchmarks.yaml."""

    id: Slug
    kpi: str
    who: Words
    value: Quantity
    period: Words
    source: Words
    note: TextModel | None = None


class WayModel(FileModel):
    """`way` of stages.yaml."""

    start: str
    end: str
    where: Conditions = Field(default_factory=dict)
    dimensions: Annotated[tuple[str, ...], Field(strict=False)] = ()
    windows: Annotated[tuple[str, ...], Field(min_length=1, strict=False)]


class StageModel(FileModel):
    """An entry of stages.yaml; `where` says of which subjects it is expected."""

    id: Slug
    name: TextModel
    holder: Annotated[Holder, Field(strict=False)]
    begin: str | None = None
    end: Milestones
    where: Conditions = Field(default_factory=dict)


class WorklistModel(FileModel):
    """An entry of worklists.yaml."""

    id: Slug
    kpi: str
    close: Annotated[float, Field(gt=0, le=1)] = 0.75
    size: Annotated[int, Field(ge=1, le=500)] = 50
