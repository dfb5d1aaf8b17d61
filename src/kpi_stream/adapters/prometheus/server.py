"""The worker's own small HTTP server; the scorecard has its web server instead.

GET  /metrics     for Prometheus
GET  /-/healthy   200 while it works or has nothing to do; 503 with the reason
GET  /-/ready     200 once its partitions are open, or it stands by as a spare
"""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from prometheus_client import CollectorRegistry, make_wsgi_app, start_http_server

from kpi_stream.domain.errors import InputError

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

LOOPBACK = "127.0.0.1"
"""Metrics are for the scraper beside us; whoever needs another address says so."""


class Health(Protocol):
    """What is asked of the process; called in a thread."""

    def healthy(self) -> tuple[bool, str]:
        """Return whether the process makes progress or has nothing to do, and why not."""
        ...

    def ready(self) -> tuple[bool, str]:
        """Return whether the process does its work, and why not yet."""
        ...


class MetricsServer:
    """Serves a registry from a thread until it is closed."""

    def __init__(
        self,
        registry: CollectorRegistry,
        port: int,
        addr: str = LOOPBACK,
        health: Health | None = None,
    ) -> None:
        """Start to serve.

        Args:
            registry: What to serve.
            port: TCP port; 0 takes a free one.
            addr: The address to listen on.
            health: What answers `/-/healthy` and `/-/ready`; None: nothing does.

        Raises:
            InputError: Another program listens there.
        """
        try:
            self._server, self._thread = start_http_server(port, addr, registry)
        except OSError as err:
            msg = (
                f"metrics cannot be served on {addr}:{port} ({err.strerror}); end the program "
                "that listens there, or choose another port"
            )
            raise InputError(msg) from err
        self._server.set_app(_application(registry, health))
        self.port: int = self._server.server_port

    def close(self) -> None:
        """Stop serving and free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def start_metrics_server(
    registry: CollectorRegistry,
    port: int,
    addr: str = LOOPBACK,
    health: Health | None = None,
) -> MetricsServer:
    """Serve a registry on http://addr:port/metrics; close the result to end it."""
    return MetricsServer(registry, port, addr, health)


def _application(registry: CollectorRegistry, health: Health | None) -> "WSGIApplication":
    metrics = make_wsgi_app(registry)
    checks: dict[str, Callable[[], tuple[bool, str]]] = {}
    if health is not None:
        checks = {"/-/healthy": health.healthy, "/-/ready": health.ready}

    def serve(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/metrics":
            answer: Iterable[bytes] = metrics(environ, start_response)
            return answer
        status, text = HTTPStatus.NOT_FOUND, "there is /metrics"
        if path in checks:
            well, text = checks[path]()
            status = HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE
        start_response(
            f"{status.value} {status.phrase}", [("Content-Type", "text/plain; charset=utf-8")]
        )
        return [f"{text}\n".encode()]

    return serve
