"""Checks of the way of a subject, its stages, and the worklists."""

from collections.abc import Iterator

from kpi_stream.adapters.strategy_files import measure_models as mm
from kpi_stream.adapters.strategy_files.attributes import (
    Finding,
    attribute_problem,
    condition_problems,
    kinds_problem,
    milestone_problem,
)
from kpi_stream.adapters.strategy_files.check_kpis import NOW, office_codes
from kpi_stream.adapters.strategy_files.draft import STAGES, Draft
from kpi_stream.adapters.strategy_files.models import StageModel, WayModel
from kpi_stream.adapters.strategy_files.vocabulary import kind_of
from kpi_stream.adapters.strategy_files.wording import repeated
from kpi_stream.adapters.strategy_files.yaml_text import step
from kpi_stream.domain.errors import Problem
from kpi_stream.domain.events import BY_MILESTONE
from kpi_stream.domain.windows import parse


def stage_problems(draft: Draft) -> Iterator[Problem]:
    """Yield what is wrong with the way and its stages."""
    way = draft.way
    if way is None:
        return
    for where, message in (*_way(way, draft), *_windows(way), *_dimensions(way, draft)):
        yield Problem(STAGES, f"way.{where}", message)
    for entry in draft.stages.entries:
        for where, message in _stage(entry.item, way, draft):
            yield entry.problem(where, message)
    if draft.stages.whole and not any(each.item.end == (way.end,) for each in draft.stages.entries):
        message = f"none ends with the way; the last one on it has end: [{way.end}]"
        yield Problem(STAGES, "stages", message)


def worklist_problems(draft: Draft) -> Iterator[Problem]:
    """Yield what is wrong with the worklists."""
    for entry in draft.worklists.entries:
        name = entry.item.kpi
        wrong = draft.kpis.missing("KPI", name)
        kpi = draft.kpis.get(name)
        if kpi is not None and not isinstance(kpi.measure, mm.WithinModel):
            wrong = f"{name!r} has no limit; a worklist needs a KPI of kind within"
        elif kpi is not None and isinstance(kpi.measure, mm.WithinModel) and draft.way is not None:
            start, first = BY_MILESTONE.get(draft.way.start), kpi.measure.start[0]
            if start is not None and first in BY_MILESTONE:
                wrong = kinds_problem(start.kind, [first], ())
        if wrong:
            yield entry.problem("kpi", wrong)


def _way(way: WayModel, draft: Draft) -> Iterator[Finding]:
    for key in ("start", "end"):
        name = getattr(way, key)
        wrong = milestone_problem(name)
        if wrong is None and key == "end" and way.start in BY_MILESTONE:
            wrong = kinds_problem(BY_MILESTONE[way.start].kind, [name], ())
        if wrong:
            yield key, wrong
    if way.start == way.end:
        yield "end", f"{way.end!r} is the start already"
    yield from condition_problems(way.where, "where", office_codes(draft))
    if way.start in BY_MILESTONE:
        wrong = kinds_problem(BY_MILESTONE[way.start].kind, (), way.where)
        if wrong:
            yield "where", wrong


def _windows(way: WayModel) -> Iterator[Finding]:
    for at, name in repeated(way.windows):
        yield step("windows", at), f"{name!r} is listed twice"
    for at, name in enumerate(way.windows):
        try:
            parse(name)
        except ValueError as error:
            yield step("windows", at), str(error)
        else:
            if name == NOW:
                yield step("windows", at), "stages are read over a time; use 7d, 30d, mtd or ytd"


def _dimensions(way: WayModel, draft: Draft) -> Iterator[Finding]:
    for at, name in repeated(way.dimensions):
        yield step("dimensions", at), f"{name!r} is listed twice"
    start = BY_MILESTONE.get(way.start)
    for at, name in enumerate(way.dimensions):
        wrong = draft.dimensions.missing("dimension", name)
        dimension = draft.dimensions.get(name)
        if wrong is None and dimension and start and attribute_problem(dimension.attribute) is None:
            kind = kind_of(dimension.attribute)
            if kind is not None and kind is not start.kind:
                wrong = (
                    f"{dimension.attribute} is a fact of subjects of kind {kind}; "
                    f"this counts kind {start.kind}"
                )
        if wrong:
            yield step("dimensions", at), wrong


def _stage(stage: StageModel, way: WayModel, draft: Draft) -> Iterator[Finding]:
    named = [(step("end", at), name) for at, name in enumerate(stage.end)]
    if stage.begin is not None:
        named.append(("begin", stage.begin))
    for place, name in named:
        wrong = milestone_problem(name)
        if wrong:
            yield place, wrong
    for at, name in repeated(stage.end):
        yield step("end", at), f"{name!r} is listed twice"
    if stage.begin is not None and stage.begin in stage.end:
        yield "begin", f"{stage.begin!r} is its end as well"
    if stage.begin is not None and stage.end == (way.end,):
        yield "begin", "the stage that ends the way takes all that is left of it; remove `begin`"
    yield from condition_problems(stage.where, "where", office_codes(draft))
    if way.start in BY_MILESTONE:
        names = [name for _, name in named]
        wrong = kinds_problem(BY_MILESTONE[way.start].kind, names, stage.where)
        if wrong:
            yield "", wrong
