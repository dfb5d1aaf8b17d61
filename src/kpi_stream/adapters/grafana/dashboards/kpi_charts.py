"""The courses on a KPI's dashboard: value against plan, statuses, benchmarks."""

from collections.abc import Iterator
from typing import NamedTuple

from grafana_foundation_sdk.builders import bargauge, timeseries
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as model

from kpi_stream.adapters.grafana.dashboards import figures, units
from kpi_stream.adapters.grafana.dashboards.builder import (
    BLUE,
    BRIDGED_MS,
    GREEN,
    ORANGE,
    PURPLE,
    SKY,
    Board,
    Box,
    absent,
    below,
    one_colour,
    prop,
    query,
)
from kpi_stream.adapters.grafana.dashboards.controls import HERE, OFFICE, WINDOW
from kpi_stream.adapters.grafana.dashboards.parts import status_courses
from kpi_stream.adapters.grafana.dashboards.texts import member_names, only_national
from kpi_stream.application.handbook import phrases
from kpi_stream.application.monitoring import conventions as c
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.application.monitoring.places import KpiPanel
from kpi_stream.application.monitoring.promql import select
from kpi_stream.domain.initiatives import Benchmark
from kpi_stream.domain.strategy import (
    NATIONAL,
    Direction,
    Kpi,
)

_BENCHMARKS = 31

_NEAR = 2.0
"""A benchmark further from the target than by this factor would flatten the lines; it is in the
panel of the benchmarks only."""


class _Line(NamedTuple):
    ref: str
    expr: str
    legend: str
    colour: str
    properties: tuple[model.DynamicConfigValue, ...] = ()


def value(board: Board, kpi: Kpi, box: Box) -> None:
    """Add the course of the value beside trajectory, target and benchmarks."""
    edition = board.edition
    scale = units.scale(kpi, edition.strategy)
    panel = (
        timeseries.Panel()
        .unit(scale.unit)
        .decimals(scale.decimals)
        .line_width(1)
        .fill_opacity(0)
        .show_points(common.VisibilityMode.NEVER)
        .span_nulls(BRIDGED_MS)
        .legend(below())
    )
    for line in _lines(edition, kpi):
        scaled = units.scaled(line.expr, kpi, edition.strategy)
        colour = prop("color", {"mode": "fixed", "fixedColor": line.colour})
        panel = panel.with_target(query(scaled, line.ref, line.legend)).override_by_query(
            line.ref, [colour, *line.properties]
        )
    board.add(
        panel,
        KpiPanel.VALUE,
        box,
        edition.say("Lo que es, frente a lo que debe ser", "What it is, against what it should be"),
        edition.say(
            "Gruesa: el valor en la ventana de su meta. Fina: en la ventana elegida. Rayas: la "
            "trayectoria que debe seguir y la meta. Puntos: otras administraciones. Un hueco es "
            "falta de datos por dos horas o más, no un cero.",
            "Thick: the value in the window of its target. Thin: in the chosen window. Dashes: the "
            "trajectory that it should follow, and the target. Dots: other administrations. A gap "
            "is two hours or more without data, not a zero.",
        ),
        extra=absent(only_national(edition, kpi)),
    )


def _lines(edition: Edition, kpi: Kpi) -> Iterator[_Line]:
    say, strategy = edition.say, edition.strategy
    main = figures.main_window(strategy, kpi)
    dash = prop("custom.lineStyle", {"fill": "dash", "dash": [10, 10]})
    dots = prop("custom.lineStyle", {"fill": "dot", "dash": [2, 6]})
    values = figures.over(strategy, [kpi], c.KPI_VALUE, HERE)
    named = f"{say('Valor', 'Value')}, {phrases.window(edition, main)}"
    yield _Line("A", f"max({values})", named, BLUE, (prop("custom.lineWidth", 3),))
    if len(kpi.windows) > 1:
        chosen = select(c.KPI_VALUE[kpi.unit], kpi=kpi.id, window=WINDOW, **HERE)
        other = f"max by (window) ({chosen} unless ({values}))"
        yield _Line("B", other, f"{say('Valor', 'Value')}, {{{{window}}}}", SKY)
    if figures.targets_here(strategy, kpi):
        if kpi.direction is not Direction.BAND:
            due = figures.over(strategy, [kpi], c.KPI_EXPECTED, HERE)
            wide = prop("custom.lineWidth", 2)
            name = say("Debe ser (trayectoria)", "Expected (trajectory)")
            yield _Line("C", f"max({due})", name, ORANGE, (wide, dash))
        bounds = {
            "goal": say("Meta", "Target"),
            "lower": say("Banda, mínimo", "Band, lowest"),
            "upper": say("Banda, máximo", "Band, highest"),
        }
        for ref, (bound, name) in zip("DEF", bounds.items(), strict=True):
            if (bound == "goal") == (kpi.direction is not Direction.BAND):
                goal = figures.over(strategy, [kpi], c.KPI_TARGET, {**HERE, "bound": bound})
                yield _Line(ref, f"max({goal})", name, GREEN, (dash,))
    for at, each in enumerate(near_benchmarks(edition, kpi)):
        mark = select(c.KPI_BENCHMARK[kpi.unit], kpi=kpi.id, benchmark=each.id)
        yield _Line(f"M{at}", f"max({mark})", _named(edition, each), PURPLE, (dots,))


def _named(edition: Edition, mark: Benchmark) -> str:
    """Return who and when, and what distinguishes it from another of the same."""
    name = f"{mark.who}, {mark.period}"
    same = [
        each
        for each in edition.strategy.benchmarks
        if (each.kpi, each.who, each.period) == (mark.kpi, mark.who, mark.period)
    ]
    note = mark.note.get(edition.language, "") or mark.id
    return f"{name} ({note.rstrip('.')})" if len(same) > 1 else name


def near_benchmarks(edition: Edition, kpi: Kpi) -> tuple[Benchmark, ...]:
    """Return the benchmarks that fit beside the lines of a KPI."""
    targets = figures.targets_of(edition.strategy, kpi)
    marks = [each for each in edition.strategy.benchmarks if each.kpi == kpi.id]
    if not targets or not targets[0].value:
        return tuple(marks)
    goal = targets[0].value
    return tuple(each for each in marks if goal / _NEAR <= each.value <= goal * _NEAR)


def history(board: Board, kpi: Kpi, top: int) -> int:
    """Add the statuses over time and the benchmarks, and return the row below them."""
    edition = board.edition
    marks = [each for each in edition.strategy.benchmarks if each.kpi == kpi.id]
    targets = figures.targets_of(edition.strategy, kpi)
    if not targets and not marks:
        return top
    height = max(6, 3 + len(marks)) if marks else 6
    if targets:
        _statuses(board, kpi, Box(0, top, 16 if marks else 24, height))
    if marks:
        left = 16 if targets else 0
        _benchmarks(board, kpi, marks, Box(left, top, 24 - left, height))
    return top + height


def _statuses(board: Board, kpi: Kpi, box: Box) -> None:
    edition = board.edition
    panel = status_courses(edition, common.VisibilityMode.AUTO, 0.7).span_nulls(BRIDGED_MS)
    for at, (expr, legend) in enumerate(_judged_places(edition, kpi)):
        panel = panel.with_target(query(expr, f"S{at}", legend))
    board.add(
        panel,
        KpiPanel.STATUS_HISTORY,
        box,
        edition.say("Estados en el tiempo", "Statuses over time"),
        edition.say(
            "Cuándo estuvo en meta, en riesgo o fuera; una fila por cada lugar que tiene meta. De "
            "las aduanas, la elegida. Gris: sin datos.",
            "When it was on track, at risk or off track; a row for each place that has a target. "
            "Of the offices, the chosen one. Grey: no data.",
        ),
    )


def _judged_places(edition: Edition, kpi: Kpi) -> Iterator[tuple[str, str]]:
    """Yield (PromQL, legend) for each place with a target."""
    seen = set()
    for target in figures.targets_of(edition.strategy, kpi):
        place = (target.window, target.dimension)
        if place in seen:
            continue
        seen.add(place)
        found = {"kpi": kpi.id, "window": target.window, "dimension": target.dimension}
        at = phrases.window(edition, target.window)
        if target.dimension == NATIONAL:
            legend = f"{edition.say('Nacional', 'National')}, {at}"
            yield f"max({select(c.STATUS_CODE, **found)})", legend
        elif target.dimension == OFFICE:
            codes = select(c.STATUS_CODE, **found, member="=~$office")
            yield f"max({codes})", f"${{office:text}}, {at}"
        else:
            names = member_names(edition, target.dimension)
            whole = phrases.dimension(edition, target.dimension)
            members = {
                member
                for each in figures.targets_of(edition.strategy, kpi)
                if (each.window, each.dimension) == place
                for member in each.members
            }
            if "*" in members:
                codes = select(c.STATUS_CODE, **found)
                yield f"max by (member) ({codes})", f"{whole}: {{{{member}}}}, {at}"
                continue
            for member in sorted(members):
                codes = select(c.STATUS_CODE, **found, member=member)
                yield f"max({codes})", f"{whole}: {names.get(member, member)}, {at}"


def _benchmarks(board: Board, kpi: Kpi, marks: list[Benchmark], box: Box) -> None:
    edition = board.edition
    scale = units.scale(kpi, edition.strategy)
    panel = (
        bargauge.Panel()
        .unit(scale.unit)
        .decimals(scale.decimals)
        .min(0)
        .orientation(common.VizOrientation.HORIZONTAL)
        .display_mode(common.BarGaugeDisplayMode.BASIC)
        .show_unfilled(show_unfilled=False)
        .color_scheme(one_colour(PURPLE))
    )
    own = f"max({figures.over(edition.strategy, [kpi], c.KPI_VALUE, HERE)})"
    named = edition.text(edition.strategy.name)
    panel = panel.with_target(
        query(units.scaled(own, kpi, edition.strategy), "A", named, instant=True)
    ).override_by_query("A", [prop("color", {"mode": "fixed", "fixedColor": BLUE})])
    for at, each in enumerate(sorted(marks, key=lambda mark: mark.value)):
        mark = f"max({select(c.KPI_BENCHMARK[kpi.unit], kpi=kpi.id, benchmark=each.id)})"
        scaled = units.scaled(mark, kpi, edition.strategy)
        legend = _named(edition, each)
        panel = panel.with_target(query(scaled, f"M{at}", legend, instant=True))
    board.add(
        panel,
        _BENCHMARKS,
        box,
        edition.say("Frente a otras administraciones", "Against other administrations"),
        edition.say(
            "Cifras publicadas; se comparan sólo a grandes rasgos, vea la nota de cada una en el "
            "texto. Azul: la propia.",
            "Published figures; they compare loosely, see each one's note in the text. Blue: its "
            "own.",
        ),
    )
