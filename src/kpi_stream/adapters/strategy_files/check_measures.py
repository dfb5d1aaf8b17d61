"""Checks of a KPI's measure: every name exists, and all of it is about one kind of subject."""

import re
from collections.abc import Collection, Iterator
from itertools import pairwise

from kpi_stream.adapters.strategy_files import measure_models as mm
from kpi_stream.adapters.strategy_files.attributes import (
    Finding,
    condition_problems,
    field_problem,
    kinds_problem,
    milestone_problem,
)
from kpi_stream.adapters.strategy_files.models import KpiModel
from kpi_stream.adapters.strategy_files.vocabulary import NUMBERS
from kpi_stream.adapters.strategy_files.wording import repeated
from kpi_stream.adapters.strategy_files.yaml_text import step
from kpi_stream.domain.events import BY_MILESTONE, Kind
from kpi_stream.domain.windows import DAY_MS, PANE_MS, ROLLING_MAX_MS

_MONTHS = 12
_MILESTONE_LISTS = ("start", "start_if_present", "decisions", "closed")
_CONDITIONS = ("where", "part", "group", "against")


def measure_problems(kpi: KpiModel, offices: Collection[str] | None) -> Iterator[Finding]:
    """Yield what is wrong with a measure; paths begin with `measure`."""
    measure = kpi.measure
    match measure:
        case mm.NotMeasuredModel():
            return
        case mm.AmountShareModel():
            yield from _amount(measure.part, "measure.part", offices)
            yield from _amount(measure.whole, "measure.whole", offices)
            return
        case mm.PlanModel():
            yield from _amount(measure.amount, "measure.amount", offices)
            if not measure.amount.field.endswith("_cents"):
                yield "measure.amount.field", "a plan is money; name a field that ends in _cents"
            yield from _months(measure.months)
            return
        case mm.AmountKindModel():
            yield from _amount(measure, "measure", offices)
            return
        case mm.StockModel():
            yield from _age(measure.older_than)
        case mm.WithinModel() if measure.limit == 0:
            yield "measure.limit", "is 0; a limit takes some time"
        case _:
            pass
    yield from _names(measure, offices)


def milestones_of(measure: mm.MeasureModel) -> tuple[str, ...]:
    """Return every milestone that a measure names, the one that decides its kind first."""
    match measure:
        case mm.NotMeasuredModel():
            return ()
        case mm.AmountShareModel():
            return (measure.whole.of, measure.part.of)
        case mm.PlanModel():
            return (measure.amount.of,)
        case _:
            return tuple(name for _, name in _placed_milestones(measure))


def kinds_of(measure: mm.MeasureModel) -> tuple[Kind, ...]:
    """Return the kinds of subject that a measure counts; two where its sums differ in kind."""
    names = [name for name in milestones_of(measure) if name in BY_MILESTONE]
    if not isinstance(measure, mm.AmountShareModel):
        names = names[:1]
    return tuple(dict.fromkeys(BY_MILESTONE[name].kind for name in names))


def _placed_milestones(measure: mm.MeasureModel) -> Iterator[Finding]:
    for key in ("of", "opened"):
        name = getattr(measure, key, None)
        if isinstance(name, str):
            yield f"measure.{key}", name
    for key in (*_MILESTONE_LISTS, "end"):
        names = getattr(measure, key, ())
        if isinstance(names, str):
            yield f"measure.{key}", names
        else:
            for at, name in enumerate(names):
                yield step(f"measure.{key}", at), name


def _names(measure: mm.MeasureModel, offices: Collection[str] | None) -> Iterator[Finding]:
    for place, name in _placed_milestones(measure):
        wrong = milestone_problem(name)
        if wrong:
            yield place, wrong
    for key in (*_MILESTONE_LISTS, "end"):
        names = getattr(measure, key, ())
        for at, name in repeated(() if isinstance(names, str) else names):
            yield step(f"measure.{key}", at), f"{name!r} is listed twice"
    attributes: list[str] = []
    for key in _CONDITIONS:
        conditions: mm.Conditions = getattr(measure, key, {})
        attributes += conditions
        yield from condition_problems(conditions, f"measure.{key}", offices)
    kinds = kinds_of(measure)
    wrong = kinds_problem(kinds[0], milestones_of(measure), attributes) if kinds else None
    if wrong:
        yield "measure", wrong


def _amount(
    amount: mm.AmountModel, place: str, offices: Collection[str] | None
) -> Iterator[Finding]:
    yield from condition_problems(amount.where, f"{place}.where", offices)
    wrong = milestone_problem(amount.of)
    if wrong:
        yield f"{place}.of", wrong
        return
    wrong = field_problem(amount.of, amount.field)
    if wrong is None and amount.field not in NUMBERS:
        wrong = f"{amount.field!r} is not a number; only numbers can be summed"
    if wrong:
        yield f"{place}.field", wrong
    wrong = kinds_problem(BY_MILESTONE[amount.of].kind, (), amount.where)
    if wrong:
        yield f"{place}.where", wrong


def _age(older_than_ms: int) -> Iterator[Finding]:
    if older_than_ms == 0:
        yield "measure.older_than", "is 0; an age takes some time"
    elif older_than_ms <= ROLLING_MAX_MS and older_than_ms % PANE_MS:
        yield "measure.older_than", "15-minute panes do not divide it; use a multiple of 15m"
    elif older_than_ms > ROLLING_MAX_MS and older_than_ms % DAY_MS:
        yield "measure.older_than", "beyond 7d an age is a number of whole days, such as 30d"


def _months(months: dict[str, int]) -> Iterator[Finding]:
    numbers: list[int] = []
    for name in months:
        match = re.fullmatch(r"(\d{4})-(\d{2})", name)
        if match is None or not 1 <= int(match[2]) <= _MONTHS:
            yield step("measure.months", name), f"{name!r} is not a month; write 2026-01"
        else:
            numbers.append(int(match[1]) * _MONTHS + int(match[2]) - 1)
    for before, after in pairwise(sorted(numbers)):
        if after != before + 1:
            year, month = divmod(before + 1, _MONTHS)
            yield "measure.months", f"{year:04d}-{month + 1:02d} is missing; a plan has no gaps"
