"""What people read: annotations and messages are rendered by the tools' own template engines.

Annotations are Go templates with Prometheus' functions; Grafana adds `$values`, which stands here
for a map of query results. Messages are rendered by amtool.
"""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from kpi_stream.adapters.grafana.provisioning.templates import templates
from kpi_stream.adapters.grafana.provisioning.texts import template
from kpi_stream.adapters.grafana.provisioning.writing import write
from kpi_stream.application.monitoring.alert import Alert, Number, Show
from kpi_stream.application.monitoring.alerts import alerts
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.application.monitoring.messages import named
from tests.support.dashboards import EDITIONS, edition
from tests.support.grafana_provisioning import read
from tests.support.provisioned import alerting
from tests.support.required import missing

PREFIX = '{{ $values := "" }}'
"""Grafana defines it; Prometheus does not know it."""


def promtool(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run promtool in a folder."""
    program = shutil.which("promtool") or missing("promtool", "promtool is not installed")
    return subprocess.run(
        [program, *words], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )


def rule_file(folder: Path, rules: list[dict[str, object]]) -> Path:
    """Write rules as Prometheus reads them."""
    path = folder / "rules.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": rules}]}))
    return path


@pytest.mark.parametrize("name", EDITIONS)
def test_every_annotation_is_a_template(name: str, tmp_path: Path):
    """Promtool parses all of them, and every expression and label with them."""
    content = alerting(name, "rules")
    rules = [
        {
            "alert": f"Rule{at}",
            "expr": f"({rule['data'][0]['model']['expr']}) > 0",
            "for": rule["for"],
            "labels": {key: text.replace("$$", "$") for key, text in rule["labels"].items()},
            "annotations": {
                f"a_{key.strip('_')}": PREFIX + text for key, text in rule["annotations"].items()
            },
        }
        for group in content["groups"]
        for at, rule in enumerate(group["rules"])
    ]
    assert len(rules) > 20
    result = promtool(tmp_path, "check", "rules", str(rule_file(tmp_path, rules)))
    assert result.returncode == 0, result.stderr


def test_a_broken_template_is_found(tmp_path: Path):
    """An action that does not end, a function that does not exist."""
    for text in ("{{ $values.x ", "{{ shout 1 }}", "{{ if true }}"):
        rules: list[dict[str, object]] = [
            {"alert": "A", "expr": "x > 0", "annotations": {"summary": PREFIX + text}}
        ]
        assert promtool(tmp_path, "check", "rules", str(rule_file(tmp_path, rules))).returncode


@pytest.mark.parametrize("name", EDITIONS)
def test_every_place_in_a_text_is_filled(name: str):
    """No text of a rule names a number that its alert lacks."""
    one = edition(name)
    for alert in alerts(one.strategy):
        for text in (alert.summary, alert.description):
            bare = re.sub(r"\{\{.*?\}\}", "", template(text, alert, one))
            assert not re.search(r"\{\$?\w+\}", bare), bare


ALERT: Alert = next(each for each in alerts(edition("pocket-es").strategy) if each.names)
MEMBER, NAME = next(iter(next(iter(ALERT.names.values())).items()))
LABEL = next(iter(ALERT.names))
TOLD = replace(
    ALERT,
    numbers=(
        Number("share", "vector(12.34)", 1, " %"),
        Number("count", "vector(7)", 0),
        Number("age", "vector(7384)", show=Show.DURATION),
        Number("by", "vector(1767200400)", show=Show.DATE),
        Number("gone", "vector(1) > 2"),
        Number("unnamed", "vector(5)"),
    ),
    summary={
        "es": f"{{${LABEL}}}: {{share}}, {{count}}, {{age}}, {{by}}, {{gone}}; NZ$ {{{{5}}}}",
        "en": f"{{${LABEL}}}: {{share}}, {{count}}, {{age}}, {{by}}, {{gone}}; NZ$ {{{{5}}}}",
    },
    description={"es": "", "en": ""},
)


@pytest.mark.parametrize(
    ("language", "member", "text"),
    [
        ("es", MEMBER, f"{NAME['es']}: 12,3 %, 7, 2h 3m 4s, 31/12/2025, —; NZ$ {{{{5}}}}"),
        ("en", MEMBER, f"{NAME['en']}: 12.3 %, 7, 2h 3m 4s, 2025-12-31, —; NZ$ {{{{5}}}}"),
        ("en", "new-office", "new-office: 12.3 %, 7, 2h 3m 4s, 2025-12-31, —; NZ$ {{5}}"),
    ],
)
def test_an_annotation_reads_as_meant(language: str, member: str, text: str, tmp_path: Path):
    """Numbers with units, a name instead of a code, a dash for no answer; promtool executes it."""
    pocket = Edition(edition("pocket-es").strategy, language)
    numbers = named(pocket.text(TOLD.summary) + pocket.text(TOLD.description), TOLD)
    assert [each.name for each in numbers] == ["share", "count", "age", "by", "gone"]
    written = template(TOLD.summary, TOLD, pocket)
    answered = [each for each in numbers if each.name != "gone"]
    for at, each in enumerate(answered):
        written = written.replace(f"$values.{each.name} ", f"$values.arg{at} ")
    asked = " ".join(f"(query `{each.expr}` | first)" for each in answered)
    rule: dict[str, object] = {
        "alert": "Told",
        "expr": "x > 0",
        "annotations": {"summary": f"{{{{ $values := args {asked} }}}}{written}"},
    }
    path = rule_file(tmp_path, [rule])
    case = {
        "rule_files": [path.name],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": f'x{{{LABEL}="{member}"}}', "values": "1 1"}],
                "alert_rule_test": [
                    {
                        "eval_time": "1m",
                        "alertname": "Told",
                        "exp_alerts": [
                            {"exp_labels": {LABEL: member}, "exp_annotations": {"summary": text}}
                        ],
                    }
                ],
            }
        ],
    }
    (tmp_path / "case.yml").write_text(yaml.safe_dump(case))
    result = promtool(tmp_path, "test", "rules", "case.yml")
    assert result.returncode == 0, result.stdout + result.stderr


def one_alert(state: str, **labels: str) -> dict[str, Any]:
    """Return an alert as a message's template gets it."""
    return {
        "status": state,
        "labels": {"alertname": "Off track", "severity": "critical", "owner": "Ana"} | labels,
        "annotations": {
            "summary": "K01: 41.0 h; 33.0 h or less is expected",
            "description": "Look first since when.",
            "runbook_url": "http://runbook/#kpi-off-track",
            "dashboard_url": "http://grafana/d/x?viewPanel=1",
        },
        "startsAt": "2026-03-18T17:07:30Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://grafana/silence",
    }


def message(part: str, every: list[dict[str, Any]], folder: Path, language: str = "en") -> str:
    """Return a part of a message about alerts, as amtool renders it."""
    program = shutil.which("amtool") or missing("amtool", "amtool is not installed")
    written = templates(Edition(edition("harbour-en").strategy, language))
    for each in read(write(written))["templates"]:
        # Alertmanager's alerts have no link for silencing; this one stands for Grafana's.
        text = each["template"].replace(".SilenceURL", ".GeneratorURL")
        (folder / f"{each['name']}.tmpl").write_text(text)
    (folder / "data.json").write_text(
        json.dumps({"receiver": "x", "status": "firing", "alerts": every})
    )
    result = subprocess.run(
        [
            *(program, "template", "render", "--template.glob=*.tmpl", "--template.data=data.json"),
            f'--template.text={{{{ template "harbour.{part}" . }}}}',
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_the_subject_has_the_number_and_how_many_more(tmp_path: Path):
    """One line: a shape, the first summary, the count of the others."""
    firing = one_alert("firing")
    line = "■ K01: 41.0 h; 33.0 h or less is expected"
    assert message("subject", [firing], tmp_path).strip() == line
    assert message("subject", [firing] * 3, tmp_path).strip() == f"{line} (+2 more)"
    assert message("subject", [firing, one_alert("resolved")], tmp_path).strip() == line
    warning = one_alert("firing", severity="warning")
    assert message("subject", [warning], tmp_path).strip().startswith("▲ K01")
    gone = one_alert("resolved")
    assert message("subject", [gone] * 2, tmp_path, "es").strip() == (
        "● Resuelto: K01: 41.0 h; 33.0 h or less is expected (+1 más)"
    )


def test_the_message_says_what_to_do_and_where(tmp_path: Path):
    """Summary, what it means, who owns it, since when, and three links; then what is over."""
    text = message("message", [one_alert("firing"), one_alert("resolved")], tmp_path)
    assert text.strip().splitlines() == [
        "■ K01: 41.0 h; 33.0 h or less is expected",
        "Look first since when.",
        "Owner: Ana",
        "Since: 2026-03-18 17:07 UTC",
        "What to do: http://runbook/#kpi-off-track",
        "Dashboard: http://grafana/d/x?viewPanel=1",
        "Silence: http://grafana/silence",
        "",
        "● Resolved: K01: 41.0 h; 33.0 h or less is expected",
    ]


def test_a_rule_that_cannot_be_evaluated_has_no_numbers(tmp_path: Path):
    """Grafana calls it DatasourceError; the message says which rule it was instead of dashes."""
    broken = one_alert("firing", alertname="DatasourceError", rulename="Workers are missing")
    assert message("subject", [broken], tmp_path).strip() == (
        "■ Grafana cannot evaluate: Workers are missing"
    )
