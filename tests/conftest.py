"""Fixtures and rules for every test. See `support/` for the rigs behind them."""

import random
import signal
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from kpi_stream.adapters.embedded_broker import EmbeddedBroker
from kpi_stream.domain.errors import InputError
from tests.support.golden import Golden
from tests.support.kafka import Kafka, KafkaMissing
from tests.support.required import missing

# Machines differ in speed, and a time limit tests the machine.
hypothesis.settings.register_profile(
    "kpi-stream",
    deadline=None,
    print_blob=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("kpi-stream")

# A shell ignores Ctrl-C for what it starts in the background; those who are to be ended by it here
# would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

_KAFKA_FIXTURES = {"kafka", "own_kafka"}
_FAULTS = Path(__file__).parent / "faults"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option behind `make golden`."""
    parser.addoption("--update-golden", action="store_true", help="write the golden files again")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that use a real Kafka, so that `-m "not kafka"` leaves them out."""
    for item in items:
        uses_kafka = _KAFKA_FIXTURES & set(getattr(item, "fixturenames", ()))
        if uses_kafka or item.path.is_relative_to(_FAULTS):
            item.add_marker(pytest.mark.kafka)


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """Return the chance of one test, from the seed of the run and the test's name.

    The run prints its seed first; `make faults PYTEST_ARGS='--randomly-seed=N'` makes
    the same choices again.
    """
    seed = request.config.getoption("randomly_seed")
    return random.Random(f"{seed} {request.node.nodeid}")


@pytest.fixture(scope="session")
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compare a text with a file, or write the file under `make golden`."""
    return Golden(update=request.config.getoption("--update-golden", default=False))


@pytest.fixture(scope="session")
def embedded_broker() -> Iterator[EmbeddedBroker]:
    """One embedded broker for the whole run; each test uses topics of its own names."""
    try:
        broker = EmbeddedBroker().start()
    except InputError as err:
        missing("broker", str(err))
    with broker:
        yield broker


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """One Apache Kafka for the whole run; each test uses topics of its own names."""
    try:
        broker = Kafka(tmp_path_factory.mktemp("kafka"))
    except KafkaMissing as err:
        missing("kafka", str(err))
    with broker:
        yield broker


@pytest.fixture
def own_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """An Apache Kafka for one test, which may stop, kill and restart it."""
    try:
        broker = Kafka(tmp_path_factory.mktemp("kafka"))
    except KafkaMissing as err:
        missing("kafka", str(err))
    with broker:
        yield broker
