"""What would have been: the same history judged by two strategies.

Both are cut down to the KPIs in question, to the windows and dimensions that a target asks for, and
then put side by side into one strategy, so that one fold of the events counts for both, and what
both count alike is counted once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from kpi_stream.application.history import UNDAMPED
from kpi_stream.application.judge import Judge, Judged, target_digest
from kpi_stream.application.replay import Replay
from kpi_stream.domain.catalogue import canonical
from kpi_stream.domain.errors import EventRejected
from kpi_stream.domain.events import Event
from kpi_stream.domain.readings import Reading, SeriesKey
from kpi_stream.domain.status import Status
from kpi_stream.domain.strategy import NATIONAL, Dimension, Kpi, Strategy, Target

SIDES = ("today", "other")
"""The strategy in force, and the one that is tried."""
_BETWEEN = ":"
"""Stands between a side and a KPI's id while both are in one strategy; no id has one."""


@dataclass(frozen=True, slots=True)
class Point:
    """How a series stood at one instant."""

    at_ms: int
    value: float | None
    """In the KPI's unit; None is no data."""
    goal: float | None
    """What it should have been; a band's upper edge; None without a target."""
    low: float | None
    """Lower edge of a band."""
    status: Status | None
    """None without a target."""


@dataclass(frozen=True, slots=True)
class Course:
    """One series over the time, as one strategy reads and judges it."""

    kpi: Kpi
    target: Target | None
    """The last one that judged it."""
    points: tuple[Point, ...]

    def share(self, status: Status) -> float | None:
        """Return the share of the instants with a status; None where nothing is judged."""
        judged = [each.status for each in self.points if each.status is not None]
        return judged.count(status) / len(judged) if judged else None

    @property
    def breaches(self) -> int:
        """At how many instants it was off track."""
        return sum(each.status is Status.OFF_TRACK for each in self.points)

    @property
    def alerts(self) -> int:
        """How many times somebody would have been told: runs of instants off track."""
        runs = groupby(self.points, key=lambda each: each.status is Status.OFF_TRACK)
        return sum(off for off, _ in runs)

    @property
    def first_breach_ms(self) -> int | None:
        """When it was off track first; None where it never was."""
        return next((p.at_ms for p in self.points if p.status is Status.OFF_TRACK), None)


@dataclass(frozen=True, slots=True)
class Pair:
    """One series under both strategies; None where one of them has no such series."""

    key: SeriesKey
    today: Course | None
    other: Course | None

    @property
    def sides(self) -> tuple[tuple[str, Course], ...]:
        """Return the courses that there are, with the side's name."""
        both = zip(SIDES, (self.today, self.other), strict=True)
        return tuple((side, course) for side, course in both if course is not None)

    @property
    def has_data(self) -> bool:
        """Whether there ever was a value."""
        return any(p.value is not None for _, course in self.sides for p in course.points)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two strategies over one history."""

    today: Strategy
    other: Strategy
    instants: Sequence[int]
    """At which both were judged; milliseconds since 1970 UTC, ascending."""
    pairs: tuple[Pair, ...]


Place = tuple[str, str]
"""A window and a dimension, in which targets judge a KPI."""
Scope = Mapping[str, frozenset[Place]]
"""The KPIs in question, and of each the places; none where no target judges it."""


def differing(today: Strategy, other: Strategy) -> Scope:
    """Return what the two count, read or judge in different ways; names do not matter.

    Where a KPI counts the same, only the places whose targets differ are in question.
    """
    found: dict[str, frozenset[Place]] = {}
    one, two = (_definitions(each) for each in (today, other))
    for kpi in {**one, **two}:
        judged = [_judged(each, kpi) for each in (today, other)]
        places = judged[0].keys() | judged[1].keys()
        if one.get(kpi) != two.get(kpi):
            found[kpi] = frozenset(places)
            continue
        changed = frozenset(each for each in places if judged[0].get(each) != judged[1].get(each))
        if changed:
            found[kpi] = changed
    return found


def everything(today: Strategy, other: Strategy, kpis: Iterable[str]) -> Scope:
    """Return all places of some KPIs."""
    return {kpi: frozenset(_judged(today, kpi).keys() | _judged(other, kpi).keys()) for kpi in kpis}


def _definitions(strategy: Strategy) -> dict[str, str]:
    zone = strategy.calendar.time_zone
    return {
        kpi.id: canonical(
            (kpi.measure, kpi.unit.value, kpi.direction.value, kpi.minimum_sample, zone)
        )
        for kpi in strategy.kpis
    }


def _judged(strategy: Strategy, kpi_id: str) -> dict[Place, tuple[str, ...]]:
    """Return what was decided about a KPI, by place, as texts."""
    kpi = next((each for each in strategy.kpis if each.id == kpi_id), None)
    dimensions = {each.id: _counted(each) for each in strategy.dimensions}
    found: dict[Place, list[str]] = {}
    for target in strategy.targets:
        if kpi is not None and target.kpi == kpi_id:
            decided = (
                *(target_digest(kpi, target), *sorted(target.members)),
                dimensions.get(target.dimension, ""),
            )
            found.setdefault((target.window, target.dimension), []).append(canonical(decided))
    return {place: tuple(sorted(texts)) for place, texts in found.items()}


def _counted(dimension: Dimension) -> str:
    codes = sorted(member.code for member in dimension.members)
    return canonical((dimension.id, dimension.attribute, *codes, dimension.cap or 0))


def cut_down(today: Strategy, other: Strategy, scope: Scope) -> tuple[Strategy, Strategy]:
    """Return both strategies with nothing but what is in question.

    A KPI without any target keeps its first window.
    """
    return _cut(today, scope), _cut(other, scope)


def _cut(strategy: Strategy, scope: Scope) -> Strategy:
    kpis = []
    for kpi in strategy.kpis:
        if kpi.id not in scope:
            continue
        asked = {window for window, _ in scope[kpi.id]}
        by = {dimension for _, dimension in scope[kpi.id]}
        windows = tuple(each for each in kpi.windows if each in asked)
        dimensions = tuple(each for each in kpi.dimensions if each in by)
        kpis.append(replace(kpi, windows=windows or kpi.windows[:1], dimensions=dimensions))
    used = {name for kpi in kpis for name in kpi.dimensions}
    return replace(
        strategy,
        objectives=(),
        dimensions=tuple(each for each in strategy.dimensions if each.id in used),
        kpis=tuple(kpis),
        targets=tuple(
            each
            for each in strategy.targets
            if (each.window, each.dimension) in scope.get(each.kpi, ())
        ),
        initiatives=(),
        benchmarks=(),
        way=None,
        worklists=(),
    )


def side_by_side(today: Strategy, other: Strategy) -> Strategy | None:
    """Return one strategy with the KPIs of both, each under its side; None where that cannot be.

    It cannot be where days begin at other times, or a dimension has other members.
    """
    if today.calendar.time_zone != other.calendar.time_zone:
        return None
    dimensions = {each.id: each for each in today.dimensions}
    for each in other.dimensions:
        if _counted(dimensions.setdefault(each.id, each)) != _counted(each):
            return None
    both = tuple(zip(SIDES, (today, other), strict=True))
    return replace(
        today,
        dimensions=tuple(dimensions.values()),
        kpis=tuple(kpi for side, each in both for kpi in _of_side(side, each).kpis),
        targets=tuple(target for side, each in both for target in _of_side(side, each).targets),
    )


def _of_side(side: str, strategy: Strategy) -> Strategy:
    def name(kpi: str) -> str:
        return f"{side}{_BETWEEN}{kpi}"

    return replace(
        strategy,
        kpis=tuple(replace(each, id=name(each.id)) for each in strategy.kpis),
        targets=tuple(
            replace(each, id=f"{side}{_BETWEEN}{each.id}", kpi=name(each.kpi))
            for each in strategy.targets
        ),
    )


def apart(today: Strategy, other: Strategy) -> tuple[Strategy, ...]:
    """Return each strategy by itself, its KPIs under its side, for a fold each."""
    return tuple(_of_side(*each) for each in zip(SIDES, (today, other), strict=True))


@dataclass(slots=True)
class _Line:
    points: list[Point] = field(default_factory=list)
    target: Target | None = None


Courses = Mapping[SeriesKey, Course]
"""By the series' key, whose KPI carries the side."""


def courses(
    strategy: Strategy,
    replay: Replay,
    events: Iterable[Event],
    instants: Iterable[int],
    *,
    since_ms: int | None = None,
) -> Courses:
    """Judge a strategy at each instant by what was recorded until then.

    Args:
        strategy: Of one side or of both; it is judged without damping, as in `replay`.
        replay: Counts for it.
        events: In the order of their recording.
        instants: Ascending, milliseconds since 1970 UTC. There is no point before the first event.
        since_ms: When the first event was recorded; None: `events` begin with it.
    """
    judge, lines = Judge(strategy, UNDAMPED), dict[SeriesKey, _Line]()
    unjudged = [
        SeriesKey(each.id, each.windows[0], NATIONAL, "")
        for each in strategy.kpis
        if not any(target.kpi == each.id for target in strategy.targets)
    ]
    upcoming = iter(events)
    event = next(upcoming, None)
    for at_ms in instants:
        while event is not None and event.fact.recorded_ms <= at_ms:
            try:
                replay.apply(event)
            except EventRejected as rejected:
                replay.tally.rejected[rejected.reason] += 1
            event = next(upcoming, None)
        if replay.tally.newest_ms < 0 and (since_ms is None or at_ms < since_ms):
            continue
        replay.settle()
        readings = replay.table.readings(at_ms)
        for judged in judge.judge(readings, at_ms)[0]:
            line = lines.setdefault(judged.key, _Line())
            line.target = judged.target
            line.points.append(_judged_point(judged, at_ms))
        for key in unjudged:
            lines.setdefault(key, _Line()).points.append(_plain_point(readings[key], at_ms))
    kpis = {each.id: each for each in strategy.kpis}
    return {
        key: Course(kpis[key.kpi], line.target, tuple(line.points)) for key, line in lines.items()
    }


def _judged_point(judged: Judged, at_ms: int) -> Point:
    against = judged.against
    return Point(at_ms, judged.reading.value, against.goal, against.low, judged.status)


def _plain_point(reading: Reading, at_ms: int) -> Point:
    return Point(at_ms, reading.value, None, None, None)


def paired(
    today: Strategy, other: Strategy, instants: Sequence[int], found: Sequence[Courses]
) -> Comparison:
    """Return both sides' courses beside each other, in the order of today's KPIs.

    Args:
        today: The strategy in force, whole.
        other: The one that is tried, whole.
        instants: At which they were judged.
        found: The courses of both sides together, or of each.
    """
    sides: dict[str, dict[SeriesKey, Course]] = {side: {} for side in SIDES}
    for each in found:
        for key, course in each.items():
            side, _, kpi = key.kpi.partition(_BETWEEN)
            sides[side][key._replace(kpi=kpi)] = replace(course, kpi=replace(course.kpi, id=kpi))
    one, two = (sides[side] for side in SIDES)
    order = {kpi.id: at for at, kpi in enumerate((*other.kpis, *today.kpis))}
    keys = sorted(one.keys() | two.keys(), key=lambda key: (order[key.kpi], key))
    pairs = tuple(Pair(key, one.get(key), two.get(key)) for key in keys)
    return Comparison(today, other, instants, pairs)
