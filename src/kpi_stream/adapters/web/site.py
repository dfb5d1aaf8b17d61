"""What the scorecard's server shows: the process, as it is asked."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from kpi_stream.adapters.web.service import Health
from kpi_stream.application.judge import Transition
from kpi_stream.application.readings import ReadingTable
from kpi_stream.application.scorecard import Evaluation
from kpi_stream.domain.strategy import Strategy
from kpi_stream.domain.worklist import OfficeList


class Site(Health, Protocol):
    """What is served. Everything but `metrics` is asked in the loop of the process."""

    def metrics(self, accept: str, names: frozenset[str]) -> tuple[bytes, str]:
        """Return (body, content type) for a scraper's Accept header; called in a thread."""
        ...

    def evaluation(self) -> Evaluation | None:
        """Return the newest evaluation, None before the first."""
        ...

    async def evaluated(self) -> None:
        """Return once there is another evaluation, or none any more."""
        ...

    def strategy(self) -> Strategy | None:
        """Return the strategy in force, None before it is read."""
        ...

    def table(self) -> ReadingTable | None:
        """Return what reads the rows of the newest evaluation; None where nothing does."""
        ...

    def transitions(self) -> Sequence[Transition]:
        """Return the latest changes of a status, the newest last."""
        ...

    def worklists(self, office: str | None) -> Mapping[str, Iterable[OfficeList]]:
        """Return what the partitions hold, by worklist; of one office, or of all."""
        ...

    async def reload(self) -> Sequence[str]:
        """Read the strategy again; return the problems for which it was refused."""
        ...
