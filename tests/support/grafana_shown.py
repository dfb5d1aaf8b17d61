"""What a reader sees on every panel: Prometheus answers its queries, Grafana's code draws them."""

import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.domain.status import Status
from tests.support import grafana_node
from tests.support.dashboard_rules import WITHOUT_QUERY
from tests.support.dashboards import Json, panels
from tests.support.told_prometheus import ToldPrometheus, hour

SPANS = {"__rate_interval": "5m", "__range": "1h", "__interval": "4m"}
_ASKED_AT_ONCE = 8
_VARIABLE = re.compile(r"\$\{(\w+)(?::\w+)?\}|\$(\w+)")


class Cell(NamedTuple):
    """A value as it is drawn."""

    text: str
    colour: str
    """Hexadecimal; empty where there is none."""


class Shown(NamedTuple):
    """A panel at an instant."""

    panel: Json
    fields: Mapping[str, tuple[Cell, ...]]
    """The drawn values of each field by its name; in a table a column, one value a row."""
    idle: frozenset[int]
    """Places of the overrides that are for none of these fields."""
    answers: Mapping[str, list[dict[str, Any]]]
    """What Prometheus answered, by the query's name."""

    @property
    def first(self) -> Cell:
        """The first value of the first field: the only one of most stat panels."""
        return next(iter(self.fields.values()))[0]


Key = tuple[str, int, Status]
"""Uid of the dashboard, number of the panel, status of the nation's KPIs."""


def show(
    edition: Edition, boards: Mapping[str, Json], prometheus: ToldPrometheus
) -> dict[Key, Shown]:
    """Return every panel with queries, in each of the four hours."""
    asked: dict[Key, tuple[Json, dict[str, Json]]] = {}
    for board in boards.values():
        chosen = {each["name"]: each["current"] for each in board["templating"]["list"]}
        for panel in panels(board):
            if panel["type"] not in WITHOUT_QUERY:
                for status in Status:
                    asked[(board["uid"], panel["id"], status)] = (panel, chosen)
    wanted = {
        (with_values(target["expr"], chosen), hour(status), not target.get("instant"))
        for (_, _, status), (panel, chosen) in asked.items()
        for target in panel["targets"]
    }
    with ThreadPoolExecutor(_ASKED_AT_ONCE) as pool:
        found = dict(
            zip(
                wanted,
                pool.map(lambda each: prometheus.ask(each[0], each[1], course=each[2]), wanted),
                strict=True,
            )
        )
    answers = {
        key: {
            target["refId"]: found[
                (with_values(target["expr"], chosen), hour(key[2]), not target.get("instant"))
            ]
            for target in panel["targets"]
        }
        for key, (panel, chosen) in asked.items()
    }
    zone = edition.strategy.calendar.time_zone
    requests = [
        {"panel": panel, "answers": answers[key], "variables": chosen, "timeZone": zone}
        for key, (panel, chosen) in asked.items()
    ]
    drawn = grafana_node.ask("shown", requests)
    return {
        key: Shown(
            panel,
            {
                each["name"]: tuple(
                    Cell(one["text"], one.get("color") or "") for one in each["values"]
                )
                for each in found["fields"]
            },
            frozenset(found["idle"]),
            answers[key],
        )
        for (key, (panel, _)), found in zip(asked.items(), drawn, strict=True)
    }


def with_values(expr: str, chosen: Mapping[str, Json]) -> str:
    """Return PromQL with the values of the variables in the place of their names."""

    def value(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        if name in SPANS:
            return SPANS[name]
        # `$1` is a group of a regular expression.
        return str(chosen[name]["value"]) if name in chosen else found[0]

    return _VARIABLE.sub(value, expr)
