"""Attributes of a subject, and conditions on them, compiled to functions.

An attribute is `milestone.field`, `office` (of the opening event), `channel` (the present one) or
`has.milestone`. Where a measure counts the events of a milestone one by one, the fields of that
milestone are those of the event at hand.
"""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from kpi_stream.domain.events import BY_MILESTONE, EventType, Fact, Kind, Value
from kpi_stream.domain.strategy import Condition
from kpi_stream.domain.subject import OPENING, Subject

Getter: TypeAlias = Callable[[Subject, Fact | None], Value]
"""The value of an attribute; the fact is the event at hand, where there is one."""

Test: TypeAlias = Callable[[Subject, Fact | None], bool]
Clock: TypeAlias = Callable[[Subject], int | None]
"""The time of a milestone in milliseconds, or None where it was not reached."""


def milestone(name: str, kind: Kind | None = None) -> EventType:
    """Return the event type that sets a milestone.

    Raises:
        ValueError: There is no such milestone, or it belongs to another kind of subject.
    """
    found = BY_MILESTONE.get(name)
    if found is None:
        msg = f"unknown milestone {name!r}; one of {', '.join(BY_MILESTONE)}"
        raise ValueError(msg)
    if kind is not None and found.kind is not kind:
        msg = f"milestone {name!r} belongs to {found.kind} subjects, not to {kind}"
        raise ValueError(msg)
    return found


def slots_of(attribute: str, kind: Kind) -> frozenset[int]:
    """Return the slots whose facts can change the attribute.

    Raises:
        ValueError: The attribute does not exist for that kind of subject.
    """
    if attribute == "office":
        return frozenset({OPENING[kind].slot})
    if attribute == "channel":
        if kind is not Kind.DECLARATION:
            return frozenset()
        return frozenset(
            {BY_MILESTONE["channel_assigned"].slot, BY_MILESTONE["channel_changed"].slot}
        )
    head, dot, tail = attribute.partition(".")
    if head == "has" and dot:
        return frozenset({milestone(tail, kind).slot})
    if not dot:
        msg = f"unknown attribute {attribute!r}; write milestone.field, office, channel or has.x"
        raise ValueError(msg)
    found = milestone(head, kind)
    if tail not in found.fields:
        msg = f"milestone {head!r} has no field {tail!r}; one of {', '.join(found.fields) or '-'}"
        raise ValueError(msg)
    return frozenset({found.slot})


def opening_field(attribute: str, kind: Kind) -> int | None:
    """Return the position of an attribute among the opening event's fields, None for others."""
    opening = OPENING[kind]
    head, _, tail = attribute.partition(".")
    if opening.repeatable or (attribute != "office" and head != opening.milestone):
        return None
    return opening.fields.index(tail or "office")


def getter(attribute: str, kind: Kind, at_hand: EventType | None = None) -> Getter:
    """Return a function that reads an attribute; None where the subject does not have it yet.

    Raises:
        ValueError: The attribute does not exist for that kind of subject.
    """
    slots_of(attribute, kind)
    if attribute == "channel":
        return lambda subject, _: subject.channel
    head, _, tail = attribute.partition(".")
    if head == "has":
        reached = milestone(tail).slot
        return lambda subject, _: subject.winner(reached) is not None
    source = OPENING[kind] if attribute == "office" else milestone(head, kind)
    at, slot = source.fields.index(tail or "office"), source.slot
    if at_hand is source:

        def of_event(subject: Subject, fact: Fact | None) -> Value:
            found = fact if fact is not None else subject.winner(slot)
            return None if found is None else found.values[at]

        return of_event
    if source.repeatable:

        def of_latest(subject: Subject, _: Fact | None) -> Value:
            found = subject.latest(slot)
            return None if found is None else found.values[at]

        return of_latest

    def of_winner(subject: Subject, _: Fact | None) -> Value:
        known = subject.facts[slot]
        if known is None:
            return None
        if not subject.corrected:
            return known[0][3][at]
        found = subject.winner(slot)
        return None if found is None else found.values[at]

    return of_winner


def _test(condition: Condition, kind: Kind, at_hand: EventType | None) -> Test:
    get, negate = getter(condition.attribute, kind, at_hand), condition.negate
    if condition.any_of is not None:
        return _among(condition, at_hand, get)
    least = condition.at_least if condition.at_least is not None else 0

    def at_least(subject: Subject, fact: Fact | None) -> bool:
        value = get(subject, fact)
        return (isinstance(value, int) and value >= least) is not negate

    return at_least


def _among(condition: Condition, at_hand: EventType | None, get: Getter) -> Test:
    allowed, negate = condition.any_of or frozenset(), condition.negate
    if not all(isinstance(value, str) for value in allowed):
        # True == 1 in Python: a flag must not satisfy a condition on the number 1.
        typed = frozenset((type(value), value) for value in allowed)

        def among_typed(subject: Subject, fact: Fact | None) -> bool:
            value = get(subject, fact)
            return ((type(value), value) in typed) is not negate

        return among_typed
    head, _, tail = condition.attribute.partition(".")
    source = BY_MILESTONE.get(head)
    if negate or source is None or source.repeatable or source is at_hand:
        return lambda subject, fact: (get(subject, fact) in allowed) is not negate
    # The usual condition, on the hot path of nearly every measure: a code of a set-once milestone.
    slot, at = source.slot, source.fields.index(tail)

    def among(subject: Subject, _: Fact | None) -> bool:
        known = subject.facts[slot]
        if known is None:
            return False
        if not subject.corrected:
            return known[0][3][at] in allowed
        return get(subject, None) in allowed

    return among


def all_of(
    conditions: Iterable[Condition], kind: Kind, at_hand: EventType | None = None
) -> Test | None:
    """Return one function for all conditions, or None where there are none.

    Raises:
        ValueError: A condition names an attribute that does not exist for that kind.
    """
    tests = tuple(_test(condition, kind, at_hand) for condition in conditions)
    if not tests:
        return None
    if len(tests) == 1:
        return tests[0]
    return lambda subject, fact: all(test(subject, fact) for test in tests)


def clock(name: str, kind: Kind) -> Clock:
    """Return a function that reads a milestone's time: the winner's, or the latest repetition's.

    Raises:
        ValueError: There is no such milestone for that kind of subject.
    """
    source = milestone(name, kind)
    slot = source.slot
    if source.repeatable:

        def latest(subject: Subject) -> int | None:
            if subject.facts[slot] is None:
                return None
            found = subject.latest(slot)
            return None if found is None else found.occurred_ms

        return latest

    def winner(subject: Subject) -> int | None:
        known = subject.facts[slot]
        if known is None:
            return None
        if not subject.corrected:
            return known[0][2]
        found = subject.winner(slot)
        return None if found is None else found.occurred_ms

    return winner
