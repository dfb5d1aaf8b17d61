"""Reads the state of a partition back into a fold, and refuses what cannot be trusted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from kpi_stream.adapters.kafka.position import Position
from kpi_stream.adapters.kafka.reader import Record, TopicReader, reading
from kpi_stream.adapters.kafka.writer import Part
from kpi_stream.application.ports import (
    POSITION_KEY,
    BrokerOptions,
    Fold,
    FoldFactory,
    Topics,
)
from kpi_stream.domain.errors import StateError

_UNCERTAIN_END_MS = 200
"""How long to read beyond the end that a broker without transactions reports."""


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
    repairs: tuple[Part, ...] = ()
    """What must be written before anything else; see `Recovery.read`."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """How to read the state of a partition.

    Args:
        broker: How to reach Kafka.
        topics: The names of the topics.
        fold_factory: Makes an empty fold.
        certain_ends: Whether the broker's reported ends can be trusted (Apache Kafka: yes).
    """

    broker: BrokerOptions
    topics: Topics
    fold_factory: FoldFactory
    certain_ends: bool = True

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
        fold.restored()
        return Recovered(
            fold,
            subjects_applied=_applied(subjects.position),
            rows_applied=_applied(rows.position),
            topic_id=newest.topic_id if newest else None,
            fresh=newest is None,
            records=rows.records + subjects.records,
            rejects=newest.rejects if newest else {},
            repairs=(*rows.repairs(topics.rows), *subjects.repairs(topics.declarations)),
        )

    async def check_source(self, partition: int, state: Recovered, topic_id: str | None) -> int:
        """Return the end of the source partition, if the stored state belongs to it.

        Raises:
            StateError: The topic was created again or cut: its offsets mean other events now.
        """
        topic = self.topics.events
        if topic_id and state.topic_id and topic_id != state.topic_id:
            msg = (
                f"{topic} was created again since the state was written (topic id "
                f"{state.topic_id}, now {topic_id}): its offsets mean other events. Start a new "
                "epoch"
            )
            raise StateError(msg)
        reader = TopicReader(self.broker, topic, [partition], settle_ms=self._settle_ms)
        async with reading(reader):
            end = (await reader.ends())[partition]
            applied = state.subjects_applied
            if end > applied or await reader.holds(partition, applied):
                return max(end, applied + 1)
        msg = (
            f"{topic} partition {partition} ends at {end}, but events up to offset {applied} "
            "are applied: the topic was created again or cut. Start a new epoch"
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

        def on_records(records: list[Record]) -> None:
            done.records += len(records)
            for record in records:
                if record.key is None:
                    continue
                if record.key == POSITION_KEY:
                    done.position = Position.from_bytes(record.value, where)
                    done.rest = False
                    for key, value in done.held.items():
                        restore(key, value)
                    done.whole |= done.held
                    done.held = {}
                    continue
                done.rest = True
                if hold:
                    done.held[record.key] = record.value
                else:
                    restore(record.key, record.value)

        reader = TopicReader(self.broker, topic, [partition], settle_ms=self._settle_ms)
        async with reading(reader):
            await reader.read_to_end(on_records)
        return done

    def _check(self, partition: int, rows: Position | None, subjects: Position | None) -> None:
        if subjects is None:
            return
        if rows is None or rows.applied < subjects.applied:
            held = "none" if rows is None else f"those up to offset {rows.applied}"
            msg = (
                f"partition {partition}: {self.topics.declarations} has the events up to offset "
                f"{subjects.applied} applied, {self.topics.rows} has {held}. One of the topics "
                "was lost or created again. Start a new epoch"
            )
            raise StateError(msg)


class _RestFoundError(Exception):
    """Records were restored that belong to a flush that was cut off."""


@dataclass(slots=True)
class _Restored:
    position: Position | None = None
    """The last position record."""
    rest: bool = False
    """Whether records follow it."""
    records: int = 0
    held: dict[bytes, bytes | None] = field(default_factory=dict)
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
