"""Checks of the strategic map and of the work that serves it."""

import math
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from kpi_stream.adapters.strategy_files.attributes import Finding
from kpi_stream.adapters.strategy_files.check_targets import value_problem
from kpi_stream.adapters.strategy_files.draft import Draft
from kpi_stream.adapters.strategy_files.models import InitiativeModel, ObjectiveModel
from kpi_stream.adapters.strategy_files.wording import repeated
from kpi_stream.adapters.strategy_files.yaml_text import step
from kpi_stream.domain.errors import Problem

_TOLERANCE = 1e-9
"""Weights are decimal fractions; their sum may differ from 1 by rounding."""


def objective_problems(draft: Draft) -> Iterator[Problem]:
    """Yield what is wrong with the objectives and the links between them."""
    for entry in draft.objectives.entries:
        objective = entry.item
        wrong = draft.perspectives.missing("perspective", objective.perspective)
        if wrong:
            yield entry.problem("perspective", wrong)
        for at, name in repeated(objective.causes):
            yield entry.problem(step("causes", at), f"{name!r} is listed twice")
        for at, name in enumerate(objective.causes):
            wrong = draft.objectives.missing("objective", name)
            if wrong:
                yield entry.problem(step("causes", at), wrong)
        yield from (entry.problem(*each) for each in _weights(objective, draft))
    yield from _cycles(draft)


def _weights(objective: ObjectiveModel, draft: Draft) -> Iterator[Finding]:
    names = [part.kpi for part in objective.kpis]
    for at, name in repeated(names):
        yield step("kpis", at), f"{name!r} has a weight already"
    for at, name in enumerate(names):
        wrong = draft.kpis.missing("KPI", name)
        if wrong:
            yield f"{step('kpis', at)}.kpi", wrong
    total = math.fsum(part.weight for part in objective.kpis)
    if objective.kpis and abs(total - 1) > _TOLERANCE:
        yield "kpis", f"the weights sum to {total:g}, not to 1"


def _cycles(draft: Draft) -> Iterator[Problem]:
    """Yield every loop of the links; a loop that was found is cut, to find the next."""
    entries = {each.item.id: each for each in draft.objectives.entries}
    links = {name: list(each.item.causes) for name, each in entries.items()}
    while True:
        effects: TopologicalSorter[str] = TopologicalSorter()
        for name, causes in links.items():
            for cause in causes:
                effects.add(cause, name)
        try:
            effects.prepare()
        except CycleError as error:
            loop: list[str] = error.args[1]
            first = loop[0]
            yield entries[first].problem("causes", f"the links go round: {' -> '.join(loop)}")
            links[first] = [each for each in links[first] if each != loop[1]]
            continue
        return


def initiative_problems(draft: Draft) -> Iterator[Problem]:
    """Yield what is wrong with the initiatives."""
    for entry in draft.initiatives.entries:
        initiative = entry.item
        for at, name in repeated(initiative.objectives):
            yield entry.problem(step("objectives", at), f"{name!r} is listed twice")
        for at, name in enumerate(initiative.objectives):
            wrong = draft.objectives.missing("objective", name)
            if wrong:
                yield entry.problem(step("objectives", at), wrong)
        yield from (entry.problem(*each) for each in _dates(initiative))
        if not initiative.source.strip() and not initiative.assumption:
            words = "says nothing; name the source, or write assumption: true"
            yield entry.problem("source", words)


def _dates(initiative: InitiativeModel) -> Iterator[Finding]:
    start, end = initiative.start, initiative.end
    if end < start:
        yield "end", f"{end} is before the start {start}"
        return
    for at, action in enumerate(initiative.actions):
        place = step("actions", at)
        if not start <= action.due <= end:
            yield f"{place}.due", f"{action.due} is outside the initiative, {start} to {end}"
        if action.done is not None and action.done < start:
            yield f"{place}.done", f"{action.done} is before the initiative's start {start}"


def benchmark_problems(draft: Draft) -> Iterator[Problem]:
    """Yield what is wrong with the benchmarks."""
    for entry in draft.benchmarks.entries:
        benchmark = entry.item
        wrong = draft.kpis.missing("KPI", benchmark.kpi)
        kpi = draft.kpis.get(benchmark.kpi)
        if wrong:
            yield entry.problem("kpi", wrong)
        elif kpi is not None and (wrong := value_problem(kpi, benchmark.value)):
            yield entry.problem("value", wrong)
