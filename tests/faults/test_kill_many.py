"""`kill -9` of one, two and three workers at random moments, and ends that leave nothing behind."""

import asyncio
import random
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from tests.support.crew import OPENED, Crew, Member
from tests.support.feeding import Feed, simulated
from tests.support.fresh_site import fresh_site
from tests.support.kafka import Kafka
from tests.support.processes import eventually
from tests.support.site import TOPICS, Rows, Site
from tests.support.struck_worker import Wanted, struck_worker
from tests.support.verdict import applied, judge, wait_until_counted

PARTITIONS = 4
WITHIN_S = 180.0


@pytest.fixture
def site(kafka: Kafka, tmp_path: Path) -> Iterator[Site]:
    """Apache Kafka with four partitions."""
    with fresh_site(
        kafka.bootstrap,
        tmp_path,
        partitions=PARTITIONS,
        flush_interval_s=0.05,
        flush_max_events=500,
        session_timeout_s=6,
    ) as made:
        yield made


def kill_again_and_again(
    site: Site, feed: Feed, crew: Crew, kills: int, chance: random.Random
) -> None:
    """Kill one worker, or now and then all of them, at random moments under load."""
    with site.rows(load_strategy(packaged_strategy_path())) as rows:
        for kill in range(kills):
            victims = crew.members if kill % 5 == 4 else [crew.any(chance)]
            before = rows.applied()
            with feed.trickling():
                if kill % 4 == 3:  # while it starts, joins or opens
                    time.sleep(chance.uniform(0.2, 2.5))
                else:
                    # Where it is slow to start, the others may have counted all there is.
                    eventually(
                        partial(_at_work, site, rows, before, victims[0]),
                        within_s=WITHIN_S,
                        what=f"kill {kill} falls into the work",
                    )
                    time.sleep(chance.uniform(0, 0.6))
                for victim in victims:
                    victim.process.kill()
                for victim in victims:
                    victim.start()


def _at_work(site: Site, rows: Rows, before: int, victim: Member) -> bool:
    """Whether the crew has counted more, and the victim its share of it, if anything is left."""
    applied_now = rows.applied()
    return applied_now > before and (victim.has_opened() or applied_now >= site.sent)


def exact_after_kills(
    site: Site,
    folder: Path,
    chance: random.Random,
    *,
    workers: int,
    kills: int,
    per_day: int,
    named: bool,
) -> None:
    """Feed, kill, let the survivors finish, and judge."""
    records = simulated(folder, days=40, per_day=per_day, seed=chance.randrange(1_000))
    feed = Feed(site, records, kills + 1)
    crew = Crew(site, workers, named=named)
    kill_again_and_again(site, feed, crew, kills, chance)
    feed.send_rest()
    wait_until_counted(site, *crew.processes, within_s=WITHIN_S)
    crew.wait_until_shared_out(PARTITIONS, within_s=WITHIN_S)
    crew.end()
    expected = judge(site)
    assert len(expected.rows) > 1_000
    assert len(expected.rejected) > 50


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("workers", [1, 3])
def test_some_kills(site: Site, chance: random.Random, tmp_path: Path, workers: int) -> None:
    """Whoever dies, and all at once: the rows are those of a fold that never stopped."""
    exact_after_kills(site, tmp_path, chance, workers=workers, kills=5, per_day=20, named=True)


@pytest.mark.long
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize(
    ("workers", "kills", "named"),
    [(1, 14, True), (2, 14, True), (3, 14, True), (2, 8, False), (3, 8, False)],
)
def test_many_kills(
    site: Site,
    chance: random.Random,
    tmp_path: Path,
    workers: int,
    kills: int,
    named: bool,  # noqa: FBT001
) -> None:
    """58 kills over five feeds; without names every one of them moves partitions, twice."""
    exact_after_kills(site, tmp_path, chance, workers=workers, kills=kills, per_day=60, named=named)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("then", ["it goes on", "it is killed"])
def test_a_rebalance_while_the_state_is_read(
    site: Site, chance: random.Random, tmp_path: Path, then: str
) -> None:
    """Another worker joins while a large state is read: neither waits for the other for ever."""
    records = simulated(tmp_path, days=30, per_day=20, seed=chance.randrange(1_000))
    feed = Feed(site, records, 3)
    feed.send()
    first = site.worker()
    wait_until_counted(site, first, within_s=WITHIN_S)
    first.kill()
    feed.send()
    go_on = tmp_path / "go-on"
    wanted = Wanted("rows read", number=0, held_by=str(go_on))
    reading = struck_worker(site, wanted)
    assert OPENED not in reading.output()
    other = site.worker()
    with feed.trickling():
        other.wait_for_output(OPENED, within_s=WITHIN_S)
        if then == "it is killed":
            reading.kill()
        go_on.touch()
    left = [each for each in (reading, other) if each.running]
    wait_until_counted(site, *left, within_s=WITHIN_S)
    for each in left:
        assert each.terminate(within_s=60) == 0
    judge(site)


def group_offsets(site: Site) -> dict[int, int | None]:
    """Return the positions that the workers' group has committed, by partition."""

    async def committed() -> dict[int, int | None]:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=site.brokers,
            group_id=site.env["KPI_STREAM_APP_ID"],
            enable_auto_commit=False,
        )
        async with consumer:
            tps = [TopicPartition(TOPICS.events, each) for each in range(PARTITIONS)]
            consumer.assign(tps)
            return {tp.partition: await consumer.committed(tp) for tp in tps}

    return asyncio.run(committed())


def terminate_again_and_again(site: Site, feed: Feed, rounds: int, chance: random.Random) -> None:
    """End two workers by SIGTERM under load, one after the other, and start again."""
    for _ in range(rounds):
        crew = Crew(site, 2, named=False)
        with feed.trickling():
            crew.wait_until_shared_out(PARTITIONS, within_s=WITHIN_S)
            time.sleep(chance.uniform(0, 0.6))
            assert crew.leave(crew.any(chance)).terminate(within_s=60) == 0
            crew.wait_until_shared_out(PARTITIONS, within_s=WITHIN_S)
            (last,) = crew.members
            time.sleep(chance.uniform(0, 0.6))
            # What it took over from the other, and what both had from those before them.
            assert last.skipped() == 0
            assert last.process.terminate(within_s=60) == 0
        stored = applied(site)
        assert group_offsets(site) == {each: offset + 1 for each, offset in stored.items()}


@pytest.mark.timeout(600)
def test_sigterm_leaves_nothing_to_replay(
    site: Site, chance: random.Random, tmp_path: Path
) -> None:
    """The group stands where the state does, and the next worker is given no event again."""
    records = simulated(tmp_path, days=40, per_day=20, seed=chance.randrange(1_000))
    feed = Feed(site, records, 3)
    terminate_again_and_again(site, feed, 2, chance)
    feed.send_rest()
    crew = Crew(site, 1, named=False)
    wait_until_counted(site, *crew.processes, within_s=WITHIN_S)
    assert crew.members[0].skipped() == 0
    crew.end()
    judge(site)
