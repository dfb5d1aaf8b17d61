"""The arguments that every client needs, from one description of the broker."""

from kpi_stream.application.ports import BrokerOptions


def client_arguments(broker: BrokerOptions) -> dict[str, object]:
    """Return keyword arguments for a client of aiokafka or kafka-python, which name them alike.

    Example:
        >>> client_arguments(BrokerOptions(("kafka:9092",)))["security_protocol"]
        'PLAINTEXT'
    """
    arguments: dict[str, object] = {
        "bootstrap_servers": list(broker.bootstrap_servers),
        "client_id": broker.client_id,
        "security_protocol": broker.security_protocol,
    }
    if broker.ssl_context is not None:
        arguments["ssl_context"] = broker.ssl_context
    if broker.sasl_mechanism is not None:
        arguments["sasl_mechanism"] = broker.sasl_mechanism
        arguments["sasl_plain_username"] = broker.sasl_username
        arguments["sasl_plain_password"] = broker.sasl_password
    return arguments
