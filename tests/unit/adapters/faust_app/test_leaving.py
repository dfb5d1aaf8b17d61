"""Who leaves the group at the end, of those with a name."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from faust.transport.drivers import aiokafka as base

from kpi_stream.adapters.faust_app.app import Worker, WorkerOptions
from kpi_stream.adapters.faust_app.liveness import Liveness
from kpi_stream.adapters.faust_app.transport import BatchConsumerThread
from kpi_stream.application.ports import BrokerOptions, Topics
from kpi_stream.domain.errors import StateError
from tests.support.counting import Counts
from tests.support.partitions import Log


@pytest.mark.parametrize(
    ("wanted", "error", "leaves"),
    [
        (True, None, True),
        (False, None, False),
        (True, StateError("damaged"), False),
    ],
)
def test_one_that_fails_stays_a_member(
    monkeypatch: pytest.MonkeyPatch,
    *,
    wanted: bool,
    error: StateError | None,
    leaves: bool,
) -> None:
    """It is started again, and until its session is over the others need not notice."""
    stopped: list[bool] = []

    async def scenario() -> None:
        options = WorkerOptions(BrokerOptions(("kafka:9092",)), Topics(), leaves=wanted)
        worker = Worker(options, Log().open, Counts(), Liveness(lambda: 0.0, 60.0))

        async def start() -> None:
            worker.end(error)

        async def stop() -> None:
            stopped.append(worker.app.leaves)

        monkeypatch.setattr(worker.app, "start", start)
        monkeypatch.setattr(worker.app, "stop", stop)
        await worker.run()

    if error is None:
        asyncio.run(scenario())
    else:
        with pytest.raises(StateError, match="damaged"):
            asyncio.run(scenario())
    assert stopped == [leaves]


@pytest.mark.parametrize(("leaves", "name"), [(True, None), (False, "a-worker")])
def test_its_client_is_closed_as_one_without_a_name(
    monkeypatch: pytest.MonkeyPatch, *, leaves: bool, name: str | None
) -> None:
    """What was never started has nothing to leave, and ends all the same."""
    closed: list[object] = []

    async def close(thread: Any) -> None:
        started = thread._consumer is not None and thread._consumer._coordinator is not None
        closed.append(thread._consumer._coordinator._group_instance_id if started else "nothing")

    monkeypatch.setattr(base.AIOKafkaConsumerThread, "on_thread_stop", close)
    coordinator = SimpleNamespace(_group_instance_id="a-worker")
    for client in (
        None,
        SimpleNamespace(_coordinator=None),
        SimpleNamespace(_coordinator=coordinator),
    ):
        thread: Any = object.__new__(BatchConsumerThread)
        thread.consumer = SimpleNamespace(app=SimpleNamespace(leaves=leaves))
        thread._consumer = client
        asyncio.run(thread.on_thread_stop())
    assert closed == ["nothing", "nothing", name]
