"""Sends events to Kafka with kafka-python and says when the brokers have them."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Protocol, Self

from kafka import KafkaAdminClient, KafkaProducer
from kafka.codec import has_lz4
from kafka.errors import KafkaError

from kpi_stream.domain.errors import Unavailable

_NO_ID = "00000000-0000-0000-0000-000000000000"


class Sender(Protocol):
    """What ingest needs of Kafka."""

    @property
    def topic(self) -> str:
        """The topic's name."""

    @property
    def topic_id(self) -> str | None:
        """What tells the topic from an earlier one of the same name; None where it is unknown."""

    def send(self, key: bytes, value: bytes) -> None:
        """Take a record; it may not be on its way yet."""

    def flush(self) -> None:
        """Return once the brokers have every record taken so far."""


class KafkaSender:
    """Sends to one topic, as a context manager.

    Args:
        bootstrap: Addresses of the brokers, host:port, separated by commas.
        topic: An existing topic.
        settings: Further settings of kafka-python: security above all.

    Raises:
        Unavailable: No broker answers, or the topic does not exist.
    """

    def __init__(
        self, bootstrap: str, topic: str, settings: Mapping[str, Any] | None = None
    ) -> None:
        self.topic = topic
        self._failed: BaseException | None = None
        common = {"bootstrap_servers": bootstrap.split(",")} | dict(settings or {})
        self.topic_id = _topic_id(bootstrap, topic, common)
        producing = {
            "acks": "all",
            "linger_ms": 50,
            "batch_size": 256 * 1024,
            # The embedded broker reports wrong end offsets with more than one batch in flight.
            "max_in_flight_requests_per_connection": 1,
            "compression_type": "lz4" if has_lz4() else None,
            "allow_auto_create_topics": False,
            "metrics_enabled": False,
        }
        try:
            self._producer = KafkaProducer(**(producing | common))
        except KafkaError as err:
            raise Unavailable(_no_answer(bootstrap, err)) from err

    def send(self, key: bytes, value: bytes) -> None:
        """Take a record.

        Raises:
            Unavailable: This record or an earlier one was not taken by the brokers.
        """
        try:
            self._producer.send(self.topic, value, key).add_errback(self._fail)
        except KafkaError as err:
            self._fail(err)
        self._check()

    def flush(self) -> None:
        """Return once the brokers have every record taken so far.

        Raises:
            Unavailable: They do not have all of them.
        """
        try:
            self._producer.flush()
        except KafkaError as err:
            self._fail(err)
        self._check()

    def close(self) -> None:
        """End the connections; what was not flushed is lost."""
        self._producer.close(timeout=5)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _fail(self, error: BaseException) -> None:
        self._failed = self._failed or error

    def _check(self) -> None:
        if self._failed is not None:
            msg = f"Kafka did not take a record for the topic {self.topic}: {self._failed}"
            raise Unavailable(msg) from self._failed


def _topic_id(bootstrap: str, topic: str, settings: Mapping[str, Any]) -> str | None:
    try:
        admin = KafkaAdminClient(**settings)
    except KafkaError as err:
        raise Unavailable(_no_answer(bootstrap, err)) from err
    try:
        described = [each for each in admin.describe_topics() if each["name"] == topic]
    except KafkaError as err:
        raise Unavailable(_no_answer(bootstrap, err)) from err
    finally:
        admin.close()
    if not described:
        msg = f"Kafka has no topic {topic}; make it with: kpi-stream topics init"
        raise Unavailable(msg)
    identifier = str(described[0].get("topic_id") or _NO_ID)
    return None if identifier == _NO_ID else identifier


def _no_answer(bootstrap: str, error: KafkaError) -> str:
    return f"No Kafka broker answers at {bootstrap}: {error}"
