"""Epochs: which one serves, and how far each has come.

An epoch is a state of its own: another group, other state topics, the same events. The record in
`kpi.epoch` says which one serves; what else is known of an epoch stands in the position records of
its own topics. A worker or scorecard that follows the record changes over by itself.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Self

from kpi_stream.adapters.kafka.position import Position
from kpi_stream.adapters.kafka.reader import RETRY_MS, Record, TopicReader, reading
from kpi_stream.adapters.kafka.refusals import Refused
from kpi_stream.adapters.kafka.writer import Part, TransactionalWriter, Writer
from kpi_stream.application.ports import POSITION_KEY, BrokerOptions, Topics
from kpi_stream.domain.errors import InputError, StateError, Unavailable

_log = logging.getLogger(__name__)

SERVING_KEY = b"serving"
_UNCERTAIN_END_MS = 500
"""How long to read beyond the end that a broker without transactions reports."""
_FOLLOW_MS = 1_000


@dataclass(frozen=True, slots=True)
class Serving:
    """Which epoch serves. Without a record it is the first."""

    epoch: int = 1
    previous: int | None = None
    """The epoch that served before; None for none."""
    switch: int = 0
    """How often another epoch took over, so far."""
    fingerprint: str | None = None
    """By which definitions it counts; None where no record says so."""
    since_ms: int | None = None

    def to_bytes(self) -> bytes:
        """Return the record's value."""
        return json.dumps(asdict(self), separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, value: bytes | None, where: str) -> Self:
        """Read a record's value.

        Raises:
            StateError: It is no such record.
        """
        with suppress(ValueError, TypeError):
            serving = cls(**json.loads(value or b""))
            if min(serving.epoch, serving.switch) > 0:
                return serving
        msg = (
            f"{where}: the record of the serving epoch is damaged ({value!r}); name the epoch "
            "in KPI_STREAM_EPOCH for every worker and scorecard"
        )
        raise StateError(msg)


class EpochLog:
    """The record of the serving epoch, read and followed.

    Args:
        broker: How to reach Kafka.
        topics: The names of the topics.
        certain_ends: Whether the broker's reported ends can be trusted (Apache Kafka: yes).
    """

    def __init__(self, broker: BrokerOptions, topics: Topics, *, certain_ends: bool) -> None:
        self._broker, self._topic = broker, topics.epochs
        self._settle_ms = 0 if certain_ends else _UNCERTAIN_END_MS
        self._newest: Serving = Serving()

    async def serving(self) -> Serving:
        """Return which epoch serves.

        Raises:
            InputError: The topic does not exist, or may not be read.
            StateError: The record is damaged.
            Unavailable: No broker answers.
        """
        async with reading(self._reader()) as reader:
            await reader.read_to_end(self._take)
        return self._newest

    async def changed(self, known: Serving) -> Serving:
        """Return what serves instead, once something does; a broker that is away is waited for.

        Raises:
            Refused: The topic may not be read any more.
            StateError: The record is damaged.
        """
        while True:
            try:
                async with reading(self._reader()) as reader:
                    while self._newest.switch in {0, known.switch}:
                        self._take(await reader.poll(_FOLLOW_MS))
                    return self._newest
            except Refused:
                raise
            except (Unavailable, InputError) as err:
                _log.warning("which epoch serves cannot be followed for now: %s", err)
                await asyncio.sleep(RETRY_MS / 1000)

    def _reader(self) -> TopicReader:
        self._newest = Serving()
        return TopicReader(self._broker, self._topic, settle_ms=self._settle_ms)

    def _take(self, records: list[Record]) -> None:
        for record in records:
            if record.key == SERVING_KEY:
                where = f"{self._topic} at {record.offset}"
                self._newest = Serving.from_bytes(record.value, where)


async def record(writer: Writer, topics: Topics, serving: Serving) -> None:
    """Write which epoch serves from now on.

    Raises:
        Fenced: Another rebuild was started meanwhile.
        Unavailable: It is unknown whether the record is durable.
    """
    pair = (SERVING_KEY, serving.to_bytes())
    await writer.write([Part(topics.epochs, [pair], partition=0)])


async def positions(broker: BrokerOptions, topics: Topics) -> Mapping[int, Position]:
    """Return how far the rows of an epoch are, by partition; those that begin have none.

    Raises:
        InputError: The epoch's topics do not exist.
        StateError: A position record is damaged.
        Unavailable: No broker answers.
    """
    async with reading(TopicReader(broker, topics.rows)) as reader:
        return await tail(reader, topics)


async def tail(reader: TopicReader, topics: Topics) -> dict[int, Position]:
    """Return the same, by a reader of the rows that is connected."""
    newest = await reader.last(POSITION_KEY)
    return {
        partition: Position.from_bytes(each.value, f"{topics.rows} partition {partition}")
        for partition, each in newest.items()
    }


def judged(position: Position | None, topic_id: str | None, end: int | None) -> int:
    """Return the last event of today's log that an epoch has applied; -1 for none.

    Args:
        position: How far the epoch's rows are.
        topic_id: The present id of the events topic; None where unknown.
        end: The present end of the partition; None where it cannot be trusted.
    """
    if position is None:
        return -1
    other = topic_id is not None and position.topic_id not in {None, topic_id}
    if other or (end is not None and position.applied >= end):
        return -1  # the topic was created again or cut: its offsets mean other events now
    return position.applied


@dataclass(frozen=True, slots=True)
class Predecessor:
    """The epoch that served before, asked how far it came, for good."""

    broker: BrokerOptions
    topics: Topics
    """With its own state topics."""
    application: str
    """Prefix of its transactional ids."""
    topic_id: Callable[[], Awaitable[str | None]]
    transactional: bool = True

    async def judged(self, partition: int) -> int:
        """Return the last event whose dead letter, if it has one, the other epoch has written.

        Its worker may still run: it is fenced first, so that the answer stays true.

        Raises:
            Unavailable: The broker does not answer.
        """
        if self.transactional:
            name = f"{self.application}-{partition}"
            writer = TransactionalWriter(
                self.broker, partition, transactional_id=name, compression=None
            )
            try:
                await writer.start()
            finally:
                await writer.stop()
        try:
            async with reading(TopicReader(self.broker, self.topics.rows, [partition])) as rows:
                position = (await tail(rows, self.topics)).get(partition)
        except Refused:
            raise
        except InputError:
            return -1  # its topics were removed: what comes now, it has not seen
        return judged(position, await self.topic_id(), await self._end(partition))

    async def _end(self, partition: int) -> int | None:
        if not self.transactional:
            return None
        async with reading(TopicReader(self.broker, self.topics.events, [partition])) as events:
            return (await events.ends())[partition]
