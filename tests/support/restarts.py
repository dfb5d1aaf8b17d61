"""How long a restarted worker takes until it counts again, one restart after the other."""

import time
from collections.abc import Iterable
from dataclasses import dataclass

from kpi_stream.adapters.simulator import Record
from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from tests.support.processes import Process
from tests.support.site import Site
from tests.support.verdict import wait_until_counted

WITHIN_S = 180.0
ENDS = ("kill -9", "SIGTERM")


@dataclass(frozen=True, slots=True)
class Restart:
    """One restart of one worker."""

    end: str
    """How the worker ended before: one of `ENDS`."""
    ended_s: float
    """From the signal until the process was gone."""
    counted_s: float
    """From the start of the process until the first new event was in the rows, for every reader."""

    @property
    def silent_s(self) -> float:
        """From the signal until the first new event was in the rows."""
        return self.ended_s + self.counted_s


def restarts(site: Site, worker: Process, news: Iterable[Record], end: str) -> list[Restart]:
    """End a worker and start it again, as often as there is a new event to wait for it.

    Args:
        site: Where it works; everything that was sent is counted.
        worker: Running; it is running again afterwards.
        news: New events, one for each restart.
        end: One of `ENDS`.
    """
    wait_until_counted(site, worker, within_s=WITHIN_S)
    found = []
    with site.rows(load_strategy(packaged_strategy_path())) as rows:
        for new in news:
            signalled = time.monotonic()
            if end == "SIGTERM":
                worker.terminate(within_s=WITHIN_S)
            else:
                worker.kill()
            gone = time.monotonic()
            site.send([new])
            started = time.monotonic()
            worker.start()
            worker.wait_until(
                lambda: rows.applied() >= site.sent, within_s=WITHIN_S, what="it counts again"
            )
            found.append(Restart(end, gone - signalled, time.monotonic() - started))
    return found
