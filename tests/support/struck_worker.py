# ruff: noqa: T201  (prints for its parent)
"""`kpi-stream worker`, struck by a signal at one point of a flush, or while it opens a partition.

    python -m tests.support.struck_worker '{"point": "rows", "time": 3}'

It is the worker as it is wired for production, with its settings from the environment. Told from
the methods that a flush and an opening consist of, it knows where it is; the third time that the
point is reached, it says so on standard output and sends itself the signal. What it would do at
once it does one after the other: flushes, and of a transaction the parts beside the struck one.
"""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.conn import AIOKafkaConnection
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.protocol.transaction import EndTxnRequest

from kpi_stream.adapters.kafka import writer as writer_module
from kpi_stream.adapters.kafka.recovery import Recovered, Recovery
from kpi_stream.adapters.kafka.writer import OrderedWriter, Part, TransactionalWriter, Writer
from kpi_stream.bootstrap.common import topics
from kpi_stream.cli import main as kpi_stream
from kpi_stream.settings import Settings
from tests.support.processes import Process, eventually
from tests.support.site import Site

PARTS = ("letters", "worklists", "rows", "subjects")
"""Of a flush, in their order."""
_BATCH_OF = "a batch of "
ORDERED = ("before", *(f"{start}{part}" for part in PARTS for start in (_BATCH_OF, "")))
"""The points of a flush without transactions: before it, where the first batch of a part is
durable, where a part is."""
TRANSACTIONAL = (*ORDERED, "begun", "sent", "asked", "committed")
"""The points of one with: also where it is begun, where all parts are sent, where the commit is
asked for and not yet answered, and where it is answered."""
OPENING = ("fenced", "rows read", "subjects read")
"""The points of opening a partition."""
MENDING = ("a batch mended", "mended")
"""Those of repairing what a flush without transactions had left half-done."""

_SMALL_BATCH_BYTES = {"a batch mended": 300}
_BATCH_BYTES = 2_000
"""So that a part has several batches, and a repair as well, which is as long as what it repairs."""
_REACHED_S = 180.0
_HELD_S = 300.0

Told = Callable[..., Coroutine[Any, Any, Any]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The argument of the program, as JSON."""

    point: str
    """One of the above."""
    time: int = 1
    """At which time that the point is reached."""
    number: int = signal.SIGKILL
    """The signal; 0: none."""
    held_by: str = ""
    """A file: while opening, wait at the point until it exists."""


class Strike:
    """Where the worker is, and whether it is struck there."""

    def __init__(self, wanted: Wanted, parts: dict[str, str]) -> None:
        self._wanted, self._parts = wanted, parts
        self._reached = 0
        self._one = asyncio.Lock()
        self._struck = asyncio.Event()
        self._flushed: list[str] = []
        self._letters = 0
        self.repairs: Sequence[Part] = ()

    @asynccontextmanager
    async def flush(self, parts: Sequence[Part]) -> AsyncIterator[None]:
        """Let one flush follow the other."""
        async with self._one:
            self._flushed, self._letters = [self._parts[each.topic] for each in parts], 0
            self.at("before")
            yield
            self.at("committed")
            self._flushed = []

    @property
    def flushing(self) -> bool:
        """Whether a flush is under way."""
        return bool(self._flushed)

    async def turn_of(self, part: Part) -> None:
        """Wait until a part of a transaction may be sent: those beside the struck one never may."""
        struck, name = self._wanted.point.removeprefix(_BATCH_OF), self._parts[part.topic]
        next_time = self._reached == self._wanted.time - 1
        if next_time and struck in self._flushed and name not in ("letters", struck):
            await self._struck.wait()

    def durable_batch(self, part: Part, number: int, records: int) -> None:
        """Note that a batch is durable."""
        if not self.flushing:
            if number == 0:
                self.at("a batch mended")
            return
        if (name := self._parts[part.topic]) == "letters":
            self._letters += records
        if number == 0:
            self.at(f"{_BATCH_OF}{name}")

    def durable_part(self, part: Part) -> None:
        """Note that a part is durable; with the rows, so are the dead letters for good."""
        if not self.flushing:
            return
        if (name := self._parts[part.topic]) == "rows":
            self._letters = 0
        self.at(name)

    def at(self, point: str) -> None:
        """Send the signal, if this is the point and the time."""
        if point != self._wanted.point:
            return
        self._reached += 1
        if self._reached != self._wanted.time:
            return
        print(f"struck at {point}, letters {self._letters}", flush=True)
        if self._wanted.number:
            os.kill(os.getpid(), self._wanted.number)
        self._struck.set()

    async def opening(self, point: str) -> None:
        """The same while a partition is opened, and wait there if told to."""
        self.at(point)
        if point == self._wanted.point and self._wanted.held_by:
            gone_on = Path(self._wanted.held_by).exists
            await asyncio.to_thread(eventually, gone_on, within_s=_HELD_S, what="let go")


def struck_worker(site: Site, wanted: Wanted, **settings: str) -> Process:
    """Start the program on a site, and return once it says that it is struck."""
    process = Process(
        [sys.executable, "-m", "tests.support.struck_worker", json.dumps(asdict(wanted))],
        log=site.folder / f"struck-{len(site.processes)}.log",
        env=site.env | settings,
        cwd=Path(__file__).parents[2],
    )
    site.processes.append(process)
    process.start().wait_until(
        lambda: letters_again(process) is not None,
        within_s=_REACHED_S,
        what=f"{wanted.point} is reached",
    )
    return process


def letters_again(process: Process) -> int | None:
    """Return how many dead letters come again since a worker was struck; None: not yet struck."""
    found = re.search(r"struck at .*, letters (\d+)", process.output())
    return int(found[1]) if found else None


def tell_flushes(strike: Strike) -> None:
    """Have the writers tell where they are."""
    send, batches = Writer._send, Writer._batches

    def told(write: Told) -> Told:
        async def write_told(self: Writer, parts: Sequence[Part]) -> None:
            if parts is strike.repairs:
                await write(self, parts)
                strike.at("mended")
                return
            async with strike.flush(parts):
                await write(self, parts)

        return write_told

    async def send_told(self: Writer, part: Part) -> None:
        if isinstance(self, TransactionalWriter):
            await strike.turn_of(part)
        await send(self, part)
        strike.durable_part(part)

    def batches_told(self: Writer, part: Part) -> Iterator[BatchBuilder]:
        for number, batch in enumerate(batches(self, part)):
            records = batch.record_count()
            yield batch
            # The writer asks for the next one once this one is durable.
            strike.durable_batch(part, number, records)

    _replace(TransactionalWriter, "write", told(TransactionalWriter.write))
    _replace(OrderedWriter, "write", told(OrderedWriter.write))
    _replace(Writer, "_send", send_told)
    _replace(Writer, "_batches", batches_told)


def tell_transactions(strike: Strike) -> None:
    """Have the client tell of its transactions."""
    begin, commit = AIOKafkaProducer.begin_transaction, AIOKafkaProducer.commit_transaction
    request = AIOKafkaConnection.send

    async def begin_told(self: AIOKafkaProducer) -> None:
        await begin(self)
        if strike.flushing:
            strike.at("begun")

    async def commit_told(self: AIOKafkaProducer) -> None:
        strike.at("sent")
        await commit(self)

    def request_told(self: AIOKafkaConnection, asked: Any, *args: Any, **kwargs: Any) -> Any:
        answer = request(self, asked, *args, **kwargs)
        if isinstance(asked, EndTxnRequest) and strike.flushing:
            # The loop writes to the socket at the end of its round.
            loop = asyncio.get_running_loop()
            loop.call_soon(lambda: loop.call_soon(strike.at, "asked"))
        return answer

    _replace(AIOKafkaProducer, "begin_transaction", begin_told)
    _replace(AIOKafkaProducer, "commit_transaction", commit_told)
    _replace(AIOKafkaConnection, "send", request_told)


def tell_openings(strike: Strike) -> None:
    """Have the recovery tell where it is."""
    read, restore = Recovery.read, Recovery._restore

    def told(start: Told) -> Told:
        async def start_told(self: Writer) -> None:
            await start(self)
            await strike.opening("fenced")

        return start_told

    async def read_told(self: Recovery, partition: int) -> Recovered:
        state = await read(self, partition)
        strike.repairs = state.repairs
        return state

    async def restore_told(self: Recovery, topic: str, *args: Any, **kwargs: Any) -> Any:
        done = await restore(self, topic, *args, **kwargs)
        which = "rows" if topic == self.topics.rows else "subjects"
        await strike.opening(f"{which} read")
        return done

    _replace(TransactionalWriter, "start", told(TransactionalWriter.start))
    _replace(OrderedWriter, "start", told(OrderedWriter.start))
    _replace(Recovery, "read", read_told)
    _replace(Recovery, "_restore", restore_told)


def _replace(owner: type, name: str, told: object) -> None:
    if not hasattr(owner, name):
        msg = f"{owner.__name__} has no {name} any more"
        raise AttributeError(msg)
    setattr(owner, name, told)


def main(argument: str) -> None:
    """Run the worker until it is struck, or told to end."""
    wanted = Wanted(**json.loads(argument))
    names = topics(Settings.load())
    owners = (names.dead_letters, names.worklist, names.rows, names.declarations)
    strike = Strike(wanted, dict(zip(owners, PARTS, strict=True)))
    if wanted.point.startswith("a batch"):
        writer_module.BATCH_BYTES = _SMALL_BATCH_BYTES.get(wanted.point, _BATCH_BYTES)
    tell_flushes(strike)
    tell_transactions(strike)
    tell_openings(strike)
    sys.argv = ["kpi-stream", "worker"]
    kpi_stream()


if __name__ == "__main__":
    main(sys.argv[1])
