# ruff: noqa: INP001  (a script, not a package)
"""Draw the strategic map's panel as `docs/img/strategic-map.png`, and `-en.png` in English.

Needs Chromium and a Prometheus that scrapes a running scorecard with the recording rules. From
the project's folder:

    PYTHONPATH=. .venv/bin/python docs/img/strategic_map.py http://127.0.0.1:9090
"""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from kpi_stream.adapters.grafana.dashboards.strategic_map import build
from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.application.monitoring.edition import Edition
from tests.preview.canvas_page import CHROMIUM, answers_of, canvas_panel, page

PICTURES = {"es": "strategic-map.png", "en": "strategic-map-en.png"}
SIZE = (1280, 720)
FONT = 'Inter, "Liberation Sans", sans-serif'


def draw(prometheus: str) -> None:
    """Write both pictures."""
    strategy = load_strategy(packaged_strategy_path())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for language, name in PICTURES.items():
            (board,) = build(Edition(strategy, language))
            panel = canvas_panel(board)
            answers = answers_of(prometheus, panel)
            sheet = browser.new_page(viewport={"width": SIZE[0] + 40, "height": SIZE[1] + 80})
            sheet.set_content(page(panel, answers, size=SIZE, language=language, font=FONT))
            sheet.locator(".panel").screenshot(path=Path(__file__).with_name(name))
        browser.close()


if __name__ == "__main__":
    draw(sys.argv[1])
