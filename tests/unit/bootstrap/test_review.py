"""The review of a real month: the numbers of the scorecard, known then and known now."""

import csv
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from kpi_stream import cli
from kpi_stream.adapters.review import document, write_tables
from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.application.review import Review
from kpi_stream.bootstrap import review as reviews
from kpi_stream.bootstrap.offline import replay_file
from kpi_stream.bootstrap.review import ReviewOptions
from kpi_stream.domain.errors import InputError
from kpi_stream.domain.readings import Reading
from kpi_stream.domain.strategy import Stock, Within
from kpi_stream.settings import Settings

STRATEGY = load_strategy(packaged_strategy_path())
KPIS = {kpi.id: kpi for kpi in STRATEGY.kpis}
END_MS = 1_780_290_000_000
"""2026-06-01T00:00 in Lima, the end of the month that is reviewed."""
WORDS = "simulate --days 60 --per-day 8 --seed 11 --until 2026-06-10 --late 0.05 --conflicts 0.01"


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Events of two months, of which ten days follow the month."""
    path = tmp_path_factory.mktemp("review") / "events.jsonl"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["kpi-stream", *WORDS.split(), "--output", str(path)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
    assert ended.value.code == 0
    return path


def reviewed(period: str, *files: Path, office: str | None = None) -> Review:
    """Return a review of files."""
    told: list[str] = []
    options = ReviewOptions(period, office, files)
    found = reviews.review(STRATEGY, Settings.load(), options, lambda what, *_: told.append(what))
    assert any("explaining" in each for each in told)
    return found


@pytest.fixture(scope="module")
def may(events: Path) -> Review:
    """The review of the month, when ten more days are known."""
    return reviewed("2026-05", events)


@pytest.fixture(scope="module")
def by_then(events: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Only the events that were recorded by the end of the month."""
    path = tmp_path_factory.mktemp("then") / "events.jsonl"
    limit = "2026-06-01T00:00"
    lines = events.read_text().splitlines(keepends=True)
    kept = [line for line in lines if json.loads(line)["recorded_at"][:16] < limit]
    assert 0 < len(kept) < len(lines)
    path.write_text("".join(kept))
    return path


def numbers(reading: Reading) -> tuple[Any, ...]:
    """Return what a reading says."""
    return reading.value, reading.numerator, reading.denominator, reading.samples, reading.no_data


def test_the_numbers_are_those_of_the_scorecard_at_that_instant(by_then: Path) -> None:
    """Every series, status and forecast is what `replay --as-of` says of the last instant.

    But for what falls due in the last quarter of an hour, which the scorecard counts when it is
    over.
    """
    found = reviewed("2026-05", by_then)
    assert found.month.as_of_ms == END_MS - 1
    wanted, _ = replay_file(by_then, STRATEGY, Settings.load(), END_MS - 1)
    assert found.evaluation.readings.keys() == wanted.readings.keys()
    same = [key for key in wanted.readings if not isinstance(KPIS[key.kpi].measure, Within)]
    assert len(same) > 200
    for key in same:
        assert numbers(found.evaluation.readings[key]) == numbers(wanted.readings[key]), key
    judged = {each.key: each for each in wanted.judged if each.key in same}
    for each in found.evaluation.judged:
        if each.key in judged:
            other = judged[each.key]
            assert (each.status, each.expected, each.forecast, each.attainment) == (
                (other.status, other.expected, other.forecast, other.attainment)
            )
    for row in found.rows:
        assert row.reading == found.evaluation.readings.get(row.reading.key, row.reading)


def test_what_was_recorded_later_is_known_now_and_stocks_are_not(may: Review, events: Path) -> None:
    """Late events are in the windows; what was open is what was open at the end of the month."""
    then, _ = replay_file(events, STRATEGY, Settings.load(), END_MS - 1)
    moved = 0
    for key, reading in may.evaluation.readings.items():
        kpi, before = KPIS[key.kpi], then.readings.get(key)
        if isinstance(kpi.measure, Stock):
            assert before is not None
            assert numbers(reading) == numbers(before)
        elif before is not None and key.window == "mtd":
            moved += reading.samples != before.samples
    assert moved > 0
    assert not any(row.untold for row in may.rows)


def test_the_stages_add_up_to_the_release_time(may: Review) -> None:
    """Parts of stages, and of parties, add up to the mean, which is the KPI's own of the month."""
    assert may.stages is not None
    whole = may.stages.whole
    assert sum(each.total_ms for each in whole.stages if each.inside) == whole.total_ms
    (kpi,) = [row for row in may.rows if row.kpi.id == "release-time-mean"]
    assert kpi.month is not None
    assert (whole.mean, whole.samples) == (kpi.month.value, kpi.month.samples)
    assert sum(part for _, part in may.stages.held) == pytest.approx(whole.mean)
    for dimension, members in may.stages.dimensions:
        assert sum(each.samples for each in members) == whole.samples, dimension
        assert sum(each.total_ms for each in members) == whole.total_ms, dimension


def test_a_change_is_that_of_two_months(may: Review) -> None:
    """Each KPI of a month against the whole month before; its effects add up."""
    split = [each for each in may.moved if each.window == "mtd" and each.splits]
    assert len(split) > 5
    for each in split:
        assert each.previous is not None
        assert each.previous == may.month.previous
        for one in each.splits:
            assert float((one.mix + one.rate) * each.scale) == pytest.approx(each.change)


def test_an_office_has_its_own_series(events: Path) -> None:
    """Its scorecard, its changes and its way; the ranking has the others as well."""
    found = reviewed("2026-05", events, office="118")
    assert {row.reading.key[2:] for row in found.rows} == {("office", "118")}
    assert {each.office for each in found.moved} == {"118"}
    assert found.stages is not None
    assert found.stages.whole.member == "118"
    assert len(found.offices) > 3
    ranked = [each.credit for each in found.offices if each.credit is not None]
    assert ranked == sorted(ranked, reverse=True)


def test_a_month_that_is_not_over_is_told_so_far(
    events: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up to the newest recording; the document says so."""
    monkeypatch.setattr(reviews, "now_ms", lambda: END_MS + 12 * 86_400_000)
    found = reviewed("2026-06", events)
    assert not found.month.over
    assert found.month.as_of_ms == found.feed.newest_ms
    wanted, _ = replay_file(events, STRATEGY, Settings.load())
    assert found.evaluation.readings == wanted.readings
    assert "El mes no ha terminado" in document(found, "es")


@pytest.mark.parametrize(
    ("period", "office", "said"),
    [
        ("2026-13", None, "--period '2026-13' is not a month; write it as 2026-10"),
        ("1812-10", None, "--period '1812-10' is not in the years 1970 to 2199"),
        ("2199-01", None, "--period 2199-01 has not begun yet"),
        ("2025-05", None, "nothing was counted in 2025-05; the newest recording is of 2026-06-"),
        ("2026-05", "999", "--office '999' is not in the strategy; one of 000, 019, "),
        ("2026-05", "000", "nothing of office 000 was counted in 2026-05; "),
    ],
)
def test_what_cannot_be_told_is_named(
    events: Path, period: str, office: str | None, said: str
) -> None:
    """A month that is none, has not begun or is empty, and an office that is none."""
    options = ReviewOptions(period, office, (events,))
    with pytest.raises(InputError) as err:
        reviews.review(STRATEGY, Settings.load(), options, lambda *_: None)
    assert str(err.value).startswith(said)


def test_the_tables_hold_the_numbers_unrounded(may: Review, tmp_path: Path) -> None:
    """What is read back from CSV is what the review holds."""
    files = {path.stem: path for path in write_tables(may, tmp_path / "csv")}

    def rows(name: str) -> list[dict[str, str]]:
        with files[name].open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def as_text(value: object) -> str:
        return "" if value is None else str(value)

    for read, row in zip(rows("scorecard"), may.rows, strict=True):
        assert (read["kpi"], read["window"]) == row.reading.key[:2]
        assert read["value"] == as_text(row.reading.value)
        assert read["gap"] == as_text(row.gap)
        assert read["samples"] == str(row.reading.samples)
    for read, moved in zip(rows("movements"), may.moved, strict=True):
        assert read["change"] == as_text(moved.change)
    assert may.stages is not None
    national = [each for each in rows("stages") if each["dimension"] == "national"]
    parts = [float(each["part_s"]) for each in national if each["part_s"]]
    assert sum(parts) == pytest.approx(may.stages.whole.mean)
    effects: dict[tuple[str, str], float] = {}
    for each in rows("effects"):
        key = (each["kpi"], each["dimension"])
        effects[key] = effects.get(key, 0.0) + float(each["total"])
    changes = {each.kpi.id: each.change for each in may.moved}
    assert effects
    for (kpi, _), total in effects.items():
        assert total == pytest.approx(changes[kpi])


class _Tags(HTMLParser):
    """Collects what a document would load, and checks that its elements are closed."""

    VOID = frozenset({"meta", "br", "rect"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take an element that begins."""
        self.seen.add(tag)
        self.loads += [str(value) for name, value in attrs if name in {"src", "href"}]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take an element without content."""

    def handle_endtag(self, tag: str) -> None:
        """Take an element that ends."""
        assert self.open.pop() == tag


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "es",
            ["Revisión mensual", "mayo de 2026", "31/05/2026 23:59:59", "Quién tiene el tiempo"],
        ),
        ("en", ["Monthly review", "May 2026", "31 May 2026 23:59:59", "Who holds the time"]),
    ],
)
def test_the_document_stands_alone(may: Review, language: str, words: list[str]) -> None:
    """One well-formed file in one language: no script, nothing to load but its own places."""
    text = document(may, language)
    tags = _Tags()
    tags.feed(text)
    assert tags.open == []
    assert tags.seen.isdisjoint({"script", "link", "img", "iframe", "object"})
    assert all(each.startswith("#") for each in tags.loads)
    assert "url(" not in text
    assert [each for each in words if each not in text] == []
    for kpi in STRATEGY.kpis:
        assert kpi.name[language].split(":")[0] in text


def test_no_text_of_a_strategy_is_markup(may: Review, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever an administration calls its things, it is shown as it is."""
    name = {"es": "<script>&\"'</script>", "en": "x"}
    for kpi in {row.kpi.id: row.kpi for row in may.rows}.values():
        monkeypatch.setitem(kpi.name, "es", name["es"])  # type: ignore[arg-type]
    tags = _Tags()
    tags.feed(document(may, "es"))
    assert "script" not in tags.seen
