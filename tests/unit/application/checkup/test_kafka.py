"""What is said of brokers, transactions, the group of the workers and clocks."""

import pytest

from kpi_stream.application.checkup.frame import Finding, Severity
from kpi_stream.application.checkup.kafka import (
    Broker,
    Clocks,
    Cluster,
    Counting,
    Member,
    Transactions,
    clocks,
    cluster,
    counting,
    transactions,
)


def brokers(*versions: tuple[int, ...] | None) -> list[Broker]:
    """Return a broker of each version."""
    return [Broker(node, f"kafka-{node}:9092", each) for node, each in enumerate(versions, 1)]


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (Cluster(brokers((4, 3), (4, 3), (4, 3))), []),
        (Cluster(brokers((4, 3), (4, 3), (4, 2))), ["warning: brokers: run 4.2 and 4.3 side by"]),
        (
            Cluster(brokers((2, 8), (2, 8), (2, 8))),
            ["warning: brokers: version 2.8 is older than 3.0"],
        ),
        (
            Cluster(brokers((4, 3), None, (4, 3))),
            ["problem: broker 2: does not answer at kafka-2:9092"],
        ),
        (Cluster(brokers((4, 3), (4, 3), (4, 3)), [4]), ["problem: broker 4: is fenced"]),
        (Cluster(brokers((4, 3))), ["problem: brokers: KPI_STREAM_REPLICATION_FACTOR asks for 3"]),
    ],
)
def test_brokers(seen: Cluster, said: list[str]) -> None:
    """All there, of one version, new enough, and enough for the copies that are asked for."""
    lines = [str(each) for each in cluster(seen, replication=3).findings]
    assert len(lines) == len(said)
    assert all(line.startswith(each) for line, each in zip(lines, said, strict=True))


def judged(seen: Transactions) -> list[Finding]:
    """Return the findings on a cluster of three brokers, where a worker asks for a minute."""
    return [*transactions(seen, 3, 60_000, ["kpi-stream-0"], "the user").findings]


def test_transactions_that_are_offered() -> None:
    """As Kafka's defaults have them; a broker that tells nothing may offer what it does not do."""
    assert judged(Transactions(offered=True, max_timeout_ms=60_000, log_replication=3)) == []
    (unknown,) = judged(Transactions(offered=True, max_timeout_ms=None, log_replication=None))
    assert unknown.severity is Severity.WARNING
    assert "whether it carries them out is unknown" in unknown.problem


def test_transactions_that_a_worker_cannot_have() -> None:
    """Each with what to set; a broker that is too old has only one thing said of it."""
    seen = Transactions(
        offered=True, max_timeout_ms=59_999, log_replication=5, refused=["kpi-stream-0"]
    )
    short, copies, right = judged(seen)
    assert "transaction.max.timeout.ms=59999, and a worker asks for 60000" in short.problem
    assert "transaction.max.timeout.ms=60000" in short.fix
    assert "transaction.state.log.replication.factor=5, and there are 3" in copies.problem
    assert right.problem == (
        "Kafka does not allow the user: Write on transactional id kpi-stream-0"
    )
    (old,) = judged(Transactions(offered=False, max_timeout_ms=None, log_replication=None))
    assert "knows none" in old.problem
    assert "at_least_once" in old.fix


BOTH = [Member("worker-1", "/10.0.0.1", [0]), Member("worker-2", "/10.0.0.2", [1])]


def counts(state: str, members: list[Member] | None, waiting: int = 0) -> list[str]:
    """Return what is said, for two partitions of which the second has events that wait."""
    seen = Counting(state, members, {0: 50, 1: 90}, {0: 50, 1: 90 - waiting})
    return [str(each) for each in counting(seen, "kpi-stream", 10).findings]


def test_the_group_of_the_workers() -> None:
    """One that is at rest, counts every partition and is up to date has nothing said of it."""
    assert counts("Stable", BOTH) == []
    assert counts("Stable", [*BOTH, Member("spare", "/10.0.0.3", [])]) == []
    assert counts("unknown", None) == []
    assert counts("Empty", [], 7) == [
        "problem: group kpi-stream: no worker runs; 7 events wait; start one: kpi-stream worker"
    ]
    (sharing,) = counts("PreparingRebalance", BOTH)
    assert sharing.startswith("warning: group kpi-stream: its members are just sharing")
    (lacking,) = counts("Stable", BOTH[:1])
    assert lacking.startswith("problem: group kpi-stream: nobody counts partition 1;")


def test_events_that_wait() -> None:
    """From the limit on, for the partition; a partition that was never counted waits as a whole."""
    assert counts("Stable", BOTH, 10) == []
    (waiting,) = counts("Stable", BOTH, 11)
    assert waiting.startswith("warning: customs.events partition 1: 11 events wait;")
    never = Counting("Stable", BOTH, {0: 50, 1: 90}, {0: 60})
    assert never.waiting == {0: 0, 1: 90}


@pytest.mark.parametrize(
    ("ahead_ms", "within_ms", "severity"),
    [
        (0, 1, None),
        (-4_999, 0, None),
        (5_000, 1, None),
        (5_001, 1, Severity.WARNING),
        (-5_000, 0, Severity.WARNING),
        (300_000, 1, Severity.WARNING),
        (300_001, 1, Severity.PROBLEM),
        (-300_000, 0, Severity.PROBLEM),
    ],
)
def test_a_clock(ahead_ms: int, within_ms: int, severity: Severity | None) -> None:
    """A difference counts as far as it is certain; from the allowed skew on it is a problem."""
    findings = clocks(Clocks(ahead_ms, within_ms), 300_000).findings
    assert [each.severity for each in findings] == ([] if severity is None else [severity])
    if findings:
        assert ("ahead of" if ahead_ms > 0 else "behind") in findings[0].problem


def test_a_clock_that_is_not_told() -> None:
    """That is said, and an event of the future tells all the same."""
    unknown = clocks(Clocks(None, 0, {0: 1_000_000, 1: 990_000}, 1_000_000), 300_000)
    assert unknown.findings == ()
    assert "the difference is unknown" in unknown.said
    (found,) = clocks(Clocks(None, 0, {0: 1_000_000, 1: 900_000}, 990_000), 300_000).findings
    assert found.place == "clock of the leader of customs.events partition 0"
    assert found.problem == "at least 10 s ahead of this machine's"
