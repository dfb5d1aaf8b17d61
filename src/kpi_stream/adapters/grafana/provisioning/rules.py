"""The alerts as rules that Grafana evaluates."""

from itertools import groupby

from kpi_stream.adapters.grafana.provisioning.texts import template
from kpi_stream.adapters.grafana.provisioning.writing import (
    File,
    Json,
    duration,
    literal,
    rules_folder,
)
from kpi_stream.application.monitoring.alert import Alert
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.application.monitoring.messages import (
    labels,
    named,
    panel_url,
    runbook_url,
)
from kpi_stream.application.monitoring.places import datasource_uid, uid
from kpi_stream.domain.strategy import Strategy

CONDITION, THRESHOLD = "condition", "threshold"
"""Ref ids: the alert's own query, and the expression that holds it against 0."""

INTERVAL = "30s"
"""Between two evaluations: two scrapes of Prometheus, and a multiple of Grafana's ten seconds."""

_RANGE_S = 600
"""Grafana wants a range for an instant query as well; only its end matters."""

_WATCHERS = frozenset({"ScorecardDown", "WorkerDown"})
"""For these, no answer means that nothing is watched; for the others, that there is nothing to say
(a silent feed and a missing scorecard have alerts of their own). And they alone tell that Grafana
cannot ask Prometheus: all rules would, at once."""


def rules(edition: Edition, every: tuple[Alert, ...]) -> File:
    """Return all rules, in their groups."""
    by_name = sorted(every, key=lambda each: each.anchor)
    groups: list[Json] = [
        {
            "orgId": 1,
            "name": literal(name),
            "folder": literal(rules_folder(edition)),
            "interval": INTERVAL,
            "rules": [_rule(edition, alert) for alert in members],
        }
        for name, members in groupby(by_name, key=lambda each: each.anchor)
    ]
    return File({"apiVersion": 1, "groups": groups})


def rule_uid(strategy: Strategy, alert: Alert) -> str:
    """Return the uid of an alert's rule."""
    parts = (alert.anchor, alert.key) if alert.key else (alert.anchor,)
    return uid(strategy, "rule", *parts)


def _rule(edition: Edition, alert: Alert) -> Json:
    constant = labels(alert, edition)
    watches = alert.name in _WATCHERS
    return {
        "uid": rule_uid(edition.strategy, alert),
        "title": literal(edition.text(alert.title)),
        "condition": THRESHOLD,
        "data": _queries(edition, alert),
        "dashboardUid": alert.dashboard,
        "panelId": int(alert.panel),
        "noDataState": "Alerting" if watches else "OK",
        "execErrState": "Error" if watches else "KeepLast",
        "for": duration(alert.for_s),
        "keepFiringFor": duration(alert.keep_firing_s),
        "labels": {name: literal(constant[name]) for name in sorted(constant)},
        "annotations": _annotations(edition, alert),
        "isPaused": False,
    }


def _annotations(edition: Edition, alert: Alert) -> Json:
    # Grafana interpolates no $NAME here, so nothing is doubled.
    variables = "".join(
        f"{{{{ with $labels.{name} }}}}&var-{name}={{{{ . }}}}{{{{ end }}}}"
        for name in ("window", "office")
    )
    return {
        "summary": template(alert.summary, alert, edition),
        "description": template(alert.description, alert, edition),
        "runbook_url": runbook_url(alert, edition),
        "dashboard_url": panel_url(alert, edition) + variables,
        "__dashboardUid__": alert.dashboard,
        "__panelId__": str(alert.panel),
    }


def _queries(edition: Edition, alert: Alert) -> list[Json]:
    source = datasource_uid(edition.strategy)
    texts = edition.text(alert.summary) + edition.text(alert.description)
    numbers = ((each.name, each.expr) for each in named(texts, alert))
    data: list[Json] = [
        {
            "refId": ref,
            "relativeTimeRange": {"from": _RANGE_S, "to": 0},
            "datasourceUid": source,
            "model": {
                "refId": ref,
                "datasource": {"type": "prometheus", "uid": source},
                "editorMode": "code",
                "expr": expr,
                "instant": True,
                "range": False,
            },
        }
        for ref, expr in ((CONDITION, alert.expr), *numbers)
    ]
    data.append(
        {
            "refId": THRESHOLD,
            "relativeTimeRange": {"from": _RANGE_S, "to": 0},
            "datasourceUid": "__expr__",
            "model": {
                "refId": THRESHOLD,
                "datasource": {"type": "__expr__", "uid": "__expr__"},
                "type": "threshold",
                "expression": CONDITION,
                "conditions": [{"evaluator": {"type": "gt", "params": [0]}}],
            },
        }
    )
    return data
