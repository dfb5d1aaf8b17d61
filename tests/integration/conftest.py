"""A store on each kind of broker."""

import pytest

from kpi_stream.adapters.embedded_broker import EmbeddedBroker
from kpi_stream.application.ports import Guarantee
from tests.support.kafka import Kafka
from tests.support.stores import Rig
from tests.support.streams import new_topics


@pytest.fixture
def exact(kafka: Kafka) -> Rig:
    """Apache Kafka with transactions."""
    return Rig(kafka.bootstrap, new_topics(kafka.bootstrap), Guarantee.EXACTLY_ONCE)


@pytest.fixture
def plain(embedded_broker: EmbeddedBroker) -> Rig:
    """The embedded broker without transactions."""
    bootstrap = embedded_broker.bootstrap
    return Rig(bootstrap, new_topics(bootstrap), Guarantee.AT_LEAST_ONCE)


@pytest.fixture(params=[pytest.param("exact", marks=pytest.mark.kafka), "plain"])
def rig(request: pytest.FixtureRequest) -> Rig:
    """Both of them."""
    made: Rig = request.getfixturevalue(request.param)
    return made
