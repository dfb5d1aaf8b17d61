"""A TCP proxy that is a bad network: slow, narrow, silent, or cutting connections off.

The faults are set from the test's thread and hold for what passes from then on, in connections
that are open and in new ones.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from kpi_stream.adapters.embedded_broker import HOST

_BYTES = 1 << 15
_WAITING = 16
"""Pieces of a direction that may be on their way."""
_AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER: closing sends RST and throws away what was not sent."""


class FaultyProxy:
    """Hands every connection on to a port of this machine, as a context manager.

    Args:
        target: The port.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.latency_s = 0.0
        """How much later each piece arrives, in both directions; the throughput stays."""
        self.bytes_per_s: float | None = None
        """What one direction of one connection carries; None: everything."""
        self.accepted = 0
        """Connections so far."""
        self._listener = socket.create_server((HOST, 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def half_open(self) -> None:
        """From now on accept, and neither forward nor read anything: nobody is told."""
        self._loop.call_soon_threadsafe(self._flowing.clear)

    def heal(self) -> None:
        """Be a good network again; what was held up arrives."""
        self.latency_s, self.bytes_per_s = 0.0, None
        self._loop.call_soon_threadsafe(self._flowing.set)

    def reset(self) -> int:
        """Cut off every open connection (RST); return how many."""
        return asyncio.run_coroutine_threadsafe(self._reset(), self._loop).result(10)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._accept, sock=self._listener, limit=_BYTES)
        )
        self._loop.run_forever()
        server.close()
        for task in self._tasks:
            task.cancel()
        self._loop.run_until_complete(self._reset())
        self._loop.run_until_complete(asyncio.gather(*self._tasks, return_exceptions=True))
        self._loop.close()

    async def _reset(self) -> int:
        going = list(self._open)
        for writer in going:
            sock = writer.get_extra_info("socket")
            with suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            writer.transport.abort()
        await asyncio.sleep(0)
        return len(going) // 2

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        try:
            answers, server = await asyncio.open_connection(HOST, self.target, limit=_BYTES)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, server}
        work = [*self._direction(reader, server), *self._direction(answers, writer)]
        tasks = [self._loop.create_task(each) for each in work]
        self._tasks.update(tasks)
        with suppress(asyncio.CancelledError):
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks.difference_update(tasks)
        self._open -= {writer, server}
        for each in (writer, server):
            each.close()

    def _direction(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> Iterator[Coroutine[Any, Any, None]]:
        pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_WAITING)
        yield self._take(reader, pieces)
        yield self._deliver(pieces, writer)

    async def _take(
        self, reader: asyncio.StreamReader, pieces: "asyncio.Queue[tuple[float, bytes]]"
    ) -> None:
        piece = b"?"
        while piece:
            await self._flowing.wait()
            piece = await reader.read(_BYTES)
            await pieces.put((self._loop.time() + self.latency_s, piece))

    async def _deliver(
        self, pieces: "asyncio.Queue[tuple[float, bytes]]", writer: asyncio.StreamWriter
    ) -> None:
        while True:
            due, piece = await pieces.get()
            await asyncio.sleep(max(0.0, due - self._loop.time()))
            await self._flowing.wait()
            if not piece:
                writer.write_eof()
                return
            writer.write(piece)
            await writer.drain()
            if self.bytes_per_s is not None:
                await asyncio.sleep(len(piece) / self.bytes_per_s)
