"""What the tests with faults of a broker share."""

from collections.abc import Iterator

import pytest

from kpi_stream.adapters.simulator import Record
from tests.support.feeding import simulated
from tests.support.kafka import KafkaMissing
from tests.support.kafka_cluster import KafkaCluster
from tests.support.required import missing


@pytest.fixture(scope="session")
def _proxied_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    try:
        cluster = KafkaCluster(tmp_path_factory.mktemp("broker"), 1, proxied=True)
    except KafkaMissing as err:
        missing("kafka", str(err))
    with cluster:
        yield cluster


@pytest.fixture
def proxied_broker(_proxied_broker: KafkaCluster) -> Iterator[KafkaCluster]:
    """One node behind a proxy for the whole run; whatever a test does to it is over after it."""
    _proxied_broker.heal()
    yield _proxied_broker
    _proxied_broker.heal()


@pytest.fixture(scope="session")
def month_of_records(tmp_path_factory: pytest.TempPathFactory) -> list[Record]:
    """A feed of a month, with everything that may be wrong with one."""
    return simulated(tmp_path_factory.mktemp("feed"), days=30, per_day=40, seed=7)
