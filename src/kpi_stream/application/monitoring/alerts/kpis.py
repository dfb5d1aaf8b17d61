"""Alerts about KPIs: off track, at risk, a miss ahead, outside a band.

The status comes from the scorecard with its tolerance and its hysteresis; nothing is judged anew
here, but for the edges of a band, whose side the status does not tell.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from kpi_stream.application.monitoring import conventions as c
from kpi_stream.application.monitoring.alert import Alert, Severity
from kpi_stream.application.monitoring.alerts.series import Place, judged_places, while_listening
from kpi_stream.application.monitoring.places import KpiPanel, kpi_uid
from kpi_stream.domain.forecast import Verdict
from kpi_stream.domain.status import Status
from kpi_stream.domain.strategy import Direction, Stock, Strategy, Text

OFF_TRACK_FOR_S = 15 * 60
AT_RISK_FOR_S = 3600
PROJECTED_FOR_S = 6 * 3600
"""A forecast moves slowly, and its miss is months away: a quarter of a day costs nothing."""
BAND_FOR_S = 30 * 60
KEEP_S = 15 * 60


@dataclass(frozen=True)
class _Words:
    """What a rule says, besides its KPI."""

    title: Text
    summary: Text
    meaning: Text
    forecast: bool = False
    """Whether it names the forecast."""


def kpi_alerts(strategy: Strategy) -> Iterator[Alert]:
    """Yield the rules of the judged places.

    A band at risk is outside its band, and that is said with its side; a stock has no history
    from which its deadline could be foreseen.
    """
    places = tuple(judged_places(strategy))
    bands = tuple(place for place in places if place.is_band)
    yield from map(off_track, places)
    yield from (at_risk(place) for place in places if not place.is_band)
    yield from (
        projected_miss(place) for place in places if not isinstance(place.kpi.measure, Stock)
    )
    yield from map(below_band, bands)
    yield from map(above_band, bands)


def off_track(place: Place) -> Alert:
    """Return the rule for a miss beyond the tolerance."""
    expected = _aim(place, "expected")
    return _alert(
        place,
        name="KpiOffTrack",
        condition=place.series(c.KPI_STATUS, status=Status.OFF_TRACK.value),
        for_s=OFF_TRACK_FOR_S,
        severity=Severity.CRITICAL,
        words=_Words(
            title={"es": "Fuera de meta", "en": "Off track"},
            summary={
                "es": f"fuera de meta con {{value}}; hoy se espera {expected['es']}",
                "en": f"off track at {{value}}; {expected['en']} is expected today",
            },
            meaning={
                "es": (
                    "El valor es peor que lo esperado hoy por más de la tolerancia, sin pausa "
                    "desde hace 15 minutos. Mire primero desde cuándo, y qué aduana, modo o canal "
                    "lo explica."
                ),
                "en": (
                    "The value is worse than expected today by more than the tolerance, without a "
                    "break for 15 minutes. Look first since when, and which office, mode or "
                    "channel explains it."
                ),
            },
        ),
    )


def at_risk(place: Place) -> Alert:
    """Return the rule for a miss within the tolerance."""
    expected = _aim(place, "expected")
    return _alert(
        place,
        name="KpiAtRisk",
        condition=place.series(c.KPI_STATUS, status=Status.AT_RISK.value),
        for_s=AT_RISK_FOR_S,
        severity=Severity.WARNING,
        words=_Words(
            title={"es": "En riesgo", "en": "At risk"},
            summary={
                "es": f"en riesgo con {{value}}; hoy se espera {expected['es']}",
                "en": f"at risk at {{value}}; {expected['en']} is expected today",
            },
            meaning={
                "es": (
                    "El valor es peor que lo esperado hoy, dentro de la tolerancia, sin pausa "
                    "desde hace una hora. Mire primero si empeora, y qué aduana, modo o canal lo "
                    "explica."
                ),
                "en": (
                    "The value is worse than expected today, within the tolerance, without a break "
                    "for an hour. Look first whether it gets worse, and which office, mode or "
                    "channel explains it."
                ),
            },
        ),
    )


def projected_miss(place: Place) -> Alert:
    """Return the rule for a deadline that will be missed while today is not off track yet."""
    off_pace = place.series(c.KPI_FORECAST_VERDICT, verdict=Verdict.OFF_PACE.value)
    off_track_now = place.series(c.KPI_STATUS, status=Status.OFF_TRACK.value)
    goal = _aim(place, "goal")
    return _alert(
        place,
        name="KpiProjectedMiss",
        condition=f"{off_pace} * (1 - {off_track_now})",
        for_s=PROJECTED_FOR_S,
        severity=Severity.WARNING,
        words=_Words(
            title={"es": "No llegará a la meta", "en": "Projected miss"},
            summary={
                "es": f"al ritmo actual será {{forecast}} el {{deadline}}; meta: {goal['es']}",
                "en": f"at this pace it will be {{forecast}} on {{deadline}}; goal: {goal['en']}",
            },
            meaning={
                "es": (
                    "La tendencia de las últimas cuatro semanas no alcanza la meta, aunque hoy el "
                    "indicador no está fuera de meta: hoy es {value}. Es un aviso, no una "
                    "predicción. Mire primero la tendencia, y las iniciativas que debían mejorarla."
                ),
                "en": (
                    "The trend of the last four weeks does not reach the goal, although the KPI is "
                    "not off track today: today it is {value}. A warning light, not a prediction. "
                    "Look first at the trend, and at the initiatives that were to improve it."
                ),
            },
            forecast=True,
        ),
    )


def below_band(place: Place) -> Alert:
    """Return the rule for too little."""
    return _band(
        place,
        "KpiBelowBand",
        ("lower", "<"),
        {"es": "Bajo la banda", "en": "Below the band"},
        {
            "es": "{value}, menos que el mínimo de {low} de la banda",
            "en": "{value}, less than the {low} that the band asks for",
        },
    )


def above_band(place: Place) -> Alert:
    """Return the rule for too much."""
    return _band(
        place,
        "KpiAboveBand",
        ("upper", ">"),
        {"es": "Sobre la banda", "en": "Above the band"},
        {
            "es": "{value}, más que el máximo de {high} de la banda",
            "en": "{value}, more than the {high} that the band allows",
        },
    )


def _band(place: Place, name: str, edge: tuple[str, str], title: Text, summary: Text) -> Alert:
    bound, operator = edge
    value, limit = place.value(c.KPI_VALUE), place.value(c.KPI_TARGET, bound=bound)
    return _alert(
        place,
        name=name,
        condition=f"({value} {operator} bool {limit})",
        for_s=BAND_FOR_S,
        severity=Severity.WARNING,
        words=_Words(
            title=title,
            summary=summary,
            meaning={
                "es": (
                    "El valor está fuera de su banda sin pausa desde hace 30 minutos, y a los dos "
                    "lados es un incumplimiento. Mire primero qué cambió en las reglas de "
                    "selección, y qué aduana lo explica."
                ),
                "en": (
                    "The value has been outside its band without a break for 30 minutes, and both "
                    "sides are a miss. Look first at what changed in the rules of selection, and "
                    "which office explains it."
                ),
            },
        ),
    )


def _alert(
    place: Place,
    *,
    name: str,
    condition: str,
    for_s: int,
    severity: Severity,
    words: _Words,
) -> Alert:
    numbers = [place.current()]
    if not place.is_band:
        numbers.append(place.number("expected", place.value(c.KPI_EXPECTED)))
    numbers += place.aims()
    if words.forecast:
        numbers.append(place.number("forecast", place.value(c.KPI_FORECAST)))
    numbers += [place.deadline(), place.count("samples", c.KPI_SAMPLES)]
    goal = _aim(place, "goal")
    frame = {
        "es": f"Ventana {place.window}, {{samples}} casos; meta {goal['es']} hasta el {{deadline}}",
        "en": f"Window {place.window}, {{samples}} cases; goal {goal['en']} by {{deadline}}",
    }
    return Alert(
        name=name,
        key=place.key,
        title={each: f"{words.title[each]}: {place.title(each)}" for each in words.title},
        expr=place.labelled(while_listening(condition)),
        for_s=for_s,
        keep_firing_s=KEEP_S,
        severity=severity,
        labels=place.labels(),
        by=place.by,
        numbers=tuple(numbers),
        summary={each: f"{place.subject(each)}: {words.summary[each]}" for each in words.summary},
        description={each: f"{frame[each]}. {words.meaning[each]}" for each in words.meaning},
        dashboard=kpi_uid(place.strategy, place.kpi.id),
        panel=KpiPanel.VALUE,
        names=place.names(),
    )


def _aim(place: Place, number: str) -> Text:
    """Return what is asked for: `expected` today or the `goal`; of a band, its edges."""
    if place.is_band:
        return {"es": "de {low} a {high}", "en": "{low} to {high}"}
    if place.kpi.direction is Direction.DOWN:
        return {"es": f"{{{number}}} o menos", "en": f"{{{number}}} or less"}
    return {"es": f"{{{number}}} o más", "en": f"{{{number}}} or more"}
