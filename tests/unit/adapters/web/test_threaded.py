"""The worker's HTTP server, and the command that asks it."""

import socket
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from kpi_stream.adapters.web.service import HttpServer
from kpi_stream.adapters.web.threaded import Threaded
from kpi_stream.cli import cli
from kpi_stream.domain.errors import InputError
from tests.support.ports import free_port


class Health:
    """Answers what the test says."""

    def __init__(self) -> None:
        self.alive = (True, "healthy")
        self.works = (False, "partition 2: its state is being read")

    def healthy(self) -> tuple[bool, str]:
        """Return what the test says."""
        return self.alive

    def ready(self) -> tuple[bool, str]:
        """Return what the test says."""
        return self.works


def render(accept: str, names: frozenset[str]) -> tuple[bytes, str]:
    """Return one sample, whatever is accepted."""
    del accept, names
    return b"answer 42.0\n", "text/plain"


@pytest.fixture
def health() -> Health:
    """A worker that is well and not ready."""
    return Health()


@pytest.fixture
def server(health: Health, monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpServer]:
    """The server of that worker; settings of the command lead to it."""
    with Threaded(HttpServer(render, health, 0)) as serving:
        monkeypatch.setenv("KPI_STREAM_WORKER_PORT", str(serving.port))
        monkeypatch.setenv("KPI_STREAM_HOST", "0.0.0.0")  # noqa: S104  (what a container says)
        yield serving


def get(server: HttpServer, path: str) -> tuple[int, str]:
    """Return status and text of an answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_each_address_has_its_answer(server: HttpServer, health: Health) -> None:
    """Metrics as ever; health with the reason; nothing anywhere else."""
    assert "answer 42.0" in get(server, "/metrics")[1]
    assert get(server, "/-/healthy") == (200, "healthy\n")
    assert get(server, "/-/ready") == (503, "partition 2: its state is being read\n")
    assert get(server, "/")[0] == 404
    health.works = (True, "ready; 4 partitions")
    assert get(server, "/-/ready") == (200, "ready; 4 partitions\n")


def test_the_command_gives_the_reason_and_the_exit_code(server: HttpServer, health: Health) -> None:
    """0 on standard output while it is well, 1 on standard error while it is not."""
    del server
    well = CliRunner().invoke(cli, ["healthcheck", "worker"])
    assert (well.exit_code, well.stdout) == (0, "worker: healthy\n")
    not_yet = CliRunner().invoke(cli, ["healthcheck", "worker", "--ready"])
    assert (not_yet.exit_code, not_yet.stdout) == (1, "")
    assert not_yet.stderr == "worker: partition 2: its state is being read\n"
    health.alive = (False, "the worker stops: no broker")
    assert CliRunner().invoke(cli, ["healthcheck", "worker"]).exit_code == 1


def test_nobody_there_is_not_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that does not answer is not well, and the text names the port."""
    port = free_port()
    monkeypatch.setenv("KPI_STREAM_SCORECARD_PORT", str(port))
    result = CliRunner().invoke(cli, ["healthcheck", "scorecard"])
    assert result.exit_code == 1
    assert f"no answer on port {port}" in result.stderr


def test_a_taken_port_is_said_in_words_and_a_closed_one_is_free(health: Health) -> None:
    """Another server on the port is refused in words, closing frees it."""
    with Threaded(HttpServer(render, health, 0)) as server:
        another = Threaded(HttpServer(render, health, server.port))
        taken = f"metrics .* 127.0.0.1:{server.port} .*choose another port"
        with pytest.raises(InputError, match=taken), another:
            pass
    with socket.socket() as caller:
        assert caller.connect_ex(("127.0.0.1", server.port)) != 0
