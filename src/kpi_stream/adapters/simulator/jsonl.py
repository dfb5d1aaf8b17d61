"""Where records go: a file of lines."""

import gzip
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

from kpi_stream.adapters.simulator.wire import Record
from kpi_stream.domain.errors import InputError

Progress = Callable[[int, int], None]
"""Called with the number of records so far and the append_ms of the last one."""

_REPORT_EVERY = 2_000
_GZIP_LEVEL = 6


def write_jsonl(records: Iterable[Record], path: Path, on_progress: Progress | None = None) -> int:
    """Write one line a record, and return how many there are.

    The file appears whole or not at all. It is compressed where its name ends in `.gz`, without a
    time in it, so that the same records give the same bytes.

    Args:
        records: In the order of the log; a malformed one is written as it is.
        path: The file; an old one is replaced.
        on_progress: Called every few thousand records and at the end.

    Raises:
        InputError: The file cannot be written.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as raw:
            if path.suffix == ".gz":
                with gzip.GzipFile("", "wb", _GZIP_LEVEL, raw, mtime=0) as packed:
                    written = _write(records, packed, on_progress)
            else:
                written = _write(records, raw, on_progress)
        partial.replace(path)
    except OSError as err:
        msg = f"{path}: cannot be written: {err.strerror or err}"
        raise InputError(msg) from err
    finally:
        partial.unlink(missing_ok=True)
    return written


def _write(
    records: Iterable[Record], to: IO[bytes] | gzip.GzipFile, on_progress: Progress | None
) -> int:
    written = append_ms = 0
    for record in records:
        to.write(record.value + b"\n")
        written, append_ms = written + 1, record.append_ms
        if on_progress and written % _REPORT_EVERY == 0:
            on_progress(written, append_ms)
    if on_progress:
        on_progress(written, append_ms)
    return written
