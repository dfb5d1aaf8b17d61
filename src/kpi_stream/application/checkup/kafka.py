"""What is to be said of the broker: its version, transactions, the group of the workers, clocks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kpi_stream.application.checkup.frame import Answer, Finding, warning

OLDEST = (3, 0)
"""From here on a topic has an id, by which one that was created again is noticed, and the right
to a transactional id can be asked for."""
TESTED = "Apache Kafka 4.3.1"
CLOCK_NOTED_MS = 5_000
"""Readings are judged every second and told within ten; below this nobody notices."""
GROUP_AT_REST = frozenset({"Stable", "Empty", "Dead", "unknown"})


@dataclass(frozen=True, slots=True)
class Broker:
    """One broker of the cluster."""

    node: int
    address: str
    version: tuple[int, ...] | None
    """None where it does not answer."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """What the brokers say of themselves."""

    brokers: Sequence[Broker]
    fenced: Sequence[int] = ()
    """Brokers that are known and do not take part."""


def cluster(seen: Cluster, replication: int) -> Answer:
    """Judge the brokers.

    Args:
        seen: What there is.
        replication: How many copies of each topic the settings ask for.
    """
    versions = sorted({each.version for each in seen.brokers if each.version is not None})
    names = ", ".join(map(dotted, versions)) or "unknown"
    count = f"{len(seen.brokers)} broker{'s' * (len(seen.brokers) != 1)}"
    said = f"{count}, version {names}"
    return Answer(said, tuple(_cluster(seen, versions, replication)))


def _cluster(
    seen: Cluster, versions: Sequence[tuple[int, ...]], replication: int
) -> Iterator[Finding]:
    for each in seen.brokers:
        if each.version is None:
            yield Finding(
                f"broker {each.node}", f"does not answer at {each.address}", "look into its log"
            )
    for node in seen.fenced:
        yield Finding(f"broker {node}", "is fenced: it takes no part", "look into its log")
    if len(versions) > 1:
        fix = "bring them all to one version, and see docs/operations.md#upgrade"
        yield warning("brokers", f"run {' and '.join(map(dotted, versions))} side by side", fix)
    if versions and versions[0] < OLDEST:
        problem = f"version {dotted(versions[0])} is older than {dotted(OLDEST)}: a topic that is "
        problem += "created again is not noticed, nor a missing right before it is used"
        yield warning("brokers", problem, f"upgrade it; tested is {TESTED}")
    if replication > len(seen.brokers):
        yield Finding(
            "brokers",
            f"KPI_STREAM_REPLICATION_FACTOR asks for {replication} copies of a topic, and there "
            f"are {len(seen.brokers)} brokers: no topic can be made",
            "start the others, or ask for as many copies as there are brokers",
        )


def dotted(version: tuple[int, ...]) -> str:
    """Return (4, 3) as `4.3`."""
    return ".".join(map(str, version))


@dataclass(frozen=True, slots=True)
class Transactions:
    """Whether a broker takes the transactions of worker and scorecard."""

    offered: bool
    max_timeout_ms: int | None
    """`transaction.max.timeout.ms`; None where it is not told."""
    log_replication: int | None
    """Copies that the broker wants of the transactions' own topic; None where it is not told."""
    refused: Sequence[str] = ()
    """Transactional ids that this user may not use."""


def transactions(
    seen: Transactions, brokers: int, timeout_ms: int, ids: Sequence[str], user: str
) -> Answer:
    """Judge them.

    Args:
        seen: What there is.
        brokers: How many there are.
        timeout_ms: What a worker asks for.
        ids: The transactional ids that were asked about.
        user: Who asked.
    """
    if not seen.offered:
        found = Finding(
            "transactions",
            "the broker knows none, so that no worker starts",
            f"use {TESTED} or another with transactions, or set "
            "KPI_STREAM_PROCESSING_GUARANTEE=at_least_once",
        )
        return Answer("not offered", (found,), usable=False)
    most = "unknown" if seen.max_timeout_ms is None else f"{seen.max_timeout_ms // 1000} s"
    said = f"offered, at most {most} long; {', '.join(ids)} allowed to {user}"
    return Answer(said, tuple(_transactions(seen, brokers, timeout_ms, user)))


def _transactions(
    seen: Transactions, brokers: int, timeout_ms: int, user: str
) -> Iterator[Finding]:
    if seen.max_timeout_ms is None:
        yield warning(
            "transactions",
            "the broker offers them and does not tell transaction.max.timeout.ms, so whether it "
            "carries them out is unknown; the embedded one does not",
            f"use {TESTED}, or set KPI_STREAM_PROCESSING_GUARANTEE=at_least_once",
        )
    elif seen.max_timeout_ms < timeout_ms:
        yield Finding(
            "transactions",
            f"transaction.max.timeout.ms={seen.max_timeout_ms}, and a worker asks for {timeout_ms}",
            "kafka-configs.sh --alter --entity-type brokers --entity-default --add-config "
            f"transaction.max.timeout.ms={timeout_ms}, or in the brokers' server.properties",
        )
    if seen.log_replication is not None and seen.log_replication > brokers:
        yield Finding(
            "transactions",
            f"transaction.state.log.replication.factor={seen.log_replication}, and there are "
            f"{brokers} brokers: the first transaction waits for ever",
            "start the others, or set it in the brokers' server.properties",
        )
    for name in seen.refused:
        yield Finding(
            f"transactional id {name}",
            f"Kafka does not allow {user}: Write on transactional id {name}",
            "give the right; see the table of ACLs in docs/security.md",
        )


@dataclass(frozen=True, slots=True)
class Member:
    """One worker, as the group sees it."""

    name: str
    host: str
    partitions: Sequence[int]


@dataclass(frozen=True, slots=True)
class Counting:
    """How far the workers are."""

    state: str
    """Of the group, as Kafka names it."""
    members: Sequence[Member] | None
    """None where the broker does not say."""
    ends: Mapping[int, int]
    """The next offset to be written, by partition of the events."""
    next: Mapping[int, int]
    """The next offset to be counted, by partition; those that were never counted have none."""

    @property
    def waiting(self) -> dict[int, int]:
        """How many events wait, by partition."""
        return {each: max(0, end - self.next.get(each, 0)) for each, end in self.ends.items()}


def counting(seen: Counting, group: str, lagging: int) -> Answer:
    """Judge the group of the workers.

    Args:
        seen: What there is.
        group: Its name.
        lagging: From how many waiting events on it is said.
    """
    waiting = seen.waiting
    lags = ", ".join(f"{each}: {count}" for each, count in sorted(waiting.items()))
    count = "unknown" if seen.members is None else len(seen.members)
    said = f"group {group}: {seen.state}, members: {count}; events that wait, by partition: {lags}"
    return Answer(said, tuple(_counting(seen, group, lagging)))


def _counting(seen: Counting, group: str, lagging: int) -> Iterator[Finding]:
    place = f"group {group}"
    waiting = sum(seen.waiting.values())
    if seen.members is not None and not seen.members:
        problem = f"no worker runs; {waiting} events wait"
        yield Finding(place, problem, "start one: kpi-stream worker")
        return
    if seen.state not in GROUP_AT_REST:
        problem = f"its members are just sharing the partitions ({seen.state})"
        yield warning(place, problem, "ask again; where it stays so, look into the workers' logs")
    elif seen.members:
        owned = {each for member in seen.members for each in member.partitions}
        if lacking := sorted(set(seen.ends) - owned):
            names = ", ".join(map(str, lacking))
            yield Finding(place, f"nobody counts partition {names}", "restart the workers")
    for each, count in sorted(seen.waiting.items()):
        if count > lagging:
            yield warning(
                f"customs.events partition {each}",
                f"{count} events wait",
                "see docs/runbook.md#worker-lagging: is it becoming less? Else start one more "
                "worker, up to one a partition",
            )


@dataclass(frozen=True, slots=True)
class Clocks:
    """The broker's clock against ours."""

    ahead_ms: int | None
    """How far the controller's clock is ahead of ours; None where it cannot be asked."""
    within_ms: int = 0
    """The answer is right within so much, to both sides."""
    newest_ms: Mapping[int, int] | None = None
    """When the newest event was appended, by the clock of each partition's leader."""
    now_ms: int = 0
    """Ours, after that."""


def clocks(seen: Clocks, allowed_ms: int) -> Answer:
    """Judge the clocks.

    Args:
        seen: What there is.
        allowed_ms: How far ahead an event may be dated (`KPI_STREAM_ALLOWED_SKEW_S`).
    """
    findings: list[Finding] = []
    if seen.ahead_ms is None:
        said = "no broker says its time without being written to, so the difference is unknown"
    else:
        off_ms = abs(seen.ahead_ms) - seen.within_ms
        where = "ahead of" if seen.ahead_ms > 0 else "behind"
        said = f"Kafka's controller is {abs(seen.ahead_ms) / 1000:.1f} s {where} this machine "
        said += f"(within {seen.within_ms / 1000:.1f} s)"
        findings += _skewed("clock of Kafka's controller", off_ms, where, allowed_ms)
    for partition, at_ms in sorted((seen.newest_ms or {}).items()):
        # An event cannot have been appended later than now.
        place = f"clock of the leader of customs.events partition {partition}"
        findings += _skewed(place, at_ms - seen.now_ms, "ahead of", allowed_ms, least="at least ")
    return Answer(said, tuple(findings))


def _skewed(
    place: str, off_ms: int, where: str, allowed_ms: int, least: str = ""
) -> Iterator[Finding]:
    if off_ms < CLOCK_NOTED_MS:
        return
    problem = f"{least}{off_ms / 1000:.0f} s {where} this machine's"
    fix = "have chrony or systemd-timesyncd set both clocks: timedatectl"
    if off_ms < allowed_ms:
        yield warning(place, problem, fix)
    else:
        problem += f", more than KPI_STREAM_ALLOWED_SKEW_S={allowed_ms / 1000:g}: right events are "
        problem += "rejected as of the future, or wrong ones are not"
        yield Finding(place, problem, fix)
