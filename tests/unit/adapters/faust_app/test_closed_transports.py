"""A write on a connection that was reset is an error that aiokafka expects."""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.metadata import MetadataRequest

from kpi_stream.adapters.faust_app.closed_transports import mend_connections


@pytest.fixture(autouse=True)
def _mended(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("send", "_send_sasl_token"):
        monkeypatch.setattr(AIOKafkaConnection, name, getattr(AIOKafkaConnection, name))
    mend_connections()
    mend_connections()


def _connected(scenario: Callable[[Any], Coroutine[Any, Any, None]]) -> None:
    """Run a scenario with a connection to something that never answers, on the worker's loop."""

    async def run() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            connection = AIOKafkaConnection("127.0.0.1", port)
            streams = await asyncio.open_connection("127.0.0.1", port)
            connection._reader, connection._writer = streams
            connection._versions = {3: (0, 1)}
            connection._read_task = connection._create_reader_task()
            try:
                await scenario(connection)
            finally:
                connection.close()
                streams[1].transport.abort()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


@pytest.mark.parametrize(
    "write",
    [
        lambda connection: connection.send(MetadataRequest([])),
        lambda connection: connection._send_sasl_token(b"token"),
    ],
    ids=["send", "sasl"],
)
def test_a_write_after_a_reset_is_a_broken_connection(write: Callable[[Any], Any]) -> None:
    """The connection is closed, to be made anew."""

    async def scenario(connection: Any) -> None:
        connection._writer.transport.abort()
        await asyncio.sleep(0)
        with pytest.raises(KafkaConnectionError, match="handler is closed"):
            write(connection)
        assert not connection.connected()
        assert connection._writer is None

    _connected(scenario)


def test_a_defect_stays_a_defect() -> None:
    """Any other RuntimeError is raised as it is."""

    class Defect:
        def prepare(self, _: object) -> None:
            msg = "a defect"
            raise RuntimeError(msg)

    async def scenario(connection: Any) -> None:
        with pytest.raises(RuntimeError, match="a defect"):
            connection.send(Defect())

    _connected(scenario)
