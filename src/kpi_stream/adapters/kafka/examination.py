"""What the broker says of itself, of transactions, of the group and of its clock; writes nothing.

Its clock: a controller answers what each voter of its quorum has fetched and when, and for itself
that is now. No other answer of Kafka's has the time in it without a record being written; records
that others wrote say when they were appended, which cannot be later than now.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kafka import TopicPartition
from kafka.admin import ConfigResource, OffsetSpec
from kafka.errors import KafkaError
from kafka.protocol.api_key import ApiKey

from kpi_stream.adapters.kafka.administration import may, not_allowed
from kpi_stream.application.checkup.kafka import (
    Broker,
    Clocks,
    Cluster,
    Counting,
    Member,
    Transactions,
)

_GROUP_REFUSED, _CLUSTER_REFUSED, _TRANSACTION_REFUSED = 30, 31, 53


def cluster(admin: Any) -> Cluster:  # noqa: ANN401
    """Return the brokers, each asked for its version by itself."""
    found = admin.describe_cluster()
    alive = [each for each in found["brokers"] if not each.get("is_fenced")]
    return Cluster(
        [
            Broker(
                each["broker_id"],
                f"{each['host']}:{each['port']}",
                _version(admin, each["broker_id"]),
            )
            for each in alive
        ],
        [each["broker_id"] for each in found["brokers"] if each.get("is_fenced")],
    )


def _version(admin: Any, node: int) -> tuple[int, ...] | None:  # noqa: ANN401
    try:
        return tuple(admin.get_broker_version_data(node).broker_version)
    except (KafkaError, OSError):
        return None


def transactions(admin: Any, node: int, ids: Sequence[str]) -> Transactions:  # noqa: ANN401
    """Return whether they are offered, and to us.

    Args:
        admin: The client.
        node: The broker whose settings are read.
        ids: Transactional ids that are asked about.

    Raises:
        Refused: The settings of brokers may not be read.
    """
    if ApiKey.InitProducerId not in admin.api_versions():
        return Transactions(offered=False, max_timeout_ms=None, log_replication=None)
    settings = _settings(admin, node)
    return Transactions(
        offered=True,
        max_timeout_ms=_whole(settings, "transaction.max.timeout.ms"),
        log_replication=_whole(settings, "transaction.state.log.replication.factor"),
        refused=[each for each in ids if _refused(admin, each)],
    )


def _settings(admin: Any, node: int) -> Mapping[str, Any]:  # noqa: ANN401
    # Kafka answers with no setting at all, not with an error.
    if not may(admin.describe_cluster(), "DESCRIBE_CONFIGS"):
        raise not_allowed(["DescribeConfigs on cluster kafka-cluster"])
    found = admin.describe_configs([ConfigResource("broker", str(node))], config_filter="all")
    settings: Mapping[str, Any] = found.get("broker", {}).get(str(node), {})
    return settings


def _whole(settings: Mapping[str, Any], name: str) -> int | None:
    value = settings.get(name, {}).get("value")
    return None if value is None else int(value)


def _refused(admin: Any, name: str) -> bool:  # noqa: ANN401
    try:
        admin.describe_transactions([name])
    except KafkaError as err:  # also of one that was never used, which is all right
        return getattr(err, "errno", None) == _TRANSACTION_REFUSED
    return False


def counting(
    admin: Any,  # noqa: ANN401
    group: str,
    events: str,
    partitions: int,
    counted: Mapping[int, int],
) -> Counting:
    """Return how the group stands, and how far it is.

    Args:
        admin: The client.
        group: The group of the workers.
        events: The topic.
        partitions: How many it has.
        counted: The next offset to be counted, by partition.

    Raises:
        Refused: The group may not be seen.
    """
    ends = admin.list_partition_offsets(
        {TopicPartition(events, each): OffsetSpec.LATEST for each in range(partitions)}
    )
    state, members = _group(admin, group)
    return Counting(
        state,
        None
        if members is None
        else [
            Member(each["client_id"], each["client_host"], _owned(each, events)) for each in members
        ],
        {place.partition: found.offset for place, found in ends.items()},
        counted,
    )


def _group(
    admin: Any,  # noqa: ANN401
    group: str,
) -> tuple[str, Sequence[Mapping[str, Any]] | None]:
    try:
        found = admin.describe_groups([group])[group]
    except KafkaError as err:
        if getattr(err, "errno", None) == _GROUP_REFUSED:
            raise not_allowed([f"Describe on group {group}"]) from err
        # The first group of a cluster has no coordinator yet; one without members is unknown.
        return "Dead", ()
    except ValueError:
        # The embedded broker's answer is none that the client can read.
        return "unknown", None
    if f"[Error {_GROUP_REFUSED}]" in (found["error"] or ""):
        raise not_allowed([f"Describe on group {group}"])
    return found["group_state"], found["members"]


def _owned(member: Mapping[str, Any], events: str) -> list[int]:
    assignment = member["member_assignment"] or {}
    return [
        partition
        for each in assignment.get("assigned_partitions", ())
        if each["topic"] == events
        for partition in each["partitions"]
    ]


def clocks(
    admin: Any,  # noqa: ANN401
    events: str,
    partitions: int,
    now_ms: Callable[[], int],
) -> Clocks:
    """Return how far Kafka's clock is from ours, as far as it can be known.

    Raises:
        Refused: The quorum may not be asked.
    """
    ahead_ms, within_ms = _controller(admin, now_ms)
    newest = _newest(admin, events, partitions)
    return Clocks(ahead_ms, within_ms, newest, now_ms())


def _controller(admin: Any, now_ms: Callable[[], int]) -> tuple[int | None, int]:  # noqa: ANN401
    """Return (how far it is ahead, within what); the shortest of three questions says it best."""
    answers = []
    try:
        for _ in range(3):
            began_ms = now_ms()
            quorum = admin.describe_metadata_quorum()
            answers.append((now_ms() - began_ms, began_ms, quorum))
    except KafkaError as err:
        if getattr(err, "errno", None) == _CLUSTER_REFUSED:
            raise not_allowed(["Describe on cluster kafka-cluster"]) from err
        return None, 0
    took_ms, began_ms, quorum = min(answers, key=lambda each: each[0])
    (partition,) = quorum["topics"][0]["partitions"]
    for each in partition["current_voters"]:
        at_ms: int = each.get("last_fetch_timestamp", -1)
        if each["replica_id"] == partition["leader_id"] and at_ms > 0:
            return at_ms - began_ms - took_ms // 2, took_ms // 2 + 1
    return None, 0


def _newest(admin: Any, events: str, partitions: int) -> dict[int, int]:  # noqa: ANN401
    """Return when the newest event of each partition was appended; nothing where not known."""
    places = [TopicPartition(events, each) for each in range(partitions)]
    try:
        found = admin.list_partition_offsets(dict.fromkeys(places, OffsetSpec.MAX_TIMESTAMP))
    except KafkaError:
        return {}
    return {place.partition: each.timestamp for place, each in found.items() if each.timestamp > 0}
