"""What every dashboard is made with: its frame, its panels' frame, queries, colours, units.

On grafana-foundation-sdk, whose 0.0.21 lags behind Grafana 13 in a few keys: `Board.json` takes
away those that are gone.
"""

import json
from typing import Any, NamedTuple, Protocol, Self, TypeAlias

from grafana_foundation_sdk.builders import common as shared
from grafana_foundation_sdk.builders import dashboard as sdk
from grafana_foundation_sdk.builders import prometheus
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.common import (
    DataSourceRef,
    LegendDisplayMode,
    LegendPlacement,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from kpi_stream.adapters.grafana.dashboards.controls import (
    NATION,
    annotations,
    links,
    office_variable,
    source_variable,
    window_variable,
)
from kpi_stream.application.display import MARKS, STATUS_WORDS
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.application.monitoring.recording import CODES
from kpi_stream.domain.status import Status

Json: TypeAlias = dict[str, Any]
"""An object of Grafana's JSON model."""

COLUMNS = 24
"""Width of Grafana's grid."""

SOURCE = DataSourceRef("prometheus", "${datasource}")
"""The data source that the variable names."""

BRIDGED_MS = 2 * 3_600_000
"""A gap in a course that is shorter than this is drawn over. Loaded history has a sample an hour,
and a chart of a few days asks more often than that."""

GREEN, ORANGE, VERMILION, GREY = "#009E73", "#E69F00", "#D55E00", "#7A7A7A"
BLUE, SKY, PURPLE = "#0072B2", "#56B4E9", "#CC79A7"
"""Okabe and Ito's palette, which the colour-blind can tell apart."""

COLOURS = {
    Status.ON_TRACK: GREEN,
    Status.AT_RISK: ORANGE,
    Status.OFF_TRACK: VERMILION,
    Status.NO_DATA: GREY,
}

_GONE_FROM_PANELS = ("footer", "infinitePan")
_QUERY_ONLY = ("auto", "auto_min", "auto_count")


class Box(NamedTuple):
    """A place on the grid, in columns and rows."""

    x: int
    y: int
    w: int
    h: int

    def overlaps(self, other: "Box") -> bool:
        """Return whether two places share a cell."""
        return (
            self.x < other.x + other.w
            and other.x < self.x + self.w
            and self.y < other.y + other.h
            and other.y < self.y + self.h
        )


class Visual(Protocol):
    """What every panel builder of the SDK has in common."""

    def id(self, id_val: int) -> Self: ...  # noqa: D102
    def title(self, title: str) -> Self: ...  # noqa: D102
    def description(self, description: str) -> Self: ...  # noqa: D102
    def datasource(self, datasource: DataSourceRef) -> Self: ...  # noqa: D102
    def grid_pos(self, grid_pos: model.GridPos) -> Self: ...  # noqa: D102
    def no_value(self, no_value: str) -> Self: ...  # noqa: D102
    def build(self) -> model.Panel: ...  # noqa: D102


class Board:
    """A dashboard under construction.

    Args:
        edition: For whom.
        uid: From `places`.
        title: As the reader sees it; unique in the folder.
        description: The question that it answers.
        refresh: How often its panels ask again.
        since: Begin of its time range, for example `now-90d`.
        kpi: The KPI that the dashboard is about: its annotations are shown; empty for all.
        office: Which office is chosen at first; the nation, if nothing is said.
    """

    def __init__(  # noqa: PLR0913  # a frame has these parts
        self,
        edition: Edition,
        uid: str,
        title: str,
        description: str,
        *,
        refresh: str = "30s",
        since: str = "now-30d",
        kpi: str = "",
        office: str = NATION,
    ) -> None:
        strategy = edition.strategy
        self.edition = edition
        self._places: dict[int, Box] = {}
        self._extra: dict[int, Json] = {}
        self._board = (
            sdk.Dashboard(title)
            .uid(uid)
            .description(description)
            .tags(["kpi-stream", strategy.id, *(["kpi"] if kpi else [])])
            .timezone(strategy.calendar.time_zone)
            .readonly()
            .tooltip(model.DashboardCursorSync.CROSSHAIR)
            .refresh(refresh)
            .time(since, "now")
            .variables([source_variable(edition), office_variable(edition, office)])
            .with_variable(window_variable(edition))
            .annotations(annotations(edition, kpi))
            .links(links(edition, uid))
        )

    def add(  # a panel's frame has these parts
        self,
        panel: Visual,
        number: int,
        box: Box,
        title: str,
        description: str,
        *,
        extra: Json | None = None,
    ) -> None:
        """Add a panel.

        Args:
            panel: An SDK builder with its options, unit and queries.
            number: Its id; an IntEnum of `places` where others point at it.
            box: Where.
            title: Its question or name.
            description: What is counted, how, and what to do with it; shown at the (i).
            extra: Merged into the panel's JSON at last: keys that the SDK does not know.

        Raises:
            ValueError: The id is taken, or the place is outside the grid or taken.
        """
        if number in self._places:
            msg = f"panel {number} is there twice"
            raise ValueError(msg)
        if min(box.x, box.y) < 0 or min(box.w, box.h) < 1 or box.x + box.w > COLUMNS:
            msg = f"panel {number} is outside the grid"
            raise ValueError(msg)
        for other, taken in self._places.items():
            if box.overlaps(taken):
                msg = f"panels {number} and {other} overlap"
                raise ValueError(msg)
        self._places[number] = box
        self._extra[number] = extra or {}
        framed = (
            panel.id(int(number))
            .title(title)
            .description(description)
            .datasource(SOURCE)
            .grid_pos(model.GridPos(x=box.x, y=box.y, w=box.w, h=box.h))
            .no_value(nothing(self.edition))
        )
        self._board.with_panel(_Built(framed.build()))

    def json(self) -> Json:
        """Return the dashboard as Grafana's classic JSON model."""
        board = plain(self._board.build())
        for panel in board["panels"]:
            for key in _GONE_FROM_PANELS:
                panel.get("options", {}).pop(key, None)
            if "repeat" not in panel:
                panel.pop("repeatDirection", None)
            merge(panel, self._extra[panel["id"]])
        for variable in board["templating"]["list"]:
            for key in _QUERY_ONLY:
                variable.pop(key, None)
        # The default puts them into a menu, out of sight.
        for each in (*board["links"], *board["annotations"]["list"]):
            each.pop("placement", None)
        return board


class _Built(Builder[model.Panel]):
    """A panel that is built already; the SDK takes builders only."""

    def __init__(self, panel: model.Panel) -> None:
        self._panel = panel

    def build(self) -> model.Panel:
        return self._panel


def plain(built: object) -> Json:
    """Return a built object of the SDK as plain data."""
    found: Json = json.loads(json.dumps(built, cls=JSONEncoder))
    return found


def merge(into: Json, extra: Json) -> None:
    """Merge nested objects; everything else is replaced."""
    for key, value in extra.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = value


def nothing(edition: Edition) -> str:
    """Return what stands where there is no value."""
    return edition.text(STATUS_WORDS[Status.NO_DATA])


def absent(words: str) -> Json:
    """Return the `extra` of a panel that says something else where there is no value."""
    return {"fieldConfig": {"defaults": {"noValue": words}}}


def query(
    expr: str, ref: str = "A", legend: str = "", *, instant: bool = False, table: bool = False
) -> prometheus.Dataquery:
    """Return a query.

    Args:
        expr: PromQL, made with `promql.select`.
        ref: Its name within the panel.
        legend: Name of a series, with `{{label}}`.
        instant: One value for the end of the time range instead of a course.
        table: Labels as columns; such a query is instant.
    """
    found = prometheus.Dataquery().ref_id(ref).expr(expr).datasource(SOURCE)
    found = found.instant() if instant or table else found.range()
    if table:
        return found.format(PromQueryFormat.TABLE)
    return found.format(PromQueryFormat.TIME_SERIES).legend_format(legend or "__auto")


def transformation(name: str, options: Json, *, only: str = "") -> model.DataTransformerConfig:
    """Return a transformation of all results, or of those of one query."""
    chosen = model.MatcherConfig("byRefId", only) if only else None
    return model.DataTransformerConfig(id_val=name, options=options, filter_val=chosen)


def prop(name: str, value: object) -> model.DynamicConfigValue:
    """Return a property of an override, for example `custom.width`."""
    return model.DynamicConfigValue(name, value)


def as_text() -> model.DynamicConfigValue:
    """Return the property of a column of texts: Grafana would format `0.90` or `01` as a number."""
    return prop("unit", "string")


def status_word(edition: Edition, status: Status) -> str:
    """Return a status as it is always written: its shape and its word."""
    return f"{MARKS[status]} {edition.text(STATUS_WORDS[status])}"


def status_mappings(edition: Edition, unjudged: str = "") -> list[model.ValueMapping]:
    """Return the value mappings of status codes: shape, word, colour.

    Args:
        edition: For the language.
        unjudged: What stands where there is no status at all, as where there is no target.
    """
    codes = {
        str(CODES[status]): model.ValueMappingResult(
            text=status_word(edition, status), color=COLOURS[status], index=CODES[status]
        )
        for status in Status
    }
    found: list[model.ValueMapping] = [model.ValueMap(codes)]
    if unjudged:
        result = model.ValueMappingResult(text=unjudged, color=GREY, index=len(codes))
        options = model.DashboardSpecialValueMapOptions(
            match=model.SpecialValueMatch.NULL_AND_NAN, result=result
        )
        found.append(model.SpecialValueMap(options))
    return found


def thresholds(*steps: tuple[float | None, str]) -> sdk.ThresholdsConfig:
    """Return absolute thresholds, lowest first; the first value is None."""
    return (
        sdk.ThresholdsConfig()
        .mode(model.ThresholdsMode.ABSOLUTE)
        .steps([model.Threshold(value=value, color=colour) for value, colour in steps])
    )


def one_colour(colour: str = BLUE) -> sdk.FieldColor:
    """Return a colour scheme of one colour: the number does not judge itself."""
    return sdk.FieldColor().mode(model.FieldColorModeId.FIXED).fixed_color(colour)


def by_threshold() -> sdk.FieldColor:
    """Return the colour scheme of the thresholds."""
    return sdk.FieldColor().mode(model.FieldColorModeId.THRESHOLDS)


def below() -> shared.VizLegendOptions:
    """Return a legend below the chart, with the last value of each line."""
    return (
        shared.VizLegendOptions()
        .show_legend(show_legend=True)
        .display_mode(LegendDisplayMode.LIST)
        .placement(LegendPlacement.BOTTOM)
        .calcs(["lastNotNull"])
    )


def hidden() -> shared.VizLegendOptions:
    """Return no legend: the rows carry their names."""
    return shared.VizLegendOptions().show_legend(show_legend=False)
