"""Several workers of one site: with names of their own or without, ended and started again."""

import random
import re
from collections.abc import Iterable
from pathlib import Path

from kpi_stream.application.monitoring import conventions
from tests.support.processes import Process, eventually
from tests.support.site import COMMAND, Site, page, samples

OPENED = "opened, applied"


class Member:
    """One worker of the crew, over all its lives."""

    def __init__(self, site: Site, number: int, *, named: bool) -> None:
        name = {"KPI_STREAM_INSTANCE_ID": f"worker-{number}"} if named else {}
        log: Path = site.folder / f"worker-{number}.log"
        self.process = Process([*COMMAND, "worker"], log=log, env=site.env | name)
        self._before = 0
        site.processes.append(self.process)

    def start(self) -> None:
        """Begin a life."""
        self._before = len(self.process.output())
        self.process.start()

    def said(self) -> str:
        """Return what it printed in this life."""
        return self.process.output()[self._before :]

    def has_opened(self) -> bool:
        """Whether it has opened a partition in this life."""
        return OPENED in self.said()

    def address(self) -> str | None:
        """Return where it serves, once it says so."""
        found = re.search(r"metrics on (http://\S+)/metrics", self.said())
        return found and found[1]

    def partitions(self) -> set[int] | None:
        """Return its partitions once all of them are open, none for a spare; None: not yet."""
        if (address := self.address()) is None:
            return None
        try:
            said = page(f"{address}/-/ready").decode()
        except OSError:
            return None
        return {int(each) for each in re.findall(r"\d+", said)}

    def skipped(self) -> int:
        """Return how many events it was given that had been counted before."""
        found = samples(f"{self.address()}/metrics")
        return int(sum(each.value for each in found if each.name == conventions.SKIPPED.name))


class Crew:
    """The workers of a site, all of them started at once.

    Args:
        site: Where they work.
        count: How many.
        named: Whether each has a name that it keeps over its restarts (static membership).
    """

    def __init__(self, site: Site, count: int, *, named: bool) -> None:
        self._site, self._named = site, named
        self.members: list[Member] = []
        for _ in range(count):
            self.join()

    def join(self) -> Member:
        """Start one worker more."""
        member = Member(self._site, len(self._site.processes), named=self._named)
        self.members.append(member)
        member.start()
        return member

    def leave(self, member: Member) -> Process:
        """Count a worker out, and return its process, which goes on until it is ended."""
        self.members.remove(member)
        return member.process

    def any(self, chance: random.Random) -> Member:
        """Return one of them."""
        return chance.choice(self.members)

    @property
    def processes(self) -> Iterable[Process]:
        """Those of all its members."""
        return [member.process for member in self.members]

    def wait_until_shared_out(self, partitions: int, *, within_s: float) -> None:
        """Return once every worker is ready and every partition has one of them."""

        def shared_out() -> bool:
            for process in self.processes:
                assert process.running, process.output()[-3_000:]
            owned = [member.partitions() for member in self.members]
            return None not in owned and sorted(
                number for numbers in owned for number in numbers or ()
            ) == list(range(partitions))

        eventually(shared_out, within_s=within_s, what=f"{partitions} partitions are shared out")

    def end(self) -> None:
        """End all of them in good order."""
        for process in self.processes:
            assert process.terminate(within_s=60) == 0
