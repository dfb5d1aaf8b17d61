"""`worklist`: its table in both languages, JSON, and the mistakes."""

import json
import re
from pathlib import Path

import pytest

from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.adapters.web.api.worklist import Filter, worklist_answer
from kpi_stream.bootstrap.worklist import Found
from kpi_stream.cli import worklist as module
from kpi_stream.domain.strategy import Strategy
from kpi_stream.domain.worklist import OfficeList, Waiting
from kpi_stream.settings import Settings
from tests.unit.cli.conftest import Run

HOUR = 3_600_000
AS_OF_MS = 1_767_243_600_000
STRATEGY = load_strategy(packaged_strategy_path())
MINIMAL = Path(__file__).parents[2] / "strategies" / "minimal"
LISTS = [
    OfficeList(
        (
            Waiting(AS_OF_MS - 1, "118-2026-10-000001", "118", "green", "release", AS_OF_MS - HOUR),
            Waiting(
                AS_OF_MS + 7 * HOUR,
                "118-2026-10-012345",
                "118",
                "red",
                "control",
                AS_OF_MS - 19 * HOUR,
            ),
        ),
        {AS_OF_MS // 900_000 - 9: 3},
    ),
    OfficeList((Waiting(AS_OF_MS + 40 * HOUR, "later", "235", None, "", 0),), {}),
]


@pytest.fixture(autouse=True)
def read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lists are given; `tests/integration` reads them from Kafka."""

    def found(_: Settings, strategy: Strategy, office: str | None, wanted: Filter) -> Found:
        lists = [each for each in LISTS if office in (None, each.listed[0].office)]
        answer = worklist_answer(strategy, {"release": lists}, AS_OF_MS, office, wanted)
        return Found(answer, AS_OF_MS, AS_OF_MS - 60_000)

    monkeypatch.setattr(module, "read_worklists", found)


def test_the_table_says_who_where_how_long_and_in_whose_hands(kpi_stream: Run) -> None:
    """The most of the limit used first; what is not close yet is not there; the rest is counted."""
    text = kpi_stream("worklist", "--language", "en").out
    late, close = (line for line in text.splitlines() if line.startswith(("■", "▲")))
    assert re.match(
        r"■ +118-2026-10-000001 +Callao, maritime +Green +48 h of 48 h .*Release, for 1 h +Cust",
        late,
    )
    assert re.match(
        r"▲ +118-2026-10-012345 +Callao, maritime +Red +41 h of 48 h .*Review or", close
    )
    assert "4 late, 1 close to the limit; 3 of them are not shown" in text
    assert max(map(len, text.splitlines())) <= 100


def test_it_speaks_the_language_of_the_strategy(kpi_stream: Run) -> None:
    """Spanish here; when it was true goes to standard error."""
    printed = kpi_stream("worklist", "--office", "118")
    assert "41 h de 48 h" in printed.out
    assert "4 con el plazo vencido, 1 cerca de él; 3 de ellas no se muestran" in printed.out
    assert printed.err.startswith("as of 2026-01-01 05:00Z; the newest event")


def test_an_office_where_nothing_is_late(kpi_stream: Run) -> None:
    """It is said in words."""
    out = kpi_stream("worklist", "--office", "235").out
    assert "Nada vencido, nada por vencer." in out
    assert "0 con el plazo vencido, 0 cerca de él" in out


def test_json_is_the_answer_of_the_api(kpi_stream: Run) -> None:
    """Filters and limit choose among the listed."""
    said = json.loads(kpi_stream("worklist", "--holder", "customs", "--limit", "1", "--json").out)
    (row,) = said["worklists"]
    assert [each["subject"] for each in row["entries"]] == ["118-2026-10-000001"]
    assert (row["late"], row["close"], row["more"]) == (4, 1, 4)
    said = json.loads(kpi_stream("worklist", "--stage", "control", "--json").out)
    (entry,) = said["worklists"][0]["entries"]
    assert entry["subject"] == "118-2026-10-012345"
    assert entry["used"] == pytest.approx(41 / 48)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--office", "nowhere"), "--office 'nowhere' is not in the strategy; one of 000, 019"),
        (("--stage", "sleep"), "--stage 'sleep' is not in the strategy; one of discharge, "),
        (("--holder", "nobody"), "'nobody' is not one of"),
        (("--limit", "0"), "Invalid value for '--limit'"),
    ],
)
def test_a_mistake_is_named_with_what_would_be_right(
    kpi_stream: Run, words: tuple[str, ...], text: str
) -> None:
    """Exit code 2, before Kafka is asked."""
    assert text in kpi_stream("worklist", *words, code=2).err


def test_a_strategy_without_worklists_says_so(
    kpi_stream: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And how it gets one."""
    monkeypatch.setenv("KPI_STREAM_STRATEGY", str(MINIMAL))
    err = kpi_stream("worklist", code=2).err
    assert "the strategy minimal keeps no worklist; give it a worklists.yaml" in err
