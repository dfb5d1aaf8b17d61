# ruff: noqa: T201  (prints for its parent)
"""The scorecard of the tests, struck at one point of a publication, or while it opens its memory.

    python -m tests.support.struck_scorecard '{"point": "sent", "armed": "FILE"}' FILE

Told from the steps that an opening and a publication consist of, it knows where it is; of the
publications, those that hold transitions count. When the point is reached and a file says that it
may, it says so on standard output and kills itself.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.conn import AIOKafkaConnection
from aiokafka.protocol.transaction import EndTxnRequest

from kpi_stream.adapters.kafka.reader import TopicReader
from kpi_stream.adapters.kafka.writer import Part, TransactionalWriter, Writer
from tests.support import scorecard_process

OPENING = ("opening", "fenced", "readings read", "transitions read")
"""The points of opening: the fencing is asked for, and answered; each topic is read."""
TOPICS = ("transitions", "readings")
PUBLISHING = ("before", "begun", *TOPICS, "sent", "asked", "committed")
"""Those of a publication: either topic's records are durable, and not committed; the commit is
asked for and not yet answered; it is answered, and nobody in the process knows."""

Step = Callable[..., Coroutine[Any, Any, Any]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The first argument of the program, as JSON."""

    point: str
    """One of the above."""
    armed: str
    """A file: the process is struck only once it exists."""


class Strike:
    """Where the scorecard is, and whether it is struck there."""

    def __init__(self, wanted: Wanted) -> None:
        self._point, self._armed = wanted.point, Path(wanted.armed)
        self._telling = False
        self._durable = asyncio.Event()

    def begin(self, parts: Sequence[Part]) -> None:
        """Note a publication; only one with transitions counts."""
        self._telling = any(_which(part.topic) == "transitions" for part in parts)
        self._durable.clear()

    def end(self) -> None:
        """Note that it is over."""
        self._telling = False

    def at(self, point: str) -> None:
        """Kill the process, if this is the point."""
        if point == self._point and self._armed.exists():
            print(f"struck at {point}", flush=True)
            os.kill(os.getpid(), signal.SIGKILL)

    def within(self, point: str) -> None:
        """The same in a publication with transitions."""
        if self._telling:
            self.at(point)

    async def turn_of(self, topic: str) -> None:
        """Wait until a topic may be written: after the one at whose records the process ends."""
        if self._telling and self._point in TOPICS and self._point != topic:
            await self._durable.wait()

    def durable(self, topic: str) -> None:
        """Note that a topic's records are."""
        self.within(topic)
        if topic == self._point:
            self._durable.set()


def tell(strike: Strike) -> None:
    """Have the writer, its client and the readers tell where they are."""
    start, write, send = TransactionalWriter.start, TransactionalWriter.write, Writer._send
    begin, commit = AIOKafkaProducer.begin_transaction, AIOKafkaProducer.commit_transaction
    request, read = AIOKafkaConnection.send, TopicReader.read_to_end

    async def start_told(self: Writer) -> None:
        strike.at("opening")
        await start(self)  # type: ignore[arg-type]
        strike.at("fenced")

    async def write_told(self: Writer, parts: Sequence[Part]) -> None:
        strike.begin(parts)
        strike.within("before")
        await write(self, parts)  # type: ignore[arg-type]
        strike.within("committed")
        strike.end()

    async def send_told(self: Writer, part: Part) -> None:
        await strike.turn_of(_which(part.topic))
        await send(self, part)
        strike.durable(_which(part.topic))

    async def begin_told(self: AIOKafkaProducer) -> None:
        await begin(self)
        strike.within("begun")

    async def commit_told(self: AIOKafkaProducer) -> None:
        strike.within("sent")
        await commit(self)

    def request_told(self: AIOKafkaConnection, asked: Any, *args: Any, **kwargs: Any) -> Any:
        answer = request(self, asked, *args, **kwargs)
        if isinstance(asked, EndTxnRequest):
            # The loop writes to the socket at the end of its round.
            loop = asyncio.get_running_loop()
            loop.call_soon(lambda: loop.call_soon(strike.within, "asked"))
        return answer

    async def read_told(self: TopicReader, *args: Any, **kwargs: Any) -> int:
        count = await read(self, *args, **kwargs)
        strike.at(f"{_which(self._topic)} read")
        return count

    _replace(TransactionalWriter, "start", start_told)
    _replace(TransactionalWriter, "write", write_told)
    _replace(Writer, "_send", send_told)
    _replace(AIOKafkaProducer, "begin_transaction", begin_told)
    _replace(AIOKafkaProducer, "commit_transaction", commit_told)
    _replace(AIOKafkaConnection, "send", request_told)
    _replace(TopicReader, "read_to_end", read_told)


def _which(topic: str) -> str:
    return topic.rpartition(".")[2]


def _replace(owner: type, name: str, told: object) -> None:
    if not hasattr(owner, name):
        msg = f"{owner.__name__} has no {name} any more"
        raise AttributeError(msg)
    setattr(owner, name, told)


def main(argument: str) -> int:
    """Run the scorecard until it is struck, or told to end."""
    tell(Strike(Wanted(**json.loads(argument))))
    del sys.argv[1]
    return scorecard_process.main()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
