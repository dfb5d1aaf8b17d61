"""The HTTP server of the scorecard process.

GET  /                   the operators' page, and its views
GET  /api/v1/...         what the page shows, as JSON; /api/v1/openapi.json says what there is
GET  /api/v1/stream      server-sent events: each evaluation
GET  /metrics            for Prometheus; ?name[]=... for some names alone
GET  /runbook, /kpis     what to do about an alert, what a KPI means; ?language=es|en
GET  /-/healthy          200 while evaluations go on
GET  /-/ready            200 once the rows are read and fit the strategy
POST /-/reload           reads the strategy again; 400 lists every problem. Needs a login
"""

import asyncio
from contextlib import suppress
from functools import partial

from aiohttp import web

from kpi_stream.adapters.web import assets
from kpi_stream.adapters.web.access import HttpAccess
from kpi_stream.adapters.web.api import queries as q
from kpi_stream.adapters.web.api.openapi import document_text
from kpi_stream.adapters.web.api.routes import PREFIX, Api, refused
from kpi_stream.adapters.web.api.stream import Hub
from kpi_stream.adapters.web.door import Limits
from kpi_stream.adapters.web.pages import HEADERS, LANGUAGES, PAGES, Handbook
from kpi_stream.adapters.web.service import LOOPBACK, Handler, HttpServer
from kpi_stream.adapters.web.site import Site


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
        self._api = Api(site, self.page)
        self._hub = Hub()
        self._telling: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start to serve.

        Raises:
            InputError: Another program listens there.
        """
        await super().start()
        self._telling = asyncio.ensure_future(self._tell())

    async def close(self) -> None:
        """Stop serving and free the port."""
        if self._telling is not None:
            self._telling.cancel()
            with suppress(asyncio.CancelledError):
                await self._telling
        self._hub.close()
        await super().close()
        self._api.close()

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add the page, the API, the handbook, and the reload."""
        self._api.add_routes(router)
        router.add_get(f"{PREFIX}/stream", self._stream, allow_head=False)
        router.add_get(f"{PREFIX}/openapi.json", self._openapi)
        for path in assets.VIEWS:
            router.add_get(path, self._view)
        router.add_get("/static/{name:.+}", self._static)
        for name in PAGES:
            router.add_get(f"/{name}", partial(self._page, name))
        router.add_post("/-/reload", self._reload)

    def guarded(self, handler: Handler) -> Handler:
        """Return a handler whose refusals are said as JSON, those of the API's router as well."""

        async def answering(request: web.Request) -> web.StreamResponse:
            try:
                return await handler(request)
            except q.Refusal as refusal:
                return refused(refusal)
            except (web.HTTPNotFound, web.HTTPMethodNotAllowed) as err:
                if not request.path.startswith("/api/"):
                    raise
                answer = refused(q.Refusal(err.status, f"{request.method} {request.path}: {err}"))
                if "Allow" in err.headers:
                    answer.headers["Allow"] = err.headers["Allow"]
                return answer

        return answering

    async def _tell(self) -> None:
        """Tell those who listen of each evaluation."""
        while True:
            self._hub.tell(self._site.evaluation())
            await self._site.evaluated()

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        q.read(request, q.NoQuery)
        return await self._hub.serve(request, partial(self.goes_on, request))

    async def _openapi(self, request: web.Request) -> web.Response:
        q.read(request, q.NoQuery)
        return web.json_response(text=await self.page(document_text))

    async def _view(self, request: web.Request) -> web.Response:
        return assets.answer(assets.INDEX, request)

    async def _static(self, request: web.Request) -> web.Response:
        return assets.answer(request.match_info["name"], request)

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
