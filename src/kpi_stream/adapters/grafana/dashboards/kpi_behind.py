"""What is behind a KPI's value: the distribution, the two counts, the samples."""

from dataclasses import replace

from grafana_foundation_sdk.builders import timeseries
from grafana_foundation_sdk.models import common

from kpi_stream.adapters.grafana.dashboards import units
from kpi_stream.adapters.grafana.dashboards.builder import (
    BRIDGED_MS,
    GREY,
    Board,
    Box,
    below,
    prop,
    query,
)
from kpi_stream.adapters.grafana.dashboards.controls import HERE
from kpi_stream.adapters.grafana.dashboards.kpi_members import chosen_or_main
from kpi_stream.adapters.grafana.dashboards.texts import kpi_title
from kpi_stream.application.monitoring import conventions as c
from kpi_stream.application.monitoring.promql import select
from kpi_stream.domain.strategy import Amount, AmountShare, Duration, Kpi, Lift, Plan, Unit

_SIBLINGS, _COUNTS, _SAMPLES = 32, 33, 34
_HOUR_MS = 3_600_000


def add(board: Board, kpi: Kpi, top: int) -> int:
    """Add the distribution, the two counts and the samples, and return the row below them."""
    made = [panel for panel in (_siblings, _counts, _samples) if panel(board, kpi, None)]
    width = 24 // len(made)
    for at, panel in enumerate(made):
        panel(board, kpi, Box(width * at, top, width, 9))
    return top + 9


def same_measure(kpis: tuple[Kpi, ...], kpi: Kpi) -> tuple[Kpi, ...]:
    """Return the KPIs that measure the same durations by a mean or a quantile."""
    if not isinstance(kpi.measure, Duration):
        return ()
    plain = replace(kpi.measure, statistic="")
    found = [
        each
        for each in kpis
        if isinstance(each.measure, Duration) and replace(each.measure, statistic="") == plain
    ]
    return tuple(found) if len(found) > 1 else ()


def _siblings(board: Board, kpi: Kpi, box: Box | None) -> bool:
    edition = board.edition
    found = same_measure(edition.strategy.kpis, kpi)
    if box is None or not found:
        return bool(found)
    scale = units.scale(kpi, edition.strategy)
    panel = (
        timeseries.Panel()
        .unit(scale.unit)
        .decimals(scale.decimals)
        .fill_opacity(0)
        .show_points(common.VisibilityMode.NEVER)
        .span_nulls(BRIDGED_MS)
        .legend(below())
    )
    for at, each in enumerate(found):
        values = chosen_or_main(edition, each, c.KPI_VALUE[each.unit], **HERE)
        expr = units.scaled(f"max by (window) ({values})", kpi, edition.strategy)
        legend = f"{kpi_title(edition, each)}, {{{{window}}}}"
        panel = panel.with_target(query(expr, f"D{at}", legend))
    board.add(
        panel,
        _SIBLINGS,
        box,
        edition.say("Cómo se reparten los tiempos", "How the times are distributed"),
        edition.say(
            "Promedio y percentiles de los mismos casos. Si el promedio sube y la mediana no, unos "
            "pocos casos esperan mucho.",
            "Mean and percentiles of the same cases. Where the mean rises and the median does not, "
            "a few cases wait very long.",
        ),
    )
    return True


def _counts(board: Board, kpi: Kpi, box: Box | None) -> bool:
    """Numerator and denominator, of the kinds whose counts a reader can check."""
    edition, measure = board.edition, kpi.measure
    quantile = isinstance(measure, Duration) and measure.statistic != "mean"
    if isinstance(measure, Lift | Amount) or quantile:
        return False
    if box is None:
        return True
    above = edition.say("Sobre la línea", "Above the line")
    under = edition.say("Bajo la línea", "Below the line")
    unit, divisor = "locale", 1
    if isinstance(measure, AmountShare | Plan):
        field = measure.part.field if isinstance(measure, AmountShare) else measure.amount.field
        if field.endswith("_cents"):
            unit, divisor = f"currency:{edition.strategy.currency} ", 100
    panel = (
        timeseries.Panel()
        .unit(unit)
        .fill_opacity(0)
        .show_points(common.VisibilityMode.NEVER)
        .span_nulls(BRIDGED_MS)
        .legend(below())
    )
    for ref, family, legend in (("N", c.KPI_NUMERATOR, above), ("P", c.KPI_DENOMINATOR, under)):
        counts = f"max by (window) ({chosen_or_main(edition, kpi, family, **HERE)})"
        by = _HOUR_MS if kpi.unit is Unit.SECONDS and ref == "N" else divisor
        expr = counts if by == 1 else f"({counts}) / {by}"
        panel = panel.with_target(query(expr, ref, f"{legend}, {{{{window}}}}"))
    if kpi.unit is Unit.SECONDS:
        panel = panel.override_by_query(
            "N", [prop("unit", "suffix:h"), prop("custom.axisPlacement", "right")]
        )
    board.add(
        panel,
        _COUNTS,
        box,
        edition.say("Las dos cuentas detrás del valor", "The two counts behind the value"),
        edition.say(
            "El valor es la de arriba entre la de abajo (de un promedio: horas entre casos). Para "
            "juntar aduanas o días, sume cada cuenta y después divida.",
            "The value is the one above divided by the one below (of a mean: hours by cases). To "
            "put offices or days together, add up each count and divide then.",
        ),
    )
    return True


def _samples(board: Board, kpi: Kpi, box: Box | None) -> bool:
    if box is None:
        return True
    edition = board.edition
    samples = chosen_or_main(edition, kpi, c.KPI_SAMPLES, **HERE)
    panel = (
        timeseries.Panel()
        .unit("locale")
        .min(0)
        .fill_opacity(0)
        .show_points(common.VisibilityMode.NEVER)
        .span_nulls(BRIDGED_MS)
        .legend(below())
        .with_target(
            query(
                f"max by (window) ({samples})",
                "A",
                f"{edition.say('Muestras', 'Samples')}, {{{{window}}}}",
            )
        )
        .with_target(
            query(
                f"max({select(c.KPI_MINIMUM_SAMPLES, kpi=kpi.id)})",
                "B",
                edition.say("Mínimo", "Minimum"),
            )
        )
        .override_by_query("B", [prop("color", {"mode": "fixed", "fixedColor": GREY})])
    )
    board.add(
        panel,
        _SAMPLES,
        box,
        edition.say("Muestras", "Samples"),
        edition.say(
            "Casos detrás del valor, y cuántos hacen falta para que haya valor.",
            "Cases behind the value, and how many it takes for there to be a value.",
        ),
    )
    return True
