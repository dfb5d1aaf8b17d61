"""The dead letters: looked at, and sent back."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import nullcontext
from pathlib import Path
from typing import Any, TypeVar

from kpi_stream.adapters.kafka.access import Access
from kpi_stream.adapters.kafka.dead_letter_fixes import FixFile
from kpi_stream.adapters.kafka.dead_letter_listing import Listing, OnLetter, listing, show
from kpi_stream.adapters.kafka.dead_letter_log import DeadLetterReader
from kpi_stream.adapters.kafka.reader import reading
from kpi_stream.adapters.kafka.redrive import (
    NoFixes,
    OnProgress,
    RedriveOptions,
    RedriveReport,
    Selection,
    reader_of,
    redrive,
    transactional_id,
)
from kpi_stream.adapters.strategy_files import load_strategy
from kpi_stream.application.ports import Guarantee, Topics
from kpi_stream.bootstrap.broker import require
from kpi_stream.bootstrap.common import (
    broker_options,
    event_codec,
    now_ms,
    strategy_path,
    topics,
)
from kpi_stream.domain.events import Event
from kpi_stream.settings import Settings

T = TypeVar("T")
_READS = ("Read",)
_WRITES = ("Write",)


def list_letters(settings: Settings, selection: Selection, limit: int) -> Listing:
    """Return what the dead letters are, by reason and partition.

    Raises:
        InputError: A topic or a partition is missing.
        Unavailable: No broker answers.
    """
    return _with_reader(settings, selection, lambda reader: listing(reader, selection, limit))


def show_letters(
    settings: Settings, selection: Selection, limit: int | None, on_letter: OnLetter
) -> int:
    """Hand over the selected letters; return how many there were.

    Raises:
        InputError: A topic or a partition is missing.
        Unavailable: No broker answers.
    """
    return _with_reader(
        settings, selection, lambda reader: show(reader, selection, limit, on_letter)
    )


def redrive_letters(
    settings: Settings,
    selection: Selection,
    on_progress: OnProgress,
    *,
    values: Path | None,
    **chosen: Any,  # noqa: ANN401 # fields of RedriveOptions
) -> RedriveReport:
    """Send the selected letters back to the events; with `values` alone, those that it fixes.

    Raises:
        InputError: A file, a topic or a setting is wrong, or another redrive runs.
        Unavailable: No broker answers.
    """
    codec = event_codec(settings, load_strategy(strategy_path(settings)))

    def check(key: bytes | None, value: bytes | None) -> Event:
        return codec.decode(key, value, now_ms())

    with FixFile(values) if values is not None else nullcontext(NoFixes()) as fixes:
        if isinstance(fixes, FixFile) and selection == Selection():
            selection = Selection(places=fixes.places)
        names = topics(settings)
        require(settings, _redrive_access(settings, names, dry_run=bool(chosen.get("dry_run"))))
        options = RedriveOptions(
            broker=broker_options(settings),
            topics=names,
            application=settings.app_id,
            guarantee=settings.processing_guarantee,
            selection=selection,
            check=check,
            fixes=fixes,
            **chosen,
        )
        return asyncio.run(redrive(options, on_progress))


def _redrive_access(settings: Settings, names: Topics, *, dry_run: bool) -> Access:
    if dry_run:
        return Access({names.events: ("Describe",), names.dead_letters: _READS})
    exact = settings.processing_guarantee is Guarantee.EXACTLY_ONCE
    return Access(
        {names.events: _WRITES, names.dead_letters: (*_READS, *_WRITES)},
        transactional_ids=[transactional_id(settings.app_id)] if exact else [],
    )


def _with_reader(
    settings: Settings,
    selection: Selection,
    work: Callable[[DeadLetterReader], Coroutine[Any, Any, T]],
) -> T:
    names = topics(settings)
    require(settings, Access({names.dead_letters: _READS}))
    broker = broker_options(settings)

    async def run() -> T:
        async with reading(
            reader_of(broker, names, settings.processing_guarantee, selection)
        ) as reader:
            return await work(reader)

    return asyncio.run(run())
