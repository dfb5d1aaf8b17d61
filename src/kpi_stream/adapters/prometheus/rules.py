"""Prometheus rule files: the recording rules, and the twin of every alert.

The twin holds the same expression against the same threshold as the Grafana rule. Numbers are
asked for when the message is written, by queries inside the template of an annotation.
"""

import re
from collections.abc import Mapping

import yaml

from kpi_stream.application.monitoring.alert import Alert, Number, Show
from kpi_stream.application.monitoring.alerts import alerts
from kpi_stream.application.monitoring.alerts.series import OFFICE
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.application.monitoring.messages import (
    DATE_FORMATS,
    GENERATED,
    NOTHING,
    PLACE,
    labels,
    named,
    panel_url,
    runbook_url,
)
from kpi_stream.application.monitoring.recording import recordings
from kpi_stream.domain.strategy import Text

RULES = "deploy/prometheus/rules"

_UNITS = ((86_400, "d"), (3600, "h"), (60, "m"))


def rule_files(edition: Edition) -> dict[str, str]:
    """Return the rule files by path: the recording rules, and one file an alert's name."""
    files = {f"{RULES}/recording.yml": recording_file(edition)}
    for members in by_name(alerts(edition.strategy)).values():
        group = {
            "name": f"{edition.strategy.id}-{members[0].anchor}",
            "rules": [rule(each, edition) for each in members],
        }
        files[f"{RULES}/{members[0].anchor}.yml"] = document({"groups": [group]})
    return files


def recording_file(edition: Edition) -> str:
    """Return the recording rules."""
    rules = [{"record": each.family.name, "expr": each.expr} for each in recordings()]
    group = {"name": f"{edition.strategy.id}-recording", "rules": rules}
    return document({"groups": [group]})


def by_name(every: tuple[Alert, ...]) -> dict[str, list[Alert]]:
    """Return the alerts by name, in their order."""
    found: dict[str, list[Alert]] = {}
    for each in every:
        found.setdefault(each.name, []).append(each)
    return found


def document(content: object) -> str:
    """Return a YAML document with the mark of generated files."""
    text: str = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)
    return GENERATED + text


def duration(seconds: int) -> str:
    """Return whole seconds as Prometheus and Grafana write them.

    Example:
        >>> duration(900), duration(5400), duration(86_400), duration(0)
        ('15m', '90m', '1d', '0s')
    """
    for size, unit in _UNITS:
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def rule(alert: Alert, edition: Edition) -> dict[str, object]:
    """Return one alerting rule."""
    return {
        "alert": alert.name,
        "expr": f"({alert.expr}) > 0",
        "for": duration(alert.for_s),
        "keep_firing_for": duration(alert.keep_firing_s),
        "labels": labels(alert, edition),
        "annotations": {
            "summary": template(edition.text(alert.summary), alert, edition),
            "description": template(edition.text(alert.description), alert, edition),
            "runbook_url": runbook_url(alert, edition),
            "dashboard_url": dashboard_url(alert, edition),
        },
    }


def dashboard_url(alert: Alert, edition: Edition) -> str:
    """Return the address of the panel that shows the alert, with its window and office."""
    url = panel_url(alert, edition)
    if "kpi" in alert.labels:
        url += "&var-window={{ $labels.window }}"
    if alert.by == OFFICE:
        url += f"&var-office={{{{ $labels.{OFFICE} }}}}"
    return url


def template(text: str, alert: Alert, edition: Edition) -> str:
    """Return a text as a Go template: first the numbers that it names, then the text.

    Raises:
        ValueError: The text names a number that the alert does not have.
    """
    names = {name for dollar, name in PLACE.findall(text) if not dollar}
    if unknown := names - {each.name for each in alert.numbers}:
        msg = f"{alert.name}: the text {text!r} names {sorted(unknown)}, which are not its numbers"
        raise ValueError(msg)
    asked = "".join(_assignment(each, alert, edition.language) for each in named(text, alert))

    def written(found: re.Match[str]) -> str:
        dollar, name = found.groups()
        if dollar:
            return _label(name, alert.names.get(name, {}), edition)
        return f"{{{{ ${name} }}}}"

    # Two braces in a name of the strategy would open an action.
    return asked + PLACE.sub(written, text.replace("{{", '{{ "{{" }}'))


def _assignment(number: Number, alert: Alert, language: str) -> str:
    """Return the template that asks for a number; of several series, the alert's own."""
    query = "query " + _go_string(number.expr)
    said = _said(number, language)
    set_it = f"{{{{ ${number.name} = {said} }}}}"
    if own := alert.by:
        set_it = f'{{{{ if eq (label "{own}" .) $labels.{own} }}}}{set_it}{{{{ end }}}}'
    return f'{{{{ ${number.name} := "{NOTHING}" }}}}{{{{ range {query} }}}}{set_it}{{{{ end }}}}'


def _said(number: Number, language: str) -> str:
    if number.show is Show.DURATION:
        return "humanizeDuration (value .)"
    if number.show is Show.DATE:
        return f'((value . | toTime).Format "{DATE_FORMATS[language]}")'
    plain = f'printf "%.{number.decimals}f{number.suffix.replace("%", "%%")}" (value .)'
    # Only the first point is a decimal one, and no suffix has another.
    return f'reReplaceAll "[.]" "," ({plain})' if language == "es" else plain


def _label(name: str, names: Mapping[str, Text], edition: Edition) -> str:
    plain = f"{{{{ $labels.{name} }}}}"
    if not names:
        return plain
    chain = "".join(
        f"{{{{ {'else ' if at else ''}if eq $labels.{name} {_go_string(value)} }}}}"
        f"{edition.text(text)}"
        for at, (value, text) in enumerate(names.items())
    )
    return f"{chain}{{{{ else }}}}{plain}{{{{ end }}}}"


def _go_string(text: str) -> str:
    r"""Return a Go string literal.

    Example:
        >>> print(_go_string('a{b="c"}'))
        `a{b="c"}`
    """
    if "`" not in text:
        return f"`{text}`"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
