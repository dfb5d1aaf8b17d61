"""The strategic map: perspectives, objectives, causes and effects, and how each one stands."""

import math
from collections.abc import Iterable, Mapping

from grafana_foundation_sdk.builders import canvas, text
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.text import TextMode

from kpi_stream.adapters.grafana.dashboards import figures, units
from kpi_stream.adapters.grafana.dashboards.builder import (
    Board,
    Box,
    Json,
    prop,
    query,
    status_mappings,
    status_word,
    transformation,
)
from kpi_stream.adapters.grafana.dashboards.parts import status_courses
from kpi_stream.adapters.grafana.dashboards.strategic_map_elements import (
    ATTAINMENT,
    STATUS,
    VALUE,
    WORST,
    elements,
)
from kpi_stream.adapters.grafana.dashboards.texts import kpi_title, objective_title
from kpi_stream.application.monitoring import conventions as c
from kpi_stream.application.monitoring import places
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.application.monitoring.promql import select
from kpi_stream.application.strategy_map import SMALL_PX, StrategyMap, cut, strategy_map
from kpi_stream.domain.status import Status
from kpi_stream.domain.strategy import NATIONAL, Kpi, Strategy, Unit

MAP, HISTORY, LEGEND = 1, 2, 3

_NATION = {"dimension": NATIONAL}
_ROW_PX, _BETWEEN_PX = 30, 8
_FRAME_PX = 56
"""What Grafana takes from a panel's height: its title and the room at its edges."""

_TALL = 6
"""Rows of the two panels below the map, at least."""


def build(edition: Edition) -> Iterable[Json]:
    """Return the dashboard of the map."""
    board = Board(
        edition,
        places.map_uid(edition.strategy),
        edition.say("Mapa estratégico", "Strategic map"),
        edition.text(edition.strategy.vision),
        since="now-84d",
    )
    drawn = strategy_map(edition.strategy)
    bottom = rows(drawn)
    _map(board, drawn, Box(0, 0, 24, bottom))
    tall = max(_TALL, 2 + len(drawn.boxes))
    _history(board, Box(0, bottom, 16, tall))
    _legend(board, Box(16, bottom, 8, tall))
    return [board.json()]


def rows(drawn: StrategyMap) -> int:
    """Return how many rows of Grafana's grid the map needs."""
    return math.ceil((drawn.height_px + _FRAME_PX + _BETWEEN_PX) / (_ROW_PX + _BETWEEN_PX))


def _map(board: Board, drawn: StrategyMap, box: Box) -> None:
    edition = board.edition
    status = f"max by (objective) ({select(c.OBJECTIVE_STATUS_CODE)})"
    met = f"max by (objective) ({select(c.OBJECTIVE_ATTAINMENT)})"
    panel = (
        canvas.Panel()
        .unit("none")
        .targets(
            [
                query(status, "A", f"{STATUS} {{{{objective}}}}", instant=True),
                query(met, "B", f"{ATTAINMENT} {{{{objective}}}}", instant=True),
            ]
        )
        .override_by_regexp(
            f"/^{STATUS} /",
            [prop("mappings", status_mappings(edition)), prop("color", {"mode": "thresholds"})],
        )
        .override_by_regexp(f"/^{ATTAINMENT} /", [prop("unit", "percentunit"), prop("decimals", 0)])
    )
    worst = worst_kpis(edition)
    if worst:
        panel = (
            panel.with_target(query(_in_a_row(worst, WORST), "C", table=True))
            .with_target(query(_in_a_row(worst_values(edition), VALUE), "D", table=True))
            .transformations([_a_field_each("kpi", "C"), _a_field_each("text", "D")])
            .override_by_regexp(f"/^{WORST} /", [prop("mappings", [_short_titles(edition, drawn)])])
        )
    board.add(
        panel,
        MAP,
        box,
        edition.say("De los recursos a los resultados", "From resources to outcomes"),
        edition.say(
            "Cada caja es un objetivo; las flechas van de la causa al efecto. En la caja: el peor "
            "estado de sus KPI, su logro (promedio ponderado), y su KPI que está peor, con su "
            "valor y el que debe tener hoy. Un clic abre sus KPI. Habla siempre de la nación.",
            "Each box is an objective; arrows lead from cause to effect. In a box: the worst "
            "status of its KPIs, its attainment (a weighted mean), and the KPI that stands worst "
            "with its value and what it should be today. A click opens its KPIs. It is always "
            "about the nation.",
        ),
        extra={
            "options": {
                "inlineEditing": False,
                "showAdvancedTypes": False,
                "panZoom": False,
                "zoomToContent": False,
                "tooltip": {"mode": "single"},
                "root": {
                    "type": "frame",
                    "name": "root",
                    "constraint": {"horizontal": "left", "vertical": "top"},
                    "background": {"color": {"fixed": "transparent"}},
                    "border": {"color": {"fixed": "transparent"}},
                    "placement": {"left": 0, "top": 0, "width": 100, "height": 100},
                    "elements": elements(edition, drawn),
                },
            }
        },
    )


def worst_kpis(edition: Edition) -> str:
    """Return PromQL with one series an objective: its KPI that stands worst.

    Empty if none of the strategy's KPIs has figures.
    """
    strategy = edition.strategy
    kpis = _shown(edition)
    if not kpis:
        return ""
    place = f"({figures.placed(strategy, kpis, _NATION)})"
    weight = f"max by (objective, kpi) ({select(c.OBJECTIVE_WEIGHT)})"
    return f"bottomk by (objective) (1, 0 * {weight} + on (kpi) group_left () {place})"


def worst_values(edition: Edition) -> str:
    """Return PromQL with the same series, each with its value as a text: `38.1 h (due 34.0 h)`."""
    before = edition.say(" (debe ", " (due ")
    values = _figures(edition, c.KPI_VALUE, "text")
    due = _figures(edition, c.KPI_EXPECTED, "due")
    both = f'label_join(({values}) * on (kpi) group_left (due) ({due}), "both", "|", "text", "due")'
    said = f'label_replace({both}, "text", "${{1}}{before}${{2}})", "both", "(.+)[|](.+)")'
    texts = f"max by (kpi, text) ({said}) or on (kpi) max by (kpi, text) ({values})"
    return f"0 * ({worst_kpis(edition)}) + on (kpi) group_left (text) ({texts})"


def _figures(edition: Edition, family: Mapping[Unit, c.Family], label: str) -> str:
    strategy = edition.strategy
    return figures.written(
        strategy,
        _shown(edition),
        label,
        lambda group: figures.over(strategy, group, family, _NATION),
        short_wording,
    )


def short_wording(kpi: Kpi, strategy: Strategy) -> units.Wording:
    """Return how a box writes a value: without the currency, since its lines are short."""
    return units.wording(kpi, strategy)._replace(before="")


def _shown(edition: Edition) -> tuple[Kpi, ...]:
    served = {part.kpi for each in edition.strategy.objectives for part in each.kpis}
    return tuple(kpi for kpi in figures.measured(edition.strategy) if kpi.id in served)


def _in_a_row(expr: str, kind: str) -> str:
    """Return the series with the name of the field that each becomes, and the row of all."""
    named = f'label_replace({expr}, "field", "{kind} $1", "objective", "(.+)")'
    return f'label_replace({named}, "row", "{kind}", "", "")'


def _a_field_each(value: str, ref: str) -> model.DataTransformerConfig:
    """Return the transformation of a table with a row an objective to one with a field each."""
    return transformation(
        "groupingToMatrix",
        {"columnField": "field", "rowField": "row", "valueField": value, "emptyValue": "null"},
        only=ref,
    )


def _short_titles(edition: Edition, drawn: StrategyMap) -> model.ValueMap:
    return model.ValueMap(
        {
            kpi.id: model.ValueMappingResult(
                text=cut(kpi_title(edition, kpi), SMALL_PX, drawn.text_px), index=at
            )
            for at, kpi in enumerate(_shown(edition))
        }
    )


def _history(board: Board, box: Box) -> None:
    edition = board.edition
    panel = status_courses(edition, common.VisibilityMode.NEVER, 0.8).with_target(
        query(f"max by (objective) ({select(c.OBJECTIVE_STATUS_CODE)})", legend="{{objective}}")
    )
    for each in edition.strategy.objectives:
        panel = panel.override_by_name(
            each.id, [prop("displayName", objective_title(edition, each))]
        )
    board.add(
        panel,
        HISTORY,
        box,
        edition.say("Cómo estuvieron los objetivos", "How the objectives stood"),
        edition.say(
            "El peor estado de los KPI de cada objetivo en el tiempo. Gris: sin datos.",
            "The worst status of each objective's KPIs over time. Grey: no data.",
        ),
    )


def _legend(board: Board, box: Box) -> None:
    edition = board.edition
    say = edition.say
    meanings = {
        Status.ON_TRACK: say(
            "todos sus KPI están donde deben estar hoy", "every KPI is where it should be today"
        ),
        Status.AT_RISK: say(
            "alguno se aparta, dentro de la tolerancia", "one misses, within the tolerance"
        ),
        Status.OFF_TRACK: say("alguno se aparta más", "one misses by more"),
        Status.NO_DATA: say(
            "nada que decir: faltan casos, o no se mide",
            "nothing can be said: too few cases, or not measured",
        ),
    }
    lines = [
        f"- **{status_word(edition, status)}**: {meaning}." for status, meaning in meanings.items()
    ]
    how = say(
        "Una flecha lleva de un objetivo a otro que ayuda a alcanzar. Un clic en una caja muestra "
        "sus KPI; cada uno abre su página. El porcentaje es el logro: el promedio ponderado de lo "
        "que sus KPI alcanzaron de lo que deben ser hoy.",
        "An arrow leads from an objective to another that it helps to reach. A click on a box "
        "shows its KPIs; each opens its page. The percentage is the attainment: the weighted mean "
        "of what its KPIs reached of what they should be today.",
    )
    board.add(
        text.Panel().mode(TextMode.MARKDOWN).content("\n".join([*lines, "", how])),
        LEGEND,
        box,
        say("Cómo se lee", "How to read it"),
        say(
            "Qué significan las formas, las flechas y el porcentaje.",
            "What the shapes, the arrows and the percentage mean.",
        ),
    )
