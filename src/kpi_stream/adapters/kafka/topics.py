"""Creates and checks the topics; nothing is ever created by being used.

Partition p of the state belongs to partition p of the events, so the three have the same number of
partitions, and that number cannot be changed afterwards.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kafka.admin import ConfigResource

from kpi_stream.adapters.kafka.administration import (
    NOT_ALLOWED,
    administration,
    describe,
    may,
    not_allowed,
)
from kpi_stream.application.ports import BrokerOptions, Topics
from kpi_stream.domain.errors import Unavailable

_DAY_MS = 86_400_000
_EXISTS = 36
_REFUSED_CONFIG = 40
_COMPACTED = {
    "cleanup.policy": "compact",
    # Clean early: a worker reads all of it when it opens, and dirty records cost time.
    "min.cleanable.dirty.ratio": "0.1",
    # The active segment is never cleaned, so it must not stay active for the default week.
    "segment.ms": str(_DAY_MS // 4),
    "segment.bytes": str(128 << 20),
    # How long a tombstone stays: a reader that was away longer starts from the first record.
    "delete.retention.ms": str(7 * _DAY_MS),
}
_DEAD_LETTER_BYTES = 8 << 20
"""An event may be as large as its own topic allows (1 MiB by default), plus its headers."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How the topics are to be."""

    partitions: int = 4
    """Of the events and the state; also the most workers that can share the work."""
    replication: int = 1
    """Copies of each partition; 3 in production."""
    min_insync_replicas: int = 1
    """Copies that must have a record before it counts as written; 2 with replication 3."""
    events_retention_days: int | None = None
    """How long events are kept; None for ever, so that a new epoch can count them all again."""
    dead_letters_retention_days: int = 90

    def configs(self, topics: Topics) -> dict[str, tuple[int, dict[str, str]]]:
        """Return the number of partitions and the settings of each topic."""
        compacted = {**_COMPACTED, "min.insync.replicas": str(self.min_insync_replicas)}
        plain = {
            "cleanup.policy": "delete",
            "min.insync.replicas": str(self.min_insync_replicas),
        }
        days = self.events_retention_days
        events = {
            **plain,
            "retention.ms": "-1" if days is None else str(days * _DAY_MS),
            # The broker's clock decides what is in the future, and old events are not old records.
            "message.timestamp.type": "LogAppendTime",
        }
        dead_letters = {
            **plain,
            "retention.ms": str(self.dead_letters_retention_days * _DAY_MS),
            "max.message.bytes": str(_DEAD_LETTER_BYTES),
        }
        return {
            topics.events: (self.partitions, events),
            topics.declarations: (self.partitions, compacted),
            topics.rows: (self.partitions, compacted),
            topics.dead_letters: (self.partitions, dead_letters),
            topics.readings: (1, compacted),
            topics.transitions: (1, {**plain, "retention.ms": "-1"}),
            topics.epochs: (1, compacted),
        }


@dataclass(frozen=True, slots=True)
class TopicReport:
    """What was found or done about one topic."""

    name: str
    created: bool
    refused: tuple[str, ...] = ()
    """Settings that the broker does not know; the topic works without them."""
    problems: tuple[str, ...] = ()
    """What is wrong and how to put it right; the topic cannot be used as it is."""
    differences: tuple[str, ...] = ()
    """Settings of an existing topic that are not those asked for; it works all the same."""

    @property
    def ok(self) -> bool:
        """Whether the topic can be used."""
        return not self.problems


def topics_init(
    broker: BrokerOptions, topics: Topics, layout: Layout | None = None
) -> list[TopicReport]:
    """Create the topics that are missing and check those that exist; changes none of these.

    Raises:
        Refused: Kafka does not let us in, or does not allow it.
        Unavailable: No broker answers, or it cannot create a topic.
    """
    wanted = (layout or Layout()).configs(topics)
    replication = (layout or Layout()).replication
    with administration(broker) as admin:
        found = describe(admin, list(wanted))
        # Kafka answers with no setting at all, not with an error.
        hidden = [name for name, each in found.items() if not may(each, "DESCRIBE_CONFIGS")]
        if hidden:
            raise not_allowed([f"DescribeConfigs on topic {name}" for name in hidden])
        reports = []
        for name, (partitions, configs) in wanted.items():
            if name in found:
                reports.append(
                    _check(name, found[name], topic_settings(admin, name), partitions, configs)
                )
                continue
            refused = create_topic(admin, name, partitions, replication, configs)
            reports.append(TopicReport(name, created=True, refused=refused))
        admin.wait_for_topics(list(wanted))
        return reports


@dataclass(frozen=True, slots=True)
class TopicFacts:
    """What the broker says of a topic that exists."""

    topic_id: str | None
    """Given to the topic when it was created; None where the broker gives none."""
    partitions: int


def topic_facts(broker: BrokerOptions, names: Sequence[str]) -> dict[str, TopicFacts]:
    """Return what there is to say of each of the topics that exists.

    Raises:
        Unavailable: No broker answers.
    """
    with administration(broker) as admin:
        found = describe(admin, names)
    return {
        name: TopicFacts(
            str(each["topic_id"]) if each.get("topic_id") else None, len(each["partitions"])
        )
        for name, each in found.items()
    }


def topic_settings(admin: Any, name: str) -> dict[str, str]:  # noqa: ANN401
    """Return the settings of a topic that exists, as texts."""
    answer = admin.describe_configs([ConfigResource("topic", name)], config_filter="all")
    found: Mapping[str, Mapping[str, str]] = answer.get("topic", {}).get(name, {})
    return {key: value["value"] for key, value in found.items()}


def create_topic(
    admin: Any,  # noqa: ANN401
    name: str,
    partitions: int,
    replication: int,
    configs: Mapping[str, str],
) -> tuple[str, ...]:
    """Create a topic; return the settings that had to be left out since the broker refuses them."""
    accepted, refused = dict(configs), list[str]()
    while True:
        answer = _try_to_create(admin, name, partitions, replication, accepted)
        if answer["error_code"] in (0, _EXISTS):
            return tuple(refused)
        if answer["error_code"] in NOT_ALLOWED:
            raise not_allowed([f"Create on topic {name}"])
        culprit = _culprit(answer, accepted)
        if culprit is None:
            msg = f"topic {name} could not be created: {answer['error_message']}"
            raise Unavailable(msg)
        refused.append(f"{culprit}={accepted.pop(culprit)}")


def _try_to_create(
    admin: Any,  # noqa: ANN401
    name: str,
    partitions: int,
    replication: int,
    configs: Mapping[str, str],
) -> Mapping[str, Any]:
    request = {
        name: {
            "num_partitions": partitions,
            "replication_factor": replication,
            "configs": dict(configs),
        }
    }
    answer: Mapping[str, Any] = admin.create_topics(request, raise_errors=False)["topics"][0]
    return answer


def _culprit(answer: Mapping[str, Any], configs: Mapping[str, str]) -> str | None:
    """Return the setting that the broker complains about; never the cleanup policy."""
    if answer["error_code"] != _REFUSED_CONFIG:
        return None
    named = [key for key in configs if key in str(answer["error_message"])]
    return next((key for key in named if key != "cleanup.policy"), None)


def _check(
    name: str,
    found: Mapping[str, Any],
    has: Mapping[str, str],
    partitions: int,
    configs: Mapping[str, str],
) -> TopicReport:
    problems = []
    count = len(found["partitions"])
    if count != partitions:
        problems.append(
            f"has {count} partitions, {partitions} are needed: ask for {count}, or delete the "
            "topic and start a new epoch with: kpi-stream rebuild --again (an event's partition "
            "follows from their number)"
        )
    # The embedded broker does not report settings that were left at their defaults.
    policy = has.get("cleanup.policy", "delete")
    if policy != configs["cleanup.policy"]:
        problems.append(
            f"has cleanup.policy={policy}, {configs['cleanup.policy']} is needed: kafka-configs.sh "
            f"--alter --entity-type topics --entity-name {name} --add-config "
            f"cleanup.policy={configs['cleanup.policy']}"
        )
    differences = [
        f"has {key}={has[key]}, asked for {value}"
        for key, value in configs.items()
        if key != "cleanup.policy" and key in has and has[key] != value
    ]
    return TopicReport(
        name, created=False, problems=tuple(problems), differences=tuple(differences)
    )
