"""Reads the state of a partition back into a fold, and refuses what cannot be trusted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from kpi_stream.adapters.kafka.position import Position
from kpi_stream.adapters.kafka.reader import Record, TopicReader, reading
from kpi_stream.adapters.kafka.topics import TopicFacts
from kpi_stream.adapters.kafka.writer import Part
from kpi_stream.application.ports import (
    POSITION_KEY,
    BrokerOptions,
    Fold,
    FoldFactory,
    Topics,
)
from kpi_stream.domain.errors import DamagedSubject, InputError, StateError

_UNCERTAIN_END_MS = 200
"""How long to read beyond the end that a broker without transactions reports."""
_AGAIN = "Start a new epoch, which counts the events again: kpi-stream rebuild --again"


@dataclass(frozen=True, slots=True)
class Recovered:
    """A fold with the stored state, and where to go on."""

    fold: Fold
    subjects_applied: int
    """The offset of the last event that the stored subjects know; -1 before the first."""
    rows_applied: int
    """The same of the rows; ahead of the subjects after a crash between the two writes."""
    topic_id: str | None
    """The id of the source topic when the state was written; None where unknown."""
    fresh: bool
    """Whether no state was stored at all."""
    records: int
    """How many records were read."""
    rejects: Mapping[str, int] = field(default_factory=dict)
    """How many of the last events were rejected, for `RejectWatch`."""
    switch: int = 0
    """Under which switch of epochs it was written; see `Position.switch`."""
    repairs: tuple[Part, ...] = ()
    """What must be written before anything else; see `Recovery.read`."""
    begins: Mapping[str, int] = field(default_factory=dict)
    """The first offset that belongs to the state, by state topic; see `Position.state_begin`."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """How to read the state of a partition.

    Args:
        broker: How to reach Kafka.
        topics: The names of the topics.
        fold_factory: Makes an empty fold.
        facts: What the broker says of the topics that are counted from and into.
        certain_ends: Whether the broker's reported ends can be trusted (Apache Kafka: yes).
        reading: Told of each piece of the partition's state that was read.
    """

    broker: BrokerOptions
    topics: Topics
    fold_factory: FoldFactory
    facts: Mapping[str, TopicFacts] = field(default_factory=dict)
    certain_ends: bool = True
    reading: Callable[[int], None] = lambda _: None

    async def read(self, partition: int) -> Recovered:
        """Return the stored state.

        Records beyond the last position record are the rest of a flush that was cut off, which
        happens without transactions only. They are rare, so the records are restored as they come,
        and once more from the start, with the rest left out, if there is one. It must not stay
        either, or the position record of the next flush would make it look whole: the repairs give
        its keys back the values that they had.

        Raises:
            StateError: It is damaged, incomplete or of another strategy.
            Unavailable: The broker does not answer.
        """
        try:
            return await self._read(partition, hold=False)
        except _RestFoundError:
            return await self._read(partition, hold=True)

    async def _read(self, partition: int, *, hold: bool) -> Recovered:
        fold, topics = self.fold_factory(partition), self.topics
        rows = await self._restore(topics.rows, partition, fold.restore_row, hold=hold)
        subjects = await self._restore(
            topics.declarations, partition, fold.restore_subject, hold=hold
        )
        if not hold and (rows.rest or subjects.rest):
            raise _RestFoundError
        self._check(partition, rows.position, subjects.position)
        newest = subjects.position or rows.position
        if newest is not None:
            # Without a position of the subjects there is no subject, and so no watermark.
            unknown = {} if subjects.position else {"watermark_ms": -1}
            fold.restore_meta({**newest.meta, **unknown})
        try:
            fold.restored()
        except DamagedSubject as err:
            raise await damaged(self.broker, topics.declarations, partition, err) from err
        return Recovered(
            fold,
            subjects_applied=_applied(subjects.position),
            rows_applied=_applied(rows.position),
            topic_id=newest.topic_id if newest else None,
            fresh=newest is None,
            records=rows.records + subjects.records,
            rejects=newest.rejects if newest else {},
            switch=newest.switch if newest else 0,
            repairs=(*rows.repairs(topics.rows), *subjects.repairs(topics.declarations)),
            begins={topics.rows: rows.begin, topics.declarations: subjects.begin},
        )

    def check_partitions(self) -> None:
        """Do nothing where events and state have as many partitions as each other.

        Raises:
            InputError: They have not: events of one subject may lie in two partitions.
        """
        names = (self.topics.events, *self.topics.state)
        counts = {name: self.facts[name].partitions for name in names if name in self.facts}
        if len(set(counts.values())) <= 1:
            return
        found = ", ".join(f"{name} has {count}" for name, count in counts.items())
        msg = (
            f"the numbers of partitions differ: {found}. An event's partition follows from their "
            "number. Where that of the events was raised, events of one subject lie in two "
            "partitions now, so write all of them again into a new topic that has its number "
            "from the start; where that of the state is wrong, start a new epoch with: "
            "kpi-stream rebuild --again"
        )
        raise InputError(msg)

    async def check_source(self, partition: int, applied: int, known_id: str | None) -> int:
        """Return the end of the source partition, if the stored state belongs to it.

        Args:
            partition: Its number.
            applied: The offset of the last event that the state knows; -1 before the first.
            known_id: The id of the topic when the state was written; None where unknown.

        Raises:
            StateError: The topic was created again or cut: its offsets mean other events now.
        """
        topic = self.topics.events
        topic_id = self._topic_id(topic)
        if topic_id and known_id and topic_id != known_id:
            msg = (
                f"{topic} was created again since the state was written (topic id "
                f"{known_id}, now {topic_id}): its offsets mean other events. {_AGAIN}"
            )
            raise StateError(msg)
        reader = TopicReader(self.broker, topic, [partition], settle_ms=self._settle_ms)
        async with reading(reader):
            end = (await reader.ends())[partition]
            if end > applied or await reader.holds(partition, applied):
                return max(end, applied + 1)
        msg = (
            f"{topic} partition {partition} ends at {end}, but events up to offset {applied} "
            f"are applied: the topic was created again or cut. {_AGAIN}"
        )
        raise StateError(msg)

    @property
    def _settle_ms(self) -> int:
        return 0 if self.certain_ends else _UNCERTAIN_END_MS

    async def _restore(
        self,
        topic: str,
        partition: int,
        restore: Callable[[bytes, bytes | None], None],
        *,
        hold: bool,
    ) -> "_Restored":
        done = _Restored()
        where = f"{topic} partition {partition}"

        def take(record: Record) -> None:
            try:
                restore(record.key or b"", record.value)
            except (StateError, ValueError) as err:
                raise _damaged(where, f"offset {record.offset}", str(err)) from err

        def on_records(records: list[Record]) -> None:
            done.records += len(records)
            if records:
                self.reading(partition)
            for record in records:
                if record.key is None:
                    continue
                if record.key == POSITION_KEY:
                    done.position = _position(where, record)
                    done.rest = False
                    for held in done.held.values():
                        take(held)
                    done.whole |= {key: each.value for key, each in done.held.items()}
                    done.held = {}
                    continue
                done.rest = True
                if hold:
                    done.held[record.key] = record
                else:
                    take(record)

        reader = TopicReader(self.broker, topic, [partition], settle_ms=self._settle_ms)
        async with reading(reader):
            begin = (await reader.begins())[partition]
            await reader.read_to_end(on_records)
        self._check_log(where, topic, done, begin)
        return done

    def _check_log(self, where: str, topic: str, found: "_Restored", begin: int) -> None:
        """Refuse a log that is not the one that was written, or not all of it."""
        position = found.position
        if position is None:
            found.begin = begin  # whatever lay before is gone, and counted again from the events
            return
        found.begin = position.state_begin
        now = self._topic_id(topic)
        if now and position.state_id and now != position.state_id:
            msg = (
                f"{topic} was created again under a worker (topic id {position.state_id}, now "
                f"{now}): {where} lacks what was counted before. {_AGAIN}"
            )
            raise StateError(msg)
        # The embedded broker tells of no beginning that could be relied on.
        if self.certain_ends and begin > found.begin:
            msg = (
                f"{where} begins at offset {begin}: its records from offset {found.begin} on were "
                f"deleted, and what they had counted with them. {_AGAIN}"
            )
            raise StateError(msg)

    def _topic_id(self, topic: str) -> str | None:
        return self.facts[topic].topic_id if topic in self.facts else None

    def _check(self, partition: int, rows: Position | None, subjects: Position | None) -> None:
        if subjects is None:
            return
        if rows is None or rows.applied < subjects.applied:
            held = "none" if rows is None else f"those up to offset {rows.applied}"
            msg = (
                f"partition {partition}: {self.topics.declarations} has the events up to offset "
                f"{subjects.applied} applied, {self.topics.rows} has {held}. One of the topics "
                f"was lost or created again. {_AGAIN}"
            )
            raise StateError(msg)


async def damaged(
    broker: BrokerOptions, topic: str, partition: int, damage: DamagedSubject
) -> StateError:
    """Return the error for a subject whose record turned out damaged only when it was used.

    The record is looked for now: to remember all offsets would cost memory for ever.
    """
    key, offsets = damage.key.encode(), list[int]()
    async with reading(TopicReader(broker, topic, [partition])) as reader:
        await reader.read_to_end(
            lambda records: offsets.extend(each.offset for each in records if each.key == key)
        )
    at = f"offset {offsets[-1]}" if offsets else "an offset that is not found any more"
    return _damaged(f"{topic} partition {partition}", at, str(damage))


def _position(where: str, record: Record) -> Position:
    try:
        return Position.from_bytes(record.value, f"{where} offset {record.offset}")
    except StateError as err:
        msg = f"{err}. {_AGAIN}"
        raise StateError(msg) from err


def _damaged(where: str, at: str, why: str) -> StateError:
    return StateError(f"{where} {at}: the record is damaged: {why}. {_AGAIN}")


class _RestFoundError(Exception):
    """Records were restored that belong to a flush that was cut off."""


@dataclass(slots=True)
class _Restored:
    position: Position | None = None
    """The last position record."""
    rest: bool = False
    """Whether records follow it."""
    records: int = 0
    begin: int = 0
    """The first offset of the log that belongs to the state."""
    held: dict[bytes, Record] = field(default_factory=dict)
    """What follows it; only if the rest is to be left out."""
    whole: dict[bytes, bytes | None] = field(default_factory=dict)
    """What lies before it; as above."""

    def repairs(self, topic: str) -> list[Part]:
        """Return what gives the keys of the rest back the values that they had before it."""
        if not self.held:
            return []
        records = [(key, self.whole.get(key)) for key in self.held]
        if self.position is not None:
            records.append((POSITION_KEY, self.position.to_bytes()))
        return [Part(topic, records)]


def _applied(position: Position | None) -> int:
    return -1 if position is None else position.applied
