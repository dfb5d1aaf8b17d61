"""The batch transport's bookkeeping; reading itself is tested with real brokers."""

import asyncio
from collections import OrderedDict, defaultdict
from typing import Any

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.consumer.fetcher import (
    READ_COMMITTED,
    FetchError,
    FetchResult,
    PartitionRecords,
)
from aiokafka.errors import IllegalStateError
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from faust.exceptions import ConsumerNotStarted
from faust.transport import drivers
from faust.transport.drivers import aiokafka as base
from faust.types import TP

from kpi_stream.adapters.faust_app import transport
from kpi_stream.adapters.faust_app.app import WorkerOptions, _app
from kpi_stream.application.ports import BrokerOptions, Topics

EVENTS = TP("customs.events", 0)
OTHER = TP("other", 0)


def consumer(acked: dict[TP, list[int]]) -> Any:
    """A consumer without its thread, with these offsets acknowledged."""
    made = object.__new__(transport.BatchConsumer)
    made._batch_topics = frozenset({EVENTS.topic})
    made._acked = defaultdict(list, acked)
    made._acked_index = defaultdict(set, {tp: set(offsets) for tp, offsets in acked.items()})
    made._gap = defaultdict(list)
    made._committed_offset = defaultdict(lambda: None)
    return made


def test_acknowledging_a_batch_acknowledges_all_before_it() -> None:
    """Only last offsets of batches are known, so the gaps between them mean nothing."""
    made = consumer({EVENTS: [4_999, 12_345]})
    assert made._new_offset(EVENTS) == 12_346
    assert made._new_offset(EVENTS) is None


def test_other_topics_keep_the_gap_tracking() -> None:
    """Message by message, a gap holds the commit back."""
    assert consumer({OTHER: [3, 4, 9]})._new_offset(OTHER) == 5


def written(offset: int, producer: int, *values: bytes) -> bytes:
    """One batch of a transaction as it lies in the log."""
    builder = DefaultRecordBatchBuilder(
        2,
        0,
        is_transactional=1,
        producer_id=producer,
        producer_epoch=0,
        base_sequence=0,
        batch_size=10_000,
    )
    for number, value in enumerate(values):
        builder.append(number, 1_000 + number, b"key", value, [("name", b"text")])
    return offset.to_bytes(8, "big") + bytes(builder.build())[8:]


def fetched(topic: str) -> FetchResult:
    """The answer to a fetch from offset 1: three records, of them one below, one aborted after."""
    log = written(0, 7, b"a", b"b") + written(2, 8, b"aborted") + written(3, 7, b"c")
    tp = TopicPartition(topic, 0)
    records = PartitionRecords(
        tp,
        MemoryRecords(log),
        aborted_transactions=[(8, 2)],
        fetch_offset=1,
        key_deserializer=None,
        value_deserializer=None,
        check_crcs=False,
        isolation_level=READ_COMMITTED,
    )
    return FetchResult(tp, assignment=None, partition_records=records, backoff=0)


def test_records_of_the_events_are_those_of_the_parser() -> None:
    """Nothing is copied, and what is left out is the same: below the position, aborted."""
    events, other = TopicPartition(EVENTS.topic, 0), TopicPartition(OTHER.topic, 0)
    held = transport.Fetched(
        frozenset({EVENTS.topic}), OrderedDict({events: fetched(EVENTS.topic)})
    )
    held[other] = fetched(OTHER.topic)
    ours, theirs = (list(held[tp]._partition_records) for tp in (events, other))
    assert not any(isinstance(record, ConsumerRecord) for record in ours)
    assert all(isinstance(record, ConsumerRecord) for record in theirs)
    for records in (ours, theirs):
        assert [
            (each.offset, each.timestamp, each.key, each.value, list(each.headers))
            for each in records
        ] == [
            (1, 1_001, b"key", b"b", [("name", b"text")]),
            (3, 1_000, b"key", b"c", [("name", b"text")]),
        ]


def test_an_error_is_held_like_an_answer() -> None:
    """The fetcher keeps both under the partition, and raises the error when asked for it."""
    tp, error = TopicPartition(EVENTS.topic, 0), FetchError(error=OSError(), backoff=0)
    held = transport.Fetched(frozenset({EVENTS.topic}), OrderedDict())
    held[tp] = error
    assert held[tp] is error


@pytest.mark.parametrize("error", [IllegalStateError("no assignment"), AssertionError("none")])
def test_a_rebalance_during_a_seek_does_not_end_the_worker(error: Exception) -> None:
    """The partitions went away while their positions were asked for; the next ones are sought."""

    async def seek_to_committed() -> dict[TP, int]:
        raise error

    made = consumer({})
    made._read_offset, made.seek_to_committed = {EVENTS: 7}, seek_to_committed
    asyncio.run(made.perform_seek())
    assert made._read_offset == {EVENTS: 7}


def test_faust_complains_of_no_partition_that_has_just_come() -> None:
    """It would, five minutes after the start of the worker; what stalls, the worker's health says.

    Faust's own asks for a consumer, of which there is none here.
    """
    made = consumer({})
    made._thread = object.__new__(transport.BatchConsumerThread)
    made.verify_event_path(1e9, EVENTS)
    with pytest.raises(ConsumerNotStarted):
        base.AIOKafkaConsumerThread.verify_event_path(made._thread, 1e9, EVENTS)


def test_the_transport_is_found_without_its_entry_point() -> None:
    """A source tree that was never installed works too."""
    drivers.TRANSPORTS.aliases.pop(transport.NAME, None)
    transport.register()
    assert drivers.by_name(transport.NAME) is transport.Transport


def test_every_bootstrap_server_reaches_the_client() -> None:
    """With several brokers, one may be down."""
    brokers = BrokerOptions(("kafka-1:9092", "kafka-2:9093"))
    app = _app(WorkerOptions(brokers, Topics()))
    assert [(url.scheme, url.host, url.port) for url in app.conf.broker] == [
        ("kpibatch", "kafka-1", 9092),
        ("kpibatch", "kafka-2", 9093),
    ]
    assert app.batch_topics == {"customs.events"}


def test_credentials_reach_the_client() -> None:
    """Faust needs the protocol and the mechanism in its own words."""
    brokers = BrokerOptions(
        ("kafka:9092",),
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_username="worker",
        sasl_password="secret",  # noqa: S106
    )
    credentials = _app(WorkerOptions(brokers, Topics())).conf.broker_credentials
    assert credentials.protocol.value == "SASL_PLAINTEXT"
    assert credentials.mechanism.value == "SCRAM-SHA-512"
    assert (credentials.username, credentials.password) == ("worker", "secret")
