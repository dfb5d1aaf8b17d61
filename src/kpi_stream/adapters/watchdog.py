"""Ends a process that does not get on any more, from a thread, so that a hung loop is noticed too.

Whoever restarts containers restarts those that have ended; few restart those that say that they are
unhealthy. What is durable is in Kafka, so an end at any moment loses nothing and counts nothing
twice: no orderly end is tried, which would need what hangs.
"""

import logging
import os
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

_log = logging.getLogger(__name__)

EXIT_CODE = 1
"""A service stopped; as for every error that is not one of settings."""
_PERIOD_S = 1.0
_LAST_WORDS_S = 5.0
"""How long the last line may take: where nobody reads the log, writing it may be what hangs."""


class Watchdog:
    """Asks again and again while its context lasts.

    A process that was stopped itself (SIGSTOP, a frozen machine) finds everything overdue when it
    goes on. It is given the whole time again.

    Args:
        stalled: Given a limit in seconds, tells for what nothing has moved for longer, or None;
            called in a thread.
        limit_s: How long nothing may move.
        now_s: A clock that never goes back, in seconds.
        end: Ends the process with an exit code, whatever its threads do.
    """

    def __init__(
        self,
        stalled: Callable[[float], str | None],
        limit_s: float,
        now_s: Callable[[], float],
        end: Callable[[int], object] = os._exit,
    ) -> None:
        self._stalled, self._limit_s, self._now_s, self._end = stalled, limit_s, now_s, end
        self._looked_s = now_s()
        self._patient_until_s = self._looked_s
        self._closed = threading.Event()

    def look(self) -> None:
        """Look once; ends the process where it has stalled."""
        now_s, before_s = self._now_s(), self._looked_s
        self._looked_s = now_s
        if now_s - before_s > self._limit_s / 2:
            self._patient_until_s = now_s + self._limit_s
        if now_s < self._patient_until_s:
            return
        reason = self._stalled(self._limit_s)
        if reason is None:
            return
        words = threading.Thread(target=self._say, args=(reason,), daemon=True)
        words.start()
        words.join(_LAST_WORDS_S)
        self._end(EXIT_CODE)

    def _say(self, reason: str) -> None:
        _log.critical(
            "%s; the limit is %g s: the process ends itself (exit code %d)",
            reason,
            self._limit_s,
            EXIT_CODE,
        )

    def __enter__(self) -> Self:
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closed.set()

    def _watch(self) -> None:
        while not self._closed.wait(min(_PERIOD_S, self._limit_s / 8)):
            self.look()
