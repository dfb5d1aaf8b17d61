"""What the stores of a worker and those of a rebuild have in common, from the settings."""

import asyncio
from collections.abc import Callable, Mapping

from kpi_stream.adapters.clock import Clock
from kpi_stream.adapters.kafka.dead_letters import RejectLimit
from kpi_stream.adapters.kafka.store import Handover, StoreOptions
from kpi_stream.adapters.kafka.topics import TopicFacts, topic_facts
from kpi_stream.adapters.state_codec import MsgspecStateCodec
from kpi_stream.application.fold import PartitionFold
from kpi_stream.application.ports import WorkerMetrics
from kpi_stream.bootstrap.common import (
    application,
    broker_options,
    event_codec,
    retention,
    topics,
)
from kpi_stream.domain.catalogue import Catalogue
from kpi_stream.domain.strategy import Strategy
from kpi_stream.settings import Settings


def store_options(
    settings: Settings,
    strategy: Strategy,
    metrics: WorkerMetrics,
    *,
    handover: Handover | None = None,
    reading: Callable[[int], None] = lambda _: None,
) -> StoreOptions:
    """Return how the stores of the epoch in the settings are opened and written.

    Args:
        settings: With the epoch.
        strategy: What is counted.
        metrics: Where it is counted what was done.
        handover: From the epoch that served before; None for none.
        reading: Told of each piece of a state that was read.
    """
    catalogue, codec, names = Catalogue(strategy), MsgspecStateCodec(), topics(settings)
    broker = broker_options(settings)

    async def facts() -> Mapping[str, TopicFacts]:
        return await asyncio.to_thread(topic_facts, broker, (names.events, *names.state))

    return StoreOptions(
        broker=broker,
        topics=names,
        application=application(settings),
        fold_factory=lambda _: PartitionFold(catalogue, codec, retention(settings)),
        decode=event_codec(settings, strategy).decode,
        metrics=metrics,
        clock_ms=Clock().now_ms,
        topic_facts=facts,
        guarantee=settings.processing_guarantee,
        reject_limit=RejectLimit(settings.dead_letter_limit, settings.dead_letter_window),
        compression=settings.compression,
        reading=reading,
        handover=handover,
    )
