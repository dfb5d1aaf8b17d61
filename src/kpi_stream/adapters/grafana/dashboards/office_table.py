"""The table of one office: each of its KPIs beside the nation's, in the KPI's own unit."""

from collections.abc import Iterable, Mapping

from grafana_foundation_sdk.builders import table
from grafana_foundation_sdk.models import common

from kpi_stream.adapters.grafana.dashboards import figures, units
from kpi_stream.adapters.grafana.dashboards.builder import (
    Board,
    Box,
    as_text,
    prop,
    query,
    status_mappings,
    transformation,
)
from kpi_stream.adapters.grafana.dashboards.controls import HERE, OFFICE
from kpi_stream.adapters.grafana.dashboards.texts import no_target
from kpi_stream.application.monitoring import conventions as c
from kpi_stream.application.monitoring import places
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.domain.strategy import NATIONAL, Kpi

_NATION = {"dimension": NATIONAL}


def office_windows(edition: Edition) -> dict[str, str]:
    """Return the window by KPI of the targets that judge offices."""
    return {
        target.kpi: target.window
        for target in edition.strategy.targets
        if target.dimension == OFFICE
    }


class OfficeTable:
    """Makes the table of an edition."""

    def __init__(self, edition: Edition, kpis: tuple[Kpi, ...]) -> None:
        """Take the KPIs that are broken down by office."""
        self._edition, self._strategy, self._kpis = edition, edition.strategy, kpis
        self._at = office_windows(edition)

    def add_to(self, board: Board, number: int, box: Box) -> None:
        """Add the panel to a dashboard."""
        say = self._edition.say
        right = prop("custom.align", "right")
        headings = {
            "Value #B": say("Estado", "Status"),
            "title": "KPI",
            "value_text": say("La aduana", "The office"),
            "nation_text": say("Nacional", "National"),
            "gap_text": say("Diferencia", "Difference"),
            "expected_text": say("Debe hoy", "Expected today"),
            "target_text": say("Meta de la aduana", "Target of the office"),
            "nation_target_text": say("Meta nacional", "National target"),
            "Value #I": say("Muestras", "Samples"),
            "window": say("Ventana", "Window"),
        }
        fields = [*headings, "uid"]
        page = {
            "title": say("Abrir el KPI", "Open the KPI"),
            "url": places.link("${__data.fields.uid}"),
        }
        panel = (
            table.Panel()
            .unit("none")
            .cell_height(common.TableCellHeight.SM)
            .targets([query(expr, ref, table=True) for ref, expr in self.queries().items()])
            .transformations(
                [
                    transformation("joinByField", {"byField": "kpi", "mode": "outer"}),
                    transformation("sortBy", {"sort": [{"field": "Value #O"}]}),
                    transformation("filterFieldsByName", {"include": {"names": fields}}),
                    transformation(
                        "organize",
                        {
                            "excludeByName": {},
                            "indexByName": {field: at for at, field in enumerate(fields)},
                            "renameByName": headings,
                        },
                    ),
                ]
            )
            .override_by_name(
                headings["Value #B"],
                [
                    prop("custom.cellOptions", {"type": "color-text"}),
                    prop("mappings", status_mappings(self._edition, no_target(self._edition))),
                    prop("custom.width", 130),
                ],
            )
            .override_by_name("KPI", [prop("links", [page]), prop("custom.width", 320)])
            .override_by_name(headings["Value #I"], [right, prop("unit", "locale")])
            .override_by_name("uid", [prop("custom.hideFrom.viz", value=True)])
        )
        for field, heading in headings.items():
            if field.endswith("_text"):
                panel = panel.override_by_name(heading, [right, as_text()])
        board.add(
            panel,
            number,
            box,
            say("${office:text} frente a la nación", "${office:text} against the nation"),
            say(
                "Cada KPI en su unidad: el valor de la aduana, el de la nación y la diferencia; lo "
                "que la aduana debe ser hoy y su meta, donde tiene una propia. El nombre lleva al "
                "KPI.",
                "Each KPI in its unit: the value of the office, the nation's and the difference; "
                "what the office should be today and its target, where it has one of its own. The "
                "name leads to the KPI.",
            ),
        )

    def queries(self) -> Mapping[str, str]:
        """Return the queries of the table by their ref."""
        strategy, kpis, at = self._strategy, self._kpis, self._at
        codes = figures.over(strategy, kpis, c.STATUS_CODE, HERE, at)
        samples = figures.over(strategy, kpis, c.KPI_SAMPLES, HERE, at)
        return {
            "A": figures.known(self._edition, kpis),
            "B": f"max by (kpi) ({codes})",
            "O": figures.worst_first(strategy, kpis, at),
            "D": figures.texts(strategy, kpis, c.KPI_VALUE, "value_text", HERE, at),
            "E": figures.texts(strategy, kpis, c.KPI_VALUE, "nation_text", _NATION, at),
            "F": figures.written(strategy, kpis, "gap_text", self._gap, units.gap_wording),
            "G": figures.texts(strategy, kpis, c.KPI_EXPECTED, "expected_text", HERE, at),
            "H": figures.target_texts(strategy, kpis, "target_text", HERE, at),
            "J": figures.target_texts(strategy, kpis, "nation_target_text", _NATION, at),
            "I": f"max by (kpi, window) ({samples})",
        }

    def _gap(self, kpis: Iterable[Kpi]) -> str:
        kpis = tuple(kpis)
        own = figures.over(self._strategy, kpis, c.KPI_VALUE, HERE, self._at)
        nation = figures.over(self._strategy, kpis, c.KPI_VALUE, _NATION, self._at)
        return f"max by (kpi) ({own}) - max by (kpi) ({nation})"
