"""Checks of targets: what they judge, whether it is possible, and whether it is said whence."""

from collections.abc import Iterator
from datetime import date
from itertools import pairwise

from kpi_stream.adapters.strategy_files import measure_models as mm
from kpi_stream.adapters.strategy_files.attributes import Finding
from kpi_stream.adapters.strategy_files.check_kpis import fitting_unit
from kpi_stream.adapters.strategy_files.draft import Draft, Entry
from kpi_stream.adapters.strategy_files.models import KpiModel, PointModel, TargetModel
from kpi_stream.adapters.strategy_files.quantities import Quantity, in_unit
from kpi_stream.adapters.strategy_files.wording import repeated, unknown
from kpi_stream.adapters.strategy_files.yaml_text import step
from kpi_stream.domain.errors import Problem
from kpi_stream.domain.strategy import NATIONAL, Direction, TrajectoryKind

EACH = "*"
"""Stands for every member of a dimension."""

_SHARES = (mm.WithinModel, mm.SameDayModel, mm.ShareModel, mm.AmountShareModel, mm.StockModel)
_STEPPED = (TrajectoryKind.STEP, TrajectoryKind.MILESTONES)


def target_problems(draft: Draft) -> Iterator[Problem]:
    """Yield what is wrong with the targets."""
    judged: dict[tuple[str, str, str], dict[str, str]] = {}
    for entry in draft.targets.entries:
        target = entry.item
        findings = [*_times(target), *_form(target)]
        wrong = draft.kpis.missing("KPI", target.kpi)
        kpi = draft.kpis.get(target.kpi)
        if wrong:
            findings.append(("kpi", wrong))
        elif kpi is not None:
            findings += _against(kpi, target, draft)
        yield from (entry.problem(where, message) for where, message in findings)
        yield from _twice(entry, judged)


def value_problem(kpi: KpiModel, value: Quantity) -> str | None:
    """Return why a KPI can never have a value."""
    try:
        # A unit that does not fit is one mistake, reported at the KPI, and not one a target.
        number = in_unit(value, fitting_unit(kpi) or kpi.unit)
    except ValueError as error:
        return str(error)
    if isinstance(kpi.measure, _SHARES) and number > 1:
        return f"{value} is more than 1; a share is 0..1, {number / 100:g} for {number:g} %"
    return None


def _against(kpi: KpiModel, target: TargetModel, draft: Draft) -> Iterator[Finding]:
    if isinstance(kpi.measure, mm.NotMeasuredModel):
        yield "kpi", f"{kpi.id!r} is not measured; nothing can be held against a target"
        return
    if target.window not in kpi.windows:
        yield "window", unknown(f"window of {kpi.id}", target.window, kpi.windows)
    yield from _scope(kpi, target, draft)
    yield from _values(kpi, target)


def _scope(kpi: KpiModel, target: TargetModel, draft: Draft) -> Iterator[Finding]:
    if target.scope is None:
        return
    name, members = target.scope.dimension, target.scope.members
    if name not in kpi.dimensions:
        yield "scope.dimension", unknown(f"dimension of {kpi.id}", name, kpi.dimensions)
        return
    if EACH in members and len(members) > 1:
        yield "scope.members", 'is "*" and more; "*" is every member already'
    for at, member in repeated(members):
        yield step("scope.members", at), f"{member!r} is listed twice"
    dimension = draft.dimensions.get(name)
    if dimension is None or dimension.cap is not None:
        return
    known = [member.code for member in dimension.members]
    for at, member in enumerate(members):
        if member != EACH and member not in known:
            yield step("scope.members", at), unknown(f"member of {name}", member, known)


def _values(kpi: KpiModel, target: TargetModel) -> Iterator[Finding]:
    places: list[tuple[str, Quantity]] = [
        ("baseline.value", target.baseline.value),
        ("value", target.value),
    ]
    places += [(f"{step('points', at)}.value", each.value) for at, each in enumerate(target.points)]
    if target.low is not None:
        places.append(("low", target.low))
    wrong = [(place, words) for place, value in places if (words := value_problem(kpi, value))]
    yield from wrong
    band = kpi.direction is Direction.BAND
    if band and target.low is None:
        yield "low", "is missing; the KPI's direction is band, and `low` is its lower edge"
    if not band and target.low is not None:
        yield "low", f"the KPI's direction is {kpi.direction}; only a band has a lower edge"
    if wrong:
        return
    unit = fitting_unit(kpi) or kpi.unit
    start, goal = in_unit(target.baseline.value, unit), in_unit(target.value, unit)
    if band and target.low is not None and in_unit(target.low, unit) >= goal:
        yield "low", f"{target.low} is not below the upper edge {target.value}"
    worse = {Direction.UP: goal < start, Direction.DOWN: goal > start}.get(kpi.direction, False)
    if worse:
        what = f"{target.value} is worse than the baseline {target.baseline.value}"
        yield "value", f"{what} for a KPI whose direction is {kpi.direction}"
    if target.trajectory is TrajectoryKind.GEOMETRIC and (start <= 0 or goal <= 0):
        yield "trajectory", "geometric needs a baseline and a value above 0; use linear"


def _times(target: TargetModel) -> Iterator[Finding]:
    start, end = target.baseline.date, target.deadline
    if end <= start:
        yield "deadline", f"{end} is not after the baseline's date {start}"
        return
    dates = []
    key = "from" if target.trajectory is TrajectoryKind.STEP else "by"
    for at, point in enumerate(target.points):
        when = _when(point, key)
        if when is None:
            yield step("points", at), f"{target.trajectory} takes `{key}: date` and a value"
            continue
        dates.append(when)
        if not start < when < end:
            yield step("points", at), f"{when} is not between the baseline and the deadline"
    if any(after <= before for before, after in pairwise(dates)):
        yield "points", "are not in order of time"


def _when(point: PointModel, key: str) -> date | None:
    given, other = (point.from_, point.by) if key == "from" else (point.by, point.from_)
    return given if other is None else None


def _form(target: TargetModel) -> Iterator[Finding]:
    if target.trajectory in _STEPPED and not target.points:
        yield "points", f"is missing; {target.trajectory} goes through points"
    if target.trajectory not in _STEPPED and target.points:
        yield "points", f"{target.trajectory} has no points; use step or milestones"
    if target.tolerance.amber < target.tolerance.green:
        amber, green = target.tolerance.amber, target.tolerance.green
        yield "tolerance.amber", f"{amber} is less than green {green}; at risk lies beyond on track"
    if not target.source.strip() and not target.assumption:
        yield "source", "says nothing; name the source, or write assumption: true"


def _twice(
    entry: Entry[TargetModel], judged: dict[tuple[str, str, str], dict[str, str]]
) -> Iterator[Problem]:
    """Yield where two targets judge the same reading: it has one status."""
    target = entry.item
    scope = target.scope
    dimension = scope.dimension if scope else NATIONAL
    members = scope.members if scope else ("",)
    held = judged.setdefault((target.kpi, target.window, dimension), {})
    for member in members:
        rivals = held if member == EACH else held.keys() & {member, EACH}
        rival = next(iter(sorted(rivals)), None)
        if rival is not None and held[rival] != target.id:
            what = f"{target.kpi}, {target.window}, {dimension} {member}".rstrip()
            yield entry.problem("", f"{held[rival]!r} judges {what} already; keep one of them")
            break
    for member in members:
        held.setdefault(member, target.id)
