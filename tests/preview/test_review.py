"""The monthly review as a browser shows and prints it."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from kpi_stream.adapters.review import document
from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.bootstrap import feeds, review
from kpi_stream.bootstrap.review import ReviewOptions
from kpi_stream.settings import Settings

FOLDER = packaged_strategy_path()
STRATEGY = load_strategy(FOLDER)
AXE = Path(__file__).parents[1] / "browser" / "vendor" / "axe.min.js"
NOON_MS = 1_780_678_800_000
"""2026-06-05T12:00 in Lima."""

PAPER_PX = 1031
"""A4 on its side without its margins: 273 mm at 96 pixels an inch."""
BEYOND = """(width) => [...document.body.querySelectorAll("*")]
    .filter((each) => each.checkVisibility()
        && (each.getBoundingClientRect().right > width + 1
            || each.getBoundingClientRect().left < -1))
    .map((each) => each.outerHTML.slice(0, 80))"""
"""Elements that reach beyond the paper."""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The document of a month in both languages."""
    folder = tmp_path_factory.mktemp("review")
    options = feeds.simulation_options(STRATEGY, FOLDER, now_ms=NOON_MS, days=50, per_day=8, seed=2)
    feeds.simulate_to_file(options, folder / "events.jsonl", lambda *_: None)
    wanted = ReviewOptions("2026-05", None, (folder / "events.jsonl",))
    found = review.review(STRATEGY, Settings.load(), wanted, lambda *_: None)
    paths = {language: folder / f"{language}.html" for language in ("es", "en")}
    for language, path in paths.items():
        path.write_text(document(found, language), encoding="utf-8")
    return paths


@pytest.mark.parametrize("language", ["es", "en"])
@pytest.mark.parametrize("width", [390, 1400])
def test_it_loads_nothing_and_fits(
    browser: Browser, pages: dict[str, Path], language: str, width: int
) -> None:
    """No request but for the file, no word on the console, no page wider than its window."""
    page = browser.new_page(viewport={"width": width, "height": 900})
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto(pages[language].as_uri())
    assert asked == [pages[language].as_uri()]
    assert said == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("svg[role=img]").count() > 5
    for link in page.locator("nav a").all():
        target = link.get_attribute("href") or ""
        assert page.locator(target).count() == 1, target
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser: Browser, pages: dict[str, Path], scheme: str) -> None:
    """Names, order, contrast: every rule of axe-core, in both themes."""
    # The document lets no script run, and axe is one.
    context = browser.new_context(bypass_csp=True, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(pages["es"].as_uri())
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run()")
    assert len(found["passes"]) > 10
    assert [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]] == []
    context.close()


@pytest.mark.parametrize("language", ["es", "en"])
def test_it_prints(browser: Browser, pages: dict[str, Path], language: str) -> None:
    """A PDF of A4 pages on their side, of which each section named so begins one."""
    page = browser.new_page()
    page.goto(pages[language].as_uri())
    sections = page.locator("section.page").count()
    printed = page.pdf(prefer_css_page_size=True, print_background=True)
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", printed)
    assert {(round(float(width)), round(float(height))) for width, height in boxes} == {(842, 595)}
    assert sections < len(boxes) < 40
    page.close()


@pytest.mark.parametrize("language", ["es", "en"])
def test_nothing_is_cut_at_the_edge_of_the_paper(
    browser: Browser, pages: dict[str, Path], language: str
) -> None:
    """Laid out for the width between the margins, no cell, picture or line is wider."""
    page = browser.new_page(viewport={"width": PAPER_PX, "height": 700})
    page.emulate_media(media="print", color_scheme="light")
    page.goto(pages[language].as_uri())
    assert page.locator("table").count() > 5
    assert page.evaluate(BEYOND, PAPER_PX) == []
    page.close()
