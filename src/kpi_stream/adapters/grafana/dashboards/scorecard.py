"""The scorecard: every KPI, worst first, and the offices that are judged by them."""

from collections.abc import Iterable

from grafana_foundation_sdk.builders import annotationslist, table
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as model

from kpi_stream.adapters.grafana.dashboards import figures
from kpi_stream.adapters.grafana.dashboards.builder import (
    BRIDGED_MS,
    COLOURS,
    Board,
    Box,
    Json,
    as_text,
    one_colour,
    prop,
    query,
    status_mappings,
    status_word,
    transformation,
)
from kpi_stream.adapters.grafana.dashboards.controls import HERE, OFFICE
from kpi_stream.adapters.grafana.dashboards.kpi_table import KpiTable
from kpi_stream.adapters.grafana.dashboards.office_table import office_windows
from kpi_stream.adapters.grafana.dashboards.parts import (
    choosing_office,
    member_mapping,
    status_courses,
    tile,
)
from kpi_stream.adapters.grafana.dashboards.texts import kpi_title
from kpi_stream.adapters.grafana.dashboards.units import TIME_SINCE
from kpi_stream.adapters.grafana.notes import TAG
from kpi_stream.application.monitoring import conventions as c
from kpi_stream.application.monitoring import places
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.application.monitoring.promql import select
from kpi_stream.domain.status import Status


def build(edition: Edition) -> Iterable[Json]:
    """Return the scorecard."""
    strategy = edition.strategy
    board = Board(
        edition,
        places.scorecard_uid(strategy),
        edition.say("Tablero de indicadores", "Scorecard"),
        edition.say(
            "¿Qué está en rojo, cuánto y de quién es? Todos los KPI, los peores primero.",
            "What is red, by how much, and whose is it? Every KPI, worst first.",
        ),
        since="now-84d",
    )
    _counts(board)
    _freshness(board)
    KpiTable(edition).add_to(board, 8, Box(0, 4, 24, 20))
    bottom = 24
    judged = office_windows(edition)
    if judged:
        _offices(board, judged, Box(0, bottom, 24, 12))
        bottom += 12
    _history(board, Box(0, bottom, 16, 20))
    _changes(board, Box(16, bottom, 8, 20))
    return [board.json()]


def _counts(board: Board) -> None:
    edition = board.edition
    kpis = figures.measured(edition.strategy)
    for number, status in enumerate(Status, start=1):
        expr = figures.over(edition.strategy, kpis, c.KPI_STATUS, {**HERE, "status": status.value})
        panel = (
            tile(f"sum({expr})", "none")
            .decimals(0)
            .color_scheme(one_colour(COLOURS[status]))
            .color_mode(common.BigValueColorMode.VALUE)
        )
        board.add(
            panel,
            number,
            Box(3 * (number - 1), 0, 3, 4),
            status_word(edition, status),
            edition.say(
                "Cuántos KPI están así frente a lo que deben ser hoy; con una aduana elegida, los "
                "que tienen meta para ella.",
                "How many KPIs stand like this against what they should be today; with an office "
                "chosen, those that have a target for it.",
            ),
        )


def _freshness(board: Board) -> None:
    edition = board.edition
    age = tile(f"max({select(c.DATA_AGE)})", TIME_SINCE).decimals(0).color_scheme(one_colour())
    board.add(
        age,
        5,
        Box(12, 0, 4, 4),
        edition.say("Edad de los datos", "Age of the data"),
        edition.say(
            "Tiempo desde que se registró el evento contado más reciente; de noche crece. Si el "
            "silencio es demasiado largo, se dice al lado.",
            "Time since the newest counted event was recorded; it grows at night. A silence that "
            "is too long is told beside.",
        ),
    )
    instant = tile(f"1000 * max({select(c.AS_OF)})", "dateTimeAsLocal").color_scheme(one_colour())
    board.add(
        instant,
        6,
        Box(16, 0, 4, 4),
        edition.say("Instante del que se habla", "Instant spoken about"),
        edition.say(
            "El tablero dice cómo estaban las cosas en este instante. Mientras se cargan meses "
            "anteriores, va por detrás del reloj.",
            "The scorecard says how things stood at this instant. While earlier months are being "
            "loaded, it is behind the clock.",
        ),
    )
    states = {
        "0": (edition.say("▲ Poniéndose al día", "▲ Catching up"), COLOURS[Status.AT_RISK]),
        "1": (edition.say("● Al día", "● Up to date"), COLOURS[Status.ON_TRACK]),
        "2": (edition.say("■ Sin eventos", "■ No events"), COLOURS[Status.OFF_TRACK]),
    }
    told = {
        code: model.ValueMappingResult(text=text, color=colour, index=at)
        for at, (code, (text, colour)) in enumerate(states.items())
    }
    feed = tile(f"min({select(c.CAUGHT_UP)}) + max({select(c.STALE)})", "none").mappings(
        [model.ValueMap(told)]
    )
    board.add(
        feed,
        7,
        Box(20, 0, 4, 4),
        edition.say("¿Llegan los eventos?", "Do the events arrive?"),
        edition.say(
            "Al día: el instante es el del reloj. Poniéndose al día: se cuentan eventos atrasados. "
            "Sin eventos: callan desde hace más de lo permitido, y los KPI están sin datos. En los "
            "dos últimos casos callan las alertas de KPI.",
            "Up to date: the instant is the clock's. Catching up: older events are being counted. "
            "No events: they have been silent for longer than they may, and the KPIs have no data. "
            "In the last two cases the KPI alerts are silent.",
        ),
    )


def _offices(board: Board, judged: dict[str, str], box: Box) -> None:
    edition = board.edition
    kpis = [kpi for kpi in edition.strategy.kpis if kpi.id in judged]
    codes = figures.over(edition.strategy, kpis, c.STATUS_CODE, {"dimension": OFFICE}, judged)
    corner = "member\\kpi"
    office = edition.say("Aduana", "Office")
    link = choosing_office(places.office_uid(edition.strategy))
    page = {"title": edition.say("Abrir la aduana", "Open the office"), "url": link}
    panel = (
        table.Panel()
        .unit("none")
        .cell_height(common.TableCellHeight.SM)
        .cell_options(common.TableColorTextCellOptions())
        .mappings(status_mappings(edition, "—"))
        .with_target(query(f"max by (member, kpi) ({codes})", table=True))
        .transformations(
            [
                transformation(
                    "groupingToMatrix",
                    {
                        "columnField": "kpi",
                        "rowField": "member",
                        "valueField": "Value",
                        "emptyValue": "null",
                    },
                ),
                transformation(
                    "organize",
                    {
                        "excludeByName": {},
                        "indexByName": {},
                        "renameByName": {
                            corner: office,
                            **{kpi.id: kpi_title(edition, kpi) for kpi in kpis},
                        },
                    },
                ),
            ]
        )
        .override_by_name(
            office,
            [
                prop("mappings", [member_mapping(edition, OFFICE)]),
                prop("links", [page]),
                prop("custom.cellOptions", {"type": "auto"}),
                as_text(),
                prop("custom.width", 280),
            ],
        )
    )
    board.add(
        panel,
        9,
        box,
        edition.say("Estado por aduana", "Status by office"),
        edition.say(
            "Las aduanas que tienen metas propias, una fila cada una. Raya: aún no tuvo casos. El "
            "nombre lleva a la página de la aduana.",
            "The offices that have targets of their own, a row each. A dash: it had no cases yet. "
            "The name leads to the office's page.",
        ),
    )


def _history(board: Board, box: Box) -> None:
    edition = board.edition
    kpis = figures.measured(edition.strategy)
    codes = figures.over(edition.strategy, kpis, c.STATUS_CODE, HERE)
    panel = (
        status_courses(edition, common.VisibilityMode.NEVER, 0.8)
        .span_nulls(BRIDGED_MS)
        .with_target(query(f"max by (kpi) ({codes})", legend="{{kpi}}"))
    )
    for kpi in kpis:
        panel = panel.override_by_name(
            kpi.id, [prop("displayName", kpi.code or edition.text(kpi.name))]
        )
    board.add(
        panel,
        10,
        box,
        edition.say("Cómo estuvieron los KPI", "How the KPIs stood"),
        edition.say(
            "El estado de cada KPI en el tiempo, también de los meses que se cargaron de la "
            "historia. Gris: sin datos.",
            "The status of each KPI over time, also of the months loaded from history. Grey: no "
            "data.",
        ),
    )


def _changes(board: Board, box: Box) -> None:
    edition = board.edition
    panel = (
        annotationslist.Panel()
        .unit("none")
        .only_from_this_dashboard(only_from_this_dashboard=False)
        .only_in_time_range(only_in_time_range=True)
        .tags([TAG, edition.strategy.id])
        .limit(30)
        .show_time(show_time=True)
        .show_tags(show_tags=True)
        .show_user(show_user=False)
    )
    board.add(
        panel,
        11,
        box,
        edition.say("Últimos cambios", "Latest changes"),
        edition.say(
            "Cambios de estado y de metas, el más reciente primero; los escribe el tablero.",
            "Changes of statuses and of targets, newest first; the scorecard writes them.",
        ),
    )
