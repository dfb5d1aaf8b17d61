"""What a browser made of a drawn map, as numbers; and answers that fill it to the brim."""

from itertools import cycle
from typing import Any, NamedTuple

from playwright.sync_api import Browser

from kpi_stream.adapters.grafana.dashboards.strategic_map import build, short_wording
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.application.monitoring.recording import CODES
from kpi_stream.domain.status import Status
from kpi_stream.domain.strategy import Kpi, Strategy
from tests.preview.canvas_page import WIDEST, canvas_panel, page

Json = dict[str, Any]

_LOOK = """
() => {
  const origin = document.querySelector('.canvas').getBoundingClientRect();
  const place = (element) => {
    const box = element.getBoundingClientRect();
    return [box.left - origin.left, box.top - origin.top,
            box.right - origin.left, box.bottom - origin.top];
  };
  return {
    canvas: [origin.width, origin.height],
    elements: [...document.querySelectorAll('.element')].map((each) => ({
      name: each.dataset.name,
      text: each.textContent,
      place: place(each),
      room: [each.clientWidth, each.clientHeight],
      needed: [Math.max(each.scrollWidth, each.firstChild.offsetWidth),
               Math.max(each.scrollHeight, each.firstChild.offsetHeight)],
      colour: getComputedStyle(each).backgroundColor,
    })),
    lines: [...document.querySelectorAll('.connections line')].map((each) => ({
      source: each.dataset.source, target: each.dataset.target,
      head: each.dataset.head === 'true' && each.getAttribute('marker-end') !== null,
      ends: ['x1', 'y1', 'x2', 'y2'].map((end) => Number(each.getAttribute(end))),
    })),
  };
}
"""


class Line(NamedTuple):
    """A connection as it is drawn, in pixels of the canvas."""

    source: str
    target: str
    head: bool
    begin: tuple[float, float]
    end: tuple[float, float]


class Drawn(NamedTuple):
    """A drawn map; places are (left, top, right, bottom) in pixels of the canvas."""

    elements: dict[str, Json]
    lines: list[Line]
    size: tuple[float, float]

    def place(self, name: str) -> tuple[float, float, float, float]:
        """Return where an element is."""
        left, top, right, bottom = self.elements[name]["place"]
        return left, top, right, bottom

    def text(self, name: str) -> str:
        """Return what an element says."""
        return str(self.elements[name]["text"])


def draw(
    browser: Browser,
    edition: Edition,
    answers: dict[str, list[Json]],
    *,
    size: tuple[int, int],
    font: str = WIDEST,
) -> Drawn:
    """Return the map of an edition as a browser draws it."""
    (board,) = build(edition)
    panel = canvas_panel(board)
    sheet = browser.new_page(viewport={"width": size[0] + 60, "height": size[1] + 100})
    try:
        failures: list[str] = []
        sheet.on("pageerror", lambda error: failures.append(str(error)))
        sheet.set_content(page(panel, answers, size=size, language=edition.language, font=font))
        assert not failures
        sheet.wait_for_selector("body[data-drawn=yes]", timeout=20_000)
        seen = sheet.evaluate(_LOOK)
    finally:
        sheet.close()
    lines = [
        Line(one["source"], one["target"], one["head"], (x1, y1), (x2, y2))
        for one in seen["lines"]
        for x1, y1, x2, y2 in [one["ends"]]
    ]
    return Drawn({one["name"]: one for one in seen["elements"]}, lines, tuple(seen["canvas"]))


def statuses(strategy: Strategy) -> dict[str, Status]:
    """Return a status for every objective: each of the four in turn."""
    return dict(zip((each.id for each in strategy.objectives), cycle(Status), strict=False))


def answers(edition: Edition) -> dict[str, list[Json]]:
    """Return answers in the shape of Prometheus': the longest texts that the strategy can show."""
    strategy = edition.strategy
    kpis = {kpi.id: kpi for kpi in strategy.kpis}
    found: dict[str, list[Json]] = {"A": [], "B": [], "C": [], "D": []}

    def add(ref: str, value: float, **metric: str) -> None:
        found[ref].append({"metric": metric, "value": [1_790_000_000, str(value)]})

    for key, status in statuses(strategy).items():
        add("A", CODES[status], objective=key)
        add("B", 1, objective=key)
    for each in strategy.objectives:
        own = [kpis[part.kpi] for part in each.kpis]
        measured = [kpi for kpi in own if kpi.measure.kind != "not_measured"]
        if measured:
            longest = max(measured, key=lambda kpi: len(kpi.name[edition.language]))
            said = max((_said(edition, kpi) for kpi in measured), key=len)
            add("C", 0, row="worst", field=f"worst {each.id}", kpi=longest.id)
            add("D", 0, row="value", field=f"value {each.id}", text=said)
    return found


def _said(edition: Edition, kpi: Kpi) -> str:
    how = short_wording(kpi, edition.strategy)
    own = [target for target in edition.strategy.targets if target.kpi == kpi.id]
    largest = max((max(each.baseline, each.value) for each in own), default=1.0)
    number = f"{largest / how.divisor:.{how.decimals}f}{how.after}"
    return f"{number} ({edition.say('debe', 'due')} {number})"
