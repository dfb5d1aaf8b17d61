"""A scorecard process for the tests of its HTTP server: it answers what a test wants."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

from kpi_stream.application.judge import Transition
from kpi_stream.application.readings import ReadingTable
from kpi_stream.application.scorecard import Evaluation
from kpi_stream.domain.strategy import Strategy
from kpi_stream.domain.worklist import OfficeList


class FakeSite:
    """A process that answers what the test wants."""

    def __init__(self) -> None:
        self.well = (True, "fine")
        self.latest: Evaluation | None = None
        self.read: Strategy | None = None
        self.problems: Sequence[str] = ()
        self.accept = ""
        self.names = frozenset[str]()
        self.body = b"a 1\n"
        self.pages = 0
        self.reloads = 0
        self.before_page: Callable[[], object] = lambda: None
        self.rows: ReadingTable | None = None
        self.changes: list[Transition] = []
        self.lists: dict[str, list[OfficeList]] = {}
        self._news: asyncio.Event | None = None

    def metrics(self, accept: str, names: frozenset[str]) -> tuple[bytes, str]:
        """Return one sample, or what the test set."""
        self.accept, self.names = accept, names
        self.pages += 1
        self.before_page()
        return self.body, "text/plain; version=0.0.4; charset=utf-8"

    def evaluation(self) -> Evaluation | None:
        """Return what the test set."""
        return self.latest

    async def evaluated(self) -> None:
        """Return once the test says `tell`."""
        self._news = asyncio.Event()
        await self._news.wait()

    def tell(self, evaluation: Evaluation | None) -> None:
        """Have another evaluation; in the server's loop."""
        self.latest = evaluation
        if self._news is not None:
            self._news.set()

    def table(self) -> ReadingTable | None:
        """Return what the test set."""
        return self.rows

    def transitions(self) -> Sequence[Transition]:
        """Return what the test set."""
        return self.changes

    def worklists(self, office: str | None) -> Mapping[str, Iterable[OfficeList]]:
        """Return what the test set, those of an office where one is asked for."""
        return {
            worklist: [
                each
                for each in lists
                if office is None or any(one.office == office for one in each.listed)
            ]
            for worklist, lists in self.lists.items()
        }

    def strategy(self) -> Strategy | None:
        """Return what the test set."""
        return self.read

    def healthy(self) -> tuple[bool, str]:
        """Return what the test set."""
        return self.well

    def ready(self) -> tuple[bool, str]:
        """Return what the test set."""
        return self.well

    async def reload(self) -> Sequence[str]:
        """Return what the test set."""
        self.reloads += 1
        return self.problems
