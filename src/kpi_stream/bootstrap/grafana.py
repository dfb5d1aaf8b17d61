"""Grafana, wired to the settings: annotations and the doctor."""

import random
from collections.abc import Mapping

from kpi_stream.adapters.clock import Clock
from kpi_stream.adapters.grafana.annotations import Counts, GrafanaAnnotator
from kpi_stream.adapters.grafana.client import Access, GrafanaClient
from kpi_stream.adapters.grafana.compare import Variable
from kpi_stream.adapters.grafana.doctor import Doctor
from kpi_stream.adapters.grafana.provisioning import provisioning_files
from kpi_stream.adapters.grafana.provisioning.contact_points import WEBHOOK_TOKEN
from kpi_stream.adapters.grafana.provisioning.sources import PROMETHEUS_URL
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.domain.errors import InputError
from kpi_stream.settings import PREFIX, Settings


def annotator(settings: Settings, counts: Counts) -> GrafanaAnnotator:
    """Return who tells the configured Grafana of what changed; it does not begin yet.

    Raises:
        InputError: A setting is missing or wrong. Whether Grafana answers is not asked.
    """
    return GrafanaAnnotator(client(settings), counts, random.random)


def client(settings: Settings) -> GrafanaClient:
    """Return a client of the configured Grafana; it does not connect yet.

    Raises:
        InputError: A setting is missing or wrong.
    """
    if not settings.grafana_url:
        msg = f"{PREFIX}GRAFANA_URL is not set; it should be Grafana's address"
        raise InputError(msg)
    if settings.grafana_token_file is None:
        msg = f"{PREFIX}GRAFANA_TOKEN_FILE is not set; it should name a file with a token"
        raise InputError(msg)
    access = Access(
        settings.grafana_url,
        settings.grafana_token_file,
        settings.grafana_timeout_s,
        settings.grafana_ca_file,
    )
    return GrafanaClient(access, Clock().monotonic)


def doctor(settings: Settings, edition: Edition, prometheus_url: str | None) -> Doctor:
    """Return who compares the configured Grafana with what is generated for an edition.

    Args:
        settings: Which Grafana, and the token.
        edition: What was generated.
        prometheus_url: Where Grafana should ask Prometheus; None where that is not known.

    Raises:
        InputError: A setting is missing or wrong, or the generator is not installed.
    """
    files = {**_dashboard_files(edition), **provisioning_files(edition)}
    variables = (
        Variable(PROMETHEUS_URL, prometheus_url),
        Variable(WEBHOOK_TOKEN, may_be_empty=True),
    )
    return Doctor(client(settings), files, variables)


def _dashboard_files(edition: Edition) -> Mapping[str, str]:
    try:
        # With an SDK that the services do without.
        from kpi_stream.adapters.grafana.dashboards import dashboard_files  # noqa: PLC0415
    except ModuleNotFoundError as err:
        msg = f"{err.name} is not installed; use pip install 'kpi-stream[generate]'"
        raise InputError(msg) from err
    return dashboard_files(edition)
