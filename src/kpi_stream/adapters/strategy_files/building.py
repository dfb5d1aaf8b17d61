"""Builds the domain's strategy from files in which nothing is wrong."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from kpi_stream.adapters.strategy_files import models as m
from kpi_stream.adapters.strategy_files.building_measures import build_measure, conditions
from kpi_stream.adapters.strategy_files.draft import Draft
from kpi_stream.adapters.strategy_files.quantities import in_unit
from kpi_stream.domain import strategy as s
from kpi_stream.domain.initiatives import Action, Benchmark, Initiative


def build_strategy(draft: Draft) -> s.Strategy:
    """Return the strategy of a draft.

    Raises:
        ValueError: There is no strategy.yaml, or something was not checked before.
    """
    head = draft.head
    if head is None:
        msg = "a strategy without its head cannot be built"
        raise ValueError(msg)
    zone = ZoneInfo(head.calendar.time_zone)
    units = {each.item.id: each.item.unit for each in draft.kpis.entries}
    return s.Strategy(
        id=head.id,
        name=head.name.by_language(),
        vision=head.vision.by_language(),
        language=head.language,
        currency=head.currency,
        calendar=_calendar(head.calendar),
        perspectives=tuple(
            s.Perspective(each.item.id, each.item.name.by_language())
            for each in draft.perspectives.entries
        ),
        objectives=tuple(_objective(each.item) for each in draft.objectives.entries),
        dimensions=tuple(_dimension(each.item) for each in draft.dimensions.entries),
        kpis=tuple(_kpi(each.item) for each in draft.kpis.entries),
        targets=tuple(
            _target(each.item, units[each.item.kpi], zone) for each in draft.targets.entries
        ),
        initiatives=tuple(_initiative(each.item) for each in draft.initiatives.entries),
        benchmarks=tuple(
            _benchmark(each.item, units[each.item.kpi]) for each in draft.benchmarks.entries
        ),
        way=_way(draft),
        worklists=tuple(
            s.Worklist(each.item.id, each.item.kpi, each.item.close, each.item.size)
            for each in draft.worklists.entries
        ),
    )


def _calendar(calendar: m.CalendarModel) -> s.Calendar:
    return s.Calendar(
        time_zone=calendar.time_zone,
        weekdays=frozenset(m.DAYS.index(day) for day in calendar.working_days),
        opens_minute=calendar.office_hours.opens,
        closes_minute=calendar.office_hours.closes,
        holidays=frozenset(each.date for each in calendar.holidays),
    )


def _objective(objective: m.ObjectiveModel) -> s.Objective:
    return s.Objective(
        id=objective.id,
        name=objective.name.by_language(),
        statement=objective.statement.by_language(),
        perspective=objective.perspective,
        owner=objective.owner,
        kpis=tuple(s.WeightedKpi(each.kpi, each.weight) for each in objective.kpis),
        causes=objective.causes,
        dimension=objective.pmm_dimension,
        code=objective.code,
    )


def _dimension(dimension: m.DimensionModel) -> s.Dimension:
    return s.Dimension(
        id=dimension.id,
        name=dimension.name.by_language(),
        attribute=dimension.attribute,
        members=tuple(s.Member(each.code, each.name.by_language()) for each in dimension.members),
        cap=dimension.cap,
    )


def _kpi(kpi: m.KpiModel) -> s.Kpi:
    return s.Kpi(
        id=kpi.id,
        name=kpi.name.by_language(),
        question=kpi.question.by_language(),
        measure=build_measure(kpi.measure),
        unit=kpi.unit,
        direction=kpi.direction,
        windows=kpi.windows,
        dimensions=kpi.dimensions,
        minimum_sample=kpi.minimum_sample,
        owner=kpi.owner,
        source=kpi.source,
        display=kpi.display,
        code=kpi.code,
    )


def _opens(day: date, zone: ZoneInfo) -> datetime:
    # In UTC: the difference of two times of one zone would ignore a change of the clocks.
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def _ends(day: date, zone: ZoneInfo) -> datetime:
    return _opens(day + timedelta(days=1), zone)


def _target(target: m.TargetModel, unit: s.Unit, zone: ZoneInfo) -> s.Target:
    scope = target.scope
    return s.Target(
        id=target.id,
        kpi=target.kpi,
        window=target.window,
        baseline=in_unit(target.baseline.value, unit),
        baseline_at=_opens(target.baseline.date, zone),
        value=in_unit(target.value, unit),
        deadline=_ends(target.deadline, zone),
        trajectory=target.trajectory,
        points=tuple(_points(target.points, unit, zone)),
        low=None if target.low is None else in_unit(target.low, unit),
        green_tolerance=target.tolerance.green,
        amber_tolerance=target.tolerance.amber,
        dimension=scope.dimension if scope else s.NATIONAL,
        members=scope.members if scope else ("",),
        owner=target.owner,
        approver=target.approver,
        version=target.version,
        source=target.source.strip(),
        assumption=target.assumption,
    )


def _points(
    points: Iterable[m.PointModel], unit: s.Unit, zone: ZoneInfo
) -> Iterable[tuple[datetime, float]]:
    for point in points:
        value = in_unit(point.value, unit)
        if point.from_ is not None:
            yield _opens(point.from_, zone), value
        elif point.by is not None:
            yield _ends(point.by, zone), value


def _initiative(initiative: m.InitiativeModel) -> Initiative:
    return Initiative(
        id=initiative.id,
        name=initiative.name.by_language(),
        owner=initiative.owner,
        start=initiative.start,
        end=initiative.end,
        budget_cents=initiative.budget,
        spent_cents=initiative.spent,
        progress=initiative.progress,
        objectives=initiative.objectives,
        actions=tuple(
            Action(each.name.by_language(), each.responsible, each.due, each.done)
            for each in initiative.actions
        ),
        source=initiative.source.strip(),
        assumption=initiative.assumption,
    )


def _benchmark(benchmark: m.BenchmarkModel, unit: s.Unit) -> Benchmark:
    return Benchmark(
        id=benchmark.id,
        kpi=benchmark.kpi,
        who=benchmark.who,
        value=in_unit(benchmark.value, unit),
        period=benchmark.period,
        source=benchmark.source,
        note=benchmark.note.by_language() if benchmark.note else {},
    )


def _way(draft: Draft) -> s.Way | None:
    way = draft.way
    if way is None:
        return None
    return s.Way(
        start=way.start,
        end=way.end,
        stages=tuple(_stage(each.item) for each in draft.stages.entries),
        where=conditions(way.where),
        dimensions=way.dimensions,
        windows=way.windows,
    )


def _stage(stage: m.StageModel) -> s.Stage:
    return s.Stage(
        id=stage.id,
        name=stage.name.by_language(),
        holder=stage.holder,
        end=stage.end,
        begin=stage.begin,
        where=conditions(stage.where),
    )
