"""Alerts about what stays open: the old part of a stock is too large, and grows."""

from collections.abc import Iterator

from kpi_stream.application.monitoring import conventions as c
from kpi_stream.application.monitoring.alert import Alert, Severity
from kpi_stream.application.monitoring.alerts.series import (
    BY_SERIES,
    OFFICE,
    Place,
    judged_places,
    while_listening,
)
from kpi_stream.application.monitoring.places import KpiPanel, kpi_uid
from kpi_stream.domain.strategy import NATIONAL, Stock, Strategy

NAME = "DeclarationsAgeing"
FOR_S = 30 * 60
KEEP_S = 3600
DAY_AGO = "[1h] offset 1d"
"""The newest sample of the hour that ended a day ago: a short gap then is no gap now."""


def ageing_alerts(strategy: Strategy) -> Iterator[Alert]:
    """Yield the rules of the stocks that have a target: national, and by office."""
    places = [each for each in judged_places(strategy) if isinstance(each.kpi.measure, Stock)]
    judged = {(each.kpi.id, each.dimension) for each in places}
    for place in places:
        own = place.value(c.KPI_EXPECTED)
        yield _ageing(place, "", own)
        by_office = OFFICE in place.kpi.dimensions and (place.kpi.id, OFFICE) not in judged
        if place.dimension == NATIONAL and by_office:
            offices = Place(strategy, place.kpi, place.window, OFFICE, place.targets)
            # Without targets of their own, what is expected of the nation holds for each office.
            expected = f"max ({place.selector(c.KPI_EXPECTED[place.kpi.unit])})"
            yield _ageing(offices, " on () group_left ()", expected)


def _ageing(place: Place, matching: str, limit: str) -> Alert:
    share = place.value(c.KPI_VALUE)
    day_ago = f"last_over_time({place.selector(c.KPI_VALUE[place.kpi.unit])}{DAY_AGO})"
    before = f"max {BY_SERIES} ({day_ago})"
    above = f"({share} > bool{matching} {limit})"
    grows = f"({share} > bool {before})"
    expected = f"({share} * 0 +{matching} {limit})"
    return Alert(
        name=NAME,
        key=place.key,
        title={
            "es": f"Pendientes que envejecen: {place.title('es')}",
            "en": f"Ageing: {place.title('en')}",
        },
        expr=place.labelled(while_listening(f"{above} * {grows}")),
        for_s=FOR_S,
        keep_firing_s=KEEP_S,
        severity=Severity.WARNING,
        labels=place.labels(),
        by=place.by,
        numbers=(
            place.current(),
            place.number("expected", expected),
            place.number("before", before),
            place.count("old", c.KPI_NUMERATOR),
            place.count("open", c.KPI_DENOMINATOR),
        ),
        summary={
            "es": (
                f"{place.subject('es')}: {{value}} ({{old}} de {{open}}), más que hace 24 horas "
                "({before}); se espera {expected} o menos"
            ),
            "en": (
                f"{place.subject('en')}: {{value}} ({{old}} of {{open}}), more than 24 hours ago "
                "({before}); {expected} or less is expected"
            ),
        },
        description={
            "es": (
                "La parte antigua de lo que está pendiente supera lo que hoy se espera y crece "
                "desde ayer. Mire primero qué aduana la explica, y qué esperan esas "
                "declaraciones: pago, documentos, reconocimiento u otra entidad."
            ),
            "en": (
                "The old part of what is open is more than expected today, and has grown since "
                "yesterday. Look first which office explains it, and what those "
                "declarations wait for: payment, documents, inspection or another agency."
            ),
        },
        dashboard=kpi_uid(place.strategy, place.kpi.id),
        panel=KpiPanel.VALUE if place.dimension == NATIONAL else KpiPanel.BY_OFFICE,
        names=place.names(),
    )
