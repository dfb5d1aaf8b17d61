"""A page that draws a dashboard's Canvas panel from answers of Prometheus, without Grafana."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

Json = dict[str, Any]

_HERE = Path(__file__).parent
CHROMIUM = "/usr/bin/chromium"

WIDEST = '"DejaVu Sans", sans-serif'
"""The widest font that a browser falls back to; what fits in it fits in Grafana's Inter."""


def canvas_panel(board: Json) -> Json:
    """Return the one Canvas panel of a dashboard."""
    (panel,) = [each for each in board["panels"] if each["type"] == "canvas"]
    found: Json = panel
    return found


def page(
    panel: Json,
    answers: Mapping[str, list[Json]],
    *,
    size: tuple[int, int],
    language: str = "es",
    theme: str = "dark",
    font: str = WIDEST,
) -> str:
    """Return the HTML page.

    Args:
        panel: The panel's JSON model.
        answers: The `result` of Prometheus by the query's ref.
        size: Width and height of the canvas inside its panel, in pixels.
        language: Of the texts.
        theme: `dark` or `light`.
        font: As in CSS.
    """
    given = json.dumps({"panel": panel, "answers": answers, "theme": theme}, ensure_ascii=False)
    parts = {
        "LANGUAGE": language,
        "FONT": font,
        "WIDTH": str(size[0]),
        "HEIGHT": str(size[1]),
        "GIVEN": given.replace("</", "<\\/"),
        "SCRIPT": (_HERE / "canvas.js").read_text(encoding="utf-8"),
    }
    text = (_HERE / "canvas.html").read_text(encoding="utf-8")
    for name, value in parts.items():
        text = text.replace(name, value, 1)
    return text


def answers_of(prometheus: str, panel: Json) -> dict[str, list[Json]]:
    """Return what a Prometheus answers to the panel's queries now.

    Args:
        prometheus: Its address, such as `http://127.0.0.1:9090`.
        panel: The panel's JSON model.
    """
    found = {}
    for target in panel["targets"]:
        given = urlencode({"query": target["expr"]}).encode()
        with urlopen(f"{prometheus}/api/v1/query", given, timeout=30) as answer:  # noqa: S310  (as given)
            found[target["refId"]] = json.load(answer)["data"]["result"]
    return found
