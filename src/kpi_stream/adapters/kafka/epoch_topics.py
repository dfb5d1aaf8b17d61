"""The state topics of epochs: which there are, made for a new one, removed with an old one."""

import re
from dataclasses import replace

from kpi_stream.adapters.kafka.administration import (
    NOT_ALLOWED,
    administration,
    describe,
    not_allowed,
)
from kpi_stream.adapters.kafka.topics import (
    Layout,
    create_topic,
    topic_settings,
    wait_for_topics,
)
from kpi_stream.application.ports import BrokerOptions, Topics
from kpi_stream.domain.errors import InputError, Unavailable

_ISR = "min.insync.replicas"
_GONE = 3
"""Kafka's number of the error that there is no such topic."""


def epochs_present(broker: BrokerOptions, topics: Topics) -> list[int]:
    """Return the epochs that have rows, in order.

    Args:
        broker: How to reach Kafka.
        topics: The names without an epoch.

    Raises:
        Unavailable: No broker answers.
    """
    name = re.compile(rf"{re.escape(topics.rows)}(?:\.([0-9]+))?")
    with administration(broker) as admin:
        found = [name.fullmatch(each) for each in admin.list_topics()]
    return sorted(int(each[1] or 1) for each in found if each is not None)


def make_epoch(broker: BrokerOptions, serving: Topics, topics: Topics, layout: Layout) -> None:
    """Create the state topics of an epoch that are missing, with as many partitions as the events.

    Args:
        broker: How to reach Kafka.
        serving: The names in the epoch that serves: the new topics get as many copies as its own.
        topics: The names in the epoch to be made.
        layout: Where the one that serves has no topics.

    Raises:
        Refused: It is not allowed.
        InputError: There are no events.
        Unavailable: No broker answers, or it cannot create a topic.
    """
    with administration(broker) as admin:
        found = describe(admin, [topics.events, serving.rows, *topics.state])
        if topics.events not in found:
            msg = f"there is no topic {topics.events}; make it with: kpi-stream topics init"
            raise InputError(msg)
        count = len(found[topics.events]["partitions"])
        layout = replace(layout, partitions=count)
        if serving.rows in found:
            copies = len(found[serving.rows]["partitions"][0]["replica_nodes"])
            kept = topic_settings(admin, serving.rows).get(_ISR, layout.min_insync_replicas)
            layout = replace(layout, replication=copies, min_insync_replicas=int(kept))
        for name in topics.state:
            if name in found:
                has = len(found[name]["partitions"])
                if has != count:
                    msg = (
                        f"topic {name} has {has} partitions and {topics.events} has {count}: "
                        "remove that epoch with: kpi-stream rebuild --remove"
                    )
                    raise InputError(msg)
                continue
            partitions, configs = layout.configs(topics)[name]
            create_topic(admin, name, partitions, layout.replication, configs)
        wait_for_topics(admin, topics.state)


def remove_epoch(broker: BrokerOptions, topics: Topics) -> list[str]:
    """Delete the state topics of an epoch; return the names of those that there were.

    Raises:
        Refused: It is not allowed.
        Unavailable: No broker answers, or it does not delete a topic.
    """
    with administration(broker) as admin:
        names = list(describe(admin, topics.state))
        if not names:
            return []
        answers = admin.delete_topics(names, raise_errors=False)["topics"]
        refused = [each["name"] for each in answers if each["error_code"] in NOT_ALLOWED]
        if refused:
            raise not_allowed([f"Delete on topic {name}" for name in refused])
        for each in answers:
            if each["error_code"] not in {0, _GONE}:
                msg = f"topic {each['name']} was not deleted: error {each['error_code']}"
                raise Unavailable(msg)
    return names
