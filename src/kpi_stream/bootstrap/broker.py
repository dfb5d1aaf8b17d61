"""The broker, asked once before the work begins: is it there, and are its topics?

Every client of Kafka has its own patience, and a consumer waits for ever for a topic that nobody
made, or makes it with the wrong number of partitions.
"""

from kpi_stream.adapters.kafka.topics import Layout, TopicReport, missing_topics, topics_init
from kpi_stream.bootstrap.common import broker_options, topics
from kpi_stream.domain.errors import InputError, Unavailable
from kpi_stream.settings import Settings


def init_topics(settings: Settings) -> list[TopicReport]:
    """Create the topics that are missing, check the others, and return what was found.

    Raises:
        InputError: An address is wrong.
        Unavailable: No broker answers.
    """
    try:
        return topics_init(broker_options(settings), topics(settings), layout(settings))
    except Unavailable as err:
        raise _with_advice(err, settings) from err


def layout(settings: Settings) -> Layout:
    """Return how the topics are to be made."""
    return Layout(
        partitions=settings.partitions,
        replication=settings.replication_factor,
        min_insync_replicas=settings.min_insync_replicas,
        events_retention_days=settings.events_retention_days,
    )


def require_topics(settings: Settings, *names: str) -> None:
    """Do nothing where the broker answers and has these topics.

    Raises:
        InputError: An address is wrong, or a topic is missing.
        Unavailable: No broker answers.
    """
    try:
        missing = missing_topics(broker_options(settings), names)
    except Unavailable as err:
        raise _with_advice(err, settings) from err
    if missing:
        msg = (
            f"Kafka at {settings.brokers} has no topic {', '.join(missing)}; "
            "make what is missing with: kpi-stream topics init"
        )
        raise InputError(msg)


def _with_advice(error: Unavailable, settings: Settings) -> Unavailable:
    return Unavailable(
        f"{error}; start it, or name yours in KPI_STREAM_BROKERS (it is {settings.brokers!r})"
    )
