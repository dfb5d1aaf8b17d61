"""A partition's store on a broker, for the tests that open, break and close one."""

import asyncio
import json
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from kpi_stream.adapters.kafka.position import Position
from kpi_stream.adapters.kafka.store import PartitionStore, StoreOptions
from kpi_stream.application.ports import POSITION_KEY, Guarantee, Topics
from tests.support.counting import Counts, encode, store_options
from tests.support.streams import records_of, send, table_of

ROW = b"release.granted"


@dataclass
class Source:
    """A record as it would be fetched."""

    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int = 1_000
    headers: list[tuple[str, bytes]] = field(default_factory=list)


@dataclass
class Rig:
    """A broker, topics of its own, and the guarantee that the broker can keep."""

    brokers: str
    topics: Topics
    guarantee: Guarantee
    metrics: Counts = field(default_factory=Counts)
    opened: list[PartitionStore] = field(default_factory=list)

    def options(self, **changes: Any) -> StoreOptions:
        """Options of a store on the rig."""
        changes = {"guarantee": self.guarantee, **changes}
        return store_options(self.brokers, self.topics, self.metrics, **changes)

    async def open(self, **changes: Any) -> PartitionStore:
        """Open the store of partition 0; the rig closes it in the end."""
        store = await PartitionStore.open(self.options(**changes), 0)
        self.opened.append(store)
        return store

    def run(self, scenario: Coroutine[Any, Any, None]) -> None:
        """Run a test's coroutine and close what it opened."""

        async def main() -> None:
            try:
                await scenario
            finally:
                for store in self.opened:
                    await store.close(None)

        asyncio.run(main())

    async def row(self) -> tuple[int, int, int]:
        """Events, subjects and the sum of numbers, as committed."""
        table = await table_of(self.brokers, self.topics.rows)
        events, subjects, total = json.loads(table.get((0, ROW), b"[0, 0, 0]"))
        return events, subjects, total

    async def position(self, topic: str) -> Position:
        """The newest position record of a topic; it must be the last record."""
        last = (await records_of(self.brokers, topic))[-1]
        assert last.key == POSITION_KEY
        return Position.from_bytes(last.value, topic)


def events(first: int, last: int) -> list[Source]:
    """Events with rising offsets; every third of one subject."""
    return [Source(n, *encode(f"s{n % 3}", n)) for n in range(first, last + 1)]


def fed(store: PartitionStore, records: list[Source]) -> None:
    """Process records as one batch."""
    store.process(records, records[-1].offset + 1, records[-1].offset + 1)


async def filled(rig: Rig, count: int = 100) -> None:
    """Write so many source records, since a store looks for the last applied one."""
    await send(rig.brokers, rig.topics.events, [encode("s", n) for n in range(count)])
