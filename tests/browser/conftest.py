"""A browser, a scorecard with simulated months behind it, and the page open in the browser."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from kpi_stream.adapters.web.server import WebServer
from kpi_stream.adapters.web.threaded import Threaded
from tests.preview.canvas_page import CHROMIUM
from tests.support.page_site import PageSite, page_site
from tests.support.required import missing

SLOW_MS = 60_000
"""A machine that does other things besides."""

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One headless Chromium for the tests of a module.

    While Playwright's synchronous interface is open, an event loop runs in this thread, in which
    no test of another module can run its own.
    """
    site()
    if shutil.which(CHROMIUM) is None:
        missing("chromium", f"{CHROMIUM} is not installed")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


def site() -> PageSite:
    """Return the site; folded before a browser's loop runs."""
    return page_site()


@pytest.fixture(scope="module")
def served(browser: Browser) -> Iterator[tuple[PageSite, str]]:
    """The site and its address."""
    assert browser
    found = site()
    with Threaded(WebServer(found, 0)) as server:
        yield found, server.url


@pytest.fixture
def opened(browser: Browser, served: tuple[PageSite, str]) -> Iterator[Open]:
    """Open an address of the page: `opened("/stages", language="en", size=(390, 844))`.

    A script's error, a refusal of the browser's and a request to another host fail the test.
    """
    found, url = served
    newest = found.latest
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(
        path: str, *, size: tuple[int, int] = (1440, 900), scheme: str = "light", **more: Any
    ) -> Page:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if scheme == "dark" else "light",
            locale="es-PE",
            **more,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(SLOW_MS)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: _complain(request.url, url, complaints))
        page.on(
            "console",
            lambda said: complaints.append(said.text) if "Policy" in said.text else None,
        )
        page.goto(url + path)
        settled(page)
        return page

    yield open_page
    for each in contexts:
        each.close()
    found.tell(newest)
    assert complaints == []


@pytest.fixture
def api(served: tuple[PageSite, str]):
    """Ask the API."""

    def ask(path: str) -> Any:
        with urlopen(f"{served[1]}/api/v1{path}", timeout=60) as answer:  # noqa: S310  (loopback)
            return json.load(answer)

    return ask


def _complain(asked: str, url: str, complaints: list[str]) -> None:
    if not asked.startswith((url, "data:")):
        complaints.append(f"asked another host: {asked}")


def settled(page: Page) -> None:
    """Wait until nothing is awaited any more."""
    page.wait_for_selector("header", timeout=SLOW_MS)
    wait_until(
        page,
        "!document.querySelector('.pending[role=status]') && !!document.querySelector('main h1')",
    )


def wait_until(page: Page, expression: str) -> None:
    """Wait until an expression is true.

    Asked from outside: the page's own policy forbids what Playwright's waiting does, `eval`.
    """
    deadline = time.monotonic() + SLOW_MS / 1000
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, f"still not: {expression}"
        page.wait_for_timeout(50)
