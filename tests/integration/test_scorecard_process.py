"""The scorecard process on real brokers: scraped, reloaded, killed, fenced."""

import contextlib
import itertools
import json
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kpi_stream.adapters.embedded_broker import EmbeddedBroker
from kpi_stream.domain.errors import InputError
from tests.support.required import missing
from tests.support.scorecard import ADVANCE, RELEASE
from tests.support.scorecard_site import NATIONAL, Site, await_status, call, sample, serving, status


@pytest.fixture(params=["embedded_broker", pytest.param("kafka", marks=pytest.mark.kafka)])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """A site on the embedded broker (at least once) and on Apache Kafka (exactly once)."""
    broker = request.getfixturevalue(request.param)
    made = Site(broker.bootstrap, tmp_path, exactly_once=request.param == "kafka")
    yield made
    made.close()


def test_rows_become_metrics_statuses_and_records(site: Site) -> None:
    """Rows of all partitions are added up, judged, scraped, published, and end cleanly."""
    site.number(3, anticipated=True, partition=0)
    site.number(1, anticipated=False, partition=1)
    with site.process() as process:
        port = serving(process)
        await_status(port, "at_risk")
        text = call(port, "/metrics").text
        assert sample(text, "kpi_stream_kpi_value_ratio", **NATIONAL) == 0.75
        assert sample(text, "kpi_stream_kpi_samples", **NATIONAL) == 4
        assert sample(text, "kpi_stream_kpi_expected_ratio", **NATIONAL) == 0.8
        assert sample(text, "kpi_stream_kpi_value_seconds", kpi=RELEASE) is None
        assert sample(text, "kpi_stream_scorecard_caught_up") == 1
        assert sample(text, "kpi_stream_scorecard_lag_events", partition="1") == 0
        shown = json.loads(call(port, "/api/v1/scorecard").text)
        faster = shown["perspectives"][0]["objectives"][0]
        assert (faster["id"], faster["status"]) == ("faster", "at_risk")
        series = faster["kpis"][1]["series"][0]
        assert (series["value"], series["expected"], series["samples"]) == (0.75, 0.8, 4)

        site.number(6, anticipated=True, partition=1)
        await_status(port, "on_track")
        assert process.terminate() == 0
    transitions = site.records(site.topics.transitions)
    assert len(transitions) == 1
    told = transitions[0][1]
    assert told is not None
    assert {
        "from": "at_risk",
        "to": "on_track",
        "value": 0.9,
        "samples": 10,
        "sequence": 1,
    }.items() <= told.items()
    latest = dict(site.records(site.topics.readings))[b"advance-share|24h|national|"]
    assert latest is not None
    assert (latest["value"], latest["status"], latest["numerator"]) == (0.9, "on_track", 9)


def test_a_wrong_strategy_is_refused_and_the_old_one_stays(site: Site) -> None:
    """A reload reports every problem, a metric says so, and the next good one is judged by."""
    site.number(3, anticipated=True)
    site.number(1, anticipated=False)
    with site.process() as process:
        port = serving(process)
        await_status(port, "at_risk")

        site.goal("much")
        answer = call(port, "/-/reload", "POST")
        assert answer.status == 400
        assert "kpis.yaml: kpis[0]: has no owner" in answer.text
        assert "targets.yaml: goal: is no number" in answer.text
        text = call(port, "/metrics").text
        assert sample(text, "kpi_stream_strategy_last_reload_successful") == 0
        assert sample(text, "kpi_stream_kpi_target_ratio", **NATIONAL, bound="goal") == 0.8

        site.goal(0.8, kpis=3)  # one KPI that is not measured less: the rows are read again
        assert call(port, "/-/reload", "POST").status == 200
        process.wait_until(
            lambda: (
                sample(call(port, "/metrics").text, "kpi_stream_kpi_info", kpi="officer-load")
                is None
            ),
            within_s=90,
            what="the KPI is gone",
        )
        assert status(port) == "at_risk"

        site.goal(0.5)
        process.send(signal.SIGHUP)
        await_status(port, "on_track")
        text = call(port, "/metrics").text
        assert sample(text, "kpi_stream_strategy_last_reload_successful") == 1
        assert sample(text, "kpi_stream_kpi_target_ratio", **NATIONAL, bound="goal") == 0.5

        site.goal(0.5, kpis=1)  # counts less than the worker does
        answer = call(port, "/-/reload", "POST")
        assert answer.status == 400
        assert "the worker counts by other KPI definitions" in answer.text


def test_a_killed_scorecard_repeats_no_transition(site: Site) -> None:
    """Killed at random moments while a status comes and goes, it tells each change once."""
    site.share(0.9)
    chance = random.Random(7)
    with site.process() as process:
        for turn in range(5):
            await_status(serving(process), "on_track", "off_track")
            site.share(0.9 if turn % 2 else 0.1)
            if turn % 3 == 0:
                await_status(serving(process), "on_track" if turn % 2 else "off_track")
            time.sleep(chance.uniform(0.0, 0.6))  # the moment of death, not a wait
            process.kill()
        await_status(serving(process), "off_track")
        assert process.terminate() == 0
    told = [value for _, value in site.records(site.topics.transitions) if value]
    told = [each for each in told if each["kpi"] == ADVANCE]
    assert len(told) >= 3
    assert [each["sequence"] for each in told] == list(range(1, len(told) + 1))
    assert told[0]["from"] == "on_track"
    for before, after in itertools.pairwise(told):
        assert before["to"] == after["from"]
    assert told[-1]["to"] == "off_track"
    latest = dict(site.records(site.topics.readings))[b"advance-share|24h|national|"]
    assert latest is not None
    assert (latest["status"], latest["state"]["sequence"]) == ("off_track", len(told))


def test_a_second_scorecard_ends_the_first(kafka: object, tmp_path: Path) -> None:
    """Of two scorecards with one transactional id, only the younger goes on publishing."""
    site = Site(kafka.bootstrap, tmp_path, exactly_once=True)  # type: ignore[attr-defined]
    site.number(4, anticipated=True)
    first, second = site.process("first"), site.process("second")
    with first, contextlib.ExitStack() as later:
        serving(first)
        later.enter_context(second)
        port = serving(second)
        site.number(100, anticipated=False)
        assert first.wait(within_s=90) == 1
        assert "another scorecard has taken over" in first.output()
        await_status(port, "off_track")
        assert second.terminate() == 0
    site.close()


def test_a_broker_that_is_gone_neither_stops_it_nor_holds_it_back(tmp_path: Path) -> None:
    """Evaluations go on over what is known, the age grows, and SIGTERM ends it in order."""
    try:
        broker = EmbeddedBroker().start()
    except InputError as err:
        missing("broker", str(err))
    with broker:
        site = Site(broker.bootstrap, tmp_path, exactly_once=False)
        site.number(4, anticipated=True)
        site.close()
        with site.process() as process:
            port = serving(process)
            await_status(port, "on_track")
            broker.stop()

            def age() -> float:
                text = call(port, "/metrics").text
                return sample(text, "kpi_stream_scorecard_data_age_seconds") or 0.0

            before = age()
            process.wait_until(lambda: age() > before + 1, within_s=90, what="the age grows")
            assert status(port) == "on_track"
            assert call(port, "/-/healthy").status == 200
            assert process.terminate() == 0
