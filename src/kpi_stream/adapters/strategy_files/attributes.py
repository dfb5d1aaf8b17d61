"""Checks of names from the events: milestones, fields, attributes and conditions on them."""

from collections.abc import Collection, Iterable, Iterator

from kpi_stream.adapters.strategy_files.measure_models import ConditionModel, Conditions, Scalar
from kpi_stream.adapters.strategy_files.quantities import field_value
from kpi_stream.adapters.strategy_files.vocabulary import CODES, is_flag, is_number, kind_of
from kpi_stream.adapters.strategy_files.wording import suggest, unknown
from kpi_stream.adapters.strategy_files.yaml_text import step
from kpi_stream.domain.events import BY_MILESTONE, Kind

Finding = tuple[str, str]
"""Where within the entry, and what is wrong there."""


def milestone_problem(name: str) -> str | None:
    """Return what is wrong with a milestone's name."""
    return None if name in BY_MILESTONE else unknown("milestone", name, BY_MILESTONE)


def attribute_problem(name: str) -> str | None:
    """Return what is wrong with the name of an attribute."""
    if name in {"office", "channel"}:
        return None
    head, dot, tail = name.partition(".")
    if not dot:
        words = suggest(name, ["milestone.field", "has.milestone", "office", "channel"])
        return f"unknown attribute {name!r}; {words}"
    if head == "has":
        return milestone_problem(tail)
    if head not in BY_MILESTONE:
        return milestone_problem(head)
    return field_problem(head, tail)


def field_problem(milestone: str, field: str) -> str | None:
    """Return what is wrong with a field of a known milestone."""
    fields = BY_MILESTONE[milestone].fields
    return None if field in fields else unknown(f"field of {milestone}", field, fields)


def kinds_problem(kind: Kind, milestones: Iterable[str], attributes: Iterable[str]) -> str | None:
    """Return which of some known names are not facts of the kind of subject that is counted."""
    kinds = [(name, BY_MILESTONE[name].kind) for name in milestones if name in BY_MILESTONE]
    kinds += [
        (name, other)
        for name in attributes
        if attribute_problem(name) is None and (other := kind_of(name)) is not None
    ]
    for name, other in kinds:
        if other is not kind:
            return f"{name} is a fact of subjects of kind {other}; this counts kind {kind}"
    return None


def condition_problems(
    conditions: Conditions, where: str, offices: Collection[str] | None
) -> Iterator[Finding]:
    """Yield what is wrong with conditions.

    Args:
        conditions: What a file says.
        where: Their path within the entry.
        offices: The known office codes, or None where they cannot be read.
    """
    for attribute, condition in conditions.items():
        place = step(where, attribute)
        wrong = attribute_problem(attribute)
        if wrong:
            yield place, wrong
            continue
        for value in (*(condition.any_of or ()), *(condition.none_of or ())):
            wrong = _value_problem(attribute, value, offices)
            if wrong:
                yield place, wrong
        wrong = _limit_problem(attribute, condition)
        if wrong:
            yield place, wrong


def _value_problem(attribute: str, value: Scalar, offices: Collection[str] | None) -> str | None:
    if is_flag(attribute):
        return None if isinstance(value, bool) else f"{value!r} is not true or false"
    if is_number(attribute):
        if isinstance(value, int) and not isinstance(value, bool):
            return None
        return f"{value!r} is not a whole number"
    if not isinstance(value, str):
        return f'{value} is not a code; write it in quotes: "{value}"'
    known = offices if attribute == "office" else CODES.get(attribute)
    if known is None or value in known:
        return None
    return unknown("office" if attribute == "office" else f"value of {attribute}", value, known)


def _limit_problem(attribute: str, condition: ConditionModel) -> str | None:
    limit = condition.at_least if condition.at_least is not None else condition.below
    if limit is None:
        return None
    if not is_number(attribute):
        return f"{attribute} is not a number; only any_of and none_of fit it"
    try:
        field_value(limit, attribute.partition(".")[2])
    except ValueError as error:
        return str(error)
    return None
