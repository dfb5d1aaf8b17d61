"""A KPI is changed in production: the events are counted again while the old counts serve."""

import asyncio
import json
import random
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient, TopicPartition

from kpi_stream.adapters.kafka.epochs import positions
from kpi_stream.application.ports import BrokerOptions, Topics
from kpi_stream.domain.errors import InputError
from tests.support.feeding import Feed, simulated
from tests.support.fresh_site import fresh_site
from tests.support.kafka import Kafka
from tests.support.processes import Process, eventually
from tests.support.site import COMMAND, TOPICS, Site, page, run
from tests.support.strategies import packaged_with, redefine
from tests.support.verdict import differences, folded, judge

WITHIN_S = 180.0
SECOND = Topics().with_epoch("2")
BEFORE, LATER = "asked-before", "added-later"


class Strategies:
    """The old strategy, the new one, and the folder that the services read: one of the two.

    One KPI is removed, one added, one counts something else.
    """

    def __init__(self, folder: Path) -> None:
        self.old = packaged_with(folder / "old", BEFORE, "has.documents_requested")
        self.new = packaged_with(folder / "new", LATER, "has.released")
        redefine(self.new, "limit: 48h", "limit: 36h")
        self.current = folder / "current"
        self.current.symlink_to(self.old)

    def give(self, strategy: Path) -> None:
        """Let the services read that one at their next start."""
        link = self.current.with_suffix(".next")
        link.symlink_to(strategy)
        link.replace(self.current)


@pytest.fixture
def strategies(tmp_path: Path) -> Strategies:
    """Two strategies that count different things."""
    return Strategies(tmp_path)


@pytest.fixture
def site(kafka: Kafka, tmp_path: Path, strategies: Strategies) -> Iterator[Site]:
    """A site that reads the old strategy and has counted nothing."""
    with fresh_site(kafka.bootstrap, tmp_path, strategy=strategies.current) as made:
        yield made


def applied(site: Site, topics: Topics) -> dict[int, int]:
    """The last event that is in an epoch, by partition; empty where there is no such epoch."""
    try:
        found = asyncio.run(positions(BrokerOptions((site.brokers,)), topics))
    except InputError:
        return {}
    return {partition: each.applied for partition, each in found.items()}


def counted(site: Site, topics: Topics, *processes: Process) -> None:
    """Return once all that was sent is in an epoch; none of the processes may end before."""

    def done() -> bool:
        assert all(each.running for each in processes), [each.output() for each in processes]
        return sum(each + 1 for each in applied(site, topics).values()) >= site.sent

    eventually(done, within_s=WITHIN_S, what=f"{site.sent} events are in {topics.rows}")


def rebuild(site: Site, folder: Path, strategy: Path, *words: str) -> Process:
    """Start a rebuild that flushes often, so that there is much to be cut off."""
    command = [*COMMAND, "rebuild", "--strategy", strategy, "--json", *words]
    env = {**site.env, "KPI_STREAM_FLUSH_MAX_EVENTS": "300"}
    process = Process(command, log=folder / f"rebuild-{time.monotonic_ns()}.log", env=env)
    site.processes.append(process)
    return process.start()


def shown(site: Site) -> set[str]:
    """The KPIs that the scorecard shows; none while it starts."""
    try:
        said = json.loads(page(f"{site.scorecard_url}/api/v1/scorecard"))
    except OSError:
        return set()
    return set(_values(said, "kpi"))


def _values(said: Any, name: str) -> Iterator[str]:
    if isinstance(said, dict):
        if isinstance(said.get(name), str):
            yield said[name]
        for each in said.values():
            yield from _values(each, name)
    elif isinstance(said, list):
        for each in said:
            yield from _values(each, name)


def assert_each_transition_is_told_once(site: Site) -> None:
    """Each change of a series is told once, from the status that was told before, to another."""
    last: dict[bytes, tuple[int, str]] = {}
    for record in site.records(TOPICS.transitions, 0):
        told: Mapping[str, Any] = json.loads(record.value)
        sequence, status = last.get(record.key, (0, None))
        assert told["sequence"] == sequence + 1, told
        assert status in {None, told["from"]}, told
        assert told["from"] != told["to"]
        last[record.key] = (told["sequence"], told["to"])
    assert last


@pytest.mark.timeout(900)
def test_a_changed_kpi_is_counted_again_while_the_old_counts_serve(
    site: Site, strategies: Strategies, tmp_path: Path, chance: random.Random
) -> None:
    """Killed and run again under load, it switches, exact to the last dead letter."""
    feed = Feed(site, simulated(tmp_path, days=40, per_day=60, seed=7), 4)
    services = serving(site, feed)
    feed.send()
    counted(site, TOPICS, *services)
    eventually(lambda: BEFORE in shown(site), within_s=WITHIN_S, what="the old KPI is shown")

    with feed.trickling():
        cut_off = rebuild(site, tmp_path, strategies.new)

        def begun() -> bool:
            # It stands still while it is looked at: otherwise it may be over before it is killed.
            cut_off.send(signal.SIGCONT)
            time.sleep(chance.uniform(0.02, 0.1))
            cut_off.send(signal.SIGSTOP)
            return bool(applied(site, SECOND))

        cut_off.wait_until(begun, within_s=WITHIN_S, what="something is counted again")
        cut_off.kill()
        assert all(each.running for each in services)
        kept = applied(site, SECOND)

        strategies.give(strategies.new)
        again = rebuild(site, tmp_path, strategies.new)
        assert again.wait(within_s=WITHIN_S) == 0, again.output()
    report = json.loads(next(each for each in again.output().splitlines() if each[:1] == "{"))
    assert (report["epoch"], report["previous"]) == (2, 1)
    # It went on where the killed one was.
    assert report["events"] + sum(each + 1 for each in kept.values()) <= site.sent

    for each in services:
        each.wait_for_output("epoch 2 serves now instead of 1", within_s=WITHIN_S)
    feed.send()
    counted(site, SECOND, *services)
    judge(site, SECOND, strategy=strategies.new)
    eventually(
        lambda: LATER in shown(site) and BEFORE not in shown(site),
        within_s=WITHIN_S,
        what="the new KPI is shown, and the old one is not",
    )
    # What the old epoch has is what it should have, up to its last flush.
    last = applied(site, TOPICS)
    former = folded(site, TOPICS, site.sent, strategy=strategies.old, until=last)
    assert differences(counting(site, TOPICS), former.rows) == {}
    assert sum(each + 1 for each in last.values()) < site.sent

    refused = run("worker", env=site.env | {"KPI_STREAM_STRATEGY": str(strategies.old)}, code=2)
    assert "epoch 2 serves, and is counted by other KPI definitions" in refused.stderr
    assert "kpi-stream rebuild" in refused.stderr
    assert [each.terminate(within_s=WITHIN_S) for each in services] == [0, 0]
    assert_each_transition_is_told_once(site)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_to_and_fro_between_two_epochs(site: Site, strategies: Strategies, tmp_path: Path) -> None:
    """Back to the old definitions and forth again: each event counts once, each letter is one."""
    feed = Feed(site, simulated(tmp_path, days=40, per_day=60, seed=9), 12)
    services = [*serving(site, feed), site.worker()]
    services[-1].wait_for_output("metrics on", within_s=WITHIN_S)  # it has read its strategy
    epoch = 1
    for turn in range(4):
        strategy, other = strategies.new, 2
        if epoch == 2:
            strategy, other = strategies.old, 1
        strategies.give(strategy)
        with feed.trickling():
            # Without a name it is the epoch that has these definitions.
            words = ("--switch-to", "2") if turn == 2 else ()
            done = rebuild(site, tmp_path, strategy, *words)
            assert done.wait(within_s=WITHIN_S) == 0, done.output()
        epoch, before = other, epoch
        said = f"epoch {epoch} serves now instead of {before}"
        for each in services:
            each.wait_until(
                lambda each=each, said=said, times=turn // 2: each.output().count(said) > times,
                within_s=WITHIN_S,
                what=said,
            )
        feed.send()
        topics = SECOND if epoch == 2 else TOPICS
        counted(site, topics, *services)
        judge(site, topics, strategy=strategy)
    assert [each.terminate(within_s=WITHIN_S) for each in services] == [0, 0, 0]
    assert_each_transition_is_told_once(site)

    assert site.run("rebuild", "--list").count("(serves)") == 1
    assert SECOND.rows in site.run("rebuild", "--remove", "2", "--yes")
    assert "epoch 2" not in site.run("rebuild", "--list")
    run("rebuild", "--remove", "1", "--yes", env=site.env, code=2)


def serving(site: Site, feed: Feed) -> list[Process]:
    """Start a worker and a scorecard that have something to show."""
    feed.send()
    services = [site.worker(), site.scorecard()]
    counted(site, TOPICS, *services)
    return services


def counting(site: Site, topics: Topics) -> dict[tuple[int, bytes], bytes]:
    """The rows of an epoch, without those that count nothing."""
    newest = {(each.partition, each.key): each.value for each in site.records(topics.rows, 0)}
    return {
        place: value
        for place, value in newest.items()
        if place[1] != b"@" and value not in {None, b"{}"}
    }


@pytest.mark.timeout(300)
def test_expired_events_are_not_passed_over(
    site: Site, strategies: Strategies, tmp_path: Path
) -> None:
    """Exit code 2 with the place, and nothing switches; accepted, the rest is counted."""
    feed = Feed(site, simulated(tmp_path, days=5, per_day=20, seed=8), 1)
    feed.send()
    worker = site.worker()
    counted(site, TOPICS, worker)
    assert worker.terminate() == 0
    admin = KafkaAdminClient(bootstrap_servers=site.brokers)
    admin.delete_records({TopicPartition(TOPICS.events, 1): 10})
    admin.close()
    refused = run("rebuild", "--strategy", strategies.new, env=site.env, code=2)
    assert "customs.events does not hold all events any more: partition 1 from offset 0 to 9" in (
        refused.stderr
    )
    assert "epoch 1: " in site.run("rebuild", "--list").replace("(serves)", "")
    site.run("rebuild", "--strategy", strategies.new, "--accept-missing")
    assert applied(site, SECOND) == applied(site, TOPICS)
