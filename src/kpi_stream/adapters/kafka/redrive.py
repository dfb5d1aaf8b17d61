"""Sends dead letters back to the events, each once.

With transactions the events and the markers that name their letters become visible together or not
at all. A second redrive fences the first one before it reads the markers, so neither a kill nor two
people at once send a letter twice. Without transactions the markers come last: what was sent when
the power failed is sent again, and counts once all the same where it has its `event_id`.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeAlias

from aiokafka.partitioner import murmur2

from kpi_stream.adapters.kafka.dead_letter_log import (
    REDRIVEN,
    DeadLetterReader,
    Letter,
    Offsets,
    Place,
    Survey,
    marker,
)
from kpi_stream.adapters.kafka.reader import reading
from kpi_stream.adapters.kafka.writer import OrderedWriter, Part, TransactionalWriter, Writer
from kpi_stream.application.ports import BrokerOptions, Fenced, Guarantee, Topics
from kpi_stream.domain.errors import EventRejected, InputError, Reason

BATCH_LETTERS = 500
_BATCH_BYTES = 4 << 20
_SETTLE_MS = 300
"""How long a broker without transactions must be silent until its end is believed."""


class Fix(NamedTuple):
    """What an event is replaced by before it goes back."""

    value: bytes
    key: bytes | None = None
    """None: the key that it had."""


class Fixes(Protocol):
    """The fixed events, by the place of the letter that each replaces."""

    def get(self, place: Place) -> Fix | None:
        """Return the fix of a letter; None where there is none."""


class NoFixes:
    """Every event goes back as it came."""

    def get(self, place: Place) -> Fix | None:  # noqa: ARG002
        """Return None."""
        return None


@dataclass(frozen=True, slots=True)
class Selection:
    """Which dead letters are meant; what is not set does not matter."""

    reasons: frozenset[str] = frozenset()
    partitions: frozenset[int] = frozenset()
    since_ms: int | None = None
    """Rejected then or later; ms since 1970."""
    until_ms: int | None = None
    """Rejected before; ms since 1970."""
    places: frozenset[Place] = frozenset()

    @property
    def read_partitions(self) -> frozenset[int]:
        """The partitions that must be read; empty: all of them."""
        return self.partitions or frozenset(place.partition for place in self.places)

    def takes(self, letter: Letter) -> bool:
        """Return whether a letter is meant."""
        return (
            (not self.places or letter.place in self.places)
            and (not self.reasons or letter.reason in self.reasons)
            and (not self.partitions or letter.place.partition in self.partitions)
            and (self.since_ms is None or letter.rejected_ms >= self.since_ms)
            and (self.until_ms is None or letter.rejected_ms < self.until_ms)
        )


Check: TypeAlias = Callable[[bytes | None, bytes | None], object]
"""(key, value) → the event as it would be counted now; raises EventRejected."""


@dataclass(frozen=True, slots=True)
class RedriveOptions:
    """What a redrive needs to know."""

    broker: BrokerOptions
    topics: Topics
    application: str
    """Prefix of the transactional id; that of the workers."""
    guarantee: Guarantee
    selection: Selection
    check: Check
    """Tells what would be rejected again."""
    fixes: Fixes = field(default_factory=NoFixes)
    limit: int | None = None
    """The most letters that are sent back; None: all."""
    only_accepted: bool = False
    """Leave alone what would be rejected again."""
    dry_run: bool = False
    """Look at everything, write nothing."""


@dataclass(slots=True)
class RedriveReport:
    """What became of the letters that were meant."""

    sent: int = 0
    """Sent back; in a dry run, those that would be."""
    fixed: int = 0
    """Of those, with a fixed value."""
    before: int = 0
    """Left alone: they had been sent back before."""
    cut: int = 0
    """Left alone: the event was too large to be kept whole, and there is no fixed value."""
    again: dict[Reason, int] = field(default_factory=dict)
    """By reason, those that would be rejected again; sent unless `only_accepted`."""
    missing: list[Place] = field(default_factory=list)
    """Places at which there is no dead letter."""

    @property
    def again_total(self) -> int:
        """How many would be rejected again."""
        return sum(self.again.values())


OnProgress: TypeAlias = Callable[[int, int, RedriveReport], None]
"""Told how many letters were looked at, of how many, and what became of them so far."""


def transactional_id(application: str) -> str:
    """Return the id under which every redrive of an installation writes: one at a time."""
    return f"{application}-redrive"


async def redrive(options: RedriveOptions, on_progress: OnProgress) -> RedriveReport:
    """Send the selected letters back and return what became of them.

    Raises:
        InputError: Another redrive runs, a record does not fit into the topic, or the broker has
            no transactions where `exactly_once` is asked for.
        Unavailable: The broker does not answer; what was sent and what not is known to the next
            redrive.
    """
    if options.dry_run:
        return await _Redrive(options, None, on_progress).run()
    writer = _writer(options)
    try:
        await writer.start()
        return await _Redrive(options, writer, on_progress).run()
    except Fenced as err:
        msg = "another redrive has begun and goes on; start this one again when it has ended"
        raise InputError(msg) from err
    finally:
        await writer.stop()


def reader_of(
    broker: BrokerOptions, topics: Topics, guarantee: Guarantee, selection: Selection
) -> DeadLetterReader:
    """Return the reader of the dead letters, not yet connected."""
    return DeadLetterReader(
        broker,
        topics.dead_letters,
        sorted(selection.read_partitions) or None,
        settle_ms=0 if guarantee is Guarantee.EXACTLY_ONCE else _SETTLE_MS,
    )


async def selected(
    reader: DeadLetterReader, survey: Survey, selection: Selection
) -> AsyncIterator[tuple[Letter, bool]]:
    """Yield the letters that are meant, and whether each was sent back before."""
    async for batch in reader.letters(survey):
        for place, letter in batch:
            if letter is not None and selection.takes(letter):
                yield letter, place.offset in survey.redriven[place.partition]


def _writer(options: RedriveOptions) -> Writer:
    if options.guarantee is Guarantee.EXACTLY_ONCE:
        return TransactionalWriter(
            options.broker,
            0,
            transactional_id=transactional_id(options.application),
            compression="lz4",
        )
    return OrderedWriter(options.broker, 0, transactional_id=None, compression="lz4")


Pair: TypeAlias = tuple[bytes | None, bytes | None]
"""Key and value."""


class _Batch:
    """The letters of one transaction."""

    def __init__(self) -> None:
        self._events: dict[int, tuple[list[Pair], list[list[tuple[str, bytes]]]]] = {}
        self._letters: dict[int, Offsets] = {}
        self.count = self.size = 0

    def add(self, partition: int, letter: Letter, event: Pair) -> None:
        """Add the event that goes back for a letter."""
        records, headers = self._events.setdefault(partition, ([], []))
        records.append(event)
        headers.append(_headers(letter))
        place = letter.place
        self._letters.setdefault(place.partition, Offsets()).add(place.offset, place.offset)
        self.count += 1
        self.size += len(event[1] or b"")

    @property
    def full(self) -> bool:
        """Whether it is time to write."""
        return self.count >= BATCH_LETTERS or self.size >= _BATCH_BYTES

    def parts(self, topics: Topics) -> list[Part]:
        """Return the events and, last, the markers."""
        parts = [Part(topics.events, *each, to) for to, each in self._events.items()]
        for partition, offsets in self._letters.items():
            value, headers = marker(offsets)
            parts.append(Part(topics.dead_letters, [(None, value)], [headers], partition))
        return parts


class _Redrive:
    def __init__(
        self, options: RedriveOptions, writer: Writer | None, on_progress: OnProgress
    ) -> None:
        self._options = options
        self._writer = writer
        self._on_progress = on_progress
        self._report = RedriveReport()
        self._batch = _Batch()
        self._partitions = 0

    async def run(self) -> RedriveReport:
        options, report = self._options, self._report
        unseen = set(options.selection.places)
        reader = reader_of(options.broker, options.topics, options.guarantee, options.selection)
        async with reading(reader):
            self._partitions = await reader.partitions_of(options.topics.events)
            survey = await reader.survey()
            looked = 0
            async for letter, before in selected(reader, survey, options.selection):
                looked += 1
                unseen.discard(letter.place)
                if before:
                    report.before += 1
                elif options.limit is None or report.sent < options.limit:
                    self._take(letter)
                if self._batch.full:
                    await self._write()
                    self._on_progress(looked, survey.records, report)
            await self._write()
            self._on_progress(looked, survey.records, report)
        report.missing = sorted(unseen)
        return report

    def _take(self, letter: Letter) -> None:
        options, report = self._options, self._report
        fix = options.fixes.get(letter.place)
        if letter.cut and fix is None:
            report.cut += 1
            return
        key = letter.key if fix is None or fix.key is None else fix.key
        value = letter.value if fix is None else fix.value
        try:
            options.check(key, value)
        except EventRejected as err:
            report.again[err.reason] = report.again.get(err.reason, 0) + 1
            if options.only_accepted:
                return
        report.sent += 1
        report.fixed += fix is not None
        self._batch.add(self._partition(letter, key), letter, (key, value))

    def _partition(self, letter: Letter, key: bytes | None) -> int:
        """Return where the event belongs: where it was, or with others of its new key."""
        if key == letter.key and letter.origin.partition < self._partitions:
            return letter.origin.partition
        hashed: int = murmur2(key or b"") & 0x7FFFFFFF
        return hashed % self._partitions

    async def _write(self) -> None:
        batch, self._batch = self._batch, _Batch()
        if self._writer is not None and batch.count:
            await self._writer.write(batch.parts(self._options.topics))


def _headers(letter: Letter) -> list[tuple[str, bytes]]:
    """Return the event's own headers, and that it was sent back."""
    said = (
        b"%d" % (letter.tries + 1),
        str(letter.place).encode(),
        b"%d" % letter.first_received_ms,
    )
    return [*letter.headers, *zip(REDRIVEN, said, strict=True)]
