"""The URLs of the scorecard process, over real HTTP."""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable

import aiohttp
import pytest

from kpi_stream.adapters.web.access import HttpAccess, Reread, login_digest
from kpi_stream.adapters.web.server import WebServer
from kpi_stream.application.scorecard import Scorecard
from kpi_stream.domain.errors import InputError
from tests.support.dashboards import edition
from tests.support.scorecard import (
    ADVANCE,
    DAY_MS,
    NOON_MS,
    RELEASE,
    FakeTotals,
    national,
    strategy,
    target,
)
from tests.support.web_site import FakeSite

Answer = tuple[int, str, str]
Call = Callable[[str, str], Awaitable[Answer]]


def serve(
    site: FakeSite, visit: Callable[[Call], Awaitable[None]], access: HttpAccess | None = None
) -> None:
    """Serve a site on a free port while a visitor calls it."""

    async def run() -> None:
        server = WebServer(site, 0, access=access)
        await server.start()
        try:
            login = {"Authorization": aiohttp.encode_basic_auth("reader", "word")}
            url = f"http://127.0.0.1:{server.port}"
            async with aiohttp.ClientSession(url, headers=login) as session:

                async def call(method: str, path: str) -> Answer:
                    headers = {"Accept": "application/openmetrics-text"}
                    async with session.request(method, path, headers=headers) as answer:
                        return answer.status, answer.content_type, await answer.text()

                await visit(call)
        finally:
            await server.close()

    asyncio.run(run())


def test_metrics_are_what_the_scraper_accepts() -> None:
    """The Accept header reaches the renderer, its content type reaches the scraper."""
    site = FakeSite()

    async def visit(call: Call) -> None:
        assert await call("GET", "/metrics") == (200, "text/plain", "a 1\n")

    serve(site, visit)
    assert site.accept == "application/openmetrics-text"


def test_some_metrics_may_be_asked_for_by_name() -> None:
    """As from the official clients: `name[]`, once or more."""
    site = FakeSite()

    async def visit(call: Call) -> None:
        await call("GET", "/metrics")
        assert site.names == frozenset()
        await call("GET", "/metrics?name[]=up&name%5B%5D=down&name=none")
        assert site.names == {"up", "down"}

    serve(site, visit)


def test_health_and_readiness_are_status_codes_with_a_reason() -> None:
    """200 when well, 503 when not, and the reason as text."""
    site = FakeSite()

    async def visit(call: Call) -> None:
        for path in ("/-/healthy", "/-/ready"):
            site.well = (True, "fine")
            assert await call("GET", path) == (200, "text/plain", "fine\n")
            site.well = (False, "the rows are being read")
            assert await call("GET", path) == (503, "text/plain", "the rows are being read\n")

    serve(site, visit)


def test_a_reload_lists_every_problem() -> None:
    """400 with a line for each, 200 without any; and nothing by GET, which a link could do."""
    site = FakeSite()
    login = HttpAccess(login=Reread(lambda: login_digest("reader", "word"), ()))

    async def visit(call: Call) -> None:
        assert (await call("POST", "/-/reload"))[0] == 200
        site.problems = ("kpis.yaml: a: b", "targets.yaml: c: d")
        status, _, text = await call("POST", "/-/reload")
        assert (status, text) == (400, "kpis.yaml: a: b\ntargets.yaml: c: d\n")
        assert (await call("GET", "/-/reload"))[0] == 405

    serve(site, visit, login)


def test_the_scorecard_is_json() -> None:
    """Perspectives, objectives, KPIs and judged series; 503 with the reason before there is one."""
    site = FakeSite()
    totals = FakeTotals({national(ADVANCE): 0.75, national(RELEASE): 90.0})
    totals.points = [(NOON_MS - (9 - at) * DAY_MS, 0.75) for at in range(10)]
    card = Scorecard(strategy(target(ADVANCE, 0.8)), totals)

    async def visit(call: Call) -> None:
        site.well = (False, "the rows are being read")
        status, kind, text = await call("GET", "/api/v1/scorecard")
        assert (status, kind) == (503, "application/json")
        assert json.loads(text) == {"error": "the rows are being read"}

        site.latest = card.evaluate(NOON_MS)
        status, kind, text = await call("GET", "/api/v1/scorecard")
        assert (status, kind) == (200, "application/json")
        shown = json.loads(text)
        assert shown["as_of"] == "2026-06-15T12:00:00.000Z"
        users, processes = shown["perspectives"]
        release, advance = users["objectives"][0]["kpis"]
        (series,) = advance["series"]
        assert (series["status"], series["value"], series["verdict"]) == (
            "at_risk",
            0.75,
            "off_pace",
        )
        assert series["trend"] == [0.75] * 10
        assert series["forecast"] == pytest.approx(0.75)
        assert series["target"]["value"] == 0.8
        # Without a target: a reading of the first window, and no status.
        assert [(each["window"], each["value"]) for each in release["series"]] == [("24h", 90.0)]
        assert "status" not in release["series"][0]
        assert processes["objectives"][0]["kpis"][0]["series"] == []
        assert [each["kpi"] for each in shown["other_kpis"]] == ["officer-load"]
        assert shown["initiatives"][0]["overdue_actions"][0]["responsible"] == "Ana"

    serve(site, visit)


@pytest.mark.parametrize(("path", "place"), [("/runbook", "feed-stale"), ("/kpis", "soon")])
def test_the_handbook_is_served_from_the_strategy_in_force(path: str, place: str) -> None:
    """In its own language or the one asked for, before anything is evaluated; no other one."""
    site = FakeSite()

    async def visit(call: Call) -> None:
        assert (await call("GET", path))[0] == 503
        site.read = edition("pocket-es").strategy
        status, kind, text = await call("GET", path)
        assert (status, kind) == (200, "text/html")
        assert '<html lang="en">' in text
        assert f'id="{place}">' in text
        assert '<html lang="es">' in (await call("GET", f"{path}?language=es"))[2]
        assert await call("GET", f"{path}?language=fr") == (
            400,
            "text/plain",
            "language is one of es, en\n",
        )
        site.read = edition("harbour-en").strategy
        assert "Almadra" in (await call("GET", path))[2]

    serve(site, visit)


def test_a_taken_port_is_said_in_words() -> None:
    """The text names the address and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(InputError, match=f"127.0.0.1:{port} .*choose another port"):
            asyncio.run(WebServer(FakeSite(), port).start())
