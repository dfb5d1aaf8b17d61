"""How cases are written for `promtool test rules`: samples over minutes, and what fires when."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from kpi_stream.adapters.prometheus.rules import document
from kpi_stream.application.monitoring.alert import Alert
from kpi_stream.application.monitoring.conventions import Family
from kpi_stream.application.monitoring.edition import Edition

TESTS = "deploy/prometheus/tests"
GONE = None
"""No sample any more: the target no longer exports the series, or is gone itself."""

Json: TypeAlias = dict[str, object]
Part: TypeAlias = tuple[float | None, int]
"""A value and for how many minutes."""
Inputs: TypeAlias = Mapping[str, str]
"""Values by series, both in promtool's notation."""


def series(family: Family | str, **labels: str) -> str:
    """Return a series; written here and not by `promql.select`, which the rules use.

    Example:
        >>> print(series("up", job="x", instance=""))
        up{job="x"}
    """
    name = family if isinstance(family, str) else family.name
    pairs = (
        f"{label}={json.dumps(value, ensure_ascii=False)}"
        for label, value in labels.items()
        if value
    )
    return f"{name}{{{','.join(pairs)}}}"


def scraped(family: Family, **labels: str) -> str:
    """Return a series of the scorecard, with the labels that Prometheus adds."""
    return series(family, **labels, job="kpi-stream-scorecard", instance="scorecard:9100")


def over(*parts: Part, step: int = 1) -> str:
    """Return values, one every `step` minutes.

    Raises:
        ValueError: A part does not last for whole steps.

    Example:
        >>> over((0, 10), (1, 1), (GONE, 3))
        '0+0x9 1 stale _x2'
    """
    words: list[str] = []
    for value, minutes in parts:
        count, rest = divmod(minutes, step)
        if rest or not count:
            msg = f"{minutes} minutes are not whole steps of {step}"
            raise ValueError(msg)
        if value is None:
            # Without the mark of its end a series would be seen for five more minutes.
            words += ["stale", f"_x{count - 1}"] if count > 1 else ["stale"]
        else:
            words.append(f"{value:.15g}+0x{count - 1}" if count > 1 else f"{value:.15g}")
    return " ".join(words)


def growing(start: float, per_minute: float, minutes: int) -> str:
    """Return the values of a counter, a clock or a queue, one every minute.

    Example:
        >>> growing(0, 60, 10)
        '0+60x9'
    """
    return f"{start:.15g}{per_minute:+.15g}x{minutes - 1}"


def case(name: str, inputs: Inputs, checks: Iterable[Json], *, step: int = 1) -> Json:
    """Return one case: series, and what fires at some minutes."""
    return {
        "name": name,
        "interval": f"{step}m",
        "input_series": [{"series": each, "values": values} for each, values in inputs.items()],
        "alert_rule_test": list(checks),
    }


def quiet(alert: str, *minutes: int) -> list[Json]:
    """Return the checks that nothing fires at some minutes."""
    return [firing(alert, each, ()) for each in minutes]


def firing(alert: str, minute: int, expected: Sequence[Json]) -> Json:
    """Return the check that these fire at a minute, and no others."""
    return {"eval_time": f"{minute}m", "alertname": alert, "exp_alerts": list(expected)}


def notice(
    edition: Edition,
    alert: Alert,
    severity: str,
    numbers: Mapping[str, str],
    own: Mapping[str, str] | None = None,
) -> Json:
    """Return a firing alert as a receiver gets it.

    Args:
        edition: In whose language, with whose addresses.
        alert: Gives the texts and the constant labels; neither its expression nor its numbers.
        severity: The severity that is expected.
        numbers: What stands in the texts, as English writes it.
        own: Labels of the series.
    """
    labels = {name: value for name, value in (own or {}).items() if value}
    address = f"{edition.grafana_url}/d/{alert.dashboard}?viewPanel={alert.panel}"
    for variable in ("window", "office"):
        if variable in labels:
            address += f"&var-{variable}={labels[variable]}"

    def read(text: str) -> str:
        for name, number in numbers.items():
            written = number.replace(".", ",") if edition.language == "es" else number
            text = text.replace(f"{{{name}}}", written)
        for label, value in labels.items():
            known = alert.names.get(label, {}).get(value)
            text = text.replace(f"{{${label}}}", value if known is None else edition.text(known))
        return text

    return {
        "exp_labels": {
            **alert.labels,
            **labels,
            "severity": severity,
            "strategy": edition.strategy.id,
        },
        "exp_annotations": {
            "summary": read(edition.text(alert.summary)),
            "description": read(edition.text(alert.description)),
            "runbook_url": f"{edition.runbook_url}#{alert.anchor}",
            "dashboard_url": address,
        },
    }


def file(anchor: str, cases: Iterable[Json], *, step: int = 1) -> tuple[str, str]:
    """Return the path and the content of the tests of one rule file."""
    content = {
        "rule_files": [f"../rules/{anchor}.yml"],
        "evaluation_interval": f"{step}m",
        "tests": list(cases),
    }
    return f"{TESTS}/{anchor}.yml", document(content)
