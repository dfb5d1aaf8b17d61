"""Which alerts a strategy has, what they are called, and what they say."""

import re
from pathlib import Path

import pytest

from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.application.monitoring.alert import Alert, Severity
from kpi_stream.application.monitoring.alerts import alerts
from kpi_stream.application.monitoring.conventions import all_names
from kpi_stream.domain.strategy import Strategy

STRATEGIES = Path(__file__).parents[4] / "tests" / "strategies"
ALL = {
    "sunat": load_strategy(packaged_strategy_path()),
    **{name: load_strategy(STRATEGIES / name) for name in ("harbour", "pocket", "minimal")},
}
EVERY = {name: alerts(strategy) for name, strategy in ALL.items()}
strategies = pytest.mark.parametrize("strategy", ALL)

CRITICAL = {
    "KpiOffTrack",
    "FeedStale",
    "WorkerDown",
    "ScorecardDown",
    "StrategyMismatch",
}
PIPELINE = {
    "FeedStale",
    "OfficeSilent",
    "WorkerLagging",
    "EventsRejected",
    "WorkerDown",
    "ScorecardDown",
    "ScorecardStalled",
    "StrategyReloadRefused",
    "StrategyMismatch",
}


def one(strategy: str, name: str, key: str = "") -> Alert:
    """Return the alert of a name and a key."""
    (found,) = [each for each in EVERY[strategy] if (each.name, each.key) == (name, key)]
    return found


def keys(strategy: str, name: str) -> list[str]:
    """Return the keys of the alerts of a name."""
    return [each.key for each in EVERY[strategy] if each.name == name]


def test_the_alerts_of_a_strategy() -> None:
    """A band has its two sides and is not at risk; a stock ages and has no forecast."""
    assert keys("harbour", "KpiOffTrack") == [
        "turnaround-median-7d-office",
        "turnaround-median-7d-national",
        "decided-within-90m-24h-office",
        "scan-rate-30d-national",
        "duties-collected-ytd-national",
    ]
    assert keys("harbour", "KpiBelowBand") == ["scan-rate-30d-national"]
    assert keys("harbour", "KpiAboveBand") == ["scan-rate-30d-national"]
    assert "scan-rate-30d-national" not in keys("harbour", "KpiAtRisk")
    assert keys("pocket", "DeclarationsAgeing") == [
        "old-files-now-national",
        "old-files-now-office",
    ]
    assert "old-files-now-national" not in keys("pocket", "KpiProjectedMiss")
    assert "old-files-now-national" in keys("pocket", "KpiAtRisk")


@strategies
def test_every_strategy_has_the_alerts_of_the_pipeline(strategy: str) -> None:
    """Each once; the silent office where there are offices."""
    names = [each.name for each in EVERY[strategy] if not each.key]
    assert len(names) == len(set(names))
    assert set(names) == PIPELINE - (set() if ALL[strategy].offices else {"OfficeSilent"})


def test_constant_labels_say_where_a_kpi_belongs() -> None:
    """The target's owner goes before the KPI's; the objective is the first that names the KPI."""
    assert one("harbour", "KpiOffTrack", "turnaround-median-7d-office").labels == {
        "kpi": "turnaround-median",
        "objective": "flow",
        "perspective": "outcomes",
        "owner": "Harbour master",
        "window": "7d",
        "dimension": "office",
    }
    offices = one("sunat", "KpiOffTrack", "release-time-mean-30d-office")
    assert offices.labels["owner"] == "Intendencias de aduana"
    assert one("sunat", "FeedStale").labels == {"owner": "operations"}


def test_texts_name_the_kpi_the_member_and_the_numbers() -> None:
    """In both languages; what is expected is at most or at least, or a range."""
    national = one("harbour", "KpiOffTrack", "turnaround-median-7d-national")
    assert national.title == {
        "es": "Fuera de meta: turnaround-median Estadía mediana (7d, nacional)",
        "en": "Off track: turnaround-median Median turnaround (7d, national)",
    }
    assert national.summary["en"] == (
        "Median turnaround: off track at {value}; {expected} or less is expected today"
    )
    office = one("harbour", "KpiAtRisk", "decided-within-90m-24h-office")
    assert office.summary["es"] == (
        "Decidido en 90 minutos · Oficina: {$member}: en riesgo con {value}; "
        "hoy se espera {expected} o más"
    )
    band = one("harbour", "KpiOffTrack", "scan-rate-30d-national")
    assert band.summary["en"].endswith("{low} to {high} is expected today")
    assert office.names["member"]["QUAY"] == {"es": "Muelle", "en": "Quay"}


def test_rules_say_in_which_label_their_series_differ() -> None:
    """An office is a label of its own, as events have it."""
    assert one("sunat", "KpiOffTrack", "customs-held-time-30d-national").by == ""
    assert one("sunat", "KpiOffTrack", "customs-held-time-30d-channel").by == "member"
    assert one("sunat", "KpiOffTrack", "release-time-mean-30d-office").by == "office"
    assert one("sunat", "OfficeSilent").by == "office"
    assert one("sunat", "FeedStale").by == ""


@strategies
def test_severity_is_that_of_the_name(strategy: str) -> None:
    """What cannot wait until the morning is critical."""
    for each in EVERY[strategy]:
        assert (each.severity is Severity.CRITICAL) is (each.name in CRITICAL), each.name


@strategies
def test_names_keys_and_titles_tell_rules_apart(strategy: str) -> None:
    """Grafana names rules by their titles, Prometheus by their names and constant labels."""
    every = EVERY[strategy]
    assert len({(each.name, each.key) for each in every}) == len(every)
    assert len({(each.name, *sorted(each.labels.items())) for each in every}) == len(every)
    for language in ("es", "en"):
        assert len({each.title[language] for each in every}) == len(every)


@strategies
def test_texts_exist_in_both_languages_and_name_known_numbers(strategy: str) -> None:
    """A number that is named is asked for, one that is asked for is named in some text."""
    for each in EVERY[strategy]:
        known = {number.name for number in each.numbers}
        for language in ("es", "en"):
            texts = each.summary[language] + each.description[language]
            named = set(re.findall(r"\{([a-z]+)\}", texts))
            assert named <= known, (each.name, named - known)
            assert each.summary[language].rstrip(".") == each.summary[language]
            assert each.description[language].endswith(".")
        both = "".join((*each.summary.values(), *each.description.values()))
        assert known - set(re.findall(r"\{([a-z]+)\}", both)) <= {"goal", "expected", "low", "high"}


@strategies
def test_expressions_name_known_families_only(strategy: str) -> None:
    """A misspelt family would be silent for ever."""
    known = all_names()
    for each in EVERY[strategy]:
        for expr in (each.expr, *(number.expr for number in each.numbers)):
            found = set(re.findall(r"\bkpi_stream_\w+", expr))
            assert found <= known, found - known
            assert expr.count("(") == expr.count(")")


@strategies
def test_only_kpis_stocks_and_offices_fall_silent_with_the_feed(strategy: str) -> None:
    """The alerts of the pipeline are needed most while nothing comes."""
    for each in EVERY[strategy]:
        silent = each.name.startswith("Kpi") or each.name in {"DeclarationsAgeing", "OfficeSilent"}
        assert ("scorecard_stale" in each.expr) is (silent or each.name == "FeedStale"), each.name


@strategies
def test_every_alert_points_at_a_panel_of_the_strategy(strategy: str) -> None:
    """Uids of two strategies never meet."""
    for each in EVERY[strategy]:
        assert each.dashboard.startswith(ALL[strategy].id[:20])
        assert each.panel >= 1
        assert each.anchor == re.sub(r"(?<!^)([A-Z])", r"-\1", each.name).lower()


def test_a_strategy_without_targets_has_the_pipeline_only() -> None:
    """There is nothing to hold a KPI against."""
    strategy: Strategy = ALL["pocket"]
    without = type(strategy)(
        **{name: getattr(strategy, name) for name in strategy.__slots__} | {"targets": ()}
    )
    assert {each.name for each in alerts(without)} == PIPELINE
