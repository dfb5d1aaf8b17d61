"""Two strategies over the same files of events."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from kpi_stream.adapters.event_files import numbered_lines
from kpi_stream.adapters.events.codec import EventCodec
from kpi_stream.adapters.events.recording import one_of, recorded_ms
from kpi_stream.adapters.state_codec import MsgspecStateCodec
from kpi_stream.application.abridged import (
    NotCertainError,
    abridged,
    certain,
    idle_types,
)
from kpi_stream.application.fold import Retention
from kpi_stream.application.history import Survey, in_batches, merged
from kpi_stream.application.replay import Replay
from kpi_stream.application.whatif import (
    Comparison,
    Courses,
    apart,
    courses,
    cut_down,
    differing,
    everything,
    paired,
    side_by_side,
)
from kpi_stream.bootstrap.collection import collect_seldom
from kpi_stream.bootstrap.common import event_codec, now_ms, retention, utc_text
from kpi_stream.domain.errors import EventRejected, InputError
from kpi_stream.domain.events import Event
from kpi_stream.domain.strategy import Strategy
from kpi_stream.domain.windows import DAY_MS, HOUR_MS, LocalDays
from kpi_stream.settings import Settings

_FINE_UP_TO_MS = 14 * DAY_MS
"""A history up to this long is judged every hour, a longer one every day."""
_TELL_EVERY = 20_000
"""Lines between two words about the progress."""
_BATCH = 10_000
"""Events that are put in order together."""

Progress = Callable[[str, int, int | None, int], None]
"""Told what is done, how much of it, of how much (None where unknown), and up to which instant."""


@dataclass(frozen=True, slots=True)
class WhatifOptions:
    """What is wanted."""

    files: Sequence[Path]
    kpis: Sequence[str] = ()
    """Which are compared; without any, what differs."""
    from_ms: int | None = None
    """None: the end of the first hour or day in which something was recorded."""
    to_ms: int | None = None
    """None: the newest recording."""
    every_ms: int | None = None
    """None: an hour or a day, by the length."""


@dataclass(slots=True)
class _Log:
    """What is known of the files before they are folded."""

    surveys: list[Survey] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    """How many each file has."""

    @property
    def first_ms(self) -> int:
        """The oldest recording."""
        return min(each.first_ms for each in self.surveys if each.first_ms is not None)


def compare(
    today: Strategy,
    other: Strategy,
    settings: Settings,
    options: WhatifOptions,
    on_progress: Progress,
) -> Comparison:
    """Judge the history by both strategies.

    Raises:
        InputError: Nothing differs, a file cannot be read or has no event, or the time is empty.
    """
    scope = everything(today, other, options.kpis) if options.kpis else differing(today, other)
    if not scope:
        msg = "both strategies count and judge the same; name a KPI with --kpi to see it"
        raise InputError(msg)
    collect_seldom()
    received_ms = now_ms()
    log = _surveyed(options.files, event_codec(settings, today), received_ms, on_progress)
    instants = _instants(options, log, LocalDays(today.calendar.time_zone))
    parts = cut_down(today, other, scope)
    # An office that only one of them knows: the other would reject its events.
    together = side_by_side(*parts) if today.offices == other.offices else None
    runs = (
        list(zip(apart(*parts), (today, other), strict=True))
        if together is None
        else [(together, today)]
    )
    found: list[Courses] = []
    for number, (strategy, whole) in enumerate(runs):
        tell = _Told(on_progress, sum(log.lines) * number, sum(log.lines) * len(runs))
        reading = _Reading(log, options.files, event_codec(settings, whole), received_ms, tell)
        found.append(_courses(strategy, retention(settings), reading, instants))
    return paired(today, other, instants, found)


def _courses(
    strategy: Strategy, stay: Retention, reading: "_Reading", instants: Sequence[int]
) -> Courses:
    """Judge the history by what the strategy reads of it, or by all of it where that may differ."""
    shorter = abridged(stay)
    if shorter is not None:
        replay = Replay(strategy, MsgspecStateCodec(), shorter)
        events = reading.events(one_of(idle_types(replay.catalogue)))
        try:
            return courses(
                strategy,
                replay,
                certain(events, replay.tally, stay),
                instants,
                since_ms=reading.log.first_ms,
            )
        except NotCertainError:
            pass
    replay = Replay(strategy, MsgspecStateCodec(), stay)
    return courses(strategy, replay, reading.events(), instants)


def _surveyed(
    files: Iterable[Path], codec: EventCodec, received_ms: int, on_progress: Progress
) -> _Log:
    """Return how far each file is out of order, and its first and newest recording.

    Only an event that would change one of these by much is looked at in full: one that is
    rejected, dated decades ahead, must not make all others look late.
    """
    log = _Log()
    for path in files:
        survey, number = Survey(), 0
        # What is between these two is of an event that needs no further look.
        oldest_ms, latest_ms = 0, -1
        for number, line in numbered_lines(path):
            at_ms = recorded_ms(line)
            if at_ms is None:
                continue
            if oldest_ms <= at_ms <= latest_ms:
                survey.newest_ms = max(survey.newest_ms, at_ms)
            else:
                with suppress(EventRejected):
                    survey.see(codec.decode_value(line, received_ms))
            if survey.first_ms is not None:
                oldest_ms = max(survey.first_ms, survey.newest_ms - survey.disorder_ms)
                latest_ms = survey.newest_ms + HOUR_MS
            if number % _TELL_EVERY == 0:
                on_progress(f"reading {path.name}", number, None, survey.newest_ms)
        log.surveys.append(survey)
        log.lines.append(number)
    if not any(each.accepted for each in log.surveys):
        msg = f"{', '.join(map(str, files))}: no event was accepted"
        raise InputError(msg)
    return log


@dataclass(frozen=True, slots=True)
class _Told:
    """Tells how far the judging is."""

    on_progress: Progress
    before: int
    """Lines of the runs that are done."""
    total: int

    def __call__(self, lines: int, until_ms: int) -> None:
        self.on_progress("judging", self.before + lines, self.total, until_ms)


@dataclass(frozen=True, slots=True)
class _Reading:
    """Reads the files again."""

    log: _Log
    files: Sequence[Path]
    codec: EventCodec
    received_ms: int
    tell: _Told

    def events(self, leave_out: Callable[[bytes], bool] = lambda _: False) -> Iterator[Event]:
        """Yield the accepted events of all files by the time of their recording."""
        before, logs = 0, list[Iterator[Event]]()
        for path, survey, lines in zip(self.files, self.log.surveys, self.log.lines, strict=True):
            accepted = self._accepted(path, before, leave_out)
            batches = in_batches(accepted, survey.disorder_ms, _BATCH)
            logs.append(chain.from_iterable(batches))
            before += lines
        return logs[0] if len(logs) == 1 else merged(logs)

    def _accepted(
        self, path: Path, before: int, leave_out: Callable[[bytes], bool]
    ) -> Iterator[Event]:
        decode, received_ms, newest_ms = self.codec.decode_value, self.received_ms, 0
        for number, line in numbered_lines(path):
            if number % _TELL_EVERY == 0:
                self.tell(before + number, newest_ms)
            if leave_out(line):
                continue
            try:
                event = decode(line, received_ms)
            except EventRejected:
                continue
            newest_ms = event.fact.recorded_ms
            yield event


def _instants(options: WhatifOptions, log: _Log, days: LocalDays) -> Sequence[int]:
    """Return when both are judged: at the ends of whole days, or of hours and minutes.

    A day ends with its last millisecond: one later, every window of days has begun a new one.
    """
    first = log.first_ms
    newest = max(each.newest_ms for each in log.surveys)
    start = first if options.from_ms is None else options.from_ms
    end = newest if options.to_ms is None else options.to_ms
    every = options.every_ms or (HOUR_MS if end - start <= _FINE_UP_TO_MS else DAY_MS)
    instants: Sequence[int]
    if every % DAY_MS == 0:
        last = days.day_of(end)
        ends = (
            days.start_of(day + 1) - 1
            for day in range(days.day_of(start), last + 1, every // DAY_MS)
        )
        instants = [each for each in ends if start <= each <= end]
    else:
        midnight = days.start_of(days.day_of(start))
        begin = midnight + -(-(start - midnight) // every) * every
        instants = range(begin, end + 1, every)
    if not instants or instants[-1] < first:
        msg = (
            f"no instant lies between {utc_text(start)} and {utc_text(end)}; "
            f"the events are of {utc_text(first)} to {utc_text(newest)}"
        )
        raise InputError(msg)
    return instants
