"""Whether a run counted exactly: its committed rows against a fold of the same log without Kafka.

The offline fold reads the log back from the broker, partition by partition, and shares the core
with the worker but nothing of its Kafka side: transport, store, transactions. That the core itself
counts rightly is for the tests to show (tests/golden).
"""

import asyncio
import os
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from typing import Protocol

import msgspec

from kpi_stream.adapters.kafka.reader import Record, TopicReader, reading
from kpi_stream.adapters.state_codec import MsgspecStateCodec
from kpi_stream.application.fold import PartitionFold
from kpi_stream.application.ports import POSITION_KEY, BrokerOptions, Topics
from kpi_stream.application.replay import DRAIN_EVERY
from kpi_stream.bootstrap.collection import collect_seldom
from kpi_stream.bootstrap.common import event_codec, retention
from kpi_stream.domain.catalogue import Catalogue
from kpi_stream.domain.errors import EventRejected
from kpi_stream.domain.strategy import Strategy
from kpi_stream.settings import Settings

_EMPTY = b"{}"
"""A row whose counters were all retracted; whether it is written at all depends on the flushes."""


class Site(Protocol):
    """Where a log and rows are, such as a `Cluster`."""

    @property
    def broker(self) -> BrokerOptions:
        """How to reach it."""
        ...


@dataclass(slots=True)
class Counted:
    """What a log comes to."""

    rows: dict[tuple[int, bytes], bytes] = field(default_factory=dict)
    """Counters by partition and key; without tombstones and emptied rows."""
    outcomes: Counter[str] = field(default_factory=Counter)
    """Events by what became of them."""

    @property
    def sum(self) -> int:
        """Everything that was counted, added up: counts, milliseconds and cents together."""
        decode = msgspec.json.Decoder(dict[str, int]).decode
        return sum(sum(decode(value).values()) for value in self.rows.values())

    def differences(self, other: "Counted") -> int:
        """Return in how many rows the two differ."""
        keys = self.rows.keys() | other.rows.keys()
        return sum(1 for key in keys if self.rows.get(key) != other.rows.get(key))


def offline(site: Site, strategy: Strategy, settings: Settings | None = None) -> Counted:
    """Fold the log of the events topic without a worker; by default with its default settings.

    A process folds a partition at a time, on each core one.
    """
    partitions = asyncio.run(_partitions(site.broker))
    fold = partial(_folded, site.broker, strategy, settings or Settings())
    counted = Counted()
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as processes:
        for each in processes.map(fold, partitions):
            counted.rows |= each.rows
            counted.outcomes += each.outcomes
    return counted


def committed(site: Site, topics: Topics) -> Counted:
    """Read what a worker has committed (`read_committed`)."""
    return asyncio.run(_committed(site.broker, topics))


async def _partitions(broker: BrokerOptions) -> list[int]:
    async with reading(TopicReader(broker, Topics().events)) as reader:
        return reader.partitions


def _folded(
    broker: BrokerOptions, strategy: Strategy, settings: Settings, partition: int
) -> Counted:
    """Fold one partition, with a worker's own patience for garbage.

    Without that the millions of objects that are alive are gone through over and over: an hour's
    log took three times as long.
    """
    collect_seldom()
    return asyncio.run(_fold(broker, strategy, settings, partition))


async def _fold(
    broker: BrokerOptions, strategy: Strategy, settings: Settings, partition: int
) -> Counted:
    folding = PartitionFold(Catalogue(strategy), MsgspecStateCodec(), retention(settings))
    decode = event_codec(settings, strategy).decode
    counted, waiting = Counted(), 0

    def drain() -> None:
        nonlocal waiting
        waiting = 0
        for key, value in folding.drain().rows:
            _keep(counted, partition, key, value)

    def fold(records: list[Record]) -> None:
        nonlocal waiting
        for record in records:
            try:
                event = decode(record.key, record.value, record.timestamp_ms)
                counted.outcomes[folding.apply(event)] += 1
            except EventRejected:
                counted.outcomes["rejected"] += 1
            waiting += 1
            if waiting >= DRAIN_EVERY:
                drain()

    async with reading(TopicReader(broker, Topics().events, [partition])) as reader:
        await reader.read_to_end(fold)
    drain()
    return counted


async def _committed(broker: BrokerOptions, topics: Topics) -> Counted:
    counted = Counted()

    def keep(records: list[Record]) -> None:
        for record in records:
            if record.key is not None and record.key != POSITION_KEY:
                _keep(counted, record.partition, record.key, record.value)

    async with reading(TopicReader(broker, topics.rows)) as reader:
        await reader.read_to_end(keep)
    return counted


def _keep(counted: Counted, partition: int, key: bytes, value: bytes | None) -> None:
    if value is None or value == _EMPTY:
        counted.rows.pop((partition, key), None)
    else:
        counted.rows[partition, key] = value
