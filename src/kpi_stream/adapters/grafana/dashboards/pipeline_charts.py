"""The charts that the pipeline's dashboard is made of."""

from collections.abc import Iterable

from grafana_foundation_sdk.builders import common as shared
from grafana_foundation_sdk.builders import statetimeline, timeseries
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as model

from kpi_stream.adapters.grafana.dashboards.builder import (
    GREEN,
    below,
    by_threshold,
    query,
    thresholds,
)
from kpi_stream.application.monitoring import conventions as c

BOTH = f"=~{c.SCORECARD_JOB}|{c.WORKER_JOB}"
"""The jobs of both kinds of process, for `promql.select`."""

RANGE = "[$__rate_interval]"
PROCESS = "{{job}} {{instance}}"
"""Legend of a series for each process."""


def lines(unit: str, queries: Iterable[tuple[str, str]], decimals: int = 0) -> timeseries.Panel:
    """Return a course of each query, from zero."""
    panel = (
        timeseries.Panel()
        .unit(unit)
        .decimals(decimals)
        .min(0)
        .fill_opacity(0)
        .show_points(common.VisibilityMode.NEVER)
        .legend(below())
    )
    for ref, (expr, legend) in zip("ABCDEF", queries, strict=False):
        panel = panel.with_target(query(expr, ref, legend))
    return panel


def limits(panel: timeseries.Panel, *steps: tuple[float | None, str]) -> timeseries.Panel:
    """Return the chart with its thresholds as dashed lines."""
    style = shared.GraphThresholdsStyleConfig().mode(common.GraphThresholdsStyleMode.DASHED)
    return panel.thresholds(thresholds(*steps)).thresholds_style(style)


def states(
    queries: Iterable[tuple[str, str]], *, yes: str, no: str, bad: str
) -> statetimeline.Panel:
    """Return a row for each series that is 1 or 0."""
    mapped = {
        "1": model.ValueMappingResult(text=f"● {yes}", color=GREEN, index=0),
        "0": model.ValueMappingResult(text=f"■ {no}", color=bad, index=1),
    }
    panel = (
        statetimeline.Panel()
        .unit("none")
        .mappings([model.ValueMap(mapped)])
        .color_scheme(by_threshold())
        .thresholds(thresholds((None, GREEN)))
        .show_value(common.VisibilityMode.AUTO)
        .merge_values(merge_values=True)
        .row_height(0.8)
        .legend(shared.VizLegendOptions().show_legend(show_legend=False))
    )
    for ref, (expr, legend) in zip("ABCDEF", queries, strict=False):
        panel = panel.with_target(query(expr, ref, legend))
    return panel


def quantiles(family: c.Family) -> list[tuple[str, str]]:
    """Return the queries of three quantiles of a histogram, with their names."""
    buckets = f"sum by (le) (rate({family.name}_bucket{RANGE}))"
    return [
        (f"histogram_quantile({share}, {buckets})", name)
        for share, name in ((0.5, "p50"), (0.9, "p90"), (0.99, "p99"))
    ]
