"""The broker's disk is full under load; it is made larger, and the worker goes on exact."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.broker_fault import WITHIN_S, settle, wait_for_load
from tests.support.feeding import simulated
from tests.support.fresh_site import fresh_site
from tests.support.kafka import KafkaMissing
from tests.support.kafka_cluster import KafkaCluster
from tests.support.required import missing
from tests.support.steady_feed import steady

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

SMALL, LARGE = "96m", "512m"
LEFT_BYTES = 6 << 20
"""What the load finds; a few seconds of it."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk in memory, of its own size."""
    mounted = tmp_path / "disk"
    mounted.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "kpi-stream-test", str(mounted)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as err:
        missing("mount", str(err))
    if done.returncode != 0:
        missing("mount", f"a disk of a chosen size needs root: {done.stderr.strip()}")
    with ExitStack() as stack:
        stack.callback(subprocess.run, ["umount", "--lazy", str(mounted)], check=False)
        yield mounted


def _fill(disk: Path) -> None:
    """Leave so much that the load fills the rest."""
    usage = os.statvfs(disk)
    count = usage.f_bavail * usage.f_frsize - LEFT_BYTES
    with (disk / "ballast").open("wb") as ballast:
        for _ in range(count >> 20):
            ballast.write(bytes(1 << 20))


def test_a_full_disk(disk: Path, tmp_path: Path) -> None:
    """Kafka ends itself. The worker waits or ends with 1; with space it goes on, exact."""
    records = simulated(tmp_path, days=30, per_day=40, seed=9)
    data = disk / "data"
    chosen = {"partitions": 2, "session_timeout_s": 6, "flush_interval_s": 0.2}
    with ExitStack() as stack:
        try:
            cluster = KafkaCluster(tmp_path, 1, data=data)
        except KafkaMissing as err:
            missing("kafka", str(err))
        (node,) = stack.enter_context(cluster).nodes
        site = stack.enter_context(fresh_site(cluster.bootstrap, tmp_path, **chosen))
        worker = site.worker()
        with steady(site, cluster.inside, records, per_s=2_000):
            wait_for_load(site, worker)
            _fill(disk)
            node.process.wait(within_s=WITHIN_S)
            assert "No space left on device" in node.process.output()
            subprocess.run(["mount", "-o", f"remount,size={LARGE}", str(disk)], check=True)
            node.start()
            with contextlib.suppress(RuntimeError):  # it has ended: as `restart` would
                wait_for_load(site, worker)
            if not worker.running:
                assert worker.wait(within_s=1) == 1
                worker = site.worker()
                wait_for_load(site, worker)
        settle(site, worker)
