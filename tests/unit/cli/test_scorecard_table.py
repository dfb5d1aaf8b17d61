"""The demo's table, in terminals of every width."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.adapters.web.api.scorecard import scorecard
from kpi_stream.application.display import MARKS, STATUS_WORDS
from kpi_stream.bootstrap.offline import replay_file
from kpi_stream.cli.cells import HEADINGS, fitting
from kpi_stream.cli.demo.table import NOTHING, scorecard_table
from kpi_stream.domain.status import Status
from kpi_stream.settings import Settings

STRATEGY = load_strategy(packaged_strategy_path())


CODES = {each.id: each.code for each in STRATEGY.objectives}


def begins(objective: dict[str, Any], language: str) -> str:
    """Return as much of an objective's name as there is always room for."""
    name: str = objective["name"][language]
    return name[:15]


@pytest.fixture(scope="module")
def document(events: Path) -> dict[str, Any]:
    """What the scorecard's API says about the events."""
    evaluation, _ = replay_file(events, STRATEGY, Settings.load())
    said: dict[str, Any] = json.loads(json.dumps(scorecard(evaluation)))
    return said


def lines(document: dict[str, Any], language: str, width: int) -> list[str]:
    """Return the table as it is printed."""
    console = Console(file=io.StringIO(), width=width)
    console.print(scorecard_table(document, STRATEGY, language, width))
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined]


@pytest.mark.parametrize("width", [80, 100, 120, 160, 240])
@pytest.mark.parametrize("language", ["es", "en"])
def test_every_kpi_stands_under_its_objective(
    document: dict[str, Any], language: str, width: int
) -> None:
    """With its value, target and status, whole in every width; the names give way."""
    printed = lines(document, language, width)
    assert max(map(cell_len, printed)) <= width
    rows = iter(printed[printed.index(next(li for li in printed if li.startswith("──"))) + 1 :])
    for perspective in document["perspectives"]:
        assert perspective["name"][language][:20] in next(rows)
        for objective in perspective["objectives"]:
            if not objective["kpis"]:
                row = next(rows)
                assert begins(objective, language) in row
                assert NOTHING in row
            for at, kpi in enumerate(objective["kpis"]):
                row = next(rows)
                assert f"{kpi['code']} " in row
                start = begins(objective, language) if width >= 160 else CODES[objective["id"]]
                assert row.startswith(start if at == 0 else " " * len(start))
                status = next((s["status"] for s in kpi["series"] if "status" in s), None)
                if status not in {None, "no_data"}:
                    words = STATUS_WORDS[Status(status)][language]
                    assert f"{MARKS[Status(status)]} {words}" in row
    assert next(rows, None) is None


def test_a_narrow_terminal_does_without_columns(document: dict[str, Any]) -> None:
    """The least important ones first; value, target and status are always there."""
    shown = {
        width: {name for name, words in HEADINGS.items() if words["en"] in heading.split()}
        for width in (70, 100, 130, 200)
        for heading in [lines(document, "en", width)[1].replace("28 days", "28")]
    }
    assert all({"value", "target", "status"} <= names for names in shown.values())
    assert "forecast" in shown[130]
    assert "expected" in shown[130]
    assert shown[70] < shown[100] < shown[130] < shown[200]


def test_columns_are_spared_in_order() -> None:
    """Only as many as must."""
    needed = {"a": 10, "b": 10, "c": 10}
    assert fitting(needed, 30, ["c", "a"]) == ["a", "b", "c"]
    assert fitting(needed, 29, ["c", "a"]) == ["a", "b"]
    assert fitting(needed, 10, ["c", "a"]) == ["b"]
    assert fitting(needed, 0, ["c", "a"]) == ["b"]
