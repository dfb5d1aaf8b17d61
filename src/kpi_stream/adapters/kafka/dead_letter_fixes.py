"""A file of fixed events: one JSON object a line, `{"letter": "2:17", "value": {...}}`.

The lines are those that `kpi-stream dlq show --json` prints, with the value put right, and the key
where that was wrong. Other fields are passed over. What stands there as the value goes to Kafka
letter for letter.
"""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from kpi_stream.adapters.kafka.dead_letter_log import Place
from kpi_stream.adapters.kafka.redrive import Fix
from kpi_stream.domain.errors import InputError

_TOLD_PROBLEMS = 20


class _Line(msgspec.Struct):
    letter: str
    value: msgspec.Raw
    key: str | None = None


_decode = msgspec.json.Decoder(_Line).decode


class FixFile:
    """The fixes of a file, as a context manager; only where each line begins is in memory.

    Raises:
        InputError: The file cannot be read, or lines are wrong; the text names the first of them.
    """

    def __init__(self, path: Path) -> None:
        self._begins: dict[Place, int] = {}
        problems: list[str] = []
        try:
            self._file = path.open("rb")
        except OSError as err:
            msg = f"{path}: cannot be read: {err.strerror}"
            raise InputError(msg) from err
        for number, begin, line in self._lines():
            try:
                place, _ = _read(line)
                if place in self._begins:
                    problems.append(f"{path}: line {number}: letter {place} is there twice")
            except InputError as err:
                problems.append(f"{path}: line {number}: {err}")
                continue
            self._begins[place] = begin
        if problems:
            self._file.close()
            more = len(problems) - _TOLD_PROBLEMS
            told = problems[:_TOLD_PROBLEMS] + ([f"... and {more} more"] if more > 0 else [])
            raise InputError("\n".join(told))

    @property
    def places(self) -> frozenset[Place]:
        """The letters that have a fix."""
        return frozenset(self._begins)

    def get(self, place: Place) -> Fix | None:
        """Return the fix of a letter; None where there is none."""
        begin = self._begins.get(place)
        if begin is None:
            return None
        self._file.seek(begin)
        return _read(self._file.readline())[1]

    def _lines(self) -> Iterator[tuple[int, int, bytes]]:
        begin = 0
        for number, line in enumerate(self._file, 1):
            if line.strip():
                yield number, begin, line
            begin += len(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()


def _read(line: bytes) -> tuple[Place, Fix]:
    try:
        text = _decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as err:
        msg = f'should be like {{"letter": "2:17", "value": {{...}}}}: {err}'
        raise InputError(msg) from err
    key = None if text.key is None else text.key.encode()
    return Place.parse(text.letter), Fix(bytes(text.value), key)
