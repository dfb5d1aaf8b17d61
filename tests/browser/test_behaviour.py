"""How the page behaves: live, without a connection, with a keyboard, on paper, for everybody."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from kpi_stream.adapters.web.server import WebServer
from kpi_stream.adapters.web.threaded import Threaded
from kpi_stream.domain.status import Status
from tests.browser.conftest import SLOW_MS, Open, settled, wait_until
from tests.support.page_site import NOW_MS, PageSite

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
VIEWS = (
    "/", "/scorecard", "/kpi/release-time-mean", "/kpi/release-time-p90", "/stages?window=ytd",
    "/stages?window=ytd&dimension=channel", "/worklist", "/activity", "/kpi/nowhere",
)  # fmt: skip
PHONE, WALL = (390, 844), (2560, 1440)
PAGE_BYTES = 300_000


@pytest.mark.parametrize(
    ("scheme", "size"),
    [("light", (1440, 900)), ("dark", PHONE)],
    ids=["light", "dark-phone"],
)
def test_every_view_fits_and_is_for_everybody(
    opened: Open, served: tuple[PageSite, str], scheme: str, size: tuple[int, int]
):
    """Nothing sticks out of the screen, and axe finds nothing: contrast, names, roles, headings."""
    broken, wide = {}, []
    page = opened(VIEWS[0], size=size, scheme=scheme, bypass_csp=True)
    for view in VIEWS:
        page.goto(served[1] + view)
        settled(page)
        if page.evaluate("document.documentElement.scrollWidth") > size[0]:
            wide.append(view)
        page.add_script_tag(path=AXE)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        for each in found["violations"]:
            broken[view, each["id"]] = [node["html"][:160] for node in each["nodes"]][:3]
    assert (broken, wide) == ({}, [])


def test_the_map_fits_a_wall(opened: Open):
    """All of it is seen without scrolling, which nobody does there."""
    page = opened("/", size=WALL)
    wait_until(page, "document.querySelectorAll('svg.map a.box').length > 10")
    height, width = (
        page.evaluate(f"document.documentElement.scroll{side}") for side in ("Height", "Width")
    )
    assert (width, height) == WALL
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "20px"


def test_an_evaluation_is_seen_at_once(opened: Open, served: tuple[PageSite, str]):
    """No reload: the new value stands there, its row is marked for a moment; so on the map."""
    site, _ = served
    page = opened("/scorecard")
    latest = site.latest
    assert latest is not None
    judged = next(each for each in latest.judged if each.reading.value is not None)
    reading = replace(judged.reading, samples=987_654)
    site.tell(
        replace(
            latest,
            as_of_ms=NOW_MS + 5_000,
            judged=tuple(
                replace(each, reading=reading) if each is judged else each for each in latest.judged
            ),
        )
    )
    wait_until(page, "document.body.innerText.includes('987\\u2009654')")
    assert page.locator("tr.changed").count() >= 1
    page = opened("/")
    objective = latest.objectives[0]
    worse = replace(objective, status=Status.NO_DATA, worst=None)
    site.tell(replace(latest, as_of_ms=NOW_MS + 8_000, objectives=(worse, *latest.objectives[1:])))
    box = f"svg.map a.box.no_data >> text={objective.objective.code}"
    page.wait_for_selector(box)


def test_a_lost_connection_says_so_and_comes_back(browser: Browser, served):
    """At once, in words, with the last values greyed; and by itself, without a reload."""
    site, _ = served
    with Threaded(WebServer(site, 0)) as server:
        port, url = server.port, server.url
        page = browser.new_page()
        page.set_default_timeout(SLOW_MS)
        page.goto(f"{url}/scorecard")
        settled(page)
        page.wait_for_selector(".clock .dot")
        rows = page.locator("table.scorecard tbody tr").count()
    try:
        page.wait_for_selector(".clock.broken[role=alert]")
        assert "Sin conexión" in page.inner_text(".clock")
        assert page.locator("main.old").count() == 1
        assert page.locator("table.scorecard tbody tr").count() == rows
        with Threaded(WebServer(site, port)):
            page.wait_for_selector(".clock .dot")
            assert page.locator("main.old").count() == 0
            wait_until(
                page, f"document.querySelectorAll('table.scorecard tbody tr').length === {rows}"
            )
    finally:
        page.close()


def test_a_scorecard_that_reads_yet_says_so(opened: Open, served: tuple[PageSite, str]):
    """503 in words, and the numbers once there are some."""
    site, _ = served
    page = opened("/stages")
    latest = site.latest
    site.tell(None)
    page.click("nav a[href^='/scorecard']")
    page.wait_for_selector(".pending[role=alert]")
    assert "Todavía no hay nada que mostrar" in page.inner_text(".pending")
    assert latest is not None
    site.tell(replace(latest, as_of_ms=NOW_MS + 60_000))
    page.wait_for_selector("table.scorecard")


def test_the_keyboard_is_enough(opened: Open):
    """Skip link first, then the views; the focus is seen, and Enter follows it to the content."""
    page = opened("/scorecard")
    seen = []
    for _ in range(4):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.innerText.trim()"))
        outline = page.evaluate(
            "getComputedStyle(document.activeElement).outlineWidth + "
            "getComputedStyle(document.activeElement).outlineStyle"
        )
        assert re.match(r"[2-9]px(solid)", outline), seen
    assert seen == ["Ir al contenido", "Mapa estratégico", "Tablero", "Quién tiene el tiempo"]
    page.keyboard.press("Enter")
    wait_until(page, "location.pathname === '/stages'")
    assert page.evaluate("document.activeElement.id") == "content"
    page = opened("/scorecard")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    wait_until(page, "document.activeElement.id === 'content'")


def test_the_theme_is_chosen_and_remembered(opened: Open):
    """Automatic follows the system; a choice stays after a reload."""
    page = opened("/scorecard", scheme="dark")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    dark = page.evaluate(ground)
    page.select_option(".tools select", "light")
    wait_until(page, f"{ground} === 'rgb(255, 255, 255)'")
    page.reload()
    settled(page)
    assert page.evaluate(ground) == "rgb(255, 255, 255)" != dark


def test_it_prints(opened: Open, served: tuple[PageSite, str]):
    """A PDF in black on white, without buttons and choices, with the instant that it is of."""
    page = opened("/", scheme="dark")
    for view in ("/", "/scorecard", "/kpi/release-time-mean"):
        page.goto(served[1] + view)
        settled(page)
        page.wait_for_selector(".clock .dot")
        page.emulate_media(media="print")
        assert not page.is_visible(".tools")
        assert not page.is_visible(".clock")
        assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
        assert "hora de America/Lima" in page.inner_text("footer")
        assert page.pdf(format="A4", landscape=True)[:4] == b"%PDF"
        # What is longer than a sheet may be broken, else it begins on a sheet of its own.
        whole = page.eval_on_selector_all(
            "section, table", "all => all.map((each) => getComputedStyle(each).breakInside)"
        )
        assert set(whole) == {"auto"}
        page.emulate_media(media="screen")


def test_a_chart_takes_the_colours_of_its_ground(opened: Open):
    """Another theme, or paper, paints it again at once."""
    page = opened("/kpi/release-time-mean", scheme="light")
    picture = "document.querySelector('.chart canvas').toDataURL()"
    day = page.evaluate(picture)
    page.select_option(".tools select", "dark")
    wait_until(page, f"{picture} !== {day!r}")
    night = page.evaluate(picture)
    page.emulate_media(media="print")
    wait_until(page, f"{picture} !== {night!r}")


def test_a_first_load_is_light(browser: Browser, served: tuple[PageSite, str]):
    """All that a new visitor fetches, as it comes over the line."""
    _, url = served
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(SLOW_MS)
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda each: sizes.append(each["encodedDataLength"]))
    page.goto(url)
    settled(page)
    context.close()
    assert 20_000 < sum(sizes) < PAGE_BYTES


def test_a_reader_of_the_handbook_finds_back(opened: Open):
    """The dictionary and the runbook are linked, in the page's language."""
    page: Page = opened("/scorecard?language=en")
    links = page.eval_on_selector_all("nav a", "all => all.map((each) => each.pathname)")
    assert links[-2:] == ["/kpis", "/runbook"]
