"""The pipeline's panels about events: do they come, are they counted, are they right?"""

from grafana_foundation_sdk.builders import table
from grafana_foundation_sdk.models import common

from kpi_stream.adapters.grafana.dashboards.builder import (
    GREEN,
    ORANGE,
    VERMILION,
    Board,
    Box,
    as_text,
    prop,
    query,
    transformation,
)
from kpi_stream.adapters.grafana.dashboards.controls import OFFICE
from kpi_stream.adapters.grafana.dashboards.parts import columns, member_mapping
from kpi_stream.adapters.grafana.dashboards.pipeline_charts import RANGE, limits, lines
from kpi_stream.adapters.grafana.dashboards.units import TIME_SINCE
from kpi_stream.application.monitoring import conventions as c
from kpi_stream.application.monitoring.alerts.feed import LAG_EVENTS, REJECTED_SHARE, SILENT_S
from kpi_stream.application.monitoring.places import PipelinePanel
from kpi_stream.application.monitoring.promql import select

RATE, SHARE = 10, 16

_FRESH_S, _OLD_S = 300, 900
"""Age of the data that is amber, and the one that the scorecard calls stale."""


def lag(board: Board, box: Box) -> None:
    """Add how many events wait."""
    say = board.edition.say
    # While a partition moves, two workers may report it for one scrape.
    panel = lines(
        "short",
        [
            (
                f"sum(max by (partition) ({select(c.WORKER_LAG)}))",
                say("Sin contar (workers)", "Not counted (workers)"),
            ),
            (
                f"sum(max by (partition) ({select(c.SCORECARD_LAG)}))",
                say("Sin ver (scorecard)", "Not seen (scorecard)"),
            ),
            (
                f"topk(1, max by (partition) ({select(c.WORKER_LAG)}))",
                say("Partición {{partition}}", "Partition {{partition}}"),
            ),
        ],
    )
    board.add(
        limits(panel, (None, GREEN), (LAG_EVENTS, ORANGE)),
        PipelinePanel.LAG,
        box,
        say("Eventos en espera", "Events waiting"),
        say(
            "Eventos en Kafka que aún no se cuentan, y la partición con más. Si crece y los "
            "tiempos de escritura y la memoria están bien, añada un worker (hasta uno por "
            "partición).",
            "Events in Kafka that are not counted yet, and the partition with most. If it grows "
            "while flush times and memory are well, add a worker (up to one a partition).",
        ),
    )


def rate(board: Board, box: Box) -> None:
    """Add how many events come."""
    say = board.edition.say
    panel = lines("suffix: ev/s", [(select(c.EVENTS_RATE), "{{outcome}}")], 1)
    board.add(
        panel,
        RATE,
        box,
        say("Eventos por segundo", "Events per second"),
        say(
            "Lo que todos los workers leen, por lo que se hizo con cada evento (promedio de 5 "
            "minutos). De noche baja; en horas de oficina no debe ser cero.",
            "What all workers read, by what became of each event (mean of 5 minutes). It falls at "
            "night; in office hours it must not be zero.",
        ),
    )


def age(board: Board, box: Box) -> None:
    """Add how old the newest counted event is."""
    say = board.edition.say
    panel = lines(
        TIME_SINCE,
        [
            (f"max({select(c.DATA_AGE)})", say("Scorecard", "Scorecard")),
            (
                f"max({select(c.WORKER_DATA_AGE)})",
                say("Partición más atrasada", "Oldest partition"),
            ),
            (f"min({select(c.WORKER_DATA_AGE)})", say("Partición más nueva", "Newest partition")),
        ],
    )
    board.add(
        limits(panel, (None, GREEN), (_FRESH_S, ORANGE), (_OLD_S, VERMILION)),
        PipelinePanel.DATA_AGE,
        box,
        say("Edad de los datos", "Age of the data"),
        say(
            "Tiempo desde que se registró el evento contado más reciente. De noche crece; en horas "
            "de oficina, más de 15 minutos es un flujo sin eventos y los KPI quedan sin datos.",
            "Time since the newest counted event was recorded. It grows at night; in office hours "
            "more than 15 minutes is a stale feed and the KPIs are without data.",
        ),
    )


def rejects(board: Board, box: Box) -> None:
    """Add what is rejected, and why."""
    say = board.edition.say
    panel = lines(
        "suffix: ev/s",
        [(f"sum by (reason) (rate({select(c.REJECTED)}{RANGE}))", "{{reason}}")],
        3,
    )
    board.add(
        panel,
        PipelinePanel.REJECTS,
        box,
        say("Rechazos por motivo", "Rejects by reason"),
        say(
            "Eventos que ningún indicador cuenta; esperan en el tópico de rechazados con su "
            "motivo. Se corrigen en el origen y se envían de nuevo.",
            "Events that no KPI counts; they wait in the topic of dead letters with their reason. "
            "They are corrected at the source and sent again.",
        ),
    )


def share(board: Board, box: Box) -> None:
    """Add which share is rejected."""
    say = board.edition.say
    panel = lines(
        "percentunit",
        [(select(c.REJECTED_SHARE), say("Rechazados de todos", "Rejected of all"))],
        2,
    )
    board.add(
        limits(panel, (None, GREEN), (REJECTED_SHARE, ORANGE)),
        SHARE,
        box,
        say("Parte rechazada", "Share rejected"),
        say(
            "Rechazados divididos entre todos los leídos, en 5 minutos. Avisa desde la línea.",
            "Rejected divided by all that were read, over 5 minutes. It alerts from the line.",
        ),
    )


def offices(board: Board, box: Box) -> None:
    """Add which offices send nothing."""
    edition, say = board.edition, board.edition.say
    silent = f"max by ({OFFICE}) ({select(c.OFFICE_SILENT)})"
    active = f"max by ({OFFICE}) ({select(c.OFFICE_ACTIVE)})"
    headings = {
        OFFICE: say("Aduana", "Office"),
        "Value #A": say("Callada", "Silent for"),
        "Value #B": say("Actividad", "Activity"),
        "Value #C": say("Según su actividad", "By its activity"),
    }
    seconds = [prop("unit", TIME_SINCE), prop("decimals", 0)]
    panel = (
        table.Panel()
        .unit(TIME_SINCE)
        .cell_height(common.TableCellHeight.SM)
        .targets(
            [
                query(silent, "A", table=True),
                query(active, "B", table=True),
                query(f"{silent} * {active}", "C", table=True),
            ]
        )
        .transformations(
            [
                transformation("joinByField", {"byField": OFFICE, "mode": "outer"}),
                transformation("sortBy", {"sort": [{"field": "Value #C", "desc": True}]}),
                *columns(headings),
            ]
        )
        .override_by_name(
            headings[OFFICE], [as_text(), prop("mappings", [member_mapping(edition, OFFICE)])]
        )
        .override_by_name(headings["Value #A"], [*seconds, prop("custom.width", 90)])
        .override_by_name(
            headings["Value #B"],
            [prop("unit", "percentunit"), prop("decimals", 0), prop("custom.width", 80)],
        )
        .override_by_name(
            headings["Value #C"],
            [
                *seconds,
                prop("custom.width", 130),
                prop("custom.cellOptions", {"type": "color-text"}),
                prop("color", {"mode": "thresholds"}),
                prop(
                    "thresholds",
                    {
                        "mode": "absolute",
                        "steps": [
                            {"value": None, "color": GREEN},
                            {"value": SILENT_S, "color": ORANGE},
                        ],
                    },
                ),
            ],
        )
    )
    board.add(
        panel,
        PipelinePanel.SILENT_OFFICES,
        box,
        say("Aduanas calladas", "Silent offices"),
        say(
            "Horas de oficina sin ningún evento de la aduana, la más callada primero, y en qué "
            "parte de sus cuartos de hora suele tener alguno. Avisa cuando el producto de ambos "
            "pasa de 2 horas: una aduana pequeña puede callar más tiempo.",
            "Office hours without any event of the office, the most silent first, and in which "
            "share of its quarter hours it usually has one. It alerts when the product of both "
            "exceeds 2 hours: a small office may be silent for longer.",
        ),
    )
