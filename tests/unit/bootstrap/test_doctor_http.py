"""What the check-up makes of answers over HTTP: logins, health, and what is no Prometheus."""

import base64
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from kpi_stream import __version__
from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.adapters.web.api.strategy import version
from kpi_stream.application.checkup.frame import Finding, Result, Standing, examine
from kpi_stream.bootstrap.doctor import checks

USER, PASSWORD = "reader", "of the tests"  # (of a server that lives for one test)
HERE = version(load_strategy(packaged_strategy_path()))


class Site(ThreadingHTTPServer):
    """Answers as a service or a Prometheus would, and asks for a login where one is set."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.asks = False
        self.pages: dict[str, tuple[int, str]] = {
            "/-/healthy": (200, "healthy\n"),
            "/-/ready": (200, "ready\n"),
            "/metrics": (200, f'kpi_stream_build_info{{version="{__version__}"}} 1.0\n'),
            "/api/v1/strategy": (200, json.dumps({"version": HERE})),
        }

    def prometheus(self, path: str, data: object) -> None:
        """Answer a question to Prometheus."""
        self.pages[f"/api/v1/{path}"] = (200, json.dumps({"status": "success", "data": data}))


class _Handler(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        path, site = self.path.partition("?")[0], self.server
        status, text = site.pages.get(path, (404, "no such page"))
        login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if site.asks and not path.startswith("/-/"):
            known = self.headers["Authorization"] == f"Basic {login}"
            status, text = (status, text) if known else (401, "who are you?")
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Worker, scorecard and Prometheus in one."""
    with Site() as server:
        for name in ("WORKER_URLS", "SCORECARD_URL", "PROMETHEUS_URL"):
            monkeypatch.setenv(f"KPI_STREAM_{name}", server.url)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def password(tmp_path: Path) -> Path:
    """The file with the password."""
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    return file


def made(*names: str) -> dict[str, Result]:
    """Make these checks, and those that they rest on."""
    plan = [each for each in checks() if each.name in {"settings", "prometheus", *names}]
    return {each.check: each for each in examine(plan, lambda _: None)}


def only(result: Result) -> Finding:
    """Return the one finding."""
    (finding,) = result.findings
    return finding


def test_services_that_are_well(site: Site) -> None:
    """Asked for their health, their version, and the scorecard for its strategy."""
    found = made("workers", "scorecard")
    assert found["workers"].standing is found["scorecard"].standing is Standing.WELL
    assert found["workers"].said == f"{site.url}: ready"


def test_services_that_ask_who_comes(
    site: Site, password: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their health is told all the same; with the login of the settings, so is the rest."""
    site.asks = True
    found = made("workers", "scorecard")
    for name in ("workers", "scorecard"):
        assert "does not know us" in only(found[name]).problem
        assert "KPI_STREAM_SCORECARD_USERNAME" in only(found[name]).fix
        assert not found[name].usable
    monkeypatch.setenv("KPI_STREAM_SCORECARD_USERNAME", USER)
    assert "KPI_STREAM_SCORECARD_PASSWORD_FILE" in only(made("workers")["workers"]).problem
    monkeypatch.setenv("KPI_STREAM_SCORECARD_PASSWORD_FILE", str(password))
    found = made("workers", "scorecard")
    assert found["workers"].standing is found["scorecard"].standing is Standing.WELL


def test_a_service_that_is_not_well(site: Site) -> None:
    """Its own reason is told: of its health first, then why it is not ready."""
    site.pages["/-/ready"] = (503, "partition 1: its state is being read\n")
    assert "is not ready: partition 1: its state" in only(made("workers")["workers"]).problem
    site.pages["/-/healthy"] = (503, "the worker's loop hangs for 130 s\n")
    assert "is not well: the worker's loop hangs" in only(made("workers")["workers"]).problem
    site.pages["/-/healthy"] = (200, "healthy\n")
    site.pages["/metrics"] = (200, 'kpi_stream_build_info{version="0.0.9"} 1.0\n')
    problems = [each.problem for each in made("workers")["workers"].findings]
    assert len(problems) == 2
    assert "runs version 0.0.9" in problems[1]


def test_a_prometheus_that_asks_who_comes(
    site: Site, password: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot be asked, with the settings that would do."""
    site.prometheus("status/buildinfo", {"version": "3.14.0"})
    site.prometheus("targets", {"activeTargets": []})
    site.asks = True
    found = made()["prometheus"]
    assert found.standing is Standing.REFUSED
    assert "KPI_STREAM_PROMETHEUS_USERNAME" in only(found).fix
    monkeypatch.setenv("KPI_STREAM_PROMETHEUS_USERNAME", USER)
    monkeypatch.setenv("KPI_STREAM_PROMETHEUS_PASSWORD_FILE", str(password))
    found = made()["prometheus"]
    assert found.said.startswith("version 3.14.0; 0 of 0 targets")
    assert [each.place for each in found.findings] == [
        "job kpi-stream-scorecard",
        "job kpi-stream-worker",
    ]


@pytest.mark.parametrize(
    "page", [(200, "<html>"), (404, "not here"), (200, '{"status": "error"}'), (200, "[]")]
)
def test_what_is_no_prometheus(site: Site, page: tuple[int, str]) -> None:
    """Another program at its address cannot be asked, and says so in no other way."""
    site.pages["/api/v1/status/buildinfo"] = page
    found = made("rules")
    assert found["prometheus"].standing is Standing.REFUSED
    assert found["rules"].said == "rests on prometheus"


def test_an_address_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting that is wrong cannot be asked either."""
    monkeypatch.setenv("KPI_STREAM_WORKER_URLS", "worker:9101")
    found = made("workers")["workers"]
    assert found.standing is Standing.REFUSED
    assert "'worker:9101' is no address" in only(found).problem
