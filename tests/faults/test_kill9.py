"""`kill -9` of a worker that counts at random moments: of opening, of applying, of a flush."""

import asyncio
import json
import random
import sys
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from kpi_stream.adapters.embedded_broker import EmbeddedBroker
from kpi_stream.application.ports import Topics
from tests.support.counting import encode
from tests.support.kafka import Kafka
from tests.support.processes import Process
from tests.support.streams import new_topics, send, table

EVENTS = 240_000
PARTITIONS = 2
SUBJECTS = 5_000
WITHIN_S = 180.0


def _worker(log: Path, brokers: str, topics: Topics, guarantee: str) -> Process:
    wanted = {
        "brokers": brokers,
        "topics": asdict(topics),
        "guarantee": guarantee,
        "flush": {"interval_s": 0.05, "max_events": 4_000},
        # A name of its own: a restart takes 2 s, not the session timeout.
        "instance_id": "the-worker",
    }
    command = [sys.executable, "-m", "tests.support.counting", json.dumps(wanted)]
    return Process(command, log=log, cwd=Path(__file__).parents[2])


def _counted(brokers: str, topics: Topics) -> int:
    return sum(json.loads(value)[0] for value in table(brokers, topics.rows).values())


def _kill_again_and_again(
    brokers: str, guarantee: str, log: Path, kills: int, chance: random.Random
) -> None:
    topics = new_topics(brokers, partitions=PARTITIONS)
    count = EVENTS // PARTITIONS

    def feed(part: int) -> None:
        events = [
            encode(f"s{n % SUBJECTS}", n)
            for n in range(count * part // (kills + 1), count * (part + 1) // (kills + 1))
        ]
        for partition in range(PARTITIONS):
            asyncio.run(send(brokers, topics.events, events, partition=partition))

    moments = []
    for kill in range(kills):
        feed(kill)
        with _worker(log, brokers, topics, guarantee) as worker:
            opened = worker.output().count("opened, applied")
            if kill % 4:  # every fourth dies while it joins or opens
                worker.wait_until(
                    lambda before=opened: worker.output().count("opened, applied") > before,
                    within_s=WITHIN_S,
                    what="a partition is opened",
                )
                time.sleep(chance.uniform(0, 0.6))
            else:
                time.sleep(chance.uniform(0.5, 2.5))
            moments.append(_counted(brokers, topics))
            worker.kill()
    feed(kills)
    with _worker(log, brokers, topics, guarantee) as worker:
        worker.wait_until(
            lambda: _counted(brokers, topics) >= EVENTS, within_s=WITHIN_S, what="all counted"
        )
        assert worker.terminate() == 0
    # The kills fell into the work, not all before it.
    assert len(set(moments)) > kills // 3
    rows = {key[0]: json.loads(value) for key, value in table(brokers, topics.rows).items()}
    whole = [count, SUBJECTS, sum(range(count))]
    assert rows == dict.fromkeys(range(PARTITIONS), whole)
    subjects = table(brokers, topics.declarations)
    assert len(subjects) == PARTITIONS * SUBJECTS
    assert set(subjects.values()) == {str(count // SUBJECTS).encode()}


@pytest.mark.timeout(400)
def test_exactly_once_on_kafka(kafka: Kafka, tmp_path: Path, chance: random.Random) -> None:
    """No event counts twice and none is lost, however often the worker is killed."""
    _kill_again_and_again(kafka.bootstrap, "exactly_once", tmp_path / "worker.log", 12, chance)


@pytest.mark.timeout(400)
def test_at_least_once_on_the_embedded_broker(
    embedded_broker: EmbeddedBroker, tmp_path: Path, chance: random.Random
) -> None:
    """The order of the writes and the position records repair what a kill cut off."""
    _kill_again_and_again(embedded_broker.bootstrap, "at_least_once", tmp_path / "w.log", 4, chance)
