"""The name by which the group knows a worker follows from its setting."""

import socket

import pytest

from kpi_stream.bootstrap.worker import instance
from kpi_stream.domain.errors import InputError
from kpi_stream.settings import Settings

HOST = socket.gethostname()


@pytest.mark.parametrize(
    ("wanted", "name", "of_host"),
    [
        ("", None, False),
        ("worker-1", "worker-1", False),
        ("{hostname}", HOST, True),
        ("blue.{hostname}_1", f"blue.{HOST}_1", True),
    ],
)
def test_a_workers_name(
    monkeypatch: pytest.MonkeyPatch, wanted: str, name: str | None, *, of_host: bool
) -> None:
    """As it is said, with the host's name where that is wanted; only then it leaves at its end."""
    monkeypatch.setenv("KPI_STREAM_INSTANCE_ID", wanted)
    assert instance(Settings.load()) == (name, of_host)


@pytest.mark.parametrize("wrong", ["a worker", "{host}", "{hostname", "$HOSTNAME", "w" * 201])
def test_a_name_that_kafka_does_not_take_is_refused(
    monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    """Before anything is connected, and with the variable's name."""
    monkeypatch.setenv("KPI_STREAM_INSTANCE_ID", wrong)
    with pytest.raises(InputError, match="KPI_STREAM_INSTANCE_ID"):
        Settings.load()
