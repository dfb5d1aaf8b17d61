"""The kinds of measure: what a subject contributes, and how the sums become a value.

Each class is one kind. `contribute` is a pure function of a subject's state and returns
(time, ((counter, increment), ...)) pairs; the fold adds them to the rows of that time's panes.
`read` turns the sums of a window into a value with its numerator, denominator and samples.
Adding a kind: one class, one entry in MEASURES; the laws in tests/laws enrol it by that.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeAlias

from kpi_stream.domain import strategy as s
from kpi_stream.domain.attributes import all_of, clock, milestone
from kpi_stream.domain.events import BY_MILESTONE, Fact, Kind
from kpi_stream.domain.histogram import bucket_of
from kpi_stream.domain.subject import Subject
from kpi_stream.domain.terms import (
    NOTHING,
    Contributions,
    Counters,
    Ratio,
    Term,
    event_term,
    share_of,
    slots_for,
    start_clock,
)
from kpi_stream.domain.windows import LocalDays


class DurationMeasure:
    """Time from start to end: a mean, or a quantile of the same durations."""

    future_dated: ClassVar[bool] = False

    def __init__(self, spec: s.Duration, prefix: str, _: LocalDays) -> None:
        """Compile a duration; a histogram is kept unless the mean is all that is asked."""
        self.n, self.sum, self.clamped = f"{prefix}.n", f"{prefix}.sum_ms", f"{prefix}.clamped"
        self.histogram = f"{prefix}.h" if spec.statistic != "mean" else ""
        self.counters = (self.sum, self.n)
        kind = milestone(spec.end).kind
        names = (*spec.start, *spec.start_if_present, spec.end)
        start, end = start_clock(spec.start, spec.start_if_present, kind), clock(spec.end, kind)
        where = all_of(spec.where, kind)
        one, total, histogram = (self.n, 1), self.sum, self.histogram
        none: Counters = (one, (f"{histogram}0", 1)) if histogram else (one,)
        negative: Counters = (*none, (self.clamped, 1))
        # One pair a bucket, made once: the hot path must not format a string for each event.
        pairs: dict[int, tuple[str, int]] = {}

        def contribute(subject: Subject) -> Contributions:
            ended = end(subject)
            if ended is None:
                return NOTHING
            started = start(subject)
            if started is None or (where is not None and not where(subject, None)):
                return NOTHING
            took = ended - started
            if took <= 0:
                return ((ended, negative if took < 0 else none),)
            if not histogram:
                return ((ended, (one, (total, took))),)
            bucket = bucket_of(took)
            pair = pairs.get(bucket)
            if pair is None:
                pair = pairs[bucket] = (f"{histogram}{bucket}", 1)
            return ((ended, (one, (total, took), pair)),)

        needs = slots_for(kind, (*spec.start, spec.end))
        self.terms = (Term(kind, slots_for(kind, names, spec.where), needs, contribute),)

    def read(self, sums: tuple[int, ...]) -> Ratio:
        """Return the mean in seconds; zero and negative durations count as 0."""
        total_ms, n = sums
        return Ratio(total_ms / (1000 * n) if n else None, total_ms, n, n)


class WithinMeasure:
    """Share done within a limit, of all that are due; what is not done counts once it is due."""

    future_dated: ClassVar[bool] = True

    def __init__(self, spec: s.Within, prefix: str, _: LocalDays) -> None:
        """Compile a limit; the contribution lies at start + limit, so that no timer must fire."""
        due, done = f"{prefix}.due", f"{prefix}.done"
        self.counters = (done, due)
        kind = milestone(spec.start[0]).kind
        names = (*spec.start, *spec.start_if_present, *spec.end)
        start = start_clock(spec.start, spec.start_if_present, kind)
        ends = tuple(clock(name, kind) for name in spec.end)
        where, limit = all_of(spec.where, kind), spec.limit_ms
        cancelled = BY_MILESTONE["cancelled"].slot if kind is Kind.DECLARATION else None
        missed, kept = ((due, 1),), ((due, 1), (done, 1))

        def contribute(subject: Subject) -> Contributions:
            started = start(subject)
            if started is None or (where is not None and not where(subject, None)):
                return NOTHING
            if cancelled is not None and subject.winner(cancelled) is not None:
                return NOTHING
            due_at = started + limit
            for end in ends:
                ended = end(subject)
                if ended is not None and ended <= due_at:
                    return ((due_at, kept),)
            return ((due_at, missed),)

        slots = slots_for(kind, names, spec.where)
        if cancelled is not None:
            slots |= {cancelled}
        self.terms = (Term(kind, slots, slots_for(kind, spec.start), contribute),)

    def read(self, sums: tuple[int, ...]) -> Ratio:
        """Return done / due."""
        return share_of(*sums)


class SameDayMeasure:
    """Share of the opened whose first decision fell on the same local day."""

    future_dated: ClassVar[bool] = False

    def __init__(self, spec: s.SameDay, prefix: str, days: LocalDays) -> None:
        """Compile; an undecided subject counts as not decided on its day."""
        n, same = f"{prefix}.n", f"{prefix}.same"
        self.counters = (same, n)
        kind = milestone(spec.opened).kind
        opened = clock(spec.opened, kind)
        decisions = tuple(clock(name, kind) for name in spec.decisions)
        where, day_of = all_of(spec.where, kind), days.day_of
        later, decided = ((n, 1),), ((n, 1), (same, 1))

        def contribute(subject: Subject) -> Contributions:
            at = opened(subject)
            if at is None or (where is not None and not where(subject, None)):
                return NOTHING
            first = min(
                (when for read in decisions if (when := read(subject)) is not None), default=None
            )
            if first is not None and day_of(first) == day_of(at):
                return ((at, decided),)
            return ((at, later),)

        names = (spec.opened, *spec.decisions)
        needs = slots_for(kind, (spec.opened,))
        self.terms = (Term(kind, slots_for(kind, names, spec.where), needs, contribute),)

    def read(self, sums: tuple[int, ...]) -> Ratio:
        """Return decided on the same day / opened."""
        return share_of(*sums)


class ShareMeasure:
    """Share of events that satisfy a condition."""

    future_dated: ClassVar[bool] = False

    def __init__(self, spec: s.Share, prefix: str, _: LocalDays) -> None:
        """Compile a share over the events of one milestone."""
        part, whole = f"{prefix}.part", f"{prefix}.whole"
        self.counters = (part, whole)
        source = milestone(spec.of)
        test = all_of(spec.part, source.kind, source)
        outside, inside = ((whole, 1),), ((whole, 1), (part, 1))

        def count(subject: Subject, fact: Fact) -> Counters:
            return inside if test is None or test(subject, fact) else outside

        self.terms = (event_term(spec.of, (spec.part,), count, spec.where),)

    def read(self, sums: tuple[int, ...]) -> Ratio:
        """Return part / whole."""
        return share_of(*sums)


def _amount_term(spec: s.Amount, total: str, n: str) -> Term:
    at = milestone(spec.of).fields.index(spec.field)

    def count(_: Subject, fact: Fact) -> Counters:
        value = fact.values[at]
        return ((n, 1), (total, value)) if value else ((n, 1),)  # type: ignore[return-value] # contract: an integer

    return event_term(spec.of, (), count, spec.where)


class AmountMeasure:
    """Sum of a field over events; cents become major units of the currency."""

    future_dated: ClassVar[bool] = False

    def __init__(self, spec: s.Amount, prefix: str, _: LocalDays) -> None:
        """Compile a sum."""
        total, n = f"{prefix}.sum", f"{prefix}.n"
        self.counters = (total, n)
        self.scale = 100 if spec.field.endswith("_cents") else 1
        self.terms = (_amount_term(spec, total, n),)

    def read(self, sums: tuple[int, ...]) -> Ratio:
        """Return the sum; the samples are the events behind it."""
        total, n = sums
        return Ratio(total / self.scale, total, 1, n)


class AmountShareMeasure:
    """One sum divided by another."""

    future_dated: ClassVar[bool] = False

    def __init__(self, spec: s.AmountShare, prefix: str, _: LocalDays) -> None:
        """Compile both sums; each event counts at its own time."""
        part, whole, n = f"{prefix}.part", f"{prefix}.whole", f"{prefix}.n"
        self.counters = (part, whole, n)
        self.terms = (
            _amount_term(spec.part, part, f"{prefix}.part_n"),
            _amount_term(spec.whole, whole, n),
        )

    def read(self, sums: tuple[int, ...]) -> Ratio:
        """Return part / whole; the samples are the events of the whole."""
        part, whole, n = sums
        return Ratio(part / whole if whole else None, part, whole, n)


class StockMeasure:
    """Open subjects; how many are older than a limit is a sum over panes, read by age."""

    future_dated: ClassVar[bool] = False

    def __init__(self, spec: s.Stock, prefix: str, _: LocalDays) -> None:
        """Compile; a closed subject contributes nothing, at the pane where it opened."""
        counter = f"{prefix}.open"
        self.counters = (counter,)
        self.older_than_ms = spec.older_than_ms
        kind = milestone(spec.opened).kind
        opened = clock(spec.opened, kind)
        closed = tuple(milestone(name, kind).slot for name in spec.closed)
        where, is_open = all_of(spec.where, kind), ((counter, 1),)

        def contribute(subject: Subject) -> Contributions:
            at = opened(subject)
            if at is None or any(subject.winner(slot) is not None for slot in closed):
                return NOTHING
            if where is not None and not where(subject, None):
                return NOTHING
            return ((at, is_open),)

        names = (spec.opened, *spec.closed)
        needs = slots_for(kind, (spec.opened,))
        self.terms = (Term(kind, slots_for(kind, names, spec.where), needs, contribute),)

    def read(self, sums: tuple[int, ...]) -> Ratio:
        """Return older / all, of (open older than the limit, all open)."""
        return share_of(*sums)


class LiftMeasure:
    """How many times the share in one group is the share in another."""

    future_dated: ClassVar[bool] = False

    def __init__(self, spec: s.Lift, prefix: str, _: LocalDays) -> None:
        """Compile four counters: part and whole of both groups."""
        group, against = (f"{prefix}.g", f"{prefix}.a")
        self.counters = (f"{group}part", f"{group}whole", f"{against}part", f"{against}whole")
        source = milestone(spec.of)
        part = all_of(spec.part, source.kind, source)
        sides = tuple(
            (
                all_of(side, source.kind, source),
                ((f"{name}whole", 1),),
                ((f"{name}whole", 1), (f"{name}part", 1)),
            )
            for side, name in ((spec.group, group), (spec.against, against))
        )

        def count(subject: Subject, fact: Fact) -> Counters:
            hit = part is None or part(subject, fact)
            found: Counters = ()
            for test, miss, both in sides:
                if test is None or test(subject, fact):
                    found += both if hit else miss
            return found

        wheres = (spec.part, spec.group, spec.against)
        self.terms = (event_term(spec.of, wheres, count, spec.where),)

    def read(self, sums: tuple[int, ...]) -> Ratio:
        """Return the ratio of both shares; the samples are those of the smaller side."""
        gp, gw, ap, aw = sums
        numerator, denominator = gp * aw, gw * ap
        return Ratio(
            numerator / denominator if denominator else None, numerator, denominator, min(gw, aw)
        )


class PlanMeasure:
    """Sum to date against what the plan says should be there by now."""

    future_dated: ClassVar[bool] = False

    def __init__(self, spec: s.Plan, prefix: str, days: LocalDays) -> None:
        """Compile the sum; the plan itself enters when the sums are read."""
        amount = AmountMeasure(spec.amount, prefix, days)
        self.counters, self.terms, self.months = amount.counters, amount.terms, spec.months

    def read(self, sums: tuple[int, ...]) -> Ratio:
        """Return sum / planned, of (sum, events, planned to date in the same units)."""
        total, n, planned = sums
        return Ratio(total / planned if planned else None, total, planned, n)


CompiledMeasure: TypeAlias = (
    DurationMeasure
    | WithinMeasure
    | SameDayMeasure
    | ShareMeasure
    | AmountMeasure
    | AmountShareMeasure
    | StockMeasure
    | LiftMeasure
    | PlanMeasure
)

MEASURES: Mapping[str, Callable[[Any, str, LocalDays], CompiledMeasure]] = {
    "duration": DurationMeasure,
    "within": WithinMeasure,
    "same_day": SameDayMeasure,
    "share": ShareMeasure,
    "amount": AmountMeasure,
    "amount_share": AmountShareMeasure,
    "stock": StockMeasure,
    "lift": LiftMeasure,
    "plan": PlanMeasure,
}
"""Every kind that can be counted; `not_measured` is the one that cannot."""
