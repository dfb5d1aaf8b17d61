"""A simulated feed with everything that may be wrong with one, sent share by share."""

import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from kpi_stream.adapters.simulator import KafkaSink, Record
from tests.support.site import COMMAND, TOPICS, Site, keyed

WRONGS = ("duplicates", "disorder", "late", "corrections", "conflicts", "malformed")
_PIECES = 40
"""Of a share that trickles in."""
_PAUSE_S = 0.1
_SIMULATED_S = 300.0


def simulated(
    folder: Path, *, days: int, per_day: int, seed: int, share: float = 0.03
) -> list[Record]:
    """Return the records of a feed, with so large a share of every wrong."""
    path = folder / f"events-{seed}.jsonl"
    wrongs = [word for what in WRONGS for word in (f"--{what}", str(share))]
    size = ["--days", str(days), "--per-day", str(per_day), "--seed", str(seed)]
    command = [*COMMAND, "simulate", *size, *wrongs, "--output", str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=_SIMULATED_S)
    return keyed(path)


class Feed:
    """The records of a feed in equal shares, sent one after the other.

    Args:
        site: Where they go.
        records: All of them, in order.
        shares: How many times something can be sent.
    """

    def __init__(self, site: Site, records: list[Record], shares: int) -> None:
        self._site, self._records, self._shares = site, records, shares
        self._next = 0

    def send(self) -> None:
        """Send the next share and return once the broker has it."""
        self._site.send(self._share())

    def send_rest(self) -> None:
        """Send everything that is left."""
        while self._next < self._shares:
            self.send()

    @contextmanager
    def trickling(self) -> Iterator[None]:
        """Send the next share bit by bit beside the work; what is left of it goes at the end."""
        records, done = self._share(), threading.Event()
        size = max(1, len(records) // _PIECES)

        def send() -> None:
            with KafkaSink(self._site.brokers, TOPICS.events) as sink:
                for begin in range(0, len(records), size):
                    self._site.sent += sink.send(records[begin : begin + size])
                    done.wait(_PAUSE_S)

        with ThreadPoolExecutor(1) as beside:
            sending = beside.submit(send)
            try:
                yield
            finally:
                done.set()
            sending.result()

    def _share(self) -> list[Record]:
        assert self._next < self._shares, "the feed has no share left"
        count, share = len(self._records), self._next
        self._next += 1
        return self._records[count * share // self._shares : count * (share + 1) // self._shares]
