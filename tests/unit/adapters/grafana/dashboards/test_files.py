"""What holds for the dashboards of every edition: names, numbers, languages."""

import json
from collections.abc import Iterator
from functools import cache
from itertools import combinations

import pytest

from kpi_stream.adapters.grafana.dashboards import FOLDER, dashboard_files
from kpi_stream.application.monitoring import places
from tests.support.dashboards import Json, boards, edition, panels

STRATEGIES = ("sunat", "harbour", "pocket")
SAME = {"KPI", "—", "■ No"}
"""Texts that are the same in both languages."""


@cache
def by_uid(name: str) -> dict[str, Json]:
    """Return the dashboards of an edition by uid; nobody changes them here."""
    return {board["uid"]: board for board in boards(name).values()}


def shape(board: Json) -> list[tuple[object, ...]]:
    """Return what is where in a dashboard, without its words."""
    return [
        (
            panel["id"],
            panel["type"],
            tuple(sorted(panel["gridPos"].items())),
            [target["refId"] for target in panel.get("targets", ())],
        )
        for panel in panels(board)
    ]


def words(board: Json) -> Iterator[tuple[str, str]]:
    """Yield (where, text) for each text of a dashboard that the generator wrote."""
    yield "title", board["title"]
    yield "description", board["description"]
    for variable in board["templating"]["list"]:
        yield f"variable {variable['name']}", variable["label"]
    for at, each in enumerate(board["links"]):
        yield f"link {at}", each["title"]
    for at, each in enumerate(board["annotations"]["list"]):
        yield f"annotation {at}", each["name"]
    for panel in panels(board):
        place = f"panel {panel['id']}"
        yield f"{place} title", panel["title"]
        yield f"{place} description", panel["description"]
        defaults = panel["fieldConfig"]["defaults"]
        yield f"{place} without a value", defaults["noValue"]
        if panel["type"] == "text":
            yield f"{place} content", panel["options"]["content"]
        for at, mapping in enumerate(defaults.get("mappings", ())):
            for value, result in mapping["options"].items():
                if isinstance(result, dict) and "text" in result:
                    yield f"{place} mapping {at} {value}", result["text"]


@pytest.mark.parametrize("name", ["sunat-es", "harbour-en", "pocket-es"])
def test_generating_twice_gives_the_same(name: str) -> None:
    """Byte for byte, each file named for the uid that is in it."""
    files = dashboard_files(edition(name))
    assert dict(dashboard_files(edition(name))) == dict(files)
    for path, text in files.items():
        assert path == f"{FOLDER}/{json.loads(text)['uid']}.json"
        assert text.endswith("}\n")


@pytest.mark.parametrize("of", STRATEGIES)
def test_each_place_has_its_dashboard(of: str) -> None:
    """One for each uid that alerts, annotations and links know, and no other."""
    strategy = edition(f"{of}-en").strategy
    expected = {
        places.map_uid(strategy),
        places.scorecard_uid(strategy),
        places.office_uid(strategy),
        places.initiatives_uid(strategy),
        places.pipeline_uid(strategy),
        *(places.kpi_uid(strategy, kpi.id) for kpi in strategy.kpis),
    }
    assert len(expected) == 5 + len(strategy.kpis)
    assert set(by_uid(f"{of}-en")) == expected


@pytest.mark.parametrize("of", STRATEGIES)
def test_the_languages_differ_in_words_only(of: str) -> None:
    """Uids, panel ids, kinds, places and queries' names are the same."""
    spanish, english = by_uid(f"{of}-es"), by_uid(f"{of}-en")
    assert spanish.keys() == english.keys()
    for uid, board in spanish.items():
        assert shape(board) == shape(english[uid]), uid


@pytest.mark.parametrize("of", STRATEGIES)
def test_every_text_is_in_the_readers_language(of: str) -> None:
    """No text is empty, and none is the same in both languages but names."""
    spanish, english = by_uid(f"{of}-es"), by_uid(f"{of}-en")
    given = {
        text
        for dimension in edition(f"{of}-es").strategy.dimensions
        for member in dimension.members
        for text in member.name.values()
    }
    for uid, board in spanish.items():
        pairs = zip(words(board), words(english[uid]), strict=True)
        for (place, es), (same_place, en) in pairs:
            assert place == same_place
            assert es.strip(), f"{uid} {place}"
            assert en.strip(), f"{uid} {place}"
            assert es != en or es in SAME | given, f"{uid} {place}: {es!r}"


def test_loaded_history_is_drawn_as_a_line() -> None:
    """It has a sample an hour, and a chart of some days asks more often; points are not drawn."""
    strategy = edition("sunat-en").strategy
    ours = [places.scorecard_uid(strategy), places.office_uid(strategy)]
    ours += [places.kpi_uid(strategy, kpi.id) for kpi in strategy.kpis]
    courses = [
        panel
        for uid in ours
        for panel in panels(by_uid("sunat-en")[uid])
        if panel["type"] in {"timeseries", "state-timeline"}
    ]
    assert len(courses) > len(strategy.kpis)
    for panel in courses:
        assert panel["fieldConfig"]["defaults"]["custom"]["spanNulls"] > 3_600_000, panel["title"]


def test_strategies_share_a_grafana() -> None:
    """Their uids are disjoint, and so are the annotations that they show."""
    for one, other in combinations(STRATEGIES, 2):
        assert not by_uid(f"{one}-en").keys() & by_uid(f"{other}-en").keys()
    for of in STRATEGIES:
        for board in by_uid(f"{of}-en").values():
            queries = board["annotations"]["list"]
            tagged = [each["target"]["tags"] for each in queries if each["type"] == "tags"]
            lists = [panel for panel in panels(board) if panel["type"] == "annolist"]
            tagged += [panel["options"]["tags"] for panel in lists]
            assert tagged
            assert all(edition(f"{of}-en").strategy.id in tags for tags in tagged)
