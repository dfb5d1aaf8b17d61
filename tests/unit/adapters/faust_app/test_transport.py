"""The batch transport's bookkeeping; reading itself is tested with real brokers."""

import asyncio
from collections import defaultdict
from typing import Any

import pytest
from aiokafka.errors import IllegalStateError
from faust.transport import drivers
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


@pytest.mark.parametrize("error", [IllegalStateError("no assignment"), AssertionError("none")])
def test_a_rebalance_during_a_seek_does_not_end_the_worker(error: Exception) -> None:
    """The partitions went away while their positions were asked for; the next ones are sought."""

    async def seek_to_committed() -> dict[TP, int]:
        raise error

    made = consumer({})
    made._read_offset, made.seek_to_committed = {EVENTS: 7}, seek_to_committed
    asyncio.run(made.perform_seek())
    assert made._read_offset == {EVENTS: 7}


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
