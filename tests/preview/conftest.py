"""A browser for the tests that look at a page as a person would."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.preview.canvas_page import CHROMIUM
from tests.support.required import missing


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One headless Chromium for the tests of a module.

    While Playwright's synchronous interface is open, an event loop runs in this thread, in which
    no test of another module can run its own.
    """
    if shutil.which(CHROMIUM) is None:
        missing("chromium", f"{CHROMIUM} is not installed")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()
