"""Everything outside of the scorecard process, faked, in one event loop."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field

from kpi_stream.adapters.prometheus.scorecard import ScorecardMetrics
from kpi_stream.adapters.scorecard_app.ports import (
    Annotator,
    ApplyRow,
    Parts,
    ScorecardOptions,
    Worklists,
)
from kpi_stream.adapters.scorecard_app.process import ScorecardProcess
from kpi_stream.application.as_of import PartitionProgress
from kpi_stream.application.judge import Transition
from kpi_stream.application.scorecard import Evaluation
from kpi_stream.domain.errors import Problem, StrategyError
from kpi_stream.domain.hysteresis import Damping, StatusState
from kpi_stream.domain.readings import SeriesKey
from kpi_stream.domain.strategy import Strategy
from tests.support.scorecard import ADVANCE, NOON_MS, FakeTotals, national, strategy, target

FAST = ScorecardOptions(
    evaluate_every_s=0.005, publish_every_s=0.01, ends_every_s=0.01, damping=Damping(2, 0.0)
)
WITHIN_S = 10.0


@dataclass
class FakeFeed:
    """A feed of one partition that is caught up at noon."""

    apply_row: ApplyRow
    world: "World"
    closed: bool = False

    @property
    def partitions(self) -> list[int]:
        """The one partition."""
        return [0]

    @property
    def fingerprint(self) -> str | None:
        """What the worker counts by."""
        return self.world.counted_by

    @property
    def misfit(self) -> str | None:
        """A row of other dimensions, if the world has one."""
        return self.world.misfit

    async def load(self) -> int:
        """Give one row, or fail."""
        if self.world.load_error is not None:
            raise self.world.load_error
        self.apply_row(0, b"row", b"{}")
        return 1

    async def poll(self, wait_ms: int) -> int:
        """Give what the world has, or fail."""
        assert not self.closed
        assert wait_ms > 0
        await asyncio.sleep(0.002)
        if self.world.poll_error is not None:
            raise self.world.poll_error
        self.world.polls += 1
        counted, self.world.counted = self.world.counted, 0
        return counted

    def progress(
        self, ends: Mapping[int, int], asked_ms: int | None = None
    ) -> tuple[PartitionProgress, ...]:
        """Be as far as the world wants."""
        watermark_ms = self.world.watermark_ms
        return (PartitionProgress(0, 9, watermark_ms, ends.get(0), 0, asked_ms),)

    async def close(self) -> None:
        """Note it."""
        self.closed = True


@dataclass
class World:
    """Everything outside of the process; also its clock, its output and its ends."""

    strategy: Strategy = field(default_factory=lambda: strategy(target(ADVANCE, 0.8)))
    problems: tuple[Problem, ...] = ()
    counted_by: str | None = "definitions of 4"
    misfit: str | None = None
    watermark_ms: int | None = NOON_MS - 1_000
    states: Mapping[SeriesKey, StatusState] = field(default_factory=dict)
    transitions: tuple[Transition, ...] = ()
    as_of_ms: int | None = None
    load_error: Exception | None = None
    poll_error: Exception | None = None
    publish_errors: list[Exception] = field(default_factory=list)
    opened: int = 0
    told: list[Transition] = field(default_factory=list)
    published: list[tuple[Evaluation, bool]] = field(default_factory=list)
    feeds: list[FakeFeed] = field(default_factory=list)
    made: list[FakeTotals] = field(default_factory=list)
    totals: FakeTotals = field(default_factory=lambda: FakeTotals({national(ADVANCE): 0.9}))
    closed: int = 0
    silent: bool = False
    second: float = 0.0
    end: int = 10
    """Of the events; 9 of them are counted."""
    counted: int = 0
    """Records of rows that the next poll gives."""
    polls: int = 0
    metrics: ScorecardMetrics = field(default_factory=ScorecardMetrics)
    annotator: Annotator | None = None
    worklists: Worklists | None = None

    def load(self) -> Strategy:
        """Return the strategy, or its problems."""
        if self.problems:
            raise StrategyError(self.problems)
        return self.strategy

    def open_feed(self, apply_row: ApplyRow) -> FakeFeed:
        """Make a feed."""
        self.feeds.append(FakeFeed(apply_row, self))
        return self.feeds[-1]

    def make_totals(self, of: Strategy) -> FakeTotals:
        """Make totals that read as the first ones do."""
        assert of.kpis
        self.made.append(FakeTotals(self.totals.values))
        return self.made[-1]

    def now_ms(self) -> int:
        """Noon."""
        return NOON_MS

    def monotonic(self) -> float:
        """The process's own seconds."""
        return self.second

    def busy(self) -> float:
        """No work costs anything."""
        return 0.0

    async def start(self) -> None:
        """Nothing to connect."""

    async def ask(self, partitions: Iterable[int]) -> dict[int, int]:
        """Return that there is nothing more, or nothing at all."""
        return {} if self.silent else dict.fromkeys(partitions, self.end)

    async def open(self) -> "World":
        """Remember what the test wants."""
        self.opened += 1
        return self

    async def publish(
        self, evaluation: Evaluation, transitions: Iterable[Transition], *, every: bool
    ) -> dict[str, int]:
        """Keep it, or fail."""
        if self.publish_errors:
            raise self.publish_errors.pop(0)
        self.told += transitions
        self.published.append((evaluation, every))
        return {"kpi.readings": 1}

    async def close(self) -> None:
        """Note it."""
        self.closed += 1


def live(
    world: World,
    visit: Callable[[ScorecardProcess], Awaitable[None]],
    options: ScorecardOptions = FAST,
) -> ScorecardProcess:
    """Run a process while a visitor watches it; then stop it and wait for its end."""

    async def run() -> ScorecardProcess:
        parts = Parts(
            load_strategy=world.load,
            fingerprint=lambda each: f"definitions of {len(each.kpis)}",
            make_totals=world.make_totals,
            open_feed=world.open_feed,
            ends=world,
            output=world,
            metrics=world.metrics,
            clock=world,
            annotator=world.annotator,
            worklists=world.worklists,
        )
        process = ScorecardProcess(parts, options)
        running = asyncio.ensure_future(process.run())
        visiting = asyncio.ensure_future(visit(process))
        async with asyncio.timeout(WITHIN_S):
            await asyncio.wait([running, visiting], return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                visiting.cancel()
            else:
                process.stop()
            await running
            await visiting
        return process

    return asyncio.run(run())


async def until(condition: Callable[[], object]) -> None:
    """Return once the condition is true."""
    async with asyncio.timeout(WITHIN_S):
        while not condition():  # noqa: ASYNC110  (any condition, of any fake)
            await asyncio.sleep(0.002)
