"""What a history can do without where a few KPIs are in question.

Of a declaration's dozen events a KPI reads two or three. The others do not change what it counts;
they matter for one thing alone: until when a subject stays in the state. So they are left out, a
subject is given less time to stay than it has, and whatever might have been decided otherwise with
them is noticed: then nothing is certain, and the history is counted again with all its events.

What is left out can only make a subject stay longer and a watermark rise earlier. With `_MARGIN_MS`
less to stay, and no longer than that between two events that are counted, an event that finds its
subject here finds it there.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from kpi_stream.application.fold import Retention
from kpi_stream.application.replay import Tally
from kpi_stream.domain.catalogue import Catalogue
from kpi_stream.domain.events import EVENT_TYPES, Event
from kpi_stream.domain.windows import DAY_MS

_MARGIN_MS = 7 * DAY_MS
_FOR_EVER_MS = 1 << 60


class NotCertainError(Exception):
    """An event that was left out might have mattered."""


def idle_types(catalogue: Catalogue) -> frozenset[str]:
    """Return the types of event, by name, that change nothing that is counted.

    An event that corrects another may matter, whatever its type. What opens or completes a subject
    that is counted matters, and so does nothing of one that is not.
    """
    found = set()
    for each in EVENT_TYPES:
        # Contradictions are counted for the quality of the data, which no KPI reads.
        counted = [one for one in catalogue.counted(each.kind) if not one.term.counts_conflicts]
        touched = [one for one in catalogue.touched(each) if not one.term.counts_conflicts]
        if not counted or not (touched or each.opens or each.completes):
            found.add(each.name)
    return frozenset(found)


def abridged(retention: Retention) -> Retention | None:
    """Return how long subjects stay where events are left out; None where that leaves no time."""
    if min(retention.complete_ms, retention.incomplete_ms) <= 2 * _MARGIN_MS:
        return None
    return replace(
        retention,
        complete_ms=retention.complete_ms - _MARGIN_MS,
        incomplete_ms=retention.incomplete_ms - _MARGIN_MS,
        # Whoever left is known for ever, so that coming back is noticed.
        remembered_ms=_FOR_EVER_MS,
    )


def certain(events: Iterable[Event], tally: Tally, retention: Retention) -> Iterator[Event]:
    """Yield events as long as it is certain that those left out do not matter.

    Args:
        events: In the order of their recording, without those that are idle.
        tally: Of the replay that takes them, under the abridged retention.
        retention: The one without events left out.

    Raises:
        NotCertainError: Count the whole history.
    """
    newest_ms, too_old_ms = -1, retention.remembered_ms
    for event in events:
        recorded_ms, _, occurred_ms, _ = event.fact
        if (
            recorded_ms - occurred_ms > too_old_ms
            or (newest_ms >= 0 and recorded_ms - newest_ms > _MARGIN_MS)
            or tally.rejected
        ):
            raise NotCertainError
        newest_ms = recorded_ms
        yield event
    if tally.rejected:
        raise NotCertainError
