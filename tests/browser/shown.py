"""What a reader sees, by the code that the terminal uses: for comparing the page with the API."""

import re
from typing import Any

from playwright.sync_api import Page

from kpi_stream.application.display import NO_DATA_WORDS, shown
from kpi_stream.domain.readings import NoData
from kpi_stream.domain.strategy import Kpi
from tests.support.page_site import PageSite

Json = Any
THIN = "\N{THIN SPACE}"


def kpis(site: PageSite) -> dict[str, Kpi]:
    """Return the KPIs by id."""
    strategy = site.strategy()
    assert strategy is not None
    return {each.id: each for each in strategy.kpis}


def plain(text: str) -> str:
    """Return a text with ordinary spaces."""
    return re.sub(r"\s+", " ", text.replace(THIN, " ")).strip()


def said(site: PageSite, kpi: str, value: float | None, language: str = "es") -> str:
    """Return a value as a reader sees it, by the code that the terminal uses."""
    strategy = site.strategy()
    assert strategy is not None
    return plain(shown(value, kpis(site)[kpi], strategy, language))


def apart(site: PageSite, kpi: str, value: float | None) -> str:
    """Return a difference as a reader sees it: with its sign, of shares in percentage points."""
    if value is None:
        return "—"
    text = said(site, kpi, abs(value)).replace(" %", " pp")
    if not re.search("[1-9]", text):
        return text
    return ("\N{MINUS SIGN}" if value < 0 else "+") + text


def why(site: PageSite, kpi: str, reading: Json) -> str:
    """Return why there is no value."""
    values = {"samples": reading["samples"], "minimum": kpis(site)[kpi].minimum_sample}
    return NO_DATA_WORDS[NoData(reading["no_data"])]["es"].format(**values)


def series(body: Json) -> list[tuple[str, Json]]:
    """Return every (KPI, series) of the scorecard."""
    rows = [
        (part["kpi"], each)
        for band in body["perspectives"]
        for objective in band["objectives"]
        for part in objective["kpis"]
        for each in part["series"]
    ]
    return rows + [(part["kpi"], each) for part in body["other_kpis"] for each in part["series"]]


def cells(page: Page) -> list[dict[str, str]]:
    """Return the rows of the scorecard: class of a cell to its text."""
    found = page.evaluate(
        """() => [...document.querySelectorAll('table.scorecard tbody tr')].map((row) =>
             Object.fromEntries([...row.children].map((cell) =>
               [cell.className || 'kpi', cell.innerText])))"""
    )
    return [{name: plain(text) for name, text in row.items()} for row in found]
