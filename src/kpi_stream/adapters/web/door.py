"""Lets connections in: so many at once, and each only for so long.

Whoever reaches the port can open connections, send a request byte by byte, or not read the answer.
None of that may cost the process its file descriptors or keep a health check out, and a handshake
of TLS must not hold up the next caller. So each connection has a place; a caller gets the place of
the one that has waited longest without a whole request, if there is no free one.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import cast

from aiohttp import web

log = logging.getLogger(__name__)

_BACKLOG = 128
_FAREWELL_S = 5.0
"""For the last words of TLS; a caller that hung up says none."""
_PAUSE_S = 1.0
"""Until the next attempt, where the process has no file descriptor left."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one caller, and all of them together, may take."""

    connections: int = 64
    """At once. A Prometheus keeps one, a browser up to six."""
    exchange_s: float = 30.0
    """From the first byte of a request, or from the connection, to the last of the answer.
    A Prometheus gives up after 10."""
    idle_s: float = 75.0
    """Between two requests of a connection: longer than from one scrape to the next."""


class _Connection(asyncio.Protocol):
    """One connection: hands all that happens to it on to aiohttp, and keeps its deadline.

    At each deadline the connection is cut, not closed: closing waits for a caller who does not
    read.
    """

    def __init__(self, door: "Door") -> None:
        self._door = door
        self.handler = door.handlers()
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._idle = True
        self.task: asyncio.Task[None] | None = None
        """The handshake."""
        self.answering = False
        """Whether a whole request has come, and its answer has not gone."""
        self._exchange()

    def began(self) -> None:
        """Note that a whole request has come."""
        self.answering = True
        self._exchange()

    def ended(self) -> None:
        """Note that its answer has gone, as far as the caller reads it."""
        self.answering, self._idle = False, True
        self._wait(self._door.limits.idle_s)

    def goes_on(self) -> None:
        """Give an answer without an end as long again; it is asked for after each piece of it."""
        if self.answering:
            self._wait(self._door.limits.exchange_s)

    def drop(self) -> None:
        """Cut it, whatever it is doing."""
        if self._transport is not None:
            self._transport.abort()
        elif self.task is not None:
            self.task.cancel()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over from the handshake."""
        self._transport = cast("asyncio.Transport", transport)
        self.handler.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Take bytes; those that come during an exchange do not prolong it."""
        self._exchange()
        self.handler.data_received(data)

    def eof_received(self) -> None:
        """Take the end of what the caller sends; the connection ends as well."""
        self.handler.eof_received()

    def pause_writing(self) -> None:
        """Tell aiohttp that the caller reads slowly."""
        self.handler.pause_writing()

    def resume_writing(self) -> None:
        """Tell aiohttp that he has caught up."""
        self.handler.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place back."""
        self.gone()
        self.handler.connection_lost(exc)

    def gone(self) -> None:
        """Give the place back, of a connection that may never have been one."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._door.left(self)

    def _exchange(self) -> None:
        if self._idle:
            self._idle = False
            self._wait(self._door.limits.exchange_s)

    def _wait(self, seconds: float) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self._loop.call_later(seconds, self.drop)


class Door:
    """Accepts connections for aiohttp until it is closed.

    Args:
        handlers: Makes what speaks HTTP on one connection.
        tls: Asked at each connection for what to speak TLS with; None is plain HTTP.
        limits: What callers may take.
    """

    def __init__(
        self, handlers: web.Server, tls: Callable[[], ssl.SSLContext | None], limits: Limits
    ) -> None:
        self.handlers, self.limits, self._tls = handlers, limits, tls
        self._places: dict[object, _Connection] = {}
        """By what aiohttp calls the connection; the oldest first."""
        self._accepting: asyncio.Task[None] | None = None
        self._listener: socket.socket | None = None

    def open(self, host: str, port: int) -> int:
        """Listen, and return the port.

        Raises:
            OSError: Another program listens there.
        """
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
        listener.setblocking(False)  # noqa: FBT003  (positional only)
        self._listener = listener
        self._accepting = asyncio.ensure_future(self._accept(listener))
        number: int = listener.getsockname()[1]
        return number

    async def close(self) -> None:
        """Listen no more; connections that are open stay."""
        if self._accepting is not None:
            self._accepting.cancel()
            with suppress(asyncio.CancelledError):
                await self._accepting
        if self._listener is not None:
            self._listener.close()

    def cut(self) -> None:
        """End the connections that are left."""
        for each in list(self._places.values()):
            each.drop()

    def began(self, handler: object) -> None:
        """Note that a request has come on a connection."""
        if handler in self._places:
            self._places[handler].began()

    def ended(self, handler: object) -> None:
        """Note that its answer has gone."""
        if handler in self._places:
            self._places[handler].ended()

    def goes_on(self, handler: object) -> None:
        """Note that a piece of an answer without an end has gone, as far as the caller reads."""
        if handler in self._places:
            self._places[handler].goes_on()

    def left(self, connection: _Connection) -> None:
        """Note that a connection is gone."""
        self._places.pop(connection.handler, None)

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                client, _ = await loop.sock_accept(listener)
            except OSError as err:
                log.warning("no connection can be accepted: %s", err.strerror)
                await asyncio.sleep(_PAUSE_S)
                continue
            if not self._make_room():
                client.close()
                continue
            connection = _Connection(self)
            self._places[connection.handler] = connection
            task = loop.create_task(self._shake_hands(connection, client))
            task.add_done_callback(partial(self._shaken, connection, client))
            connection.task = task

    def _make_room(self) -> bool:
        """Return whether there is a place; whoever has sent nothing for longest leaves his."""
        if len(self._places) < self.limits.connections:
            return True
        for each in self._places.values():
            if not each.answering:
                self.left(each)
                each.drop()
                return True
        return False

    async def _shake_hands(self, connection: _Connection, client: socket.socket) -> None:
        tls = self._tls()
        times = {"ssl_shutdown_timeout": _FAREWELL_S} if tls else {}
        await asyncio.get_running_loop().connect_accepted_socket(
            lambda: connection, client, ssl=tls, **times
        )

    def _shaken(
        self, connection: _Connection, client: socket.socket, task: asyncio.Task[None]
    ) -> None:
        """Clear up after a handshake; not in it, since one may be cancelled before it begins."""
        connection.task = None
        error = None if task.cancelled() else task.exception()
        if task.cancelled() or error is not None:
            # Whoever speaks plain HTTP to TLS, or does not trust us, hangs up: not worth more.
            log.debug("no connection was made: %r", error)
            client.close()
            connection.gone()
