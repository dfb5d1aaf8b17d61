"""Pieces of panels that several dashboards have."""

from collections.abc import Mapping

from grafana_foundation_sdk.builders import stat, statetimeline
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as model

from kpi_stream.adapters.grafana.dashboards.builder import (
    GREY,
    by_threshold,
    hidden,
    query,
    status_mappings,
    thresholds,
    transformation,
)
from kpi_stream.adapters.grafana.dashboards.texts import member_names
from kpi_stream.application.monitoring import places
from kpi_stream.application.monitoring.edition import Edition


def tile(expr: str, unit: str) -> stat.Panel:
    """Return a tile with one number, without a course behind it."""
    return (
        stat.Panel()
        .unit(unit)
        .graph_mode(common.BigValueGraphMode.NONE)
        .with_target(query(expr, instant=True))
    )


def status_courses(
    edition: Edition, show: common.VisibilityMode, height: float
) -> statetimeline.Panel:
    """Return statuses over time, a row a series, without its queries.

    Args:
        edition: For the words.
        show: Whether the word stands in the row.
        height: Of a row's bar, as a share of the row.
    """
    return (
        statetimeline.Panel()
        .unit("none")
        .mappings(status_mappings(edition))
        .color_scheme(by_threshold())
        .thresholds(thresholds((None, GREY)))
        .show_value(show)
        .merge_values(merge_values=True)
        .row_height(height)
        .legend(hidden())
    )


def member_mapping(edition: Edition, dimension: str) -> model.ValueMap:
    """Return the value mapping that writes the name of a member in the place of its code."""
    return model.ValueMap(
        {
            code: model.ValueMappingResult(text=name, index=at)
            for at, (code, name) in enumerate(member_names(edition, dimension).items())
        }
    )


def choosing_office(uid: str) -> str:
    """Return the address of a dashboard with the office whose code stands in the cell."""
    return places.link(uid).replace("${office:queryparam}", "var-office=${__value.raw}")


def columns(headings: Mapping[str, str]) -> list[model.DataTransformerConfig]:
    """Return the transformations that leave these fields, in this order, under these names."""
    return [
        transformation("filterFieldsByName", {"include": {"names": list(headings)}}),
        transformation(
            "organize",
            {
                "excludeByName": {},
                "indexByName": {field: at for at, field in enumerate(headings)},
                "renameByName": dict(headings),
            },
        ),
    ]
