"""What an evaluation says, as gauges."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from kpi_stream.adapters.prometheus.families import Gauges
from kpi_stream.application.as_of import Freshness
from kpi_stream.application.judge import Judged
from kpi_stream.application.monitoring import conventions as c
from kpi_stream.application.scorecard import Evaluation
from kpi_stream.domain.forecast import Verdict
from kpi_stream.domain.initiatives import Initiative
from kpi_stream.domain.readings import NoData, Reading
from kpi_stream.domain.status import Status
from kpi_stream.domain.strategy import Strategy, Unit
from kpi_stream.domain.trajectory import to_ms
from kpi_stream.domain.worklist import Urgency, Worksheet


def add_evaluation(gauges: Gauges, evaluation: Evaluation) -> None:
    """Add readings, judgements, roll-ups and freshness."""
    units = {kpi.id: kpi.unit for kpi in evaluation.strategy.kpis}
    for reading in evaluation.readings.values():
        _add_reading(gauges, units[reading.key.kpi], reading)
    for judged in evaluation.judged:
        _add_judged(gauges, judged)
    for each in evaluation.objectives:
        gauges.set(c.OBJECTIVE_ATTAINMENT, each.attainment, each.objective.id)
        gauges.state(c.OBJECTIVE_STATUS, Status, each.status, each.objective.id)
    for one in evaluation.initiatives:
        name = one.initiative.id
        gauges.set(c.INITIATIVE_PROGRESS, one.initiative.progress, name)
        gauges.set(c.INITIATIVE_ELAPSED, one.elapsed, name)
        gauges.set(c.INITIATIVE_SPENT, one.spent, name)
        gauges.set(c.INITIATIVE_OVERDUE, len(one.overdue), name)
        _add_open_actions(gauges, evaluation, one.initiative)
    for what, subjects in evaluation.quality.items():
        problem, _, kpi = what.partition(":")
        gauges.set(c.QUALITY, subjects, problem, kpi)
    for office, activity in evaluation.offices.items():
        gauges.set(c.OFFICE_SILENT, activity.silent_ms / 1000, office)
        gauges.set(c.OFFICE_ACTIVE, activity.active, office)
    gauges.set(c.AS_OF, evaluation.as_of_ms / 1000)
    gauges.set(c.STALE, evaluation.stale)


def _add_open_actions(gauges: Gauges, evaluation: Evaluation, initiative: Initiative) -> None:
    """Add the end of the local day on which each action is due that is not done by then."""
    zone = ZoneInfo(evaluation.strategy.calendar.time_zone)
    today = datetime.fromtimestamp(evaluation.as_of_ms / 1000, zone).date()
    for number, action in enumerate(initiative.actions, start=1):
        if action.done is not None and action.done <= today:
            continue
        end = datetime.combine(action.due + timedelta(days=1), time(), zone)
        gauges.set(
            c.INITIATIVE_ACTION_DUE,
            end.timestamp(),
            initiative.id,
            str(number),
            action.name["es"],
            action.name["en"],
            action.responsible,
        )


def _add_reading(gauges: Gauges, unit: Unit, reading: Reading) -> None:
    key = reading.key
    gauges.set(c.KPI_VALUE[unit], reading.value, *key)
    if reading.no_data is NoData.NOT_MEASURED:
        gauges.set(c.KPI_NO_DATA, 1, *key, reading.no_data.value)
        return
    gauges.set(c.KPI_SAMPLES, reading.samples, *key)
    if reading.value is not None:
        gauges.set(c.KPI_NUMERATOR, reading.numerator, *key)
        gauges.set(c.KPI_DENOMINATOR, reading.denominator, *key)


def _add_judged(gauges: Gauges, judged: Judged) -> None:
    key, unit, target = judged.key, judged.kpi.unit, judged.target
    gauges.set_unit(c.KPI_EXPECTED, unit, judged.expected, *key)
    gauges.set_unit(c.KPI_TARGET, unit, target.low, *key, "lower")
    upper = "goal" if target.low is None else "upper"
    gauges.set_unit(c.KPI_TARGET, unit, target.value, *key, upper)
    gauges.set(c.KPI_ATTAINMENT, judged.attainment, *key)
    gauges.set(c.KPI_PROGRESS, judged.progress, *key)
    gauges.state(c.KPI_STATUS, Status, judged.status, *key)
    gauges.set(c.KPI_STATUS_SINCE, judged.state.since_ms / 1000, *key)
    reason = judged.reading.no_data
    if reason is not None and reason is not NoData.NOT_MEASURED:
        gauges.set(c.KPI_NO_DATA, 1, *key, reason.value)
    if judged.forecast is not None:
        gauges.set_unit(c.KPI_FORECAST, unit, judged.forecast.value, *key)
        gauges.state(c.KPI_FORECAST_VERDICT, Verdict, judged.forecast.verdict, *key)
    gauges.set(c.TARGET_DEADLINE, to_ms(target.deadline) / 1000, *key)
    gauges.info(
        c.TARGET_INFO,
        *key,
        target.id,
        str(target.version),
        target.trajectory.value,
        target.owner,
        target.approver,
        "true" if target.assumption else "false",
    )


def add_waiting(gauges: Gauges, sheets: Mapping[tuple[str, str], Worksheet]) -> None:
    """Add how many are late and close, by worklist and office."""
    for (worklist, office), sheet in sheets.items():
        gauges.set(c.WORKLIST, sheet.late, worklist, office, Urgency.LATE)
        gauges.set(c.WORKLIST, sheet.close, worklist, office, Urgency.CLOSE)


def add_freshness(gauges: Gauges, freshness: Freshness) -> None:
    """Add how new the rows are, also before there is anything to evaluate."""
    age = freshness.data_age_ms
    gauges.set(c.DATA_AGE, None if age is None else age / 1000)
    gauges.set(c.CAUGHT_UP, freshness.caught_up)
    for each in freshness.partitions:
        name = str(each.partition)
        gauges.set(
            c.WATERMARK, None if each.watermark_ms is None else each.watermark_ms / 1000, name
        )
        gauges.set(c.SCORECARD_LAG, each.lag, name)


def add_strategy(gauges: Gauges, strategy: Strategy) -> None:
    """Add the texts and the constant numbers of a strategy."""
    gauges.info(
        c.STRATEGY_INFO,
        strategy.id,
        strategy.name["es"],
        strategy.name["en"],
        strategy.currency,
        strategy.calendar.time_zone,
        strategy.language,
    )
    perspectives = {each.id: each for each in strategy.perspectives}
    home: dict[str, tuple[str, str]] = {}
    for objective in strategy.objectives:
        band = perspectives[objective.perspective]
        gauges.info(
            c.OBJECTIVE_INFO,
            objective.id,
            objective.name["es"],
            objective.name["en"],
            band.id,
            band.name["es"],
            band.name["en"],
            objective.owner,
        )
        for part in objective.kpis:
            home.setdefault(part.kpi, (objective.id, objective.perspective))
            gauges.set(c.OBJECTIVE_WEIGHT, part.weight, objective.id, part.kpi)
        for effect in objective.causes:
            gauges.info(c.OBJECTIVE_CAUSE, objective.id, effect)
    for kpi in strategy.kpis:
        gauges.info(
            c.KPI_INFO,
            *(kpi.id, kpi.code, kpi.name["es"], kpi.name["en"]),
            *home.get(kpi.id, ("", "")),
            kpi.owner,
            *(kpi.unit.value, kpi.direction.value, kpi.display, kpi.measure.kind),
        )
        gauges.set(c.KPI_MINIMUM_SAMPLES, kpi.minimum_sample, kpi.id)
    units = {kpi.id: kpi.unit for kpi in strategy.kpis}
    for mark in strategy.benchmarks:
        gauges.set_unit(c.KPI_BENCHMARK, units[mark.kpi], mark.value, mark.kpi, mark.id, mark.who)
    for one in strategy.initiatives:
        served = ",".join(one.objectives)
        gauges.info(c.INITIATIVE_INFO, one.id, one.name["es"], one.name["en"], one.owner, served)
        gauges.set(c.INITIATIVE_BUDGET, one.budget_cents / 100, one.id)
        gauges.set(c.INITIATIVE_SPENT_MONEY, one.spent_cents / 100, one.id)
    for dimension in strategy.dimensions:
        for member in dimension.members:
            gauges.info(
                c.MEMBER_INFO, dimension.id, member.code, member.name["es"], member.name["en"]
            )
