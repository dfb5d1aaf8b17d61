"""Which subjects a limit runs for, and how a list of them reads at an instant."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from kpi_stream.domain import strategy as s
from kpi_stream.domain.attributes import all_of, clock, milestone
from kpi_stream.domain.events import BY_MILESTONE, Kind
from kpi_stream.domain.subject import OPENING, Subject
from kpi_stream.domain.terms import start_clock
from kpi_stream.domain.windows import PANE_MS


class RunningLimit:
    """A limit that runs for a subject from its start to its end, or to its cancellation.

    Args:
        spec: The measure whose limit it is.
    """

    def __init__(self, spec: s.Within) -> None:
        """Compile.

        Raises:
            ValueError: A milestone or an attribute does not exist.
        """
        self.kind = milestone(spec.start[0]).kind
        self.limit_ms = spec.limit_ms
        self._opening = OPENING[self.kind].slot
        self._start = start_clock(spec.start, spec.start_if_present, self.kind)
        self._ends = tuple(clock(name, self.kind) for name in spec.end)
        self._where = all_of(spec.where, self.kind)
        cancelled = BY_MILESTONE["cancelled"].slot if self.kind is Kind.DECLARATION else None
        self._cancelled = cancelled
        over = [milestone(name, self.kind).slot for name in spec.end]
        over += [] if cancelled is None else [cancelled]
        self.over = sum(1 << slot for slot in set(over))
        """One bit a slot whose facts, unless corrected, say that the limit runs no more."""

    def due_ms(self, subject: Subject) -> int | None:
        """Return when the time is up for a subject that has not come to the end; else None."""
        if subject.winner(self._opening) is None:
            return None
        started = self._start(subject)
        if started is None or any(end(subject) is not None for end in self._ends):
            return None
        if self._where is not None and not self._where(subject, None):
            return None
        if self._cancelled is not None and subject.winner(self._cancelled) is not None:
            return None
        return started + self.limit_ms


class Urgency(StrEnum):
    """How a subject stands against its limit."""

    LATE = "late"
    CLOSE = "close"
    """Not late, but it has used up the share of the limit that the strategy names."""


@dataclass(frozen=True, slots=True, order=True)
class Waiting:
    """A subject that waits, as it stands in the list of its office."""

    due_ms: int
    """When its time is up, milliseconds since 1970 UTC."""
    subject: str
    office: str
    channel: str | None
    stage: str
    """Id of the stage in which it waits; empty where the strategy has no stages."""
    since_ms: int
    """When the newest event of its way happened."""

    def used(self, limit_ms: int, now_ms: int) -> float:
        """Return the share of the limit that is used up; more than 1 is late."""
        return 1 + (now_ms - self.due_ms) / limit_ms


@dataclass(frozen=True, slots=True)
class OfficeList:
    """What one partition holds of one office: the first of the waiting, and how many follow."""

    listed: tuple[Waiting, ...]
    """Those whose time is up first."""
    later: Mapping[int, int]
    """How many others fall due in each pane, by pane number; what was late when this was written
    is in the last pane that was over at the watermark of that moment."""


@dataclass(frozen=True, slots=True)
class Worksheet:
    """The list of one office, or of all, at one instant."""

    listed: tuple[Waiting, ...]
    """Late and close ones, the longest late first."""
    late: int
    """All that are late, listed or not."""
    close: int
    """All that are close, listed or not."""

    @property
    def more(self) -> int:
        """Return how many late and close ones are not listed."""
        return self.late + self.close - len(self.listed)


def limits(strategy: s.Strategy) -> dict[str, int]:
    """Return the limit that each worklist is held against, in milliseconds, by its id."""
    of_kpi = {
        kpi.id: kpi.measure.limit_ms for kpi in strategy.kpis if isinstance(kpi.measure, s.Within)
    }
    return {each.id: of_kpi[each.kpi] for each in strategy.worklists}


def worksheet(
    lists: Iterable[OfficeList], worklist: s.Worklist, limit_ms: int, now_ms: int
) -> Worksheet:
    """Put the lists of several partitions and offices together.

    Args:
        lists: Each holds the first of its own.
        worklist: How many are listed, and what is close.
        limit_ms: The limit.
        now_ms: The instant, milliseconds since 1970 UTC.
    """
    close_until = now_ms + round((1 - worklist.close) * limit_ms)
    listed: list[Waiting] = []
    late = close = 0
    for each in lists:
        for waiting in each.listed:
            if waiting.due_ms > close_until:
                continue
            listed.append(waiting)
            late += waiting.due_ms < now_ms
            close += waiting.due_ms >= now_ms
        for pane, count in each.later.items():
            if (pane + 1) * PANE_MS <= now_ms:
                late += count
            elif pane * PANE_MS <= close_until:
                close += count
    listed.sort()
    return Worksheet(tuple(listed[: worklist.size]), late, close)


def sheets(
    strategy: s.Strategy,
    lists_of: Callable[[str], Mapping[str, Iterable[OfficeList]]],
    now_ms: int,
) -> dict[tuple[str, str], Worksheet]:
    """Return each office's lists at an instant, by worklist and office.

    Args:
        strategy: Says which worklists and offices there are.
        lists_of: Gives what the partitions hold of an office, by worklist.
        now_ms: The instant, milliseconds since 1970 UTC.
    """
    found, limit_of = {}, limits(strategy)
    for office in (*sorted(strategy.offices), s.OTHER):
        lists = lists_of(office)
        for each in strategy.worklists:
            sheet = worksheet(lists.get(each.id, ()), each, limit_of[each.id], now_ms)
            found[each.id, office] = sheet
    return found
