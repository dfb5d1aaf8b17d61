"""Bad input on a real Kafka: everything that is rejected is kept with its reason and its origin."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from kpi_stream.adapters.kafka.dead_letter_log import Letter, Place, read_letter
from kpi_stream.adapters.kafka.dead_letters import CUT_BYTES
from kpi_stream.adapters.state_codec import MsgspecStateCodec
from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.application.fold import PartitionFold
from kpi_stream.application.ports import POSITION_KEY
from kpi_stream.bootstrap.common import event_codec, retention
from kpi_stream.domain.catalogue import Catalogue
from kpi_stream.domain.errors import EventRejected, Reason
from kpi_stream.settings import Settings
from tests.support.kafka import Kafka
from tests.support.site import PARTITIONS, TOPICS, WITHIN_S, Site, keyed, run

STRATEGY = load_strategy(packaged_strategy_path())
COMPRESSIONS = (None, "gzip", "snappy", "lz4", "zstd")
BATCH = 150
TEN_MB = 10_000_000


class Sent(NamedTuple):
    """A record as it is sent."""

    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]
    partition: int


def changed(name: str, value: object) -> Callable[[dict[str, Any]], bytes]:
    """An event with one field replaced."""
    return lambda event: json.dumps({**event, name: value}).encode()


SPOILED: dict[str, Callable[[dict[str, Any]], bytes | None]] = {
    "cut off": lambda event: json.dumps(event).encode()[:-9],
    "tombstone": lambda _: None,
    "empty": lambda _: b"",
    "no text": lambda event: json.dumps(event).encode() + b"\xff\xfe",
    "too deep": lambda event: json.dumps({**event, "x": 1}).encode()[:-2] + b"[" * 2_000 + b"}",
    "type": changed("type", "goods.teleported"),
    "field": changed("event_id", 7),
    "number": lambda event: json.dumps({**event, "schema_version": float("nan")}).encode(),
    "naive": changed("recorded_at", "2026-01-31T08:15:00"),
    "future": changed("recorded_at", "2090-01-31T08:15:00Z"),
    "office": changed("office", "999"),
    "large": changed("x", "x" * 70_000),
    "ten megabytes": changed("x", " " * TEN_MB),
    "wrong key": lambda event: json.dumps(event).encode(),
    "null key": lambda event: json.dumps(event).encode(),
}
KEYS = {"wrong key": b"somebody else", "null key": None}


def spoiled_feed(lines: list[Any], count: int) -> list[Sent]:
    """The events with so many bad ones among them, each made from a neighbour."""
    step, kinds = len(lines) // count, cycle(SPOILED)
    feed: list[Sent] = []
    for number, line in enumerate(lines):
        headers = [("trace", b"%d" % number), ("reason", b"a header of the producer's")]
        partition = int.from_bytes(line.key[-3:], "big") % PARTITIONS
        feed.append(Sent(line.key, line.value, headers, partition))
        if number % step == 0:
            kind = next(kinds)
            # Ten megabytes each are enough of these, now and then.
            if kind == "ten megabytes" and number > len(lines) // 2:
                kind = "large"
            value = SPOILED[kind](json.loads(line.value))
            key = KEYS.get(kind, line.key)
            feed.append(Sent(key, value, [*headers, ("kind", kind.encode())], partition))
    return feed


async def send(brokers: str, feed: list[Sent]) -> None:
    """Send the feed, one batch after the other, each compressed in another way."""
    producers = [
        AIOKafkaProducer(bootstrap_servers=brokers, compression_type=each) for each in COMPRESSIONS
    ]
    try:
        for producer in producers:
            await producer.start()
        ways = cycle(producers)
        for begin in range(0, len(feed), BATCH):
            producer, packing = next(ways), producers[1]
            for partition in range(PARTITIONS):
                batch = producer.create_batch()
                for each in feed[begin : begin + BATCH]:
                    if each.partition != partition:
                        continue
                    large = len(each.value or b"") > TEN_MB
                    if not large and fits(batch, each):
                        continue
                    await (await producer.send_batch(batch, TOPICS.events, partition=partition))
                    batch = (packing if large else producer).create_batch()
                    assert fits(batch, each)
                    if large:
                        sent = await packing.send_batch(batch, TOPICS.events, partition=partition)
                        await sent
                        batch = producer.create_batch()
                await (await producer.send_batch(batch, TOPICS.events, partition=partition))
    finally:
        for producer in producers:
            await producer.stop()


def fits(batch: Any, each: Sent) -> bool:
    """Add a record, if the batch has room for it."""
    added = batch.append(key=each.key, value=each.value, headers=each.headers, timestamp=None)
    return added is not None


class Replayed(NamedTuple):
    """What a fold that never stops makes of the log."""

    rejected: dict[tuple[int, int], Reason]
    rows: dict[tuple[int, bytes], bytes]
    records: dict[tuple[int, int], Any]


def replayed(site: Site, count: int) -> Replayed:
    """Fold what the broker has, with its times of receipt."""
    settings = Settings()
    decode = event_codec(settings, STRATEGY).decode
    catalogue = Catalogue(STRATEGY)
    folds = {
        each: PartitionFold(catalogue, MsgspecStateCodec(), retention(settings))
        for each in range(PARTITIONS)
    }
    rejected: dict[tuple[int, int], Reason] = {}
    records = {(each.partition, each.offset): each for each in site.records(TOPICS.events, count)}
    for place, record in sorted(records.items()):
        try:
            event = decode(record.key, record.value, record.timestamp)
            folds[record.partition].apply(event)
        except EventRejected as err:
            rejected[place] = err.reason
    rows = {
        (partition, key): value
        for partition, fold in folds.items()
        for key, value in fold.drain().rows
        if value is not None
    }
    return Replayed(rejected, rows, records)


@pytest.fixture
def site(own_kafka: Kafka, tmp_path: Path) -> Iterator[Site]:
    """Apache Kafka with its topics."""
    with Site(own_kafka.bootstrap, tmp_path, exactly_once=True) as made:
        yield made


def left(lines: list[Any]) -> list[Any]:
    """Events of declarations that were complete two months before the feed ends."""
    old = [each for each in lines[:400] if b'"declaration.numbered"' in each.value]
    recorded = json.loads(lines[-1].value)["recorded_at"]
    late = []
    for each in old[:20]:
        event = json.loads(each.value)
        amended = {
            **{name: event[name] for name in ("schema_version", "subject", "office", "source")},
            "event_id": f"late-{event['event_id']}",
            "type": "declaration.amended",
            "occurred_at": recorded,
            "recorded_at": recorded,
            "after_release": True,
        }
        late.append(each._replace(value=json.dumps(amended).encode()))
    return late


@pytest.mark.timeout(400)
def test_every_reject_is_kept_and_the_rest_is_counted(site: Site, tmp_path: Path) -> None:
    """5 % of a feed is bad in every way there is, in batches compressed in every way."""
    path = tmp_path / "events.jsonl.gz"
    run("simulate", "--days", "100", "--per-day", "20", "--seed", "11", "-o", path)
    lines = keyed(path)
    lines += left(lines)
    feed = spoiled_feed(lines, len(lines) // 20)
    asyncio.run(send(site.brokers, feed))
    site.sent = len(feed)
    worker = site.worker()
    with site.rows(STRATEGY) as rows:
        site.wait_until_counted(rows, worker)
    outcomes = site.outcomes(worker)
    assert worker.terminate() == 0
    expected = replayed(site, len(feed))
    assert set(expected.rejected.values()) == set(Reason)

    letters = read_letters(site, len(expected.rejected))
    assert Counter(each.place.partition for each in letters) == Counter(
        partition for partition, _ in expected.rejected
    )
    found = {(each.origin.partition, each.origin.offset): each for each in letters}
    assert len(found) == len(letters)
    assert {place: Reason(each.reason) for place, each in found.items()} == expected.rejected
    cut = 0
    for place, letter in found.items():
        record = expected.records[place]
        assert letter.place.partition == record.partition
        assert letter.headers == tuple(record.headers)
        assert letter.key == record.key
        assert letter.origin.topic == TOPICS.events
        assert letter.origin.timestamp_ms == record.timestamp
        if letter.cut:
            cut += 1
            assert letter.cut == {"value": len(record.value)}
            assert letter.value == record.value[:CUT_BYTES]
        else:
            assert letter.value == record.value
    assert cut == sum(len(each.value or b"") > TEN_MB for each in feed) > 0

    assert outcomes["rejected"] == len(letters)
    assert sum(outcomes.values()) == len(feed)
    held = counting({at: each for at, each in rows.by_key.items() if at[1] != POSITION_KEY})
    assert len(held) > 1_000
    assert held == counting(expected.rows)


def counting(rows: dict[tuple[int, bytes], bytes]) -> dict[tuple[int, bytes], bytes]:
    """Without those that count nothing: one stays where a flush came before it was emptied."""
    return {place: value for place, value in rows.items() if value != b"{}"}


def read_letters(site: Site, at_least: int) -> list[Letter]:
    """Read all dead letters."""
    records = site.records(TOPICS.dead_letters, at_least)
    letters = [read_letter(Place(each.partition, each.offset), each) for each in records]
    assert None not in letters
    return [each for each in letters if each is not None]


def test_ten_megabytes_as_they_are_never_reach_the_log(site: Site) -> None:
    """The broker refuses a batch above the topic's limit: the producer is told, and no worker."""

    async def refused() -> None:
        producer = AIOKafkaProducer(bootstrap_servers=site.brokers, max_request_size=2 * TEN_MB)
        async with producer:
            with pytest.raises(KafkaError) as error:
                await producer.send_and_wait(TOPICS.events, b"x" * TEN_MB, b"k", partition=0)
            assert isinstance(error.value, MessageSizeTooLargeError)

    asyncio.run(refused())
    assert site.records(TOPICS.events, 0) == []


def test_a_wrong_deployment_stops_before_it_drains_the_topic(site: Site, tmp_path: Path) -> None:
    """Exit code 2 with counts and advice, after every restart again, until somebody decides."""
    window = 400
    site.env |= {
        "KPI_STREAM_DEAD_LETTER_LIMIT": "0.2",
        "KPI_STREAM_DEAD_LETTER_WINDOW": str(window),
    }
    path = tmp_path / "events.jsonl"
    run("simulate", "--days", "10", "--per-day", "45", "--seed", "4", "-o", path)
    lines = keyed(path)
    bad = [each._replace(value=changed("office", "999")(json.loads(each.value))) for each in lines]
    # Three quarters of a window in each partition: too few to judge.
    some = 3 * window // 4 * PARTITIONS
    bad = bad[: 2 * some]
    assert len(bad) == 2 * some
    site.send(bad[:some])
    worker = site.worker()
    with site.rows(STRATEGY) as rows:
        site.wait_until_counted(rows, worker)
    assert worker.terminate() == 0
    site.send(bad[some:])
    kept = []
    for _ in range(3):
        worker = site.worker()
        assert worker.wait(within_s=WITHIN_S) == 2
        said = worker.output()
        assert "events were rejected (limit: 20%): " in said
        assert "unknown_office; the last: partition " in said
        assert "run it with dead_letter_limit = 0 until it has caught up" in said
        assert "Traceback" not in said.split("kpi-stream: ")[-1]
        kept.append(len(site.records(TOPICS.dead_letters, 0)))
    # Of each partition less than a window, however often it is started.
    assert kept[-1] < window * PARTITIONS
    site.env["KPI_STREAM_DEAD_LETTER_LIMIT"] = "0"
    worker = site.worker()
    with site.rows(STRATEGY) as rows:
        site.wait_until_counted(rows, worker)
    assert worker.terminate() == 0
    assert site.dead_letters(len(bad)) == {"unknown_office": len(bad)}
    # Put right, it goes on with the limit in force.
    site.env["KPI_STREAM_DEAD_LETTER_LIMIT"] = "0.2"
    worker = site.worker()
    site.send(lines)
    with site.rows(STRATEGY) as rows:
        site.wait_until_counted(rows, worker)
    assert worker.terminate() == 0
