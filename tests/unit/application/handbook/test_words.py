"""Definitions in words: every kind of measure, milestone, field and code has its own."""

from typing import get_args

import pytest

from kpi_stream.application.display import number
from kpi_stream.application.handbook import formula as spoken
from kpi_stream.application.handbook.words import CODES, FIELDS, FLAGS, MILESTONES, SUBJECTS
from kpi_stream.domain import strategy as s
from kpi_stream.domain.events import EVENT_TYPES, Kind
from tests.support.dashboards import EDITIONS, edition

POCKET = edition("pocket-es").strategy
KINDS = {each.kind for each in get_args(s.Measure)}


def words(kpi: str, language: str) -> tuple[str, str]:
    """Return formula and time of a KPI of the smallest strategy."""
    found = next(each for each in POCKET.kpis if each.id == kpi)
    return (
        spoken.formula(found, POCKET, language),
        spoken.counts_when(found, POCKET, language),
    )


def test_every_kind_of_measure_has_words():
    """A new kind is missing here until it can be told; the smallest strategy has one of each."""
    assert set(spoken._WORDS) == KINDS
    assert {each.measure.kind for each in POCKET.kpis} == KINDS


@pytest.mark.parametrize("name", EDITIONS)
def test_every_kpi_can_be_told_in_both_languages(name: str):
    """Whole sentences, another one in each language, and another for each definition."""
    strategy = edition(name).strategy
    told: dict[str, str] = {}
    for kpi in strategy.kpis:
        es, en = (spoken.formula(kpi, strategy, language) for language in ("es", "en"))
        assert es != en
        for text in (es, en):
            assert text == text.strip()
            assert text.endswith(".")
            assert "  " not in text
            assert "{" not in text
        assert told.setdefault(es, repr(kpi.measure)) == repr(kpi.measure)
        when = [spoken.counts_when(kpi, strategy, language) for language in ("es", "en")]
        assert all(when) is not isinstance(kpi.measure, s.NotMeasured)


@pytest.mark.parametrize(
    ("kpi", "es", "en"),
    [
        (
            "mean-time-from-arrival-to-release-of-air-goods",
            (
                "Percentil 90 del tiempo desde la llegada del medio de transporte hasta el "
                "levante, de declaraciones donde la vía de transporte es aérea."
            ),
            (
                "90th percentile of the time from the arrival of the means of transport to the "
                "release, of declarations where the transport mode is air."
            ),
        ),
        (
            "soon",
            (
                "Declaraciones con el levante dentro de 8 horas desde la numeración de la "
                "declaración ÷ declaraciones para las que ese plazo ya venció. "
                "Las legajadas no cuentan."
            ),
            (
                "Declarations with the release within 8 hours of the registration of the "
                "declaration ÷ declarations for which that limit has passed. "
                "Cancelled ones do not count."
            ),
        ),
        (
            "started-today",
            (
                "Declaraciones con la primera decisión (el inicio del reconocimiento físico o la "
                "conclusión de la revisión documentaria) el mismo día que la asignación del "
                "canal ÷ declaraciones con la asignación del canal."
            ),
            (
                "Declarations with the first decision (the start of the physical inspection or the "
                "end of the document review) on the same day as the assignment of the channel ÷ "
                "declarations with the assignment of the channel."
            ),
        ),
        (
            "trusted",
            (
                "Suma del valor CIF de declaraciones numeradas donde interviene un operador "
                "económico autorizado ÷ suma del valor CIF de declaraciones numeradas."
            ),
            (
                "Sum of the CIF value of declarations registered where an authorised economic "
                "operator takes part ÷ sum of the CIF value of declarations registered."
            ),
        ),
        ("morale", "No se mide: No hay encuesta.", "It is not measured: There is no survey."),
    ],
)
def test_a_formula_reads_as_a_sentence(kpi: str, es: str, en: str):
    """Limits, conditions and what is left out are in it."""
    assert (words(kpi, "es")[0], words(kpi, "en")[0]) == (es, en)


@pytest.mark.parametrize(
    ("start", "optional", "text"),
    [
        (("numbered",), (), "desde la numeración de la declaración hasta"),
        (
            ("discharged", "numbered"),
            (),
            "desde lo último entre el término de la descarga y la numeración de la declaración",
        ),
        (
            ("numbered",),
            ("settled", "inspection_started"),
            (
                "(o desde la cancelación o garantía de la deuda o el inicio del "
                "reconocimiento físico, si ocurre después)"
            ),
        ),
    ],
)
def test_a_clock_starts_with_the_latest(
    start: tuple[str, ...], optional: tuple[str, ...], text: str
):
    """Several starts mean the latest; one that may be missing counts where it is later."""
    kpi = next(each for each in POCKET.kpis if each.measure.kind == "duration")
    measure = s.Duration(start, "released", optional)
    told = spoken.formula(_with(kpi, measure), POCKET, "es")
    assert text in told


@pytest.mark.parametrize(
    ("condition", "es", "en"),
    [
        (
            s.Condition("numbered.cif_cents", at_least=100_000, negate=True),
            f"el valor CIF es menor que NZD {number(1000, 2, 'es')}",
            "the CIF value is below NZD 1,000.00",
        ),
        (
            s.Condition("has.scanned", frozenset({False})),
            "no ocurrió la inspección no intrusiva",
            "the scan has not happened",
        ),
        (
            s.Condition("numbered.aeo", frozenset({True}), negate=True),
            "no interviene ningún operador económico autorizado",
            "no authorised economic operator takes part",
        ),
        (
            s.Condition("office", frozenset({"01", "AIR_B"}), negate=True),
            'la aduana no es Aeropuerto "B" (AIR_B) o Muelle Norte, puesto 1 (01)',
            (
                'the office is not Airport "B" \\ Cargo (AIR_B) or North Quay, post 1: '
                "'the shed' (01)"
            ),
        ),
    ],
)
def test_a_condition_is_told_with_its_names(condition: s.Condition, es: str, en: str):
    """Negations, limits in their unit, members by name with their code."""
    kpi = next(each for each in POCKET.kpis if each.measure.kind == "share")
    measure = s.Share("numbered", (condition,))
    for language, text in (("es", es), ("en", en)):
        told = spoken.formula(_with(kpi, measure), POCKET, language)
        assert f" {text} ÷" in told


def _with(kpi: s.Kpi, measure: s.Measure) -> s.Kpi:
    return s.Kpi(
        *(kpi.id, kpi.name, kpi.question, measure, kpi.unit, kpi.direction),
        *(kpi.windows, kpi.dimensions, kpi.minimum_sample, kpi.owner, kpi.source),
    )


def test_every_word_of_the_event_table_has_its_own():
    """A new milestone, field or kind of subject is missing here until it has a name."""
    assert set(MILESTONES) == {each.milestone for each in EVENT_TYPES}
    assert set(SUBJECTS) == set(Kind)
    fields = {name for each in EVENT_TYPES for name in each.fields}
    assert fields == set(FIELDS) | set(FLAGS)
    assert not set(FIELDS) & set(FLAGS)
    for text in (*FIELDS.values(), *CODES.values(), *SUBJECTS.values()):
        assert text["es"]
        assert text["en"]
