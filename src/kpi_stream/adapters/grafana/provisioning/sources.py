"""Where the dashboards' data and the dashboards themselves come from."""

from kpi_stream.adapters.grafana.provisioning.writing import File, dashboards_folder, literal
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.application.monitoring.places import datasource_uid, folder_uid

PROMETHEUS_URL = "KPI_STREAM_PROMETHEUS_URL"
"""Variable of Grafana's environment: where it reaches Prometheus, http://prometheus:9090."""

DASHBOARDS = "/etc/grafana/dashboards"
"""Folder in which Grafana finds the dashboards."""

_SCRAPE_INTERVAL = "15s"
"""As in deploy/prometheus/prometheus.yml; Grafana makes `$__rate_interval` from it."""


def data_source(edition: Edition) -> File:
    """Return the Prometheus data source.

    It is not the default one: dashboards and rules name it by its uid, and a second default makes
    Grafana refuse all of them.
    """
    source = {
        "name": literal(f"Prometheus {edition.strategy.id}"),
        "uid": datasource_uid(edition.strategy),
        "type": "prometheus",
        "access": "proxy",
        "orgId": 1,
        "url": f"${PROMETHEUS_URL}",
        "isDefault": False,
        "editable": False,
        "version": 1,
        "jsonData": {
            "httpMethod": "POST",
            "timeInterval": _SCRAPE_INTERVAL,
            "manageAlerts": False,
            "prometheusType": "Prometheus",
            "cacheLevel": "Medium",
            "incrementalQuerying": False,
        },
    }
    remark = f"""
Grafana's environment must have {PROMETHEUS_URL}, for example http://prometheus:9090.
manageAlerts is off: people on duty see Grafana's rules, not the twins of Prometheus beside them.
"""
    return File({"apiVersion": 1, "prune": True, "datasources": [source]}, remark)


def dashboard_provider(edition: Edition) -> File:
    """Return the provider that reads the dashboards from files, into one folder."""
    provider = {
        "name": edition.strategy.id,
        "orgId": 1,
        "folder": literal(dashboards_folder(edition)),
        "folderUid": folder_uid(edition.strategy),
        "type": "file",
        "disableDeletion": False,
        "updateIntervalSeconds": 30,
        "allowUiUpdates": False,
        "options": {"path": DASHBOARDS},
    }
    remark = f"\nMount grafana/dashboards at {DASHBOARDS}."
    return File({"apiVersion": 1, "providers": [provider]}, remark)
