# ruff: noqa: INP001  (a script, not a package)
"""Draw the operators' page over simulated months: `page.png` in Spanish, `page-en.png` in English.

Needs Chromium. From the project's folder:

    PYTHONPATH=. .venv/bin/python docs/img/page.py
"""

from pathlib import Path

from playwright.sync_api import sync_playwright

from kpi_stream.adapters.web.server import WebServer
from kpi_stream.adapters.web.threaded import Threaded
from tests.browser.conftest import settled
from tests.preview.canvas_page import CHROMIUM
from tests.support.page_site import page_site

SIZE = {"width": 1440, "height": 900}


PICTURES = {"es": "page.png", "en": "page-en.png"}


def draw() -> None:
    """Write the pictures."""
    site = page_site()
    with Threaded(WebServer(site, 0)) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        sheet = browser.new_page(viewport=SIZE, color_scheme="light", locale="es-PE")
        for language, name in PICTURES.items():
            sheet.goto(f"{server.url}/scorecard?language={language}")
            settled(sheet)
            sheet.wait_for_selector(".clock .dot")
            sheet.screenshot(path=Path(__file__).with_name(name))
        browser.close()


if __name__ == "__main__":
    draw()
