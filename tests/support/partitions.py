# ruff: noqa: ARG002, D101, D102, D103  (the fakes are what the documented protocols say)
"""A store, a log and a source that do as a test tells them, for the partitions of a worker."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from kpi_stream.adapters.faust_app.liveness import Liveness
from kpi_stream.adapters.faust_app.partitions import FlushOptions, Partitions
from kpi_stream.adapters.faust_app.transport import Batch
from tests.support.counting import Counts


@dataclass
class Record:
    offset: int


def batch(first: int, last: int, *, rewinds: int = 0, position: int | None = None) -> Batch:
    """Records of every offset from `first` to `last`."""
    records = [Record(offset) for offset in range(first, last + 1)]
    return Batch(records, position or last + 1, last + 1, rewinds)


class Log:
    """What is durable, over all stores of a test."""

    def __init__(self, applied: int = -1) -> None:
        self.applied = applied
        self.opened = 0
        self.fresh = applied < 0
        self.failures: list[Exception] = []
        self.closed_doors: list[Exception] = []
        self.stores: list[FakeStore] = []
        self.gate: asyncio.Event | None = None
        self.stuck: asyncio.Event | None = None
        self.transactional = True
        self.taken: list[Exception] = []
        """Why a suspended store cannot go on."""

    async def open(self, number: int) -> "FakeStore":
        if self.gate is not None:
            await self.gate.wait()
        if self.closed_doors:
            raise self.closed_doors.pop(0)
        self.opened += 1
        self.stores.append(FakeStore(self))
        return self.stores[-1]


class FakeStore:
    def __init__(self, log: Log) -> None:
        self.log = log
        self.applied = self.committed = log.applied
        self.fresh = log.fresh
        self.pending = 0
        self.processed: list[int] = []
        self.closed: float | str | None = "open"
        self.resumed = 0

    def process(self, records: Sequence[Record], end: int, position: int | None) -> None:
        new = [record.offset for record in records if record.offset > self.applied]
        self.processed += new
        self.pending += len(new)
        self.applied = max(self.applied, records[-1].offset)

    async def flush(self) -> None:
        applied, self.pending = self.applied, 0
        await asyncio.sleep(0)
        if self.log.stuck is not None:
            await self.log.stuck.wait()
        if self.log.failures:
            raise self.log.failures.pop(0)
        self.committed = self.log.applied = applied

    def report(self, end: int | None = None) -> None:
        pass

    async def suspend(self, flush_within_s: float) -> bool:
        await self.flush()
        return self.log.transactional

    async def resume(self) -> None:
        if self.log.gate is not None:
            await self.log.gate.wait()
        if self.log.taken:
            raise self.log.taken.pop(0)
        self.resumed += 1

    async def close(self, flush_within_s: float | None) -> None:
        self.closed = flush_within_s
        if flush_within_s is not None:
            await self.flush()


class FakeSource:
    def __init__(self, *, earliest: int = 0, committed: int | None = 7) -> None:
        self.first = earliest
        self.group = committed
        self.rewound: list[int] = []
        self.fetches: int | None = None

    async def rewind(self, partition: int, offset: int) -> int:
        self.rewound.append(offset)
        return len(self.rewound)

    async def earliest(self, partition: int) -> int:
        return self.first

    async def committed(self, partition: int) -> int | None:
        return self.group

    def end(self, partition: int) -> int | None:
        return None

    def answered(self, partition: int) -> int | None:
        return self.fetches


AT_ONCE = FlushOptions(interval_s=0.0, retry_s=0.0, fenced_s=0.0, attempts=2)
LATER = FlushOptions(interval_s=3600.0)


def partitions(
    log: Log,
    source: FakeSource | None = None,
    options: FlushOptions = AT_ONCE,
    now_s: Callable[[], float] = lambda: 0.0,
    liveness: Liveness | None = None,
) -> Partitions:
    signs = liveness or Liveness(now_s, 60.0)
    return Partitions(log.open, source or FakeSource(), Counts(), options, now_s, signs)


async def settled() -> None:
    """Let every task that can run do so."""
    for _ in range(10):
        await asyncio.sleep(0)


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scenario)
