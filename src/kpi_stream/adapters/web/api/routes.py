"""The paths of the API, and what answers them."""

import gzip
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

from aiohttp import web

from kpi_stream.adapters.web.api import queries as q
from kpi_stream.adapters.web.api.activity import (
    InitiativesAnswer,
    QualityAnswer,
    TransitionsAnswer,
    initiatives_answer,
    quality_answer,
    transitions_answer,
)
from kpi_stream.adapters.web.api.base import Model
from kpi_stream.adapters.web.api.decided import StrategyAnswer
from kpi_stream.adapters.web.api.explanation import ExplanationAnswer
from kpi_stream.adapters.web.api.kpi import Asked, KpiAnswer
from kpi_stream.adapters.web.api.reads import Reads
from kpi_stream.adapters.web.api.scorecard import (
    ScorecardAnswer,
    default_window,
    last_statuses,
    scorecard_answer,
)
from kpi_stream.adapters.web.api.stages import StagesAnswer
from kpi_stream.adapters.web.api.strategy import strategy_answer
from kpi_stream.adapters.web.api.worklist import Filter, WorklistAnswer, worklist_answer
from kpi_stream.adapters.web.site import Site
from kpi_stream.application.explain import OFFICE
from kpi_stream.domain.strategy import NATIONAL, Strategy

PREFIX = "/api/v1"
_HEADERS = {
    "Cache-Control": "no-store",
    "Vary": "Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
}
_PACKING = 4
"""Of gzip's 1 to 9: a tenth of the size in a millisecond or two."""

Answering = Callable[[web.Request], Awaitable[Model]]
T = TypeVar("T")


class Page(Protocol):
    """Makes something in a thread; one at a time."""

    def __call__(self, make: Callable[[], T]) -> Awaitable[T]:
        """Return what was made."""
        ...


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A path with what it takes and gives; the document about the API is made from these."""

    path: str
    summary: str
    query: type[q.Query]
    answer: type[Model]
    refuses: tuple[int, ...]
    """Statuses with an error, besides that of a wrong query."""


ENDPOINTS = {
    "strategy": Endpoint(
        "/strategy", "What was decided; it changes with a reload only.",
        q.NoQuery, StrategyAnswer, (q.NOT_YET,),
    ),
    "scorecard": Endpoint(
        "/scorecard", "Every objective and KPI with its judged series.",
        q.ScorecardQuery, ScorecardAnswer, (q.NOT_YET,),
    ),
    "kpi": Endpoint(
        "/kpis/{kpi}", "Everything about one series of a KPI.",
        q.KpiQuery, KpiAnswer, (q.UNKNOWN, q.NOT_YET),
    ),
    "explanation": Endpoint(
        "/kpis/{kpi}/explanation", "Why a KPI moved, and who costs most.",
        q.ExplanationQuery, ExplanationAnswer, (q.UNKNOWN, q.NOT_YET),
    ),
    "stages": Endpoint(
        "/stages", "Who holds the time: the way by stages.",
        q.StagesQuery, StagesAnswer, (q.UNKNOWN, q.NOT_YET),
    ),
    "worklist": Endpoint(
        "/worklist", "Who is late, or close to it, where and in whose hands.",
        q.WorklistQuery, WorklistAnswer, (q.NOT_YET,),
    ),
    "transitions": Endpoint(
        "/transitions", "The latest changes of a status.",
        q.TransitionsQuery, TransitionsAnswer, (q.NOT_YET,),
    ),
    "initiatives": Endpoint(
        "/initiatives", "The initiatives, and which of their actions are overdue.",
        q.NoQuery, InitiativesAnswer, (q.NOT_YET,),
    ),
    "quality": Endpoint(
        "/quality", "How good the data are.",
        q.NoQuery, QualityAnswer, (q.NOT_YET,),
    ),
}  # fmt: skip


class Api:
    """Answers the API's questions about a site.

    Args:
        site: What is served.
        page: Makes a text in a thread.
    """

    def __init__(self, site: Site, page: Page) -> None:
        self._site, self._page = site, page
        self._reads = Reads(site)
        self._known: tuple[Strategy | None, StrategyAnswer | None] = (None, None)

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add every path; what is none is told as JSON, too."""
        answers: dict[str, Answering] = {
            "strategy": self._strategy,
            "scorecard": self._scorecard,
            "kpi": self._kpi,
            "explanation": self._explanation,
            "stages": self._stages,
            "worklist": self._worklist,
            "transitions": self._transitions,
            "initiatives": self._initiatives,
            "quality": self._quality,
        }
        for name, endpoint in ENDPOINTS.items():
            router.add_get(PREFIX + endpoint.path, partial(self._answer, answers[name]))

    def close(self) -> None:
        """Begin no more reads."""
        self._reads.close()

    async def _answer(self, answering: Answering, request: web.Request) -> web.Response:
        answer = await answering(request)
        packs = "gzip" in request.headers.get("Accept-Encoding", "")
        body = await self._page(partial(_body, answer, packs=packs))
        packed = {"Content-Encoding": "gzip"} if packs else {}
        return web.json_response(body=body, headers=_HEADERS | packed)

    async def _strategy(self, request: web.Request) -> StrategyAnswer:
        q.read(request, q.NoQuery)
        strategy = self._decided()
        of, known = self._known
        if known is None or of is not strategy:
            known = await self._page(partial(strategy_answer, strategy))
            self._known = (strategy, known)
        return known

    async def _scorecard(self, request: web.Request) -> ScorecardAnswer:
        asked = q.read(request, q.ScorecardQuery)
        evaluation = self._reads.evaluation()
        self._check_office(asked.office, evaluation.strategy)
        last = last_statuses(self._site.transitions())
        return await self._page(partial(scorecard_answer, evaluation, asked.office, last))

    async def _kpi(self, request: web.Request) -> KpiAnswer:
        return await self._reads.kpi(self._series(request, q.read(request, q.KpiQuery)))

    async def _explanation(self, request: web.Request) -> ExplanationAnswer:
        asked = q.read(request, q.ExplanationQuery)
        return await self._reads.explanation(self._series(request, asked), asked.versus)

    async def _stages(self, request: web.Request) -> StagesAnswer:
        asked = q.read(request, q.StagesQuery)
        way = self._decided().way
        if way is None:
            raise q.Refusal(q.UNKNOWN, "the strategy splits nothing into stages")
        dimensions = [NATIONAL, *way.dimensions]
        q.one_of("window", asked.window, lambda: list(way.windows))
        q.one_of("dimension", asked.dimension, lambda: dimensions)
        return await self._reads.stages(asked.window or way.windows[0], asked.dimension or NATIONAL)

    async def _worklist(self, request: web.Request) -> WorklistAnswer:
        asked = q.read(request, q.WorklistQuery)
        evaluation = self._reads.evaluation()
        strategy = evaluation.strategy
        self._check_office(asked.office, strategy)
        stages = () if strategy.way is None else strategy.way.stages
        q.one_of("stage", asked.stage, lambda: [each.id for each in stages])
        lists = self._site.worklists(asked.office)
        wanted = Filter(asked.stage, asked.holder, asked.limit)
        return worklist_answer(strategy, lists, evaluation.as_of_ms, asked.office, wanted)

    async def _transitions(self, request: web.Request) -> TransitionsAnswer:
        asked = q.read(request, q.TransitionsQuery)
        kpis = [each.id for each in self._decided().kpis]
        q.one_of("kpi", asked.kpi, lambda: kpis)
        return transitions_answer(self._site.transitions(), asked.limit, asked.kpi)

    async def _initiatives(self, request: web.Request) -> InitiativesAnswer:
        q.read(request, q.NoQuery)
        return initiatives_answer(self._reads.evaluation())

    async def _quality(self, request: web.Request) -> QualityAnswer:
        q.read(request, q.NoQuery)
        return quality_answer(self._reads.evaluation())

    def _decided(self) -> Strategy:
        strategy = self._site.strategy()
        if strategy is None:
            raise q.Refusal(q.NOT_YET, "the strategy is not read yet")
        return strategy

    def _series(self, request: web.Request, asked: q.KpiQuery) -> Asked:
        strategy = self._decided()
        name = request.match_info["kpi"]
        kpi = next((each for each in strategy.kpis if each.id == name), None)
        if kpi is None:
            raise q.Refusal(q.UNKNOWN, f"there is no KPI {name!r}")
        q.one_of("window", asked.window, lambda: list(kpi.windows))
        self._check_office(asked.office, strategy)
        if asked.office is not None and OFFICE not in kpi.dimensions:
            said = f"office: {kpi.id} is not counted by office"
            raise q.Refusal(q.BAD, said, (said,))
        dimension = NATIONAL if asked.office is None else OFFICE
        window = asked.window or default_window(kpi, strategy.targets, dimension)
        return Asked(kpi, window, asked.office)

    @staticmethod
    def _check_office(office: str | None, strategy: Strategy) -> None:
        q.one_of("office", office, lambda: sorted(strategy.offices))


def refused(refusal: q.Refusal) -> web.Response:
    """Return what is answered to a question that is not."""
    text = refusal.problem.model_dump_json(exclude_defaults=True)
    return web.json_response(text=text, status=refusal.status, headers=_HEADERS)


def _body(answer: Model, *, packs: bool) -> bytes:
    plain = answer.model_dump_json(by_alias=True, exclude_unset=True).encode()
    return gzip.compress(plain, _PACKING, mtime=0) if packs else plain
