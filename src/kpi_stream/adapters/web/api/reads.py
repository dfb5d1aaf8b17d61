"""What is read from the rows when somebody asks.

The loop of the process takes rows, so short reads are made in it, between two records. A read of
every row takes seconds with a year of them: it works on a copy, in a thread of its own, so that
neither the loop nor a scrape of the metrics waits for it. What was read once serves every caller
until the next minute.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, cast

from kpi_stream.adapters.web.api.explanation import ExplanationAnswer
from kpi_stream.adapters.web.api.kpi import Asked, KpiAnswer, kpi_answer
from kpi_stream.adapters.web.api.queries import BAD, NOT_YET, Refusal
from kpi_stream.adapters.web.api.stages import StagesAnswer, stages_answer
from kpi_stream.adapters.web.explanation import explanation_json
from kpi_stream.adapters.web.site import Site
from kpi_stream.application.explain import Crossed, Crossing, Explainer
from kpi_stream.application.periods import Period, named
from kpi_stream.application.readings import ReadingTable
from kpi_stream.application.scorecard import Evaluation
from kpi_stream.application.stages import WayTable
from kpi_stream.application.totals import RowTotals

T = TypeVar("T")

_MINUTE_MS = 60_000
_KEPT = 256
"""Answers of the present minute that are kept."""
_WAITING = 8
"""Reads of every row that may wait for the thread; whoever comes then is sent away."""


class Reads:
    """Reads for the API.

    Args:
        site: What is served.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._thread = ThreadPoolExecutor(1, "http-rows")
        self._waiting = 0
        self._of: tuple[object, int] = (None, 0)
        self._kept: dict[Hashable, asyncio.Future[object]] = {}

    def close(self) -> None:
        """Begin no more reads."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def evaluation(self) -> Evaluation:
        """Return the newest evaluation.

        Raises:
            Refusal: There is none.
        """
        found = self._site.evaluation()
        if found is None:
            raise Refusal(NOT_YET, self._site.ready()[1])
        return found

    def table(self) -> ReadingTable:
        """Return what reads the rows.

        Raises:
            Refusal: Nothing does yet.
        """
        found = self._site.table()
        if found is None:
            raise Refusal(NOT_YET, self._site.ready()[1])
        return found

    async def kpi(self, asked: Asked) -> KpiAnswer:
        """Return everything about a series."""
        evaluation, table = self.evaluation(), self.table()
        sums = None
        if asked.office is not None and table.catalogue.kpis[asked.kpi.id].quantile is None:
            crossed = await self._crossed(asked, None, (table, evaluation.as_of_ms))
            sums = None if crossed is None else crossed[1]
        # Meanwhile another evaluation may have come, and the rows are those of now.
        return kpi_answer(asked, self.evaluation(), self.table(), self._site.transitions(), sums)

    async def explanation(self, asked: Asked, versus: str | None) -> ExplanationAnswer:
        """Return why a series moved.

        Raises:
            Refusal: The period to compare with cannot be used.
        """
        evaluation, table = self.evaluation(), self.table()
        as_of_ms = evaluation.as_of_ms
        try:
            period = None if versus is None else named(versus, table.catalogue.days)
        except ValueError as err:
            raise Refusal(BAD, f"versus: {err}", (f"versus: {err}",)) from err

        async def make() -> ExplanationAnswer:
            crossed = None
            if asked.office is not None:
                crossed = await self._crossed(asked, period, (table, as_of_ms))
            own = (each.against for each in evaluation.judged if each.key == asked.key)
            try:
                found = Explainer(table.catalogue, table.totals).explain(
                    asked.kpi.id,
                    asked.window,
                    as_of_ms,
                    office=asked.office,
                    versus=period,
                    against=next(own, None),
                    crossed=crossed,
                )
            except ValueError as err:
                raise Refusal(BAD, str(err), (str(err),)) from err
            return ExplanationAnswer.model_validate(explanation_json(found))

        key = ("explanation", asked.key, versus)
        return await self._once(key, (table, as_of_ms), make)

    async def stages(self, window: str, dimension: str) -> StagesAnswer:
        """Return the way by a dimension."""
        evaluation, table = self.evaluation(), self.table()
        as_of_ms = evaluation.as_of_ms

        async def make() -> StagesAnswer:
            found = WayTable(table.catalogue, table.totals).read(as_of_ms, window, dimension)
            return stages_answer(found, window, dimension, as_of_ms)

        return await self._once(("stages", window, dimension), (table, as_of_ms), make)

    async def _crossed(
        self, asked: Asked, versus: Period | None, at: tuple[ReadingTable, int]
    ) -> Crossed | None:
        """Return the sums of an office by the other dimensions: before and now."""
        table, as_of_ms = at
        explainer = Explainer(table.catalogue, table.totals)
        try:
            wanted = explainer.crossing(
                asked.kpi.id, asked.window, as_of_ms, asked.office or "", versus
            )
        except ValueError as err:
            raise Refusal(BAD, str(err), (str(err),)) from err
        if wanted is None or not wanted.by:
            return None
        return await self._once(
            ("crossed", wanted), at, lambda: self._long(_cross(table.totals, wanted))
        )

    async def _long(self, work: Callable[[], T]) -> T:
        if self._waiting >= _WAITING:
            raise Refusal(NOT_YET, "too many questions that read every row; ask again in a while")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._waiting -= 1

    async def _once(
        self, key: Hashable, at: tuple[ReadingTable, int], make: Callable[[], Awaitable[T]]
    ) -> T:
        """Return what is made, once a minute for all who ask the same."""
        table, as_of_ms = at
        of = (table, as_of_ms // _MINUTE_MS)
        if of != self._of or len(self._kept) >= _KEPT:
            self._of, self._kept = of, {}
        kept = self._kept
        known = kept.get(key)
        if known is None:
            known = kept[key] = asyncio.ensure_future(make())
            known.add_done_callback(lambda done: _forget(kept, key, done))
        # Whoever hangs up does not take the answer from the others.
        return cast("T", await asyncio.shield(known))


def _forget(
    kept: dict[Hashable, asyncio.Future[object]], key: Hashable, done: asyncio.Future[object]
) -> None:
    """Keep no failure."""
    if done.cancelled() or done.exception() is not None:
        kept.pop(key, None)


def _cross(totals: RowTotals, wanted: Crossing) -> Callable[[], Crossed]:
    return lambda: totals.crossed(wanted.spans, wanted.by, wanted.where, wanted.names)
