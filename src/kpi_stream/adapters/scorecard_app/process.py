"""The scorecard process: four loops over one scorecard, and an orderly end."""

import asyncio
import logging
import signal
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, nullcontext, suppress
from typing import Any, Protocol

from kpi_stream.adapters.scorecard_app.announcer import Announcer
from kpi_stream.adapters.scorecard_app.counting import Counting, ReloadRefused, replacement
from kpi_stream.adapters.scorecard_app.pace import Pace
from kpi_stream.adapters.scorecard_app.ports import Feed, Parts, ScorecardOptions
from kpi_stream.application.as_of import AsOfClock, Freshness
from kpi_stream.application.judge import Transition
from kpi_stream.application.readings import ReadingTable
from kpi_stream.application.scorecard import Evaluation, Scorecard
from kpi_stream.domain.strategy import Strategy
from kpi_stream.domain.worklist import OfficeList, sheets

log = logging.getLogger(__name__)

_POLL_MS = 200
"""How long one fetch of rows may wait; a reload waits for it."""
_HEALTHY_PERIODS = 30
"""Evaluations that may be missing before the process counts as stuck."""
_LAST_WORDS_S = 5.0
"""How long an orderly end may take to publish what is not published yet."""
TRANSITIONS = 500
"""The latest changes of a status that are shown."""
_CANCEL_AGAIN_S = 1.0
"""How long a task may take to end before it is told again."""
_LAST_NOTES_S = 2.0
"""How long an orderly end may take to tell the annotator's last."""


class Server(Protocol):
    """The HTTP server that serves the process."""

    async def start(self) -> None:
        """Start to serve."""
        ...

    async def close(self) -> None:
        """Stop serving."""
        ...


class ScorecardProcess:
    """Reads rows, evaluates, publishes and serves until it is told to end.

    Args:
        parts: What it is wired to.
        options: How often, how patiently.
    """

    def __init__(self, parts: Parts, options: ScorecardOptions) -> None:
        self._parts, self._options = parts, options
        self._strategy: Strategy | None = None
        self._counting: Counting | None = None
        self._clock = AsOfClock()
        self._latest: Evaluation | None = None
        self._news = asyncio.Event()
        self._pace = Pace(options.evaluate_every_s, parts.clock.busy)
        self._caught_up = False
        self._transitions: deque[Transition] = deque(maxlen=TRANSITIONS)
        self._announcer = Announcer(
            parts.output, parts.metrics, options.publish_every_s, parts.annotator
        )
        self._ends: dict[int, int] = {}
        self._asked_ms: int | None = None
        self._stopping = asyncio.Event()
        self._reloads: set[asyncio.Task[Sequence[str]]] = set()
        self._reloading = asyncio.Lock()
        self._polling = asyncio.Lock()
        self._ticked_at = self._answered_at = parts.clock.monotonic()
        self._loaded = False
        self._warned = False

    # What the web server shows.

    def metrics(self, accept: str, names: frozenset[str] = frozenset()) -> tuple[bytes, str]:
        """Return (body, content type) for a scraper's Accept header."""
        return self._parts.metrics.render(accept, names)

    def evaluation(self) -> Evaluation | None:
        """Return the newest evaluation, None before the first and while suspended."""
        return self._latest

    def strategy(self) -> Strategy | None:
        """Return the strategy in force, None before it is read."""
        return self._strategy if self._counting is None else self._counting.scorecard.strategy

    async def evaluated(self) -> None:
        """Return once there is another evaluation, or none any more."""
        await self._news.wait()

    def table(self) -> ReadingTable | None:
        """Return what reads the rows of the newest evaluation; None where nothing does."""
        if self._latest is None or self._counting is None:
            return None
        totals = self._counting.scorecard.totals
        # The totals of a test may be readings that it wrote down.
        return totals if isinstance(totals, ReadingTable) else None

    def transitions(self) -> Sequence[Transition]:
        """Return the latest changes of a status, the newest last."""
        return tuple(self._transitions)

    def worklists(self, office: str | None) -> Mapping[str, Iterable[OfficeList]]:
        """Return what the partitions hold, by worklist; of one office, or of all."""
        return {} if self._parts.worklists is None else self._parts.worklists.of(office)

    def stalled(self, after_s: float) -> str | None:
        """Return what is missing if nothing was evaluated for more than so many seconds.

        Without Kafka it evaluates what it knows, which is no stall.
        """
        silent_s = self._parts.clock.monotonic() - self._ticked_at
        hangs = self._loaded and silent_s > after_s
        return f"no evaluation for {silent_s:.0f} s" if hangs else None

    def healthy(self) -> tuple[bool, str]:
        """Return whether evaluations go on, and why not."""
        reason = self.stalled(_HEALTHY_PERIODS * self._options.evaluate_every_s)
        return reason is None, reason or "healthy"

    def ready(self) -> tuple[bool, str]:
        """Return whether the scorecard can be read and follows the counts, and why not."""
        if not self._loaded or self._counting is None:
            return False, "the rows are being read"
        if not self._counting.matches:
            return False, _mismatch(self._counting)
        unanswered_s = self._parts.clock.monotonic() - self._answered_at
        if unanswered_s > self._options.unanswered_after_s:
            said = f"Kafka has not answered for {unanswered_s:.0f} s"
            return False, f"{said}; what is shown is as old"
        if self._latest is None:
            return True, "ready; there is nothing to evaluate yet"
        return True, "ready"

    async def reload(self) -> Sequence[str]:
        """Read the strategy again and return the problems for which it was refused."""
        async with self._reloading:
            if self._counting is None or not self._loaded:
                return ("the rows are being read; try again",)
            try:
                new = await replacement(self._counting, self._parts)
            except ReloadRefused as refused:
                self._parts.metrics.reload_refused()
                log.warning("strategy refused, the one before stays in force: %s", refused)
                return refused.problems
            async with self._polling:
                old, self._counting = self._counting, new
            if old.feed is not new.feed:
                await old.feed.close()
            self._parts.metrics.strategy(new.scorecard.strategy, self._parts.clock.now_ms())
            log.info("strategy %s was read again", new.scorecard.strategy.id)
            if self._parts.annotator is not None:
                # During a backfill the new strategy judges from the past instant on.
                latest = self._latest
                at_ms = self._parts.clock.now_ms() if latest is None else latest.as_of_ms
                self._parts.annotator.reloaded(
                    old.scorecard.strategy, new.scorecard.strategy, at_ms
                )
            return ()

    def stop(self) -> None:
        """Ask the process to end in its own time."""
        self._stopping.set()

    # The life of the process.

    async def run(self, server: Server | None = None) -> None:
        """Run until SIGTERM, SIGINT or `stop`; SIGHUP reads the strategy again.

        Raises:
            StrategyError: The strategy is wrong at the start.
            InputError: A port is taken, a topic does not exist.
            StateError: A topic holds what cannot be; or another scorecard has taken over.
            Unavailable: No broker answers at the start.
        """
        strategy = self._strategy = self._parts.load_strategy()
        async with AsyncExitStack() as stack:
            self._listen(stack)
            if server is not None:
                stack.push_async_callback(server.close)
                await server.start()
            stack.push_async_callback(self._disconnect)
            if self._parts.annotator is not None:
                self._parts.annotator.start()
                stack.push_async_callback(
                    asyncio.to_thread, self._parts.annotator.close, _LAST_NOTES_S
                )
            if not await self._ended_or_stopped(self._start(strategy)):
                return
            announcer = self._announcer
            await self._ended_or_stopped(
                self._follow(),
                self._ask_ends(),
                *([] if self._parts.worklists is None else [self._parts.worklists.follow()]),
                self._evaluate(),
                announcer.run(),
                self._parts.epoch_over(),
            )
            await announcer.finish(_LAST_WORDS_S)

    async def _ended_or_stopped(self, *work: Coroutine[object, object, None]) -> bool:
        """Return whether the work came to its end before the process was told to stop."""
        stopping = asyncio.ensure_future(self._stopping.wait())
        tasks = [asyncio.ensure_future(each) for each in work]
        try:
            await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    task.result()
            return not stopping.done()
        finally:
            await _cancelled(stopping, *tasks)

    async def _start(self, strategy: Strategy) -> None:
        parts, options = self._parts, self._options
        parts.metrics.strategy(strategy, parts.clock.now_ms())
        remembered = await parts.output.open()
        totals = parts.make_totals(strategy)
        feed = parts.open_feed(totals.apply_row)
        stale_s = options.stale_after_s
        scorecard = Scorecard(
            strategy,
            totals,
            damping=options.damping,
            states=remembered.states,
            stale_after_ms=None if stale_s is None else round(stale_s * 1000),
            forecast_budget=options.forecast_budget,
        )
        self._transitions.extend(remembered.transitions)
        self._clock = AsOfClock(remembered.as_of_ms)
        self._counting = Counting(scorecard, feed, parts.fingerprint(strategy))
        await parts.ends.start()
        records = await feed.load()
        await self._ask_ends_once(feed)
        parts.loaded()
        self._ticked_at = parts.clock.monotonic()
        self._loaded = True
        log.info(
            "read %d row records of %d partitions and the statuses of %d series",
            records,
            len(feed.partitions),
            len(remembered.states),
        )

    async def _disconnect(self) -> None:
        for task in self._reloads:
            task.cancel()
        await asyncio.gather(*self._reloads, return_exceptions=True)
        await self._parts.output.close()
        await self._parts.ends.close()
        if self._counting is not None:
            await self._counting.feed.close()

    def _listen(self, stack: AsyncExitStack) -> None:
        loop = asyncio.get_running_loop()
        for number, act in (
            (signal.SIGTERM, self.stop),
            (signal.SIGINT, self.stop),
            (signal.SIGHUP, self._reload_soon),
        ):
            # Not in a thread, and not on every platform: then `stop` and the URL remain.
            with suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(number, act)
                stack.callback(loop.remove_signal_handler, number)

    def _reload_soon(self) -> None:
        task = asyncio.get_running_loop().create_task(self._reload_logged())
        self._reloads.add(task)
        task.add_done_callback(self._reloads.discard)

    async def _reload_logged(self) -> Sequence[str]:
        log.info("SIGHUP: reading the strategy again")
        return await self.reload()

    # The loops beside the announcer's.

    async def _follow(self) -> None:
        while True:
            async with self._polling:
                if self._counting is not None and await self._counting.feed.poll(_POLL_MS):
                    self._pace.counted()
            # Whoever waits for the lock gets it now.
            await asyncio.sleep(0)

    async def _ask_ends(self) -> None:
        while True:
            await asyncio.sleep(self._options.ends_every_s)
            if self._counting is not None:
                await self._ask_ends_once(self._counting.feed)

    async def _ask_ends_once(self, feed: Feed) -> None:
        ends = await self._parts.ends.ask(feed.partitions)
        if ends:
            self._ends |= ends
            self._asked_ms = self._parts.clock.now_ms()
            self._answered_at = self._parts.clock.monotonic()

    async def _evaluate(self) -> None:
        async for between in self._pace.evaluations(lambda: self._caught_up):
            self._tick(hold=between)

    def _tick(self, *, hold: bool) -> None:
        counting, clock, metrics = self._counting, self._parts.clock, self._parts.metrics
        if counting is None:
            return
        self._ticked_at = clock.monotonic()
        progress = counting.feed.progress(self._ends, self._asked_ms)
        freshness = self._clock.advance(progress, clock.now_ms())
        self._caught_up = freshness.caught_up
        if not counting.matches:
            if not self._warned:
                log.error("%s", _mismatch(counting))
            self._warned = True
            self._tell(None)
            self._say(freshness, matches=False)
            metrics.suspended()
            return
        self._warned = False
        if freshness.as_of_ms is None:
            self._say(freshness, matches=True)
            return
        evaluation = counting.scorecard.evaluate(freshness.as_of_ms, freshness, hold=hold)
        seconds, lists = clock.monotonic() - self._ticked_at, None
        if not hold and self._parts.worklists is not None:
            lists = sheets(evaluation.strategy, self.worklists, evaluation.as_of_ms)
        # All at once: a page made in between would be of two evaluations, and soon be made again.
        self._say(freshness, matches=True)
        metrics.evaluated(evaluation, seconds)
        if lists is not None:
            metrics.waiting(lists)
        if hold:
            self._latest = evaluation
            return
        self._transitions.extend(evaluation.transitions)
        self._tell(evaluation)
        self._announcer.take(evaluation)

    def _say(self, freshness: Freshness, *, matches: bool) -> None:
        self._parts.metrics.fresh(freshness)
        self._parts.metrics.matches(matches)

    def _tell(self, evaluation: Evaluation | None) -> None:
        self._latest = evaluation
        news, self._news = self._news, asyncio.Event()
        news.set()


async def _cancelled(*tasks: asyncio.Future[Any]) -> None:
    """End tasks; again and again, since a client of Kafka's may take a cancellation for its own."""
    pending: set[asyncio.Future[Any]] = set(tasks)
    while pending:
        for each in pending:
            each.cancel()
        _, pending = await asyncio.wait(pending, timeout=_CANCEL_AGAIN_S)


def _mismatch(counting: Counting) -> str:
    misfit = counting.feed.misfit
    return (
        f"the rows were counted by other KPI definitions ({counting.feed.fingerprint}) than the "
        f"strategy's ({counting.fingerprint}); count by this strategy with: kpi-stream rebuild; or "
        f"give this process the one that is counted by{'' if misfit is None else f' ({misfit})'}"
    )


async def run_scorecard(
    parts: Parts,
    options: ScorecardOptions,
    make_server: Callable[[ScorecardProcess], Server],
    watch: Callable[[ScorecardProcess], AbstractContextManager[object]] = lambda _: nullcontext(),
) -> None:
    """Run the scorecard process until it is told to end; see `ScorecardProcess.run`.

    Args:
        parts: What it is wired to.
        options: How often, how patiently.
        make_server: Makes the server that serves the process.
        watch: Ends the process where it hangs, while the context lasts.
    """
    process = ScorecardProcess(parts, options)
    with watch(process):
        await process.run(make_server(process))
