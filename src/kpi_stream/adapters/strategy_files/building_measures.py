"""Builds the domain's measures and conditions from their models, one function a kind."""

from functools import singledispatch

from kpi_stream.adapters.strategy_files import measure_models as mm
from kpi_stream.adapters.strategy_files.quantities import field_value
from kpi_stream.domain import strategy as s


@singledispatch
def build_measure(measure: object) -> s.Measure:
    """Return the measure in base units.

    Raises:
        TypeError: No function is registered for that kind of model.
    """
    msg = f"no measure is built from {type(measure).__name__}"
    raise TypeError(msg)


@build_measure.register
def _duration(measure: mm.DurationModel) -> s.Measure:
    return s.Duration(
        start=measure.start,
        end=measure.end,
        start_if_present=measure.start_if_present,
        where=conditions(measure.where),
        statistic=measure.statistic,
    )


@build_measure.register
def _within(measure: mm.WithinModel) -> s.Measure:
    return s.Within(
        start=measure.start,
        end=measure.end,
        limit_ms=measure.limit,
        start_if_present=measure.start_if_present,
        where=conditions(measure.where),
    )


@build_measure.register
def _same_day(measure: mm.SameDayModel) -> s.Measure:
    return s.SameDay(measure.opened, measure.decisions, conditions(measure.where))


@build_measure.register
def _share(measure: mm.ShareModel) -> s.Measure:
    return s.Share(measure.of, conditions(measure.part), conditions(measure.where))


@build_measure.register
def _amount(measure: mm.AmountModel) -> s.Amount:
    return s.Amount(measure.of, measure.field, conditions(measure.where))


@build_measure.register
def _amount_share(measure: mm.AmountShareModel) -> s.Measure:
    return s.AmountShare(_amount(measure.part), _amount(measure.whole))


@build_measure.register
def _stock(measure: mm.StockModel) -> s.Measure:
    return s.Stock(
        opened=measure.opened,
        closed=measure.closed,
        older_than_ms=measure.older_than,
        where=conditions(measure.where),
    )


@build_measure.register
def _lift(measure: mm.LiftModel) -> s.Measure:
    return s.Lift(
        of=measure.of,
        part=conditions(measure.part),
        group=conditions(measure.group),
        against=conditions(measure.against),
        where=conditions(measure.where),
    )


@build_measure.register
def _plan(measure: mm.PlanModel) -> s.Measure:
    return s.Plan(_amount(measure.amount), dict(measure.months))


@build_measure.register
def _not_measured(measure: mm.NotMeasuredModel) -> s.Measure:
    return s.NotMeasured(measure.reason.by_language())


def conditions(written: mm.Conditions) -> tuple[s.Condition, ...]:
    """Return conditions in base units."""
    return tuple(_condition(attribute, each) for attribute, each in written.items())


def _condition(attribute: str, condition: mm.ConditionModel) -> s.Condition:
    if condition.any_of is not None:
        return s.Condition(attribute, any_of=frozenset(condition.any_of))
    if condition.none_of is not None:
        return s.Condition(attribute, any_of=frozenset(condition.none_of), negate=True)
    field = attribute.partition(".")[2]
    if condition.at_least is not None:
        return s.Condition(attribute, at_least=field_value(condition.at_least, field))
    limit = condition.below if condition.below is not None else 0
    return s.Condition(attribute, at_least=field_value(limit, field), negate=True)
