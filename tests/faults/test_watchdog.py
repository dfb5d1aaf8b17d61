"""A worker whose own loop hangs ends itself in its stated time, and the next one goes on."""

import sys
from pathlib import Path

import pytest

from tests.support.broker_fault import WITHIN_S, settle
from tests.support.feeding import simulated
from tests.support.fresh_site import fresh_site
from tests.support.kafka import Kafka
from tests.support.processes import Process

EXIT_AFTER_S = 8


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_hung_loop_ends_the_worker(kafka: Kafka, tmp_path: Path) -> None:
    """It cannot answer SIGTERM nor leave the group, so a thread ends it, with words."""
    chosen = {"partitions": 1, "session_timeout_s": 6}
    with fresh_site(kafka.bootstrap, tmp_path, **chosen) as site:
        site.send(simulated(tmp_path, days=30, per_day=40, seed=10))
        command = [sys.executable, "-m", "tests.support.hung_worker", "worker"]
        root = Path(__file__).parents[2]
        log = tmp_path / "hung.log"
        env = site.env | {"KPI_STREAM_STALLED_EXIT_S": str(EXIT_AFTER_S)}
        with Process(command, log=log, env=env, cwd=root) as hung:
            assert hung.wait(within_s=WITHIN_S) == 1
            assert hung.output().endswith(
                "the limit is 8 s: the process ends itself (exit code 1)\n"
            )
            assert "the worker's loop hangs for " in hung.output()
        settle(site, site.worker())
