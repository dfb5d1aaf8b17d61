"""When to evaluate: at every interval, and in between as soon as something was counted."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

_PAUSE_S = 0.05
"""Shortest time between two evaluations: the rows of several partitions come together."""
_SHARE = 9
"""After an evaluation between judgements comes a pause from such ones, so many times the processor
time that it took: a tenth of a core for them at most, which a worker may need beside it."""


class Pace:
    """Tells one loop when to evaluate.

    Args:
        every_s: Seconds between two judgements.
        busy: Processor time of the thread, in seconds.
    """

    def __init__(self, every_s: float, busy: Callable[[], float]) -> None:
        self._every_s, self._busy = every_s, busy
        self._counted = asyncio.Event()

    def counted(self) -> None:
        """Note that there is something to read."""
        self._counted.set()

    async def evaluations(self, caught_up: Callable[[], bool]) -> AsyncIterator[bool]:
        """Yield when it is time to evaluate: whether this is one between two judgements.

        Args:
            caught_up: Whether what is counted is of now. While rows of the past are being read, a
                figure between two judgements helps nobody.
        """
        loop = asyncio.get_running_loop()
        due, between, afforded = loop.time(), False, loop.time()
        while True:
            began, busy = loop.time(), self._busy()
            self._counted.clear()
            yield between
            now, busy = loop.time(), self._busy() - busy
            took = now - began
            if between:
                afforded = now + _SHARE * busy
            else:
                # A machine that slept judges once, not once for every second it missed; and where
                # that takes longer than the time between two, reading has its turn as well.
                due = max(due + self._every_s, now + (took if took > self._every_s else 0.0))
            earliest = max(now + _PAUSE_S, afforded)
            between = caught_up() and await self._counted_between(earliest, due)
            if not between:
                await asyncio.sleep(due - loop.time())

    async def _counted_between(self, earliest: float, due: float) -> bool:
        """Return, once it is so, whether something was counted before the next judgement is due."""
        loop = asyncio.get_running_loop()
        if earliest >= due:
            return False
        await asyncio.sleep(earliest - loop.time())
        with suppress(TimeoutError):
            async with asyncio.timeout_at(due):
                await self._counted.wait()
                return True
        return False
