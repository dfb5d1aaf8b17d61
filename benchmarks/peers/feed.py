"""The feed of the reduced job, in order and without repetition, and the exact answer to it.

Each declaration has six events; arrival and release are what the job joins. Whoever does not
handle duplicates, corrections or late events therefore loses nothing by it.
"""

import gzip
import hashlib
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import murmur2

from benchmarks.cluster import PARTITIONS
from benchmarks.feed import Feed, kept
from benchmarks.worker import REDUCED
from kpi_stream.adapters.event_files import read_lines
from kpi_stream.adapters.strategy_files import load_strategy

DECLARATIONS = 200_000
PANE_S = 300
"""Of the job; the product's own panes are three of them."""
_BEGIN_S = int(datetime(2025, 10, 20, 12, tzinfo=UTC).timestamp())
_DAYS = 6
_SEED = 20_261_124
_STEPS = (
    ("declaration.numbered", 0),
    ("transport.arrived", 3_600),
    ("channel.assigned", 1_800),
    ("debt.settled", 3_600),
    ("release.granted", 5_400),
    ("goods.exited", 7_200),
)
"""Types in their order, and the mean seconds since the one before."""
_ARRIVED, _RELEASED = 1, 4
_LONGEST_S = 17_000
"""Of one step, so that a declaration lasts less than a day."""
_BATCH_BYTES = 512 * 1024

Panes = dict[str, list[int]]
"""By `office|start`, the start in seconds since 1970: how many releases, and seconds in all."""


class Moment(NamedTuple):
    """One event before it is written; sorts by time."""

    at_s: int
    declaration: int
    step: int


@dataclass(frozen=True, slots=True)
class Expected:
    """What every engine must come to."""

    events: int
    releases: int
    panes: Panes

    def wider(self, pane_s: int) -> Panes:
        """Return the same in panes that are a multiple as long."""
        return summed(self.panes, pane_s)


@dataclass(frozen=True, slots=True)
class PeerFeed:
    """A file of events, its first part for engines that are too slow for all, and the answers."""

    feed: Feed
    expected: Expected
    part: Expected
    """Of the first tenth of the events."""


class _Addressed(msgspec.Struct):
    subject: str
    occurred_at: datetime


def summed(panes: Panes, pane_s: int) -> Panes:
    """Return panes added up to longer ones; what comes after the start in a key is dropped.

    Example:
        >>> summed({"118|300|0": [1, 5], "118|600|1": [2, 7]}, 900)
        {'118|0': [3, 12]}
    """
    found: Panes = {}
    for key, (number, seconds) in panes.items():
        office, start, *_ = key.split("|")
        total = found.setdefault(f"{office}|{int(start) // pane_s * pane_s}", [0, 0])
        total[0] += number
        total[1] += seconds
    return found


def peer_feed(scale: float) -> PeerFeed:
    """Return the feed, made now if this machine does not have it yet."""
    declarations = max(1, round(DECLARATIONS * scale))
    word = hashlib.sha256(Path(__file__).read_bytes() + str(declarations).encode()).hexdigest()[:12]
    path, answers = kept(f"peers-{word}.jsonl.gz"), kept(f"peers-{word}.json")
    if not path.exists() or not answers.exists():
        print(f"making the events of {declarations:,} declarations ...", flush=True)
        _make(declarations, path, answers)
    read = msgspec.json.decode(answers.read_bytes(), type=tuple[Expected, Expected])
    return PeerFeed(Feed(path, read[0].events, declarations, _DAYS), *read)


def events(declarations: int) -> tuple[list[Moment], Iterator[bytes]]:
    """Return the moments in the order of the log, and the events of them as they are written."""
    chance = random.Random(_SEED)
    offices = [each.code for each in load_strategy(REDUCED).dimensions[0].members]
    weights = [1 / (number + 2) for number in range(len(offices))]
    of_office = chance.choices(offices, weights, k=declarations)
    moments = []
    for declaration in range(declarations):
        at_s = _BEGIN_S + chance.randrange(_DAYS * 86_400)
        for step, (_, mean_s) in enumerate(_STEPS):
            if step:
                at_s += 1 + min(int(chance.expovariate(1 / mean_s)), _LONGEST_S)
            moments.append(Moment(at_s, declaration, step))
    moments.sort()
    return moments, (_line(moment, of_office[moment.declaration], chance) for moment in moments)


def answer(moments: list[Moment], lines: list[bytes]) -> Expected:
    """Return what the events come to, from nothing but their own text."""
    read = msgspec.json.Decoder(dict[str, object]).decode
    arrived: dict[object, int] = {}
    panes: Panes = {}
    releases = 0
    for moment, line in zip(moments, lines, strict=True):
        if moment.step == _ARRIVED:
            arrived[moment.declaration] = moment.at_s
        elif moment.step == _RELEASED:
            office = read(line)["office"]
            pane = panes.setdefault(f"{office}|{moment.at_s // PANE_S * PANE_S}", [0, 0])
            pane[0] += 1
            pane[1] += moment.at_s - arrived[moment.declaration]
            releases += 1
    return Expected(len(lines), releases, panes)


async def send(bootstrap: str, topic: str, path: Path, limit: int) -> None:
    """Write the events with their own times into a topic, as murmur2 shares them out.

    Args:
        bootstrap: The broker's address.
        topic: It must exist.
        path: File of the events.
        limit: How many of them.
    """
    read = msgspec.json.Decoder(_Addressed).decode
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        compression_type="lz4",
        max_batch_size=_BATCH_BYTES,
    )
    await producer.start()
    try:
        batches = {partition: producer.create_batch() for partition in range(PARTITIONS)}
        for _, line in zip(range(limit), read_lines(path), strict=False):
            addressed = read(line)
            key = addressed.subject.encode()
            partition = int(murmur2(key) & 0x7FFFFFFF) % PARTITIONS
            at_ms = round(addressed.occurred_at.timestamp() * 1000)
            if batches[partition].append(key=key, value=line, timestamp=at_ms) is None:
                taken = await producer.send_batch(batches[partition], topic, partition=partition)
                await taken
                batches[partition] = producer.create_batch()
                batches[partition].append(key=key, value=line, timestamp=at_ms)
        for partition, batch in batches.items():
            if batch.record_count():
                await (await producer.send_batch(batch, topic, partition=partition))
    finally:
        await producer.stop()


def _make(declarations: int, path: Path, answers: Path) -> None:
    moments, made = events(declarations)
    lines = list(made)
    tenth = max(1, len(lines) // 10)
    partial = path.with_suffix(".partial")
    with partial.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed:
        packed.writelines(line + b"\n" for line in lines)
    both = [answer(moments, lines), answer(moments[:tenth], lines[:tenth])]
    answers.write_bytes(msgspec.json.encode(both))
    partial.replace(path)


def _line(moment: Moment, office: str, chance: random.Random) -> bytes:
    at = datetime.fromtimestamp(moment.at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    kind = _STEPS[moment.step][0]
    fields: dict[str, object] = {
        "event_id": f"{chance.getrandbits(96):024x}",
        "type": kind,
        "schema_version": 1,
        "subject": f"{office}-2025-10-{moment.declaration:06d}",
        "occurred_at": at,
        "recorded_at": at,
        "office": office,
        "source": "benchmark",
    }
    return json.dumps(fields | _own_fields(kind, chance), separators=(",", ":")).encode()


def _own_fields(kind: str, chance: random.Random) -> dict[str, object]:
    match kind:
        case "declaration.numbered":
            return {
                "regime": chance.choice(("10", "40", "70", "80")),
                "transport_mode": "sea",
                "clearance_mode": "anticipated",
                "importer": f"{chance.getrandbits(64):016x}",
                "declarant": "agency-4021",
                "aeo": chance.random() < 0.2,
                "electronic": True,
                "hs_chapter": "84",
                "origin": "CN",
                "cif_cents": chance.randrange(10_000, 99_999_999),
                "duties_cents": chance.randrange(1_000, 9_999_999),
            }
        case "transport.arrived":
            return {"manifest_id": f"M-{chance.getrandbits(40):010x}"}
        case "channel.assigned":
            return {"channel": chance.choice(("green", "orange", "red")), "basis": "risk"}
        case "debt.settled":
            return {"settlement": "paid", "amount_cents": chance.randrange(1_000, 9_999_999)}
        case "release.granted":
            return {"officer": f"off-{chance.randrange(500):04d}"}
        case _:
            return {}
