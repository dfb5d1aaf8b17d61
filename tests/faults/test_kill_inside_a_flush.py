"""`kill -9` at every point of a flush and of an opening, each proven to have been reached."""

import itertools
import random
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from kpi_stream.adapters.embedded_broker import EmbeddedBroker
from kpi_stream.adapters.simulator import Record
from tests.support.feeding import Feed, simulated
from tests.support.fresh_site import fresh_site
from tests.support.kafka import Kafka
from tests.support.site import Site
from tests.support.struck_worker import (
    MENDING,
    OPENING,
    ORDERED,
    TRANSACTIONAL,
    Wanted,
    letters_again,
    struck_worker,
)
from tests.support.verdict import judge, wait_until_counted

WITHIN_S = 180.0
SETTINGS: dict[str, Any] = {
    "partitions": 2,
    "flush_interval_s": 0.05,
    "flush_max_events": 300,
    # A name of its own: a restart takes 2 s, not the session timeout.
    "instance_id": "the-worker",
}


@pytest.fixture
def exact(kafka: Kafka, tmp_path: Path) -> Iterator[Site]:
    """Apache Kafka with transactions."""
    with fresh_site(kafka.bootstrap, tmp_path, **SETTINGS) as site:
        yield site


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Site]:
    """The embedded broker without transactions."""
    with (
        EmbeddedBroker().start() as broker,
        fresh_site(
            broker.bootstrap, tmp_path, exactly_once=False, session_timeout_s=2, **SETTINGS
        ) as site,
    ):
        yield site


def struck(site: Site, wanted: Wanted) -> int:
    """Start a worker, wait until it is dead, and return how many dead letters will come again."""
    worker = struck_worker(site, wanted)
    assert worker.wait(within_s=WITHIN_S) == -signal.SIGKILL
    letters = letters_again(worker)
    assert letters is not None
    return letters


def finished(site: Site, feed: Feed) -> None:
    """Have a worker that nothing happens to count the rest, and end in good order."""
    feed.send_rest()
    worker = site.worker()
    wait_until_counted(site, worker, within_s=WITHIN_S)
    assert worker.terminate(within_s=60) == 0


def strike_at_each(
    site: Site, points: Sequence[str], chance: random.Random, records: list[Record]
) -> int:
    """Kill a worker at each point, in any order; return how many letters repeat.

    What a share makes is at least one flush of each partition, and there are two.
    """
    feed, repeats = Feed(site, records, len(points) + 1), 0
    for point in chance.sample(points, len(points)):
        feed.send()
        repeats += struck(site, Wanted(point, time=chance.randint(1, 2)))
    finished(site, feed)
    return repeats


def test_a_transaction(exact: Site, chance: random.Random, tmp_path: Path) -> None:
    """Begun, in the middle, asked to be committed: it counts as a whole or not at all."""
    records = simulated(tmp_path, days=30, per_day=30, seed=chance.randrange(1_000))
    strike_at_each(exact, TRANSACTIONAL, chance, records)
    expected = judge(exact)
    assert len(expected.rejected) > 100


@pytest.mark.long
def test_writes_one_after_the_other(plain: Site, chance: random.Random, tmp_path: Path) -> None:
    """The order of the parts repairs it; the letters of a cut flush come twice, and no others."""
    records = simulated(tmp_path, days=30, per_day=30, seed=chance.randrange(1_000))
    repeats = strike_at_each(plain, ORDERED, chance, records)
    assert repeats > 0
    judge(plain, repeats=repeats)


@pytest.mark.long
def test_opening_a_partition(exact: Site, chance: random.Random, tmp_path: Path) -> None:
    """Killed while it fences or reads the state, it has changed nothing."""
    records = simulated(tmp_path, days=30, per_day=10, seed=chance.randrange(1_000))
    feed = Feed(exact, records, 3)
    feed.send()
    struck(exact, Wanted("committed", time=chance.randint(1, 2)))
    feed.send()
    for point in chance.sample(OPENING, len(OPENING)):
        struck(exact, Wanted(point, time=chance.randint(1, 2)))
    finished(exact, feed)
    judge(exact)


@pytest.mark.long
def test_repairing_a_cut_flush(plain: Site, chance: random.Random, tmp_path: Path) -> None:
    """What mends a flush that was cut off may be cut off itself."""
    records = simulated(tmp_path, days=30, per_day=20, seed=chance.randrange(1_000))
    # Neither letters nor worklists are read back, so nothing of them is to be mended.
    cuts = [f"a batch of {part}" for part in ("rows", "subjects")]
    feed, repeats = Feed(plain, records, len(cuts) * len(MENDING) + 1), 0
    for cut, point in itertools.product(cuts, MENDING):
        feed.send()
        repeats += struck(plain, Wanted(cut, time=chance.randint(1, 2)))
        repeats += struck(plain, Wanted(point))
    finished(plain, feed)
    judge(plain, repeats=repeats)


@pytest.mark.long
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("feed", range(4))
def test_every_point_again_and_again(
    exact: Site, chance: random.Random, tmp_path: Path, feed: int
) -> None:
    """Other feeds, other orders, other flushes."""
    records = simulated(tmp_path, days=40, per_day=60, seed=1_000 + feed)
    strike_at_each(exact, [*TRANSACTIONAL, *OPENING] * 2, chance, records)
    judge(exact)


@pytest.mark.long
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("feed", range(4))
def test_every_point_without_transactions_again_and_again(
    plain: Site, chance: random.Random, tmp_path: Path, feed: int
) -> None:
    """The same where a flush can be cut in two."""
    records = simulated(tmp_path, days=40, per_day=60, seed=2_000 + feed)
    repeats = strike_at_each(plain, [*ORDERED, *OPENING] * 2, chance, records)
    judge(plain, repeats=repeats)
