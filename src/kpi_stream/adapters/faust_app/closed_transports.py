"""aiokafka on uvloop: writing to a connection that the broker has reset a moment ago.

asyncio passes over such a write, and the broken connection is found out when it is read. uvloop
raises a RuntimeError, for which aiokafka is not made: the routine that fetches, sends or keeps the
membership ends on it, and with it the worker. Here it becomes the error that aiokafka expects.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError

_WRITERS = ("send", "_send_sasl_token")


def mend_connections() -> None:
    """Have every connection of the process translate it; again changes nothing."""
    for name in _WRITERS:
        write = getattr(AIOKafkaConnection, name)
        if not hasattr(write, "__wrapped__"):
            setattr(AIOKafkaConnection, name, _translating(write))


def _translating(write: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(write)
    def translating(connection: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        writer = connection._writer  # noqa: SLF001  (closing forgets it)
        try:
            return write(connection, *args, **kwargs)
        except RuntimeError as err:
            if writer is None or not writer.transport.is_closing():
                raise
            connection.close(reason=CloseReason.CONNECTION_BROKEN)
            msg = f"Connection at {connection.host}:{connection.port} broken: {err}"
            raise KafkaConnectionError(msg) from err

    return translating
