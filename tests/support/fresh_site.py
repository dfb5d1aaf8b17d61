"""Sites one after the other on one broker: each begins without topics, and with its own group."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import astuple
from pathlib import Path
from typing import Any

from kafka import KafkaAdminClient
from kafka.errors import UnknownTopicOrPartitionError

from tests.support.processes import eventually
from tests.support.site import TOPICS, WITHIN_S, Site

_numbers = itertools.count()


@contextmanager
def fresh_site(
    brokers: str, folder: Path, *, exactly_once: bool = True, **settings: Any
) -> Iterator[Site]:
    """Make a site; in the end its processes are killed and its topics deleted."""
    own = {"app_id": f"site-{next(_numbers)}", **settings}
    _delete_topics(brokers)  # of a test that leaves them there
    try:
        with Site(brokers, folder, exactly_once=exactly_once, **own) as site:
            yield site
    finally:
        _delete_topics(brokers)


def _delete_topics(brokers: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=brokers)
    try:
        if found := _ours(admin):
            # A node of a cluster may list what the others have deleted already.
            with suppress(UnknownTopicOrPartitionError):
                admin.delete_topics(found)
        eventually(
            lambda: not _ours(admin),
            within_s=WITHIN_S,
            what="the topics are gone",
        )
    finally:
        admin.close()


def _ours(admin: KafkaAdminClient) -> list[str]:
    """Return the names of the topics, those of every epoch."""
    names = astuple(TOPICS)
    later = tuple(f"{name}." for name in TOPICS.state)
    return [each for each in admin.list_topics() if each in names or each.startswith(later)]
