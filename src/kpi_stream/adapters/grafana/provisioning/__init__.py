"""Files that Grafana reads when it starts: data source, dashboard provider, alerting.

Grafana ignores a misspelt key in silence and does not start at all where an alerting file names
something that is missing; so `tests/support/grafana_provisioning.py` checks every key and every
reference of what is written here.
"""

from collections.abc import Mapping

from kpi_stream.adapters.grafana.provisioning.contact_points import contact_points
from kpi_stream.adapters.grafana.provisioning.mute_timings import mute_timings
from kpi_stream.adapters.grafana.provisioning.policies import policies
from kpi_stream.adapters.grafana.provisioning.rules import rules
from kpi_stream.adapters.grafana.provisioning.sources import dashboard_provider, data_source
from kpi_stream.adapters.grafana.provisioning.templates import templates
from kpi_stream.adapters.grafana.provisioning.writing import write
from kpi_stream.application.monitoring.alert import Alert
from kpi_stream.application.monitoring.alerts import alerts
from kpi_stream.application.monitoring.edition import Edition

ROOT = "grafana/provisioning"


def provisioning_files(edition: Edition) -> Mapping[str, str]:
    """Return the content of Grafana's provisioning files, by path."""
    return files_for(edition, alerts(edition.strategy))


def files_for(edition: Edition, every: tuple[Alert, ...]) -> Mapping[str, str]:
    """Return the provisioning files of an edition with these alerts."""
    name = edition.strategy.id
    return {
        f"{ROOT}/datasources/{name}.yaml": write(data_source(edition)),
        f"{ROOT}/dashboards/{name}.yaml": write(dashboard_provider(edition)),
        f"{ROOT}/alerting/contact-points.yaml": write(contact_points(edition)),
        f"{ROOT}/alerting/mute-timings.yaml": write(mute_timings(edition)),
        f"{ROOT}/alerting/policies.yaml": write(policies(edition)),
        f"{ROOT}/alerting/rules.yaml": write(rules(edition, every)),
        f"{ROOT}/alerting/templates.yaml": write(templates(edition)),
    }
