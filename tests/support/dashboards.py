"""The dashboards of every edition that the tests look at, as Grafana reads them."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from kpi_stream.adapters.grafana.dashboards import dashboard_files
from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.application.monitoring.edition import Edition

Json = dict[str, Any]

STRATEGIES = Path(__file__).parents[1] / "strategies"
EDITIONS = ("sunat-es", "sunat-en", "harbour-en", "pocket-es")
"""Each strategy, and each language with each kind of name."""


@cache
def edition(name: str) -> Edition:
    """Return an edition by `strategy-language`."""
    of, _, language = name.partition("-")
    path = packaged_strategy_path() if of == "sunat" else STRATEGIES / of
    return Edition(load_strategy(path), language)


@cache
def _texts(name: str) -> dict[str, str]:
    return dict(dashboard_files(edition(name)))


def boards(name: str) -> dict[str, Json]:
    """Return the dashboards of an edition by path, each a copy that may be changed."""
    return {path: json.loads(text) for path, text in _texts(name).items()}


def panels(board: Json) -> Iterator[Json]:
    """Yield every panel that is drawn, those of collapsed rows included; rows themselves not."""
    for each in board.get("panels", ()):
        if each.get("type") == "row":
            yield from each.get("panels", ())
        else:
            yield each
