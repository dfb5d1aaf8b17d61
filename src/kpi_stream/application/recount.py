"""What one event changes: contributions of its subject before and after, compiled by event type.

Most events touch few measures, and which of those can contribute at all is known from what the
subject has reached. So the terms to ask are found once for each combination that occurs, and an
event that no measure looks at costs nothing here.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from kpi_stream.domain.catalogue import Counted, Members
from kpi_stream.domain.events import Event, EventType
from kpi_stream.domain.subject import OPENING, Outcome, Subject
from kpi_stream.domain.terms import NOTHING, Contributions

Add: TypeAlias = Callable[[str, Contributions, int], None]
"""Adds contributions to the rows of some members, or (sign -1) retracts them."""

_Contribute: TypeAlias = Callable[[Subject], Contributions]


class _Asked(NamedTuple):
    """The terms to ask around one event."""

    before: list[_Contribute]
    after: list[tuple[_Contribute, int, int]]
    """With the term's place in `before` (-1 for one that cannot have contributed yet) and the place
    of its group among the members."""


class Plan:
    """What the events of one type can change, by what their subject has reached."""

    def __init__(self, event_type: EventType, touched: tuple[Counted, ...]) -> None:
        """Compile what is touched.

        Args:
            event_type: Of the events.
            touched: As `Catalogue.touched` or, around a correction, everything of the kind.
        """
        self._bit = 1 << event_type.slot
        self._opening = OPENING[event_type.kind].slot
        self._touched = touched
        groups = list(dict.fromkeys(each.group for each in touched))
        self._places = {group: place for place, group in enumerate(groups)}
        self._members = Members(event_type.kind, groups)
        # A correction may take any fact away, so that any member may change.
        self._moves = any(event_type.slot in group.slots for group in groups)
        self._asked: dict[int, _Asked] = {}

    def take(self, event: Event, subject: Subject, add: Add) -> Outcome:
        """Apply an event to its subject, recount what that changes, return what became of it."""
        asked = self._asked.get(subject.reached)
        if asked is None:
            asked = self._asked[subject.reached] = self._find(subject.reached)
        before, after = asked
        if not after:
            return subject.apply(event)
        old, members = self._contributed(before, event, subject)
        outcome = subject.apply(event)
        self._add_difference(after, old, members, subject, add)
        return outcome

    def _contributed(
        self, before: list[_Contribute], event: Event, subject: Subject
    ) -> tuple[list[Contributions], tuple[str, ...]]:
        """Return what the subject contributes, and its members where the event may change them."""
        if not before:
            return [], ()
        if not self._counts(subject):
            return [NOTHING] * len(before), ()
        moves = self._moves or event.corrects is not None
        return (
            [contribute(subject) for contribute in before],
            self._members.of(subject) if moves else (),
        )

    def _add_difference(
        self,
        after: list[tuple[_Contribute, int, int]],
        old: list[Contributions],
        old_members: tuple[str, ...],
        subject: Subject,
        add: Add,
    ) -> None:
        """Retract what the subject contributed and add what it contributes now."""
        counts = self._counts(subject)
        members = old_members if not counts else ()
        for contribute, place, group in after:
            was = old[place] if place >= 0 else NOTHING
            now = contribute(subject) if counts else NOTHING
            if was == now and not (was and old_members):
                continue
            members = members or self._members.of(subject)
            at = old_members[group] if old_members else members[group]
            if was == now and at == members[group]:
                continue
            if was:
                add(at, was, -1)
            if now:
                add(members[group], now, 1)

    def _counts(self, subject: Subject) -> bool:
        """Return whether the subject is open; without its opening event it does not count."""
        return not subject.corrected or subject.winner(self._opening) is not None

    def _find(self, reached: int) -> _Asked:
        before: list[_Contribute] = []
        after: list[tuple[_Contribute, int, int]] = []
        then = reached | self._bit
        for each in self._touched:
            needs = each.term.needs | {self._opening}
            if not all(then >> slot & 1 for slot in needs):
                continue
            place = -1
            if all(reached >> slot & 1 for slot in needs):
                place = len(before)
                before.append(each.term.contribute)
            after.append((each.term.contribute, place, self._places[each.group]))
        return _Asked(before, after)
