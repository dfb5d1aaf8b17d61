"""The files of the page: what is sent, what a browser may do with it, whose files they are."""

import asyncio
import gzip
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

import aiohttp
import pytest
from hatchling.builders.wheel import WheelBuilder

from kpi_stream.adapters.web import assets
from kpi_stream.adapters.web.server import WebServer
from tests.support.web_site import FakeSite

ROOT = Path(__file__).parents[4]
VENDORED = (assets.STATIC / "vendor", ROOT / "tests" / "browser" / "vendor")
PAGE_BYTES = 300_000
"""What the page promises to weigh at most, compressed, on its first load."""

_ROW = re.compile(r"^\| `([^`]+)` \| ([^|]+) \| `[^`]+` \| ([^|]+) \| `([0-9a-f]{64})` \|$")


def get(path: str, **headers: str) -> tuple[int, Mapping[str, str], bytes]:
    """Return (status, headers, body as sent) of a path."""

    async def run() -> tuple[int, Mapping[str, str], bytes]:
        server = WebServer(FakeSite(), 0)
        await server.start()
        try:
            url = f"http://127.0.0.1:{server.port}"
            async with (
                aiohttp.ClientSession(url, auto_decompress=False) as session,
                session.get(path, headers=headers) as answer,
            ):
                return answer.status, answer.headers, await answer.read()
        finally:
            await server.close()

    return asyncio.run(run())


@pytest.mark.parametrize(
    "path", ["/", "/scorecard", "/kpi/release-time-mean", "/stages", "/worklist", "/activity"]
)
def test_every_view_is_the_page(path: str) -> None:
    """Its script reads the address; so one that was sent to a colleague works."""
    status, headers, body = get(path, **{"Accept-Encoding": "identity"})
    assert (status, body) == (200, (assets.STATIC / assets.INDEX).read_bytes())
    assert headers["Content-Type"] == "text/html; charset=utf-8"


def test_a_browser_may_run_our_scripts_and_nothing_else() -> None:
    """Nothing inline, nothing from another host, no frame around it."""
    policy = get("/")[1]["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert "http" not in policy
    index = (assets.STATIC / assets.INDEX).read_text()
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=", index) == []
    assert re.findall(r"https?://", index) == []


def test_a_file_is_sent_once() -> None:
    """By its ETag: 304 without a body while it is the same; packed where the browser unpacks."""
    status, headers, body = get("/static/app.js", **{"Accept-Encoding": "gzip"})
    assert (status, headers["Content-Encoding"]) == (200, "gzip")
    assert gzip.decompress(body) == (assets.STATIC / "app.js").read_bytes()
    known = {"Accept-Encoding": "gzip", "If-None-Match": f'"other", {headers["ETag"]}'}
    status, again, body = get("/static/app.js", **known)
    assert (status, body, again["ETag"]) == (304, b"", headers["ETag"])
    plain = get("/static/app.js", **{"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain[1]
    assert plain[1]["ETag"] != headers["ETag"]


@pytest.mark.parametrize(
    "path",
    [
        "/static/none.js",
        "/static/../server.py",
        "/static/%2e%2e/server.py",
        "/static/vendor/VENDORED.md",
    ],
)
def test_nothing_else_of_the_folder_is_served(path: str) -> None:
    """Only what was found there at the start, by its name."""
    assert get(path)[0] == 404


def test_the_page_is_light() -> None:
    """Everything that a first load may fetch, packed."""
    assert sum(len(each.packed) for each in assets.assets().values()) < PAGE_BYTES


@pytest.mark.parametrize("folder", VENDORED, ids=["page", "tests"])
def test_files_of_others_are_as_they_were_published(folder: Path) -> None:
    """Each has a line with its version, its digest and a licence that lies beside it."""
    rows = [
        found
        for line in (folder / "VENDORED.md").read_text().splitlines()
        if (found := _ROW.match(line))
    ]
    named = {row[1] for row in rows}
    licences = {each for row in rows for each in re.findall(r"`([^`]+)`", row[3])}
    assert {each.name for each in folder.iterdir()} == named | licences | {"VENDORED.md"}
    for row in rows:
        assert hashlib.sha256((folder / row[1]).read_bytes()).hexdigest() == row[4]
        assert re.search(r" \d+\.\d+\.\d+", row[2])
        assert re.findall(r"`([^`]+)`", row[3])


def test_the_page_is_in_the_wheel() -> None:
    """Every file of it, the licences as well."""
    builder = WheelBuilder(str(ROOT))
    packed = {each.distribution_path for each in builder.recurse_included_files()}
    wanted = {
        f"kpi_stream/adapters/web/static/{each.relative_to(assets.STATIC).as_posix()}"
        for each in assets.STATIC.rglob("*")
        if each.is_file()
    }
    assert len(wanted) > 15
    assert wanted - packed == set()
