"""Creates and checks the topics; nothing is ever created by being used.

Partition p of the state belongs to partition p of the events, so they have the same number of
partitions, and that number cannot be changed afterwards.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from kafka.admin import ConfigResource
from kafka.errors import KafkaTimeoutError, RequestTimedOutError

from kpi_stream.adapters.kafka.administration import (
    NOT_ALLOWED,
    TIMEOUT_MS,
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
_TIMED_OUT = 7
_ATTEMPTS = 8
"""So often a busy broker is asked to create a topic, each time for `TIMEOUT_MS`."""
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
REPLICATION = "replication.factor"
"""How the number of copies is called among the differences; it is no setting of a topic."""
MADE_WITHIN_S = 120.0
"""How long new topics may take until each partition has a leader: the client's own 10 s are not
enough on a busy broker, and who begins before finds no topic."""
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
            topics.worklist: (self.partitions, compacted),
        }


class Fault(NamedTuple):
    """What is wrong with a topic, and how to put it right."""

    problem: str
    fix: str

    def __str__(self) -> str:
        """Return both as one line."""
        return f"{self.problem}: {self.fix}"


class Difference(NamedTuple):
    """A setting of an existing topic that is not the one asked for."""

    setting: str
    has: str
    asked: str

    def __str__(self) -> str:
        """Return it as one line."""
        return f"has {self.setting}={self.has}, asked for {self.asked}"


_MISSING = Fault("is missing", "make it with: kpi-stream topics init")


@dataclass(frozen=True, slots=True)
class TopicReport:
    """What was found or done about one topic."""

    name: str
    created: bool
    refused: tuple[str, ...] = ()
    """Settings that the broker does not know; the topic works without them."""
    problems: tuple[Fault, ...] = ()
    """The topic cannot be used as it is."""
    differences: tuple[Difference, ...] = ()
    """It works all the same."""

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
        found = _shown(admin, list(wanted))
        reports = []
        for name, (partitions, configs) in wanted.items():
            if name in found:
                reports.append(
                    _check(name, found[name], topic_settings(admin, name), partitions, configs)
                )
                continue
            refused = create_topic(admin, name, partitions, replication, configs)
            reports.append(TopicReport(name, created=True, refused=refused))
        wait_for_topics(admin, list(wanted))
        return reports


def topics_check(broker: BrokerOptions, topics: Topics, layout: Layout) -> list[TopicReport]:
    """Say of each topic what `topics_init` would, and how its copies are; makes none.

    Raises:
        Refused: Kafka does not let us in, or does not allow it.
        Unavailable: No broker answers.
    """
    wanted = layout.configs(topics)
    with administration(broker) as admin:
        found = _shown(admin, list(wanted))
        return [
            _check(name, found[name], topic_settings(admin, name), partitions, configs, layout)
            if name in found
            else TopicReport(name, created=False, problems=(_MISSING,))
            for name, (partitions, configs) in wanted.items()
        ]


def _shown(admin: Any, names: Sequence[str]) -> dict[str, dict[str, Any]]:  # noqa: ANN401
    """Return what is known of each topic that exists, if we may see its settings as well."""
    found = describe(admin, names)
    # Kafka answers with no setting at all, not with an error.
    hidden = [name for name, each in found.items() if not may(each, "DESCRIBE_CONFIGS")]
    if hidden:
        raise not_allowed([f"DescribeConfigs on topic {name}" for name in hidden])
    return found


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
    timed_out = 0
    while True:
        answer = _try_to_create(admin, name, partitions, replication, accepted)
        if answer["error_code"] in (0, _EXISTS):
            return tuple(refused)
        if answer["error_code"] == _TIMED_OUT and timed_out < _ATTEMPTS:
            timed_out += 1
            continue
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
    try:
        made = admin.create_topics(request, timeout_ms=TIMEOUT_MS, raise_errors=False)
    except (KafkaTimeoutError, RequestTimedOutError) as err:
        # The broker may still make it, which the next attempt finds.
        return {"error_code": _TIMED_OUT, "error_message": repr(err)}
    answer: Mapping[str, Any] = made["topics"][0]
    return answer


def wait_for_topics(admin: Any, names: Sequence[str]) -> None:  # noqa: ANN401
    """Return once every partition of the topics has a leader."""
    admin.wait_for_topics(list(names), timeout_ms=MADE_WITHIN_S * 1000)


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
    layout: Layout | None = None,
) -> TopicReport:
    """Compare a topic with what it should be; with a layout its copies as well."""
    problems = []
    count = len(found["partitions"])
    if count != partitions:
        problems.append(
            Fault(
                f"has {count} partitions, {partitions} are needed",
                f"ask for {count}, or delete the topic and start a new epoch with: kpi-stream "
                "rebuild --again (an event's partition follows from their number)",
            )
        )
    # The embedded broker does not report settings that were left at their defaults.
    policy = has.get("cleanup.policy", "delete")
    if policy != configs["cleanup.policy"]:
        problems.append(
            Fault(
                f"has cleanup.policy={policy}, {configs['cleanup.policy']} is needed",
                alteration(name, "cleanup.policy", configs["cleanup.policy"]),
            )
        )
    differences = [
        Difference(key, has[key], value)
        for key, value in configs.items()
        if key != "cleanup.policy" and key in has and has[key] != value
    ]
    if layout is not None:
        least = int(has.get("min.insync.replicas", "1"))
        problems += _copies(found["partitions"], least)
        copies = min((len(each["replica_nodes"]) for each in found["partitions"]), default=0)
        if copies != layout.replication:
            differences.append(Difference(REPLICATION, str(copies), str(layout.replication)))
    return TopicReport(
        name, created=False, problems=tuple(problems), differences=tuple(differences)
    )


def alteration(name: str, setting: str, value: str) -> str:
    """Return the command that changes a setting of a topic."""
    return (
        f"kafka-configs.sh --alter --entity-type topics --entity-name {name} --add-config "
        f"{setting}={value}"
    )


def _copies(partitions: Sequence[Mapping[str, Any]], least: int) -> Iterator[Fault]:
    """Yield what keeps partitions from being read or written, or will soon."""
    for each in partitions:
        number, copies, current = (
            each["partition_index"],
            len(each["replica_nodes"]),
            len(each["isr_nodes"]),
        )
        if each["leader_id"] < 0:
            yield Fault(f"partition {number} has no leader", "start the broker that has it")
        elif current < least:
            yield Fault(
                f"partition {number} has {current} current copies, and min.insync.replicas={least} "
                "asks for more: nothing can be written",
                "start the brokers that have the others, or lower min.insync.replicas",
            )
        elif current < copies:
            yield Fault(
                f"partition {number} has {current} current copies of {copies}",
                "start the brokers that have the others, or wait until they have caught up",
            )
