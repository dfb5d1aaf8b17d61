"""`explain`: from a file, from a scorecard over HTTP, as a table; and the mistakes."""

import json
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.application.display import member_name, shown
from tests.support.ports import free_port
from tests.unit.cli.conftest import Run

STRATEGY = load_strategy(packaged_strategy_path())
KPIS = {kpi.id: kpi for kpi in STRATEGY.kpis}
MEAN = "release-time-mean"


def said(run: Run, *words: str | Path) -> dict[str, Any]:
    """Return what the command says as JSON."""
    found: dict[str, Any] = json.loads(run("explain", *words, "--json").out)
    return found


def test_json_adds_up_to_the_reading_of_replay(kpi_stream: Run, events: Path):
    """Now is what replay says; mix and rate of each dimension make the change."""
    found = said(kpi_stream, MEAN, "--events", events, "--window", "7d")
    words = ("--kpi", MEAN, "--window", "7d", "--dimension", "national", "--format", "json")
    (row,) = json.loads(kpi_stream("replay", events, *words).out)
    for name in ("value", "numerator", "denominator", "samples"):
        assert found["now"][name] == row[name]
    assert found["change"] == found["now"]["value"] - found["before"]["value"]
    assert [each["dimension"] for each in found["splits"]] == list(KPIS[MEAN].dimensions)
    for split in found["splits"]:
        assert split["mix"] + split["rate"] == pytest.approx(found["change"], abs=1e-6)
        for part in ("mix", "rate"):
            total = sum(each[part] for each in split["effects"])
            assert total == pytest.approx(split[part], abs=1e-6)
        for name in ("weight_before", "weight_now"):
            assert sum(each[name] for each in split["effects"]) == pytest.approx(1)
    assert len(found["costs"]) == 3
    assert all(each["gap"] > 0 for each in found["costs"])


def test_the_costs_are_held_against_what_is_expected_today(kpi_stream: Run, events: Path):
    """The trajectory's value, as replay has it."""
    found = said(kpi_stream, "K01", "--events", events)
    words = ("--kpi", MEAN, "--window", "30d", "--dimension", "national", "--format", "json")
    (row,) = json.loads(kpi_stream("replay", events, *words).out)
    assert found["window"] == "30d"
    assert found["against"] == row["expected"]


@pytest.mark.parametrize("language", ["es", "en"])
def test_the_table_shows_the_numbers_of_json(kpi_stream: Run, events: Path, language: str):
    """Definition, both readings, each dimension with its sum, the three that cost most."""
    words = (MEAN, "--events", events, "--window", "7d")
    found, printed = said(kpi_stream, *words), kpi_stream("explain", *words, "--language", language)
    kpi, text = KPIS[MEAN], printed.out
    assert text.startswith(f"{kpi.code} {kpi.name[language]} · 7d\n")
    assert {"es": "Qué mide: Promedio", "en": "Definition: Mean"}[language] in text
    for name in ("now", "before"):
        assert shown(found[name]["value"], kpi, STRATEGY, language) in text
        assert f"n {found[name]['samples']}" in text
    totals = re.findall(r"^(?:juntos|together) .*$", text, re.MULTILINE)
    assert len(totals) == len(found["splits"])
    change = shown(abs(found["change"]), kpi, STRATEGY, language)
    assert all(line.rstrip().endswith(change) for line in totals)
    for each in found["costs"]:
        name = member_name(STRATEGY, each["dimension"], each["member"], language)
        assert re.search(rf": {re.escape(name)} .*{each['samples']}", text)
    assert max(map(len, text.splitlines())) <= 100
    assert printed.err == ""


@pytest.mark.parametrize(
    ("kpi", "words"),
    [
        ("backlog-over-5d", "Un saldo no tiene pasado"),
        ("targeting-lift", "Un cociente de tasas"),
        ("revenue-attainment", "El plan es de todos juntos"),
        ("release-time-p90", "Un percentil no se descompone"),
        ("interdiction-value", "El día de hoy aún no termina"),
    ],
)
def test_what_a_reader_must_know_is_said(kpi_stream: Run, events: Path, kpi: str, words: str):
    """Why nothing is split, or what the split is of."""
    more = ("--window", "30d") if "30d" in KPIS[kpi].windows else ()
    assert words in kpi_stream("explain", kpi, "--events", events, *more).out


def test_an_office_and_a_period_can_be_named(kpi_stream: Run, events: Path):
    """The office is no dimension then, and the earlier period is the one that was named."""
    words = ("--office", "118", "--versus", "2026-06-01/2026-06-10", "--window", "7d")
    found = said(kpi_stream, MEAN, "--events", events, *words)
    assert found["office"] == "118"
    assert found["previous"] == {
        "from": "2026-06-01T05:00:00.000Z",
        "to": "2026-06-11T05:00:00.000Z",
    }
    assert "office" not in {each["dimension"] for each in found["splits"]}
    printed = kpi_stream("explain", MEAN, "--events", events, *words)
    assert "2026-06-01 \N{EN DASH} 2026-06-10" in printed.out


class _Scorecard(BaseHTTPRequestHandler):
    asked: list[str] = []  # noqa: RUF012
    answer: bytes = b""

    def do_GET(self) -> None:
        type(self).asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def scorecard() -> Iterator[type[_Scorecard]]:
    """A scorecard of this machine that answers what it is given."""
    handler = type("Handler", (_Scorecard,), {"asked": [], "url": ""})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        handler.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield handler
        server.shutdown()
        thread.join()


def test_without_a_file_the_scorecard_answers(
    kpi_stream: Run, events: Path, scorecard: Any, monkeypatch: pytest.MonkeyPatch
):
    """The question as the API takes it; the same table as from the file."""
    words = (MEAN, "--window", "7d", "--office", "118", "--versus", "2026-06-01/2026-06-10")
    found = said(kpi_stream, *words, "--events", events)
    scorecard.answer = json.dumps(found).encode()
    assert said(kpi_stream, *words, "--url", scorecard.url) == found
    asked = urlsplit(scorecard.asked[0])
    assert asked.path == f"/api/v1/kpis/{MEAN}/explanation"
    assert parse_qs(asked.query) == {
        "window": ["7d"],
        "office": ["118"],
        "versus": ["2026-06-01/2026-06-10"],
    }
    monkeypatch.setenv("KPI_STREAM_SCORECARD_URL", scorecard.url)
    table = kpi_stream("explain", *words, "--events", events)
    assert kpi_stream("explain", *words) == table


def test_no_scorecard_is_said_with_the_remedy(kpi_stream: Run):
    """Exit code 1: nothing is wrong with the question."""
    url = f"http://127.0.0.1:{free_port()}"
    printed = kpi_stream("explain", MEAN, "--url", url, code=1)
    assert re.fullmatch(
        rf"kpi-stream: no answer from {url}: .*; start .* with --url\n", printed.err
    )


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("nothing", "'nothing' is no KPI of the strategy; one of aeo-trade-share, .*"),
        (f"{MEAN} --window 9d", f"--window '9d' is not one of {MEAN}: .*30d.*"),
        (f"{MEAN} --office 999", "--office '999' is not in the strategy; one of 000, 019, .*"),
        (f"{MEAN} --versus May", "--versus 'May' is not a period; write it as 2026-10 or .*"),
        (f"{MEAN} --as-of 2026-06-01", "--as-of needs --events; .*"),
        (f"{MEAN} --events a --url http://b", "--events and --url exclude each other.*"),
        (f"{MEAN} --events nowhere.jsonl", r"nowhere\.jsonl: there is no such file"),
        (f"{MEAN} --url b", "'b' is no address of a scorecard; .*"),
    ],
)
def test_a_mistake_is_named(kpi_stream: Run, words: str, text: str):
    """In one line, with what would be right."""
    printed = kpi_stream("explain", *words.split(), code=2)
    assert re.fullmatch(f"kpi-stream: {text}\n", printed.err), printed.err


def test_a_period_that_is_not_over_is_refused(kpi_stream: Run, events: Path):
    """The events end in June 2026."""
    words = (MEAN, "--events", events, "--versus", "2026-06")
    assert "is not over yet" in kpi_stream("explain", *words, code=2).err
