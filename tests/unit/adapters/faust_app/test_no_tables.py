"""What is left out of Faust's keeper of tables, held against Faust's own."""

import asyncio
from types import SimpleNamespace
from typing import Any

from faust.tables import TableManager

from kpi_stream.adapters.faust_app.app import WorkerOptions, _app
from kpi_stream.application.ports import BrokerOptions, Topics


def started(kind: type[TableManager]) -> list[str]:
    """Return what a keeper does at its start, in order."""
    done: list[str] = []

    def noting(what: str) -> Any:
        async def note(*_: object) -> None:
            done.append(what)

        return note

    made: Any = kind(_app(WorkerOptions(BrokerOptions(("kafka:9092",)), Topics())))
    made.sleep = noting("sleep")
    made._update_channels = noting("channels")
    made._recovery = SimpleNamespace(start=noting("recovery"))
    asyncio.run(made.on_start())
    return done


def test_only_the_waiting_is_left_out() -> None:
    """A worker whose recovery is not started joins its group and reads nothing, for ever."""
    ours = _app(WorkerOptions(BrokerOptions(("kafka:9092",)), Topics())).conf.TableManager
    assert started(TableManager) == ["sleep", "channels", "recovery"]
    assert started(ours) == ["channels", "recovery"]
