"""Topics of a test, what is written to them and what is found in them."""

import asyncio
import itertools
from collections.abc import Iterable

from aiokafka import AIOKafkaProducer
from kafka import KafkaConsumer, TopicPartition

from kpi_stream.adapters.kafka.reader import Record, TopicReader, reading
from kpi_stream.adapters.kafka.topics import Layout, topics_init
from kpi_stream.application.ports import POSITION_KEY, BrokerOptions, Topics

_numbers = itertools.count()
UNCERTAIN_MS = 150
"""Reads on beyond the reported end, for the embedded broker."""


def new_topics(brokers: str, partitions: int = 1) -> Topics:
    """Create topics whose names no other test uses."""
    number = next(_numbers)
    topics = Topics(
        *(
            f"t{number}.{name}"
            for name in ("events", "decl", "rows", "dlq", "read", "trans", "epoch", "work")
        )
    )
    reports = topics_init(BrokerOptions((brokers,)), topics, Layout(partitions=partitions))
    assert all(report.created for report in reports)
    return topics


async def send(
    brokers: str,
    topic: str,
    records: Iterable[tuple[bytes | None, bytes | None]],
    *,
    partition: int = 0,
    compression: str | None = None,
    headers: list[tuple[str, bytes]] | None = None,
) -> None:
    """Write records to one partition, in order and one batch after the other."""
    producer = AIOKafkaProducer(bootstrap_servers=brokers, compression_type=compression)
    await producer.start()
    try:
        batch = producer.create_batch()
        for key, value in records:
            while batch.append(key=key, value=value, headers=headers, timestamp=None) is None:
                await (await producer.send_batch(batch, topic, partition=partition))
                batch = producer.create_batch()
        await (await producer.send_batch(batch, topic, partition=partition))
    finally:
        await producer.stop()


async def records_of(brokers: str, topic: str) -> list[Record]:
    """Return every committed record of a topic."""
    found: list[Record] = []
    reader = TopicReader(BrokerOptions((brokers,)), topic, settle_ms=UNCERTAIN_MS)
    async with reading(reader):
        await reader.read_to_end(found.extend)
    return found


async def table_of(brokers: str, topic: str) -> dict[tuple[int, bytes], bytes]:
    """Return the newest value by (partition, key), without the position records."""
    found = {(r.partition, r.key or b""): r.value for r in await records_of(brokers, topic)}
    return {
        key: value for key, value in found.items() if value is not None and key[1] != POSITION_KEY
    }


def table(brokers: str, topic: str) -> dict[tuple[int, bytes], bytes]:
    """The same, outside of an event loop."""
    return asyncio.run(table_of(brokers, topic))


def state_ends(brokers: str, topics: Topics) -> dict[str, int]:
    """Return the ends of the state's partitions: they move with every record and marker."""
    consumer = KafkaConsumer(bootstrap_servers=brokers)
    try:
        found = {
            name: [TopicPartition(name, each) for each in consumer.partitions_for_topic(name)]
            for name in (topics.rows, topics.declarations)
        }
        reported = consumer.end_offsets([each for parts in found.values() for each in parts])
        return {f"{each.topic} {each.partition}": end for each, end in reported.items()}
    finally:
        consumer.close()
