"""The `measure` of a KPI in the file: one model a kind, told apart by `kind`."""

from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from kpi_stream.adapters.strategy_files.base import STATISTIC, FileModel, TextModel
from kpi_stream.adapters.strategy_files.quantities import Cents, DurationMs, Quantity

Scalar: TypeAlias = bool | int | str
Milestones = Annotated[tuple[str, ...], Field(min_length=1, strict=False)]
Statistic = Annotated[str, StringConstraints(pattern=STATISTIC)]


def _spelled_out(value: object) -> object:
    """Return `red` and `[orange, red]` as what they are short for."""
    if isinstance(value, dict):
        return value
    return {"any_of": value if isinstance(value, list) else [value]}


class ConditionModel(FileModel):
    """What one attribute must be: one of some values, none of them, at least, or below."""

    any_of: Annotated[tuple[Scalar, ...], Field(min_length=1, strict=False)] | None = None
    none_of: Annotated[tuple[Scalar, ...], Field(min_length=1, strict=False)] | None = None
    at_least: Quantity | None = None
    below: Quantity | None = None

    @model_validator(mode="after")
    def _one_test(self) -> "ConditionModel":
        tests = (self.any_of, self.none_of, self.at_least, self.below)
        if sum(test is not None for test in tests) != 1:
            msg = "takes exactly one of any_of, none_of, at_least and below"
            raise ValueError(msg)
        return self


Conditions: TypeAlias = dict[str, Annotated[ConditionModel, BeforeValidator(_spelled_out)]]
"""By attribute; all of them must hold."""
SomeConditions = Annotated[Conditions, Field(min_length=1)]


class AmountModel(FileModel):
    """A sum inside another measure."""

    of: str
    field: str
    where: Conditions = Field(default_factory=dict)


class _KindModel(FileModel):
    where: Conditions = Field(default_factory=dict)


class DurationModel(_KindModel):
    """`kind: duration`."""

    kind: Literal["duration"]
    start: Milestones
    start_if_present: Annotated[tuple[str, ...], Field(strict=False)] = ()
    end: str
    statistic: Statistic = "mean"


class WithinModel(_KindModel):
    """`kind: within`."""

    kind: Literal["within"]
    start: Milestones
    start_if_present: Annotated[tuple[str, ...], Field(strict=False)] = ()
    end: Milestones
    limit: DurationMs


class SameDayModel(_KindModel):
    """`kind: same_day`."""

    kind: Literal["same_day"]
    opened: str
    decisions: Milestones


class ShareModel(_KindModel):
    """`kind: share`."""

    kind: Literal["share"]
    of: str
    part: SomeConditions


class AmountKindModel(AmountModel):
    """`kind: amount`."""

    kind: Literal["amount"]


class AmountShareModel(FileModel):
    """`kind: amount_share`."""

    kind: Literal["amount_share"]
    part: AmountModel
    whole: AmountModel


class StockModel(_KindModel):
    """`kind: stock`."""

    kind: Literal["stock"]
    opened: str
    closed: Milestones
    older_than: DurationMs


class LiftModel(_KindModel):
    """`kind: lift`."""

    kind: Literal["lift"]
    of: str
    part: SomeConditions
    group: SomeConditions
    against: SomeConditions


class PlanModel(FileModel):
    """`kind: plan`."""

    kind: Literal["plan"]
    amount: AmountModel
    months: Annotated[dict[str, Cents], Field(min_length=1)]


class NotMeasuredModel(FileModel):
    """`kind: not_measured`."""

    kind: Literal["not_measured"]
    reason: TextModel


MeasureModel = Annotated[
    DurationModel
    | WithinModel
    | SameDayModel
    | ShareModel
    | AmountKindModel
    | AmountShareModel
    | StockModel
    | LiftModel
    | PlanModel
    | NotMeasuredModel,
    Field(discriminator="kind"),
]
