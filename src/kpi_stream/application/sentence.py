"""How a KPI stands, as a sentence in both languages."""

from datetime import datetime, timedelta

from kpi_stream.application.display import NO_DATA_WORDS, shown
from kpi_stream.application.judge import Judged
from kpi_stream.domain.forecast import Verdict
from kpi_stream.domain.readings import NoData, Reading
from kpi_stream.domain.strategy import Kpi, NotMeasured, Strategy

LANGUAGES = ("es", "en")
_MONTHS = {
    "es": ["ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "set", "oct", "nov", "dic"],
    "en": ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
}
_DAY = timedelta(days=1)


def sentence(
    kpi: Kpi, reading: Reading | None, judged: Judged | None, strategy: Strategy
) -> dict[str, str]:
    """Return where a KPI stands against today's expectation, and where it is going.

    Args:
        kpi: What is read.
        reading: Of one series; None where there is none.
        judged: The same against its target; None without a target.
        strategy: Gives currency and time zone.
    """
    return {each: _said(kpi, reading, judged, (strategy, each)) for each in LANGUAGES}


def _said(
    kpi: Kpi, reading: Reading | None, judged: Judged | None, to: tuple[Strategy, str]
) -> str:
    strategy, language = to
    spanish = language == "es"
    if reading is None or reading.value is None:
        return _without(kpi, reading, language)
    value = shown(reading.value, kpi, strategy, language)
    if judged is None:
        return (
            f"Está en {value}; no tiene meta." if spanish else f"It is {value}; it has no target."
        )
    now = _now(kpi, reading.value, judged, to)
    return f"{now}{_ahead(kpi, judged, to)}."


def _without(kpi: Kpi, reading: Reading | None, language: str) -> str:
    if isinstance(kpi.measure, NotMeasured):
        return kpi.measure.reason[language]
    reason = NoData.TOO_FEW if reading is None or reading.no_data is None else reading.no_data
    said = NO_DATA_WORDS[reason][language].format(
        samples=0 if reading is None else reading.samples, minimum=kpi.minimum_sample
    )
    return f"{'Sin datos' if language == 'es' else 'No data'}: {said}."


def _now(kpi: Kpi, value: float, judged: Judged, to: tuple[Strategy, str]) -> str:
    strategy, language = to
    spanish, against = language == "es", judged.against
    if against.low is not None:
        low, high = (shown(each, kpi, strategy, language) for each in (against.low, against.goal))
        if against.low <= value <= against.goal:
            return f"Está entre {low} y {high}" if spanish else f"It is between {low} and {high}"
        if spanish:
            where = "debajo" if value < against.low else "encima"
            return f"Está por {where} de lo que debe: entre {low} y {high}"
        where = "below" if value < against.low else "above"
        return f"It is {where} what it should be: between {low} and {high}"
    expected = shown(against.goal, kpi, strategy, language)
    apart = _difference(value - against.goal, kpi, to)
    if apart == _difference(0.0, kpi, to):
        return (
            f"Está en lo previsto para hoy ({expected})"
            if spanish
            else f"It is where it should be today ({expected})"
        )
    if spanish:
        where = "por encima" if value > against.goal else "por debajo"
        return f"Está {apart} {where} de lo previsto para hoy ({expected})"
    where = "above" if value > against.goal else "below"
    return f"It is {apart} {where} what it should be today ({expected})"


def _ahead(kpi: Kpi, judged: Judged, to: tuple[Strategy, str]) -> str:
    strategy, language = to
    if judged.forecast is None or judged.against.low is not None:
        return ""
    value = shown(judged.forecast.value, kpi, strategy, language)
    goal = shown(judged.target.value, kpi, strategy, language)
    when = _date(judged.target.deadline - _DAY, language)
    met = judged.forecast.verdict is not Verdict.OFF_PACE
    if language == "es":
        beside = f"la meta es {goal}" if met else f"no a {goal}"
        return f"; al ritmo actual llegará a {value} en {when}, {beside}"
    beside = f"the target is {goal}" if met else f"not {goal}"
    return f"; at the present pace it will be {value} in {when}, {beside}"


def _difference(value: float, kpi: Kpi, to: tuple[Strategy, str]) -> str:
    """Return a distance without its sign; between two shares it is in percentage points."""
    strategy, language = to
    text = shown(abs(value), kpi, strategy, language)
    points = " puntos" if language == "es" else " points"
    return text.replace(" %", points) if kpi.display == "%" else text


def _date(instant: datetime, language: str) -> str:
    return f"{_MONTHS[language][instant.month - 1]} {instant.year}"
