"""The strategy as the page needs it."""

import hashlib

from kpi_stream.adapters.web.api import base as b
from kpi_stream.adapters.web.api.decided import (
    ActionOf,
    Area,
    BenchmarkOf,
    DimensionOf,
    InitiativeOf,
    KpiOf,
    LinesOf,
    MapArrow,
    MapBand,
    MapBox,
    MapOf,
    MemberName,
    Named,
    ObjectiveOf,
    Shown,
    StageOf,
    StrategyAnswer,
    TargetOf,
    WayOf,
    Weighted,
    WorklistOf,
)
from kpi_stream.adapters.web.api.scorecard import goal
from kpi_stream.application.display import HOLDERS, presentation
from kpi_stream.application.handbook.formula import formula
from kpi_stream.application.sentence import LANGUAGES
from kpi_stream.application.strategy_map import Box, Rect, strategy_map
from kpi_stream.domain.catalogue import canonical
from kpi_stream.domain.initiatives import Initiative
from kpi_stream.domain.strategy import Kpi, NotMeasured, Strategy, Way, Within


def version(strategy: Strategy) -> str:
    """Return a text that changes with anything in the strategy."""
    return hashlib.sha256(canonical(strategy).encode()).hexdigest()[:16]


def strategy_answer(strategy: Strategy) -> StrategyAnswer:
    """Return a strategy as the page needs it."""
    kpis = {kpi.id: kpi for kpi in strategy.kpis}
    return StrategyAnswer(
        id=strategy.id,
        name=b.Words(**strategy.name),
        vision=b.Words(**strategy.vision),
        language=strategy.language,
        currency=strategy.currency,
        time_zone=strategy.calendar.time_zone,
        version=version(strategy),
        perspectives=[
            Named(id=each.id, name=b.Words(**each.name)) for each in strategy.perspectives
        ],
        objectives=[
            ObjectiveOf(
                id=each.id,
                name=b.Words(**each.name),
                code=each.code,
                statement=b.Words(**each.statement),
                perspective=each.perspective,
                owner=each.owner,
                causes=list(each.causes),
                kpis=[Weighted(kpi=part.kpi, weight=part.weight) for part in each.kpis],
            )
            for each in strategy.objectives
        ],
        kpis=[kpi_of(each, strategy) for each in strategy.kpis],
        targets=[
            TargetOf(
                **goal(each).model_dump(),
                kpi=each.kpi,
                window=each.window,
                dimension=each.dimension,
                members=list(each.members),
                trajectory=each.trajectory,
            )
            for each in strategy.targets
        ],
        dimensions=[
            DimensionOf(
                id=each.id,
                name=b.Words(**each.name),
                members=[
                    MemberName(code=one.code, name=b.Words(**one.name)) for one in each.members
                ],
            )
            for each in strategy.dimensions
        ],
        initiatives=[initiative_of(each) for each in strategy.initiatives],
        benchmarks=benchmarks_of(strategy),
        holders=[Named(id=each, name=b.Words(**name)) for each, name in HOLDERS.items()],
        way=None if strategy.way is None else _way(strategy.way),
        worklists=[
            WorklistOf(id=each.id, kpi=each.kpi, limit_s=measure.limit_ms / 1000, close=each.close)
            for each in strategy.worklists
            if isinstance(measure := kpis[each.kpi].measure, Within)
        ],
        map=_map(strategy),
    )


def kpi_of(kpi: Kpi, strategy: Strategy) -> KpiOf:
    """Return a KPI as it is defined."""
    divisor, decimals, suffix = presentation(kpi)
    return KpiOf(
        id=kpi.id,
        name=b.Words(**kpi.name),
        code=kpi.code,
        question=b.Words(**kpi.question),
        unit=kpi.unit,
        display=kpi.display,
        shown=Shown(divisor=divisor, decimals=decimals, suffix=suffix),
        direction=kpi.direction,
        windows=list(kpi.windows),
        dimensions=list(kpi.dimensions),
        minimum_sample=kpi.minimum_sample,
        owner=kpi.owner,
        source=kpi.source,
        formula=b.Words(**{each: formula(kpi, strategy, each) for each in LANGUAGES}),
        measured=not isinstance(kpi.measure, NotMeasured),
    )


def benchmarks_of(strategy: Strategy, kpi: str | None = None) -> list[BenchmarkOf]:
    """Return the benchmarks of one KPI, or of all."""
    return [
        BenchmarkOf(
            id=each.id,
            kpi=each.kpi,
            who=each.who,
            value=each.value,
            period=each.period,
            source=each.source,
        )
        for each in strategy.benchmarks
        if kpi in (None, each.kpi)
    ]


def initiative_of(one: Initiative) -> InitiativeOf:
    """Return an initiative as it was decided."""
    return InitiativeOf(
        id=one.id,
        name=b.Words(**one.name),
        owner=one.owner,
        start=one.start.isoformat(),
        end=one.end.isoformat(),
        objectives=list(one.objectives),
        progress=one.progress,
        budget=one.budget_cents / 100,
        spent=one.spent_cents / 100,
        actions=[
            ActionOf(
                name=b.Words(**each.name),
                responsible=each.responsible,
                due=each.due.isoformat(),
                done=None if each.done is None else each.done.isoformat(),
            )
            for each in one.actions
        ],
        source=one.source,
        assumption=one.assumption,
    )


def _way(way: Way) -> WayOf:
    last = next(at for at, each in enumerate(way.stages) if each.end == (way.end,))
    return WayOf(
        stages=[
            StageOf(id=each.id, name=b.Words(**each.name), holder=each.holder, inside=at <= last)
            for at, each in enumerate(way.stages)
        ],
        windows=list(way.windows),
        dimensions=list(way.dimensions),
    )


def _map(strategy: Strategy) -> MapOf:
    found = strategy_map(strategy)

    def box(each: Box) -> MapBox:
        return MapBox(
            objective=each.objective.id,
            rect=_area(each.rect),
            stripe=_area(each.stripe),
            name=_area(each.name),
            status=_area(each.status),
            attainment=_area(each.attainment),
            worst=_area(each.worst),
            value=_area(each.value),
            lines=LinesOf(**{key: list(lines) for key, lines in each.lines.items()}),
        )

    return MapOf(
        width_px=found.width_px,
        height_px=found.height_px,
        bands=[
            MapBand(
                perspective=each.perspective.id,
                rect=_area(each.rect),
                label=_area(each.label),
                lines=LinesOf(**{key: list(lines) for key, lines in each.lines.items()}),
            )
            for each in found.bands
        ],
        boxes=[box(each) for each in found.boxes],
        arrows=[
            MapArrow(
                cause=each.cause,
                effect=each.effect,
                points=[(point.x, point.y) for point in each.points],
            )
            for each in found.arrows
        ],
    )


def _area(rect: Rect) -> Area:
    return Area(**rect._asdict())
