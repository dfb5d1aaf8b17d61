"""Disconnecting from a broker that may be gone."""

import asyncio
import logging
from collections.abc import Coroutine

log = logging.getLogger(__name__)

_WITHIN_S = 5.0


async def closed(stop: Coroutine[object, object, None]) -> None:
    """Return once a client has stopped, or after a while without it.

    With an unreachable broker, aiokafka's `stop` lets the cancellation of its own fetches out
    (`CancelledError`), which would look like a cancellation of the caller and end the process
    with an error. There is nothing to be done about a connection that is gone.
    """
    stopping = asyncio.ensure_future(stop)
    await asyncio.wait([stopping], timeout=_WITHIN_S)
    if not stopping.done():
        stopping.cancel()
    elif not stopping.cancelled() and (error := stopping.exception()) is not None:
        log.warning("not disconnected in order: %r", error)
