"""What is told of a changed status and of a changed strategy, in both languages."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kpi_stream.adapters.grafana.dashboards.controls import annotations
from kpi_stream.adapters.grafana.notes import Note, of_reload, of_transitions
from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.application.judge import Transition
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.domain.readings import NoData, SeriesKey
from kpi_stream.domain.status import Status
from kpi_stream.domain.strategy import Dimension, Direction, Member
from tests.support.scorecard import (
    ADVANCE,
    NOON,
    NOON_MS,
    RED,
    RELEASE,
    national,
    office,
    strategy,
    target,
    text,
)

GOALS = strategy(target(ADVANCE, 0.8))


def change(key: SeriesKey, **changes: object) -> Transition:
    """Return a change of a status to off track."""
    made = Transition(
        *(key, 3, Status.ON_TRACK, Status.OFF_TRACK, NOON_MS, 0.1234, 0.8, 0.9, None, 1_500),
        *(None, "goal", 1, "0123"),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def note(key: SeriesKey, goals: object = GOALS, **changes: object) -> Note:
    """Return the one annotation of one change."""
    (made,) = of_transitions([change(key, **changes)], goals)  # type: ignore[arg-type]
    return made


def test_a_change_says_value_expectation_samples_and_window() -> None:
    """The status is a shape and a word; nobody has to know the codes."""
    assert note(national(ADVANCE)).text == "■ Off track: 0.12, should be 0.80 (n 1,500) · 24h"


def test_a_reader_of_spanish_reads_spanish() -> None:
    """Words, decimal comma, no comma between thousands."""
    spanish = replace(GOALS, language="es")
    assert note(national(ADVANCE), spanish).text == (
        "■ Fuera de meta: 0,12, debe 0,80 (n 1 500) · 24h"
    )


def test_a_band_shows_both_edges() -> None:
    """There is no trajectory to be on, so it is held against what the target says."""
    made = note(national(RED), expected=None, goal=0.2, low=0.1)
    assert "should be 0.10 \N{EN DASH} 0.20 (n" in made.text


@pytest.mark.parametrize(
    ("why", "words"),
    [
        (NoData.TOO_FEW, "○ No data: 1 of 2 needed · 24h"),
        (NoData.STALE, "○ No data: no recent events · 24h"),
        (None, "○ No data: (n 1) · 24h"),
    ],
)
def test_no_data_says_why(why: NoData | None, words: str) -> None:
    """It has no value, and none is invented."""
    made = note(
        national(ADVANCE), after=Status.NO_DATA, value=None, expected=None, samples=1, no_data=why
    )
    assert made.text == words


def test_an_office_is_named_and_tagged() -> None:
    """By its name for readers, by its code for queries."""
    made = note(office(ADVANCE, "118"))
    assert made.text.endswith("· 118 · 24h")
    assert "office:118" in made.tags
    assert "office:118" not in note(national(ADVANCE)).tags


def test_the_tags_of_a_change() -> None:
    """Stable: dashboards and people's own queries select by them."""
    made = note(national(RELEASE))
    assert made.tags == (
        *("kpi-stream", "test", "kpi:release-time", "status:off_track", "objective:faster"),
    )
    assert made.body() == {
        "dashboardUID": "test-kpi-release-time",
        "panelId": 1,
        "time": NOON_MS,
        "tags": [*made.tags, "id:release-time/24h/national//3"],
        "text": made.text,
    }


def test_each_change_has_an_id_of_its_own() -> None:
    """Two offices at the same instant, and two changes of one series, are not taken for one."""
    made = of_transitions(
        [
            change(national(ADVANCE)),
            change(national(ADVANCE), sequence=4),
            change(national(ADVANCE, "30d")),
            change(office(ADVANCE, "118")),
            change(office(ADVANCE, "235")),
        ],
        GOALS,
    )
    assert len({each.id for each in made}) == 5


def test_a_kpi_that_is_gone_has_no_dashboard() -> None:
    """A change that was published late, after a reload without its KPI, is not annotated."""
    kept = replace(GOALS, kpis=tuple(each for each in GOALS.kpis if each.id != RED))
    assert of_transitions([change(national(RED))], kept) == []


def test_a_code_of_an_event_stays_text() -> None:
    """Grafana shows HTML, cuts a tag at its second colon and keeps 100 characters of it."""
    long = "<img src=x>:" + "a" * 200
    wild = strategy(
        target(ADVANCE, 0.8),
        dimensions=(Dimension("office", text("Office"), "office", (Member("118", text("x")),)),),
    )
    made = note(office(ADVANCE, long), wild)
    assert "<" not in made.text
    (tag,) = [each for each in made.tags if each.startswith("office:")]
    assert tag.count(":") == 1
    assert len(tag.partition(":")[2]) == 100
    other = note(office(ADVANCE, long + "b"), wild)
    assert other.id != made.id
    assert set(other.tags) != set(made.tags)


def test_a_revised_target_is_told_with_what_it_was() -> None:
    """On the KPI's dashboard; and one note of the whole strategy on the map."""
    new = strategy(target(ADVANCE, 0.9, deadline=NOON + timedelta(days=365), version=2))
    revised, whole = of_reload(GOALS, new, NOON_MS)
    assert revised.text == (
        "▶ Target revised: 0.90 by 2027-06-15 (before 0.80 by 2026-12-12) · 24h"
    )
    assert (revised.dashboard, revised.panel) == ("test-kpi-advance-share", 1)
    assert revised.tags == (
        *("kpi-stream", "test", "kpi:advance-share", "target:revised", "objective:faster"),
    )
    assert whole.text == "▶ Strategy read again: targets new 0, revised 1, withdrawn 0"
    assert (whole.dashboard, whole.panel) == ("test-map", None)
    assert whole.tags == ("kpi-stream", "test", "strategy:reloaded")
    assert "panelId" not in whole.body()


def test_a_target_that_came_and_one_that_went() -> None:
    """In the words of the new strategy, in Spanish with its dates."""
    old, new = strategy(target(ADVANCE, 0.8)), strategy(target(RELEASE, 3_600.0), language="es")
    gone, came, whole = of_reload(old, new, NOON_MS)
    assert gone.text == "▶ Meta retirada: 0,80 hasta el 12/12/2026 · 24h"
    assert came.text == "▶ Meta nueva: 3 600 s hasta el 12/12/2026 · 24h"
    assert whole.text == "▶ Estrategia leída de nuevo: metas nuevas 1, revisadas 0, retiradas 1"


def test_a_target_of_each_office_says_so() -> None:
    """And one of named offices names them."""
    each = target(ADVANCE, 0.7, id="each", dimension="office", members=("*",))
    named = target(ADVANCE, 0.7, id="named", dimension="office", members=("118", "235"))
    made = of_reload(GOALS, strategy(target(ADVANCE, 0.8), each, named), NOON_MS)
    assert [note.text.split(" · ")[1:] for note in made[:2]] == [
        ["each: Office", "24h"],
        ["118, 235", "24h"],
    ]


def test_a_band_that_moved() -> None:
    """Both edges are told."""
    band = {"low": 0.1, "deadline": NOON + timedelta(days=180)}
    made = of_reload(strategy(target(RED, 0.2, **band)), strategy(target(RED, 0.3, **band)), 0)
    assert "0.10 \N{EN DASH} 0.30 by" in made[0].text


def test_what_decides_nothing_is_not_told() -> None:
    """The same strategy again gives nothing; a new wording gives the map's note alone."""
    assert of_reload(GOALS, strategy(target(ADVANCE, 0.8)), NOON_MS) == []
    (whole,) = of_reload(GOALS, strategy(target(ADVANCE, 0.8, owner="Another")), NOON_MS)
    assert whole.tags[-1] == "strategy:reloaded"


def test_the_direction_belongs_to_the_decision() -> None:
    """The same figure means another thing where less is better."""
    down = tuple(
        replace(each, direction=Direction.DOWN) if each.id == ADVANCE else each
        for each in GOALS.kpis
    )
    revised, _ = of_reload(GOALS, replace(GOALS, kpis=down), NOON_MS)
    assert "target:revised" in revised.tags


@pytest.mark.parametrize("language", ["es", "en"])
def test_the_dashboards_ask_for_these_tags(language: str) -> None:
    """What a KPI's dashboard selects by, each change of its KPI has, and no other KPI's."""
    packaged = replace(load_strategy(packaged_strategy_path()), language=language)
    kpi, other = packaged.kpis[0], packaged.kpis[1]
    queries = [each.build() for each in annotations(Edition(packaged, language), kpi.id)]
    asked = [set(each.target.tags or []) for each in queries if each.target is not None]
    assert len(asked) == 1
    made = of_transitions(
        [change(national(each.id, each.windows[0])) for each in (kpi, other)], packaged
    )
    assert asked[0] <= set(made[0].tags)
    assert not asked[0] <= set(made[1].tags)
