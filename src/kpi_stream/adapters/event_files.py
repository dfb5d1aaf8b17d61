"""Files of events: one JSON object a line, plain or gzipped."""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

from kpi_stream.domain.errors import InputError


def read_lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a JSONL file as `numbered_lines` does, without their numbers."""
    return (text for _, text in numbered_lines(path))


def numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield (number from 1, line without its end) of a JSONL file; blank lines are skipped.

    A name that ends in `.gz` is unpacked.

    Raises:
        InputError: The file cannot be read, or its end is missing.
    """
    lines = 0
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            for line in file:
                lines += 1
                text = line.rstrip(b"\r\n")
                if text:
                    yield lines, text
    except FileNotFoundError as err:
        msg = f"{path}: there is no such file"
        raise InputError(msg) from err
    except (gzip.BadGzipFile, EOFError, zlib.error) as err:
        msg = f"{path}: line {lines + 1}: not a whole gzip file ({err}); copy it again"
        raise InputError(msg) from err
    except OSError as err:
        msg = f"{path}: cannot be read: {err.strerror}"
        raise InputError(msg) from err
