"""The dashboards of one edition, as files of Grafana's classic JSON model."""

import json
from collections.abc import Callable, Iterable, Mapping

from kpi_stream.adapters.grafana.dashboards import (
    initiatives,
    kpi,
    office,
    pipeline,
    scorecard,
    strategic_map,
)
from kpi_stream.adapters.grafana.dashboards.builder import Json
from kpi_stream.application.monitoring.edition import Edition

FOLDER = "grafana/dashboards"
"""Where the files lie below the project's root."""

BUILDERS: tuple[Callable[[Edition], Iterable[Json]], ...] = (
    strategic_map.build,
    scorecard.build,
    office.build,
    kpi.build,
    initiatives.build,
    pipeline.build,
)
"""Each returns the dashboards of one kind."""


def dashboard_files(edition: Edition) -> Mapping[str, str]:
    """Return the content of every dashboard by its path below the project's root."""
    files: dict[str, str] = {}
    for build in BUILDERS:
        for board in build(edition):
            text = json.dumps(board, indent=2, ensure_ascii=False, sort_keys=True)
            files[f"{FOLDER}/{board['uid']}.json"] = text + "\n"
    return files
