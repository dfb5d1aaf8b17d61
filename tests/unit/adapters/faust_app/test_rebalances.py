"""Partitions that a rebalance takes, gives back, or gives to another worker."""

import asyncio
from asyncio import Task

import pytest

from kpi_stream.adapters.faust_app.partitions import FlushOptions, Partitions
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


async def taken_while_it(doing: str, log: Log, owned: Partitions) -> Task[None]:
    """Begin to open a partition or to go on with it, and take it in the middle of that."""
    if doing == "comes back":
        await owned.feed(0, batch(10, 14), lambda: None)
        await owned.revoke([0])
        await owned.assigned([0])
    log.gate = asyncio.Event()
    feeding = asyncio.create_task(owned.feed(0, batch(log.applied + 1, 19), lambda: None))
    await settled()
    await owned.revoke([0])
    return feeding


@pytest.mark.parametrize("late", [True, False], ids=["assigned before", "assigned after"])
@pytest.mark.parametrize("doing", ["is opened", "comes back"])
def test_a_partition_taken_while_it_is_opened_or_comes_back(doing: str, *, late: bool) -> None:
    """It is kept until it is known where it goes, whichever of the two is first."""

    async def scenario(*, stays: bool) -> None:
        log = Log(applied=9)
        owned = partitions(log, options=LATER)
        feeding = await taken_while_it(doing, log, owned)
        assert log.gate is not None
        if late:
            await owned.assigned([0] if stays else [1])
        log.gate.set()
        await feeding
        (store,) = log.stores
        assert (owned.numbers, store.processed) == ([], [*range(10, log.applied + 1)])
        if not late:
            assert store.closed == "open"
            await owned.assigned([0] if stays else [1])
        assert store.closed == ("open" if stays else None)
        if stays:
            await owned.feed(0, batch(log.applied + 1, 19), lambda: None)
            assert (log.opened, store.processed) == (1, [*range(10, 20)])

    run(scenario(stays=True))
    run(scenario(stays=False))


@pytest.mark.parametrize("doing", ["is opened", "comes back"])
def test_the_end_closes_what_was_taken_while_it_was_opened_or_came_back(doing: str) -> None:
    """Nobody asks for it any more, also when the group still gives it to this worker."""

    async def scenario() -> None:
        log = Log(applied=9)
        owned = partitions(log, options=LATER)
        feeding = await taken_while_it(doing, log, owned)
        await owned.close(flush=True)
        await owned.assigned([0])
        assert log.gate is not None
        log.gate.set()
        await feeding
        assert [store.closed for store in log.stores] == [None]

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
