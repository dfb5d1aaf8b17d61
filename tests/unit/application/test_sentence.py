"""How a KPI stands, in words."""

from dataclasses import replace

import pytest

from kpi_stream.application.judge import Judge
from kpi_stream.application.sentence import sentence
from kpi_stream.domain import strategy as s
from kpi_stream.domain.forecast import Forecast, Verdict
from kpi_stream.domain.hysteresis import Damping
from kpi_stream.domain.readings import NoData, Reading
from tests.support.scorecard import (
    ADVANCE,
    NOON_MS,
    PLANNED,
    RED,
    RELEASE,
    national,
    strategy,
    target,
)

DECIDED = strategy(target(ADVANCE, 0.8), target(RELEASE, 7_200.0), target(RED, 0.2, low=0.1))
KPIS = {each.id: each for each in DECIDED.kpis}


def said(kpi: str, value: float | None, forecast: Forecast | None = None, **shown: str) -> s.Text:
    """Return the sentence about a value."""
    reading = Reading(national(kpi), value, 1, 1, 9, None if value else NoData.TOO_FEW)
    judged, _ = Judge(DECIDED, Damping(1, 0.0)).judge({reading.key: reading}, NOON_MS)
    own = next((each for each in judged if each.key == reading.key), None)
    own = None if own is None else replace(own, forecast=forecast)
    return sentence(replace(KPIS[kpi], **shown), reading, own, DECIDED)


@pytest.mark.parametrize(
    ("value", "spanish", "english"),
    [
        (9_000.0, "Está 0,5 h por encima de lo previsto para hoy (2,0 h).",
         "It is 0.5 h above what it should be today (2.0 h)."),
        (5_400.0, "Está 0,5 h por debajo de lo previsto para hoy (2,0 h).",
         "It is 0.5 h below what it should be today (2.0 h)."),
        (7_201.0, "Está en lo previsto para hoy (2,0 h).",
         "It is where it should be today (2.0 h)."),
    ],
)  # fmt: skip
def test_against_today(value: float, spanish: str, english: str) -> None:
    """By how much, on which side; what rounds to nothing is none."""
    assert said(RELEASE, value, display="h") == {"es": spanish, "en": english}


def test_two_shares_are_points_apart() -> None:
    """10 % less than 80 % would be 72 %."""
    assert said(ADVANCE, 0.7, display="%")["en"] == (
        "It is 10.0 points below what it should be today (80.0 %)."
    )


@pytest.mark.parametrize(
    ("verdict", "end"),
    [
        (Verdict.OFF_PACE, "at the present pace it will be 2.5 h in Dec 2026, not 2.0 h."),
        (Verdict.ON_PACE, "at the present pace it will be 2.5 h in Dec 2026, the target is 2.0 h."),
    ],
)
def test_where_it_is_going(verdict: Verdict, end: str) -> None:
    """The month of the last day, and the target beside it."""
    text = said(RELEASE, 9_000.0, Forecast(9_000.0, 0.0, verdict), display="h")["en"]
    assert text.endswith(end)


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.15, "is between 0.10 and 0.20"), (0.05, "is below what"), (0.3, "is above what")],
)
def test_a_band(value: float, words: str) -> None:
    """Inside, or on which side."""
    assert words in said(RED, value)["en"]


def test_what_has_no_value_says_why() -> None:
    """Too few, not measured with the strategy's reason, no target."""
    assert said(ADVANCE, None)["es"] == "Sin datos: muy pocos: 9 de 2."
    assert sentence(KPIS[PLANNED], None, None, DECIDED)["en"] == "no source"
    reading = Reading(national(ADVANCE), 0.5, 1, 2, 9)
    assert sentence(KPIS[ADVANCE], reading, None, DECIDED)["es"] == "Está en 0,50; no tiene meta."
