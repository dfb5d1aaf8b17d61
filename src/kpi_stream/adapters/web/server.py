"""The HTTP server of the scorecard process.

    GET  /metrics            for Prometheus
    GET  /api/v1/scorecard   the scorecard as JSON; 503 before the first evaluation
    GET  /runbook, /kpis     what to do about an alert, what a KPI means; ?language=es|en
    GET  /-/healthy          200 while evaluations go on
    GET  /-/ready            200 once the rows are read and fit the strategy
    POST /-/reload           reads the strategy again; 400 lists every problem

It listens on the loopback address unless told otherwise: nothing here asks who you are.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from json import dumps
from typing import Protocol

from aiohttp import web

from kpi_stream.adapters.web.pages import HEADERS, LANGUAGES, PAGES, Handbook
from kpi_stream.adapters.web.view import scorecard
from kpi_stream.application.scorecard import Evaluation
from kpi_stream.domain.errors import InputError
from kpi_stream.domain.strategy import Strategy

_SHUTDOWN_S = 2.0
"""How long an open request may take after the process was asked to end."""


class Site(Protocol):
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

    def healthy(self) -> tuple[bool, str]:
        """Return whether evaluations go on, and why not."""
        ...

    def ready(self) -> tuple[bool, str]:
        """Return whether the scorecard can be read, and why not."""
        ...

    async def reload(self) -> Sequence[str]:
        """Read the strategy again; return the problems for which it was refused."""
        ...


class WebServer:
    """Serves a site until it is closed.

    Args:
        site: What is served.
        port: TCP port; 0 takes a free one.
        host: The address to listen on.
        handbook: The pages about alerts and KPIs; by default Grafana is on this machine.
    """

    def __init__(
        self,
        site: Site,
        port: int,
        host: str = "127.0.0.1",
        handbook: Handbook | None = None,
    ) -> None:
        self._site, self._wanted, self._host = site, port, host
        self._handbook = handbook or Handbook()
        self._runner: web.AppRunner | None = None
        self.port = port

    async def start(self) -> None:
        """Start to serve.

        Raises:
            InputError: Another program listens there.
        """
        runner = web.AppRunner(
            self._app(), access_log=None, handle_signals=False, shutdown_timeout=_SHUTDOWN_S
        )
        await runner.setup()
        listener = web.TCPSite(runner, self._host, self._wanted)
        try:
            await listener.start()
        except OSError as err:
            await runner.cleanup()
            msg = (
                f"the scorecard cannot be served on {self._host}:{self._wanted} "
                f"({err.strerror}); end the program that listens there, or choose another port"
            )
            raise InputError(msg) from err
        self._runner = runner
        self.port = runner.addresses[0][1]

    async def close(self) -> None:
        """Stop serving and free the port."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    def _app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/api/v1/scorecard", self._scorecard)
        for name in PAGES:
            app.router.add_get(f"/{name}", partial(self._page, name))
        app.router.add_get("/-/healthy", partial(_check, self._site.healthy))
        app.router.add_get("/-/ready", partial(_check, self._site.ready))
        app.router.add_post("/-/reload", self._reload)
        return app

    async def _metrics(self, request: web.Request) -> web.Response:
        # In a thread: thousands of series take a while, and evaluations must not wait for it.
        accept = request.headers.get("Accept", "")
        body, content_type = await asyncio.to_thread(self._site.metrics, accept)
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def _scorecard(self, _: web.Request) -> web.Response:
        evaluation = self._site.evaluation()
        if evaluation is None:
            reason = self._site.ready()[1]
            return web.json_response({"error": reason}, status=503)
        body = await asyncio.to_thread(lambda: dumps(scorecard(evaluation), allow_nan=False))
        return web.json_response(text=body, headers={"Cache-Control": "no-store"})

    async def _page(self, name: str, request: web.Request) -> web.Response:
        strategy = self._site.strategy()
        if strategy is None:
            return web.Response(text="the strategy is not read yet\n", status=503)
        language = request.query.get("language", strategy.language)
        if language not in LANGUAGES:
            return web.Response(text=f"language is one of {', '.join(LANGUAGES)}\n", status=400)
        text = await asyncio.to_thread(self._handbook.page, name, strategy, language)
        return web.Response(text=text, content_type="text/html", headers=HEADERS)

    async def _reload(self, _: web.Request) -> web.Response:
        problems = await self._site.reload()
        if problems:
            return web.Response(text="\n".join(problems) + "\n", status=400)
        return web.Response(text="the strategy was read again\n")


async def _check(ask: Callable[[], tuple[bool, str]], _: web.Request) -> web.Response:
    well, text = ask()
    return web.Response(text=f"{text}\n", status=200 if well else 503)
