"""A server in a thread with a loop of its own, for a process whose own loop is busy.

A worker decodes and counts for tens of milliseconds at a time, and its loop hangs where the worker
hangs; who asks whether it does must be answered all the same.
"""

import asyncio
import threading
from types import TracebackType

from kpi_stream.adapters.web.service import HttpServer


class Threaded:
    """Runs a server, as a context manager that yields it.

    Args:
        server: Not started.
    """

    def __init__(self, server: HttpServer) -> None:
        self._server = server
        # Not what the policy of the process would make: Faust's loop is another one.
        self._loop = asyncio.SelectorEventLoop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="http-server", daemon=True
        )

    def __enter__(self) -> HttpServer:
        """Start to serve.

        Raises:
            InputError: Another program listens there.
        """
        self._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._server.start(), self._loop).result()
        except BaseException:
            self._end()
            raise
        return self._server

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop serving and free the port."""
        try:
            asyncio.run_coroutine_threadsafe(self._server.close(), self._loop).result()
        finally:
            self._end()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
