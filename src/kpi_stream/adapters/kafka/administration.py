"""The administration client, and what it is told of topics."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from kpi_stream.adapters.kafka.connection import client_arguments
from kpi_stream.adapters.kafka.greeting import greet
from kpi_stream.adapters.kafka.refusals import Refusal, Refused, refused
from kpi_stream.application.ports import BrokerOptions
from kpi_stream.domain.errors import Unavailable

TIMEOUT_MS = 15_000
NOT_ALLOWED = frozenset({29, 31})
"""Not authorized: topic, cluster."""


@contextmanager
def administration(broker: BrokerOptions) -> Iterator[Any]:
    """Yield a client of kafka-python for administration.

    Raises:
        Refused: Kafka does not let us in, or does not allow what is asked.
        Unavailable: No broker answers, or it does not do what is asked.
    """
    # A client that finds no broker leaves a thread behind that goes on trying for ever.
    greet(broker)
    try:
        client = KafkaAdminClient(
            **client_arguments(broker),
            request_timeout_ms=TIMEOUT_MS,
            bootstrap_timeout_ms=TIMEOUT_MS,
        )
        try:
            yield client
        finally:
            client.close()
    except OSError as err:
        msg = f"no Kafka broker answers at {_servers(broker)} ({err.strerror or err})"
        raise Unavailable(msg) from err
    except KafkaError as err:
        if (refusal := refused(err, f"Kafka at {_servers(broker)}")) is not None:
            raise refusal from err
        msg = f"Kafka at {_servers(broker)} does not do what was asked: {err!r}"
        raise Unavailable(msg) from err


def describe(admin: Any, names: Sequence[str]) -> dict[str, dict[str, Any]]:  # noqa: ANN401
    """Return what is known of each topic that exists; asking creates none.

    Raises:
        Refused: Whether one exists must not be told to us.
    """
    described = admin.describe_topics(list(names))
    hidden = sorted(each["name"] for each in described if each["error_code"] in NOT_ALLOWED)
    if hidden:
        raise not_allowed([f"Describe on topic {name}" for name in hidden])
    return {each["name"]: each for each in described if not each["error_code"]}


def may(described: Mapping[str, Any], operation: str) -> bool:
    """Return whether we may do this with a topic that exists, as DESCRIBE_CONFIGS."""
    allowed = described.get("authorized_operations")
    # Who sees a topic may describe it: an empty answer is that of a broker without ACLs.
    return not allowed or operation in allowed


def not_allowed(rights: Sequence[str]) -> Refused:
    """Return the error for rights that are missing, as `Read on topic x`."""
    return Refused(Refusal.ACCESS, f"Kafka does not allow this user: {'; '.join(rights)}")


def _servers(broker: BrokerOptions) -> str:
    return ",".join(broker.bootstrap_servers)
