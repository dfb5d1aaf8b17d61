"""Three brokers with three copies: the leader is killed under load, and all are restarted in turn.

Two copies must have a record before it counts as written, so that one node may be away and nothing
is lost. The worker goes on by itself; the verdict is that of `test_broker.py`.
"""

import random
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path

import pytest

from kpi_stream.adapters.simulator import Record
from tests.support.broker_fault import settle, wait_for_load
from tests.support.fresh_site import fresh_site
from tests.support.kafka import KafkaMissing
from tests.support.kafka_cluster import KafkaCluster
from tests.support.required import missing
from tests.support.site import TOPICS, Site
from tests.support.steady_feed import steady

pytestmark = [pytest.mark.long, pytest.mark.timeout(1_800)]

INTERNAL = ["__consumer_offsets", "__transaction_state"]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    """Three nodes for all tests; each leaves all of them running."""
    try:
        made = KafkaCluster(tmp_path_factory.mktemp("cluster"))
    except KafkaMissing as err:
        missing("kafka", str(err))
    with made:
        yield made


@pytest.fixture
def site(cluster: KafkaCluster, tmp_path: Path) -> Iterator[Site]:
    """Topics of two partitions in three copies each, without any worker."""
    chosen = {
        "partitions": 2,
        "replication_factor": 3,
        "min_insync_replicas": 2,
        "session_timeout_s": 6,
        "flush_interval_s": 0.2,
    }
    with fresh_site(cluster.bootstrap, tmp_path, **chosen) as made:
        yield made
        cluster.heal()


def whole(cluster: KafkaCluster) -> None:
    """Wait until another node may go."""
    cluster.wait_until_whole([*astuple(TOPICS), *INTERNAL])


def test_the_leader_is_killed(
    site: Site, cluster: KafkaCluster, month_of_records: list[Record], chance: random.Random
) -> None:
    """`kill -9` of who leads: of the events, of the rows, of the coordinator's own topics."""
    worker = site.worker()
    with steady(site, cluster.inside, month_of_records):
        wait_for_load(site, worker)
        for topic in (TOPICS.events, TOPICS.rows, *INTERNAL):
            whole(cluster)
            partition = chance.randrange(2)
            node = cluster.leader(topic, partition)
            node.kill()
            assert cluster.leader(topic, partition, after=node).process.running
            wait_for_load(site, worker)  # with two of three
            node.start()
    settle(site, worker)


def test_all_are_restarted_in_turn(
    site: Site, cluster: KafkaCluster, month_of_records: list[Record]
) -> None:
    """As an upgrade does it: the next one goes when all copies are in step again."""
    worker = site.worker()
    with steady(site, cluster.inside, month_of_records):
        wait_for_load(site, worker)
        for node in cluster.nodes:
            whole(cluster)
            node.stop()
            wait_for_load(site, worker)
            node.start()
        wait_for_load(site, worker)
    settle(site, worker)
