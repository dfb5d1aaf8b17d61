"""What the HTTP servers of worker and scorecard have in common.

    GET  /metrics     for Prometheus; with ?name[]=... once or more, of these names alone
    GET  /-/healthy   200 while the process gets on; 503 with the reason
    GET  /-/ready     200 once it does its work; 503 with the reason

With a login all but the two checks asks for it: what restarts a container has no password to give,
and hears no more than how the process is. What changes something is refused without a login.
Without one, and by default, the server listens on the loopback address alone.
"""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Protocol, TypeVar, cast

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger
from aiohttp.http_exceptions import HttpProcessingError

from kpi_stream.adapters.web.access import HttpAccess
from kpi_stream.adapters.web.door import Door, Limits
from kpi_stream.domain.errors import InputError

T = TypeVar("T")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Render = Callable[[str, frozenset[str]], tuple[bytes, str]]

LOOPBACK = "127.0.0.1"
"""Metrics are for the scraper beside us; whoever needs another address says so."""

_SHUTDOWN_S = 2.0
"""How long an open request may take after the process was asked to end."""
_LINE_BYTES = 8_190
"""Of a request's first line, and of each header; proxies add long ones."""
_HEADERS = 64
_CHECKS = frozenset({"/-/healthy", "/-/ready"})
_READS = frozenset({"GET", "HEAD"})
_REALM = {"WWW-Authenticate": 'Basic realm="kpi-stream", charset="UTF-8"'}
_COMPLAIN_EVERY_S = 60.0
NO_LOGIN = (
    "nobody may change anything here without a login: set KPI_STREAM_HTTP_USERNAME and "
    "KPI_STREAM_HTTP_PASSWORD_FILE"
)

log = logging.getLogger(__name__)


class Health(Protocol):
    """What is asked of the process; it answers at once."""

    def healthy(self) -> tuple[bool, str]:
        """Return whether the process makes progress or has nothing to do, and why not."""
        ...

    def ready(self) -> tuple[bool, str]:
        """Return whether the process does its work, and why not yet."""
        ...


class _Unreadable(logging.Filter):
    """Keeps requests that are not HTTP out of the log: they hold what the caller likes."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, HttpProcessingError)


_requests = logging.getLogger(f"{__name__}.requests")
_requests.addFilter(_Unreadable())


class HttpServer:
    """Serves metrics and health until it is closed; what else there is, a subclass adds.

    Args:
        render: Returns (body, content type) of the metrics for a scraper's Accept header, of some
            names or, without any, of all; called in a thread.
        health: What answers the two checks.
        port: TCP port; 0 takes a free one.
        host: The address to listen on.
        access: What is asked of those who come; nothing by default.
        limits: What they may take.
    """

    NAME = "metrics"
    """What is served, for an error's text."""

    def __init__(
        self,
        render: Render,
        health: Health,
        port: int,
        host: str = LOOPBACK,
        access: HttpAccess | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._render, self._health = render, health
        self._wanted, self._host = port, host
        self._access, self._limits = access or HttpAccess(), limits or Limits()
        self._runner: web.AppRunner | None = None
        self._door: Door | None = None
        self._complained_at = -_COMPLAIN_EVERY_S
        # One page at a time, so that many scrapers together take no more than one of them.
        self._pages = ThreadPoolExecutor(1, "http-page")
        self.port = port

    @property
    def url(self) -> str:
        """Where it is reached on this machine."""
        return f"{'http' if self._access.tls is None else 'https'}://{self._host}:{self.port}"

    async def start(self) -> None:
        """Start to serve.

        Raises:
            InputError: Another program listens there.
        """
        runner = web.AppRunner(
            self._app(),
            access_log=_requests,
            access_log_class=self._noting(),
            logger=_requests,
            handle_signals=False,
            # A page that nobody waits for any more is not made.
            handler_cancellation=True,
            shutdown_timeout=_SHUTDOWN_S,
            keepalive_timeout=self._limits.idle_s,
            lingering_time=_SHUTDOWN_S,
            max_line_size=_LINE_BYTES,
            max_field_size=_LINE_BYTES,
            max_headers=_HEADERS,
        )
        await runner.setup()
        self._door = Door(cast("web.Server", runner.server), self._tls, self._limits)
        try:
            self.port = self._door.open(self._host, self._wanted)
        except OSError as err:
            await runner.cleanup()
            msg = (
                f"{self.NAME} cannot be served on {self._host}:{self._wanted} "
                f"({err.strerror}); end the program that listens there, or choose another port"
            )
            raise InputError(msg) from err
        self._runner = runner

    async def close(self) -> None:
        """Stop serving and free the port."""
        runner, self._runner = self._runner, None
        if runner is not None and self._door is not None:
            await self._door.close()
            await runner.cleanup()
            self._door.cut()
        self._pages.shutdown(wait=False, cancel_futures=True)

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add what a subclass answers."""

    def guarded(self, handler: Handler) -> Handler:
        """Return what answers in a handler's place; what a subclass refuses, it says itself."""
        return handler

    def goes_on(self, request: web.Request) -> None:
        """Note that an answer without an end reaches its caller: it has a while more."""
        if self._door is not None:
            self._door.goes_on(request.protocol)

    async def page(self, make: Callable[[], T]) -> T:
        """Return what is made in a thread: a page takes a while, and the process goes on."""
        return await asyncio.get_running_loop().run_in_executor(self._pages, make)

    def _app(self) -> web.Application:
        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            return self._refused(request) or await self.guarded(handler)(request)

        app = web.Application(middlewares=[guard])
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/-/healthy", partial(_check, self._health.healthy))
        app.router.add_get("/-/ready", partial(_check, self._health.ready))
        self.add_routes(app.router)
        return app

    def _noting(self) -> type[AbstractAccessLogger]:
        """Return what aiohttp tells that an answer has gone."""
        server = self

        class Noting(AbstractAccessLogger):
            def log(self, request: web.BaseRequest, response: object, time: float) -> None:
                del response, time
                if server._door is not None:
                    server._door.ended(request.protocol)

        return Noting

    def _tls(self) -> ssl.SSLContext | None:
        return None if self._access.tls is None else self._access.tls.get()

    def _refused(self, request: web.Request) -> web.Response | None:
        """Return the answer to who may not ask for this, None where he may."""
        if self._door is not None:
            self._door.began(request.protocol)
        if request.body_exists:
            return _refusal(413, "nothing here takes a body")
        changes = request.method not in _READS
        if changes and self._access.login is None:
            return _refusal(403, NO_LOGIN)
        if changes and "Origin" in request.headers:
            # A browser sends the password along, whichever page made it ask.
            return _refusal(403, "no page of a browser may change anything here")
        if self._access.login is None or (request.path in _CHECKS and not changes):
            return None
        given = request.headers.get("Authorization", "")
        if self._access.admits(given):
            return None
        if given:
            self._complain(request)
        return _refusal(401, "user and password are needed", _REALM)

    def _complain(self, request: web.Request) -> None:
        """Tell of a wrong password, and not so often that it fills the log."""
        now_s = asyncio.get_running_loop().time()
        if now_s - self._complained_at >= _COMPLAIN_EVERY_S:
            self._complained_at = now_s
            log.warning(
                "HTTP: wrong user or password from %s; further ones are not told for %.0f s",
                request.remote,
                _COMPLAIN_EVERY_S,
            )

    async def _metrics(self, request: web.Request) -> web.Response:
        accept = request.headers.get("Accept", "")
        names = frozenset(request.query.getall("name[]", ()))
        body, content_type = await self.page(lambda: self._render(accept, names))
        return web.Response(body=body, headers={"Content-Type": content_type})


async def _check(ask: Callable[[], tuple[bool, str]], _: web.Request) -> web.Response:
    well, text = ask()
    return web.Response(text=f"{text}\n", status=200 if well else 503)


def _refusal(status: int, text: str, headers: dict[str, str] | None = None) -> web.Response:
    refusal = web.Response(text=f"{text}\n", status=status, headers=headers)
    # Whoever is refused has no use for the connection, and others may have.
    refusal.force_close()
    return refusal
