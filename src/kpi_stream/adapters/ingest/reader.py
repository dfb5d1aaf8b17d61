"""Files of events, a unit at a time, each with the place behind it.

A unit is a line of JSONL or a row of CSV. Its place is the number of bytes and lines up to its end,
both of the uncompressed content, so that an interrupted run finds its way back.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from kpi_stream.adapters.ingest.mapping import Mapping
from kpi_stream.adapters.ingest.rows import events_of
from kpi_stream.domain.errors import EventRejected, InputError, Reason

_BUFFER_BYTES = 1 << 20
"""Few reads: each gives way to the thread that sends, and waits for its turn again."""

HEAD_BYTES = 65_536
"""Bytes at the start that tell one file from another."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A line or a row."""

    line: int
    """The number of its last line, from 1."""
    end: int
    """Bytes of content up to its end."""
    events: tuple[bytes | EventRejected, ...]
    """What it says: events in wire form, or why there is none."""
    text: str
    """As the file has it, for a person to read."""


class EventFile:
    """A file that is being read.

    Args:
        path: JSONL, or CSV with a mapping; compressed where its name ends in `.gz`.
        mapping: How to read CSV; None for JSONL.

    Raises:
        InputError: The file cannot be opened.
    """

    def __init__(self, path: Path, mapping: Mapping | None) -> None:
        self.path = path
        self._mapping = mapping
        try:
            self._raw: IO[bytes] = path.open("rb", buffering=_BUFFER_BYTES)
        except OSError as err:
            msg = f"{path}: cannot be read: {err.strerror}"
            raise InputError(msg) from err
        self._content = self._raw
        if path.suffix == ".gz":
            self._content = io.BufferedReader(
                gzip.GzipFile(fileobj=self._raw),
                _BUFFER_BYTES,
            )
        self.size = path.stat().st_size
        """Bytes on disk."""

    @property
    def position(self) -> int:
        """Bytes read on disk, of `size`."""
        return self._raw.tell()

    def head(self, limit: int) -> bytes:
        """Return the first `limit` bytes of the content."""
        with self._named_errors(0):
            self._content.seek(0)
            head: bytes = self._content.read(limit)
            self._content.seek(0)
        return head

    def units(self, *, end: int = 0, line: int = 0) -> Iterator[Unit]:
        """Yield the units behind a place, `end` bytes and `line` lines from the start.

        Raises:
            InputError: The content cannot be read; the text names the line.
        """
        lines = _Lines(self, end=end, line=line)
        yield from self._jsonl(lines) if self._mapping is None else self._csv(lines, self._mapping)

    def close(self) -> None:
        """Close the file."""
        self._content.close()
        self._raw.close()

    def _jsonl(self, lines: "_Lines") -> Iterator[Unit]:
        lines.skip()
        for raw in lines:
            value = raw.rstrip(b"\r\n")
            if value.strip():
                yield Unit(lines.line, lines.end, (value,), value.decode(errors="replace"))

    def _csv(self, lines: "_Lines", mapping: Mapping) -> Iterator[Unit]:
        start = lines.end_of_run
        decoded = (raw.decode(mapping.encoding) for raw in lines)
        reader = csv.reader(decoded, delimiter=mapping.separator, strict=True)
        with self._named_errors(lines.line):
            header = next(reader, [])
        names = [name.strip() for name in header]
        missing = [name for name in mapping.columns() if name not in names]
        if missing:
            msg = (
                f'{self.path}: line 1: no column "{missing[0]}", which the mapping reads; '
                f"the columns are {', '.join(names) or '(none)'}"
            )
            raise InputError(msg)
        if start > lines.end:
            lines.skip()
        while True:
            with self._named_errors(lines.line + 1):
                cells = next(reader, None)
            if cells is None:
                return
            if not cells:
                continue
            yield Unit(
                lines.line, lines.end, self._row(names, cells, mapping), _joined(cells, mapping)
            )

    def _row(
        self, names: list[str], cells: list[str], mapping: Mapping
    ) -> tuple[bytes | EventRejected, ...]:
        if len(cells) != len(names):
            detail = f"{len(cells)} columns, but the header has {len(names)}"
            return (EventRejected(Reason.INVALID_FIELD, detail),)
        return tuple(events_of(dict(zip(names, cells, strict=True)), mapping))

    def _named_errors(self, line: int) -> "_NamedErrors":
        return _NamedErrors(self.path, line)

    def read_line(self, line: int) -> bytes:
        """Return the next line of the content, empty at its end."""
        with self._named_errors(line + 1):
            raw: bytes = self._content.readline()
        return raw

    def seek(self, end: int) -> None:
        """Go on at a number of bytes from the start of the content."""
        with self._named_errors(0):
            self._content.seek(end)


class _Lines:
    """The lines of a file, counting bytes and lines as they are taken."""

    def __init__(self, file: EventFile, *, end: int, line: int) -> None:
        self._file = file
        self._to = (end, line)
        self.end = self.line = 0
        file.seek(0)

    @property
    def end_of_run(self) -> int:
        """Where the earlier run stopped, in bytes."""
        return self._to[0]

    def skip(self) -> None:
        """Go on where the earlier run stopped."""
        self.end, self.line = self._to
        self._file.seek(self.end)

    def __iter__(self) -> Iterator[bytes]:
        while raw := self._file.read_line(self.line):
            self.end += len(raw)
            self.line += 1
            yield raw


class _NamedErrors:
    """Gives what can go wrong with a file its name, the line, and what to do."""

    def __init__(self, path: Path, line: int) -> None:
        self._place = f"{path}: line {line}" if line else str(path)

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, EOFError):
            msg = f"{self._place}: the compressed file ends early; copy it again"
        elif isinstance(error, gzip.BadGzipFile | zlib.error):
            msg = f"{self._place}: not a gzip file ({error}); a name in .gz must be compressed"
        elif isinstance(error, UnicodeDecodeError):
            msg = f"{self._place}: not {error.encoding} text; set `encoding` in the mapping"
        elif isinstance(error, csv.Error):
            msg = f"{self._place}: not CSV ({error}); check quotes and `separator` in the mapping"
        elif isinstance(error, OSError):
            msg = f"{self._place}: cannot be read: {error.strerror or error}"
        else:
            return
        raise InputError(msg) from error


def _joined(cells: list[str], mapping: Mapping) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=mapping.separator, lineterminator="").writerow(cells)
    return text.getvalue()
