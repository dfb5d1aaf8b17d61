"""The picture of `whatif` in a browser: it fits, says what the numbers say, and asks nobody."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from kpi_stream.adapters.whatif_page import whatif_page
from kpi_stream.application.whatif import Comparison, Course, Pair, Point
from kpi_stream.domain.readings import SeriesKey
from kpi_stream.domain.status import Status
from tests.support.scorecard import DAY_MS, NOON_MS, RELEASE, release_time, strategy, target

HOURS = 3600.0
INSTANTS = [NOON_MS + day * DAY_MS for day in range(-60, 0)]
OFF_FROM = 40
"""The day from which on the trial is off track."""


def course(goal: float, *, off_from: int | None) -> Course:
    """Return 60 days that rise from 20 h to 26 h, the first five of them without data."""
    points = []
    for day, at_ms in enumerate(INSTANTS):
        value = None if day < 5 else (20 + day / 10) * HOURS
        off = off_from is not None and day >= off_from
        status = Status.NO_DATA if value is None else Status.OFF_TRACK if off else Status.ON_TRACK
        points.append(Point(at_ms, value, goal * HOURS, None, status))
    kpi = replace(release_time(), display="h", name={"es": "Tiempo <de> levante", "en": "Time"})
    return Course(kpi, target(RELEASE, goal * HOURS), tuple(points))


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of one series, under a target that it meets and one that it misses in the end."""
    known = strategy()
    pair = Pair(
        SeriesKey(RELEASE, "24h", "national", ""),
        course(30, off_from=None),
        course(24, off_from=OFF_FROM),
    )
    silent = replace(
        pair,
        key=SeriesKey(RELEASE, "24h", "office", "118"),
        today=None,
        other=course(1, off_from=None),
    )
    empty = [replace(point, value=None) for point in course(1, off_from=None).points]
    assert silent.other is not None
    silent = replace(silent, other=replace(silent.other, points=tuple(empty)))
    path = tmp_path_factory.mktemp("whatif") / "trial.html"
    found = Comparison(known, known, INSTANTS, (pair, silent))
    path.write_text(whatif_page(found, "es"), encoding="utf-8")
    return path


@pytest.fixture(params=[("light", 1250), ("dark", 390)], ids=["light", "dark phone"])
def page(browser: Browser, document: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The page on a desk by day, and on a phone by night; scripts and errors would be seen."""
    scheme, width = request.param
    context = browser.new_context(
        color_scheme=scheme, viewport={"width": width, "height": 800}, java_script_enabled=True
    )
    opened = context.new_page()
    opened.asked = []  # type: ignore[attr-defined]
    opened.on("request", lambda each: opened.asked.append(each.url))  # type: ignore[attr-defined]
    opened.goto(document.as_uri())
    yield opened
    context.close()


def test_it_asks_nobody_and_fits(page: Page, document: Path):
    """One file and nothing else; what is wide moves within its own frame."""
    assert page.asked == [document.as_uri()]  # type: ignore[attr-defined]
    assert page.evaluate("document.scripts.length") == 0
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.evaluate("document.documentElement.lang") == "es"


def test_the_names_of_the_lines_do_not_touch(page: Page):
    """Three of them, one below the other, within the picture."""
    frame = page.locator("svg").bounding_box()
    boxes = [each.bounding_box() for each in page.locator("svg .label").all()]
    texts = page.locator("svg .label").all_text_contents()
    assert sorted(texts) == ["debe, hoy", "debe, prueba", "lectura"]
    assert frame is not None
    places = sorted((box["y"], box["y"] + box["height"]) for box in boxes if box is not None)
    assert len(places) == 3
    assert all(below[0] >= above[1] - 1 for above, below in pairwise(places))
    for box in boxes:
        assert box is not None
        assert box["x"] + box["width"] <= frame["x"] + frame["width"] + 1


def test_the_bands_are_as_long_as_the_statuses(page: Page):
    """Shares of the axis, from the first instant of a status to the first of the next."""
    found = {
        name: page.evaluate(
            "name => [...document.querySelectorAll(`svg rect.${name}`)]"
            ".map(each => each.width.baseVal.value)",
            name,
        )
        for name in ("no_data", "on_track", "off_track")
    }
    day = sum(found["no_data"]) / 2 / 5
    assert [round(each / day) for each in found["no_data"]] == [5, 5]
    assert [round(each / day) for each in found["on_track"]] == [54, OFF_FROM - 5]
    assert [round(each / day) for each in found["off_track"]] == [59 - OFF_FROM]


def test_the_table_says_the_same(page: Page):
    """Breaches and alerts of both; a name is text, not markup; the silent one is named alone."""
    rows = [row.split("\t") for row in page.locator("tbody tr").all_inner_texts()]
    assert len(rows) == 2
    assert "Tiempo <de> levante · 24h" in rows[0][0]
    assert [cell.strip() for cell in rows[0][-3:]] == ["0", "0", "—"]
    assert [cell.strip() for cell in rows[1][-3:-1]] == ["20", "1"]
    assert page.locator("svg").count() == 1
    assert "Sin datos en todo el periodo" in page.locator("main").inner_text()


def test_text_stands_out_from_its_ground(page: Page):
    """A contrast of 4.5 to 1 at least, by WCAG's formula, in both schemes."""
    contrasts = page.evaluate(
        """() => {
          const light = (colour) => {
            const parts = colour.match(/[\\d.]+/g).slice(0, 3).map((each) => each / 255)
              .map((each) => each <= 0.03928 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
            return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
          };
          const ground = light(getComputedStyle(document.body).backgroundColor);
          return [...document.querySelectorAll("h1, h2, p, th, td, svg .label, svg .tick")]
            .map((each) => {
              const style = getComputedStyle(each);
              const ink = light(each.closest("svg") ? style.fill : style.color);
              return (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
            });
        }"""
    )
    assert len(contrasts) > 20
    assert min(contrasts) >= 4.5
