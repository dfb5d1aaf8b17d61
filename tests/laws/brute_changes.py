"""The third part of the oracle: what two periods hold, member by member, from the raw events."""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from tests.laws.brute import (
    Raw,
    entries,
    in_window,
    instant,
    known,
    local_date,
    pane_ceil,
    pane_floor,
    window_days,
)
from tests.laws.brute_readings import member

Inside = Callable[[int], bool]
"""Whether a time (milliseconds) belongs to a period."""

PAIRS = {
    "duration": ("sum", "n", "n"),
    "within": ("done", "due", "due"),
    "same_day": ("same", "n", "n"),
    "share": ("part", "whole", "whole"),
    "amount": ("sum", "n", "n"),
    "amount_share": ("part", "whole", "whole_n"),
}
"""What stands above and below the line, and the samples, by the kind of measure."""


class Held(NamedTuple):
    """What a member holds in a period."""

    above: int
    below: int
    samples: int


def periods(kpi: Any, window: str, as_of_ms: int, zone: ZoneInfo) -> tuple[Inside, Inside]:
    """Return (the period before, the period now)."""
    complete = kpi.measure.kind == "within"

    def now(at_ms: int) -> bool:
        return in_window(window, at_ms, as_of_ms, zone, complete=complete)

    first, last = _days_before(window, as_of_ms, zone, complete=complete)
    if first is None or last is None:
        as_of = instant(as_of_ms)
        end = pane_floor(as_of) if complete else pane_ceil(as_of)
        length = timedelta(hours=int(window[:-1]))
        return (lambda at_ms: end - 2 * length <= instant(at_ms) < end - length), now
    return (lambda at_ms: first <= local_date(at_ms, zone) <= last), now


def _days_before(
    window: str, as_of_ms: int, zone: ZoneInfo, *, complete: bool
) -> tuple[date | None, date | None]:
    """Return the first and last local day of the period before; none for some hours."""
    today, day = local_date(as_of_ms, zone), timedelta(days=1)
    if window in {"1h", "24h"}:
        return None, None
    if window == "7d":
        as_of = instant(as_of_ms)
        begun = (pane_floor(as_of) if complete else pane_ceil(as_of)) - 7 * day
        last = begun.astimezone(zone).date() - day
        return last - 6 * day, last
    between = window_days(window, today)
    assert between is not None
    begin = between[0]
    previous = window_days(window, begin - day)
    assert previous is not None
    if window in {"mtd", "qtd", "ytd"}:
        reached = [previous[0] + each * day for each in range((today - begin).days + 1)]
        return previous[0], max(each for each in reached if each < begin)
    return previous[0], begin - day


def held(
    strategy: Any, kpi: Any, events: Iterable[Raw], inside: Inside, office: str | None
) -> dict[str, dict[str, Held]]:
    """Return what each member holds, by dimension; under `national` everything together."""
    zone = ZoneInfo(strategy.calendar.time_zone)
    dimensions = {each.id: each for each in strategy.dimensions}
    found: dict[str, dict[str, Held]] = {"national": {}}
    names = PAIRS[kpi.measure.kind]
    for subject in known(events).values():
        if office is not None and member(dimensions["office"], subject) != office:
            continue
        for entry in entries(kpi.measure, subject, zone):
            if not inside(entry.at_ms):
                continue
            more = [int(entry.numbers.get(name, 0)) for name in names]
            if not any(more):
                continue
            places = {name: member(dimensions[name], subject) for name in kpi.dimensions}
            for dimension, name in [("national", ""), *places.items()]:
                members = found.setdefault(dimension, {})
                had = members.get(name, Held(0, 0, 0))
                members[name] = Held(*(one + other for one, other in zip(had, more, strict=True)))
    return found


def capped(
    was: dict[str, Held], new: dict[str, Held], cap: int | None
) -> tuple[dict[str, Held], dict[str, Held]]:
    """Return both with the surplus members of both together under `other`."""
    every = {*was, *new}
    if cap is None or len(every) <= cap:
        return was, new
    none = Held(0, 0, 0)
    sizes = {name: was.get(name, none).samples + new.get(name, none).samples for name in every}
    order = sorted(every - {"other"}, key=lambda name: (-sizes[name], name))
    order += [name for name in every if name == "other"]
    small = set(order[cap:])

    def lumped(members: dict[str, Held]) -> dict[str, Held]:
        kept = {name: each for name, each in members.items() if name not in small}
        rest = [each for name, each in members.items() if name in small]
        if rest:
            kept["other"] = Held(*(sum(column) for column in zip(*rest, strict=True)))
        return kept

    return lumped(was), lumped(new)


def ratio(members: dict[str, Held]) -> Fraction | None:
    """Return the ratio of all members together."""
    below = sum(each.below for each in members.values())
    return Fraction(sum(each.above for each in members.values()), below) if below else None
