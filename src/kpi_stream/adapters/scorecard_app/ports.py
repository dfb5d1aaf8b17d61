"""What the process needs from the outside, and its options."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from kpi_stream.application.as_of import Freshness, PartitionProgress
from kpi_stream.application.judge import Transition
from kpi_stream.application.scorecard import Evaluation, Totals
from kpi_stream.domain.hysteresis import DAMPING, Damping, StatusState
from kpi_stream.domain.readings import SeriesKey
from kpi_stream.domain.strategy import Strategy
from kpi_stream.domain.worklist import OfficeList, Worksheet

ApplyRow = Callable[[int, bytes, bytes | None], None]


@dataclass(frozen=True, slots=True)
class ScorecardOptions:
    """How often, how patiently."""

    evaluate_every_s: float = 1.0
    """Seconds between two judgements; what is counted meanwhile is read as soon as it is there."""
    publish_every_s: float = 10.0
    """Shortest time between two publications of changed readings; transitions do not wait."""
    ends_every_s: float = 2.0
    """Seconds between two questions for the ends of the events topic."""
    stale_after_s: float | None = 900.0
    """Seconds without any event after which nothing is a reading; None for never."""
    unanswered_after_s: float = 120.0
    """Seconds without an answer of Kafka's after which the scorecard is not ready."""
    damping: Damping = DAMPING
    """How reluctant statuses are to change."""
    forecast_budget: int | None = 10
    """Histories to refresh at one evaluation: about a millisecond each. None for all."""


class Feed(Protocol):
    """The rows, as `adapters.kafka.scorecard.feed.RowFeed` reads them."""

    @property
    def partitions(self) -> list[int]:
        """The partitions of the rows."""
        ...

    @property
    def fingerprint(self) -> str | None:
        """By which definitions the newest rows were counted; None before there are any."""
        ...

    @property
    def misfit(self) -> str | None:
        """The first row that the totals could not take, counted by other dimensions; or None."""
        ...

    async def load(self) -> int:
        """Connect and read all rows up to the present."""
        ...

    async def poll(self, wait_ms: int) -> int:
        """Take what came since, after at most `wait_ms`."""
        ...

    def progress(
        self, ends: Mapping[int, int], asked_ms: int | None = None
    ) -> tuple[PartitionProgress, ...]:
        """Return how far each partition is, by ends that were told at an instant."""
        ...

    async def close(self) -> None:
        """Disconnect."""
        ...


class Ends(Protocol):
    """The ends of the events topic."""

    async def start(self) -> None:
        """Connect."""
        ...

    async def ask(self, partitions: Iterable[int]) -> dict[int, int]:
        """Return the ends that the broker told in time."""
        ...

    async def close(self) -> None:
        """Disconnect."""
        ...


class Remembered(Protocol):
    """What was said before a restart."""

    @property
    def states(self) -> Mapping[SeriesKey, StatusState]:
        """Statuses by series."""
        ...

    @property
    def as_of_ms(self) -> int | None:
        """The newest `as_of`."""
        ...

    @property
    def transitions(self) -> Iterable[Transition]:
        """The latest changes of a status, the newest last."""
        ...


class Worklists(Protocol):
    """The worklists, as the workers keep them."""

    def of(self, office: str | None) -> Mapping[str, Iterable[OfficeList]]:
        """Return what the partitions hold, by worklist; of one office, or of all."""
        ...

    async def follow(self) -> None:
        """Read them, and whatever comes, until cancelled."""


class Output(Protocol):
    """Where evaluations are published."""

    async def open(self) -> Remembered:
        """Connect, and return what was said last."""
        ...

    async def publish(
        self, evaluation: Evaluation, transitions: Iterable[Transition], *, every: bool
    ) -> Mapping[str, int]:
        """Write transitions and changed readings; return records by topic."""
        ...

    async def close(self) -> None:
        """Disconnect."""
        ...


class Metrics(Protocol):
    """What the process counts, as `adapters.prometheus.scorecard` exports it."""

    def evaluated(self, evaluation: Evaluation, seconds: float) -> None:
        """Take an evaluation and how long it took."""

    def fresh(self, freshness: Freshness) -> None:
        """Take how new the rows are."""

    def waiting(self, sheets: Mapping[tuple[str, str], Worksheet]) -> None:
        """Take how long the worklists are, by worklist and office."""

    def suspended(self) -> None:
        """Say nothing about the KPIs."""

    def matches(self, matches: bool) -> None:  # noqa: FBT001
        """Take whether the rows fit the strategy."""

    def strategy(self, strategy: Strategy, now_ms: int) -> None:
        """Take a strategy that is in force from now on."""

    def reload_refused(self) -> None:
        """Note that a strategy was refused."""

    def published(self, records: Mapping[str, int]) -> None:
        """Add records written, by topic."""

    def publish_failed(self) -> None:
        """Add one attempt to publish that failed."""

    def render(self, accept: str, names: frozenset[str]) -> tuple[bytes, str]:
        """Return (body, content type) for a scraper, of some names or, without any, of all."""
        ...


class Annotator(Protocol):
    """Who is told of what changed, as `adapters.grafana.annotations` tells Grafana.

    Nothing here waits for anybody, except `close`.
    """

    def start(self) -> None:
        """Begin to tell."""

    def take(self, transitions: Sequence[Transition], strategy: Strategy) -> None:
        """Take statuses that changed and are published."""

    def reloaded(self, old: Strategy, new: Strategy, at_ms: int) -> None:
        """Take that a strategy has replaced another at an instant."""

    def close(self, within_s: float) -> None:
        """Tell the rest; waits for it, but not longer."""


class Clock(Protocol):
    """The machine's clocks."""

    def now_ms(self) -> int:
        """Return the wall clock, milliseconds since 1970 UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds from an arbitrary start."""
        ...

    def busy(self) -> float:
        """Return the processor time that this thread has taken, in seconds."""
        ...


async def _never() -> None:
    await asyncio.Event().wait()


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that the process is wired to."""

    load_strategy: Callable[[], Strategy]
    """Reads the strategy files; raises StrategyError with every problem, or InputError."""
    fingerprint: Callable[[Strategy], str]
    """By which definitions the strategy counts (`Catalogue.fingerprint`)."""
    make_totals: Callable[[Strategy], Totals]
    """Makes empty totals for a strategy."""
    open_feed: Callable[[ApplyRow], Feed]
    """Makes a feed that hands every row to a function; it is not connected yet."""
    ends: Ends
    output: Output
    metrics: Metrics
    clock: Clock
    annotator: Annotator | None = None
    """None where nobody is told."""
    worklists: Worklists | None = None
    """None where nobody reads them."""
    epoch_over: Callable[[], Coroutine[object, object, None]] = _never
    """Returns once the process is to end in good order, since another epoch serves."""
    loaded: Callable[[], None] = lambda: None
    """Called once the rows are read."""
