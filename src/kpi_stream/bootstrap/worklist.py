"""The worklists, read from their topic for one command."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from kpi_stream.adapters.kafka.access import Access
from kpi_stream.adapters.kafka.epochs import positions
from kpi_stream.adapters.kafka.position import Position
from kpi_stream.adapters.kafka.scorecard.worklist_feed import WorklistFeed
from kpi_stream.adapters.web.api.worklist import Filter, WorklistAnswer, worklist_answer
from kpi_stream.application.as_of import AsOfClock, PartitionProgress
from kpi_stream.application.ports import Guarantee
from kpi_stream.bootstrap.broker import advising, require
from kpi_stream.bootstrap.common import broker_options, now_ms, topics
from kpi_stream.bootstrap.epochs import find_epoch
from kpi_stream.domain.errors import InputError
from kpi_stream.domain.strategy import Strategy
from kpi_stream.settings import Settings

_READ = ("Read",)


@dataclass(frozen=True, slots=True)
class Found:
    """What the workers have listed."""

    answer: WorklistAnswer
    """As the scorecard's API says it."""
    as_of_ms: int
    newest_ms: int
    """The newest recording that was counted."""


def read_worklists(
    settings: Settings, strategy: Strategy, office: str | None, wanted: Filter
) -> Found:
    """Return who is late, or close to it, as far as the events were counted.

    Raises:
        InputError: A topic is missing, or not allowed; nothing was counted yet.
        StateError: A position record is damaged.
        Unavailable: No broker answers.
    """
    epoch = find_epoch(settings)
    settings = epoch.settings
    names = topics(settings)
    require(settings, Access({names.rows: _READ, names.worklist: _READ, **epoch.reads}))
    broker = broker_options(settings)
    exact = settings.processing_guarantee is Guarantee.EXACTLY_ONCE
    feed = WorklistFeed(broker, names, certain_ends=exact)

    async def read() -> Mapping[int, Position]:
        await feed.load()
        return await positions(broker, names)

    with advising(settings):
        progress = [_progress(*each) for each in asyncio.run(read()).items()]
    fresh = AsOfClock().advance(progress, now_ms())
    if fresh.as_of_ms is None or fresh.watermark_ms is None:
        msg = "no event was counted yet; is a worker running?"
        raise InputError(msg)
    answer = worklist_answer(strategy, feed.of(office), fresh.as_of_ms, office, wanted)
    return Found(answer, fresh.as_of_ms, fresh.watermark_ms)


def _progress(partition: int, position: Position) -> PartitionProgress:
    watermark = position.meta.get("watermark_ms")
    known = isinstance(watermark, int) and watermark >= 0
    return PartitionProgress(
        partition,
        position.applied,
        int(str(watermark)) if known else None,
        position.end,
        position.flushed_ms,
    )
