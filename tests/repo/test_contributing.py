"""The loop for one KPI: the page's own blocks, from the file to the status, without Python."""

import subprocess
from pathlib import Path

import pytest

from tests.support.documents import CONTRIBUTING, blocks, run_script

COPY, KPI, OBJECTIVE, TARGET, SEE, SHOW = blocks(CONTRIBUTING, "sh")


@pytest.fixture
def run(tmp_path: Path):
    """Run blocks in an empty folder, one after the other."""

    def script(*each: str) -> subprocess.CompletedProcess[str]:
        return run_script("\n".join(each), tmp_path)

    return script


def test_a_kpi_takes_yaml_alone(run):
    """A copy of the packaged strategy, one KPI more: checked, and replayed with its status."""
    result = run(COPY, KPI, OBJECTIVE, TARGET, SEE)
    assert result.returncode == 0, result.stderr
    assert "14 objectives, 26 KPIs, 29 targets" in result.stderr
    (judged,) = [line for line in result.stdout.splitlines() if "30d" in line]
    assert "Declarations with documents asked for" in judged
    assert "5.0 %" in judged
    assert "On track" in judged


def test_it_is_shown_everywhere(run):
    """The same KPI: on the map and the scorecard, on its page, in alerts and documents."""
    result = run(COPY, KPI, OBJECTIVE, TARGET, SHOW)
    assert result.returncode == 0, result.stderr
    alerts = ("kpi-off-track", "kpi-at-risk", "kpi-projected-miss")
    assert {each.removeprefix("my-site/") for each in result.stdout.split()} >= {
        "docs/kpis.md",
        "docs/runbook.md",
        "grafana/dashboards/sunat-map.json",
        "grafana/dashboards/sunat-scorecard.json",
        "grafana/dashboards/sunat-kpi-documents-asked.json",
        "grafana/provisioning/alerting/rules.yaml",
        *(f"deploy/prometheus/rules/{each}.yml" for each in alerts),
        *(f"deploy/prometheus/tests/{each}.yml" for each in alerts),
    }


def test_a_kpi_that_serves_nothing_is_refused(run):
    """Without its objective the check names the KPI and ends with 2."""
    result = run(COPY, KPI, "kpi-stream check my-strategy")
    assert result.returncode == 2
    assert "documents-asked" in result.stdout


def test_a_misspelt_word_is_refused_with_the_right_one(run):
    """A milestone that no event sets is told, with its place in the file."""
    wrong = KPI.replace("has.documents_requested", "has.documents_request")
    result = run(COPY, wrong, OBJECTIVE, TARGET, "kpi-stream check my-strategy")
    assert result.returncode == 2
    assert "kpis.yaml" in result.stdout
    assert "documents_requested" in result.stdout
