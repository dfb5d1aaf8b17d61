"""The store of a partition against real brokers: exact after a restart and after a crash."""

import asyncio
import gc
from typing import Any

import pytest

from kpi_stream.adapters.kafka import writer as writer_module
from kpi_stream.adapters.kafka.writer import OrderedWriter
from kpi_stream.application.ports import Fenced, Guarantee
from kpi_stream.domain.errors import InputError, Unavailable
from tests.support.counting import encode
from tests.support.stores import Rig, Source, events, fed, filled
from tests.support.streams import records_of, table_of


def test_state_comes_back_after_a_restart(rig: Rig) -> None:
    """Subjects, rows, watermark and position are those that were flushed."""

    async def scenario() -> None:
        await filled(rig)
        store = await rig.open()
        assert (store.fresh, store.applied) == (True, -1)
        fed(store, events(0, 9))
        await store.close(5)
        again = await rig.open()
        assert (again.fresh, again.applied, again.committed) == (False, 9, 9)
        assert rig.metrics.sizes == {0: (3, 1)}
        fed(again, events(5, 19))
        await again.close(5)
        assert await rig.row() == (20, 3, sum(range(20)))
        assert rig.metrics.skips == 5
        assert rig.metrics.watermark_ms[0] == 19
        for topic in (rig.topics.rows, rig.topics.declarations):
            position = await rig.position(topic)
            assert (position.applied, position.position) == (19, 20)
            # The embedded broker reports an end that is too low.
            assert position.end in (
                {100} if rig.guarantee is Guarantee.EXACTLY_ONCE else range(20, 101)
            )
            assert position.meta == {"watermark_ms": 19, "fingerprint": "counting-1"}
            assert position.topic_id
            assert position.flushed_ms == 1_700_000_000_000

    rig.run(scenario())


def test_what_was_not_flushed_is_not_there(rig: Rig) -> None:
    """A crash between flushes leaves the state of the last one."""

    async def scenario() -> None:
        await filled(rig)
        store = await rig.open()
        fed(store, events(0, 9))
        await store.flush()
        fed(store, events(10, 14))
        await store.close(None)
        assert await rig.row() == (10, 3, 45)
        assert (await rig.open()).applied == 9

    rig.run(scenario())


def test_rejected_events_are_dead_lettered_with_the_flush(rig: Rig) -> None:
    """Each with its reason and its origin, also one without a key; nothing is applied of them."""

    async def scenario() -> None:
        await filled(rig)
        store = await rig.open()
        bad = [
            Source(1, b"s", b"{", headers=[("trace", b"7")]),
            Source(2, None, b"[]"),
            Source(3, b"s", None),
        ]
        fed(store, [*events(0, 0), *bad, *events(4, 5)])
        assert await records_of(rig.brokers, rig.topics.dead_letters) == []
        await store.close(5)
        letters = await records_of(rig.brokers, rig.topics.dead_letters)
        assert [(each.key, each.value) for each in letters] == [
            (b"s", b"{"),
            (None, b"[]"),
            (b"s", None),
        ]
        assert rig.metrics.reasons.total() == 3
        assert (await rig.row())[0] == 3

    rig.run(scenario())


def test_many_and_large_records_make_several_batches(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full batch is sent and the next begun; a record larger than a batch has one of its own."""
    monkeypatch.setattr(writer_module, "BATCH_BYTES", 20_000)

    async def scenario() -> None:
        await filled(rig, 5_000)
        store = await rig.open()
        fed(store, [Source(n, *encode(f"subject-{n}", n)) for n in range(5_000)])
        large = Source(5_000, b"k" * 30_000, b"{")
        fed(store, [large])
        await store.close(5)
        subjects = await table_of(rig.brokers, rig.topics.declarations)
        assert len(subjects) == 5_000
        letters = await records_of(rig.brokers, rig.topics.dead_letters)
        assert letters[0].key == large.key

    rig.run(scenario())


@pytest.mark.parametrize("compression", ["gzip", "snappy", "lz4", "zstd"])
def test_state_may_be_compressed(exact: Rig, compression: str) -> None:
    """All four codecs write and read."""

    async def scenario() -> None:
        await filled(exact)
        store = await exact.open(compression=compression)
        fed(store, events(0, 9))
        await store.close(5)
        assert (await exact.open()).applied == 9

    exact.run(scenario())


def test_the_embedded_broker_refuses_exactly_once(plain: Rig) -> None:
    """The text names the setting that fits."""

    async def scenario() -> None:
        with pytest.raises(InputError, match=r"no transactions.*choose at_least_once"):
            await plain.open(guarantee=Guarantee.EXACTLY_ONCE)

    plain.run(scenario())


def test_a_flush_is_all_or_nothing(exact: Rig) -> None:
    """Rows and subjects of a transaction that was never committed are not read by the next owner.

    The next owner must not wait for the transaction to time out either: opening ends it.
    """

    async def scenario() -> None:
        await filled(exact)
        store = await exact.open()
        fed(store, events(0, 9))
        await store.flush()
        fed(store, events(10, 14))
        parts = store._drain()
        producer = store._writer._producer
        await producer.begin_transaction()
        for part in parts:
            await store._writer._send(part)
        again = await exact.open()  # the first one has died here
        assert again.applied == 9
        assert await exact.row() == (10, 3, 45)
        await store._writer.stop()
        await again.close(5)

    exact.run(scenario())


def test_a_zombie_is_fenced(exact: Rig) -> None:
    """A worker that does not know that it lost the partition cannot commit."""

    async def scenario() -> None:
        await filled(exact)
        zombie = await exact.open()
        fed(zombie, events(0, 9))
        owner = await exact.open()
        with pytest.raises(Fenced, match="another worker has taken over"):
            await zombie.flush()
        with pytest.raises(Unavailable, match="must be opened again"):
            await zombie.flush()
        await zombie.close(None)
        fed(owner, events(0, 4))
        await owner.close(5)
        # Kafka answers a commit before readers see it; who opens the partition waits for that.
        await exact.open()
        assert await exact.row() == (5, 3, 10)

    exact.run(scenario())


def test_a_suspended_store_goes_on(exact: Rig) -> None:
    """Nobody has opened the partition: what is in memory is what is stored, and nothing is read."""

    async def scenario() -> None:
        await filled(exact)
        store = await exact.open()
        assert await store.suspend(5)  # taken before it was ever fed
        await store.resume()
        for first in (0, 10, 20):
            fed(store, events(first, first + 9))
            assert await store.suspend(5)
            assert (store.committed, store.pending) == (first + 9, 0)
            await store.resume()
        await store.close(5)
        again = await exact.open()
        assert (again.applied, await exact.row()) == (29, (30, 3, sum(range(30))))
        assert (await exact.position(exact.topics.rows)).applied == 29

    exact.run(scenario())


@pytest.mark.parametrize("count", [0, 5])
def test_a_suspended_store_that_was_opened_elsewhere_is_fenced(exact: Rig, count: int) -> None:
    """Whether the other worker has written anything or not."""

    async def scenario() -> None:
        await filled(exact)
        store = await exact.open()
        fed(store, events(0, 9))
        assert await store.suspend(5)
        other = await exact.open()
        if count:
            fed(other, events(10, 9 + count))
        await other.close(5)
        with pytest.raises(Fenced, match="another worker has taken over"):
            await store.resume()
        again = await exact.open()
        assert again.applied == 9 + count
        assert (await exact.row())[0] == 10 + count

    exact.run(scenario())


def test_without_transactions_no_store_goes_on(plain: Rig) -> None:
    """It is flushed; nothing would tell that another worker had the partition meanwhile."""

    async def scenario() -> None:
        await filled(plain)
        store = await plain.open()
        fed(store, events(0, 9))
        assert not await store.suspend(5)
        assert store.committed == 9

    plain.run(scenario())


def test_a_zombie_says_nothing_when_it_is_forgotten(exact: Rig) -> None:
    """The client keeps the error in futures of its own, which complain where nobody asks them."""
    complaints: list[str] = []

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, told: complaints.append(told["message"]))
        await filled(exact)
        zombie = await exact.open()
        fed(zombie, events(0, 9))
        owner = await exact.open()
        with pytest.raises(Fenced):
            await zombie.flush()
        await zombie.close(None)
        exact.opened.remove(zombie)
        del zombie
        await owner.close(None)
        gc.collect()
        await asyncio.sleep(0)

    exact.run(scenario())
    gc.collect()
    assert complaints == []


def test_a_zombie_in_the_middle_of_its_transaction_is_fenced(exact: Rig) -> None:
    """What it had sent already is thrown away."""

    async def scenario() -> None:
        await filled(exact)
        zombie = await exact.open()
        fed(zombie, events(0, 9))
        await zombie._writer._producer.begin_transaction()
        await zombie._writer._send(zombie._drain()[0])
        owner = await exact.open()
        with pytest.raises(Fenced), zombie._writer._translated():
            await zombie._writer._producer.commit_transaction()
        await zombie.close(None)
        assert await exact.row() == (0, 0, 0)
        await owner.close(5)

    exact.run(scenario())


class CutWriter(OrderedWriter):
    """Crashes after so many parts, or after one record of the next."""

    def __init__(self, whole: OrderedWriter, parts: int, *, torn: bool) -> None:
        self.__dict__.update(whole.__dict__)
        self._parts, self._torn = parts, torn

    async def write(self, parts: Any) -> None:
        """Write some of it."""
        await super().write(parts[: self._parts])
        if self._torn:
            torn = parts[self._parts]
            await self._send(torn._replace(records=torn.records[:1]))
        msg = "power cut"
        raise Unavailable(msg)


@pytest.mark.parametrize("torn", [False, True])
@pytest.mark.parametrize("parts", [0, 1])
@pytest.mark.parametrize("step", [3, 50])
def test_without_transactions_a_crash_in_a_flush_is_repaired(
    plain: Rig,
    parts: int,
    torn: bool,  # noqa: FBT001
    step: int,
) -> None:
    """Whatever the flush got done (0: nothing, 1: the rows), the rows end up exact.

    While the subjects catch up, it crashes once more.
    """

    async def scenario() -> None:
        await filled(plain)
        store = await plain.open()
        fed(store, events(0, 9))
        await store.flush()
        fed(store, events(10, 29))
        store._writer = CutWriter(store._writer, parts, torn=torn)
        with pytest.raises(Unavailable, match="power cut"):
            await store.close(5)

        store = await plain.open()
        assert store.applied == 9
        fed(store, events(10, 9 + step // 3))
        await store.flush()
        await store.close(None)

        store = await plain.open()
        fed(store, events(10, 39))
        await store.close(5)
        assert await plain.row() == (40, 3, sum(range(40)))
        subjects = await table_of(plain.brokers, plain.topics.declarations)
        assert {key[1]: int(n) for key, n in subjects.items()} == {b"s0": 14, b"s1": 13, b"s2": 13}

    plain.run(scenario())


def test_dead_letters_are_not_repeated_where_the_rows_know_the_event(plain: Rig) -> None:
    """They were written before the rows were."""

    async def scenario() -> None:
        await filled(plain)
        store = await plain.open()
        bad = Source(1, b"s", b"{")
        fed(store, [*events(0, 0), bad, *events(2, 5)])
        store._writer = CutWriter(store._writer, 2, torn=False)
        with pytest.raises(Unavailable):
            await store.close(5)
        store = await plain.open()
        fed(store, [*events(0, 0), bad, *events(2, 5)])
        await store.close(5)
        assert len(await records_of(plain.brokers, plain.topics.dead_letters)) == 1
        assert (await plain.row())[0] == 5

    plain.run(scenario())
