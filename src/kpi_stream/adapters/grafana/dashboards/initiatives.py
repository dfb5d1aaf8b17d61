"""Initiatives and resources: does the funded work keep pace with its time and its money?"""

from collections.abc import Iterable
from typing import NamedTuple

from grafana_foundation_sdk.builders import common as shared
from grafana_foundation_sdk.builders import stat, table, timeseries
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as model

from kpi_stream.adapters.grafana.dashboards.builder import (
    BLUE,
    GREEN,
    ORANGE,
    VERMILION,
    Board,
    Box,
    Json,
    below,
    by_threshold,
    one_colour,
    prop,
    query,
    thresholds,
    transformation,
)
from kpi_stream.adapters.grafana.dashboards.texts import objective_title
from kpi_stream.application.monitoring import conventions as c
from kpi_stream.application.monitoring import places
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.application.monitoring.promql import select

COUNT, BEHIND, OVERDUE, BUDGET, SPENT = 1, 2, 3, 4, 5
TABLE, ACTIONS, PACE, MONEY = 6, 7, 8, 9

SLOW, LATE = 0.05, 0.15
"""Share of the time by which the work may be behind before it is amber, and red."""

_DAY_S = 86_400
_SOON_DAYS = 30
"""An action that is due within so many days is amber."""


class _Column(NamedTuple):
    field: str
    heading: str
    width: int
    properties: tuple[model.DynamicConfigValue, ...] = ()


def build(edition: Edition) -> Iterable[Json]:
    """Return the dashboard of initiatives and resources."""
    board = Board(
        edition,
        places.initiatives_uid(edition.strategy),
        edition.say("Iniciativas y recursos", "Initiatives and resources"),
        edition.say(
            "¿Avanza el trabajo al paso de su tiempo y de su dinero, y qué acción se debe?",
            "Does the work keep pace with its time and its money, and which action is due?",
        ),
        refresh="5m",
        since="now-84d",
    )
    _counts(board)
    height = max(6, 3 + len(edition.strategy.initiatives))
    _initiatives(board, Box(0, 4, 24, height))
    _actions(board, Box(0, 4 + height, 24, 10))
    _pace(board, Box(0, 14 + height, 12, 10))
    _money(board, Box(12, 14 + height, 12, 10))
    return [board.json()]


def _gap() -> str:
    return f"{_most(c.INITIATIVE_ELAPSED)} - {_most(c.INITIATIVE_PROGRESS)}"


def _most(family: c.Family) -> str:
    return f"max by (initiative) ({select(family)})"


def _counts(board: Board) -> None:
    say = board.edition.say
    money = f"currency:{board.edition.strategy.currency} "
    for number, expr, unit, limits, title, description in (
        (
            COUNT,
            f"count({_most(c.INITIATIVE_PROGRESS)})",
            "none",
            (),
            say("Iniciativas", "Initiatives"),
            say("Cuántas tiene la estrategia.", "How many the strategy has."),
        ),
        (
            BEHIND,
            f"count({_gap()} > {SLOW}) or 0 * count({_most(c.INITIATIVE_PROGRESS)})",
            "none",
            ((1.0, ORANGE),),
            say("Atrasadas", "Behind"),
            say(
                f"Iniciativas cuyo avance está más de {SLOW:.0%} por debajo del tiempo "
                "transcurrido.",
                f"Initiatives whose progress is more than {SLOW:.0%} below the time elapsed.",
            ),
        ),
        (
            OVERDUE,
            f"sum({_most(c.INITIATIVE_OVERDUE)})",
            "none",
            ((1.0, VERMILION),),
            say("Acciones vencidas", "Actions overdue"),
            say(
                "Acciones cuyo plazo pasó y que no están hechas; abajo, de quién son.",
                "Actions that are due and not done; whose they are is below.",
            ),
        ),
        (
            BUDGET,
            f"sum({_most(c.INITIATIVE_BUDGET)})",
            money,
            (),
            say("Presupuesto", "Budget"),
            say("De todas las iniciativas.", "Of all initiatives."),
        ),
        (
            SPENT,
            f"sum({_most(c.INITIATIVE_SPENT_MONEY)})",
            money,
            (),
            say("Gastado", "Spent"),
            say("Lo que todas han gastado.", "What all of them have spent."),
        ),
    ):
        steps = ((None, GREEN if limits else BLUE), *limits)
        panel = (
            stat.Panel()
            .unit(unit)
            .color_scheme(by_threshold() if limits else one_colour())
            .thresholds(thresholds(*steps))
            .graph_mode(common.BigValueGraphMode.NONE)
            .with_target(query(expr, instant=True))
        )
        width = 6 if unit == money else 4
        x = 4 * (number - 1) if unit == "none" else 12 + 6 * (number - BUDGET)
        board.add(panel, number, Box(x, 0, width, 4), title, description)


def _initiatives(board: Board, box: Box) -> None:
    edition, say = board.edition, board.edition.say
    name = f"name_{edition.language}"
    money = prop("unit", f"currency:{edition.strategy.currency} ")
    share = (prop("unit", "percentunit"), prop("decimals", 0))
    bar = (
        *share,
        prop("min", 0),
        prop("max", 1),
        prop("custom.cellOptions", {"type": "gauge", "mode": "basic", "valueDisplayMode": "text"}),
        prop("color", {"mode": "fixed", "fixedColor": BLUE}),
    )
    titles = {each.id: objective_title(edition, each) for each in edition.strategy.objectives}
    served = {
        ",".join(each.objectives): model.ValueMappingResult(
            text="; ".join(titles[one] for one in each.objectives), index=at
        )
        for at, each in enumerate(edition.strategy.initiatives)
    }
    columns = (
        _Column(name, say("Iniciativa", "Initiative"), 300),
        _Column("Value #B", say("Tiempo transcurrido", "Time elapsed"), 150, bar),
        _Column("Value #C", say("Avance", "Progress"), 150, bar),
        _Column("Value #D", say("Atraso", "Behind by"), 90, (*share, *_coloured(_pace_steps()))),
        _Column("Value #E", say("Gastado del presupuesto", "Spent of budget"), 150, bar),
        _Column("Value #F", say("Presupuesto", "Budget"), 130, (money,)),
        _Column("Value #G", say("Gastado", "Spent"), 130, (money,)),
        _Column(
            "Value #H",
            say("Vencidas", "Overdue"),
            80,
            _coloured(({"value": None, "color": GREEN}, {"value": 1, "color": VERMILION})),
        ),
        _Column("owner", say("Responsable", "Owner"), 240),
        _Column(
            "objectives",
            say("Objetivos", "Objectives"),
            340,
            (prop("mappings", [model.ValueMap(served)]),),
        ),
    )
    info = f"max by (initiative, {name}, owner, objectives) ({select(c.INITIATIVE_INFO)})"
    exprs = {
        "A": info,
        "B": _most(c.INITIATIVE_ELAPSED),
        "C": _most(c.INITIATIVE_PROGRESS),
        "D": _gap(),
        "E": _most(c.INITIATIVE_SPENT),
        "F": _most(c.INITIATIVE_BUDGET),
        "G": _most(c.INITIATIVE_SPENT_MONEY),
        "H": _most(c.INITIATIVE_OVERDUE),
    }
    panel = (
        table.Panel()
        .unit("none")
        .cell_height(common.TableCellHeight.SM)
        .targets([query(expr, ref, table=True) for ref, expr in exprs.items()])
        .transformations(
            [
                transformation("joinByField", {"byField": "initiative", "mode": "outer"}),
                transformation("sortBy", {"sort": [{"field": "Value #D", "desc": True}]}),
                *_chosen(columns),
            ]
        )
    )
    board.add(
        _styled(panel, columns),
        TABLE,
        box,
        say("Iniciativas, las más atrasadas primero", "Initiatives, furthest behind first"),
        say(
            "Atraso: tiempo transcurrido menos avance, en partes del plazo; negativo es adelanto "
            f"(ámbar desde {SLOW:.0%}, rojo desde {LATE:.0%}). Lo gastado se compara con el "
            "avance: si es mucho más, el dinero no alcanzará.",
            "Behind by: time elapsed less progress, as a share of the term; negative is ahead "
            f"(amber from {SLOW:.0%}, red from {LATE:.0%}). Compare what is spent with the "
            "progress: if it is much more, the money will not last.",
        ),
    )


def _pace_steps() -> tuple[Json, ...]:
    return (
        {"value": None, "color": GREEN},
        {"value": SLOW, "color": ORANGE},
        {"value": LATE, "color": VERMILION},
    )


def _coloured(steps: Iterable[Json]) -> tuple[model.DynamicConfigValue, ...]:
    return (
        prop("custom.cellOptions", {"type": "color-text"}),
        prop("color", {"mode": "thresholds"}),
        prop("thresholds", {"mode": "absolute", "steps": list(steps)}),
    )


def _chosen(columns: tuple[_Column, ...]) -> list[model.DataTransformerConfig]:
    fields = [column.field for column in columns]
    return [
        transformation("filterFieldsByName", {"include": {"names": fields}}),
        transformation(
            "organize",
            {
                "excludeByName": {},
                "indexByName": {field: at for at, field in enumerate(fields)},
                "renameByName": {column.field: column.heading for column in columns},
            },
        ),
    ]


def _styled(panel: table.Panel, columns: tuple[_Column, ...]) -> table.Panel:
    for column in columns:
        properties = [prop("custom.width", column.width), *column.properties]
        panel = panel.override_by_name(column.heading, properties)
    return panel


def _actions(board: Board, box: Box) -> None:
    edition, say = board.edition, board.edition.say
    name = f"name_{edition.language}"
    due = f"max by (initiative, action, {name}, responsible) ({select(c.INITIATIVE_ACTION_DUE)})"
    left = f"({due} - scalar(max({select(c.AS_OF)}))) / {_DAY_S}"
    whose = {
        each.id: model.ValueMappingResult(text=edition.text(each.name), index=at)
        for at, each in enumerate(edition.strategy.initiatives)
    }
    steps = (
        {"value": None, "color": VERMILION},
        {"value": 0, "color": ORANGE},
        {"value": _SOON_DAYS, "color": GREEN},
    )
    columns = (
        _Column(
            "Value #B",
            say("Días que quedan", "Days left"),
            130,
            (prop("unit", "none"), prop("decimals", 0), *_coloured(steps)),
        ),
        _Column("Value #A", say("Vence", "Due"), 120, (prop("unit", "time:YYYY-MM-DD"),)),
        _Column(name, say("Acción", "Action"), 460),
        _Column("responsible", say("Responsable", "Responsible"), 320),
        _Column(
            "initiative",
            say("Iniciativa", "Initiative"),
            340,
            (prop("mappings", [model.ValueMap(whose)]),),
        ),
    )
    panel = (
        table.Panel()
        .unit("none")
        .cell_height(common.TableCellHeight.SM)
        # The end of the day of Lima is a later date in UTC.
        .targets([query(f"1000 * ({due} - 1)", "A", table=True), query(left, "B", table=True)])
        .transformations(
            [
                transformation("merge", {}),
                transformation("sortBy", {"sort": [{"field": "Value #B"}]}),
                *_chosen(columns),
            ]
        )
    )
    board.add(
        _styled(panel, columns),
        ACTIONS,
        box,
        say("Acciones por hacer, las vencidas primero", "Actions to do, overdue ones first"),
        say(
            "Cada acción que no está hecha, con quien responde por ella. Rojo: vencida, días "
            f"negativos. Ámbar: vence en {_SOON_DAYS} días. Se da por hecha en la estrategia, con "
            "su fecha.",
            "Each action that is not done, and who answers for it. Red: overdue, days below 0. "
            f"Amber: due within {_SOON_DAYS} days. It is marked as done in the strategy, with its "
            "date.",
        ),
    )


def _named(panel: timeseries.Panel, edition: Edition) -> timeseries.Panel:
    for each in edition.strategy.initiatives:
        panel = panel.override_by_name(each.id, [prop("displayName", edition.text(each.name))])
    return panel


def _lines(expr: str) -> timeseries.Panel:
    return (
        timeseries.Panel()
        .unit("percentunit")
        .decimals(0)
        .fill_opacity(0)
        .show_points(common.VisibilityMode.NEVER)
        .legend(below())
        .with_target(query(expr, legend="{{initiative}}"))
    )


def _pace(board: Board, box: Box) -> None:
    say = board.edition.say
    panel = (
        _lines(_gap())
        .thresholds(thresholds((None, GREEN), (SLOW, ORANGE), (LATE, VERMILION)))
        .thresholds_style(
            shared.GraphThresholdsStyleConfig().mode(common.GraphThresholdsStyleMode.DASHED)
        )
    )
    board.add(
        _named(panel, board.edition),
        PACE,
        box,
        say("Atraso: tiempo menos avance", "Behind: time less progress"),
        say(
            "Cero es al paso del tiempo. Una línea que sube y no baja no llegará a su plazo.",
            "Zero keeps pace with time. A line that rises and does not fall will miss its term.",
        ),
    )


def _money(board: Board, box: Box) -> None:
    say = board.edition.say
    panel = _lines(f"{_most(c.INITIATIVE_SPENT)} - {_most(c.INITIATIVE_PROGRESS)}")
    board.add(
        _named(panel, board.edition),
        MONEY,
        box,
        say("Gasto menos avance", "Spending less progress"),
        say(
            "Parte del presupuesto gastada menos parte del trabajo hecha. Muy por encima de cero, "
            "el presupuesto no alcanza; muy por debajo, el trabajo cuesta menos o no se paga.",
            "Share of the budget spent less share of the work done. Far above zero the budget "
            "will not last; far below, the work costs less or is not paid.",
        ),
    )
