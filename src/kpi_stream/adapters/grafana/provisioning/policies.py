"""Which alert goes to whom, and when: by severity, together by perspective and office."""

from kpi_stream.adapters.grafana.provisioning.mute_timings import outside_office_hours
from kpi_stream.adapters.grafana.provisioning.writing import (
    File,
    Json,
    contact_point_name,
    mute_timing_name,
)
from kpi_stream.application.monitoring.alert import Severity
from kpi_stream.application.monitoring.edition import Edition

_GROUP_BY = ["grafana_folder", "perspective", "office"]
"""One message tells of everything that is wrong with one perspective in one office."""


def policies(edition: Edition) -> File:
    """Return the tree of notification policies."""
    receiver = contact_point_name(edition)
    critical = _route(receiver, Severity.CRITICAL, "10s", "2m", "4h")
    warning = _route(receiver, Severity.WARNING, "2m", "10m", "24h")
    if outside_office_hours(edition.strategy.calendar):
        # What still holds when the offices open is told then, at the next group interval.
        warning["mute_time_intervals"] = [mute_timing_name(edition)]
    root: Json = {
        "orgId": 1,
        "receiver": receiver,
        "group_by": _GROUP_BY,
        "group_wait": "30s",
        "group_interval": "5m",
        "repeat_interval": "12h",
        "routes": [critical, warning],
    }
    remark = "\nGrafana has one tree in an organisation: this file replaces the whole of it."
    return File({"apiVersion": 1, "policies": [root]}, remark)


def _route(receiver: str, severity: Severity, wait: str, interval: str, repeat: str) -> Json:
    return {
        "receiver": receiver,
        "object_matchers": [["severity", "=", str(severity)]],
        "group_by": _GROUP_BY,
        "group_wait": wait,
        "group_interval": interval,
        "repeat_interval": repeat,
    }
