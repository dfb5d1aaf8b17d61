"""What a process must be allowed to do, compared with what it is allowed, before it begins.

Otherwise a right that is used seldom is missed at its first use: to write dead letters, at the
first rejected event, in the night.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kafka.errors import KafkaError

from kpi_stream.adapters.kafka.administration import NOT_ALLOWED, administration, may, not_allowed
from kpi_stream.application.ports import BrokerOptions

_GROUP_REFUSED, _TRANSACTION_REFUSED = 30, 53


@dataclass(frozen=True, slots=True)
class Access:
    """What a process does with Kafka, in the words of its ACLs."""

    topics: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Describe, Read or Write, by topic; each must exist."""
    spare: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The same of topics that it can do without."""
    group: str | None = None
    """The consumer group that it joins."""
    transactional_ids: Sequence[str] = ()
    """Under which it writes."""


def missing_topics(broker: BrokerOptions, access: Access) -> list[str]:
    """Return those of the topics that do not exist; asking creates none.

    Groups and transactional ids are asked for where the broker knows who we are: there only can it
    give rights to some and not to others.

    Raises:
        Refused: Something is not allowed; the text has all of it.
        Unavailable: No broker answers.
    """
    with administration(broker) as admin:
        asked = {**access.topics, **access.spare}
        described = {each["name"]: each for each in admin.describe_topics(list(asked))}
        lacking = [
            f"{operation} on topic {name}"
            for name, operations in asked.items()
            for operation in _lacking(described.get(name, {}), operations)
        ]
        if broker.security_protocol != "PLAINTEXT":
            lacking += _group(admin, access.group)
            lacking += _transactions(admin, access.transactional_ids)
    if lacking:
        raise not_allowed(lacking)
    return [name for name in access.topics if described.get(name, {}).get("error_code", 1)]


def _lacking(described: Mapping[str, Any], operations: Sequence[str]) -> Sequence[str]:
    if described.get("error_code", 0) in NOT_ALLOWED:
        return operations
    return [each for each in operations if not may(described, each.upper())]


def _group(admin: Any, group: str | None) -> list[str]:  # noqa: ANN401
    if group is None:
        return []
    right = [f"Read on group {group}"]
    try:
        found = admin.describe_groups([group])[group]
    except KafkaError as err:  # also where the first group of a cluster has no coordinator yet
        return right if getattr(err, "errno", None) == _GROUP_REFUSED else []
    # kafka-python gives the error of a single group as a text; one without members is unknown.
    return right if f"[Error {_GROUP_REFUSED}]" in (found["error"] or "") else []


def _transactions(admin: Any, names: Sequence[str]) -> list[str]:  # noqa: ANN401
    lacking = []
    for name in names:
        try:
            admin.describe_transactions([name])
        except KafkaError as err:  # also for one that was never used, which is all right
            if getattr(err, "errno", None) == _TRANSACTION_REFUSED:
                lacking.append(f"Write on transactional id {name}")
    return lacking
