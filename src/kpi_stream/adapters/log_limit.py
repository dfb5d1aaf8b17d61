"""Keeps a library that says the same thing over and over from filling the log.

While Kafka is away its client tells of every attempt, several times a second for each connection;
the first lines say it all, and what else happens meanwhile should not drown in them.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

_KINDS = 1_000
"""A library that writes its numbers into the text itself has ever new kinds of message."""


@dataclass(slots=True)
class _Heard:
    """What was heard of one kind of message."""

    told: int
    """How often in a row it was told."""
    last_s: float
    """When it came last, told or not."""
    told_s: float
    kept_back: int = 0


class Repeats(logging.Filter):
    """Lets some messages of a kind pass, then one a while with how many there were meanwhile.

    A kind is a logger, a level and a text before its values are put in. What has been quiet for a
    while is new again.

    Args:
        libraries: Whose messages are counted; those of others always pass.
        first: How many pass in a row.
        every_s: The while, in seconds.
    """

    def __init__(self, libraries: Iterable[str], first: int = 3, every_s: float = 60.0) -> None:
        super().__init__()
        self._libraries = frozenset(libraries)
        self._first, self._every_s = first, every_s
        self._heard: dict[tuple[str, int, str], _Heard] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the message passes."""
        if record.name.partition(".")[0] not in self._libraries:
            return True
        kind, now_s = (record.name, record.levelno, str(record.msg)), record.created
        heard = self._heard.get(kind)
        if heard is None or now_s - heard.last_s > self._every_s:
            if len(self._heard) >= _KINDS:
                self._heard.clear()
            self._heard[kind] = _Heard(1, now_s, now_s)
            return True
        heard.last_s = now_s
        if heard.told < self._first:
            heard.told, heard.told_s = heard.told + 1, now_s
            return True
        if now_s - heard.told_s < self._every_s:
            heard.kept_back += 1
            return False
        record.msg = f"{record.getMessage()} (and {heard.kept_back} more of the kind since then)"
        record.args = ()
        heard.told_s, heard.kept_back = now_s, 0
        return True
