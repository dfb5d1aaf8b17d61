"""One broker that restarts, dies, stays away, is slow, drops connections or goes silent.

The worker has load all the while. Afterwards the rows, subjects and dead letters are those of one
fold that never stopped, and the positions stand at the last event. It goes on by itself, or ends
with an exit code other than 0 within its stated time: it never stands still in silence.
"""

import random
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kpi_stream.adapters.kafka import writer
from kpi_stream.adapters.simulator import Record
from kpi_stream.application.ports import Guarantee
from kpi_stream.domain.errors import Unavailable
from tests.support.broker_fault import WITHIN_S, settle, wait_for_load
from tests.support.fresh_site import fresh_site
from tests.support.kafka_cluster import KafkaCluster
from tests.support.processes import eventually
from tests.support.site import Site
from tests.support.steady_feed import steady
from tests.support.stores import Rig, events, fed, filled
from tests.support.streams import new_topics

SESSION_S = 6
STALLED_AFTER_S = 4
EXIT_AFTER_S = 12


@pytest.fixture
def site(proxied_broker: KafkaCluster, tmp_path: Path) -> Iterator[Site]:
    """Topics of two partitions, reached through the proxy, without any worker."""
    chosen = {"partitions": 2, "session_timeout_s": SESSION_S, "flush_interval_s": 0.2}
    with fresh_site(proxied_broker.bootstrap, tmp_path, **chosen) as made:
        yield made
        proxied_broker.heal()


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_restart_and_a_kill(
    site: Site, proxied_broker: KafkaCluster, month_of_records: list[Record]
) -> None:
    """The worker goes on by itself after an orderly restart, and after `kill -9`."""
    (node,) = proxied_broker.nodes
    worker = site.worker()
    with steady(site, proxied_broker.inside, month_of_records):
        wait_for_load(site, worker)
        node.stop()
        node.start()
        wait_for_load(site, worker)
        node.kill()
        node.start()
        wait_for_load(site, worker)
    settle(site, worker)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_silent_broker_ends_the_worker_in_time(
    site: Site, proxied_broker: KafkaCluster, month_of_records: list[Record]
) -> None:
    """An idle worker stays; one that gets no answer says so, and ends after the stated time."""
    limits = {"stalled_after_s": STALLED_AFTER_S, "stalled_exit_s": EXIT_AFTER_S}
    worker = site.start("worker", **limits)
    worker.wait_for_output("metrics on", within_s=WITHIN_S)
    with pytest.raises(TimeoutError):
        eventually(
            lambda: not worker.running,
            within_s=1.25 * EXIT_AFTER_S,
            what="an idle worker is taken for a stalled one",
        )
    with steady(site, proxied_broker.inside, month_of_records):
        wait_for_load(site, worker)
        proxied_broker.proxy.half_open()
        assert worker.wait(within_s=WITHIN_S) == 1
        assert re.search(
            r"partition \d: nothing moved for \d\d s; "
            r"(\d+ events (wait|are not flushed)|no fetch is answered); "
            r"the limit is 12 s: the process ends itself \(exit code 1\)\n",
            worker.output(),
        ), worker.output()
        # What an orchestrator starts meanwhile ends too, and says that nobody answers.
        worker = site.worker()
        assert worker.wait(within_s=WITHIN_S) == 1
        assert "no Kafka broker answers at" in worker.output()
        proxied_broker.proxy.heal()
        worker = site.worker()
        wait_for_load(site, worker)
    settle(site, worker)


@pytest.mark.long
def test_a_transaction_without_an_answer_is_given_up(
    proxied_broker: KafkaCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client would wait for ever: for the end of a flush, and for the opening of a store."""
    monkeypatch.setattr(writer, "WRITE_S", 3.0)
    topics = new_topics(proxied_broker.inside)
    rig = Rig(proxied_broker.bootstrap, topics, Guarantee.EXACTLY_ONCE)

    async def scenario() -> None:
        await filled(rig)
        store = await rig.open()
        fed(store, events(0, 9))
        proxied_broker.proxy.half_open()
        with pytest.raises(Unavailable, match="could not be written: TimeoutError"):
            await store.flush()
        with pytest.raises(Unavailable, match="no answer in time"):
            await rig.open()
        opening = rig.options().writer(0)
        with pytest.raises(Unavailable, match="could not be written: TimeoutError"):
            await opening.start()
        await opening.stop()
        proxied_broker.proxy.heal()
        monkeypatch.setattr(writer, "WRITE_S", 60.0)
        again = await rig.open()
        fed(again, events(0, 19))
        await again.close(60)
        assert await rig.row() == (20, 3, sum(range(20)))

    rig.run(scenario())


@pytest.mark.long
@pytest.mark.timeout(900)
def test_half_a_minute_away(
    site: Site, proxied_broker: KafkaCluster, month_of_records: list[Record]
) -> None:
    """Five times the session time-out without a broker: the same worker goes on."""
    (node,) = proxied_broker.nodes
    worker = site.worker()
    with steady(site, proxied_broker.inside, month_of_records):
        wait_for_load(site, worker)
        node.kill()
        time.sleep(5 * SESSION_S)  # the fault itself
        assert worker.running, worker.output()
        node.start()
        wait_for_load(site, worker)
    settle(site, worker)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_slow_broker(
    site: Site, proxied_broker: KafkaCluster, month_of_records: list[Record]
) -> None:
    """Half a second for each way and a narrow line: late, but nothing stops."""
    worker = site.worker()
    with steady(site, proxied_broker.inside, month_of_records, per_s=200):
        wait_for_load(site, worker)
        proxied_broker.proxy.latency_s = 0.5
        proxied_broker.proxy.bytes_per_s = 100_000
        wait_for_load(site, worker, 3_000)
        proxied_broker.proxy.heal()
    settle(site, worker)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_connections_that_drop_again_and_again(
    site: Site, proxied_broker: KafkaCluster, month_of_records: list[Record], chance: random.Random
) -> None:
    """Thirty times, at random moments, all connections end in the middle (RST)."""
    worker = site.worker()
    cut = 0
    with steady(site, proxied_broker.inside, month_of_records):
        wait_for_load(site, worker)
        for _ in range(30):
            cut += proxied_broker.proxy.reset()
            time.sleep(chance.uniform(0.0, 1.5))  # the moment of the next fault, not a wait
        wait_for_load(site, worker)
    assert cut > 60  # it was connected again in between
    settle(site, worker)
