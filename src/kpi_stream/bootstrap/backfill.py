"""The past for Prometheus, from files of events."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from kpi_stream.adapters.event_files import numbered_lines
from kpi_stream.adapters.events.codec import EventCodec
from kpi_stream.adapters.prometheus.history_files import (
    HistoryFolder,
    HistoryStream,
    history_folder,
)
from kpi_stream.adapters.state_codec import MsgspecStateCodec
from kpi_stream.application.history import UNDAMPED, Survey, evaluations, in_order, merged
from kpi_stream.application.replay import Replay
from kpi_stream.application.scorecard import Scorecard
from kpi_stream.bootstrap.common import event_codec, now_ms, retention, utc_text
from kpi_stream.domain.errors import EventRejected, InputError, Reason
from kpi_stream.domain.events import Event
from kpi_stream.domain.strategy import Strategy
from kpi_stream.domain.windows import LocalDays
from kpi_stream.settings import Settings

_DETAILS = 5
"""Rejected lines that are told of one by one; the others are counted."""
_TELL_EVERY = 5_000
"""Events between two words about the progress."""

Progress = Callable[[str, int, int | None, int], None]
"""Told what is done, how much of it, of how much (None where unknown), and up to which instant."""


@dataclass(frozen=True, slots=True)
class BackfillOptions:
    """What is wanted."""

    files: Sequence[Path]
    instance: str
    """Label of the scorecard that would have been scraped."""
    step_ms: int
    output: Path | TextIO
    """A folder, or a stream."""
    from_ms: int | None = None
    """None: the first midnight of the strategy after which something was recorded."""
    to_ms: int | None = None
    """None: the newest recording."""


@dataclass(slots=True)
class BackfillReport:
    """What was done."""

    instants: int = 0
    first_ms: int = 0
    last_ms: int = 0
    samples: int = 0
    files: int = 0
    events: int = 0
    rejected: Counter[Reason] = field(default_factory=Counter)
    details: list[str] = field(default_factory=list)
    """The first rejected lines: file, line, reason."""


def backfill(
    strategy: Strategy, settings: Settings, options: BackfillOptions, on_progress: Progress
) -> BackfillReport:
    """Judge the past at each step and write what Prometheus would have scraped.

    Raises:
        InputError: A file cannot be read or has no event, the time is empty or not over yet, or
            the output cannot be written.
    """
    codec, received_ms = event_codec(settings, strategy), now_ms()
    report = BackfillReport()
    surveys = [_survey(each, codec, received_ms, report, on_progress) for each in options.files]
    if not any(each.accepted for each in surveys):
        names = ", ".join(map(str, options.files))
        reasons = ", ".join(f"{count} {reason}" for reason, count in report.rejected.items())
        msg = f"{names}: no event was accepted ({reasons or 'nothing is there'})"
        raise InputError(msg)
    instants = _instants(options, surveys, strategy, received_ms)
    replay = Replay(strategy, MsgspecStateCodec(), retention(settings))
    scorecard = Scorecard(strategy, replay.table, damping=UNDAMPED)
    events = merged(
        in_order(_accepted(path, codec, received_ms), survey.disorder_ms)
        for path, survey in zip(options.files, surveys, strict=True)
    )
    with _output(options) as history:
        for evaluation in evaluations(replay, scorecard, events, instants):
            history.add(evaluation)
            report.first_ms = report.first_ms or evaluation.as_of_ms
            report.last_ms = evaluation.as_of_ms
            report.instants += 1
            done = instants.index(evaluation.as_of_ms) + 1
            on_progress("judging", done, len(instants), evaluation.as_of_ms)
        history.flush()
    report.samples, report.files = history.samples, history.files
    report.events = sum(replay.tally.outcomes.values())
    report.rejected += replay.tally.rejected
    return report


def _survey(
    path: Path,
    codec: EventCodec,
    received_ms: int,
    report: BackfillReport,
    on_progress: Progress,
) -> Survey:
    survey = Survey()
    for number, line in numbered_lines(path):
        try:
            survey.see(codec.decode_value(line, received_ms))
        except EventRejected as rejected:
            report.rejected[rejected.reason] += 1
            if len(report.details) < _DETAILS:
                report.details.append(f"{path}: line {number}: {rejected}")
        if number % _TELL_EVERY == 0:
            on_progress(f"reading {path.name}", number, None, survey.newest_ms)
    return survey


def _accepted(path: Path, codec: EventCodec, received_ms: int) -> Iterator[Event]:
    for _, line in numbered_lines(path):
        try:
            yield codec.decode_value(line, received_ms)
        except EventRejected:
            continue  # counted by the survey


def _instants(
    options: BackfillOptions, surveys: Sequence[Survey], strategy: Strategy, now: int
) -> range:
    first = min(each.first_ms for each in surveys if each.first_ms is not None)
    days = LocalDays(strategy.calendar.time_zone)
    newest = max(each.newest_ms for each in surveys)
    from_ms = days.start_of(days.day_of(first)) if options.from_ms is None else options.from_ms
    to_ms = newest if options.to_ms is None else options.to_ms
    if to_ms > now:
        msg = f"--to {utc_text(to_ms)} is not over yet; Prometheus will scrape it itself"
        raise InputError(msg)
    # Prometheus reads times of whole seconds exactly, and others not always.
    instants = range(-(-from_ms // 1000) * 1000, to_ms + 1, options.step_ms)
    if not instants or to_ms < first:
        msg = (
            f"nothing lies between {utc_text(from_ms)} and {utc_text(to_ms)}; "
            f"the events are of {utc_text(first)} to {utc_text(newest)}"
        )
        raise InputError(msg)
    return instants


@contextmanager
def _output(options: BackfillOptions) -> Iterator[HistoryFolder | HistoryStream]:
    if isinstance(options.output, Path):
        with history_folder(options.output, options.instance) as folder:
            yield folder
    else:
        yield HistoryStream(options.output, options.instance)
