"""The HTTP server of the scorecard process.

GET  /metrics            for Prometheus
GET  /api/v1/scorecard   the scorecard as JSON; 503 before the first evaluation
GET  /runbook, /kpis     what to do about an alert, what a KPI means; ?language=es|en
GET  /-/healthy          200 while evaluations go on
GET  /-/ready            200 once the rows are read and fit the strategy
POST /-/reload           reads the strategy again; 400 lists every problem. Needs a login
"""

from collections.abc import Sequence
from functools import partial
from json import dumps
from typing import Protocol

from aiohttp import web

from kpi_stream.adapters.web.access import HttpAccess
from kpi_stream.adapters.web.door import Limits
from kpi_stream.adapters.web.pages import HEADERS, LANGUAGES, PAGES, Handbook
from kpi_stream.adapters.web.service import LOOPBACK, Health, HttpServer
from kpi_stream.adapters.web.view import scorecard
from kpi_stream.application.scorecard import Evaluation
from kpi_stream.domain.strategy import Strategy


class Site(Health, Protocol):
    """What is served."""

    def metrics(self, accept: str) -> tuple[bytes, str]:
        """Return (body, content type) for a scraper's Accept header; called in a thread."""
        ...

    def evaluation(self) -> Evaluation | None:
        """Return the newest evaluation, None before the first."""
        ...

    def strategy(self) -> Strategy | None:
        """Return the strategy in force, None before it is read."""
        ...

    async def reload(self) -> Sequence[str]:
        """Read the strategy again; return the problems for which it was refused."""
        ...


class WebServer(HttpServer):
    """Serves a site until it is closed.

    Args:
        site: What is served.
        port: TCP port; 0 takes a free one.
        host: The address to listen on.
        handbook: The pages about alerts and KPIs; by default Grafana is on this machine.
        access: What is asked of those who come; nothing by default.
        limits: What they may take.
    """

    NAME = "the scorecard"

    def __init__(
        self,
        site: Site,
        port: int,
        host: str = LOOPBACK,
        handbook: Handbook | None = None,
        access: HttpAccess | None = None,
        limits: Limits | None = None,
    ) -> None:
        super().__init__(site.metrics, site, port, host, access, limits)
        self._site = site
        self._handbook = handbook or Handbook()

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add the scorecard, the handbook, and the reload."""
        router.add_get("/api/v1/scorecard", self._scorecard)
        for name in PAGES:
            router.add_get(f"/{name}", partial(self._page, name))
        router.add_post("/-/reload", self._reload)

    async def _scorecard(self, _: web.Request) -> web.Response:
        evaluation = self._site.evaluation()
        if evaluation is None:
            reason = self._site.ready()[1]
            return web.json_response({"error": reason}, status=503)
        body = await self.page(lambda: dumps(scorecard(evaluation), allow_nan=False))
        return web.json_response(text=body, headers={"Cache-Control": "no-store"})

    async def _page(self, name: str, request: web.Request) -> web.Response:
        strategy = self._site.strategy()
        if strategy is None:
            return web.Response(text="the strategy is not read yet\n", status=503)
        language = request.query.get("language", strategy.language)
        if language not in LANGUAGES:
            return web.Response(text=f"language is one of {', '.join(LANGUAGES)}\n", status=400)
        text = await self.page(lambda: self._handbook.page(name, strategy, language))
        return web.Response(text=text, content_type="text/html", headers=HEADERS)

    async def _reload(self, _: web.Request) -> web.Response:
        problems = await self._site.reload()
        if problems:
            return web.Response(text="\n".join(problems) + "\n", status=400)
        return web.Response(text="the strategy was read again\n")
