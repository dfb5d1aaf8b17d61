"""Where history is written: a folder whose files become one block of Prometheus each, or a text.

`promtool` reads a file once for each block that it makes of it, so one file for a year would be
read twenty times. A file holds the longest range that it puts into one block.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from kpi_stream.adapters.prometheus.history import HistoryText
from kpi_stream.application.scorecard import Evaluation
from kpi_stream.domain.errors import InputError

BLOCK_HOURS = 486
"""Hours of a block (2 hours times 3 to the power of 5): `promtool`'s `--max-block-duration`."""

BLOCK_MS = BLOCK_HOURS * 3_600_000


class HistoryFolder:
    """Writes a file for each block's range; `history_folder` opens one.

    Args:
        folder: It is there.
        instance: Label of the scorecard that would have been scraped.
    """

    def __init__(self, folder: Path, instance: str) -> None:
        self._folder, self._instance = folder, instance
        self._block: int | None = None
        self._text = HistoryText(instance)
        self._first_ms = 0
        self.samples = self.files = 0

    def add(self, evaluation: Evaluation) -> None:
        """Take one evaluation, later than all before it."""
        block = evaluation.as_of_ms // BLOCK_MS
        if block != self._block:
            self.flush()
            self._block, self._first_ms = block, evaluation.as_of_ms
        self._text.add(evaluation)

    def flush(self) -> None:
        """Write what was taken since the last file."""
        if not self._text.samples:
            return
        name = f"{datetime.fromtimestamp(self._first_ms / 1000, UTC):%Y%m%dT%H%M%SZ}.om"
        with (self._folder / name).open("w", encoding="utf-8") as file:
            file.writelines(self._text.lines())
        self.samples += self._text.samples
        self.files += 1
        self._text = HistoryText(self._instance)


class HistoryStream:
    """Writes one text of everything; all of it is held in memory until `flush`.

    Args:
        stream: Where it goes.
        instance: Label of the scorecard that would have been scraped.
    """

    def __init__(self, stream: TextIO, instance: str) -> None:
        self._stream, self._text = stream, HistoryText(instance)
        self.samples, self.files = 0, 1

    def add(self, evaluation: Evaluation) -> None:
        """Take one evaluation, later than all before it."""
        self._text.add(evaluation)

    def flush(self) -> None:
        """Write everything."""
        self._stream.writelines(self._text.lines())
        self.samples = self._text.samples


@contextmanager
def history_folder(path: Path, instance: str) -> Iterator[HistoryFolder]:
    """Open a folder that is there under its name once it is whole, and not at all otherwise.

    Raises:
        InputError: There is something already, or it cannot be written.
    """
    part = path.with_name(f"{path.name}.part")
    if part.exists():
        msg = f"{part}: another run writes it, or did not come to its end; remove it then"
        raise InputError(msg)
    try:
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            msg = f"{path}: there is something already; history is written to a new folder"
            raise InputError(msg)
        part.mkdir(parents=True)
    except OSError as err:
        raise _unwritable(path, err) from err
    try:
        history = HistoryFolder(part, instance)
        yield history
        # Over an empty folder; a full one, made meanwhile, is left as it is.
        part.rename(path)
    except OSError as err:
        shutil.rmtree(part, ignore_errors=True)
        raise _unwritable(path, err) from err
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(f"{path}: cannot be written: {error.strerror}")
