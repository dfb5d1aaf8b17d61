"""The review of a month, from files of events or from the rows that the workers counted."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kpi_stream.adapters.event_files import numbered_lines
from kpi_stream.adapters.events.codec import EventCodec
from kpi_stream.adapters.kafka.access import Access
from kpi_stream.adapters.kafka.scorecard.feed import RowFeed, SourceEnds
from kpi_stream.adapters.state_codec import MsgspecStateCodec
from kpi_stream.application.as_of import AsOfClock, Freshness
from kpi_stream.application.closed_days import ClosedDays, ClosedTotals, is_told_afterwards
from kpi_stream.application.history import UNDAMPED
from kpi_stream.application.periods import Month, month_of
from kpi_stream.application.ports import Guarantee
from kpi_stream.application.readings import ReadingTable
from kpi_stream.application.replay import Replay
from kpi_stream.application.review import Feed, Review, Reviewer, Source
from kpi_stream.application.scorecard import Scorecard, Totals
from kpi_stream.application.totals import RowTotals
from kpi_stream.bootstrap.broker import advising, require
from kpi_stream.bootstrap.collection import collect_seldom
from kpi_stream.bootstrap.common import (
    broker_options,
    event_codec,
    now_ms,
    retention,
    topics,
    utc_text,
)
from kpi_stream.bootstrap.epochs import find_epoch
from kpi_stream.domain.catalogue import Catalogue
from kpi_stream.domain.errors import EventRejected, InputError
from kpi_stream.domain.events import Event
from kpi_stream.domain.strategy import Strategy
from kpi_stream.settings import Settings

_TELL_EVERY = 5_000
"""Events or rows between two words about the progress."""

Progress = Callable[[str, int, int | None], None]
"""Told what is done, how much of it, and of how much; None where that is unknown."""


@dataclass(frozen=True, slots=True)
class ReviewOptions:
    """What is wanted."""

    period: str
    """The month, as in `2026-10`."""
    office: str | None = None
    files: Sequence[Path] = ()
    """Files of events; without any the rows in Kafka are read."""


def review(
    strategy: Strategy, settings: Settings, options: ReviewOptions, on_progress: Progress
) -> Review:
    """Return the review of a month.

    Raises:
        InputError: There is no such month or office, nothing was counted in it, a file cannot be
            read, or the rows were counted by other definitions.
        Unavailable: No broker answers.
    """
    collect_seldom()
    catalogue = Catalogue(strategy)
    month = _month(options, catalogue)
    if options.office is not None and options.office not in strategy.offices:
        known = ", ".join(sorted(strategy.offices))
        msg = f"--office {options.office!r} is not in the strategy; one of {known}"
        raise InputError(msg)
    if options.files:
        return _from_files(catalogue, settings, (options, month), on_progress)
    return _from_rows(catalogue, settings, (options, month), on_progress)


def _month(options: ReviewOptions, catalogue: Catalogue) -> Month:
    """Return the month, told up to its end, or up to now where it is not over."""
    try:
        period, previous = month_of(options.period, catalogue.days)
    except ValueError as err:
        msg = f"--period {err}"
        raise InputError(msg) from err
    now = now_ms()
    if period.start_ms > now:
        msg = f"--period {options.period} has not begun yet"
        raise InputError(msg)
    return Month(options.period, period, previous, min(period.end_ms - 1, now))


def _from_files(
    catalogue: Catalogue,
    settings: Settings,
    wanted: tuple[ReviewOptions, Month],
    on_progress: Progress,
) -> Review:
    options, month = wanted
    strategy, codec = catalogue.strategy, event_codec(settings, catalogue.strategy)
    replay = Replay(strategy, MsgspecStateCodec(), retention(settings))
    totals: RowTotals
    table: Totals
    if not month.over:
        _fold(replay, codec, options.files, on_progress)
        totals, table = replay.totals, replay.table
        newest_ms = replay.tally.newest_ms
        month = replace(month, as_of_ms=min(month.as_of_ms, max(newest_ms, month.period.start_ms)))
    else:
        totals = RowTotals(catalogue, MsgspecStateCodec())
        closed = _closed(catalogue, totals, month)
        kept = None
        if all(is_told_afterwards(kpi, each) for kpi in strategy.kpis for each in kpi.windows):
            replay.apply_row = closed.apply_row
            _fold(replay, codec, options.files, on_progress)
        else:
            # What has no past is read at the month's end, before anything that was recorded later.
            plain = replay.totals

            def both(partition: int, key: bytes, value: bytes | None) -> None:
                plain.apply_row(partition, key, value)
                closed.apply_row(partition, key, value)

            replay.apply_row = both
            _fold(replay, codec, options.files, on_progress, until_ms=month.as_of_ms)
            kept = replay.table.readings(month.as_of_ms)
            replay.apply_row = closed.apply_row
            _fold(replay, codec, options.files, on_progress, after_ms=month.as_of_ms)
        table = ClosedTotals(catalogue, ReadingTable(catalogue, totals), kept)
    tally = replay.tally
    if tally.newest_ms < 0:
        names = ", ".join(map(str, options.files))
        reasons = ", ".join(f"{count} {reason}" for reason, count in tally.rejected.items())
        msg = f"{names}: no event was accepted ({reasons or 'nothing is there'})"
        raise InputError(msg)
    feed = Feed(
        Source.EVENTS,
        tally.newest_ms,
        dict(tally.outcomes),
        {str(reason): count for reason, count in tally.rejected.items()},
        tuple(path.name for path in options.files),
    )
    return _reviewed(Reviewer(catalogue, totals), table, (options, month, feed), on_progress)


def _fold(
    replay: Replay,
    codec: EventCodec,
    files: Sequence[Path],
    on_progress: Progress,
    *,
    until_ms: int | None = None,
    after_ms: int | None = None,
) -> None:
    """Count the events of files, all of them or those recorded until or after an instant."""
    tally = replay.tally
    for event in _events(replay, codec, files, on_progress, counted=after_ms is not None):
        recorded_ms = event.fact.recorded_ms
        if until_ms is not None and recorded_ms > until_ms:
            continue
        if after_ms is not None and recorded_ms <= after_ms:
            continue
        try:
            replay.apply(event)
        except EventRejected as rejected:
            tally.rejected[rejected.reason] += 1
    replay.drain()


def _events(
    replay: Replay,
    codec: EventCodec,
    files: Sequence[Path],
    on_progress: Progress,
    *,
    counted: bool,
) -> Iterator[Event]:
    """Yield the accepted events; the others are in the tally, once."""
    received_ms = now_ms()
    for path in files:
        for number, line in numbered_lines(path):
            if number % _TELL_EVERY == 0:
                on_progress(f"reading {path.name}", number, None)
            try:
                yield codec.decode_value(line, received_ms)
            except EventRejected as rejected:
                if not counted:
                    replay.tally.rejected[rejected.reason] += 1


def _closed(catalogue: Catalogue, totals: RowTotals, month: Month) -> ClosedDays:
    return ClosedDays(totals.apply_row, catalogue.days, month.period.span.days[1])


def _from_rows(
    catalogue: Catalogue,
    settings: Settings,
    wanted: tuple[ReviewOptions, Month],
    on_progress: Progress,
) -> Review:
    options, month = wanted
    epoch = find_epoch(settings)
    settings = epoch.settings
    names = topics(settings)
    reads = {names.rows: ("Read",), names.events: ("Describe",), **epoch.reads}
    require(settings, Access(reads))
    totals = RowTotals(catalogue, MsgspecStateCodec())
    readings = ReadingTable(catalogue, totals)
    table: Totals = ClosedTotals(catalogue, readings) if month.over else readings
    take = _closed(catalogue, totals, month).apply_row if month.over else totals.apply_row
    taken = 0

    def apply_row(partition: int, key: bytes, value: bytes | None) -> None:
        nonlocal taken
        take(partition, key, value)
        taken += 1
        if taken % _TELL_EVERY == 0:
            on_progress("reading rows", taken, None)

    with advising(settings):
        fresh = asyncio.run(_load(catalogue, settings, apply_row))
    if not month.over:
        as_of_ms = fresh.as_of_ms if fresh.as_of_ms is not None else month.period.start_ms
        month = replace(month, as_of_ms=min(month.as_of_ms, max(as_of_ms, month.period.start_ms)))
    feed = Feed(Source.ROWS, fresh.watermark_ms, {}, {}, waiting=fresh.lag)
    return _reviewed(Reviewer(catalogue, totals), table, (options, month, feed), on_progress)


async def _load(
    catalogue: Catalogue, settings: Settings, apply_row: Callable[[int, bytes, bytes | None], None]
) -> Freshness:
    """Read every row up to the present and return how new they are."""
    broker, names = broker_options(settings), topics(settings)
    exact = settings.processing_guarantee is Guarantee.EXACTLY_ONCE
    feed = RowFeed(broker, names, apply_row, now_ms=now_ms, certain_ends=exact)
    ends = SourceEnds(broker, names)
    try:
        await feed.load()
        await ends.start()
        progress = feed.progress(await ends.ask(feed.partitions))
    finally:
        await feed.close()
        await ends.close()
    counted_by = feed.fingerprint
    if feed.misfit is not None or counted_by not in (None, catalogue.fingerprint):
        msg = (
            f"{names.rows} was counted by other definitions than this strategy's; "
            "name the one that the workers use with --strategy"
        )
        raise InputError(msg)
    return AsOfClock().advance(progress, now_ms())


def _reviewed(
    reviewer: Reviewer,
    table: Totals,
    wanted: tuple[ReviewOptions, Month, Feed],
    on_progress: Progress,
) -> Review:
    options, month, feed = wanted
    if not reviewer.anything(month, options.office):
        whose = "" if options.office is None else f" of office {options.office}"
        newest = "none" if feed.newest_ms is None else utc_text(feed.newest_ms)
        msg = f"nothing{whose} was counted in {month.name}; the newest recording is of {newest}"
        raise InputError(msg)
    evaluation = Scorecard(reviewer.strategy, table, damping=UNDAMPED).evaluate(month.as_of_ms)
    return reviewer.review(
        evaluation,
        month,
        feed,
        office=options.office,
        on_progress=lambda done, every: on_progress("explaining", done, every),
    )
