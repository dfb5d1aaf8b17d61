"""Publishes evaluations in a loop of its own, so that a slow broker delays no evaluation."""

import asyncio
import logging
from collections.abc import Mapping

from kpi_stream.adapters.scorecard_app.ports import Annotator, Metrics, Output
from kpi_stream.application.judge import Transition
from kpi_stream.application.scorecard import Evaluation
from kpi_stream.domain.errors import Unavailable
from kpi_stream.domain.strategy import Strategy

log = logging.getLogger(__name__)

_BACK_OFF_S = (1.0, 2.0, 5.0, 10.0, 30.0)


_FINISH_S = 5.0
"""How long a write that was begun may take once the process is asked to end."""


class Announcer:
    """Keeps the newest evaluation and every transition until they are published.

    Args:
        output: Where they go; it is open.
        metrics: Counts records and failures.
        every_s: Shortest time between two publications of changed readings; transitions do not
            wait for it.
        annotator: Is told of every transition once it is published; a restart publishes none
            again, so it tells none again.
    """

    def __init__(
        self,
        output: Output,
        metrics: Metrics,
        every_s: float,
        annotator: Annotator | None = None,
    ) -> None:
        self._output, self._metrics, self._every_s = output, metrics, every_s
        self._annotator = annotator
        self._latest: Evaluation | None = None
        self._pending: list[Transition] = []
        self._fresh = asyncio.Event()
        self._saying = asyncio.Lock()

    def take(self, evaluation: Evaluation) -> None:
        """Take an evaluation; the next one may come before it is published."""
        self._latest = evaluation
        self._pending.extend(evaluation.transitions)
        self._fresh.set()

    async def run(self) -> None:
        """Publish what was taken, until cancelled; an unreachable broker is tried again.

        Raises:
            StateError: Another scorecard has taken over.
        """
        loop = asyncio.get_running_loop()
        every_at, failures = loop.time(), 0
        while True:
            await self._fresh.wait()
            self._fresh.clear()
            every = loop.time() >= every_at
            if not every and not self._pending:
                continue
            try:
                await self._say(every=every)
            except Unavailable as err:
                self._metrics.publish_failed()
                log.warning("not published, will be repeated: %s", err)
                await asyncio.sleep(_BACK_OFF_S[min(failures, len(_BACK_OFF_S) - 1)])
                await self._reopen()
                failures += 1
                self._fresh.set()
                continue
            failures = 0
            if every:
                every_at = loop.time() + self._every_s

    async def finish(self, within_s: float) -> None:
        """Publish the rest, after what is being published; gives up on an unreachable broker."""
        try:
            async with asyncio.timeout(within_s):
                await self._say(every=True)
        except (Unavailable, TimeoutError) as err:
            log.warning("the last readings were not published: %r", err)

    async def _say(self, *, every: bool) -> None:
        async with self._saying:
            evaluation, transitions = self._latest, tuple(self._pending)
            if evaluation is None:
                return
            # A write that was begun is not cut in two by a cancellation; its answer tells
            # whether it is durable.
            write = asyncio.ensure_future(
                self._output.publish(evaluation, transitions, every=every)
            )
            try:
                records = await asyncio.shield(write)
            except asyncio.CancelledError:
                await asyncio.wait([write], timeout=_FINISH_S)
                if not write.done():
                    write.cancel()
                elif write.exception() is None:
                    self._done(transitions, write.result(), evaluation.strategy)
                raise
            self._done(transitions, records, evaluation.strategy)

    def _done(
        self, transitions: tuple[Transition, ...], records: Mapping[str, int], strategy: Strategy
    ) -> None:
        # New ones may have come meanwhile, at the end.
        del self._pending[: len(transitions)]
        self._metrics.published(records)
        if self._annotator is not None and transitions:
            self._annotator.take(transitions, strategy)
        for each in transitions:
            log.info(
                "status of %s: %s -> %s (value %s, expected %s)",
                "/".join(filter(None, each.key)),
                each.before.value,
                each.after.value,
                each.value,
                each.expected,
            )

    async def _reopen(self) -> None:
        # What of the failed attempt was written is read back, so no transition is told twice.
        try:
            await self._output.open()
        except Unavailable as err:
            log.warning("still unreachable: %s", err)
