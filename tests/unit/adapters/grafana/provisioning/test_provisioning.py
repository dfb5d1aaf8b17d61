"""What is written for Grafana is what Grafana reads, and everything that it names is there."""

import itertools

import pytest
import yaml

from kpi_stream.adapters.grafana.provisioning import provisioning_files
from kpi_stream.adapters.grafana.provisioning.contact_points import WEBHOOK_TOKEN
from kpi_stream.application.handbook import runbook
from kpi_stream.application.monitoring.alerts import alerts
from kpi_stream.application.monitoring.edition import Edition
from tests.support import compose
from tests.support.dashboards import EDITIONS, boards, edition
from tests.support.grafana_provisioning import check, read, undeclared
from tests.support.provisioned import alerting, files
from tests.support.provisioning_models import AlertingFile, DatasourcesFile, Rule

HARBOUR = "harbour-en"


def rules(name: str) -> dict[str, Rule]:
    """Return the rules of an edition by uid."""
    parsed = AlertingFile.model_validate(alerting(name, "rules"))
    return {rule.uid: rule for group in parsed.groups for rule in group.rules}


@pytest.mark.parametrize("name", EDITIONS)
def test_the_files_are_right(name: str):
    """Every key is known, and every reference leads to something, the real dashboards included."""
    assert check(files(name), list(boards(name).values())) == []


@pytest.mark.parametrize("name", EDITIONS)
def test_the_same_strategy_gives_the_same_bytes(name: str):
    """Twice, from values that were built anew, in another process's order of sets or not."""
    before = edition(name)
    assert provisioning_files(Edition(before.strategy, before.language)) == files(name)


def uids(name: str) -> set[str]:
    """Return every uid and every name that Grafana holds once for all files."""
    found = set(rules(name))
    for path, text in files(name).items():
        content = read(text)
        if "/datasources/" in path:
            sources = DatasourcesFile.model_validate(content).datasources
            found |= {each.uid for each in sources} | {each.name for each in sources}
        elif "/dashboards/" in path:
            found |= {each[key] for each in content["providers"] for key in ("name", "folderUid")}
        elif "contactPoints" in content:
            points = AlertingFile.model_validate(content).contact_points
            found |= {each.name for each in points}
            found |= {each.uid for point in points for each in point.receivers}
        found |= {each["name"] for each in content.get("muteTimes", ())}
        found |= {each["name"] for each in content.get("templates", ())}
    return found


def test_strategies_share_one_grafana():
    """No uid and no name of one strategy is one of another's."""
    every = {name: uids(name) for name in ("sunat-es", "harbour-en", "pocket-es")}
    assert all(len(each) > 20 for each in every.values())
    for one, other in itertools.combinations(every.values(), 2):
        assert one & other == set()


def test_the_language_changes_no_uid():
    """An edition in another language replaces the first instead of standing beside it."""
    assert uids("sunat-es") == uids("sunat-en")


@pytest.mark.parametrize("name", EDITIONS)
def test_a_rule_is_its_alert(name: str):
    """Expression, times, place and owner are the alert's; the number of rules is that of alerts."""
    one = edition(name)
    found = {rule.title.replace("$$", "$"): rule for rule in rules(name).values()}
    every = alerts(one.strategy)
    assert len(found) == len(every)
    for alert in every:
        rule = found[one.text(alert.title)]
        assert rule.data[0].model["expr"] == alert.expr
        assert (rule.dashboard_uid, rule.panel_id) == (alert.dashboard, alert.panel)
        assert rule.labels["severity"] == alert.severity
        assert rule.labels["strategy"] == one.strategy.id
        assert {key: text.replace("$$", "$") for key, text in rule.labels.items()}.items() >= (
            alert.labels.items()
        )


@pytest.mark.parametrize("name", EDITIONS)
def test_the_runbook_has_the_entry_that_a_rule_points_at(name: str):
    """The address ends with an anchor of the runbook."""
    text = runbook(edition(name))
    for rule in rules(name).values():
        address, _, anchor = rule.annotations["runbook_url"].partition("#")
        assert address == edition(name).runbook_url
        assert f'<a id="{anchor}"></a>' in text


def test_only_the_watchers_tell_that_nothing_can_be_asked():
    """Prometheus gone is one cause: two rules speak, the others keep what they said."""
    said = {
        (rule.no_data_state, rule.exec_err_state): set[str]() for rule in rules(HARBOUR).values()
    }
    for rule in rules(HARBOUR).values():
        kind = rule.annotations["runbook_url"].partition("#")[2]
        said[rule.no_data_state, rule.exec_err_state].add(kind)
    assert said["Alerting", "Error"] == {"worker-down", "scorecard-down"}
    assert "kpi-off-track" in said["OK", "KeepLast"]
    assert set(said) == {("Alerting", "Error"), ("OK", "KeepLast")}


@pytest.mark.parametrize("name", EDITIONS)
def test_compose_declares_every_variable(name: str):
    """What the files read from Grafana's environment is in the Compose file, or is empty there."""
    environment = compose.raw()["services"]["grafana"]["environment"]
    assert undeclared(files(name), environment) == []
    assert undeclared(files(name), set(environment) - {WEBHOOK_TOKEN}) == [WEBHOOK_TOKEN]


def test_compose_mounts_what_is_generated_where_grafana_looks():
    """The provider's folder is the mounted one, and its data source scrapes as Prometheus does."""
    mounts = compose.raw()["services"]["grafana"]["volumes"]
    content = read(files("sunat-es")["grafana/provisioning/dashboards/sunat.yaml"])
    assert f"./grafana/dashboards:{content['providers'][0]['options']['path']}:ro" in mounts
    assert "./grafana/provisioning:/etc/grafana/provisioning:ro" in mounts
    source = read(files("sunat-es")["grafana/provisioning/datasources/sunat.yaml"])
    prometheus = yaml.safe_load((compose.ROOT / "deploy/prometheus/prometheus.yml").read_text())
    interval = source["datasources"][0]["jsonData"]["timeInterval"]
    assert interval == prometheus["global"]["scrape_interval"]


def test_the_remarks_are_comments():
    """A file says who made it, and what its reader must know; both are no content."""
    text = files("sunat-es")["grafana/provisioning/alerting/contact-points.yaml"]
    assert text.startswith("# Generated by kpi-stream generate")
    assert "#   KPI_STREAM_ALERT_EMAIL" in text
    assert set(read(text)) == {"apiVersion", "contactPoints"}
