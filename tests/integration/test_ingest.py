"""Input over a broker: what is sent arrives, in order within a subject, with the right key."""

import asyncio
import subprocess
import sys
import uuid
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from kpi_stream.adapters.embedded_broker import EmbeddedBroker
from kpi_stream.adapters.events.codec import EventCodec
from kpi_stream.adapters.ingest import KafkaSender, ingest_file
from kpi_stream.adapters.simulator import (
    Injections,
    KafkaSink,
    Record,
    SimulationOptions,
    office_shares,
    simulate,
    write_jsonl,
)
from kpi_stream.domain.errors import InputError, Unavailable
from kpi_stream.domain.strategy import Calendar
from tests.support.ports import free_port

NOW_MS = int(datetime(2026, 3, 18, 15, tzinfo=UTC).timestamp() * 1000)
OFFICES = ("118", "235", "172")
EXAMPLES = Path(__file__).parents[2] / "examples" / "ingest"
CODEC = EventCodec(frozenset(OFFICES), 300_000, 65_536)


def history(**changes: object) -> list[Record]:
    """Return a small history."""
    options = {
        "now_ms": NOW_MS,
        "offices": office_shares(OFFICES),
        "calendar": Calendar("America/Lima", frozenset(range(5)), 510, 990),
        "days": 30,
        "per_day": 20.0,
    } | changes
    return list(simulate(SimulationOptions(**options)))


def create(bootstrap: str, partitions: int = 4) -> str:
    """Make a topic and return its name."""
    name = f"events-{uuid.uuid4().hex}"
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    admin.create_topics([NewTopic(name, partitions, 1)])
    admin.close()
    return name


@pytest.fixture
def topic(embedded_broker: EmbeddedBroker) -> str:
    """Make a topic on the embedded broker."""
    return create(embedded_broker.bootstrap)


def stored(bootstrap: str, topic: str, count: int) -> dict[int, list[tuple[bytes | None, bytes]]]:
    """Return the records of each partition, once there are `count` of them."""

    async def read() -> dict[int, list[tuple[bytes | None, bytes]]]:
        found, empty = defaultdict(list), 0
        async with AIOKafkaConsumer(bootstrap_servers=bootstrap) as consumer:
            partitions = [TopicPartition(topic, number) for number in range(4)]
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            # The embedded broker's end offsets are not to be trusted: read until it is silent.
            while sum(map(len, found.values())) < count or empty < 2:
                batches = await consumer.getmany(timeout_ms=500, max_records=10_000)
                empty = 0 if batches else empty + 1
                assert empty < 20, f"{sum(map(len, found.values()))} of {count} records"
                for partition, records in batches.items():
                    found[partition.partition] += [(each.key, each.value) for each in records]
        return found

    return asyncio.run(read())


def by_key(records: Iterator[tuple[bytes | None, bytes]]) -> dict[bytes | None, list[bytes]]:
    """Return the values of each key, in order."""
    values = defaultdict(list)
    for key, value in records:
        values[key].append(value)
    return values


@pytest.mark.parametrize("settings", [{}, {"compression_type": None}])
def test_a_simulated_history_arrives_whole(embedded_broker, topic, settings):
    """Every record, malformed ones included, arrives once, in the order of its subject."""
    records = history(injections=Injections(malformed=0.02, duplicates=0.02))
    told = []
    with KafkaSink(embedded_broker.bootstrap, topic, settings) as sink:
        sent = sink.send(records, lambda *each: told.append(each))
    assert sent == len(records) == told[-1][0]
    found = stored(embedded_broker.bootstrap, topic, len(records))
    arrived = by_key(each for number in found for each in found[number])
    assert arrived == by_key((record.key, record.value) for record in records)
    assert len(found) == 4


def test_a_sink_sends_again_and_again(embedded_broker, topic):
    """The live part sends a record at a time over the same connection."""
    records = history()[:50]
    with KafkaSink(embedded_broker.bootstrap, topic) as sink:
        assert [sink.send([record]) for record in records] == [1] * 50
    found = stored(embedded_broker.bootstrap, topic, 50)
    assert by_key(each for number in found for each in found[number]) == by_key(
        (record.key, record.value) for record in records
    )


def test_simulator_and_ingest_agree_on_partitions(embedded_broker, topic, tmp_path):
    """The same subject goes to the same partition, whichever command sends it."""
    records, path = history(), tmp_path / "events.jsonl.gz"
    write_jsonl(records, path)
    other = create(embedded_broker.bootstrap)
    with KafkaSink(embedded_broker.bootstrap, topic) as sink:
        sink.send(records)
    with KafkaSender(embedded_broker.bootstrap, other) as sender:
        report = ingest_file(path, sender, decode=CODEC.decode_value, now_ms=NOW_MS)
    assert (report.accepted, report.rejected) == (len(records), {})
    assert sender.topic_id is not None
    assert stored(embedded_broker.bootstrap, topic, len(records)) == stored(
        embedded_broker.bootstrap, other, len(records)
    )


@pytest.mark.parametrize(("name", "count"), [("paraguay-dna", 14), ("event-log", 10)])
def test_an_example_arrives(embedded_broker, topic, tmp_path, name, count):
    """A CSV file of another system becomes events on the topic, keyed by their subject."""
    path = tmp_path / "log.csv"
    path.write_bytes((EXAMPLES / f"{name}.csv").read_bytes())
    with KafkaSender(embedded_broker.bootstrap, topic) as sender:
        report = ingest_file(
            path,
            sender,
            decode=CODEC.decode_value,
            now_ms=NOW_MS,
            mapping=EXAMPLES / f"{name}.yaml",
        )
    assert report.accepted == count
    found = stored(embedded_broker.bootstrap, topic, count)
    for key, value in (each for records in found.values() for each in records):
        assert CODEC.decode(key, value, NOW_MS).subject.encode() == key


def test_a_topic_that_was_made_again_is_noticed(embedded_broker, tmp_path):
    """The place in a file belongs to one topic, not to whichever has its name."""
    path, topic = tmp_path / "events.jsonl", create(embedded_broker.bootstrap)
    write_jsonl(history(days=2), path)
    with KafkaSender(embedded_broker.bootstrap, topic) as sender:
        ingest_file(path, sender, decode=CODEC.decode_value, now_ms=NOW_MS)
    admin = KafkaAdminClient(bootstrap_servers=embedded_broker.bootstrap)
    admin.delete_topics([topic])
    admin.create_topics([NewTopic(topic, 4, 1)])
    admin.close()
    with (
        KafkaSender(embedded_broker.bootstrap, topic) as sender,
        pytest.raises(InputError, match=r"an earlier topic .*--restart"),
    ):
        ingest_file(path, sender, decode=CODEC.decode_value, now_ms=NOW_MS)


def test_a_missing_topic_is_named(embedded_broker):
    """Both commands say which topic is missing and how to make it; none makes it by accident."""
    for connect in (KafkaSink, KafkaSender, KafkaSink):
        with pytest.raises(Unavailable, match="no topic nowhere; make it with: kpi-stream topics"):
            connect(embedded_broker.bootstrap, "nowhere")


def test_a_missing_broker_is_named():
    """Nobody listens: both commands say so with the address."""
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(Unavailable, match=f"No Kafka broker answers at {address}"):
        KafkaSink(address, "events")
    # In a process of its own: kafka-python leaves its sockets open when nobody answers.
    program = (
        "from kpi_stream.adapters.ingest import KafkaSender\n"
        f"KafkaSender('{address}', 'events', {{'bootstrap_timeout_ms': 1000}})\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert f"Unavailable: No Kafka broker answers at {address}" in ended.stderr
