"""Workers come and go under load, more of them than partitions too; some end well, some do not."""

import random
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.crew import OPENED, Crew
from tests.support.feeding import Feed, simulated
from tests.support.fresh_site import fresh_site
from tests.support.kafka import Kafka
from tests.support.site import Site
from tests.support.verdict import judge, wait_until_counted

WITHIN_S = 180.0


@pytest.fixture
def site(kafka: Kafka, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Site]:
    """Apache Kafka with as many partitions as the test's parameter says."""
    with fresh_site(
        kafka.bootstrap,
        tmp_path,
        partitions=request.param,
        flush_interval_s=0.05,
        session_timeout_s=6,
    ) as made:
        yield made


def up_and_down(site: Site, feed: Feed, most: int, ends: list[bool], chance: random.Random) -> Crew:
    """Start workers one by one, end all but one (True: by SIGTERM), each under load."""
    partitions = int(site.env["KPI_STREAM_PARTITIONS"])
    crew = Crew(site, 1, named=False)
    for _ in range(1, most):
        with feed.trickling():
            crew.wait_until_shared_out(partitions, within_s=WITHIN_S)
            crew.join()
    with feed.trickling():
        crew.wait_until_shared_out(partitions, within_s=WITHIN_S)
    spare = [member for member in crew.members if member.partitions() == set()]
    assert len(spare) == max(0, most - partitions)
    for in_good_order in ends:
        with feed.trickling():
            leaving = crew.leave(crew.any(chance))
            if in_good_order:
                assert leaving.terminate(within_s=60) == 0
            else:
                leaving.kill()
            crew.wait_until_shared_out(partitions, within_s=WITHIN_S)
    return crew


def exact_up_and_down(
    site: Site, folder: Path, chance: random.Random, *, most: int, per_day: int
) -> None:
    """Scale from one to so many and back, and judge."""
    ends = [number % 2 == 0 for number in range(most - 1)]
    chance.shuffle(ends)
    records = simulated(folder, days=40, per_day=per_day, seed=chance.randrange(1_000))
    feed = Feed(site, records, 2 * most)
    crew = up_and_down(site, feed, most, ends, chance)
    feed.send_rest()
    wait_until_counted(site, *crew.processes, within_s=WITHIN_S)
    crew.end()
    judge(site)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("site", [4], indirect=True)
def test_what_stays_is_not_read_again(site: Site, tmp_path: Path) -> None:
    """Another worker comes and goes: of four partitions two stay, and go on from memory."""
    feed = Feed(site, simulated(tmp_path, days=40, per_day=20, seed=1), 3)
    crew = Crew(site, 1, named=False)
    (first,) = crew.members
    with feed.trickling():
        crew.wait_until_shared_out(4, within_s=WITHIN_S)
    with feed.trickling():
        second = crew.join()
        crew.wait_until_shared_out(4, within_s=WITHIN_S)
    stayed = first.partitions() or set()
    assert len(stayed) == 2
    with feed.trickling():
        assert crew.leave(second).terminate(within_s=60) == 0
        crew.wait_until_shared_out(4, within_s=WITHIN_S)
    wait_until_counted(site, *crew.processes, within_s=WITHIN_S)
    crew.end()
    said = first.said()
    opened = Counter(map(int, re.findall(rf"partition (\d+) {OPENED}", said)))
    assert opened == {number: 1 if number in stayed else 2 for number in range(4)}, said
    went_on = set(map(int, re.findall(r"partition (\d+) goes on", said)))
    assert went_on >= stayed, said
    judge(site)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("site", [2], indirect=True)
def test_one_three_one_on_two_partitions(site: Site, chance: random.Random, tmp_path: Path) -> None:
    """The third is a spare until somebody goes; one goes by SIGTERM, one by kill -9."""
    exact_up_and_down(site, tmp_path, chance, most=3, per_day=20)


@pytest.mark.long
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize(("site", "most"), [(4, 3), (3, 5), (1, 3)], indirect=["site"])
def test_up_and_down(site: Site, chance: random.Random, tmp_path: Path, most: int) -> None:
    """Fewer workers than partitions, and more of them, all the way up and down."""
    exact_up_and_down(site, tmp_path, chance, most=most, per_day=60)
