"""The stream: who listens hears of each evaluation, within bounds."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from kpi_stream.adapters.web.access import HttpAccess, Reread, login_digest
from kpi_stream.adapters.web.api import stream
from kpi_stream.adapters.web.door import Limits
from kpi_stream.adapters.web.server import WebServer
from kpi_stream.application.scorecard import Scorecard
from tests.support.scorecard import (
    ADVANCE,
    NOON_MS,
    RELEASE,
    FakeTotals,
    national,
    strategy,
    target,
)
from tests.support.web_site import FakeSite

WITHIN_S = 60
PATH = "/api/v1/stream"

Event = tuple[str, Any]


class Rig:
    """A site with a judged KPI, and its server."""

    def __init__(self) -> None:
        self.site = FakeSite()
        self.totals = FakeTotals()
        self.card = Scorecard(strategy(target(ADVANCE, 0.8)), self.totals)
        self.evaluate(0.9)

    def evaluate(self, value: float, after_ms: int = 0) -> None:
        """Have an evaluation in which the judged KPI has a value."""
        self.totals.values = {national(ADVANCE): value, national(RELEASE): 90.0}
        self.site.tell(self.card.evaluate(NOON_MS + after_ms))


async def events(answer: aiohttp.ClientResponse) -> AsyncIterator[Event]:
    """Yield what comes."""
    name = ""
    async for raw in answer.content:
        line = raw.decode().rstrip("\n")
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        if line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


@asynccontextmanager
async def served(
    rig: Rig, limits: Limits | None = None, access: HttpAccess | None = None
) -> AsyncIterator[tuple[aiohttp.ClientSession, WebServer]]:
    """Serve a rig."""
    server = WebServer(rig.site, 0, limits=limits, access=access)
    await server.start()
    try:
        url = f"http://127.0.0.1:{server.port}"
        async with aiohttp.ClientSession(url) as session:
            yield session, server
    finally:
        await server.close()


async def until(condition: Callable[[], bool]) -> None:
    """Return once something is so."""
    for _ in range(100 * WITHIN_S):
        if condition():
            return
        await asyncio.sleep(0.01)
    pytest.fail("it did not come to that")


def run(visit: Callable[[], Awaitable[None]]) -> None:
    """Run a visit; a hung one fails."""

    async def bounded() -> None:
        async with asyncio.timeout(WITHIN_S):
            await visit()

    asyncio.run(bounded())


def test_each_evaluation_is_told_with_what_it_changed() -> None:
    """The newest at once, then each one: the KPIs that say something else, and the transitions."""

    async def visit() -> None:
        rig = Rig()
        async with served(rig) as (session, _), session.get(PATH) as answer:
            assert answer.content_type == "text/event-stream"
            told = events(answer)
            name, first = await anext(told)
            assert (name, first["as_of"]) == ("evaluation", "2026-06-15T12:00:00.000Z")
            assert (first["changed"], first["transitions"], first["stale"]) == ([], [], False)
            rig.evaluate(0.9, 1_000)
            assert (await anext(told))[1]["changed"] == []
            for step in range(3):
                rig.evaluate(0.1, 2_000 + step * 1_000)
                await asyncio.sleep(0)
            seen = [(await anext(told))[1] for _ in range(3)]
            assert seen[0]["changed"] == [ADVANCE]
            (change,) = [each for one in seen for each in one["transitions"]]
            assert (change["before"], change["after"]) == ("on_track", "off_track")
            assert {one["version"] for one in seen} == {first["version"]}

    run(visit)


def test_another_strategy_is_told_by_its_version() -> None:
    """So that the page asks for it again."""

    async def visit() -> None:
        rig = Rig()
        async with served(rig) as (session, _), session.get(PATH) as answer:
            told = events(answer)
            before = (await anext(told))[1]["version"]
            assert rig.site.latest is not None
            other = replace(rig.site.latest.strategy, currency="EUR")
            rig.site.tell(replace(rig.site.latest, strategy=other))
            assert (await anext(told))[1]["version"] != before

    run(visit)


def test_a_silence_has_signs_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also before the first evaluation; so a page can tell silence from a dead connection."""
    monkeypatch.setattr(stream, "PING_S", 0.05)

    async def visit() -> None:
        rig = Rig()
        rig.site.tell(None)
        async with served(rig) as (session, _), session.get(PATH) as answer:
            told = events(answer)
            assert [(await anext(told))[0] for _ in range(3)] == ["ping"] * 3

    run(visit)


def test_a_stream_outlives_the_limit_of_an_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as what is sent goes; its place in front of the door is its own."""
    monkeypatch.setattr(stream, "PING_S", 0.1)

    async def visit() -> None:
        rig = Rig()
        limits = Limits(connections=2, exchange_s=0.5, idle_s=0.5)
        async with served(rig, limits) as (session, _), session.get(PATH) as answer:
            told = events(answer)
            begun = asyncio.get_running_loop().time()
            while asyncio.get_running_loop().time() < begun + 3 * limits.exchange_s:
                await anext(told)

    run(visit)


def test_no_more_listen_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """One more hears why not; when one leaves, there is room again."""
    monkeypatch.setattr(stream, "STREAMS", 2)

    async def visit() -> None:
        rig = Rig()
        async with served(rig) as (session, server):
            first, second = await session.get(PATH), await session.get(PATH)
            async with session.get(PATH) as third:
                assert third.status == 503
                assert "2 streams are open" in (await third.json())["error"]
            first.close()
            await until(lambda: len(server._hub) == 1)
            async with session.get(PATH) as again:
                assert again.status == 200
            second.close()

    run(visit)


def test_who_does_not_read_is_cut_off_and_nobody_waits_for_him() -> None:
    """The others hear of every evaluation; the memory that he costs is bounded."""

    async def visit() -> None:
        rig = Rig()
        async with served(rig) as (session, server), session.get(PATH) as answer:
            told = events(answer)
            await anext(told)
            deaf = socket.socket()
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.connect(("127.0.0.1", server.port))
            deaf.sendall(f"GET {PATH} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            await until(lambda: len(server._hub) == 2)
            assert rig.site.latest is not None
            # So much at once that the buffers of the machine are soon full.
            (change,) = _transitions(rig)
            many = replace(rig.site.latest, transitions=(change,) * 600)
            heard = 0
            while len(server._hub) == 2:
                rig.site.tell(many)
                await anext(told)
                heard += 1
            assert heard > 1
            deaf.close()

    run(visit)


def test_the_end_of_the_server_ends_the_streams() -> None:
    """In good order, so that the page knows at once."""

    async def visit() -> None:
        rig = Rig()
        async with served(rig) as (session, server), session.get(PATH) as answer:
            told = events(answer)
            await anext(told)
            await server.close()
            assert [each async for each in told] == []

    run(visit)


def test_a_stream_asks_for_the_login() -> None:
    """As everything else."""
    access = HttpAccess(login=Reread(lambda: login_digest("reader", "word"), ()))

    async def visit() -> None:
        async with served(Rig(), access=access) as (session, _):
            async with session.get(PATH) as answer:
                assert answer.status == 401
            login = {"Authorization": aiohttp.encode_basic_auth("reader", "word")}
            async with session.get(PATH, headers=login) as answer:
                assert (await anext(events(answer)))[0] == "evaluation"

    run(visit)


def _transitions(rig: Rig) -> list[Any]:
    """Return the first change of the status."""
    found: list[Any] = []
    for step in range(5):
        rig.evaluate(0.1, 10_000 + step * 1_000)
        assert rig.site.latest is not None
        found += rig.site.latest.transitions
    return found
