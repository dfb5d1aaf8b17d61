"""Partitions that a rebalance takes, gives back, or gives to another worker."""

import asyncio

import pytest

from kpi_stream.adapters.faust_app.partitions import FlushOptions
from kpi_stream.application.ports import Fenced
from kpi_stream.domain.errors import Unavailable
from tests.support.partitions import LATER, Log, batch, partitions, run, settled


def test_a_partition_that_is_revoked_while_kafka_is_away_is_let_go() -> None:
    """Whoever owns it now opens it; this worker asks no more."""

    async def scenario() -> None:
        log = Log(applied=9)
        log.closed_doors = [Unavailable("broker away")] * 3
        owned = partitions(log, options=FlushOptions(retry_s=0.05))
        feeding = asyncio.create_task(owned.feed(0, batch(10, 14), lambda: None))
        await settled()
        await owned.revoke([0])
        await feeding
        assert (log.opened, len(log.closed_doors), owned.numbers) == (0, 2, [])

    run(scenario())


def test_a_zombie_that_is_fenced_lets_the_partition_go() -> None:
    """The rebalance that comes with it leaves the partition to its new owner."""

    async def scenario() -> None:
        log = Log(applied=9)
        log.failures = [Fenced("taken")]
        owned = partitions(log, options=FlushOptions(interval_s=0.0, fenced_s=0.05))
        await owned.feed(0, batch(10, 14), lambda: None)
        await settled()
        ticking = asyncio.create_task(owned.tick())
        await settled()
        await owned.revoke([0])
        await ticking
        assert (log.opened, owned.numbers) == (1, [])

    run(scenario())


def test_a_revoked_partition_is_flushed_and_closed() -> None:
    """Its new owner then has nothing to read again."""

    async def scenario() -> None:
        log = Log(applied=9)
        owned = partitions(log, options=LATER)
        await owned.feed(0, batch(10, 14), lambda: None)
        await owned.revoke([0, 1])
        assert (log.applied, owned.numbers) == (14, [])
        await owned.assigned([1])
        assert log.stores[0].closed is None

    run(scenario())


def test_a_partition_revoked_while_it_is_opened_is_not_kept() -> None:
    """Otherwise two workers would hold it."""

    async def scenario() -> None:
        log = Log(applied=9)
        log.gate = asyncio.Event()
        owned = partitions(log, options=LATER)
        feeding = asyncio.create_task(owned.feed(0, batch(10, 14), lambda: None))
        await asyncio.sleep(0)
        await owned.revoke([0])
        log.gate.set()
        await feeding
        assert owned.numbers == []
        assert log.stores[0].closed is None
        assert log.stores[0].processed == []

    run(scenario())


def test_a_partition_that_comes_back_is_not_read_again() -> None:
    """A rebalance takes all partitions and gives most of them back."""

    async def scenario() -> None:
        log, acknowledged = Log(applied=9), list[int]()
        owned = partitions(log, options=LATER)
        for first in (10, 15, 20):
            await owned.feed(
                0, batch(first, first + 4), lambda last=first + 4: acknowledged.append(last)
            )
            await owned.revoke([0])
            await owned.assigned([0, 1])
        (store,) = log.stores
        assert (store.processed, store.resumed) == ([*range(10, 25)], 2)
        assert (log.applied, acknowledged, store.closed) == (24, [14, 19, 24], "open")

    run(scenario())


def test_what_was_in_other_hands_meanwhile_is_read_again() -> None:
    """What this worker has in memory is not what is stored any more."""

    async def scenario() -> None:
        log = Log(applied=9)
        owned = partitions(log, options=LATER)
        await owned.feed(0, batch(10, 14), lambda: None)
        await owned.revoke([0])
        await owned.assigned([1])  # another worker counts on
        await owned.revoke([1])
        log.applied = 19
        await owned.assigned([0])
        await owned.feed(0, batch(15, 24), lambda: None)
        assert [store.closed for store in log.stores] == [None, "open"]
        assert log.stores[1].processed == [*range(20, 25)]
        # Two rebalances of which this worker saw one: only Kafka knows.
        await owned.revoke([0])
        log.applied, log.taken = 29, [Fenced("taken")]
        await owned.assigned([0])
        await owned.feed(0, batch(25, 34), lambda: None)
        assert [store.closed for store in log.stores] == [None, None, "open"]
        assert log.stores[2].processed == [*range(30, 35)]

    run(scenario())


@pytest.mark.parametrize("why", ["not flushed", "without transactions"])
def test_what_cannot_go_on_is_closed(why: str) -> None:
    """Without transactions nothing tells whether another worker had the partition."""

    async def scenario() -> None:
        log = Log(applied=9)
        log.transactional = why != "without transactions"
        log.failures = [Unavailable("broker away")] if why == "not flushed" else []
        owned = partitions(log, options=LATER)
        await owned.feed(0, batch(10, 14), lambda: None)
        await owned.revoke([0])
        assert log.stores[0].closed is None
        await owned.assigned([0])
        await owned.feed(0, batch(log.applied + 1, 19), lambda: None)
        assert log.opened == 2

    run(scenario())


def test_a_partition_revoked_while_it_comes_back_is_not_kept() -> None:
    """Otherwise two workers would hold it."""

    async def scenario() -> None:
        log = Log(applied=9)
        owned = partitions(log, options=LATER)
        await owned.feed(0, batch(10, 14), lambda: None)
        await owned.revoke([0])
        await owned.assigned([0])
        log.gate = asyncio.Event()
        feeding = asyncio.create_task(owned.feed(0, batch(15, 19), lambda: None))
        await asyncio.sleep(0)
        await owned.revoke([0])
        log.gate.set()
        await feeding
        assert (owned.numbers, log.opened) == ([], 1)
        assert log.stores[0].closed is None
        assert log.stores[0].processed == [*range(10, 15)]

    run(scenario())


def test_the_end_lets_go_of_what_is_kept() -> None:
    """Between a rebalance's two halves, and in the middle of the first."""

    async def scenario() -> None:
        log = Log(applied=9)
        owned = partitions(log, options=LATER)
        await owned.feed(0, batch(10, 14), lambda: None)
        await owned.revoke([0])
        await owned.close(flush=True)
        assert log.stores[0].closed is None
        owned = partitions(log, options=LATER)
        await owned.feed(0, batch(15, 19), lambda: None)
        leaving = asyncio.create_task(owned.revoke([0]))
        await asyncio.sleep(0)
        await owned.close(flush=True)
        await leaving
        assert log.stores[1].closed is None

    run(scenario())
