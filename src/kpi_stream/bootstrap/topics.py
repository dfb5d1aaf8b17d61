"""The topics of an installation: made at the first start, checked at every later one."""

from kpi_stream.adapters.kafka.topics import TopicReport, topics_init
from kpi_stream.bootstrap.broker import advising, layout
from kpi_stream.bootstrap.common import broker_options, topics
from kpi_stream.bootstrap.epochs import find_epoch
from kpi_stream.settings import Settings


def init_topics(settings: Settings) -> list[TopicReport]:
    """Create the topics that are missing, check the others, and return what was found.

    Those of the state are the serving epoch's: an epoch that was removed stays away.

    Raises:
        InputError: An address or a security setting is wrong, or it is not allowed.
        Unavailable: No broker answers.
    """
    settings = find_epoch(settings).settings
    with advising(settings):
        return topics_init(broker_options(settings), topics(settings), layout(settings))
