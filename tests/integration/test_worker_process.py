"""Whole worker processes: joining, leaving, sharing, stopping for a reason."""

import asyncio
import json
import re
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from kafka import KafkaAdminClient
from kafka import TopicPartition as KafkaPartition

from kpi_stream.adapters.embedded_broker import EmbeddedBroker
from kpi_stream.application.ports import Topics
from tests.support.counting import encode
from tests.support.kafka import Kafka
from tests.support.processes import Process, eventually
from tests.support.streams import new_topics, records_of, send, table, table_of

WITHIN_S = 180.0
Start = Callable[..., Process]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts workers; all are killed in the end."""
    started: list[Process] = []

    def start_worker(brokers: str, topics: Topics, **wanted: Any) -> Process:
        argument = json.dumps({"brokers": brokers, "topics": asdict(topics), **wanted})
        process = Process(
            [sys.executable, "-m", "tests.support.counting", argument],
            log=tmp_path / f"worker-{len(started)}.log",
            cwd=Path(__file__).parents[2],
        )
        started.append(process)
        return process.start()

    yield start_worker
    for process in started:
        process.kill()


def counted(brokers: str, topics: Topics) -> int:
    """Events in the committed rows of all partitions."""
    return sum(json.loads(value)[0] for value in table(brokers, topics.rows).values())


def wait_for(worker: Process, brokers: str, topics: Topics, events: int) -> None:
    """Wait until so many events are in the rows."""
    worker.wait_until(
        lambda: counted(brokers, topics) >= events, within_s=WITHIN_S, what=f"{events} in the rows"
    )


def feed(first: int, last: int) -> list[tuple[bytes, bytes]]:
    """Events of many subjects."""
    return [encode(f"s{n % 97}", n) for n in range(first, last)]


def check(brokers: str, topics: Topics, events: dict[int, int]) -> None:
    """The rows hold exactly these numbers of events by partition, which `feed` made from 0."""
    rows = {key[0]: json.loads(value) for key, value in table(brokers, topics.rows).items()}
    assert rows == {
        partition: [count, min(count, 97), sum(range(count))] for partition, count in events.items()
    }


def test_a_feed_on_the_embedded_broker_is_counted_to_its_last_event(
    embedded_broker: EmbeddedBroker, start: Start
) -> None:
    """The tail is flushed although nothing follows; SIGTERM ends in good order with exit 0."""
    brokers = embedded_broker.bootstrap
    topics = new_topics(brokers, partitions=2)
    for partition in (0, 1):
        asyncio.run(send(brokers, topics.events, feed(0, 7_001), partition=partition))
    worker = start(brokers, topics, guarantee="at_least_once")
    wait_for(worker, brokers, topics, 14_002)
    assert worker.terminate() == 0
    assert "ended in good order" in worker.output()
    check(brokers, topics, {0: 7_001, 1: 7_001})


def test_a_stop_flushes_what_the_clock_would_have(kafka: Kafka, start: Start) -> None:
    """With an interval of an hour, SIGTERM makes the events durable all the same.

    The next start then reads none of them again: the group's offset was committed, too.
    """
    brokers, topics = kafka.bootstrap, new_topics(kafka.bootstrap)
    asyncio.run(send(brokers, topics.events, feed(0, 500)))
    worker = start(brokers, topics, flush={"interval_s": 3600})
    worker.wait_for_output("applied 500", within_s=WITHIN_S)
    assert worker.terminate() == 0
    check(brokers, topics, {0: 500})
    asyncio.run(send(brokers, topics.events, feed(500, 600)))
    again = start(brokers, topics)
    wait_for(again, brokers, topics, 600)
    assert again.terminate() == 0
    assert "counted 100 skipped 0" in again.output()


@pytest.mark.parametrize("compression", ["gzip", "snappy", "lz4", "zstd"])
def test_producers_may_compress_as_they_like(kafka: Kafka, start: Start, compression: str) -> None:
    """Without cramjam the fetcher would crash."""
    brokers, topics = kafka.bootstrap, new_topics(kafka.bootstrap)
    asyncio.run(send(brokers, topics.events, feed(0, 300), compression=compression))
    wait_for(start(brokers, topics), brokers, topics, 300)
    check(brokers, topics, {0: 300})


def test_aborted_events_do_not_count(kafka: Kafka, start: Start) -> None:
    """A producer may write in transactions; the markers in the log are no gap either."""
    brokers, topics = kafka.bootstrap, new_topics(kafka.bootstrap)

    async def transactions() -> None:
        producer = AIOKafkaProducer(bootstrap_servers=brokers, transactional_id=topics.events)
        await producer.start()
        for first in range(0, 100, 10):
            for commit in (False, True):
                await producer.begin_transaction()
                for key, value in feed(first, first + 10):
                    await producer.send_and_wait(topics.events, value, key, partition=0)
                await (producer.commit_transaction if commit else producer.abort_transaction)()
        await producer.stop()

    asyncio.run(transactions())
    worker = start(brokers, topics)
    wait_for(worker, brokers, topics, 100)
    assert worker.terminate() == 0
    check(brokers, topics, {0: 100})
    # Once, since the log begins with markers; never for those within it.
    assert worker.output().count("is read again from offset") == 1


def test_one_two_one_workers_under_load_count_exactly(kafka: Kafka, start: Start) -> None:
    """State moves with its partitions, twice, while events keep coming."""
    brokers, topics = kafka.bootstrap, new_topics(kafka.bootstrap, partitions=4)
    total = 12_000

    async def load(first: int, last: int) -> None:
        for partition in range(4):
            await send(brokers, topics.events, feed(first, last), partition=partition)

    flush = {"interval_s": 0.05}
    one = start(brokers, topics, flush=flush)
    asyncio.run(load(0, 4_000))
    wait_for(one, brokers, topics, 4_000)
    two = start(brokers, topics, flush=flush)
    # Or the first has counted all of it before the second is there.
    two.wait_for_output("Worker ready", within_s=WITHIN_S)
    asyncio.run(load(4_000, 8_000))
    two.wait_for_output(r"partition \d opened", within_s=WITHIN_S)
    asyncio.run(load(8_000, total))
    assert one.terminate() == 0
    wait_for(two, brokers, topics, 4 * total)
    assert two.terminate() == 0
    check(brokers, topics, dict.fromkeys(range(4), total))


def test_more_workers_than_partitions_are_welcome(kafka: Kafka, start: Start) -> None:
    """The surplus one waits and takes over when the other goes."""
    brokers, topics = kafka.bootstrap, new_topics(kafka.bootstrap)
    asyncio.run(send(brokers, topics.events, feed(0, 100)))
    workers = [start(brokers, topics), start(brokers, topics)]
    eventually(lambda: counted(brokers, topics) >= 100, within_s=WITHIN_S, what="100 in the rows")
    owner = next(each for each in workers if "partition 0 opened" in each.output())
    other = next(each for each in workers if each is not owner)
    assert owner.terminate() == 0
    asyncio.run(send(brokers, topics.events, feed(100, 200)))
    wait_for(other, brokers, topics, 200)
    check(brokers, topics, {0: 200})


def test_a_paused_worker_is_fenced_and_joins_again(kafka: Kafka, start: Start) -> None:
    """It sleeps through its session with events in hand; another counts them; then it wakes."""
    brokers, topics = kafka.bootstrap, new_topics(kafka.bootstrap)
    asyncio.run(send(brokers, topics.events, feed(0, 100)))
    zombie = start(brokers, topics, flush={"interval_s": 3.0, "fenced_s": 3.0})
    zombie.wait_for_output("applied 100", within_s=WITHIN_S)
    zombie.send(signal.SIGSTOP)
    owner = start(brokers, topics)
    wait_for(owner, brokers, topics, 100)
    zombie.send(signal.SIGCONT)
    asyncio.run(send(brokers, topics.events, feed(100, 200)))
    eventually(lambda: counted(brokers, topics) >= 200, within_s=WITHIN_S, what="200 in the rows")
    zombie.wait_for_output("another worker has taken over", within_s=WITHIN_S)
    assert (zombie.running, owner.running) == (True, True)
    check(brokers, topics, {0: 200})


def test_a_group_that_is_ahead_of_a_lost_state_is_rewound(kafka: Kafka, start: Start) -> None:
    """A new epoch counts every event again, whatever the group has committed."""
    brokers, topics = kafka.bootstrap, new_topics(kafka.bootstrap)
    asyncio.run(send(brokers, topics.events, feed(0, 20_000)))

    async def commit_ahead() -> None:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=brokers, group_id=topics.events, enable_auto_commit=False
        )
        await consumer.start()
        tp = TopicPartition(topics.events, 0)
        consumer.assign([tp])
        await consumer.commit({tp: 12_000})
        await consumer.stop()

    asyncio.run(commit_ahead())
    worker = start(brokers, topics)
    wait_for(worker, brokers, topics, 20_000)
    assert "partition 0 is read again from offset 0" in worker.output()
    check(brokers, topics, {0: 20_000})


def test_expired_events_end_the_worker_and_are_named(kafka: Kafka, start: Start) -> None:
    """They were removed between two runs, before they were counted."""
    brokers, topics = kafka.bootstrap, new_topics(kafka.bootstrap)
    asyncio.run(send(brokers, topics.events, feed(0, 100)))
    worker = start(brokers, topics)
    wait_for(worker, brokers, topics, 100)
    assert worker.terminate() == 0
    asyncio.run(send(brokers, topics.events, feed(100, 300)))
    admin = KafkaAdminClient(bootstrap_servers=brokers)
    admin.delete_records({KafkaPartition(topics.events, 0): 150})
    admin.close()
    again = start(brokers, topics)
    assert again.wait(within_s=WITHIN_S) == 1
    assert "StateError: partition 0: the events from offset 100 to 149 expired" in again.output()


def test_a_topic_recreated_under_a_worker_ends_it(kafka: Kafka, start: Start) -> None:
    """It must not go on and skip the new events as known ones."""
    brokers, topics = kafka.bootstrap, new_topics(kafka.bootstrap)
    asyncio.run(send(brokers, topics.events, feed(0, 100)))
    worker = start(brokers, topics, metadata_max_age_s=1.0)
    wait_for(worker, brokers, topics, 100)
    admin = KafkaAdminClient(bootstrap_servers=brokers)
    admin.delete_topics([topics.events])
    admin.create_topics({topics.events: {"num_partitions": 1, "replication_factor": 1}})
    admin.close()
    asyncio.run(send(brokers, topics.events, feed(0, 300)))
    assert worker.wait(within_s=WITHIN_S) == 1
    assert "was created again since the state was written" in worker.output()
    assert counted(brokers, topics) == 100


@pytest.mark.parametrize(
    ("event", "wanted", "said"),
    [
        (b'["defect", 1]', {}, "StateError: .* offset 20 could not be folded"),
        (b"{", {"reject_limit": {"share": 0.01, "events": 20}}, "InputError: 1 of the last"),
    ],
)
def test_an_error_ends_the_worker_with_its_reason(
    kafka: Kafka, start: Start, event: bytes, wanted: dict[str, Any], said: str
) -> None:
    """An agent never dies silently; nothing of the failed batch is written."""
    brokers, topics = kafka.bootstrap, new_topics(kafka.bootstrap)
    asyncio.run(send(brokers, topics.events, [*feed(0, 20), (b"s", event), *feed(20, 40)]))
    worker = start(brokers, topics, **wanted)
    assert worker.wait(within_s=WITHIN_S) == 1
    assert re.search(said, worker.output())
    assert counted(brokers, topics) == 0


def test_dead_letters_and_counts_add_up(kafka: Kafka, start: Start) -> None:
    """Every event ends up in exactly one of the two."""
    brokers, topics = kafka.bootstrap, new_topics(kafka.bootstrap)
    mixed = [(b"s", b"{") if n % 5 == 0 else encode("s", n) for n in range(1_000)]
    asyncio.run(send(brokers, topics.events, mixed, headers=[("trace", b"1")]))
    worker = start(brokers, topics)
    wait_for(worker, brokers, topics, 800)
    assert worker.terminate() == 0

    async def check_both() -> None:
        assert len(await records_of(brokers, topics.dead_letters)) == 200
        subjects = await table_of(brokers, topics.declarations)
        assert subjects == {(0, b"s"): b"800"}

    asyncio.run(check_both())


def test_a_worker_with_a_name_keeps_its_partitions_over_a_restart(
    kafka: Kafka, start: Start
) -> None:
    """Static membership: killed and started again, it goes on without a rebalance."""
    brokers, topics = kafka.bootstrap, new_topics(kafka.bootstrap)
    asyncio.run(send(brokers, topics.events, feed(0, 100)))
    worker = start(brokers, topics, instance_id="worker-1")
    wait_for(worker, brokers, topics, 100)
    worker.kill()
    asyncio.run(send(brokers, topics.events, feed(100, 200)))
    again = start(brokers, topics, instance_id="worker-1")
    wait_for(again, brokers, topics, 200)
    assert again.terminate() == 0
    check(brokers, topics, {0: 200})
