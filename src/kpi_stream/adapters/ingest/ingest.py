"""A file of events goes to Kafka: each line once it was accepted, the others into a file beside it.

Events carry their identity, so sending some of them again after an interruption changes nothing;
the place in the file moves only when the brokers have everything before it.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from kpi_stream.adapters.ingest.mapping import read_mapping
from kpi_stream.adapters.ingest.progress import Detail, Place, place_of, resume, save
from kpi_stream.adapters.ingest.reader import EventFile, Unit
from kpi_stream.adapters.ingest.sender import Sender
from kpi_stream.domain.errors import EventRejected, InputError
from kpi_stream.domain.events import Event

Decode = Callable[[bytes, int], Event]
"""Takes a line and the time of its receipt (ms); raises EventRejected for what is not an event."""

CHECKPOINT_LINES = 5_000
"""The place is kept at least this often; after an interruption at most so many lines go again."""

DETAILS = 20


@dataclass(frozen=True, slots=True)
class IngestProgress:
    """How far an ingest is."""

    bytes_read: int
    """Of the file on disk."""
    bytes_total: int
    accepted: int
    rejected: int


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What became of a file, earlier runs included."""

    lines: int
    """Lines of the file that are done with."""
    accepted: int
    """Events that Kafka has."""
    rejected: Mapping[str, int]
    """Rejections by reason."""
    details: tuple[Detail, ...]
    """The first rejections, each with its line."""
    rejected_path: Path | None
    """The file with every rejected line; None where there is none."""
    resumed_after: int
    """Lines that an earlier run had done; 0 for a first run."""
    already_complete: bool
    """An earlier run had done the whole file; nothing was sent."""


def ingest_file(  # noqa: PLR0913  (most have a default, and all but two are named)
    path: Path,
    sender: Sender,
    *,
    decode: Decode,
    now_ms: int,
    mapping: Path | None = None,
    restart: bool = False,
    on_progress: Callable[[IngestProgress], None] | None = None,
    resume_state: Path | None = None,
) -> IngestReport:
    """Send a file to Kafka, or the rest of it after an interruption.

    Args:
        path: JSONL, or CSV with a mapping; compressed where its name ends in `.gz`.
        sender: Where the events go.
        decode: The event contract.
        now_ms: When the file was received; events from later than this are rejected.
        mapping: The mapping file; None for JSONL.
        restart: Forget an earlier run.
        on_progress: Called at every checkpoint.
        resume_state: Where the place is kept; None: `<path>.ingest.json`.

    Raises:
        InputError: The file, the mapping or the kept place is wrong.
        Unavailable: Kafka does not take the events; run it again to go on.
    """
    if mapping is None and path.name.removesuffix(".gz").endswith(".csv"):
        msg = f"{path}: a CSV file needs a mapping; name one with --mapping"
        raise InputError(msg)
    file = EventFile(path, read_mapping(mapping) if mapping else None)
    try:
        run = _Ingest(file, sender, decode, now_ms, on_progress)
        state = resume_state or path.with_name(path.name + ".ingest.json")
        return run.run(mapping, state, restart=restart)
    finally:
        file.close()


@dataclass(slots=True)
class _Ingest:
    """One run over one file."""

    file: EventFile
    sender: Sender
    decode: Decode
    now_ms: int
    on_progress: Callable[[IngestProgress], None] | None

    def run(self, mapping: Path | None, state: Path, *, restart: bool) -> IngestReport:
        """Send what an earlier run has not sent."""
        start = place_of(self.file, mapping, self.sender.topic, self.sender.topic_id)
        place = start if restart else resume(state, self.file, start)
        resumed_after = place.line
        rejections = self.file.path.with_name(self.file.path.name + ".rejected.jsonl")
        with _opened_at(rejections, place.rejected_bytes) as rejected:
            since = 0
            for unit in self.file.units(end=place.end, line=place.line):
                self._take(unit, place, rejected)
                since += 1
                if since % CHECKPOINT_LINES == 0:
                    self._checkpoint(place, rejected, state)
            self._checkpoint(place, rejected, state)
        if not place.rejected_bytes:
            rejections.unlink(missing_ok=True)
        return IngestReport(
            lines=place.line,
            accepted=place.accepted,
            rejected=dict(place.rejected),
            details=tuple(place.details),
            rejected_path=rejections if place.rejected_bytes else None,
            resumed_after=resumed_after,
            already_complete=resumed_after > 0 and since == 0,
        )

    def _take(self, unit: Unit, place: Place, rejected: BinaryIO) -> None:
        for event in unit.events:
            try:
                if isinstance(event, EventRejected):
                    raise event
                subject = self.decode(event, self.now_ms).subject
            except EventRejected as err:
                self._reject(unit, err, place, rejected)
            else:
                self.sender.send(subject.encode(), event)
                place.accepted += 1
        place.end, place.line = unit.end, unit.line

    def _reject(self, unit: Unit, why: EventRejected, place: Place, to: BinaryIO) -> None:
        reason = str(why.reason)
        place.rejected[reason] = place.rejected.get(reason, 0) + 1
        if len(place.details) < DETAILS:
            place.details.append(Detail(unit.line, reason, why.detail))
        told = {"line": unit.line, "reason": reason, "detail": why.detail, "text": unit.text}
        place.rejected_bytes += to.write(json.dumps(told, ensure_ascii=False).encode() + b"\n")

    def _checkpoint(self, place: Place, rejected: BinaryIO, state: Path) -> None:
        self.sender.flush()
        rejected.flush()
        save(place, state)
        if self.on_progress:
            refused = sum(place.rejected.values())
            self.on_progress(
                IngestProgress(self.file.position, self.file.size, place.accepted, refused)
            )


def _opened_at(path: Path, length: int) -> BinaryIO:
    try:
        file = path.open("r+b" if path.exists() and length else "w+b")
    except OSError as err:
        msg = f"{path}: cannot be written: {err.strerror}; rejected lines go there"
        raise InputError(msg) from err
    # What an interrupted run wrote after its last checkpoint will be written again.
    file.truncate(length)
    file.seek(length)
    return file
