"""A worker with a name of its own is back in seconds, however it ended (static membership)."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kafka import KafkaAdminClient

from tests.support.feeding import simulated
from tests.support.fresh_site import fresh_site
from tests.support.kafka import Kafka
from tests.support.restarts import ENDS, restarts
from tests.support.site import Site
from tests.support.verdict import judge, wait_until_counted

SESSION_S = 120
"""Who has to wait until the session of the one before has timed out is not back so soon."""


@pytest.fixture
def site(kafka: Kafka, tmp_path: Path) -> Iterator[Site]:
    """Apache Kafka, and long sessions."""
    with fresh_site(
        kafka.bootstrap, tmp_path, session_timeout_s=SESSION_S, instance_id="the-worker"
    ) as made:
        yield made


@pytest.mark.timeout(600)
@pytest.mark.parametrize("end", ENDS)
def test_a_named_worker_counts_again_at_once(
    site: Site, tmp_path: Path, record_property: Callable[[str, object], None], end: str
) -> None:
    """The first new event is in the rows long before a session ends; each time, and exactly."""
    records = simulated(tmp_path, days=30, per_day=10, seed=1)
    times = 3
    site.send(records[:-times])
    worker = site.worker()
    found = restarts(site, worker, records[-times:], end)
    record_property(end, [each.counted_s for each in found])
    assert max(each.counted_s for each in found) < SESSION_S
    assert worker.terminate(within_s=60) == 0
    judge(site)


def members(site: Site) -> list[str | None]:
    """Return the names of the members of the workers' group; None for one that has none."""
    admin = KafkaAdminClient(bootstrap_servers=site.brokers)
    try:
        group = site.env["KPI_STREAM_APP_ID"]
        return [
            each["group_instance_id"] for each in admin.describe_groups([group])[group]["members"]
        ]
    finally:
        admin.close()


@pytest.mark.timeout(600)
def test_a_worker_with_its_hosts_name_leaves_when_it_is_ended(site: Site, tmp_path: Path) -> None:
    """As a container does that is removed: the next one has another name, and need not wait."""
    records = simulated(tmp_path, days=30, per_day=10, seed=2)
    site.send(records[:-2])
    worker = site.start("worker", instance_id="of-{hostname}")
    restarts(site, worker, records[-2:-1], "kill -9")
    assert members(site) == [f"of-{socket.gethostname()}"]
    assert worker.terminate(within_s=60) == 0
    assert members(site) == []
    site.send(records[-1:])
    other = site.start("worker", instance_id="another-{hostname}")
    wait_until_counted(site, other, within_s=SESSION_S / 2)
    assert other.terminate(within_s=60) == 0
    judge(site)
