"""A worker that stands still for longer than its session: fenced, and back again."""

import random
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.crew import OPENED
from tests.support.feeding import Feed, simulated
from tests.support.fresh_site import fresh_site
from tests.support.kafka import Kafka
from tests.support.site import Site
from tests.support.struck_worker import Wanted, struck_worker
from tests.support.verdict import judge, wait_until_counted

WITHIN_S = 180.0
REJECTED = r"another worker has taken over|could not be written: TimeoutError"
"""What it says of its flush; the latter where it stood still for longer than a flush may take."""


@pytest.fixture
def site(kafka: Kafka, tmp_path: Path) -> Iterator[Site]:
    """Apache Kafka with two partitions, and the shortest session that it allows."""
    with fresh_site(
        kafka.bootstrap, tmp_path, partitions=2, flush_interval_s=0.05, session_timeout_s=6
    ) as made:
        yield made


def paused(site: Site, folder: Path, chance: random.Random, point: str, *, named: bool) -> str:
    """Pause a worker at a point of a flush; return what it said after it."""
    records = simulated(folder, days=30, per_day=20, seed=chance.randrange(1_000))
    feed = Feed(site, records, 4)
    feed.send()
    names = ("zombie", "owner") if named else ("", "")
    wanted = Wanted(point, number=signal.SIGSTOP)
    zombie = struck_worker(site, wanted, KPI_STREAM_INSTANCE_ID=names[0])
    owner = site.start("worker", instance_id=names[1])
    feed.send()
    wait_until_counted(site, owner, within_s=WITHIN_S)
    before = len(zombie.output())
    with feed.trickling():
        zombie.send(signal.SIGCONT)
        zombie.wait_until(
            lambda: OPENED in zombie.output()[before:],
            within_s=WITHIN_S,
            what="it is given a partition again",
        )
    feed.send()
    wait_until_counted(site, zombie, owner, within_s=WITHIN_S)
    assert zombie.terminate(within_s=60) == 0
    assert owner.terminate(within_s=60) == 0
    judge(site)
    return zombie.output()[before:]


@pytest.mark.timeout(600)
def test_it_is_fenced_with_its_transaction_sent(
    site: Site, chance: random.Random, tmp_path: Path
) -> None:
    """All of it is sent and only the commit is missing: it is refused, and counts for nothing."""
    said = paused(site, tmp_path, chance, "sent", named=True)
    assert re.search(REJECTED, said)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("point", ["before", "begun", "rows", "subjects", "sent", "committed"])
def test_it_is_fenced_wherever_it_stood(
    site: Site,
    chance: random.Random,
    tmp_path: Path,
    point: str,
    named: bool,  # noqa: FBT001
) -> None:
    """What was committed before the pause counts, and nothing that comes after it."""
    said = paused(site, tmp_path, chance, point, named=named)
    if point != "committed":
        assert re.search(REJECTED, said)
