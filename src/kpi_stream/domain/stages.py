"""A subject's way split into stages: who held it how long, and who holds it now.

Each instant between start and end belongs to the first stage, in the strategy's order, that is
open then. A stage with a `begin` is open from each of its begins to the next end; any other stage
is open from the start to the latest of its ends, and owns nothing where it never ended. The last
stage of the way ends with it, so that the stages add up to the whole to the millisecond.
"""

from typing import NamedTuple

from kpi_stream.domain import strategy as s
from kpi_stream.domain.attributes import all_of, clock, milestone
from kpi_stream.domain.events import Kind
from kpi_stream.domain.histogram import bucket_of
from kpi_stream.domain.subject import Subject
from kpi_stream.domain.terms import NOTHING, Contributions, Term, slots_for


class Standing(NamedTuple):
    """Where an open subject stands."""

    stage: int
    """Position of the stage in the way."""
    since_ms: int
    """When the newest event of its way happened, milliseconds since 1970 UTC."""


_EVER = 1 << 62
"""After every instant, in milliseconds."""
_NEVER = -1
"""Before every instant that an event may name."""


class _Milestone:
    """The times of one milestone."""

    def __init__(self, name: str, kind: Kind) -> None:
        found = milestone(name, kind)
        self._slot, self._repeatable = found.slot, found.repeatable

    def times(self, subject: Subject) -> list[int]:
        """Return when it was reached, in no order; a set-once milestone has its winner only."""
        if subject.facts[self._slot] is None:
            return []
        # By position: compiled, a name of a tuple's field costs five times as much.
        if self._repeatable:
            return [fact[2] for fact in subject.alive(self._slot)]
        winner = subject.winner(self._slot)
        return [] if winner is None else [winner[2]]


class _Stage:
    """One stage, compiled."""

    def __init__(self, spec: s.Stage, prefix: str, kind: Kind) -> None:
        self.spec = spec
        self.n, self.sum = f"{prefix}.{spec.id}.n", f"{prefix}.{spec.id}.sum_ms"
        self.histogram = f"{prefix}.{spec.id}.h"
        self._one = (self.n, 1)
        self._ends = tuple(_Milestone(name, kind) for name in spec.end)
        self._begin = None if spec.begin is None else _Milestone(spec.begin, kind)
        self._expected = all_of(spec.where, kind)
        self._buckets: dict[int, tuple[str, int]] = {}

    def open(self, subject: Subject) -> list[tuple[int, int]]:
        """Return when the stage was open, as [from, to) in milliseconds; `to` _EVER: still open.

        A stage without a begin is open from 0, which is before everything.
        """
        if self._begin is None:
            latest = self._latest_end(subject)
            return [] if latest == _NEVER else [(0, latest)]
        found = []
        for begun in self._begin.times(subject):
            until = _EVER
            for each in self._ends:
                for at in each.times(subject):
                    if begun <= at < until:
                        until = at
            found.append((begun, until))
        return found

    def awaited(self, subject: Subject) -> bool:
        """Return whether the subject waits for the end of this stage."""
        if self._expected is not None and not self._expected(subject, None):
            return False
        if self._begin is None:
            return self._latest_end(subject) == _NEVER
        return any(until == _EVER for _, until in self.open(subject))

    def newest_ms(self, subject: Subject) -> int:
        """Return when the newest event of this stage happened; 0 where there is none."""
        newest = max(0, self._latest_end(subject))
        if self._begin is not None:
            for at in self._begin.times(subject):
                newest = max(newest, at)
        return newest

    def _latest_end(self, subject: Subject) -> int:
        latest = _NEVER
        for each in self._ends:
            for at in each.times(subject):
                latest = max(latest, at)
        return latest

    def counters(self, took_ms: int) -> tuple[tuple[str, int], ...]:
        """Return what a subject adds that took so long."""
        bucket = bucket_of(took_ms)
        pair = self._buckets.get(bucket)
        if pair is None:
            pair = self._buckets[bucket] = (f"{self.histogram}{bucket}", 1)
        return (self._one, (self.sum, took_ms), pair)


class CompiledWay:
    """A way with the counters of its stages.

    Args:
        way: As the strategy has it.
        prefix: Begins the names of its counters.
    """

    def __init__(self, way: s.Way, prefix: str) -> None:
        """Compile.

        Raises:
            ValueError: A milestone does not exist, or no stage ends with the way.
        """
        self.way = way
        self.kind = milestone(way.start).kind
        self.n, self.sum = f"{prefix}.n", f"{prefix}.sum_ms"
        self._one = (self.n, 1)
        self.stages = tuple(_Stage(each, prefix, self.kind) for each in way.stages)
        self._last = next(at for at, each in enumerate(way.stages) if each.end == (way.end,))
        self._before_last = self.stages[: self._last]
        self._start, self._end = clock(way.start, self.kind), clock(way.end, self.kind)
        self._where = all_of(way.where, self.kind)
        ends = (way.start, way.end)
        within = slots_for(self.kind, (*ends, *self._names(0, self._last + 1)), way.where)
        self.terms = (
            Term(self.kind, within, slots_for(self.kind, ends), self._contribute),
            *(self._afterwards(at) for at in range(self._last + 1, len(way.stages))),
        )

    @property
    def inner(self) -> int:
        """How many of the stages lie on the way; the others come after it."""
        return self._last + 1

    def split(self, subject: Subject) -> tuple[int | None, ...] | None:
        """Return how long each stage on the way took, in milliseconds; None: it had no part.

        They add up to the time from start to end, which counts as 0 where the end came first.
        None for a subject that has not come to the end, or is none of the way's.
        """
        start, end = self._start(subject), self._end(subject)
        if start is None or end is None:
            return None
        if self._where is not None and not self._where(subject, None):
            return None
        # What no stage before has taken: one piece, unless a stage begins in the middle of it.
        free = [(start, end)] if start < end else []
        latest = max(start, end)
        took: list[int | None] = []
        for stage in self._before_last:
            own: int | None = None
            for since, until in stage.open(subject):
                if since <= latest:
                    own = (own or 0) + _take(free, since, until)
            took.append(own)
        took.append(_take(free, 0, _EVER))
        return tuple(took)

    def standing(self, subject: Subject) -> Standing | None:
        """Return where a subject stands that has started and not come to the end; else None."""
        start = self._start(subject)
        if start is None or self._end(subject) is not None:
            return None
        inner = self.stages[: self._last + 1]
        at = next((n for n, each in enumerate(inner) if each.awaited(subject)), self._last)
        return Standing(at, max(start, *(each.newest_ms(subject) for each in inner)))

    def _contribute(self, subject: Subject) -> Contributions:
        took = self.split(subject)
        end = self._end(subject)
        if took is None or end is None:
            return NOTHING
        total = sum([each for each in took if each is not None])
        counters: list[tuple[str, int]] = [self._one, (self.sum, total)]
        for stage, each in zip(self.stages, took, strict=False):
            if each is not None:
                counters += stage.counters(each)
        return ((end, tuple(counters)),)

    def _afterwards(self, at: int) -> Term:
        """Return the term of a stage after the way: from the stage before it to its own end."""
        stage = self.stages[at]
        before = self.stages[self._last : at]
        names = self._names(self._last, at + 1)
        start, end, where = self._start, self._end, self._where

        def contribute(subject: Subject) -> Contributions:
            ended = stage.newest_ms(subject)
            begun, released = start(subject), end(subject)
            if not ended or begun is None or released is None:
                return NOTHING
            if where is not None and not where(subject, None):
                return NOTHING
            since = max(begun, *(each.newest_ms(subject) for each in before))
            return ((ended, stage.counters(max(0, ended - since))),)

        slots = slots_for(self.kind, (self.way.start, *names), self.way.where)
        needs = slots_for(self.kind, (self.way.start, self.way.end))
        return Term(self.kind, slots, needs, contribute)

    def _names(self, first: int, last: int) -> tuple[str, ...]:
        """Return the milestones of some of the stages."""
        some = self.way.stages[first:last]
        begins = [each.begin for each in some if each.begin is not None]
        return (*(name for each in some for name in each.end), *begins)


def _take(free: list[tuple[int, int]], since: int, until: int) -> int:
    """Take [since, until) out of the free pieces and return how much of it there was."""
    took, left = 0, []
    for begin, end in free:
        first, last = max(begin, since), min(end, until)
        if first >= last:
            left.append((begin, end))
            continue
        took += last - first
        if begin < first:
            left.append((begin, first))
        if last < end:
            left.append((last, end))
    free[:] = left
    return took
