"""How an alert is written for Prometheus, and that its cases are written by somebody else."""

import functools
from pathlib import Path
from typing import Any

import pytest
import yaml

from kpi_stream.adapters.prometheus.rule_tests import rule_test_files
from kpi_stream.adapters.prometheus.rule_tests.writing import GONE, growing, over, series
from kpi_stream.adapters.prometheus.rules import rule, rule_files, template
from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.application.monitoring.alert import Alert, Number, Severity, Show
from kpi_stream.application.monitoring.alerts import alerts
from kpi_stream.application.monitoring.edition import Edition

STRATEGIES = Path(__file__).parents[4] / "tests" / "strategies"
SUNAT = Edition(
    load_strategy(packaged_strategy_path()),
    "es",
    "https://grafana.example.org",
    "https://r.example",
)
POCKET = Edition(load_strategy(STRATEGIES / "pocket"), "en")
EDITIONS = {"sunat": SUNAT, "pocket": POCKET}


@functools.cache
def files(edition: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the rule files and their cases."""
    return rule_files(EDITIONS[edition]), rule_test_files(EDITIONS[edition])


def parsed(text: str) -> Any:
    """Return the content of a YAML document; libyaml is ten times as fast."""
    return yaml.load(text, Loader=yaml.CSafeLoader)


def made(text: str = "{$office}: {late}", *numbers: Number, by: str = "") -> Alert:
    """Return an alert with a text."""
    return Alert(
        name="SomethingWrong",
        title={"es": "x", "en": "x"},
        expr="x > bool 1",
        for_s=90,
        keep_firing_s=3600,
        severity=Severity.WARNING,
        labels={"owner": "operations"},
        by=by,
        numbers=numbers or (Number("late", "max(late)", 1, " %"),),
        summary={"es": text, "en": text},
        description={"es": "d", "en": "d"},
        dashboard="board",
        panel=7,
    )


def test_a_rule_holds_the_expression_against_zero() -> None:
    """With its times, constant labels and addresses."""
    alert = made(by="office")
    written = rule(alert, SUNAT)
    annotations = written.pop("annotations")
    assert written == {
        "alert": "SomethingWrong",
        "expr": "(x > bool 1) > 0",
        "for": "90s",
        "keep_firing_for": "1h",
        "labels": {"owner": "operations", "severity": "warning", "strategy": "sunat"},
    }
    assert isinstance(annotations, dict)
    assert annotations["runbook_url"] == "https://r.example#something-wrong"
    assert annotations["dashboard_url"] == (
        "https://grafana.example.org/d/board?viewPanel=7&var-office={{ $labels.office }}"
    )


def test_a_number_is_asked_for_when_the_message_is_written() -> None:
    """Of several series the alert's own; in Spanish with a comma."""
    assert template("{late}", made(), POCKET) == (
        '{{ $late := "—" }}{{ range query `max(late)` }}'
        '{{ $late = printf "%.1f %%" (value .) }}{{ end }}{{ $late }}'
    )
    spanish = template("{late}", made(by="office"), SUNAT)
    assert '{{ if eq (label "office" .) $labels.office }}' in spanish
    assert 'reReplaceAll "[.]" ","' in spanish
    date = made("{until}", Number("until", "u", show=Show.DATE))
    assert 'Format "02/01/2006"' in template("{until}", date, SUNAT)
    assert 'Format "2006-01-02"' in template("{until}", date, POCKET)


def test_only_numbers_that_a_text_names_are_asked_for() -> None:
    """Each is a query at every evaluation of an alert that waits or fires."""
    assert "query" not in template("{$office}", made(), POCKET)


def test_a_text_that_names_an_unknown_number_is_refused() -> None:
    """It would stand in the message in braces."""
    with pytest.raises(ValueError, match=r"SomethingWrong.*'lost'"):
        template("{lost}", made(), POCKET)


def test_braces_in_a_name_open_no_action() -> None:
    """A strategy may call a KPI what it likes."""
    assert template("a {{ b }}", made(), POCKET) == 'a {{ "{{" }} b }}'


def test_every_rule_file_has_its_cases_and_each_alert_is_in_one() -> None:
    """One file for each name, and one for what is recorded."""
    for name, edition in EDITIONS.items():
        rules, cases = files(name)
        assert {path.replace("/tests/", "/rules/") for path in cases} == set(rules)
        written = [
            each
            for text in rules.values()
            for each in parsed(text)["groups"][0]["rules"]
            if "alert" in each
        ]
        assert len(written) == len(alerts(edition.strategy))


def test_cases_take_nothing_from_the_expressions() -> None:
    """Neither a rule's expression nor a query of its texts stands in its cases."""
    cases = "".join(files("pocket")[1].values())
    for each in alerts(POCKET.strategy):
        assert each.expr not in cases
        assert all(number.expr not in cases for number in each.numbers)
    assert "query" not in cases


def test_samples_in_the_notation_of_promtool() -> None:
    """A series that ends is marked as ended; a label without a value is none."""
    assert over((0.27, 10), (GONE, 5), (1, 5), step=5) == "0.27+0x1 stale 1"
    assert growing(30_000, -100, 3) == "30000-100x2"
    assert series("up", job='a "b"', member="") == 'up{job="a \\"b\\""}'
    with pytest.raises(ValueError, match="12 minutes are not whole steps of 5"):
        over((1, 12), step=5)
