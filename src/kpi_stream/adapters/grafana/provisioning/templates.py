"""How a message reads: a subject with the number in it, and a body that says where to look.

Grafana does not interpolate `$` in templates; they still hold none, so that nothing depends on it.
"""

from kpi_stream.adapters.grafana.provisioning.writing import File, Json, template_name
from kpi_stream.application.monitoring.edition import Edition

_MARK = '{{ if eq .Labels.severity "critical" }}■ {{ else }}▲ {{ end }}'
"""The shape before the text, of a firing alert."""


def templates(edition: Edition) -> File:
    """Return the templates of subject and message."""
    subject, message = template_name(edition, "subject"), template_name(edition, "message")
    found: list[Json] = [
        {"orgId": 1, "name": subject, "template": _subject(edition, subject)},
        {"orgId": 1, "name": message, "template": _message(edition, message)},
    ]
    return File({"apiVersion": 1, "templates": found})


def _what(edition: Edition) -> str:
    """What an alert says; a rule that cannot be evaluated has no numbers, only its name."""
    broken = edition.say("Grafana no puede evaluar", "Grafana cannot evaluate")
    return (
        f'{{{{ if eq .Labels.alertname "DatasourceError" }}}}{broken}: {{{{ .Labels.rulename }}}}'
        "{{ else }}{{ .Annotations.summary }}{{ end }}"
    )


def _subject(edition: Edition, name: str) -> str:
    """One line: the first alert's summary, with its numbers, and how many more there are."""
    firing, resolved = (
        f"{{{{ with index .Alerts.{state} 0 }}}}{mark}{_what(edition)}{{{{ end }}}}\n"
        f"{{{{- if gt (len .Alerts.{state}) 1 }}}} "
        f"(+{{{{ len (slice .Alerts.{state} 1) }}}} {edition.say('más', 'more')}){{{{ end }}}}"
        for state, mark in (
            ("Firing", _MARK),
            ("Resolved", f"● {edition.say('Resuelto', 'Resolved')}: "),
        )
    )
    return f"""\
{{{{ define "{name}" -}}}}
{{{{- if .Alerts.Firing -}}}}
{firing}
{{{{- else if .Alerts.Resolved -}}}}
{resolved}
{{{{- end -}}}}
{{{{- end }}}}
"""


def _message(edition: Edition, name: str) -> str:
    say, what = edition.say, _what(edition)
    return f"""\
{{{{ define "{name}" -}}}}
{{{{ range .Alerts.Firing -}}}}
{_MARK}{what}
{{{{ .Annotations.description }}}}
{{{{- with .Labels.owner }}}}
{say("Responsable", "Owner")}: {{{{ . }}}}
{{{{- end }}}}
{say("Desde", "Since")}: {{{{ .StartsAt.UTC.Format "2006-01-02 15:04" }}}} UTC
{say("Qué hacer", "What to do")}: {{{{ .Annotations.runbook_url }}}}
{say("Tablero", "Dashboard")}: {{{{ .Annotations.dashboard_url }}}}
{{{{- with .SilenceURL }}}}
{say("Silenciar", "Silence")}: {{{{ . }}}}
{{{{- end }}}}

{{{{ end -}}}}
{{{{ range .Alerts.Resolved -}}}}
● {say("Resuelto", "Resolved")}: {what}
{{{{ end -}}}}
{{{{- end }}}}
"""
