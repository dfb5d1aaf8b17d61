"""The months before the installation: a log in the order of its recording, judged step by step.

Each instant is judged by what was recorded by then, as `replay` does with the same `as_of`. A log
is read once before, for how far it is out of order: then one more pass, which holds back that
much, sees every event at its turn without keeping the log in memory.
"""

import heapq
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from kpi_stream.application.as_of import Freshness
from kpi_stream.application.replay import Replay
from kpi_stream.application.scorecard import Evaluation, Scorecard
from kpi_stream.domain.errors import EventRejected
from kpi_stream.domain.events import Event
from kpi_stream.domain.hysteresis import Damping

UNDAMPED = Damping(hold=1, margin=0.0)
"""A status is what the reading says at each instant. Live, a status holds for a few evaluations a
second apart, of which history has none; so both `replay` and history say the plain one."""


@dataclass(slots=True)
class Survey:
    """What a log holds."""

    accepted: int = 0
    first_ms: int | None = None
    """The oldest `recorded_at`; None where no event was accepted."""
    newest_ms: int = -1
    """The newest `recorded_at`."""
    disorder_ms: int = 0
    """The most by which an event was recorded before one that stands earlier in the log."""

    def see(self, event: Event) -> None:
        """Take one accepted event."""
        recorded_ms = event.fact.recorded_ms
        self.accepted += 1
        self.disorder_ms = max(self.disorder_ms, self.newest_ms - recorded_ms)
        self.newest_ms = max(self.newest_ms, recorded_ms)
        self.first_ms = recorded_ms if self.first_ms is None else min(self.first_ms, recorded_ms)


def in_order(events: Iterable[Event], disorder_ms: int) -> Iterator[Event]:
    """Yield events by the time of their recording; those of the same time as they come.

    Args:
        events: A log.
        disorder_ms: Its disorder, as `Survey` finds it; so much of the log is held in memory.

    Example:
        >>> from kpi_stream.domain.events import EVENT_TYPES, Fact
        >>> log = [Event("s", EVENT_TYPES[0], Fact(at, "e", 0, ())) for at in (5, 9, 7, 20)]
        >>> [each.fact.recorded_ms for each in in_order(log, disorder_ms=2)]
        [5, 7, 9, 20]
    """
    waiting: list[tuple[int, int, Event]] = []
    newest_ms = -1
    for number, event in enumerate(events):
        heapq.heappush(waiting, (event.fact.recorded_ms, number, event))
        newest_ms = max(newest_ms, event.fact.recorded_ms)
        while waiting and waiting[0][0] <= newest_ms - disorder_ms:
            yield heapq.heappop(waiting)[2]
    while waiting:
        yield heapq.heappop(waiting)[2]


def in_batches(events: Iterable[Event], disorder_ms: int, size: int) -> Iterator[list[Event]]:
    """Yield the same as `in_order`, in lists: three times as fast, for some more in memory.

    Args:
        events: A log.
        disorder_ms: Its disorder, as `Survey` finds it; so much of the log is held in memory.
        size: So many events more are held.
    """
    waiting: list[Event] = []
    upcoming = iter(events)
    while batch := list(islice(upcoming, max(size, len(waiting)))):
        waiting += batch
        # Nearly in order, which this sort takes advantage of; it keeps those of the same time.
        waiting.sort(key=_recorded_ms)
        until = bisect_right(waiting, waiting[-1].fact.recorded_ms - disorder_ms, key=_recorded_ms)
        yield waiting[:until]
        del waiting[:until]
    yield waiting


def _recorded_ms(event: Event) -> int:
    return event.fact.recorded_ms


def merged(logs: Iterable[Iterable[Event]]) -> Iterator[Event]:
    """Yield the events of several logs, each in order, as one log in order."""
    return heapq.merge(*logs, key=lambda event: event.fact.recorded_ms)


def evaluations(
    replay: Replay, scorecard: Scorecard, events: Iterable[Event], instants: Iterable[int]
) -> Iterator[Evaluation]:
    """Yield what the scorecard says at each instant; nothing before the first event.

    Args:
        replay: Counts the events; its tally then knows them, up to the last instant.
        scorecard: Judges the replay's readings.
        events: In the order of their recording.
        instants: Ascending, milliseconds since 1970 UTC.
    """
    upcoming = iter(events)
    event = next(upcoming, None)
    for at_ms in instants:
        while event is not None and event.fact.recorded_ms <= at_ms:
            try:
                replay.apply(event)
            except EventRejected as rejected:
                replay.tally.rejected[rejected.reason] += 1
            event = next(upcoming, None)
        newest_ms = replay.tally.newest_ms
        if newest_ms < 0:
            continue
        replay.drain()
        # At each instant of the past the feed had brought everything that was recorded by then.
        yield scorecard.evaluate(
            at_ms,
            Freshness(at_ms, caught_up=True, now_ms=at_ms, watermark_ms=newest_ms, partitions=()),
        )
