"""Two epochs on real brokers: which one serves, and whose an event's dead letter is."""

import asyncio
from dataclasses import replace
from functools import partial

import pytest

from kpi_stream.adapters.kafka.epochs import EpochLog, Predecessor, Serving, positions, record
from kpi_stream.adapters.kafka.store import Handover
from kpi_stream.adapters.kafka.topics import Layout, topic_facts, topics_init
from kpi_stream.adapters.kafka.writer import OrderedWriter, TransactionalWriter, Writer
from kpi_stream.application.ports import BrokerOptions, Fenced, Guarantee
from tests.support.stores import Rig, Source, events, fed, filled
from tests.support.streams import records_of

SECOND = Serving(2, 1, 1, "other definitions", 1_000)


def bad(offset: int) -> Source:
    """A record that must be rejected."""
    return Source(offset, b"s", b"{")


def writer_of(rig: Rig) -> Writer:
    """What the record is written by."""
    kind = TransactionalWriter if rig.guarantee is Guarantee.EXACTLY_ONCE else OrderedWriter
    name = f"{rig.topics.epochs}-rebuild" if kind is TransactionalWriter else None
    return kind(BrokerOptions((rig.brokers,)), 0, transactional_id=name, compression=None)


def test_the_record_is_read_and_followed(rig: Rig) -> None:
    """Without one the first epoch serves; a switch is noticed by whoever waits for it."""

    async def scenario() -> None:
        log = EpochLog(
            BrokerOptions((rig.brokers,)),
            rig.topics,
            certain_ends=rig.guarantee is Guarantee.EXACTLY_ONCE,
        )
        assert await log.serving() == Serving()
        waiting = asyncio.create_task(log.changed(Serving()))
        writer = writer_of(rig)
        await writer.start()
        await record(writer, rig.topics, SECOND)
        async with asyncio.timeout(60):
            assert await waiting == SECOND
            assert await log.serving() == SECOND
            # Who begins later, but with what was read before, notices as well.
            assert await log.changed(Serving()) == SECOND
        waiting = asyncio.create_task(log.changed(SECOND))
        third = replace(SECOND, epoch=3, previous=2, switch=2)
        await record(writer, rig.topics, third)
        async with asyncio.timeout(60):
            assert await waiting == third
        await writer.stop()

    rig.run(scenario())


def test_the_newest_position_is_found_from_the_end(rig: Rig) -> None:
    """Behind any number of other records, and where there is none."""

    async def scenario() -> None:
        broker = BrokerOptions((rig.brokers,))
        assert await positions(broker, rig.topics) == {}
        await filled(rig)
        store = await rig.open()
        for last in range(50):
            fed(store, events(last, last))
            await store.flush()
        found = await positions(broker, rig.topics)
        assert found == {0: await rig.position(rig.topics.rows)}
        assert found[0].applied == 49

    rig.run(scenario())


def test_each_dead_letter_is_of_the_epoch_that_served(rig: Rig) -> None:
    """The old one's store may still be open: it is fenced, and what it had is not written twice."""

    async def scenario() -> None:
        broker, exact = BrokerOptions((rig.brokers,)), rig.guarantee is Guarantee.EXACTLY_ONCE
        second = rig.topics.with_epoch("2")
        await asyncio.to_thread(topics_init, broker, second, Layout(partitions=1))
        await filled(rig)
        old = await rig.open()
        fed(old, [*events(0, 0), bad(1), *events(2, 2), bad(3), *events(4, 4)])
        await old.flush()

        async def topic_id() -> str | None:
            facts = await asyncio.to_thread(topic_facts, broker, [rig.topics.events])
            return facts[rig.topics.events].topic_id

        predecessor = Predecessor(broker, rig.topics, rig.topics.events, topic_id, exact)
        other = Rig(rig.brokers, second, rig.guarantee)
        open_new = partial(
            other.open,
            application=f"{rig.topics.events}.2",
            handover=Handover(1, predecessor.judged),
        )
        new = await open_new()
        if exact:
            fed(old, events(5, 5))
            with pytest.raises(Fenced):
                await old.flush()
        # Behind the old one, up to it, and beyond it; with a restart in between.
        fed(new, [*events(0, 0), bad(1)])
        await new.close(5)
        assert (await positions(broker, second))[0].switch == 0
        new = await open_new()
        fed(new, [*events(2, 2), bad(3), *events(4, 4), bad(5)])
        await new.close(5)
        assert (await positions(broker, second))[0].switch == 1
        new = await open_new()
        fed(new, [bad(6), *events(7, 7)])
        await new.close(5)
        letters = await records_of(rig.brokers, rig.topics.dead_letters)
        assert len(letters) == 4

    rig.run(scenario())


def test_removed_topics_have_judged_nothing(rig: Rig) -> None:
    """The epoch before was removed; what comes now it has not seen."""

    async def nobody() -> str | None:
        raise AssertionError

    async def scenario() -> None:
        exact = rig.guarantee is Guarantee.EXACTLY_ONCE
        gone = rig.topics.with_epoch("9")
        predecessor = Predecessor(
            BrokerOptions((rig.brokers,)), gone, rig.topics.events, nobody, exact
        )
        assert await predecessor.judged(0) == -1

    rig.run(scenario())
