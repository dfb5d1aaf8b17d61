"""Checks of what everything else stands on: the calendar and the dimensions."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from kpi_stream.adapters.strategy_files.attributes import Finding, attribute_problem
from kpi_stream.adapters.strategy_files.draft import HEAD, Draft
from kpi_stream.adapters.strategy_files.models import CalendarModel, DimensionModel
from kpi_stream.adapters.strategy_files.vocabulary import CODES, is_flag
from kpi_stream.adapters.strategy_files.wording import repeated, unknown
from kpi_stream.adapters.strategy_files.yaml_text import step
from kpi_stream.domain.errors import Problem
from kpi_stream.domain.strategy import NATIONAL, OTHER, UNKNOWN

OFFICE = "office"
_RESERVED = {OTHER: "values outside the members", UNKNOWN: "missing values"}


def calendar_problems(draft: Draft) -> Iterator[Problem]:
    """Yield what is wrong with the calendar."""
    if draft.head is None:
        return
    for where, message in _calendar(draft.head.calendar):
        yield Problem(HEAD, f"calendar.{where}", message)


def _calendar(calendar: CalendarModel) -> Iterator[Finding]:
    if not _is_zone(calendar.time_zone):
        yield "time_zone", unknown("time zone", calendar.time_zone, available_timezones())
    if calendar.office_hours.closes <= calendar.office_hours.opens:
        yield "office_hours.closes", "is not after the opening"
    for at, day in repeated(calendar.working_days):
        yield step("working_days", at), f"{day!r} is listed twice"
    for at, day in repeated([str(each.date) for each in calendar.holidays]):
        yield step("holidays", at), f"{day} is a holiday already"


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # an odd name may even be a folder
        return False
    return True


def dimension_problems(draft: Draft) -> Iterator[Problem]:
    """Yield what is wrong with the dimensions."""
    for entry in draft.dimensions.entries:
        findings = (*_own(entry.item), *_members(entry.item))
        yield from (entry.problem(where, message) for where, message in findings)
    if draft.dimensions.complete and OFFICE not in draft.dimensions.ids:
        message = f"there is no dimension {OFFICE!r}; its members are the offices of the events"
        yield Problem(draft.dimensions.file, "dimensions", message)


def _own(dimension: DimensionModel) -> Iterator[Finding]:
    if dimension.id == NATIONAL:
        yield "id", f"{NATIONAL!r} is the reading over everything; choose another id"
    wrong = attribute_problem(dimension.attribute)
    if wrong:
        yield "attribute", wrong
    if dimension.id == OFFICE and dimension.attribute != OFFICE:
        yield "attribute", f"dimension {OFFICE!r} reads the attribute {OFFICE!r}"
    if dimension.members and dimension.cap is not None:
        yield "cap", "takes the place of declared members; keep one of both"
    if not dimension.members and (dimension.cap is None or dimension.id == OFFICE):
        words = "" if dimension.id == OFFICE else ", or give a cap"
        yield "members", f"is missing; declare the members{words}"


def _members(dimension: DimensionModel) -> Iterator[Finding]:
    codes = [member.code for member in dimension.members]
    for at, code in repeated(codes):
        yield step("members", at), f"{code!r} is a member already"
    known = ("true", "false") if is_flag(dimension.attribute) else CODES.get(dimension.attribute)
    for at, code in enumerate(codes):
        if code in _RESERVED:
            yield step("members", at), f"{code!r} stands for {_RESERVED[code]}; choose another code"
        elif known is not None and code not in known:
            yield step("members", at), unknown(f"value of {dimension.attribute}", code, known)
