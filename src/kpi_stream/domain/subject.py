"""What is known of one subject: a set of facts, from which everything else is derived.

Facts are kept as a set (sorted, without repetition) and corrected event ids as another. Winners,
times and attributes are functions of these two sets, so neither the order of arrival, nor
repetition, nor the moment at which a correction arrives can change them.
"""

from bisect import insort
from enum import StrEnum

from kpi_stream.domain.events import (
    BY_MILESTONE,
    TYPES_OF_KIND,
    Event,
    EventType,
    Fact,
    Kind,
    Value,
)


class Outcome(StrEnum):
    """What became of an event that was not rejected."""

    COUNTED = "counted"
    DUPLICATE = "duplicate"
    """Exactly this fact was known; nothing changed."""
    CONFLICTING = "conflicting"
    """It differs from another fact of the same set-once milestone (or of the same event id)."""


OPENING: dict[Kind, EventType] = {
    kind: next(each for each in types if each.opens) for kind, types in TYPES_OF_KIND.items()
}
COMPLETING: dict[Kind, tuple[int, ...]] = {
    kind: tuple(each.slot for each in types if each.completes)
    for kind, types in TYPES_OF_KIND.items()
}
_COMPLETE = {kind: sum(1 << slot for slot in slots) for kind, slots in COMPLETING.items()}
_ASSIGNED_SLOT = BY_MILESTONE["channel_assigned"].slot
_CHANGED_SLOT = BY_MILESTONE["channel_changed"].slot
_ASSIGNED_AT = BY_MILESTONE["channel_assigned"].fields.index("channel")
_CHANGED_AT = BY_MILESTONE["channel_changed"].fields.index("channel")


def _order(fact: Fact) -> tuple[int, str, int, str]:
    """Sort key of facts; values are compared as text, since None and str do not compare."""
    return (fact.recorded_ms, fact.event_id, fact.occurred_ms, repr(fact.values))


class Subject:
    """One declaration, audit, appeal, ...: its facts by slot."""

    __slots__ = ("conflicting", "corrected", "facts", "kind", "newest_ms", "reached")

    def __init__(
        self,
        kind: Kind,
        facts: list[list[Fact] | None] | None = None,
        corrected: list[str] | None = None,
        newest_ms: int = 0,
        *,
        reached: int = 0,
        conflicting: bool = False,
    ) -> None:
        """Start empty, or from a stored state.

        Args:
            kind: What it is.
            facts: By slot, in order of their writing; None for a slot without any.
            corrected: Event ids that were replaced.
            newest_ms: The newest `recorded_at` of any fact.
            reached: One bit a slot that has facts, dead ones included.
            conflicting: Whether two living facts contradict each other.
        """
        self.kind = kind
        empty: list[list[Fact] | None] = [None] * len(TYPES_OF_KIND[kind])
        self.facts = empty if facts is None else facts
        self.corrected = corrected if corrected is not None else []
        self.newest_ms = newest_ms
        self.reached = reached
        self.conflicting = conflicting

    def knows(self, event: Event) -> bool:
        """Return whether applying the event would change nothing."""
        known = self.facts[event.type.slot]
        return (
            known is not None
            and event.fact in known
            and (event.corrects is None or event.corrects in self.corrected)
        )

    def apply(self, event: Event) -> Outcome:
        """Add an event's fact to the set and return what became of it."""
        _, event_type, fact, corrects = event
        slot, plain = event_type.slot, corrects is None
        self.newest_ms = max(self.newest_ms, fact[0])
        if corrects is not None and corrects not in self.corrected:
            self.corrected.append(corrects)
            self.corrected.sort()
        known = self.facts[slot]
        if known is None:
            self.facts[slot] = [fact]
            self.reached |= 1 << slot
            if not plain:
                self.conflicting = self._conflicts()
            return Outcome.COUNTED
        if fact in known:
            if not plain:
                self.conflicting = self._conflicts()
            return Outcome.DUPLICATE
        insort(known, fact, key=_order)
        self.conflicting = self._conflicts()
        return Outcome.CONFLICTING if self._rivals(event_type, fact) else Outcome.COUNTED

    def alive(self, slot: int) -> list[Fact]:
        """Return the facts of a slot that no correction replaced, in order of their writing.

        For a repeatable milestone one fact an event id remains: the first written.
        """
        known = self.facts[slot]
        if known is None:
            return []
        if len(known) == 1 and not self.corrected:
            return known
        living: dict[str, Fact] = {}
        for fact in known:
            if fact.event_id not in self.corrected:
                living.setdefault(fact.event_id, fact)
        return list(living.values())

    def winner(self, slot: int) -> Fact | None:
        """Return the fact that counts for a set-once milestone: the first written."""
        known = self.facts[slot]
        if not known or not self.corrected:
            return known[0] if known else None
        return next((fact for fact in known if fact.event_id not in self.corrected), None)

    def latest(self, slot: int) -> Fact | None:
        """Return the fact of a repeatable milestone that happened last."""
        living = self.alive(slot)
        if len(living) <= 1:
            return living[0] if living else None
        return max(living, key=lambda fact: (fact.occurred_ms, *_order(fact)))

    @property
    def complete(self) -> bool:
        """Whether nothing more is expected of the subject."""
        if not self.corrected:
            return self.reached & _COMPLETE[self.kind] != 0
        return any(self.winner(slot) is not None for slot in COMPLETING[self.kind])

    @property
    def channel(self) -> Value:
        """The channel that the declaration is in now, or None before it has one."""
        if self.kind is not Kind.DECLARATION:
            return None
        if self.facts[_CHANGED_SLOT] is not None:
            changed = self.latest(_CHANGED_SLOT)
            if changed is not None:
                return changed.values[_CHANGED_AT]
        assigned = self.winner(_ASSIGNED_SLOT)
        return None if assigned is None else assigned[3][_ASSIGNED_AT]

    def _rivals(self, event_type: EventType, fact: Fact) -> bool:
        """Return whether a fact that no correction replaced says something else."""
        known = self.facts[event_type.slot] or []
        return fact.event_id not in self.corrected and any(
            (other.occurred_ms, other.values) != (fact.occurred_ms, fact.values)
            for other in known
            if other.event_id not in self.corrected
            and (not event_type.repeatable or other.event_id == fact.event_id)
        )

    def _conflicts(self) -> bool:
        for each in TYPES_OF_KIND[self.kind]:
            known = self.facts[each.slot]
            if known is None or len(known) == 1:
                continue
            contents: dict[str, tuple[int, tuple[Value, ...]]] = {}
            for fact in known:
                if fact.event_id in self.corrected:
                    continue
                identity = fact.event_id if each.repeatable else ""
                content = (fact.occurred_ms, fact.values)
                if contents.setdefault(identity, content) != content:
                    return True
        return False
