"""The oracle of the laws: KPIs from the raw list of events, the slow and obvious way.

It shares no code with the product. A strategy is read as data only; times are aware datetimes
compared one by one, quantiles come from sorted lists, and nothing is kept from one call to the
next.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
STOCK_DAYS = 400

# Per type: kind, milestone, kept fields, and flags (o: opens, r: repeatable, c: completes).
VOCABULARY: dict[str, tuple[str, str, tuple[str, ...], str]] = {
    "transport.arrived": ("declaration", "arrived", (), ""),
    "discharge.completed": ("declaration", "discharged", (), ""),
    "declaration.numbered": (
        "declaration",
        "numbered",
        (
            "office",
            "regime",
            "transport_mode",
            "clearance_mode",
            "aeo",
            "electronic",
            "cif_cents",
            "duties_cents",
        ),
        "o",
    ),
    "debt.settled": ("declaration", "settled", ("settlement", "amount_cents"), "r"),
    "channel.assigned": ("declaration", "channel_assigned", ("channel", "basis"), ""),
    "channel.changed": (
        "declaration",
        "channel_changed",
        ("from_channel", "channel", "basis"),
        "r",
    ),
    "documents.received": ("declaration", "documents_received", (), "r"),
    "inspection.completed": ("declaration", "inspected", ("result", "officer"), ""),
    "assessment.adjusted": (
        "declaration",
        "adjusted",
        ("duties_before_cents", "duties_after_cents", "gain_cents", "officer"),
        "r",
    ),
    "declaration.cancelled": ("declaration", "cancelled", ("reason_code",), "c"),
    "release.granted": ("declaration", "released", ("officer",), ""),
    "goods.exited": ("declaration", "exited", (), "c"),
    "audit.completed": ("audit", "audited", ("office", "finding", "amount_cents"), "oc"),
    "enforcement.recorded": (
        "control",
        "enforced",
        ("office", "action", "value_cents", "weight_grams"),
        "oc",
    ),
    "aeo.status_changed": ("operator", "aeo_changed", ("office", "role", "status"), "or"),
}
MILESTONES = {row[1]: row for row in VOCABULARY.values()}


class Raw(NamedTuple):
    """One event as it is in the feed."""

    type: str
    subject: str
    event_id: str
    recorded_ms: int
    occurred_ms: int
    values: tuple[str | int | bool | None, ...]
    corrects: str | None = None


def instant(ms: int) -> datetime:
    """Return the instant, exactly."""
    return EPOCH + timedelta(milliseconds=ms)


def pane_floor(at: datetime) -> datetime:
    """Return the quarter of an hour that has begun last."""
    return at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)


def pane_ceil(at: datetime) -> datetime:
    """Return the quarter of an hour that begins next, or now."""
    floor = pane_floor(at)
    return floor if floor == at else floor + timedelta(minutes=15)


@dataclass
class Known:
    """What is known of one subject after all of its events."""

    kind: str
    facts: dict[str, list[Raw]] = field(default_factory=dict)
    """By milestone, what counts: one fact where it is set once, else one an event id."""
    conflicting: bool = False

    def time(self, milestone: str) -> int | None:
        """Return when it was reached; the last time, where that can repeat."""
        return max((each.occurred_ms for each in self.facts.get(milestone, ())), default=None)

    @property
    def opening(self) -> str:
        """The milestone without which the subject does not count."""
        kinds = [row for row in MILESTONES.values() if row[0] == self.kind]
        return next(row[1] for row in kinds if "o" in row[3])

    @property
    def opened_ms(self) -> int:
        """When its opening event happened; of several, the one that was written first."""
        return self.facts[self.opening][0].occurred_ms

    def last(self, milestone: str) -> Raw | None:
        """Return the fact that happened last."""
        return max(
            self.facts.get(milestone, ()),
            key=lambda e: (e.occurred_ms, e.recorded_ms, e.event_id, str(e.values)),
            default=None,
        )

    def attribute(self, name: str, at_hand: Raw | None = None) -> Any:
        """Return an attribute's value, of the event at hand where it is of that milestone."""
        if name == "channel":
            of = "channel_changed" if self.facts.get("channel_changed") else "channel_assigned"
            return self.attribute(f"{of}.channel") if self.kind == "declaration" else None
        if name.startswith("has."):
            return bool(self.facts.get(name[4:]))
        if name == "office":
            name = f"{self.opening}.office"
        milestone, wanted = name.split(".")
        fact = self.last(milestone)
        if at_hand is not None and VOCABULARY[at_hand.type][1] == milestone:
            fact = at_hand
        return None if fact is None else fact.values[MILESTONES[milestone][2].index(wanted)]

    def meets(self, conditions: Iterable[Any], at_hand: Raw | None = None) -> bool:
        """Return whether every condition is true."""
        for each in conditions:
            value = self.attribute(each.attribute, at_hand)
            if each.any_of is not None:
                true = any(type(value) is type(one) and value == one for one in each.any_of)
            else:
                true = value is not None and value >= each.at_least
            if true == each.negate:
                return False
        return True


def known(events: Iterable[Raw]) -> dict[tuple[str, str], Known]:
    """Return every subject whose opening is known, and that of no other."""
    by_subject: dict[tuple[str, str], list[Raw]] = {}
    for event in events:
        by_subject.setdefault((VOCABULARY[event.type][0], event.subject), []).append(event)
    found = {}
    for key, mine in by_subject.items():
        corrected = {each.corrects for each in mine}
        alive = [each for each in mine if each.event_id not in corrected]
        subject = Known(key[0])
        for kind, milestone, _, flags in VOCABULARY.values():
            facts = sorted(
                (each for each in alive if VOCABULARY[each.type][:2] == (kind, milestone)),
                key=lambda e: (e.recorded_ms, e.event_id, e.occurred_ms, str(e.values)),
            )
            first: dict[str, Raw] = {}
            for each in facts:
                rival = first.setdefault(each.event_id if "r" in flags else "", each)
                if (rival.occurred_ms, rival.values) != (each.occurred_ms, each.values):
                    subject.conflicting = True
            if first and kind == key[0]:
                subject.facts[milestone] = list(first.values())
            if "o" in flags and kind == key[0] and not first:
                break
        else:
            found[key] = subject
    return found


class Entry(NamedTuple):
    """What a subject adds to a KPI: named numbers at a time."""

    at_ms: int
    numbers: dict[str, int]
    took_ms: int = 0


def entries(measure: Any, subject: Known, zone: ZoneInfo) -> Iterator[Entry]:
    """Yield what a subject adds to a measure."""
    yield from _KINDS[measure.kind](measure, subject, zone)


def _started(measure: Any, subject: Known) -> int | None:
    needed = [subject.time(name) for name in measure.start]
    extra = [subject.time(name) for name in measure.start_if_present]
    if None in needed:
        return None
    return max(at for at in needed + extra if at is not None)


def _duration(measure: Any, subject: Known, _: ZoneInfo) -> Iterator[Entry]:
    start, end = _started(measure, subject), subject.time(measure.end)
    if start is not None and end is not None and subject.meets(measure.where):
        took = max(0, end - start)
        yield Entry(end, {"sum": took, "n": 1, "clamped": int(end < start)}, took)


def _within(measure: Any, subject: Known, _: ZoneInfo) -> Iterator[Entry]:
    start = _started(measure, subject)
    if start is None or subject.facts.get("cancelled") or not subject.meets(measure.where):
        return
    ends = [at for name in measure.end if (at := subject.time(name)) is not None]
    done = bool(ends) and min(ends) - start <= measure.limit_ms
    yield Entry(start + measure.limit_ms, {"due": 1, "done": int(done)})


def _same_day(measure: Any, subject: Known, zone: ZoneInfo) -> Iterator[Entry]:
    at = subject.time(measure.opened)
    if at is None or not subject.meets(measure.where):
        return
    decided = [when for name in measure.decisions if (when := subject.time(name)) is not None]
    same = bool(decided) and local_date(min(decided), zone) == local_date(at, zone)
    yield Entry(at, {"n": 1, "same": int(same)})


def _share(measure: Any, subject: Known, _: ZoneInfo) -> Iterator[Entry]:
    for fact in subject.facts.get(measure.of, ()):
        if subject.meets(measure.where, fact):
            yield Entry(fact.occurred_ms, {"whole": 1, "part": subject.meets(measure.part, fact)})


def _amount(measure: Any, subject: Known, _: ZoneInfo) -> Iterator[Entry]:
    for fact in subject.facts.get(measure.of, ()):
        if subject.meets(measure.where, fact):
            value = fact.values[MILESTONES[measure.of][2].index(measure.field)]
            assert isinstance(value, int)
            yield Entry(fact.occurred_ms, {"sum": value, "n": 1})


def _amount_share(measure: Any, subject: Known, zone: ZoneInfo) -> Iterator[Entry]:
    for name, side in (("part", measure.part), ("whole", measure.whole)):
        if MILESTONES[side.of][0] == subject.kind:
            for at, numbers, _ in _amount(side, subject, zone):
                yield Entry(at, {name: numbers["sum"], f"{name}_n": 1})


def _stock(measure: Any, subject: Known, _: ZoneInfo) -> Iterator[Entry]:
    at = subject.time(measure.opened)
    closed = any(subject.facts.get(name) for name in measure.closed)
    if at is not None and not closed and subject.meets(measure.where):
        yield Entry(at, {"open": 1})


def _lift(measure: Any, subject: Known, _: ZoneInfo) -> Iterator[Entry]:
    for fact in subject.facts.get(measure.of, ()):
        if not subject.meets(measure.where, fact):
            continue
        hit = subject.meets(measure.part, fact)
        for name, side in (("g", measure.group), ("a", measure.against)):
            if subject.meets(side, fact):
                yield Entry(fact.occurred_ms, {f"{name}w": 1, f"{name}p": int(hit)})


def _plan(measure: Any, subject: Known, zone: ZoneInfo) -> Iterator[Entry]:
    return _amount(measure.amount, subject, zone)


_KINDS: dict[str, Callable[[Any, Known, ZoneInfo], Iterator[Entry]]] = {
    "duration": _duration,
    "within": _within,
    "same_day": _same_day,
    "share": _share,
    "amount": _amount,
    "amount_share": _amount_share,
    "stock": _stock,
    "lift": _lift,
    "plan": _plan,
}


def local_date(ms: int, zone: ZoneInfo) -> date:
    """Return the date on the calendars of the zone."""
    return instant(ms).astimezone(zone).date()


def window_days(name: str, today: date) -> tuple[date, date] | None:
    """Return the first and the last day of a window of days; None for a rolling one."""
    if name == "mtd":
        return date(today.year, today.month, 1), today
    if name == "qtd":
        return date(today.year, {1: 1, 2: 4, 3: 7, 4: 10}[(today.month + 2) // 3], 1), today
    if name == "ytd":
        return date(today.year, 1, 1), today
    if name == "12m":
        day = 28 if (today.month, today.day) == (2, 29) else today.day
        return date(today.year - 1, today.month, day) + timedelta(days=1), today
    if name.endswith("d") and int(name[:-1]) > 7:
        return today - timedelta(days=int(name[:-1]) - 1), today
    return None


def in_window(name: str, at_ms: int, as_of_ms: int, zone: ZoneInfo, *, complete: bool) -> bool:
    """Return whether a time is in a window at an instant."""
    at, as_of = instant(at_ms), instant(as_of_ms)
    end = pane_floor(as_of) if complete else pane_ceil(as_of)
    between = window_days(name, local_date(as_of_ms, zone))
    if between is None:
        length = timedelta(
            **{{"m": "minutes", "h": "hours", "d": "days"}[name[-1]]: int(name[:-1])}
        )
        return end - length <= at < end
    inside = between[0] <= local_date(at_ms, zone) <= between[1]
    return inside and (at < end or not complete)


def planned(months: Any, window: str, as_of_ms: int, zone: ZoneInfo) -> int | None:
    """Return what a plan by month says should be there by now; None where a month has none."""
    today = local_date(as_of_ms, zone)
    between = window_days(window, today)
    assert between is not None
    total, month = Fraction(0), between[0]
    while month <= today:
        after = (month + timedelta(days=31)).replace(day=1)
        amount = months.get(month.isoformat()[:7])
        if amount is None:
            return None
        begun, over = (first_instant(each, zone) for each in (month, after))
        elapsed = min(instant(as_of_ms), over) - begun
        total += (
            amount
            * Fraction(elapsed // timedelta(milliseconds=1))
            / ((over - begun) // timedelta(milliseconds=1))
        )
        month = after
    return round(total)


def first_instant(day: date, zone: ZoneInfo) -> datetime:
    """Return when a local date begins, found by looking at every minute around it."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    begin = noon - timedelta(hours=30)
    minutes = (begin + timedelta(minutes=each) for each in range(0, 60 * 60, 15))
    return next(at for at in minutes if at.astimezone(zone).date() >= day)
