"""What the oracle takes for known: duplicates, corrections, conflicts and late events."""

from pathlib import Path

import pytest

from tests.oracle.feed import Feed, instant
from tests.oracle.oracle import Oracle, OracleReading
from tests.oracle.strategies import copy_strategy

HOUR = 3_600_000


@pytest.fixture(scope="module")
def strategy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A strategy with a minimum sample of 1."""
    return copy_strategy(tmp_path_factory.mktemp("strategy"))


@pytest.fixture
def feed() -> Feed:
    """One declaration that arrived at 08:00 of the 2nd and is about to be released."""
    begun = Feed()
    begun.event("declaration.numbered", "D1", "01 10:00")
    begun.event("transport.arrived", "D1", "02 08:00")
    return begun


def mean(oracle: Oracle, as_of: str = "10 12:00") -> OracleReading:
    """Return the national release time of the month."""
    key = ("release-time-mean", "mtd", "national", "")
    return oracle.readings(instant(as_of), ["release-time-mean"])[key]


def test_a_late_event_is_known_from_its_recording_on(
    feed: Feed, strategy: Path, tmp_path: Path
) -> None:
    """An event of the 2nd that was written on the 6th is not known on the 5th."""
    feed.event("release.granted", "D1", "02 10:00", recorded="06 09:00")
    oracle = Oracle(feed.write(tmp_path / "events.jsonl"), strategy)
    assert mean(oracle, "05 12:00").samples == 0
    assert mean(oracle, "06 08:59").samples == 0
    assert mean(oracle, "06 09:00") == (7200.0, 2 * HOUR, 1, 1)


def test_a_repetition_counts_once(feed: Feed, strategy: Path, tmp_path: Path) -> None:
    """The same line twice is one event, whatever lies between."""
    feed.event("release.granted", "D1", "02 10:00")
    feed.event("debt.settled", "D1", "02 09:00")
    for line in list(feed.lines):
        feed.line(line)
    oracle = Oracle(feed.write(tmp_path / "events.jsonl"), strategy)
    at = instant("10 12:00")
    assert mean(oracle).samples == 1
    paid = oracle.readings(at, ["revenue-attainment"])
    assert paid["revenue-attainment", "mtd", "national", ""].numerator == 20_000
    assert oracle.outcomes(at) == {"counted": 4, "duplicate": 4}
    assert oracle.conflicting(at) == 0


def test_of_two_contradicting_facts_the_first_written_counts(
    feed: Feed, strategy: Path, tmp_path: Path
) -> None:
    """The order of the file does not matter; the event id decides between equal times."""
    feed.event("release.granted", "D1", "02 20:00", recorded="04 09:00", event_id="c")
    feed.event("release.granted", "D1", "02 16:00", recorded="03 09:00", event_id="b")
    feed.event("release.granted", "D1", "02 12:00", recorded="03 09:00", event_id="a")
    oracle = Oracle(feed.write(tmp_path / "events.jsonl"), strategy)
    at = instant("10 12:00")
    assert mean(oracle).numerator == 4 * HOUR
    assert oracle.conflicting(at) == 1
    assert oracle.outcomes(at) == {"counted": 3, "conflicting": 2}


def test_an_equal_second_report_is_no_conflict(feed: Feed, strategy: Path, tmp_path: Path) -> None:
    """Another event id that says the same enters without contradiction."""
    feed.event("release.granted", "D1", "02 10:00")
    feed.event("release.granted", "D1", "02 10:00", recorded="03 10:00")
    oracle = Oracle(feed.write(tmp_path / "events.jsonl"), strategy)
    assert oracle.conflicting(instant("10 12:00")) == 0
    assert oracle.outcomes(instant("10 12:00")) == {"counted": 4}


@pytest.mark.parametrize("correction_first", [False, True])
def test_a_correction_replaces_everywhere(
    feed: Feed, strategy: Path, tmp_path: Path, *, correction_first: bool
) -> None:
    """The corrected fact is as if it had never been, even if it arrives after its correction."""
    feed.event("release.granted", "D1", "02 20:00", event_id="wrong")
    feed.event("release.granted", "D1", "02 10:00", recorded="05 09:00", corrects="wrong")
    if correction_first:
        feed.lines[-2:] = feed.lines[:-3:-1]
    oracle = Oracle(feed.write(tmp_path / "events.jsonl"), strategy)
    assert mean(oracle, "04 12:00").numerator == 12 * HOUR
    assert mean(oracle, "05 09:00").numerator == 2 * HOUR
    assert oracle.conflicting(instant("05 09:00")) == 0


def test_a_correction_reaches_only_its_own_subject(
    feed: Feed, strategy: Path, tmp_path: Path
) -> None:
    """The same event id of another declaration stays."""
    feed.event("declaration.numbered", "D2", "01 10:00")
    feed.event("transport.arrived", "D2", "02 08:00")
    feed.event("release.granted", "D2", "02 09:00", event_id="x")
    feed.event("release.granted", "D1", "02 10:00", event_id="x")
    feed.event("release.granted", "D1", "02 11:00", recorded="05 09:00", corrects="x")
    oracle = Oracle(feed.write(tmp_path / "events.jsonl"), strategy)
    assert mean(oracle) == (2 * 3600, 4 * HOUR, 2, 2)


def test_a_corrected_payment_is_replaced(feed: Feed, strategy: Path, tmp_path: Path) -> None:
    """Of payments, each event id counts once, and a corrected one not at all."""
    feed.event("debt.settled", "D1", "02 09:00", event_id="p1", amount_cents=100)
    feed.event("debt.settled", "D1", "02 09:00", event_id="p2", amount_cents=100)
    feed.event("debt.settled", "D1", "02 09:00", event_id="p3", amount_cents=7, corrects="p1")
    feed.event(
        "debt.settled", "D1", "02 09:00", event_id="p2", amount_cents=900, recorded="04 09:00"
    )
    oracle = Oracle(feed.write(tmp_path / "events.jsonl"), strategy)
    at = instant("10 12:00")
    key = ("revenue-attainment", "mtd", "national", "")
    assert oracle.readings(at, ["revenue-attainment"])[key].numerator == 107
    assert oracle.conflicting(at) == 1


def test_nothing_counts_before_the_opening_event(strategy: Path, tmp_path: Path) -> None:
    """Without its registration a declaration has no office, and so no reading."""
    feed = Feed()
    feed.event("transport.arrived", "D1", "02 08:00")
    feed.event("release.granted", "D1", "02 10:00")
    feed.event("declaration.numbered", "D1", "01 10:00", recorded="06 09:00", office="235")
    oracle = Oracle(feed.write(tmp_path / "events.jsonl"), strategy)
    assert mean(oracle, "05 12:00").samples == 0
    assert mean(oracle, "06 09:00").samples == 1
    readings = oracle.readings(instant("06 09:00"), ["release-time-mean"])
    assert ("release-time-mean", "mtd", "office", "235") in readings
    assert ("release-time-mean", "mtd", "office", "118") not in readings
