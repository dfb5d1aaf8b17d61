"""The table of all KPIs: one row a KPI, worst first, each figure in the KPI's own unit."""

from collections.abc import Mapping
from typing import NamedTuple

from grafana_foundation_sdk.builders import table
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as model

from kpi_stream.adapters.grafana.dashboards import figures
from kpi_stream.adapters.grafana.dashboards.builder import (
    GREY,
    Board,
    Box,
    as_text,
    prop,
    query,
    status_mappings,
    transformation,
)
from kpi_stream.adapters.grafana.dashboards.controls import HERE, WINDOW
from kpi_stream.adapters.grafana.dashboards.texts import no_target, objective_title
from kpi_stream.adapters.grafana.dashboards.units import TIME_SINCE
from kpi_stream.application.monitoring import conventions as c
from kpi_stream.application.monitoring import places
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.application.monitoring.promql import select
from kpi_stream.application.monitoring.recording import CODES

_TREND = "T"
"""The one query that is a course: the small line in each row."""
_ORDER = "O"

_UNMEASURED = len(CODES)
"""The code of a KPI that has no figures; Prometheus records one for each status only."""


class Column(NamedTuple):
    """A column: which field of the joined results, and how it is headed."""

    field: str
    heading: str
    width: int
    properties: tuple[model.DynamicConfigValue, ...] = ()


class KpiTable:
    """Makes the table of an edition."""

    def __init__(self, edition: Edition) -> None:
        """Prepare the columns."""
        self._edition, self._strategy = edition, edition.strategy
        self._kpis = figures.measured(edition.strategy)
        self._columns = self._make_columns()

    def add_to(self, board: Board, number: int, box: Box) -> None:
        """Add the panel to a dashboard."""
        say = self._edition.say
        panel = (
            table.Panel()
            .unit("none")
            .cell_height(common.TableCellHeight.SM)
            .align(common.FieldTextAlignment.AUTO)
            .max_data_points(100)
            .targets(
                [
                    *(query(expr, ref, table=True) for ref, expr in self.queries().items()),
                    query(self.trend(), _TREND),
                ]
            )
            .transformations(self._transformations())
        )
        for column in self._columns:
            panel = panel.override_by_name(
                column.heading, [prop("custom.width", column.width), *column.properties]
            )
        panel = panel.override_by_name("uid", [prop("custom.hideFrom.viz", value=True)])
        board.add(
            panel,
            number,
            box,
            say("Indicadores, los peores primero", "KPIs, worst first"),
            say(
                "Cada KPI en su unidad y en la ventana de su meta: lo que es, lo que debe ser hoy "
                "según la trayectoria, y lo que debe ser al vencimiento. El nombre lleva a su "
                "página. Con una aduana elegida, sus valores, y sus metas donde las tiene. La "
                "columna de la ventana elegida muestra el mismo KPI en esa ventana.",
                "Each KPI in its unit and in the window of its target: what it is, what it should "
                "be today on the trajectory, and what it must be at the deadline. The name leads "
                "to its page. With an office chosen, its values, and its targets where it has "
                "some. The column of the chosen window shows the same KPI in that window.",
            ),
        )

    def queries(self) -> Mapping[str, str]:
        """Return the queries of the table by their ref."""
        strategy, kpis = self._strategy, self._kpis
        code = figures.over(strategy, kpis, c.STATUS_CODE, HERE)
        absent = select(c.KPI_NO_DATA, reason=figures.UNMEASURED)
        since = figures.over(strategy, kpis, c.KPI_STATUS_SINCE, HERE)
        deadline = figures.over(strategy, kpis, c.TARGET_DEADLINE, HERE)
        samples = figures.over(strategy, kpis, c.KPI_SAMPLES, HERE)
        chosen = {kpi.id: WINDOW for kpi in kpis}
        return {
            "A": figures.known(self._edition, strategy.kpis),
            "B": f"max by (kpi) ({code}) or on (kpi) max by (kpi) ({_UNMEASURED} * {absent})",
            _ORDER: figures.worst_first(strategy, strategy.kpis),
            "D": figures.texts(strategy, kpis, c.KPI_VALUE, "value_text", HERE),
            "E": figures.texts(strategy, kpis, c.KPI_EXPECTED, "expected_text", HERE),
            "F": figures.target_texts(strategy, kpis, "target_text", HERE),
            "G": figures.texts(strategy, kpis, c.KPI_FORECAST, "forecast_text", HERE),
            "H": f"1000 * max by (kpi) ({deadline})",
            "I": f"max by (kpi) ({samples})",
            "K": figures.texts(strategy, kpis, c.KPI_VALUE, "window_text", HERE, chosen),
            "L": f"time() - max by (kpi) ({since})",
        }

    def trend(self) -> str:
        """Return the query of the course of every KPI."""
        course = figures.over(self._strategy, self._kpis, c.KPI_VALUE, HERE)
        return f"max by (kpi) ({course})"

    def _make_columns(self) -> tuple[Column, ...]:
        say = self._edition.say
        right = (prop("custom.align", "right"),)
        figure = (*right, as_text())
        page = {"title": say("Abrir el KPI", "Open the KPI")}
        page["url"] = places.link("${__data.fields.uid}")
        names = {
            each.id: model.ValueMappingResult(text=objective_title(self._edition, each), index=at)
            for at, each in enumerate(self._strategy.objectives)
        }
        statuses = status_mappings(self._edition, no_target(self._edition))
        unmeasured = model.ValueMappingResult(
            text=say("○ No se mide", "○ Not measured"), color=GREY, index=_UNMEASURED + 1
        )
        status = (
            prop("custom.cellOptions", {"type": "color-text"}),
            prop("mappings", [*statuses, model.ValueMap({str(_UNMEASURED): unmeasured})]),
        )
        spark = {"type": "sparkline", "hideValue": True, "lineWidth": 1, "fillOpacity": 0}
        return (
            Column("Value #B", say("Estado", "Status"), 130, status),
            Column("title", "KPI", 300, (prop("links", [page]),)),
            Column("value_text", say("Valor", "Value"), 100, figure),
            Column("expected_text", say("Debe hoy", "Expected today"), 110, figure),
            Column("target_text", say("Meta", "Target"), 130, figure),
            Column(
                "Value #H", say("Vence", "Deadline"), 100, (*right, prop("unit", "time:YYYY-MM-DD"))
            ),
            Column(
                f"Trend #{_TREND}",
                say("Tendencia", "Trend"),
                160,
                (prop("custom.cellOptions", spark),),
            ),
            Column("forecast_text", say("Pronóstico", "Forecast"), 110, figure),
            Column("window_text", say("Ventana elegida", "Chosen window"), 130, figure),
            Column("Value #I", say("Muestras", "Samples"), 90, (*right, prop("unit", "locale"))),
            Column(
                "Value #L", say("Así desde hace", "Like this for"), 110, (prop("unit", TIME_SINCE),)
            ),
            Column("objective", say("Objetivo", "Objective"), 200, (_mapped(names),)),
            Column("owner", say("Responsable", "Owner"), 200),
        )

    def _transformations(self) -> list[model.DataTransformerConfig]:
        fields = [column.field for column in self._columns]
        return [
            transformation("timeSeriesTable", {}, only=_TREND),
            transformation("joinByField", {"byField": "kpi", "mode": "outer"}),
            transformation("sortBy", {"sort": [{"field": f"Value #{_ORDER}"}]}),
            transformation("filterFieldsByName", {"include": {"names": [*fields, "uid"]}}),
            transformation(
                "organize",
                {
                    "excludeByName": {},
                    "indexByName": {field: at for at, field in enumerate([*fields, "uid"])},
                    "renameByName": {column.field: column.heading for column in self._columns},
                },
            ),
        ]


def _mapped(texts: dict[str, model.ValueMappingResult]) -> model.DynamicConfigValue:
    return prop("mappings", [model.ValueMap(texts)])
