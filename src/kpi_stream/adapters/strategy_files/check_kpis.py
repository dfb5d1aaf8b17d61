"""Checks of KPIs over all files: windows, units, dimensions, use."""

from collections.abc import Iterator

from kpi_stream.adapters.strategy_files import measure_models as mm
from kpi_stream.adapters.strategy_files.attributes import Finding, attribute_problem
from kpi_stream.adapters.strategy_files.check_measures import kinds_of, measure_problems
from kpi_stream.adapters.strategy_files.draft import Draft
from kpi_stream.adapters.strategy_files.models import KpiModel
from kpi_stream.adapters.strategy_files.vocabulary import kind_of
from kpi_stream.adapters.strategy_files.wording import repeated
from kpi_stream.adapters.strategy_files.yaml_text import step
from kpi_stream.domain.errors import Problem
from kpi_stream.domain.strategy import Unit
from kpi_stream.domain.windows import parse

NOW = "now"
_TO_DATE = frozenset({"mtd", "qtd", "ytd"})
_DISPLAYS = {
    Unit.SECONDS: ("h", "d", "min"),
    Unit.RATIO: ("%", "x"),
    Unit.MONEY: ("M",),
    Unit.COUNT: ("M",),
}


def office_codes(draft: Draft) -> frozenset[str] | None:
    """Return the codes that dimension `office` declares; None where they cannot be read."""
    office = draft.dimensions.get("office")
    return None if office is None else frozenset(member.code for member in office.members)


def kpi_problems(draft: Draft) -> Iterator[Problem]:
    """Yield what is wrong with the KPIs."""
    offices = office_codes(draft)
    codes: dict[str, str] = {}
    used = {part.kpi for each in draft.objectives.entries for part in each.item.kpis}
    for entry in draft.kpis.entries:
        kpi = entry.item
        findings = (
            *measure_problems(kpi, offices),
            *_windows(kpi),
            *_unit(kpi),
            *_dimensions(kpi, draft),
        )
        yield from (entry.problem(where, message) for where, message in findings)
        if kpi.code and codes.setdefault(kpi.code, kpi.id) != kpi.id:
            yield entry.problem("code", f"{kpi.code!r} is the code of {codes[kpi.code]!r} already")
        # Only where every objective could be read is it known that none uses a KPI.
        if draft.objectives.whole and kpi.id not in used:
            yield entry.problem("", "no objective uses it; give it a weight in objectives.yaml")


def _windows(kpi: KpiModel) -> Iterator[Finding]:
    for at, name in repeated(kpi.windows):
        yield step("windows", at), f"{name!r} is listed twice"
    for at, name in enumerate(kpi.windows):
        place = step("windows", at)
        try:
            parse(name)
        except ValueError as error:
            yield place, str(error)
            continue
        match kpi.measure:
            case mm.StockModel() if name != NOW:
                yield place, f"a stock is the state of now, not of {name}; write windows: [now]"
            case mm.PlanModel() if name not in _TO_DATE:
                yield place, f"a plan is read to date, not over {name}; use mtd, qtd or ytd"
            case mm.NotMeasuredModel() | mm.StockModel():
                pass
            case _ if name == NOW:
                yield place, "only a stock is read now; use 24h, 7d, 30d, mtd, ytd or 12m"


def fitting_unit(kpi: KpiModel) -> Unit | None:
    """Return the unit that a measure gives; None where any unit will do."""
    match kpi.measure:
        case mm.NotMeasuredModel():
            return None
        case mm.DurationModel():
            return Unit.SECONDS
        case mm.AmountKindModel(field=field):
            return Unit.MONEY if field.endswith("_cents") else Unit.COUNT
        case _:
            return Unit.RATIO


def _unit(kpi: KpiModel) -> Iterator[Finding]:
    fitting = fitting_unit(kpi)
    if fitting is not None and kpi.unit is not fitting:
        yield "unit", f"{kpi.measure.kind} gives {fitting}, not {kpi.unit}; write unit: {fitting}"
    elif kpi.display and kpi.display not in _DISPLAYS[kpi.unit]:
        fit = ", ".join(_DISPLAYS[kpi.unit])
        yield "display", f"{kpi.display!r} does not show {kpi.unit}; one of {fit}, or none"


def _dimensions(kpi: KpiModel, draft: Draft) -> Iterator[Finding]:
    if isinstance(kpi.measure, mm.PlanModel) and kpi.dimensions:
        yield "dimensions", "a plan is for everything together; write dimensions: []"
        return
    for at, name in repeated(kpi.dimensions):
        yield step("dimensions", at), f"{name!r} is listed twice"
    for at, name in enumerate(kpi.dimensions):
        wrong = draft.dimensions.missing("dimension", name)
        dimension = draft.dimensions.get(name)
        if wrong is None and dimension and attribute_problem(dimension.attribute) is None:
            kind = kind_of(dimension.attribute)
            others = [each for each in kinds_of(kpi.measure) if each is not kind]
            if kind is not None and others:
                wrong = (
                    f"{dimension.attribute} is a fact of subjects of kind {kind}; "
                    f"this counts kind {others[0]}"
                )
        if wrong:
            yield step("dimensions", at), wrong
