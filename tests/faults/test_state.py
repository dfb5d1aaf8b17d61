"""Damaged, lost or foreign state on a real Kafka: refused with its place and the remedy, and kept.

What the guards of opening say where a single topic is exchanged is in
`tests/integration/test_worker_guards.py`; here the broker itself loses, cuts and makes again.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import ConfigResource
from kafka.errors import PolicyViolationError

from kpi_stream.adapters.kafka.topics import Layout, topics_init
from kpi_stream.adapters.state_codec import MsgspecStateCodec
from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.application.fold import PartitionFold
from kpi_stream.application.ports import POSITION_KEY, BrokerOptions, Guarantee, Topics
from kpi_stream.domain.errors import InputError, KpiStreamError, StateError
from tests.laws.brute import Raw
from tests.laws.strategies import catalogue
from tests.laws.strategies import event as law_event
from tests.support.counting import encode
from tests.support.kafka import Kafka
from tests.support.processes import Process, eventually
from tests.support.stores import ROW, Rig, Source, events, fed, filled
from tests.support.streams import new_topics, records_of, send, state_ends

STRATEGY = load_strategy(packaged_strategy_path())
WITHIN_S = 180.0
REMEDY = "kpi-stream rebuild"
NOW = 1_711_846_800_000


@pytest.fixture
def rig(kafka: Kafka) -> Rig:
    """A store on Apache Kafka, in topics of its own."""
    return Rig(kafka.bootstrap, new_topics(kafka.bootstrap), Guarantee.EXACTLY_ONCE)


@pytest.fixture
def admin(kafka: Kafka):
    """The client of whoever looks after the broker."""
    client = KafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    yield client
    client.close()


async def counted(rig: Rig) -> None:
    """Leave a state with ten of a hundred events applied."""
    await filled(rig)
    store = await rig.open()
    fed(store, events(0, 9))
    await store.close(5)
    await settled(rig)


async def settled(rig: Rig) -> None:
    """Open once more, which waits until the broker has finished the last transaction."""
    await (await rig.open()).close(None)


async def refused(rig: Rig, error: type[KpiStreamError], text: str) -> None:
    """Opening must fail with this text and the remedy, and leave every topic as it is."""
    before = state_ends(rig.brokers, rig.topics)
    with pytest.raises(error, match=text) as found:
        await rig.open()
    assert REMEDY in str(found.value)
    assert "\n" not in str(found.value)
    assert state_ends(rig.brokers, rig.topics) == before


def create_again(admin: KafkaAdminClient, rig: Rig, *names: str) -> None:
    """Delete topics and create them."""
    admin.delete_topics(list(names))
    topics_init(BrokerOptions((rig.brokers,)), rig.topics, Layout(partitions=1))


def cut(admin: KafkaAdminClient, topic: str, before: int) -> None:
    """Delete the records of partition 0 before an offset, as somebody may who wants the room.

    Kafka refuses it for a compacted topic until somebody lifts that, too.
    """
    place = {TopicPartition(topic, 0): before}
    with pytest.raises(PolicyViolationError):
        admin.delete_records(place)
    policy = {"cleanup.policy": "compact,delete"}
    admin.alter_configs([ConfigResource("topic", topic, policy)])

    def deleted() -> bool:
        # The partition's leader hears of the new policy a little later.
        try:
            admin.delete_records(place)
        except PolicyViolationError:
            return False
        return True

    eventually(deleted, within_s=WITHIN_S, what="the records are deleted")


GARBAGE = [
    pytest.param("rows", b"f|soon|118", b"{", id="the key of a row"),
    pytest.param("rows", ROW, b"garbage", id="the value of a row"),
    pytest.param("declarations", b"s1", b"garbage", id="a subject"),
    pytest.param("rows", POSITION_KEY, b"garbage", id="the position of the rows"),
    pytest.param("declarations", POSITION_KEY, b"garbage", id="the position of the subjects"),
    pytest.param("rows", POSITION_KEY, None, id="a position that was deleted"),
]


@pytest.mark.parametrize(("topic", "key", "value"), GARBAGE)
def test_a_damaged_record_is_named_with_its_offset(
    rig: Rig, topic: str, key: bytes, value: bytes | None
) -> None:
    """Topic, partition and offset, so that somebody can look at it; the state stays as it is."""

    async def scenario() -> None:
        await counted(rig)
        name = getattr(rig.topics, topic)
        await send(rig.brokers, name, [(key, value)])
        offset = (await records_of(rig.brokers, name))[-1].offset
        await refused(rig, StateError, rf"^{name} partition 0 offset {offset}: .* is damaged")

    rig.run(scenario())


def test_a_subject_that_turns_out_damaged_in_use_is_named_with_its_offset(rig: Rig) -> None:
    """A state that begins as one should is read when its next event comes, and looked for then."""
    values = ("118", "10", "sea", "urgent", True, True, 0, 0)
    raw = Raw("declaration.numbered", "s1", "e1", NOW, NOW, values)
    again = Raw("transport.arrived", "s1", "e2", NOW, NOW, ())
    key = b"declaration:s1"

    def decode(_key: object, value: bytes, _received: int) -> object:
        return law_event(raw if value == b"1" else again)

    async def scenario() -> None:
        changes = {
            "decode": decode,
            "fold_factory": lambda _: PartitionFold(catalogue(), MsgspecStateCodec()),
        }
        await filled(rig)
        store = await rig.open(**changes)
        fed(store, [Source(0, b"s1", b"1")])
        await store.close(5)
        await (await rig.open(**changes)).close(None)
        name = rig.topics.declarations
        written = [each for each in await records_of(rig.brokers, name) if each.key == key][-1]
        position = (await records_of(rig.brokers, name))[-1]
        damaged = [(key, written.value[:-3]), (POSITION_KEY, position.value)]
        await send(rig.brokers, name, damaged)
        offset = (await records_of(rig.brokers, name))[-2].offset
        store = await rig.open(**changes)
        before = state_ends(rig.brokers, rig.topics)
        with pytest.raises(StateError) as found:
            fed(store, [Source(1, b"s1", b"2")])
        text = str(await store.located(found.value))
        assert f"{name} partition 0 offset {offset}: the record is damaged: {key.decode()}" in text
        assert REMEDY in text
        await store.close(5)
        assert state_ends(rig.brokers, rig.topics) == before

    rig.run(scenario())


def test_rows_that_were_deleted_in_part_are_missed(rig: Rig, admin: KafkaAdminClient) -> None:
    """What is left looks whole: its position record says that everything is in it."""

    async def scenario() -> None:
        await counted(rig)
        store = await rig.open()
        fed(store, events(10, 19))
        await store.close(5)
        await settled(rig)
        second = (await records_of(rig.brokers, rig.topics.rows))[-2].offset
        cut(admin, rig.topics.rows, second)
        text = rf"{rig.topics.rows} partition 0 begins at offset {second}: .* were deleted"
        await refused(rig, StateError, text)

    rig.run(scenario())


@pytest.mark.parametrize("how", ["emptied", "created again"])
@pytest.mark.parametrize("lost", ["rows", "declarations", "both"])
def test_lost_changelogs_are_refused_or_counted_again(
    rig: Rig, admin: KafkaAdminClient, lost: str, how: str
) -> None:
    """Without the rows there is no way back; without the subjects, or both, the events give all."""
    topics = {
        "rows": [rig.topics.rows],
        "declarations": [rig.topics.declarations],
        "both": [rig.topics.rows, rig.topics.declarations],
    }[lost]

    async def scenario() -> None:
        await counted(rig)
        if how == "emptied":
            for each in topics:
                cut(admin, each, -1)
        else:
            create_again(admin, rig, *topics)
        if lost == "rows":
            text = rf"events up to offset 9 applied, {rig.topics.rows} has none"
            await refused(rig, StateError, text)
            return
        for last in (14, 19):  # and what was counted again is whole
            store = await rig.open()
            fed(store, events(0, last))
            await store.close(5)
        assert await rig.row() == (20, 3, sum(range(20)))

    rig.run(scenario())


@pytest.mark.parametrize("lost", ["rows", "declarations"])
def test_a_changelog_created_again_under_a_worker_is_not_taken_for_whole(
    rig: Rig, admin: KafkaAdminClient, lost: str
) -> None:
    """The worker goes on writing what changes; at the next opening the rest would be missing."""

    async def scenario() -> None:
        await filled(rig)
        store = await rig.open()
        fed(store, events(0, 9))
        await store.flush()
        name = getattr(rig.topics, lost)
        create_again(admin, rig, name)
        fed(store, [Source(10, *encode("another", 1, "debt.settled"))])
        await store.close(60)
        await refused(rig, StateError, f"{name} was created again under a worker")

    rig.run(scenario())


@pytest.mark.parametrize("raised", ["events", "rows", "declarations", "worklist"])
def test_another_number_of_partitions_is_refused(
    rig: Rig, admin: KafkaAdminClient, raised: str
) -> None:
    """Events of one subject would lie in two partitions, and be counted by half."""

    async def scenario() -> None:
        await counted(rig)
        admin.create_partitions({getattr(rig.topics, raised): 3})
        text = f"numbers of partitions differ: .*{getattr(rig.topics, raised)} has 3"
        await refused(rig, InputError, text)

    rig.run(scenario())


def worker(kafka: Kafka, topics: Topics, log: Path) -> Process:
    """Return a worker process that counts, not started."""
    wanted = {"brokers": kafka.bootstrap, "topics": asdict(topics), "metadata_max_age_s": 1.0}
    wanted["instance_id"] = "the-worker"
    command = [sys.executable, "-m", "tests.support.counting", json.dumps(wanted)]
    return Process(command, log=log, cwd=Path(__file__).parents[2])


Break = Callable[[Kafka, KafkaAdminClient, Topics], Awaitable[None]]


async def truncate(kafka: Kafka, admin: KafkaAdminClient, topics: Topics) -> None:
    """Events expire that were never counted, while nobody works."""
    await send(kafka.bootstrap, topics.events, [encode("s", n) for n in range(100)])
    admin.delete_records({TopicPartition(topics.events, 0): 130})
    await send(kafka.bootstrap, topics.events, [encode("s", 100)])


async def recreate(kafka: Kafka, admin: KafkaAdminClient, topics: Topics) -> None:
    """The events' topic is deleted and made again, with more events than before."""
    admin.delete_topics([topics.events])
    topics_init(BrokerOptions((kafka.bootstrap,)), topics, Layout(partitions=1))
    await send(kafka.bootstrap, topics.events, [encode("s", n) for n in range(200)])


async def widen(kafka: Kafka, admin: KafkaAdminClient, topics: Topics) -> None:
    """The events' topic gets a second partition."""
    admin.create_partitions({topics.events: 2})
    for partition in range(2):
        await send(kafka.bootstrap, topics.events, [encode("s", 1)], partition=partition)


async def spoil(kafka: Kafka, admin: KafkaAdminClient, topics: Topics) -> None:
    """Somebody writes into a topic that is not theirs."""
    assert admin
    await send(kafka.bootstrap, topics.rows, [(ROW, b"garbage")])
    await send(kafka.bootstrap, topics.events, [encode("s", 100)])


PROCESS = [
    pytest.param(
        truncate, "the events from offset 100 to 129 expired before they were counted", id="cut"
    ),
    pytest.param(
        recreate,
        "was created again since the state was written",
        id="created again",
        marks=pytest.mark.long,
    ),
    pytest.param(
        widen,
        "the numbers of partitions differ",
        id="another partition",
        marks=pytest.mark.long,
    ),
    pytest.param(spoil, r"rows partition 0 offset \d+: the record is damaged", id="garbage"),
]


@pytest.mark.parametrize(("fault", "text"), PROCESS)
def test_a_worker_ends_with_one_clear_line(
    kafka: Kafka, admin: KafkaAdminClient, tmp_path: Path, fault: Break, text: str
) -> None:
    """A process that finds the fault at its start ends by itself, and has written nothing."""
    topics = new_topics(kafka.bootstrap)
    asyncio.run(send(kafka.bootstrap, topics.events, [encode("s", n) for n in range(100)]))

    async def count() -> None:
        rig = Rig(kafka.bootstrap, topics, Guarantee.EXACTLY_ONCE)
        store = await rig.open()
        fed(store, [Source(n, *encode("s", n)) for n in range(100)])
        await store.close(5)
        await settled(rig)

    asyncio.run(count())
    asyncio.run(fault(kafka, admin, topics))
    before = state_ends(kafka.bootstrap, topics)
    with worker(kafka, topics, tmp_path / "worker.log") as process:
        assert process.wait(within_s=WITHIN_S) == 1
        said = [line for line in process.output().splitlines() if "Error: " in line[:20]]
    assert len(said) == 1
    process.wait_for_output(text, within_s=1)
    assert state_ends(kafka.bootstrap, topics) == before


@pytest.mark.timeout(240)
def test_a_partition_more_under_a_running_worker_ends_it(
    kafka: Kafka, admin: KafkaAdminClient, tmp_path: Path
) -> None:
    """The rebalance that comes with it opens every partition again, and there it is noticed."""
    topics = new_topics(kafka.bootstrap)
    asyncio.run(send(kafka.bootstrap, topics.events, [encode("s", n) for n in range(100)]))
    with worker(kafka, topics, tmp_path / "worker.log") as process:
        process.wait_for_output("applied 100", within_s=WITHIN_S)
        asyncio.run(widen(kafka, admin, topics))
        assert process.wait(within_s=WITHIN_S) == 1
        assert "the numbers of partitions differ" in process.output()
