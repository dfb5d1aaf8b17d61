"""What the kinds of measure are made of: contributions, terms, and the clocks that they read."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from kpi_stream.domain import strategy as s
from kpi_stream.domain.attributes import Clock, all_of, clock, milestone, slots_of
from kpi_stream.domain.events import Fact, Kind
from kpi_stream.domain.subject import Subject

Counters: TypeAlias = tuple[tuple[str, int], ...]
Contributions: TypeAlias = tuple[tuple[int, Counters], ...]
NOTHING: Contributions = ()


class Ratio(NamedTuple):
    """A value with the counts behind it; value None where there is nothing to divide by."""

    value: float | None
    numerator: int
    denominator: int
    samples: int


class Term:
    """What one kind of subject contributes to one measure.

    A measure has one term, or two where its parts count at different events (amount_share).
    """

    __slots__ = ("contribute", "counts_conflicts", "kind", "needs", "slots")

    def __init__(
        self,
        kind: Kind,
        slots: frozenset[int],
        needs: frozenset[int],
        contribute: Callable[[Subject], Contributions],
        *,
        counts_conflicts: bool = False,
    ) -> None:
        """Bind the function to what it depends on.

        Args:
            kind: The kind of subject.
            slots: Slots whose facts can change the contribution.
            needs: Slots without which there is no contribution, so that it need not be asked.
            contribute: A pure function of the subject's state.
            counts_conflicts: It counts contradictions, which no single slot has.
        """
        self.counts_conflicts = counts_conflicts
        self.kind, self.slots, self.needs, self.contribute = kind, slots, needs, contribute


def slots_for(
    kind: Kind, milestones: tuple[str, ...], *wheres: tuple[s.Condition, ...]
) -> frozenset[int]:
    """Return the slots that milestones and conditions depend on."""
    found = {milestone(name, kind).slot for name in milestones}
    for where in wheres:
        for condition in where:
            found |= slots_of(condition.attribute, kind)
    return frozenset(found)


def start_clock(required: tuple[str, ...], optional: tuple[str, ...], kind: Kind) -> Clock:
    """Return the latest of the required milestones (all of them) and the present optional ones."""
    needed = tuple(clock(name, kind) for name in required)
    extra = tuple(clock(name, kind) for name in optional)
    if len(needed) == 1 and not extra:
        return needed[0]

    def latest(subject: Subject) -> int | None:
        start = None
        for read in needed:
            at = read(subject)
            if at is None:
                return None
            if start is None or at > start:
                start = at
        for read in extra:
            at = read(subject)
            if at is not None and start is not None and at > start:
                start = at
        return start

    return latest


def share_of(part: int, whole: int) -> Ratio:
    """Return a part of a whole; the whole are the samples."""
    return Ratio(part / whole if whole else None, part, whole, whole)


def event_term(
    of: str,
    wheres: tuple[tuple[s.Condition, ...], ...],
    count: Callable[[Subject, Fact], Counters],
    where: tuple[s.Condition, ...],
) -> Term:
    """Return a term that counts each event of a milestone at its own time."""
    source = milestone(of)
    slot, test = source.slot, all_of(where, source.kind, source)
    slots = slots_for(source.kind, (of,), where, *wheres)
    if not source.repeatable:

        def once(subject: Subject) -> Contributions:
            fact = subject.winner(slot)
            if fact is None or (test is not None and not test(subject, fact)):
                return NOTHING
            return ((fact.occurred_ms, count(subject, fact)),)

        return Term(source.kind, slots, frozenset({slot}), once)

    def each(subject: Subject) -> Contributions:
        return tuple(
            (fact.occurred_ms, count(subject, fact))
            for fact in subject.alive(slot)
            if test is None or test(subject, fact)
        )

    return Term(source.kind, slots, frozenset({slot}), each)
