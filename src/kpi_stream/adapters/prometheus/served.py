"""What a Prometheus server says over HTTP of what it scrapes and which rules it has loaded."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

import yaml

from kpi_stream.adapters.prometheus.rules import rule_files
from kpi_stream.application.checkup.prometheus import Rule, Target
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.domain.errors import Unavailable

Ask = Callable[[str], Any]
"""Returns the JSON that is answered to a path."""

_TARGETS, _RULES, _VERSION = (
    "/api/v1/targets?state=active",
    "/api/v1/rules",
    "/api/v1/status/buildinfo",
)
_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}


def version(ask: Ask) -> str:
    """Return which version answers."""
    return str(_data(ask, _VERSION).get("version", "unknown"))


def targets(ask: Ask) -> list[Target]:
    """Return what it scrapes."""
    return [
        Target(
            each["labels"].get("job", ""),
            each.get("scrapeUrl", ""),
            each.get("health") == "up",
            each.get("lastError", ""),
        )
        for each in _data(ask, _TARGETS).get("activeTargets", ())
    ]


def rules(ask: Ask) -> list[Rule]:
    """Return the rules that it has loaded; expressions are as it writes them."""
    return [
        Rule(
            group["name"],
            each["name"],
            each["query"],
            each.get("labels", {}),
            float(each.get("duration", 0)),
            float(each.get("keepFiringFor", 0)),
            each.get("lastError", ""),
        )
        for group in _data(ask, _RULES).get("groups", ())
        for each in group["rules"]
    ]


def generated(edition: Edition) -> list[Rule]:
    """Return the rules that `kpi-stream generate` writes; expressions are as written there."""
    documents = map(yaml.safe_load, rule_files(edition).values())
    return [
        Rule(
            group["name"],
            each.get("alert") or each["record"],
            each["expr"],
            each.get("labels", {}),
            _seconds(each.get("for", "0s")),
            _seconds(each.get("keep_firing_for", "0s")),
        )
        for document in documents
        for group in document["groups"]
        for each in group["rules"]
    ]


def written_alike(ask: Ask, ours: Iterable[Rule], theirs: Iterable[Rule]) -> list[Rule]:
    """Return our rules, with Prometheus' own words where both expressions mean the same.

    It writes an expression anew when it has read it, so the two are compared as it formats them;
    most differ by blanks alone, and are not asked about.
    """
    loaded = {each.key: each for each in theirs}
    return [_alike(ask, each, loaded.get(each.key)) for each in ours]


def _alike(ask: Ask, rule: Rule, loaded: Rule | None) -> Rule:
    if loaded is None:
        return rule
    same = _dense(rule.expr) == _dense(loaded.expr)
    if not same and _formatted(ask, rule.expr) != _formatted(ask, loaded.expr):
        return rule
    return Rule(rule.group, rule.name, loaded.expr, rule.labels, rule.for_s, rule.keep_s)


def _dense(expr: str) -> str:
    return re.sub(r"\s+", "", expr)


def _formatted(ask: Ask, expr: str) -> str:
    return str(_answer(ask, f"/api/v1/format_query?query={quote(expr)}"))


def _seconds(text: str) -> float:
    return float(text[:-1]) * _UNITS[text[-1]]


def _data(ask: Ask, path: str) -> Mapping[str, Any]:
    found = _answer(ask, path)
    if isinstance(found, dict):
        return found
    msg = f"what answers {path} is no Prometheus"
    raise Unavailable(msg)


def _answer(ask: Ask, path: str) -> Any:  # noqa: ANN401
    answer = ask(path)
    if isinstance(answer, dict) and answer.get("status") == "success":
        return answer.get("data")
    msg = f"what answers {path.partition('?')[0]} is no Prometheus"
    raise Unavailable(msg)
