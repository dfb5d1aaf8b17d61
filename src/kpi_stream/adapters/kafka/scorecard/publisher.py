"""Writes readings and transitions, and finds after a restart what was said last.

Exactly once: one transaction holds transitions and the readings that remember them, and opening
the publisher fences a second scorecard. At least once: transitions first; after a crash between
the two, the log of transitions is ahead of the readings, and the larger sequence is believed.
Both topics are written to partition 0 only: what one site says is in one order.
"""

from collections.abc import Callable, Iterable, Mapping

from kpi_stream.adapters.kafka.reader import Record, TopicReader, reading
from kpi_stream.adapters.kafka.scorecard.closing import closed
from kpi_stream.adapters.kafka.scorecard.memory import Memory
from kpi_stream.adapters.kafka.scorecard.records import (
    encode_key,
    encode_reading,
    encode_transition,
)
from kpi_stream.adapters.kafka.writer import (
    OrderedWriter,
    OutRecord,
    Part,
    TransactionalWriter,
    Writer,
)
from kpi_stream.application.judge import Judged, Transition
from kpi_stream.application.ports import BrokerOptions, Fenced, Topics
from kpi_stream.application.scorecard import Evaluation
from kpi_stream.domain.errors import StateError
from kpi_stream.domain.readings import Reading, SeriesKey

_PARTITION = 0
_UNCERTAIN_END_MS = 500
"""How long to read beyond the end that a broker without transactions reports."""


class Publisher:
    """Publishes evaluations.

    Args:
        broker: How to reach Kafka.
        topics: The names of the topics.
        transactional_id: The same for every scorecard of a site; None on a broker without
            transactions.
        certain_ends: Whether the broker's reported ends can be trusted (Apache Kafka: yes).
        compression: Compression of the records, None for none.
    """

    def __init__(
        self,
        broker: BrokerOptions,
        topics: Topics,
        *,
        transactional_id: str | None,
        certain_ends: bool = True,
        compression: str | None = None,
    ) -> None:
        self._broker, self._topics = broker, topics
        self._settle_ms = 0 if certain_ends else _UNCERTAIN_END_MS
        self._make_writer: Callable[[], Writer] = lambda: (
            OrderedWriter if transactional_id is None else TransactionalWriter
        )(broker, _PARTITION, transactional_id=transactional_id, compression=compression)
        self._writer: Writer | None = None
        self._said: dict[SeriesKey, object] = {}
        self._sequences: dict[SeriesKey, int] = {}

    async def open(self) -> Memory:
        """Connect, fence another scorecard where that can be, and return what was said last.

        Also after a failure: what of it was written is found out by reading.

        Raises:
            Unavailable: No broker answers.
            InputError: A topic does not exist.
            StateError: A record is not one of ours.
        """
        await self.close()
        writer = self._make_writer()
        self._writer = writer
        await writer.start()
        memory = Memory()
        await self._read(self._topics.readings, memory.take_readings)
        await self._read(self._topics.transitions, memory.take_transitions)
        # What is known to be there can be taken back; its content is said anew.
        self._said = dict.fromkeys(memory.published)
        self._sequences = {key: state.sequence for key, state in memory.states.items()}
        return memory

    async def publish(
        self, evaluation: Evaluation, transitions: Iterable[Transition], *, every: bool
    ) -> Mapping[str, int]:
        """Write transitions, and the readings that changed; return records by topic.

        Args:
            evaluation: The newest one; not older than the transitions.
            transitions: Those not yet published. What is in the log already is left out.
            every: False for the readings of the transitions only.

        Raises:
            StateError: Another scorecard has taken over.
            Unavailable: It is unknown what of it is durable; `open` again and repeat.
            InputError: A record is larger than its topic allows.
        """
        if self._writer is None:
            msg = "publish before open"
            raise StateError(msg)
        fresh = [each for each in transitions if each.sequence > self._sequences.get(each.key, 0)]
        judged = {each.key: each for each in evaluation.judged}
        wanted = {key for key, one in judged.items() if key not in evaluation.readings}
        wanted |= set(evaluation.readings)
        if not every:
            wanted &= {each.key for each in fresh}
        said, records = self._changed(evaluation, judged, wanted)
        if every:
            gone = self._said.keys() - wanted
            said |= dict.fromkeys(gone)
            records += [OutRecord(encode_key(key), None) for key in sorted(gone)]
        log = [OutRecord(encode_key(each.key), encode_transition(each)) for each in fresh]
        parts = [Part(self._topics.transitions, log), Part(self._topics.readings, records)]
        parts = [part for part in parts if part.records]
        if parts:
            try:
                await self._writer.write(parts)
            except Fenced as err:
                msg = f"another scorecard has taken over ({err}); this one stops"
                raise StateError(msg) from err
        self._sequences |= {each.key: each.sequence for each in fresh}
        for key, what in said.items():
            if what is None:
                self._said.pop(key, None)
            else:
                self._said[key] = what
        return {part.topic: len(part.records) for part in parts}

    async def close(self) -> None:
        """Disconnect; what is not published stays unpublished."""
        writer, self._writer = self._writer, None
        if writer is not None:
            await closed(writer.stop())

    def _changed(
        self,
        evaluation: Evaluation,
        judged: Mapping[SeriesKey, Judged],
        wanted: Iterable[SeriesKey],
    ) -> tuple[dict[SeriesKey, object], list[OutRecord]]:
        said: dict[SeriesKey, object] = {}
        records = []
        for key in sorted(wanted):
            one = judged.get(key)
            found = evaluation.readings.get(key)
            # A member that was judged and has no counts any more has no reading of its own.
            each = found if one is None else one.reading
            if each is None:
                continue
            what = _content(each, one)
            if self._said.get(key) != what:
                said[key] = what
                records.append(
                    OutRecord(encode_key(key), encode_reading(each, one, evaluation.as_of_ms))
                )
        return said, records

    async def _read(self, topic: str, on_records: Callable[[list[Record]], None]) -> None:
        reader = TopicReader(self._broker, topic, settle_ms=self._settle_ms)
        async with reading(reader):
            try:
                await reader.read_to_end(on_records)
            except ValueError as err:
                msg = f"{topic} holds what no scorecard wrote: {err}"
                raise StateError(msg) from err


def _content(reading: Reading, judged: Judged | None) -> object:
    """Return what makes a reading new: not its `as_of` and not what moves with the clock alone."""
    state = None if judged is None else judged.state
    return (
        reading.value,
        reading.numerator,
        reading.denominator,
        reading.samples,
        reading.no_data,
        state,
    )
