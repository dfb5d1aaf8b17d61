"""The provisioning files of the editions that the tests look at, written once a run."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from kpi_stream.adapters.grafana.provisioning import provisioning_files
from tests.support.dashboards import edition
from tests.support.grafana_provisioning import read


@cache
def files(name: str) -> Mapping[str, str]:
    """Return the files of an edition by path."""
    return provisioning_files(edition(name))


@cache
def alerting(name: str, file: str) -> Any:
    """Return a file of alerting/ as YAML; whoever changes it must copy it first."""
    return read(files(name)[f"grafana/provisioning/alerting/{file}.yaml"])
