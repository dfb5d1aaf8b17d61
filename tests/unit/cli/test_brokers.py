"""Commands that need Kafka, where it is not there, or not ready."""

import gc
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from kpi_stream.adapters.embedded_broker import HOST, EmbeddedBroker
from kpi_stream.adapters.kafka.access import Access, missing_topics
from kpi_stream.application.ports import BrokerOptions, Topics
from tests.support.ports import free_port
from tests.unit.cli.conftest import Run

TOPICS = Topics()
NEED_KAFKA = ("topics init", "ingest", "simulate --days 1 --per-day 1", "worker", "scorecard")


@pytest.fixture(autouse=True)
def untouched_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The services tune this process before they ask for the broker; the ports are free ones."""
    monkeypatch.setenv("KPI_STREAM_WORKER_PORT", "0")
    monkeypatch.setenv("KPI_STREAM_SCORECARD_PORT", "0")
    thresholds = gc.get_threshold()
    levels = {
        name: logging.getLogger(name).level for name in ("aiokafka", "faust", "kafka", "mode")
    }
    yield
    gc.set_threshold(*thresholds)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.mark.parametrize("words", NEED_KAFKA)
def test_a_broker_that_is_not_there_is_named(
    kpi_stream: Run, monkeypatch: pytest.MonkeyPatch, events: Path, words: str
) -> None:
    """Exit code 1, the address, and what to do."""
    address = f"{HOST}:{free_port()}"
    monkeypatch.setenv("KPI_STREAM_BROKERS", address)
    file = [events] if words == "ingest" else []
    printed = kpi_stream(*words.split(), *file, code=1)
    assert printed.out == ""
    assert re.fullmatch(
        rf"kpi-stream: no Kafka broker answers at {address} \(Connection refused\); "
        rf"start it, or name yours in KPI_STREAM_BROKERS \(it is '{address}'\)\n",
        printed.err,
    )


@pytest.mark.parametrize("words", NEED_KAFKA[1:])
def test_topics_that_are_not_there_are_named_and_not_made(
    kpi_stream: Run,
    monkeypatch: pytest.MonkeyPatch,
    embedded_broker: EmbeddedBroker,
    events: Path,
    words: str,
) -> None:
    """Exit code 2 and how to make them; a topic made by accident has some number of partitions."""
    monkeypatch.setenv("KPI_STREAM_BROKERS", embedded_broker.bootstrap)
    file = [events] if words == "ingest" else []
    printed = kpi_stream(*words.split(), *file, code=2)
    assert printed.out == ""
    assert re.fullmatch(
        r"kpi-stream: Kafka .* has no topic .*kpi-stream topics init\n", printed.err
    )
    needed = Access({TOPICS.events: ("Read",), TOPICS.rows: ("Write",)})
    broker = BrokerOptions((embedded_broker.bootstrap,))
    assert missing_topics(broker, needed) == list(needed.topics)
