"""The worker's own small HTTP server for Prometheus; the scorecard has its web server instead."""

from types import TracebackType
from typing import Self

from prometheus_client import CollectorRegistry, start_http_server

from kpi_stream.domain.errors import InputError

LOOPBACK = "127.0.0.1"
"""Metrics are for the scraper beside us; whoever needs another address says so."""


class MetricsServer:
    """Serves a registry from a thread until it is closed."""

    def __init__(self, registry: CollectorRegistry, port: int, addr: str = LOOPBACK) -> None:
        """Start to serve.

        Args:
            registry: What to serve.
            port: TCP port; 0 takes a free one.
            addr: The address to listen on.

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
    registry: CollectorRegistry, port: int, addr: str = LOOPBACK
) -> MetricsServer:
    """Serve a registry on http://addr:port/metrics; close the result to end it."""
    return MetricsServer(registry, port, addr)
