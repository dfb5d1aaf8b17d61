"""A worker with a name of its own is back in seconds, however it ended (static membership)."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.feeding import simulated
from tests.support.fresh_site import fresh_site
from tests.support.kafka import Kafka
from tests.support.restarts import ENDS, restarts
from tests.support.site import Site
from tests.support.verdict import judge

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
