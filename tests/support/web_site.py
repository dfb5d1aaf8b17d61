"""A scorecard process for the tests of its HTTP server: it answers what a test wants."""

from collections.abc import Callable, Sequence

from kpi_stream.application.scorecard import Evaluation
from kpi_stream.domain.strategy import Strategy


class FakeSite:
    """A process that answers what the test wants."""

    def __init__(self) -> None:
        self.well = (True, "fine")
        self.latest: Evaluation | None = None
        self.read: Strategy | None = None
        self.problems: Sequence[str] = ()
        self.accept = ""
        self.body = b"a 1\n"
        self.pages = 0
        self.reloads = 0
        self.before_page: Callable[[], object] = lambda: None

    def metrics(self, accept: str) -> tuple[bytes, str]:
        """Return one sample, or what the test set."""
        self.accept = accept
        self.pages += 1
        self.before_page()
        return self.body, "text/plain; version=0.0.4; charset=utf-8"

    def evaluation(self) -> Evaluation | None:
        """Return what the test set."""
        return self.latest

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
