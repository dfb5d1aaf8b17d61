"""A feed without an end, sent at a fixed rate: `python -m benchmarks.soak_feed ORDER`.

A stretch of some weeks is simulated once, and sent again and again, each time with every date in
it moved on by whole weeks. The subjects' identifiers have dates in them, so each time they are
others; weekdays and office hours stay what they were.
"""

import asyncio
import json
import math
import re
import sys
import time
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Self

from aiokafka import AIOKafkaProducer

from benchmarks.feed import SPOILT, simulation
from kpi_stream.adapters.event_files import read_lines
from kpi_stream.adapters.simulator import Record, simulate, write_jsonl
from kpi_stream.application.ports import Topics

STRETCHES = 12
"""That a run passes through, about; with what leads up to each, more than a year."""
DAYS = 14
"""In which the declarations of a stretch are numbered."""
_EVENTS_A_DECLARATION = 8.0
_TICK_S = 0.2
"""Between two batches of a partition."""
_DATE = re.compile(rb"20\d\d-\d\d-\d\d")
_SUBJECT = re.compile(rb'"subject":"([^"]+)"')
_RECORDED = re.compile(rb'"recorded_at":"(20\d\d-\d\d-\d\d)')


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be sent."""

    brokers: str
    path: str
    """Of the stretch's file."""
    events: int
    """In that file."""
    partitions: int
    rate: float
    """Events a second, at most."""
    seconds: float
    hold: str
    """A file: while it exists nothing is sent, since the workers lag."""

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Return what `text` gave."""
        return cls(**json.loads(text))

    @property
    def text(self) -> str:
        """As one argument of a command."""
        return json.dumps(asdict(self))


def stretch(events: float, path: Path) -> int:
    """Simulate a stretch of about so many events into a file; return how many there are."""
    per_day = events / DAYS / _EVENTS_A_DECLARATION
    options = simulation(days=DAYS, per_day=per_day, injections=SPOILT)
    return write_jsonl(simulate(options), path)


class Stretch:
    """The events of a file, moved on in time as often as they are asked for.

    The last of all stretches ends where every feed of the benchmarks ends, so no event is ahead
    of the clock.

    Args:
        path: The file.
        count: How many stretches there will be.
    """

    def __init__(self, path: Path, count: int) -> None:
        self._path, self._count = path, count
        days = [found[1] for line in read_lines(path) if (found := _RECORDED.search(line))]
        first, last = (date.fromisoformat(each.decode()) for each in (min(days), max(days)))
        self.weeks = ((last - first).days + 7) // 7
        """From one stretch to the next: the feed's time goes on, and never back."""

    def records(self, number: int) -> Iterator[Record]:
        """Yield the records of a stretch; number 0 is the first."""
        shift = timedelta(weeks=self.weeks * (number - self._count + 1))
        moved: dict[bytes, bytes] = {}

        def move(found: re.Match[bytes]) -> bytes:
            day = found[0]
            text = moved.get(day)
            if text is None:
                text = moved[day] = _moved(day, shift)
            return text

        for each in read_lines(self._path):
            line = _DATE.sub(move, each)
            subject = _SUBJECT.search(line)
            yield Record(None if subject is None else subject[1], line, 0)


def _moved(day: bytes, shift: timedelta) -> bytes:
    try:
        return (date.fromisoformat(day.decode()) + shift).isoformat().encode()
    except ValueError:  # part of an identifier, or spoilt on purpose
        return day


async def send(order: Order) -> tuple[int, float]:
    """Send at the rate; return how many events there were, and in how many seconds.

    What a busy machine held up is sent as soon as it can be. What the workers could not take is
    left out: with a lag that grows, something else would be measured.
    """
    count = math.ceil(order.rate * order.seconds / order.events)
    source = Stretch(Path(order.path), count)
    records = (each for number in range(count) for each in source.records(number))
    producer = AIOKafkaProducer(
        bootstrap_servers=order.brokers,
        acks="all",
        compression_type="lz4",
        max_batch_size=512 * 1024,
        request_timeout_ms=120_000,
    )
    await producer.start()
    try:
        topic, sent, said_at = Topics().events, 0, 0.0
        waiting: dict[int, asyncio.Future[Any]] = {}
        began = time.monotonic()
        held_s, before, held = 0.0, 0.0, Path(order.hold).exists
        while (passed := time.monotonic() - began) < order.seconds:
            held_s += (passed - before) * held()
            before = passed
            due = max(0, int(order.rate * (passed - held_s)) - sent)
            sent += await _ship(producer, topic, records, due, order.partitions, waiting)
            if passed - said_at > 1:
                said_at = passed
                print(f"sent {sent}", flush=True)
            await asyncio.sleep(max(0.0, _TICK_S - (time.monotonic() - began - passed)))
        await asyncio.gather(*waiting.values())
        return sent, time.monotonic() - began
    finally:
        await producer.stop()


async def _ship(
    producer: AIOKafkaProducer,
    topic: str,
    records: Iterator[Record],
    due: int,
    partitions: int,
    waiting: dict[int, "asyncio.Future[Any]"],
) -> int:
    """Send so many records; one batch a partition is on its way, so their order is kept."""
    batches: dict[int, Any] = {}

    async def ship(partition: int) -> None:
        batch = batches.pop(partition)
        if partition in waiting:
            await waiting.pop(partition)
        waiting[partition] = await producer.send_batch(batch, topic, partition=partition)

    for _ in range(due):
        key, value, _ = next(records)
        partition = zlib.crc32(key or b"") % partitions
        while True:
            if partition not in batches:
                batches[partition] = producer.create_batch()
            if batches[partition].append(key=key, value=value, timestamp=None) is not None:
                break
            await ship(partition)
    for partition in list(batches):
        await ship(partition)
    return due


def main(text: str) -> None:
    """Send what is ordered, and say how it went."""
    sent, seconds = asyncio.run(send(Order.from_text(text)))
    print(f"sent {sent} in {seconds:.3f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
