"""The figures at the top of a KPI's dashboard: each beside what it should be."""

from collections.abc import Iterator, Mapping
from enum import IntEnum
from typing import NamedTuple

from grafana_foundation_sdk.builders import stat
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as model

from kpi_stream.adapters.grafana.dashboards import figures, units
from kpi_stream.adapters.grafana.dashboards.builder import (
    BLUE,
    COLUMNS,
    GREEN,
    GREY,
    VERMILION,
    Board,
    Box,
    absent,
    nothing,
    one_colour,
    query,
    status_mappings,
)
from kpi_stream.adapters.grafana.dashboards.controls import HERE
from kpi_stream.adapters.grafana.dashboards.texts import no_target, only_national
from kpi_stream.application.handbook import phrases
from kpi_stream.application.monitoring import conventions as c
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.domain.forecast import Verdict
from kpi_stream.domain.readings import NoData
from kpi_stream.domain.strategy import Direction, Kpi, Stock, Unit

_HEIGHT = 4
_IN_A_ROW = 6
"""Figures in a row at most."""


class Tile(IntEnum):
    """Ids of the figures' panels."""

    STATUS = 10
    VALUE = 11
    SAMPLES = 12
    REASON = 13
    EXPECTED = 14
    GOAL = 15
    """Of a band, its lower edge."""
    UPPER = 16
    DEADLINE = 17
    FORECAST = 18
    VERDICT = 19
    ATTAINMENT = 20
    PROGRESS = 21
    SINCE = 22


class Figure(NamedTuple):
    """One stat panel."""

    tile: Tile
    title: str
    expr: str
    description: str
    unit: str
    decimals: int | None = None
    mappings: tuple[model.ValueMapping, ...] = ()
    absent: str = ""
    """What stands there without a value, where it is not the usual word."""


def add(board: Board, kpi: Kpi, top: int) -> int:
    """Add the figures from a grid row on and return the row below them."""
    edition = board.edition
    made = [*_now(edition, kpi)]
    if figures.targets_here(edition.strategy, kpi):
        made = [_status(edition, kpi), *made, *_judged(edition, kpi)]
    for each, box in zip(made, _boxes(len(made), top), strict=True):
        panel = (
            stat.Panel()
            .unit(each.unit)
            .mappings(list(each.mappings))
            .color_scheme(one_colour(BLUE))
            .graph_mode(common.BigValueGraphMode.NONE)
            .color_mode(common.BigValueColorMode.VALUE)
            .with_target(query(each.expr, instant=True))
        )
        if each.decimals is not None:
            panel = panel.decimals(each.decimals)
        board.add(
            panel,
            each.tile,
            box,
            each.title,
            each.description,
            extra=absent(each.absent or nothing(edition)),
        )
    return box.y + _HEIGHT


def _boxes(count: int, top: int) -> Iterator[Box]:
    """Yield places for figures: rows of about the same length, each over the whole width."""
    rows = -(-count // _IN_A_ROW)
    for row in range(rows):
        in_row = count * (row + 1) // rows - count * row // rows
        for at in range(in_row):
            left, right = COLUMNS * at // in_row, COLUMNS * (at + 1) // in_row
            yield Box(left, top + _HEIGHT * row, right - left, _HEIGHT)


def _here(
    edition: Edition, kpi: Kpi, family: c.Family | Mapping[Unit, c.Family], **labels: str
) -> str:
    return figures.over(edition.strategy, [kpi], family, {**HERE, **labels})


def _in_unit(edition: Edition, kpi: Kpi, expr: str) -> str:
    return units.scaled(f"max({expr})", kpi, edition.strategy)


def _status(edition: Edition, kpi: Kpi) -> Figure:
    return Figure(
        Tile.STATUS,
        edition.say("Estado", "Status"),
        f"max({_here(edition, kpi, c.STATUS_CODE)})",
        edition.say(
            "Frente a lo que debe ser hoy. Cambia con demora, para que no parpadee.",
            "Against what it should be today. It changes with a delay, so as not to flicker.",
        ),
        "none",
        mappings=tuple(status_mappings(edition)),
        absent=no_target(edition),
    )


def _now(edition: Edition, kpi: Kpi) -> Iterator[Figure]:
    say, scale = edition.say, units.scale(kpi, edition.strategy)
    window = phrases.window(edition, figures.main_window(edition.strategy, kpi))
    yield Figure(
        Tile.VALUE,
        f"{say('Valor', 'Value')} ({window})",
        _in_unit(edition, kpi, _here(edition, kpi, c.KPI_VALUE)),
        say(
            "El valor ahora, en la ventana de su meta; de la aduana elegida o de la nación.",
            "The value now, in the window of its target; of the chosen office or of the nation.",
        ),
        scale.unit,
        scale.decimals,
        absent=only_national(edition, kpi),
    )
    minimum = say(f"de {kpi.minimum_sample} necesarias", f"of {kpi.minimum_sample} needed")
    yield Figure(
        Tile.SAMPLES,
        f"{say('Muestras', 'Samples')} ({minimum})",
        f"max({_here(edition, kpi, c.KPI_SAMPLES)})",
        say(
            "Casos detrás del valor. Con menos del mínimo no hay valor, sólo «sin datos».",
            "Cases behind the value. With fewer than the minimum there is no value: “no data”.",
        ),
        "locale",
        0,
        absent=only_national(edition, kpi),
    )
    words = {
        NoData.TOO_FEW: say("○ Muy pocas muestras", "○ Too few samples"),
        NoData.STALE: say("○ Sin eventos recientes", "○ No recent events"),
        NoData.NOT_MEASURED: say("○ No se mide", "○ Not measured"),
        NoData.NO_PLAN: say("○ Sin plan para hoy", "○ No plan for today"),
    }
    codes = {reason: at for at, reason in enumerate(NoData, start=1)}
    told = {
        str(at): model.ValueMappingResult(text=words[reason], color=GREY, index=at)
        for reason, at in codes.items()
    }
    there = model.ValueMappingResult(text=say("● Hay dato", "● There is data"), color=BLUE, index=0)
    parts = [
        f"{at} * max({_here(edition, kpi, c.KPI_NO_DATA, reason=reason.value)})"
        for reason, at in codes.items()
    ]
    # Only of what is judged the scorecard exports the reason.
    samples = f"max({_here(edition, kpi, c.KPI_SAMPLES)})"
    parts.append(f"{codes[NoData.TOO_FEW]} + 0 * ({samples} < {kpi.minimum_sample})")
    parts.append(f"0 * max({_here(edition, kpi, c.KPI_VALUE)})")
    yield Figure(
        Tile.REASON,
        say("¿Hay dato?", "Is there data?"),
        " or ".join(parts),
        say(
            "Cuando falta el valor: la razón, si el tablero la conoce.",
            "Where the value is missing: the reason, if the scorecard knows it.",
        ),
        "none",
        mappings=(model.ValueMap({"0": there, **told}),),
    )


def _judged(edition: Edition, kpi: Kpi) -> Iterator[Figure]:
    say, scale = edition.say, units.scale(kpi, edition.strategy)
    if kpi.direction is Direction.BAND:
        bounds = {
            "lower": say("Banda, mínimo", "Band, lowest"),
            "upper": say("Banda, máximo", "Band, highest"),
        }
    else:
        bounds = {"goal": say("Meta", "Target")}
        yield Figure(
            Tile.EXPECTED,
            say("Debe ser hoy", "Expected today"),
            _in_unit(edition, kpi, _here(edition, kpi, c.KPI_EXPECTED)),
            say(
                "Lo que la trayectoria de la meta prevé para hoy.",
                "What the trajectory of the target foresees for today.",
            ),
            scale.unit,
            scale.decimals,
            absent=no_target(edition),
        )
    for (bound, title), tile in zip(bounds.items(), (Tile.GOAL, Tile.UPPER), strict=False):
        yield Figure(
            tile,
            title,
            _in_unit(edition, kpi, _here(edition, kpi, c.KPI_TARGET, bound=bound)),
            say("Lo que debe ser al vencimiento.", "What it must be at the deadline."),
            scale.unit,
            scale.decimals,
            absent=no_target(edition),
        )
    yield Figure(
        Tile.DEADLINE,
        say("Vence", "Deadline"),
        f"1000 * max({_here(edition, kpi, c.TARGET_DEADLINE)} - 1)",
        say("Último día para alcanzar la meta.", "Last day to reach the target."),
        "time:YYYY-MM-DD",
        absent=no_target(edition),
    )
    if not isinstance(kpi.measure, Stock):  # it has no history to go on from
        yield from _forecast(edition, kpi)
    yield Figure(
        Tile.ATTAINMENT,
        say("Cumplimiento de lo previsto", "Attainment of the expected"),
        f"max({_here(edition, kpi, c.KPI_ATTAINMENT)})",
        say(
            "100 % es exactamente lo previsto para hoy.", "100 % is exactly what is expected today."
        ),
        "percentunit",
        1,
        absent="—",
    )
    if any(
        target.low is None and target.value != target.baseline
        for target in figures.targets_here(edition.strategy, kpi)
    ):
        yield Figure(
            Tile.PROGRESS,
            say("Camino recorrido", "Way covered"),
            f"max({_here(edition, kpi, c.KPI_PROGRESS)})",
            say(
                "Parte del camino de la línea de base a la meta; bajo 0, peor que al comienzo.",
                "Part of the way from baseline to target; below 0, worse than at the start.",
            ),
            "percentunit",
            0,
            absent="—",
        )
    yield Figure(
        Tile.SINCE,
        say("Así desde hace", "Like this for"),
        f"time() - max({_here(edition, kpi, c.KPI_STATUS_SINCE)})",
        say("Tiempo que lleva en su estado.", "Time that it has been in its status."),
        units.TIME_SINCE,
        0,
        absent="—",
    )


def _forecast(edition: Edition, kpi: Kpi) -> Iterator[Figure]:
    say, scale = edition.say, units.scale(kpi, edition.strategy)
    yield Figure(
        Tile.FORECAST,
        say("Pronóstico al vencimiento", "Forecast at the deadline"),
        _in_unit(edition, kpi, _here(edition, kpi, c.KPI_FORECAST)),
        say(
            "Lo que será al vencimiento si sigue el ritmo de las últimas semanas.",
            "What it will be at the deadline at the pace of recent weeks.",
        ),
        scale.unit,
        scale.decimals,
        absent=say("Sin pronóstico", "No forecast"),
    )
    yield _verdict(edition, kpi)


def _verdict(edition: Edition, kpi: Kpi) -> Figure:
    say = edition.say
    words = {
        Verdict.ALREADY_MET: (say("● Ya cumplida", "● Already met"), GREEN),
        Verdict.ON_PACE: (say("● A buen ritmo", "● On pace"), GREEN),
        Verdict.OFF_PACE: (say("■ No alcanza a este ritmo", "■ Misses at this pace"), VERMILION),
    }
    codes = {verdict: at for at, verdict in enumerate(Verdict)}
    told = {
        str(codes[verdict]): model.ValueMappingResult(text=text, color=colour, index=codes[verdict])
        for verdict, (text, colour) in words.items()
    }
    parts = " or ".join(
        f"{at} * ({_here(edition, kpi, c.KPI_FORECAST_VERDICT, verdict=verdict.value)} == 1)"
        for verdict, at in codes.items()
    )
    return Figure(
        Tile.VERDICT,
        say("¿Llegará a la meta?", "Will it reach the target?"),
        f"max({parts})",
        say(
            "Lo que el pronóstico dice de la meta.",
            "What the forecast says about the target.",
        ),
        "none",
        mappings=(model.ValueMap(told),),
        absent=say("Sin pronóstico", "No forecast"),
    )
