"""The scorecard while its broker restarts, dies or goes silent.

It serves what it knows, says that it is not ready, and goes on by itself: with exactly what
somebody reads who starts anew.
"""

import json
import urllib.error
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from kpi_stream.adapters.simulator import Record
from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.domain.readings import SeriesKey
from tests.support.broker_fault import WITHIN_S, wait_for_load
from tests.support.fresh_site import fresh_site
from tests.support.kafka_cluster import KafkaCluster
from tests.support.processes import Process, eventually
from tests.support.site import TOPICS, Site, page
from tests.support.steady_feed import steady
from tests.support.verdict import judge, wait_until_counted

SILENT_AFTER_S = 5
_READING = ("value", "numerator", "denominator", "samples", "no_data")


@pytest.fixture
def site(proxied_broker: KafkaCluster, tmp_path: Path) -> Iterator[Site]:
    """A site whose scorecard comes through the proxy, and its worker does not."""
    chosen = {"partitions": 2, "session_timeout_s": 6, "stalled_after_s": SILENT_AFTER_S}
    with fresh_site(proxied_broker.bootstrap, tmp_path, **chosen) as made:
        yield made
        proxied_broker.heal()


def shown(document: dict[str, Any]) -> dict[SeriesKey, tuple[Any, ...]]:
    """Return the readings of a document, by series."""
    kpis = [
        kpi
        for band in document["perspectives"]
        for objective in band["objectives"]
        for kpi in objective["kpis"]
    ]
    return {
        SeriesKey(kpi["kpi"], series["window"], series["dimension"], series["member"]): tuple(
            series[name] for name in _READING
        )
        for kpi in [*kpis, *document["other_kpis"]]
        for series in kpi["series"]
    }


def counted(site: Site, as_of: str) -> dict[SeriesKey, tuple[Any, ...]]:
    """Return the readings at an instant, of the rows that somebody reads who starts anew."""
    at_ms = round(datetime.fromisoformat(as_of).timestamp() * 1000)
    with site.rows(load_strategy(packaged_strategy_path())) as rows:
        readings = rows.table().readings(at_ms)
    return {key: tuple(getattr(each, name) for name in _READING) for key, each in readings.items()}


def answer(site: Site, path: str) -> tuple[int, str]:
    """Return status and text of an endpoint of the scorecard."""
    try:
        return 200, page(site.scorecard_url + path).decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def kept(site: Site, worker: Process, brokers: str) -> Process:
    """Return the worker once it counts, or another where it has ended: it is not what is tested."""
    with suppress(RuntimeError):
        wait_for_load(site, worker)
    if not worker.running:
        assert worker.wait(within_s=1) == 1, worker.output()[-3_000:]
        worker = site.start("worker", brokers=brokers)
        wait_for_load(site, worker)
    return worker


def settle(site: Site, worker: Process, scorecard: Process) -> None:
    """The scorecard shows what is counted, to the unit, and has told each transition once."""
    wait_until_counted(site, worker, within_s=WITHIN_S)
    judge(site)
    document = site.document()
    found, expected = shown(document), counted(site, document["as_of"])
    assert len(found) > 10
    assert found == {key: expected[key] for key in found}
    assert scorecard.terminate(within_s=WITHIN_S) == 0
    told: dict[bytes, list[int]] = {}
    for record in site.records(TOPICS.transitions, 0):
        told.setdefault(record.key, []).append(json.loads(record.value)["sequence"])
    assert all(each == list(range(1, len(each) + 1)) for each in told.values()), told


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_restart_and_a_kill(
    site: Site, proxied_broker: KafkaCluster, month_of_records: list[Record]
) -> None:
    """One process throughout: its readings go on with the counts after each."""
    (node,) = proxied_broker.nodes
    worker, scorecard = site.start("worker", brokers=proxied_broker.inside), site.scorecard()
    with steady(site, proxied_broker.inside, month_of_records):
        wait_for_load(site, worker)
        node.stop()
        assert answer(site, "/-/healthy")[0] == 200
        node.start()
        worker = kept(site, worker, proxied_broker.inside)
        node.kill()
        node.start()
        worker = kept(site, worker, proxied_broker.inside)
        assert scorecard.running, scorecard.output()[-3_000:]
    settle(site, worker, scorecard)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_silent_broker(
    site: Site, proxied_broker: KafkaCluster, month_of_records: list[Record]
) -> None:
    """Not ready, with the reason, but well and serving; ready again with what was counted since."""
    worker, scorecard = site.start("worker", brokers=proxied_broker.inside), site.scorecard()
    with steady(site, proxied_broker.inside, month_of_records):
        wait_for_load(site, worker)
        proxied_broker.proxy.half_open()
        eventually(
            lambda: answer(site, "/-/ready")[0] == 503,
            within_s=WITHIN_S,
            what="the scorecard says that Kafka is silent",
        )
        status, said = answer(site, "/-/ready")
        assert (status, said.startswith("Kafka has not answered for ")) == (503, True), said
        assert answer(site, "/-/healthy")[0] == 200
        assert answer(site, "/metrics")[0] == 200
        wait_for_load(site, worker)
        proxied_broker.proxy.heal()
        eventually(
            lambda: answer(site, "/-/ready")[0] == 200,
            within_s=WITHIN_S,
            what="the scorecard is ready again",
        )
    settle(site, worker, scorecard)
