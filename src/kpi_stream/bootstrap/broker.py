"""The broker, asked once before the work begins: is it there, are its topics, may we use them?

Every client of Kafka has its own patience, and a consumer waits for ever for a topic that nobody
made, or makes it with the wrong number of partitions.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from kpi_stream.adapters.kafka.access import Access, missing_topics
from kpi_stream.adapters.kafka.refusals import Refusal, Refused
from kpi_stream.adapters.kafka.topics import Layout
from kpi_stream.bootstrap.common import broker_options
from kpi_stream.domain.errors import InputError, KpiStreamError, Unavailable
from kpi_stream.settings import PREFIX, Settings

_log = logging.getLogger(__name__)


def layout(settings: Settings) -> Layout:
    """Return how the topics are to be made."""
    return Layout(
        partitions=settings.partitions,
        replication=settings.replication_factor,
        min_insync_replicas=settings.min_insync_replicas,
        events_retention_days=settings.events_retention_days,
    )


def require(settings: Settings, access: Access) -> None:
    """Do nothing where the broker answers, has the topics and allows what will be done with it.

    Raises:
        InputError: An address or a security setting is wrong, a topic or a right is missing.
        Unavailable: No broker answers.
    """
    with advising(settings):
        missing = missing_topics(broker_options(settings), access)
    if missing:
        msg = (
            f"Kafka at {settings.brokers} has no topic {', '.join(missing)}; "
            "make what is missing with: kpi-stream topics init"
        )
        raise InputError(msg)


def require_admission(settings: Settings, access: Access) -> None:
    """Do nothing unless Kafka refuses us; for a process that gets no answers any more.

    The clients say in their logs only that they are refused, and go on asking.

    Raises:
        Refused: A login or a right was taken away, or a certificate has expired.
    """
    try:
        require(settings, access)
    except Refused:
        raise
    except KpiStreamError as err:
        _log.warning("Kafka does not answer: %s", err)


@contextmanager
def advising(settings: Settings) -> Iterator[None]:
    """Add to an error which settings have to do with it."""
    try:
        yield
    except Unavailable as err:
        msg = f"{err}; start it, or name yours in {PREFIX}BROKERS (it is {settings.brokers!r})"
        raise Unavailable(msg) from err
    except Refused as err:
        text = f"{err}; see {_settings_of(err.refusal, settings)}"
        raise Refused(err.refusal, text) from err


def _settings_of(refusal: Refusal, settings: Settings) -> str:
    """Return the settings that a refusal may come from, with their values: no secret is one."""
    if refusal is Refusal.ACCESS:
        return f"the table of ACLs in docs/security.md (the user is {user_of(settings)})"
    names = {
        Refusal.UNTRUSTED: ("brokers", "broker_ca_file"),
        Refusal.CERTIFICATE: ("broker_certificate_file",),
        Refusal.LOGIN: ("sasl_username", "sasl_password_file"),
        Refusal.PROTOCOL: ("security_protocol", "sasl_mechanism"),
    }[refusal]
    return ", ".join(
        f"{PREFIX}{name.upper()} (it is {str(getattr(settings, name) or 'not set')!r})"
        for name in names
    )


def user_of(settings: Settings) -> str:
    """Return who we are to Kafka, in words."""
    return settings.sasl_username or "the one of the certificate"
