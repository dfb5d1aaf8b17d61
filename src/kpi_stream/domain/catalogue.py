"""A strategy compiled for counting: which measures exist, and which event can change which.

KPIs that count the same thing over the same dimensions share one compiled measure, so a median
and a p90 of one duration cost one histogram. A measure's name carries a digest of its definition:
a KPI whose definition changes gets new counters instead of continuing the old ones.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from operator import itemgetter

from kpi_stream.domain import strategy as s
from kpi_stream.domain.attributes import Getter, getter, opening_field, slots_of
from kpi_stream.domain.events import STATE_VERSION, EventType, Kind, Value
from kpi_stream.domain.measures import MEASURES, CompiledMeasure
from kpi_stream.domain.stages import CompiledWay
from kpi_stream.domain.subject import OPENING, Subject
from kpi_stream.domain.terms import Contributions, Term
from kpi_stream.domain.windows import LocalDays, WindowKind, parse

ABSENT = "-"
"""Stands in a row's dimensions where its KPIs do not declare the dimension."""


def canonical(value: object) -> str:
    """Return a text that is equal for equal definitions, whatever the hash seed."""
    if is_dataclass(value) and not isinstance(value, type):
        inner = ",".join(
            f"{each.name}={canonical(getattr(value, each.name))}" for each in fields(value)
        )
        return f"{type(value).__name__}({inner})"
    if isinstance(value, frozenset):
        return "{" + ",".join(sorted(canonical(each) for each in value)) + "}"
    if isinstance(value, tuple):
        return "(" + ",".join(canonical(each) for each in value) + ")"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{canonical(value[key])}" for key in sorted(value)) + "}"
    return repr(value)


def _counted(measure: s.Measure, *, histogram: bool = False) -> s.Measure:
    """Return what is counted of a measure: its statistic and its plan enter at reading only."""
    if isinstance(measure, s.Duration):
        return s.Duration(
            measure.start,
            measure.end,
            measure.start_if_present,
            measure.where,
            statistic=HISTOGRAM if histogram else "mean",
        )
    if isinstance(measure, s.Plan):
        return s.Plan(measure.amount, {})
    if isinstance(measure, s.Stock):
        return s.Stock(measure.opened, measure.closed, 0, measure.where)
    return measure


class Group:
    """The dimensions that some KPIs declare, as a function from a subject to a row's members."""

    def __init__(self, strategy: s.Strategy, declared: frozenset[str], kind: Kind) -> None:
        """Compile the readers of the declared dimensions, in the strategy's order."""
        self.declared, self.kind = declared, kind
        self.slots: frozenset[int] = frozenset()
        self._dimensions = tuple(
            each if each.id in declared else None for each in strategy.dimensions
        )
        self._opening = OPENING[kind].slot
        self.others: dict[str, Getter] = {}
        """The readers of attributes that are no fields of the opening event."""
        own: list[int] = []
        order = []
        for dimension in self._dimensions:
            if dimension is None:
                continue
            self.slots |= slots_of(dimension.attribute, kind)
            at = opening_field(dimension.attribute, kind)
            if at is None:
                self.others[dimension.attribute] = getter(dimension.attribute, kind)
                order.append((False, list(self.others).index(dimension.attribute)))
            else:
                own.append(at)
                order.append((True, len(own) - 1))
        self.own = tuple(own)
        """The positions of the other attributes among the fields of the opening event."""
        self._order = tuple(order)
        self._pick = _picker(own)
        # The combinations that occur are few; each is put into words once.
        self._known: dict[tuple[Value, ...], str] = {}

    def members(self, subject: Subject) -> str:
        """Return the row's members joined by `|`, `-` where a dimension is not declared.

        The subject must be opened: most members are fields of its opening event.
        """
        known = subject.facts[self._opening]
        opened = known[0] if known and not subject.corrected else subject.winner(self._opening)
        key = self._pick(opened[3]) if opened is not None else ()
        if self.others:
            key += tuple([read(subject, None) for read in self.others.values()])
        members = self._known.get(key)
        # True and 1 are one key of a dictionary, but not one member.
        if members is None:
            members = self._known[key] = self._named(key)
        return members

    def _named(self, values: tuple[Value, ...]) -> str:
        own, other = values[: len(self.own)], values[len(self.own) :]
        read = iter(self._order)
        names = []
        for dimension in self._dimensions:
            if dimension is None:
                names.append(ABSENT)
                continue
            is_own, at = next(read)
            names.append(_member(dimension, own[at] if is_own else other[at]))
        return "|".join(names)


class Members:
    """The members of one subject in several groups at once.

    The groups of a strategy share a handful of dimensions, so that reading these once and looking
    the combination up is cheaper than asking each group.
    """

    def __init__(self, kind: Kind, groups: Sequence[Group]) -> None:
        """Take groups of one kind."""
        self._groups, self._opening = tuple(groups), OPENING[kind].slot
        self._pick = _picker(sorted({at for group in groups for at in group.own}))
        others = {name: read for group in groups for name, read in group.others.items()}
        self._others = tuple(others.values())
        self._known: dict[tuple[Value, ...], tuple[str, ...]] = {}

    def of(self, subject: Subject) -> tuple[str, ...]:
        """Return what `Group.members` returns for each group; the subject must be opened."""
        known = subject.facts[self._opening]
        opened = known[0] if known and not subject.corrected else subject.winner(self._opening)
        key = self._pick(opened[3]) if opened is not None else ()
        if self._others:
            key += tuple([read(subject, None) for read in self._others])
        members = self._known.get(key)
        if members is None:
            members = tuple([group.members(subject) for group in self._groups])
            self._known[key] = members
        return members


def _picker(own: list[int]) -> Callable[[tuple[Value, ...]], tuple[Value, ...]]:
    """Return a function that takes some fields of the opening event."""
    if not own:
        return lambda _: ()
    if len(own) == 1:
        at = own[0]
        return lambda values: (values[at],)
    return itemgetter(*own)


def _member(dimension: s.Dimension, value: Value) -> str:
    """Return the member that a value of a dimension's attribute belongs to."""
    if value is None:
        return s.UNKNOWN
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if dimension.cap is None:
        return text if any(each.code == text for each in dimension.members) else s.OTHER
    # The cap itself is applied by the reader, which sees every worker's members; here any short
    # code passes. The separator and the reserved word cannot be codes.
    plain = text.isascii() and text.isprintable() and 0 < len(text) <= MEMBER_LENGTH
    return text if plain and not set(text) & {"|", " "} and text != ABSENT else s.OTHER


HISTOGRAM = "histogram"
"""The statistic of a duration whose histogram is kept as well as its sum."""

MEMBER_LENGTH = 32
"""Longest member of a capped dimension, in characters."""


@dataclass(frozen=True, slots=True)
class Counted:
    """One term of one measure within one group: the unit of folding."""

    term: Term
    group: Group


@dataclass(frozen=True, slots=True)
class CompiledKpi:
    """A KPI with the measure that counts it; measure None where it is not measured."""

    kpi: s.Kpi
    measure: CompiledMeasure | None
    quantile: float | None
    """0..1 where the statistic of a duration is a quantile."""


class Catalogue:
    """What the worker counts and the scorecard reads, compiled from one strategy."""

    def __init__(self, strategy: s.Strategy) -> None:
        """Compile every measure once.

        Raises:
            ValueError: A measure names what does not exist; `kpi-stream check` says so earlier.
        """
        self.strategy = strategy
        self.days = LocalDays(strategy.calendar.time_zone)
        self.kpis: dict[str, CompiledKpi] = {}
        """What each KPI is counted by, by its id."""
        self._counted: list[Counted] = []
        measures: dict[tuple[str, str], CompiledMeasure] = {}
        groups: dict[tuple[frozenset[str], Kind], Group] = {}
        with_histogram = {
            _identity(kpi) for kpi in strategy.kpis if _quantile(kpi.measure) is not None
        }
        for kpi in strategy.kpis:
            if isinstance(kpi.measure, s.NotMeasured):
                self.kpis[kpi.id] = CompiledKpi(kpi, None, None)
                continue
            counted = _counted(kpi.measure, histogram=_identity(kpi) in with_histogram)
            name = _name(kpi, counted)
            # Stocks and plans with one counter but another limit or plan read it differently.
            reading = canonical(kpi.measure) if isinstance(kpi.measure, s.Stock | s.Plan) else ""
            fresh = not any(known == name for known, _ in measures)
            measure = measures.get((name, reading))
            if measure is None:
                # A duration is compiled as it is counted; a stock and a plan as they are read.
                spec = counted if isinstance(counted, s.Duration) else kpi.measure
                measure = MEASURES[spec.kind](spec, name, self.days)
                measures[name, reading] = measure
            if fresh:
                for term in measure.terms:
                    key = (frozenset(kpi.dimensions), term.kind)
                    if key not in groups:
                        groups[key] = Group(strategy, *key)
                    self._counted.append(Counted(term, groups[key]))
            self.kpis[kpi.id] = CompiledKpi(kpi, measure, _quantile(kpi.measure))
        for kind in Kind:
            whole = Group(strategy, frozenset(), kind)
            self._counted.append(Counted(_conflicts(kind), whole))
        self.way = self._count_way(groups)
        names = [name for kpi in strategy.kpis for name in kpi.windows]
        names += strategy.way.windows if strategy.way is not None else ()
        self.windows = {name: parse(name) for name in names}
        self.fingerprint = self._fingerprint({name for name, _ in measures})
        """Equal for strategies that count the same; names, targets and texts do not enter."""

    def _fingerprint(self, measures: set[str]) -> str:
        digest = hashlib.sha256()
        for name in sorted(measures):
            digest.update(name.encode())
        if self.way is not None:
            digest.update(self.way.n.encode())
        digest.update(self.strategy.calendar.time_zone.encode())
        for each in self.strategy.dimensions:
            codes = sorted(member.code for member in each.members)
            digest.update(canonical((each.id, each.attribute, *codes, each.cap is None)).encode())
        digest.update(str(STATE_VERSION).encode())
        return digest.hexdigest()[:16]

    def _count_way(self, groups: dict[tuple[frozenset[str], Kind], Group]) -> CompiledWay | None:
        way = self.strategy.way
        if way is None:
            return None
        # What a stage is called, who holds it and of whom it is expected enter at reading only.
        stages = tuple((each.id, each.end, each.begin or "") for each in way.stages)
        text = canonical((way.start, way.end, way.where, frozenset(way.dimensions), stages))
        compiled = CompiledWay(way, f"way.{hashlib.sha256(text.encode()).hexdigest()[:8]}")
        key = (frozenset(way.dimensions), compiled.kind)
        group = groups.get(key) or Group(self.strategy, *key)
        self._counted += [Counted(term, group) for term in compiled.terms]
        return compiled

    def counted(self, kind: Kind) -> tuple[Counted, ...]:
        """Return everything that subjects of a kind contribute to."""
        return tuple(each for each in self._counted if each.term.kind is kind)

    def touched(self, event_type: EventType, *, again: bool = False) -> tuple[Counted, ...]:
        """Return what an event of a type can change.

        The opening event changes everything: without it a subject does not count. So does a
        change of a member, which moves a contribution to another row.

        Args:
            event_type: The type.
            again: The milestone has a fact already, which another may contradict.
        """
        every = self.counted(event_type.kind)
        slot = event_type.slot
        if slot == OPENING[event_type.kind].slot:
            return every
        return tuple(
            each
            for each in every
            if (again and each.term.counts_conflicts)
            or slot in each.term.slots
            or slot in each.group.slots
        )

    @property
    def uses_now(self) -> bool:
        """Whether any KPI is a stock, read without a window."""
        return any(window.kind is WindowKind.NOW for window in self.windows.values())


CONFLICTING = "quality.conflicting"
"""Counter of subjects for which two sources said different things, at their opening event."""


def _conflicts(kind: Kind) -> Term:
    opening = OPENING[kind].slot

    def contribute(subject: Subject) -> Contributions:
        if not subject.conflicting:
            return ()
        opened = subject.winner(opening)
        return () if opened is None else ((opened.occurred_ms, ((CONFLICTING, 1),)),)

    return Term(kind, frozenset(), frozenset({opening}), contribute, counts_conflicts=True)


def _quantile(measure: s.Measure) -> float | None:
    if not isinstance(measure, s.Duration) or not measure.statistic.startswith("p"):
        return None
    return int(measure.statistic[1:]) / 100


def _identity(kpi: s.Kpi) -> str:
    return canonical(_counted(kpi.measure)) + canonical(frozenset(kpi.dimensions))


def _name(kpi: s.Kpi, counted: s.Measure) -> str:
    text = canonical(counted) + canonical(frozenset(kpi.dimensions))
    return f"{kpi.measure.kind}.{hashlib.sha256(text.encode()).hexdigest()[:8]}"
