"""Every query that is generated, as whoever reads it asks it."""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import yaml

from kpi_stream.adapters.prometheus.rules import rule_files
from kpi_stream.application.monitoring.recording import recordings
from tests.support.dashboards import boards, edition, panels
from tests.support.provisioned import alerting

RATE_INTERVAL = "1m"
"""What Grafana puts for `$__rate_interval`: four scrapes of 15 seconds."""


class Asked(NamedTuple):
    """A query of a panel or of a rule."""

    where: str
    """Uid of the dashboard or of the rule; of Prometheus' own rules the name."""
    panel: int
    """0 of a rule."""
    ref: str
    expr: str
    """Without Grafana's variables."""
    instant: bool = True


class Twin(NamedTuple):
    """An alerting rule of Prometheus."""

    name: str
    expr: str
    texts: tuple[str, ...]
    """Its messages, as templates."""


def dashboards(name: str, **chosen: str) -> Iterator[Asked]:
    """Yield what the dashboards of an edition ask as they open, or with other choices above."""
    for board in boards(name).values():
        variables = {
            each["name"]: each["current"]["value"]
            for each in board["templating"]["list"]
            if each["type"] == "custom"
        }
        for panel in panels(board):
            for target in panel.get("targets", ()):
                expr = filled(target["expr"], variables | chosen)
                is_instant = bool(target.get("instant"))
                yield Asked(board["uid"], panel["id"], target["refId"], expr, is_instant)


def filled(expr: str, variables: Mapping[str, str]) -> str:
    """Return PromQL without Grafana's variables.

    Raises:
        ValueError: It has another variable.

    Example:
        >>> filled('rate(a{b="$c"}[$__rate_interval])', {"c": "d"})
        'rate(a{b="d"}[1m])'
    """
    expr = expr.replace("$__rate_interval", RATE_INTERVAL)
    for name, value in variables.items():
        expr = re.sub(rf"\${name}\b", value.replace("\\", r"\\"), expr)
    # ${1} and $1 are groups of a pattern.
    if unknown := re.search(r"\$\{?[a-z_]\w*", expr):
        msg = f"{unknown[0]} is no variable: {expr}"
        raise ValueError(msg)
    return expr


def grafana_rules(name: str) -> Iterator[Asked]:
    """Yield the conditions and the numbers of Grafana's rules."""
    for group in alerting(name, "rules")["groups"]:
        for rule in group["rules"]:
            for each in rule["data"]:
                if each["datasourceUid"] != "__expr__":
                    yield Asked(rule["uid"], 0, each["refId"], each["model"]["expr"])


def twins(name: str) -> Iterator[Twin]:
    """Yield Prometheus' alerting rules."""
    for path, text in rule_files(edition(name)).items():
        if not path.endswith("/recording.yml"):
            for rule in yaml.load(text, yaml.CSafeLoader)["groups"][0]["rules"]:
                yield Twin(rule["alert"], rule["expr"], tuple(rule["annotations"].values()))


def twins_numbers(name: str) -> Iterator[Asked]:
    """Yield the queries within the messages of Prometheus' rules."""
    for twin in twins(name):
        for text in twin.texts:
            found = re.findall(r"range query `([^`]+)`", text)
            assert len(found) == text.count("range query"), text
            yield from (Asked(twin.name, 0, "", expr) for expr in found)


def recorded() -> Iterator[Asked]:
    """Yield the recorded families, and the expressions behind them."""
    for each in recordings():
        yield Asked(each.family.name, 0, "recorded", each.family.name)
        yield Asked(each.family.name, 0, "written", each.expr)
