"""`kill -9` at random moments: of opening, of applying, of a flush. The rows come out exact."""

import asyncio
import json
import random
import subprocess
import sys
import time
import zlib
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import pytest

from kpi_stream.adapters.embedded_broker import EmbeddedBroker
from kpi_stream.adapters.kafka.topics import Layout, topics_init
from kpi_stream.adapters.state_codec import MsgspecStateCodec
from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.application.fold import PartitionFold
from kpi_stream.application.ports import POSITION_KEY, BrokerOptions, Topics
from kpi_stream.bootstrap.common import event_codec
from kpi_stream.domain.catalogue import Catalogue
from kpi_stream.domain.errors import EventRejected
from kpi_stream.settings import Settings
from tests.support.counting import encode
from tests.support.kafka import Kafka
from tests.support.processes import Process
from tests.support.streams import new_topics, records_of, send, table

EVENTS = 240_000
PARTITIONS = 2
SUBJECTS = 5_000
WITHIN_S = 90.0
_PROGRAM = Path(sys.executable).parent / "kpi-stream"


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


def _kill_again_and_again(brokers: str, guarantee: str, log: Path, kills: int) -> None:
    topics = new_topics(brokers, partitions=PARTITIONS)
    count = EVENTS // PARTITIONS
    chance = random.Random(kills)

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
def test_exactly_once_on_kafka(kafka: Kafka, tmp_path: Path) -> None:
    """No event counts twice and none is lost, however often the worker is killed."""
    _kill_again_and_again(kafka.bootstrap, "exactly_once", tmp_path / "worker.log", 12)


@pytest.mark.timeout(400)
def test_at_least_once_on_the_embedded_broker(
    embedded_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    """The order of the writes and the position records repair what a kill cut off."""
    _kill_again_and_again(embedded_broker.bootstrap, "at_least_once", tmp_path / "w.log", 4)


def _simulated(path: Path) -> list[bytes]:
    """Events of some 4,000 declarations, with everything that may be wrong with a feed."""
    command = ["simulate", "--days", "60", "--per-day", "60", "--seed", "3", "--output", str(path)]
    for what in ("duplicates", "disorder", "late", "corrections", "conflicts", "malformed"):
        command += [f"--{what}", "0.03"]
    subprocess.run([_PROGRAM, *command], check=True, capture_output=True, timeout=WITHIN_S)
    return path.read_bytes().splitlines()


def _key(line: bytes) -> bytes | None:
    try:
        return str(json.loads(line)["subject"]).encode()
    except (ValueError, KeyError, TypeError):
        return None


def _partitioned(lines: list[bytes]) -> list[list[tuple[bytes | None, bytes]]]:
    parts: list[list[tuple[bytes | None, bytes]]] = [[] for _ in range(PARTITIONS)]
    for line in lines:
        key = _key(line)
        parts[zlib.crc32(key or b"") % PARTITIONS].append((key, line))
    return parts


def _summed(rows: Iterable[tuple[bytes, bytes | None]]) -> dict[tuple[str, ...], Counter[str]]:
    """Counters by resolution, pane and members; generations and partitions added up."""
    sums: dict[tuple[str, ...], Counter[str]] = {}
    for key, value in rows:
        if value is None:
            continue
        resolution, start, _generation, *members = key.decode().split("|")
        sums.setdefault((resolution, start, *members), Counter()).update(json.loads(value))
    return {key: each for key, each in sums.items() if any(each.values())}


def _folded(parts: list[list[tuple[bytes | None, bytes]]]) -> dict[tuple[str, ...], Counter[str]]:
    """What one fold that never stops makes of each partition."""
    settings = Settings()
    strategy = load_strategy(packaged_strategy_path())
    decode = event_codec(settings, strategy).decode
    rows: list[tuple[bytes, bytes | None]] = []
    for part in parts:
        fold = PartitionFold(Catalogue(strategy), MsgspecStateCodec())
        newest: dict[bytes, bytes | None] = {}
        for key, value in part:
            with suppress(EventRejected):
                fold.apply(decode(key, value, int(time.time() * 1000)))
        newest.update(fold.drain().rows)
        rows += newest.items()
    return _summed(rows)


@pytest.mark.timeout(400)
def test_the_whole_strategy_is_exact_after_kills(own_kafka: Kafka, tmp_path: Path) -> None:
    """The rows of a worker killed ten times are those of a fold that never stopped."""
    brokers, topics = own_kafka.bootstrap, Topics()
    topics_init(BrokerOptions((brokers,)), topics, Layout(partitions=PARTITIONS))
    parts = _partitioned(_simulated(tmp_path / "events.jsonl"))
    env = {
        "KPI_STREAM_BROKERS": brokers,
        "KPI_STREAM_WORKER_PORT": "0",
        "KPI_STREAM_INSTANCE_ID": "the-worker",
        "KPI_STREAM_FLUSH_INTERVAL_S": "0.05",
        "KPI_STREAM_FLUSH_MAX_EVENTS": "500",
    }
    kills, chance = 10, random.Random(5)
    worker = Process([_PROGRAM, "worker"], log=tmp_path / "worker.log", env=env)

    def feed(share: int) -> None:
        for partition, part in enumerate(parts):
            piece = part[len(part) * share // (kills + 1) : len(part) * (share + 1) // (kills + 1)]
            asyncio.run(send(brokers, topics.events, piece, partition=partition))

    for kill in range(kills):
        feed(kill)
        opened = worker.output().count("opened, applied")
        with worker:
            worker.wait_until(
                lambda before=opened: worker.output().count("opened, applied") > before,
                within_s=WITHIN_S,
                what="a partition is opened",
            )
            time.sleep(chance.uniform(0, 0.5))
            worker.kill()
    feed(kills)
    with worker:
        ends = {partition: len(part) - 1 for partition, part in enumerate(parts)}
        worker.wait_until(
            lambda: _applied(brokers, topics) == ends, within_s=WITHIN_S, what="all applied"
        )
        assert worker.terminate() == 0
    found = _summed((key, value) for (_, key), value in table(brokers, topics.rows).items())
    expected = _folded(parts)
    assert len(expected) > 1_000
    assert found == expected


def _applied(brokers: str, topics: Topics) -> dict[int, int]:
    """The offset of the last event in the rows, by partition."""
    return {
        record.partition: json.loads(record.value or b"{}")["applied"]
        for record in asyncio.run(records_of(brokers, topics.rows))
        if record.key == POSITION_KEY
    }
