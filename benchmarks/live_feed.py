"""A feed that happens now: declarations pass through six events at a steady rate.

All offices of the strategy but four take part. The events of those are *probes*: each releases one
declaration, in the partition that belongs to its office, so that the number of declarations
released there says which of the probes were counted.
"""

import asyncio
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import murmur2

from benchmarks.cluster import PARTITIONS

_TICK_S = 0.01
_APART = 500
"""Declarations between two events of one declaration; in the state at once, about 5 times that."""
_NUMBERED = """\
"regime":"10","transport_mode":"sea","clearance_mode":"anticipated",\
"importer":"9f86d081884c7d65","declarant":"agency-4021","aeo":false,"electronic":true,\
"hs_chapter":"84","origin":"CN","cif_cents":4512350,"duties_cents":812223"""
_STEPS = (
    ("declaration.numbered", _NUMBERED),
    ("transport.arrived", '"manifest_id":"M-1"'),
    ("channel.assigned", '"channel":"green","basis":"risk"'),
    ("debt.settled", '"settlement":"paid","amount_cents":812223'),
    ("release.granted", '"officer":""'),
    ("goods.exited", '"source":"benchmark"'),
)
_RELEASED = 4


@dataclass(slots=True)
class Sent:
    """What was sent, and when the broker took it."""

    events: int = 0
    seconds: float = 0.0
    probes_at_s: list[list[float]] = field(default_factory=list)
    """By partition and probe: the broker's time of the append, seconds since 1970."""
    late_s: float = 0.0
    """The longest that a tick was behind its time; large where the feeder cannot keep the rate."""


def event(step: int, subject: str, office: str, at_s: float) -> bytes:
    """Return one event as it is written."""
    kind, own = _STEPS[step]
    at = datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds")
    return (
        f'{{"event_id":"{subject}.{step}","type":"{kind}","schema_version":1,'
        f'"subject":"{subject}","occurred_at":"{at}","recorded_at":"{at}",'
        f'"office":"{office}",{own}}}'
    ).encode()


@dataclass(frozen=True, slots=True)
class Load:
    """What is to be sent."""

    bootstrap: str
    topic: str
    offices: tuple[str, ...]
    """Of the load."""
    probed: tuple[str, ...]
    """Of the probes, one a partition."""
    per_second: float
    """Events, without the probes."""
    seconds: float
    probes: int
    """At random moments after the first tenth of the time."""
    run: str
    """Tells the probes, and the declarations, of one run from those of another."""


def send_live(load: Load) -> Sent:
    """Send the load and its probes, and return once the broker has all of it."""
    return asyncio.run(_send_live(load))


def partition_of(key: bytes) -> int:
    """Return where Kafka's clients put a key."""
    return int(murmur2(key) & 0x7FFFFFFF) % PARTITIONS


async def _send_live(load: Load) -> Sent:
    producer = AIOKafkaProducer(
        bootstrap_servers=load.bootstrap,
        acks="all",
        compression_type="lz4",
        max_batch_size=512 * 1024,
    )
    await producer.start()
    try:
        probes = [_probe_subject(load.run, number) for number in range(load.probes)]
        for number in range(load.probes):
            for step in range(_RELEASED):
                await _send_probe(producer, load, probes, number, step)
        await producer.flush()
        return await _paced(producer, load, probes)
    finally:
        await producer.stop()


async def _paced(producer: AIOKafkaProducer, load: Load, probes: list[str]) -> Sent:
    sent, chance, life = Sent(), random.Random(load.run), _endless(load)
    due = sorted(chance.uniform(load.seconds / 10, load.seconds) for _ in probes)
    waiting: list[asyncio.Future[Any]] = []
    began = time.monotonic()
    while True:
        now = time.monotonic() - began
        wanted = round(min(now, load.seconds) * load.per_second)
        sent.late_s = max(sent.late_s, (wanted - sent.events) / load.per_second)
        await _tick(producer, load.topic, life, wanted - sent.events)
        sent.events = wanted
        while len(waiting) < len(probes) and due[len(waiting)] <= now:
            waiting.append(await _send_probe(producer, load, probes, len(waiting), _RELEASED))
        if now >= load.seconds:
            break
        await asyncio.sleep(max(0.0, _TICK_S - (time.monotonic() - began - now)))
    # The topic keeps the broker's own time of each append.
    at_s = [taken.timestamp / 1000 for taken in await asyncio.gather(*waiting)]
    sent.probes_at_s = [at_s[partition::PARTITIONS] for partition in range(PARTITIONS)]
    sent.seconds = time.monotonic() - began
    return sent


async def _tick(
    producer: AIOKafkaProducer,
    topic: str,
    life: Iterator[tuple[int, str, str]],
    events: int,
) -> None:
    """Send so many events of the load, a batch a partition."""
    at_s = time.time()
    batches: dict[int, Any] = {}
    for _ in range(events):
        step, subject, office = next(life)
        key, value = subject.encode(), event(step, subject, office, at_s)
        partition = partition_of(key)
        batch = batches.get(partition)
        if batch is not None and batch.append(key=key, value=value, timestamp=None) is not None:
            continue
        if batch is not None:
            await producer.send_batch(batch, topic, partition=partition)
        batch = batches[partition] = producer.create_batch()
        batch.append(key=key, value=value, timestamp=None)
    for partition, batch in batches.items():
        await producer.send_batch(batch, topic, partition=partition)


async def _send_probe(
    producer: AIOKafkaProducer,
    load: Load,
    probes: list[str],
    number: int,
    step: int,
) -> asyncio.Future[Any]:
    subject = probes[number]
    value = event(step, subject, load.probed[number % PARTITIONS], time.time())
    taken: asyncio.Future[Any] = await producer.send(load.topic, value, subject.encode())
    return taken


def _probe_subject(run: str, number: int) -> str:
    """Return a declaration whose events go to the partition of its office."""
    subjects = (f"probe-{run}-{number}-{salt}" for salt in count())
    return next(each for each in subjects if partition_of(each.encode()) == number % PARTITIONS)


def _endless(load: Load) -> Iterator[tuple[int, str, str]]:
    """Yield step, declaration and office of the load, for ever."""
    for number in count():
        for step in range(len(_STEPS)):
            declaration = number - step * _APART
            if declaration >= 0:
                office = load.offices[declaration % len(load.offices)]
                yield step, f"live-{load.run}-{declaration}", office
