import re
from datetime import date, timedelta

import pytest

from kpi_stream.adapters.strategy_files import (
    check_strategy,
    load_strategy,
    packaged_strategy_path,
)
from kpi_stream.domain.catalogue import Catalogue
from kpi_stream.domain.strategy import Direction, NotMeasured, Plan, Strategy, Unit

HOUR = 3_600

LINKS = (
    "O13>O7 O9>O4 O12>O8 O7>O8 O7>O3 O4>O1 O5>O4 O8>O1 O10>O2 O7>O2 O11>O2 O9>O8 O1>O6"  # the map
)

PUBLISHED = {
    # What SUNAT published; every other figure of a target is an assumption.
    "release-time-mean": {33 * HOUR},
    "anticipated-share": {0.75},
    "aeo-trade-share": {0.315},
    "interdiction-value": {224_800_000},
}

BENCHMARKS = {
    # KPI: figures with a source, as published.
    "release-time-mean": {
        *(hours * HOUR for hours in (146, 112, 79, 33, 48, 14.5, 18)),
        *(round(days * 24 * HOUR, 6) for days in (7.4, 1.3, 0.3)),
    },
    "released-within-48h": {0.9333, 0.5176, 0.5503},
    "anticipated-share": {0.33, 0.75, 0.78},
    "inspection-cycle": {8 * HOUR},
    "review-within-24h": {0.53, 0.85},
    "same-day-processing": {0.99, 0.999, 0.926},
    "electronic-rate": {0.981, 0.963},
    "aeo-trade-share": {0.315, 0.37},
    "red-channel-rate": {0.10},
    "hit-rate": {0.14, 0.0816},
    "interdiction-value": {179_250_000, 180_350_000, 224_800_000},
    "user-satisfaction": {0.967, 0.86},
}


@pytest.fixture(scope="module")
def sunat() -> Strategy:
    """The packaged strategy."""
    return load_strategy(packaged_strategy_path())


def test_nothing_is_wrong_with_it():
    """The packaged strategy passes its own check."""
    assert check_strategy(packaged_strategy_path()) == []


def test_it_can_be_counted(sunat: Strategy):
    """Every measure compiles."""
    assert set(Catalogue(sunat).kpis) == {kpi.id for kpi in sunat.kpis}


def test_the_map_has_its_objectives_and_links(sunat: Strategy):
    """The map is the thirteen objectives of four perspectives and the links between them."""
    code = {objective.id: objective.code for objective in sunat.objectives}
    assert list(code.values()) == [f"O{number}" for number in range(1, 14)]
    links = {
        f"{objective.code}>{code[effect]}"
        for objective in sunat.objectives
        for effect in objective.causes
    }
    assert links == set(LINKS.split())
    assert len(sunat.perspectives) == 4
    assert {each.perspective for each in sunat.objectives} == {
        each.id for each in sunat.perspectives
    }


def test_the_catalogue_is_complete(sunat: Strategy):
    """K01 to K23 are there; K02 and K09 are two KPIs each."""
    codes = [kpi.code for kpi in sunat.kpis]
    expected = [f"K{number:02d}" for number in range(1, 24) if number not in {2, 9}]
    assert sorted(codes) == sorted([*expected, "K02a", "K02b", "K09a", "K09b"])


def test_objectives_use_the_kpis_of_the_map(sunat: Strategy):
    """Each objective is judged by the KPIs that the map names for it."""
    code = {kpi.id: kpi.code for kpi in sunat.kpis}
    used = {each.code: [code[part.kpi] for part in each.kpis] for each in sunat.objectives}
    assert used["O1"][:4] == ["K01", "K02a", "K02b", "K03"]
    assert used["O7"] == ["K13", "K14", "K15", "K16"]
    assert used["O8"] == ["K05", "K06", "K07", "K08", "K09a", "K09b"]
    assert used["O9"] == ["K11", "K23"]
    assert used["O11"] == ["K15", "K21"]
    assert used["O13"] == []


def test_officers_are_not_measured(sunat: Strategy):
    """The KPI about officers is declared, not measured, and says why in both languages."""
    workload = next(kpi for kpi in sunat.kpis if kpi.code == "K21")
    assert isinstance(workload.measure, NotMeasured)
    assert "dato personal" in workload.measure.reason["es"]
    assert "personal data" in workload.measure.reason["en"]
    assert [kpi.id for kpi in sunat.kpis if isinstance(kpi.measure, NotMeasured)] == [workload.id]


def test_a_figure_without_a_source_is_an_assumption(sunat: Strategy):
    """A target is free of assumptions only if all its figures are published."""
    for target in sunat.targets:
        figures = {target.baseline, target.value, *(value for _, value in target.points)}
        if target.low is not None:
            figures.add(target.low)
        if not figures <= PUBLISHED.get(target.kpi, set()):
            assert target.assumption, target.id
            assert "assumption" in target.source, target.id


def test_published_baselines_are_used(sunat: Strategy):
    """Where SUNAT published a figure, the national target starts from it and names the source."""
    for kpi, figures in PUBLISHED.items():
        target = next(each for each in sunat.targets if each.kpi == kpi)
        assert {target.baseline} == figures
        assert re.search(r"\w+\.(com|org)\.pe|contadoresyempresas", target.source)


def test_every_benchmark_is_a_published_figure(sunat: Strategy):
    """Benchmarks are the published figures and no others, each with a source."""
    found: dict[str, set[float]] = {}
    for benchmark in sunat.benchmarks:
        found.setdefault(benchmark.kpi, set()).add(round(benchmark.value, 6))
        assert benchmark.source
        assert "assumption" not in benchmark.source
    assert found == BENCHMARKS


def test_initiatives_are_assumptions_and_serve_the_map(sunat: Strategy):
    """Every initiative is marked as an assumption; together they serve every objective."""
    assert all(initiative.assumption for initiative in sunat.initiatives)
    served = {name for initiative in sunat.initiatives for name in initiative.objectives}
    assert served == {objective.id for objective in sunat.objectives}


def test_measured_kpis_are_judged(sunat: Strategy):
    """Every measured KPI has a national target."""
    judged = {target.kpi for target in sunat.targets if target.dimension == "national"}
    measured = {kpi.id for kpi in sunat.kpis if not isinstance(kpi.measure, NotMeasured)}
    assert judged == measured


def test_the_red_channel_is_a_band(sunat: Strategy):
    """Too few red channels miss the target as well."""
    target = next(each for each in sunat.targets if each.kpi == "red-channel-rate")
    assert (target.low, target.value) == (0.04, 0.12)
    assert [kpi.id for kpi in sunat.kpis if kpi.direction is Direction.BAND] == [
        "red-channel-rate",
        "officer-workload",
    ]


def test_values_are_in_base_units(sunat: Strategy):
    """Hours become seconds, percentages ratios, millions major units, plans cents."""
    by_id = {kpi.id: kpi for kpi in sunat.kpis}
    for target in sunat.targets:
        unit = by_id[target.kpi].unit
        low, high = {
            Unit.SECONDS: (8 * HOUR, 72 * HOUR),
            Unit.RATIO: (0.01, 3.0),
            Unit.MONEY: (2e8, 3e8),
        }[unit]
        assert low <= target.value <= high, target.id


def test_offices_are_those_of_the_code_table(sunat: Strategy):
    """Events may name the offices of SUNAT's table, by their three digits."""
    expected = (
        "019 028 046 055 082 091 118 127 145 154 163 172 181 190 217 226 235 244 262 271 280 299 "
        "000 929 992 983 848"
    )
    assert sunat.offices == set(expected.split())


def test_the_channel_divides_only_what_it_explains(sunat: Strategy):
    """Only release times, the 48 hours and the time held by customs are divided by channel."""
    assert [kpi.code for kpi in sunat.kpis if "channel" in kpi.dimensions] == [
        "K01",
        "K02a",
        "K02b",
        "K03",
        "K05",
    ]


def test_the_plan_covers_its_years(sunat: Strategy):
    """Every month of 2025 to 2027 is planned, about US$ 14.5 M each."""
    plan = next(kpi.measure for kpi in sunat.kpis if isinstance(kpi.measure, Plan))
    assert list(plan.months) == [
        f"{year}-{month:02d}" for year in (2025, 2026, 2027) for month in range(1, 13)
    ]
    assert all(1_200_000_000 < cents < 1_700_000_000 for cents in plan.months.values())
    assert sum(plan.months.values()) / 36 == pytest.approx(1_460_000_000, rel=0.001)


def _easter(year: int) -> date:
    """Easter Sunday by the anonymous Gregorian algorithm."""
    a, b, c = year % 19, year // 100, year % 100
    d = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    e = (32 + 2 * (b % 4) + 2 * (c // 4) - d - c % 4) % 7
    f = d + e - 7 * ((a + 11 * d + 22 * e) // 451) + 114
    return date(year, f // 31, f % 31 + 1)


def test_holidays_are_those_of_peru(sunat: Strategy):
    """The calendar has Peru's sixteen public holidays of each year, Easter's included."""
    fixed = (
        (1, 1), (5, 1), (6, 7), (6, 29), (7, 23), (7, 28), (7, 29), (8, 6), (8, 30), (10, 8),
        (11, 1), (12, 8), (12, 9), (12, 25),
    )  # fmt: skip
    expected = {date(year, *day) for year in (2025, 2026, 2027) for day in fixed}
    for year in (2025, 2026, 2027):
        expected |= {_easter(year) - timedelta(days=days) for days in (2, 3)}
    assert sunat.calendar.holidays == expected
    assert sunat.calendar.weekdays == {0, 1, 2, 3, 4}
    assert sunat.calendar.time_zone == "America/Lima"


def test_every_text_is_in_both_languages(sunat: Strategy):
    """Names and questions are there in Spanish and English, and differ."""
    for kpi in sunat.kpis:
        assert kpi.question["es"] != kpi.question["en"]
        assert kpi.question["es"].startswith("¿") or ", ¿" in kpi.question["es"]
        assert kpi.name["es"]
        assert kpi.name["en"]
