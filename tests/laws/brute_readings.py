"""The second half of the oracle: every reading of a strategy from the raw list of events."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from tests.laws.brute import (
    STOCK_DAYS,
    Entry,
    Known,
    Raw,
    entries,
    in_window,
    instant,
    known,
    local_date,
    pane_ceil,
    pane_floor,
    planned,
)

Key = tuple[str, str, str, str]


class Expected(NamedTuple):
    """What a reading must say. For a quantile the value is the exact order statistic."""

    value: float | None
    numerator: int | None
    """None for a quantile, whose numerator is the approximate value."""
    denominator: int
    samples: int
    no_data: str | None = None


class Located(NamedTuple):
    """An entry with the members of its subject, by dimension."""

    entry: Entry
    members: dict[str, str]


def member(dimension: Any, subject: Known) -> str:
    """Return the member of a dimension that a subject belongs to."""
    value = subject.attribute(dimension.attribute)
    if value is None:
        return "unknown"
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
    if dimension.cap is not None:
        return "other" if "|" in text else text
    return text if text in {each.code for each in dimension.members} else "other"


def readings(strategy: Any, events: Iterable[Raw], as_of_ms: int) -> dict[Key, Expected]:
    """Return every reading at an instant: national, and each member that has counts."""
    zone, subjects = ZoneInfo(strategy.calendar.time_zone), list(known(events).values())
    dimensions = {each.id: each for each in strategy.dimensions}
    found: dict[Key, Expected] = {}
    for kpi in strategy.kpis:
        located = [
            Located(entry, {name: member(dimensions[name], each) for name in kpi.dimensions})
            for each in subjects
            if kpi.measure.kind != "not_measured"
            for entry in entries(kpi.measure, each, zone)
        ]
        for window in kpi.windows:
            inside = list(_inside(kpi.measure, window, located, as_of_ms, zone))
            for dimension, name, chosen in _series(kpi, inside, dimensions):
                plan = None
                if kpi.measure.kind == "plan" and dimension == "national":
                    plan = planned(kpi.measure.months, window, as_of_ms, zone)
                key = (kpi.id, window, dimension, name)
                found[key] = read(kpi, [each.entry for each in chosen], plan)
    return found


def day_value(
    strategy: Any, subjects: Iterable[Known], kpi: Any, window: str, day: date
) -> float | None:
    """Return the value of a window whose last day is the given one, all of it."""
    zone = ZoneInfo(strategy.calendar.time_zone)
    last_ms = last_of(day, zone)
    inside = [
        entry
        for each in subjects
        for entry in entries(kpi.measure, each, zone)
        if in_window(window, entry.at_ms, last_ms, zone, complete=False)
    ]
    plan = None
    if kpi.measure.kind == "plan":
        plan = planned(kpi.measure.months, window, last_ms, zone)
    return read(kpi, inside, plan).value


def last_of(day: date, zone: ZoneInfo) -> int:
    """Return the last millisecond of a local date, found by looking at every quarter of an hour."""
    noon = (day - date(1970, 1, 1)).days * 86_400_000 + 43_200_000
    quarters = (noon + number * 900_000 for number in range(-120, 120))
    return max(ms for ms in quarters if local_date(ms, zone) == day) + 899_999


def _inside(
    measure: Any, window: str, located: list[Located], as_of_ms: int, zone: ZoneInfo
) -> Iterator[Located]:
    """Yield what is in the window; of a stock, with what is older than its limit marked."""
    if measure.kind != "stock":
        complete = measure.kind == "within"
        for each in located:
            if in_window(window, each.entry.at_ms, as_of_ms, zone, complete=complete):
                yield each
        return
    today, limit = local_date(as_of_ms, zone), timedelta(milliseconds=measure.older_than_ms)
    for each in located:
        opened = local_date(each.entry.at_ms, zone)
        known_until = pane_ceil(instant(as_of_ms))
        if opened < today - timedelta(days=STOCK_DAYS) or instant(each.entry.at_ms) >= known_until:
            continue
        if limit > timedelta(days=7):
            older = opened < local_date(as_of_ms - measure.older_than_ms, zone)
        else:
            older = instant(each.entry.at_ms) < pane_floor(instant(as_of_ms) - limit)
        yield Located(Entry(each.entry.at_ms, {"open": 1, "older": int(older)}), each.members)


def _series(
    kpi: Any, inside: list[Located], dimensions: dict[str, Any]
) -> Iterator[tuple[str, str, list[Located]]]:
    yield "national", "", inside
    for dimension in kpi.dimensions:
        by_member: dict[str, list[Located]] = {}
        for each in inside:
            by_member.setdefault(each.members[dimension], []).append(each)
        shown = {
            name: chosen
            for name, chosen in by_member.items()
            if any(n for each in chosen for at, n in each.entry.numbers.items() if at != "part_n")
        }
        cap = dimensions[dimension].cap
        if cap is not None and len(shown) > cap:
            sizes = {
                name: _sums([each.entry for each in chosen])[_SAMPLES[kpi.measure.kind]]
                for name, chosen in shown.items()
            }
            ranked = sorted(shown, key=lambda name: (name == "other", -sizes[name], name))
            rest = [each for name in ranked[cap:] for each in shown[name]]
            shown = {**{name: shown[name] for name in ranked[:cap]}, "other": rest}
        for name, chosen in shown.items():
            yield dimension, name, chosen


_SAMPLES = {
    "duration": "n",
    "within": "due",
    "same_day": "n",
    "share": "whole",
    "amount": "n",
    "amount_share": "whole_n",
    "stock": "open",
    "plan": "n",
}


def _sums(chosen: list[Entry]) -> Counter[str]:
    sums: Counter[str] = Counter()
    for each in chosen:
        sums.update({name: int(value) for name, value in each.numbers.items()})
    return sums


def read(kpi: Any, chosen: list[Entry], plan: int | None) -> Expected:
    """Return what the entries of one series say."""
    found = _read(kpi.measure, _sums(chosen), chosen, plan)
    if found.no_data is None and (found.value is None or found.samples < kpi.minimum_sample):
        return found._replace(value=None, no_data="too_few")
    return found


def _read(measure: Any, sums: Counter[str], chosen: list[Entry], plan: int | None) -> Expected:
    kind, n = measure.kind, sums["n"]
    if kind == "not_measured" or (kind == "plan" and plan is None):
        return Expected(None, 0, 0, 0, "no_plan" if kind == "plan" else kind)
    if kind == "duration" and measure.statistic != "mean":
        ordered = sorted(each.took_ms for each in chosen)
        rank = int(measure.statistic[1:]) * (n - 1) // 100
        return Expected(ordered[rank] / 1000 if n else None, None, 1, n)
    if kind == "amount":
        scale = 100 if measure.field.endswith("_cents") else 1
        return Expected(sums["sum"] / scale, sums["sum"], 1, n)
    parts = {
        "duration": (sums["sum"], n, n),
        "within": (sums["done"], sums["due"], sums["due"]),
        "same_day": (sums["same"], n, n),
        "share": (sums["part"], sums["whole"], sums["whole"]),
        "amount_share": (sums["part"], sums["whole"], sums["whole_n"]),
        "stock": (sums["older"], sums["open"], sums["open"]),
        "lift": (sums["gp"] * sums["aw"], sums["gw"] * sums["ap"], min(sums["gw"], sums["aw"])),
        "plan": (sums["sum"], plan or 0, n),
    }
    part, whole, samples = parts[kind]
    value = part / whole if whole else None
    if value is not None and kind == "duration":
        value = part / (1000 * whole)  # seconds
    return Expected(value, part, whole, samples)
