"""One office: its KPIs against the nation's, and whether its events arrive."""

from collections.abc import Iterable

from grafana_foundation_sdk.builders import table, timeseries
from grafana_foundation_sdk.models import common

from kpi_stream.adapters.grafana.dashboards import figures, units
from kpi_stream.adapters.grafana.dashboards.builder import (
    BLUE,
    BRIDGED_MS,
    COLOURS,
    GREY,
    ORANGE,
    VERMILION,
    Board,
    Box,
    Json,
    absent,
    as_text,
    below,
    by_threshold,
    one_colour,
    prop,
    query,
    status_word,
    thresholds,
    transformation,
)
from kpi_stream.adapters.grafana.dashboards.controls import HERE, NATION, OFFICE
from kpi_stream.adapters.grafana.dashboards.office_table import OfficeTable, office_windows
from kpi_stream.adapters.grafana.dashboards.parts import (
    choosing_office,
    columns,
    member_mapping,
    status_courses,
    tile,
)
from kpi_stream.adapters.grafana.dashboards.texts import kpi_title, member_names
from kpi_stream.application.handbook import phrases
from kpi_stream.application.monitoring import conventions as c
from kpi_stream.application.monitoring import places
from kpi_stream.application.monitoring.alerts.feed import SILENT_S
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.application.monitoring.promql import select
from kpi_stream.domain.status import Status
from kpi_stream.domain.strategy import NATIONAL, Kpi
from kpi_stream.domain.worklist import Urgency

_COURSES = 20
_MOST_COURSES = 6
"""Id of the first course, and how many KPIs have one at most."""


def build(edition: Edition) -> Iterable[Json]:
    """Return the dashboard of one office."""
    strategy = edition.strategy
    offices = [code for code in member_names(edition, OFFICE) if code in strategy.offices]
    board = Board(
        edition,
        places.office_uid(strategy),
        edition.say("Una aduana frente a la nación", "One office against the nation"),
        edition.say(
            "¿Cómo está la aduana elegida frente a la nación y a sus metas, y llegan sus eventos?",
            "How does the chosen office stand against the nation and its targets, and do its "
            "events arrive?",
        ),
        since="now-84d",
        office=offices[0] if offices else NATION,
    )
    kpis = tuple(kpi for kpi in figures.measured(strategy) if OFFICE in kpi.dimensions)
    _counts(board, kpis)
    _activity(board)
    bottom = 4
    if kpis:
        OfficeTable(edition, kpis).add_to(board, 10, Box(0, bottom, 24, 16))
        bottom += 16
    judged = [kpi for kpi in kpis if kpi.id in office_windows(edition)]
    if judged:
        _history(board, judged, Box(0, bottom, 12, 11))
    _offices(board, Box(12 if judged else 0, bottom, 12 if judged else 24, 11))
    bottom += 11
    if strategy.worklists:
        _waiting(board, Box(0, bottom, 24, 8))
        bottom += 8
    for at, kpi in enumerate((judged or list(kpis))[:_MOST_COURSES]):
        _course(board, kpi, _COURSES + at, Box(8 * (at % 3), bottom + 9 * (at // 3), 8, 9))
    return [board.json()]


def _counts(board: Board, kpis: Iterable[Kpi]) -> None:
    edition = board.edition
    kpis = tuple(kpi for kpi in kpis if kpi.id in office_windows(edition))
    if not kpis:
        return
    for number, status in enumerate(Status, start=1):
        labels = {**HERE, "status": status.value}
        expr = figures.over(edition.strategy, kpis, c.KPI_STATUS, labels, office_windows(edition))
        panel = tile(f"sum({expr})", "none").decimals(0).color_scheme(one_colour(COLOURS[status]))
        board.add(
            panel,
            number,
            Box(3 * (number - 1), 0, 3, 4),
            status_word(edition, status),
            edition.say(
                "De los KPI con meta por aduana, cuántos están así en la elegida.",
                "Of the KPIs with targets by office, how many stand like this in the chosen one.",
            ),
        )


def _activity(board: Board) -> None:
    edition = board.edition
    chosen = select(c.OFFICE_SILENT, office="=~$office")
    active = select(c.OFFICE_ACTIVE, office="=~$office")
    pick = absent(edition.say("Elija una", "Choose one"))
    silent = tile(f"max({chosen})", units.TIME_SINCE).decimals(0).color_scheme(one_colour(BLUE))
    board.add(
        silent,
        5,
        Box(12, 0, 4, 4),
        edition.say("Callada desde hace", "Silent for"),
        edition.say(
            "Horas de oficina desde su evento contado más reciente.",
            "Office hours since its newest counted event.",
        ),
        extra=pick,
    )
    usual = tile(f"max({active})", "percentunit").decimals(0).color_scheme(one_colour(BLUE))
    board.add(
        usual,
        6,
        Box(16, 0, 4, 4),
        edition.say("Actividad usual", "Usual activity"),
        edition.say(
            "Parte de los cuartos de hora de oficina de los últimos 7 días en que tuvo eventos.",
            "Share of the quarter hours of the last 7 days' office hours in which it had events.",
        ),
        extra=pick,
    )
    missing = (
        tile(f"max({chosen} * on (office) {active})", units.TIME_SINCE)
        .decimals(0)
        .color_scheme(by_threshold())
        .thresholds(thresholds((None, BLUE), (SILENT_S / 2, ORANGE), (float(SILENT_S), VERMILION)))
    )
    board.add(
        missing,
        7,
        Box(20, 0, 4, 4),
        edition.say("Actividad que falta", "Missing activity"),
        edition.say(
            "Silencio por actividad usual: desde dos horas avisa la alerta de aduana callada.",
            "Silence times usual activity: from two hours on, the alert of a silent office fires.",
        ),
        extra=pick,
    )


def _history(board: Board, kpis: Iterable[Kpi], box: Box) -> None:
    edition = board.edition
    codes = figures.over(edition.strategy, kpis, c.STATUS_CODE, HERE, office_windows(edition))
    panel = (
        status_courses(edition, common.VisibilityMode.AUTO, 0.7)
        .span_nulls(BRIDGED_MS)
        .with_target(query(f"max by (kpi) ({codes})", legend="{{kpi}}"))
    )
    for kpi in kpis:
        name = kpi.code or edition.text(kpi.name)
        panel = panel.override_by_name(kpi.id, [prop("displayName", name)])
    board.add(
        panel,
        11,
        box,
        edition.say("Estados en el tiempo", "Statuses over time"),
        edition.say(
            "Los KPI con meta por aduana, en la elegida. Gris: sin datos.",
            "The KPIs with targets by office, in the chosen one. Grey: no data.",
        ),
    )


def _offices(board: Board, box: Box) -> None:
    edition = board.edition
    office, silent = edition.say("Aduana", "Office"), edition.say("Callada", "Silent for")
    active, missing = (
        edition.say("Actividad usual", "Usual activity"),
        edition.say("Falta", "Missing"),
    )
    page = choosing_office(places.office_uid(edition.strategy))
    link = {"title": edition.say("Ver esta aduana", "See this office"), "url": page}
    fields = {"office": office, "Value #A": silent, "Value #B": active, "Value #C": missing}
    both = f"{select(c.OFFICE_SILENT)} * on (office) {select(c.OFFICE_ACTIVE)}"
    panel = (
        table.Panel()
        .unit(units.TIME_SINCE)
        .decimals(0)
        .cell_height(common.TableCellHeight.SM)
        .with_target(query(f"max by (office) ({select(c.OFFICE_SILENT)})", "A", table=True))
        .with_target(query(f"max by (office) ({select(c.OFFICE_ACTIVE)})", "B", table=True))
        .with_target(query(f"max by (office) ({both})", "C", table=True))
        .transformations(
            [
                transformation("joinByField", {"byField": "office", "mode": "outer"}),
                transformation("sortBy", {"sort": [{"field": "Value #C", "desc": True}]}),
                *columns(fields),
            ]
        )
        .override_by_name(
            office,
            [prop("mappings", [member_mapping(edition, OFFICE)]), prop("links", [link]), as_text()],
        )
        .override_by_name(active, [prop("unit", "percentunit")])
    )
    board.add(
        panel,
        12,
        box,
        edition.say("¿Llegan los eventos de cada aduana?", "Do the events of each office arrive?"),
        edition.say(
            "Las más calladas primero, según lo que suelen trabajar. El nombre elige la aduana.",
            "The most silent first, by what they usually do. The name chooses the office.",
        ),
    )


def _waiting(board: Board, box: Box) -> None:
    edition = board.edition
    lines = (
        (Urgency.LATE, edition.say("Fuera de plazo", "Late"), VERMILION),
        (Urgency.CLOSE, edition.say("Por vencer", "Close to the limit"), ORANGE),
    )
    panel = (
        timeseries.Panel()
        .unit("none")
        .decimals(0)
        .fill_opacity(0)
        .show_points(common.VisibilityMode.NEVER)
        .span_nulls(BRIDGED_MS)
        .legend(below())
    )
    for ref, (urgency, legend, colour) in zip("AB", lines, strict=True):
        chosen = select(c.WORKLIST, office="=~$office", urgency=urgency.value)
        panel = panel.with_target(
            query(f"sum(max by (worklist, office) ({chosen}))", ref, legend)
        ).override_by_query(ref, [prop("color", {"mode": "fixed", "fixedColor": colour})])
    board.add(
        panel,
        13,
        box,
        edition.say("¿Cuántas esperan fuera de plazo?", "How many wait beyond their limit?"),
        edition.say(
            "De las listas de trabajo de la aduana elegida; cuáles son, lo dice la página.",
            "Of the worklists of the chosen office; which ones, the page says.",
        ),
    )


def _course(board: Board, kpi: Kpi, number: int, box: Box) -> None:
    edition, strategy = board.edition, board.edition.strategy
    scale = units.scale(kpi, strategy)
    window = office_windows(edition).get(kpi.id) or figures.main_window(strategy, kpi)
    here = {"kpi": kpi.id, "window": window, **HERE}
    nation = {"kpi": kpi.id, "window": window, "dimension": NATIONAL}
    lines = (
        ("A", select(c.KPI_VALUE[kpi.unit], **here), "${office:text}", BLUE),
        ("B", select(c.KPI_VALUE[kpi.unit], **nation), edition.say("Nacional", "National"), GREY),
        (
            "C",
            select(c.KPI_EXPECTED[kpi.unit], **here),
            edition.say("Debe ser", "Expected"),
            ORANGE,
        ),
    )
    panel = (
        timeseries.Panel()
        .unit(scale.unit)
        .decimals(scale.decimals)
        .fill_opacity(0)
        .show_points(common.VisibilityMode.NEVER)
        .span_nulls(BRIDGED_MS)
        .legend(below())
    )
    for ref, expr, legend, colour in lines:
        dash = [prop("custom.lineStyle", {"fill": "dash", "dash": [10, 10]})] if ref == "C" else []
        panel = panel.with_target(
            query(units.scaled(f"max({expr})", kpi, strategy), ref, legend)
        ).override_by_query(ref, [prop("color", {"mode": "fixed", "fixedColor": colour}), *dash])
    page = {
        "title": edition.say("Abrir el KPI", "Open the KPI"),
        "url": places.link(places.kpi_uid(strategy, kpi.id)),
    }
    board.add(
        panel,
        number,
        box,
        f"{kpi_title(edition, kpi)}, {phrases.window(edition, window)}",
        edition.text(kpi.question),
        extra={"links": [page]},
    )
