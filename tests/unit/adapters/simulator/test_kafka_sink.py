"""The sink notices what the brokers refuse, and does not go on behind it."""

import asyncio
from types import SimpleNamespace

import pytest
from aiokafka.errors import KafkaError, KafkaTimeoutError

from kpi_stream.adapters.simulator import KafkaSink, Record, kafka_sink
from kpi_stream.domain.errors import Unavailable

RECORDS = [Record(b"key", b"value", number) for number in range(10)]


class Batch(list):
    """Holds three records."""

    def append(self, *, key: bytes, value: bytes, timestamp: int | None) -> object:
        """Take a record, or None where it is full or the record is too long."""
        del key, timestamp
        if len(self) == 3 or len(value) > 100:
            return None
        super().append(value)
        return object()


class Producer:
    """Stands for aiokafka: takes batches and fails the one with number `failing`."""

    failing: int | None = None
    shipped = 0
    stopped = False

    def __init__(self, **settings: object) -> None:
        self.settings = settings
        metadata = SimpleNamespace(partitions_for_topic=lambda _: {0, 1})

        async def fetch_all_metadata() -> object:
            return metadata

        self.client = SimpleNamespace(fetch_all_metadata=fetch_all_metadata)

    async def start(self) -> None:
        """Do nothing."""

    async def stop(self) -> None:
        """Remember it."""
        Producer.stopped = True

    def create_batch(self) -> Batch:
        """Return an empty batch."""
        return Batch()

    async def send_batch(self, _: Batch, __: str, *, partition: int) -> "asyncio.Future[None]":
        """Return what becomes of a batch."""
        del partition
        result = asyncio.get_running_loop().create_future()
        if Producer.shipped == self.failing:
            result.set_exception(KafkaTimeoutError())
        else:
            result.set_result(None)
        Producer.shipped += 1
        return result


@pytest.fixture
def producer(monkeypatch):
    """Put the stand-in in place."""
    monkeypatch.setattr(kafka_sink, "AIOKafkaProducer", Producer)
    monkeypatch.setattr(Producer, "shipped", 0)
    monkeypatch.setattr(Producer, "stopped", False)
    return Producer


def test_batches_are_filled_and_all_are_shipped(producer):
    """Ten records are four batches of at most three."""
    with KafkaSink("host:1", "events") as sink:
        assert sink.send(RECORDS) == 10
    assert producer.shipped == 4
    assert producer.stopped


@pytest.mark.parametrize(("failing", "shipped"), [(0, 1), (1, 2), (3, 4)])
def test_a_refused_batch_is_an_error_and_ends_it(producer, monkeypatch, failing, shipped):
    """Nothing is shipped behind a batch that was not taken, and the last one counts as well."""
    monkeypatch.setattr(producer, "failing", failing)
    with (
        KafkaSink("host:1", "events") as sink,
        pytest.raises(Unavailable, match="did not take a record for the topic events"),
    ):
        sink.send(RECORDS)
    assert producer.shipped == shipped


def test_a_record_that_fits_in_no_batch_is_named(producer):
    """It is not left out silently."""
    with (
        KafkaSink("host:1", "events") as sink,
        pytest.raises(Unavailable, match="A record of 101 bytes is larger than a batch"),
    ):
        sink.send([Record(b"key", b"x" * 101, 0)])
    assert producer.shipped <= 1


def test_brokers_that_do_not_answer_are_named(producer, monkeypatch):
    """A failed start is told with the address, and the connections are given up."""

    async def fail(_: object) -> None:
        raise KafkaError

    monkeypatch.setattr(producer, "start", fail)
    with pytest.raises(Unavailable, match="No Kafka broker answers at host:1"):
        KafkaSink("host:1", "events")
    assert producer.stopped
