"""Where things are in Grafana: uids, panel numbers, addresses.

Dashboards, alerts, annotations and the runbook point at each other through these. Uids begin with
the strategy's id, so that two strategies share one Grafana.
"""

import hashlib
from enum import IntEnum

from kpi_stream.domain.strategy import Strategy

MAX_UID = 40
"""Grafana's limit for the uid of a dashboard, a folder, a rule, a contact point or a source."""


def uid(strategy: Strategy, *parts: str) -> str:
    """Return a uid of at most 40 characters; a longer one ends with a digest of what it lost.

    Example:
        >>> from types import SimpleNamespace
        >>> uid(SimpleNamespace(id="sunat"), "kpi", "hit-rate")
        'sunat-kpi-hit-rate'
    """
    whole = "-".join((strategy.id, *parts)).replace("_", "-")
    if len(whole) <= MAX_UID:
        return whole
    digest = hashlib.sha256(whole.encode()).hexdigest()[:8]
    return f"{whole[: MAX_UID - 9]}-{digest}"


def folder_uid(strategy: Strategy) -> str:
    """Return the uid of the folder that holds the dashboards and the rules."""
    return uid(strategy, "folder")


def datasource_uid(strategy: Strategy) -> str:
    """Return the uid of the provisioned Prometheus data source."""
    return uid(strategy, "prometheus")


def map_uid(strategy: Strategy) -> str:
    """Return the uid of the strategic map."""
    return uid(strategy, "map")


def scorecard_uid(strategy: Strategy) -> str:
    """Return the uid of the scorecard."""
    return uid(strategy, "scorecard")


def kpi_uid(strategy: Strategy, kpi: str) -> str:
    """Return the uid of a KPI's own dashboard."""
    return uid(strategy, "kpi", kpi)


def office_uid(strategy: Strategy) -> str:
    """Return the uid of the dashboard of one office."""
    return uid(strategy, "office")


def initiatives_uid(strategy: Strategy) -> str:
    """Return the uid of the dashboard of initiatives and resources."""
    return uid(strategy, "initiatives")


def pipeline_uid(strategy: Strategy) -> str:
    """Return the uid of the dashboard of the pipeline's health."""
    return uid(strategy, "pipeline")


KEPT = "${__url_time_range}&${datasource:queryparam}&${office:queryparam}&${window:queryparam}"
"""What every link between dashboards keeps: the time range and the three variables."""


def link(dashboard_uid: str) -> str:
    """Return the address of a dashboard for a link inside Grafana; keeps range and variables."""
    return f"/d/{dashboard_uid}?{KEPT}"


class KpiPanel(IntEnum):
    """Panels of a KPI's dashboard that others point at."""

    VALUE = 1
    """Actual against trajectory, target and benchmarks."""
    STATUS_HISTORY = 2
    BY_OFFICE = 3


class PipelinePanel(IntEnum):
    """Panels of the pipeline's dashboard that alerts point at."""

    LAG = 1
    REJECTS = 2
    DATA_AGE = 3
    UP = 4
    RELOAD = 5
    SILENT_OFFICES = 6
    EVALUATION = 7
    FLUSH = 8
