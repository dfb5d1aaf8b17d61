"""One connection to Kafka, before any client is made: is it there, and does it let us in?

The clients try again for ever, quickly and in their own words. Here each broker is asked once, and
the first failure that means something is the answer. Also the addresses that the brokers give out
are asked, since a certificate may fit the bootstrap server's name and not theirs.
"""

import asyncio
import os
import ssl
from concurrent.futures import ThreadPoolExecutor

from aiokafka.conn import AIOKafkaConnection, create_conn
from aiokafka.errors import KafkaError
from aiokafka.protocol.metadata import MetadataRequest

from kpi_stream.adapters.kafka.refusals import Refused, refused
from kpi_stream.application.ports import BrokerOptions
from kpi_stream.domain.errors import Unavailable

_TIMEOUT_MS = 5_000


def greet(broker: BrokerOptions) -> None:
    """Return once a bootstrap server has taken us in, and no broker of the cluster refuses.

    Raises:
        Refused: A certificate, a password or the protocol is wrong.
        Unavailable: No bootstrap server answers.
    """
    # In a thread of its own: the caller's may have a loop that runs.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(_greet(broker))).result()


async def _greet(broker: BrokerOptions) -> None:
    failures: list[Exception] = []
    for server in broker.bootstrap_servers:
        host, _, port = server.rpartition(":")
        try:
            advertised = await _ask(broker, host.strip("[]"), int(port))
        except (OSError, KafkaError, TimeoutError) as err:
            failures.append(_meaning(err, broker, server))
            continue
        await _ask_all(broker, [each for each in advertised if each != (host, int(port))])
        return
    # A refusal says more than that another server of the list is down.
    raise next((each for each in failures if isinstance(each, Refused)), failures[-1])


async def _ask_all(broker: BrokerOptions, addresses: list[tuple[str, int]]) -> None:
    """Ask every address; a broker that is down is no reason to stop, one that refuses is."""
    asked = (_ask(broker, host, port) for host, port in addresses)
    answers = await asyncio.gather(*asked, return_exceptions=True)
    for (host, port), answer in zip(addresses, answers, strict=True):
        if isinstance(answer, Exception):
            meaning = _meaning(answer, broker, f"{host}:{port}")
            if isinstance(meaning, Refused):
                raise meaning from answer


async def _ask(broker: BrokerOptions, host: str, port: int) -> list[tuple[str, int]]:
    """Return the addresses that a broker gives out for itself and the others."""
    connection: AIOKafkaConnection = await create_conn(
        host,
        port,
        client_id=broker.client_id,
        request_timeout_ms=_TIMEOUT_MS,
        security_protocol=broker.security_protocol,
        ssl_context=broker.ssl_context,
        sasl_mechanism=broker.sasl_mechanism,
        sasl_plain_username=broker.sasl_username,
        sasl_plain_password=broker.sasl_password,
    )
    try:
        metadata = await connection.send(MetadataRequest([]))
    finally:
        connection.close()
    return [(each[1], each[2]) for each in metadata.brokers]


def _meaning(error: Exception, broker: BrokerOptions, server: str) -> Exception:
    """Return what a failed connection means."""
    if (refusal := refused(error, f"Kafka at {server}")) is not None:
        return refusal
    if isinstance(error, KafkaError | ssl.SSLError | ConnectionResetError):
        # A broker that goes down does the same.
        said = f"it closes the connection; does it speak {broker.security_protocol} there?"
    elif isinstance(error, OSError) and (error.errno or 0) > 0:
        said = os.strerror(error.errno or 0)
    else:
        said = getattr(error, "strerror", None) or str(error) or "no answer in time"
    return Unavailable(f"no Kafka broker answers at {server} ({said})")
