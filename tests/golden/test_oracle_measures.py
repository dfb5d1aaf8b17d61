"""The oracle on feeds small enough to work out by hand, one for each kind of measure."""

from datetime import datetime
from fractions import Fraction
from pathlib import Path

import pytest

from tests.oracle.feed import Feed, instant
from tests.oracle.oracle import Key, Oracle, OracleReading
from tests.oracle.strategies import copy_strategy

HOUR = 3_600_000
PLAN = {"2026-01": 1000, "2026-02": 2000, "2026-03": 3100}


@pytest.fixture(scope="module")
def strategy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A strategy with a minimum sample of 1 and a plan with round numbers."""
    return copy_strategy(tmp_path_factory.mktemp("strategy"), months=PLAN)


def read(
    feed: Feed, strategy: Path, tmp_path: Path, as_of: str, *kpis: str
) -> dict[Key, OracleReading]:
    """Return the readings of some KPIs at a time of March 2026 in Lima."""
    oracle = Oracle(feed.write(tmp_path / "events.jsonl"), strategy)
    return oracle.readings(instant(as_of), kpis=kpis)


def test_durations(strategy: Path, tmp_path: Path) -> None:
    """Mean, median and p90 of arrival to release, by the time of the release.

    day 02      03      04      05      ...     10 12:07 as_of
    D1  a8==r18
    D2          a8==============r8               48 h
    D3                  r9..a20                  released before arrival: 0 h
    D4  a8==r9  another regime
    D5                  a8                       not released
    """
    feed = Feed()
    for name in ("D1", "D2", "D3", "D5"):
        feed.event("declaration.numbered", name, "01 10:00")
    feed.event("declaration.numbered", "D4", "01 10:00", regime="40")
    feed.event("transport.arrived", "D1", "02 08:00")
    feed.event("release.granted", "D1", "02 18:00")
    feed.event("transport.arrived", "D2", "03 08:00")
    feed.event("release.granted", "D2", "05 08:00")
    feed.event("transport.arrived", "D3", "04 20:00")
    feed.event("release.granted", "D3", "04 09:00")
    feed.event("transport.arrived", "D4", "02 08:00")
    feed.event("release.granted", "D4", "02 09:00")
    feed.event("transport.arrived", "D5", "04 08:00")
    kpis = ("release-time-mean", "release-time-median", "release-time-p90")
    found = read(feed, strategy, tmp_path, "10 12:07", *kpis)
    mean = found["release-time-mean", "30d", "national", ""]
    assert mean == (58 * 3600 / 3, 58 * HOUR, 3, 3)
    # 7d is [03 12:15, 10 12:15): D2 and D3 only.
    assert found["release-time-mean", "7d", "national", ""] == (24 * 3600, 48 * HOUR, 2, 2)
    assert found["release-time-mean", "24h", "national", ""] == (None, 0, 0, 0)
    # Of 0, 10 and 48 hours the rank floor(0.5 * 2) and floor(0.9 * 2) is the middle one.
    assert found["release-time-median", "30d", "national", ""] == (36_000, 10 * HOUR, 1, 3)
    assert found["release-time-p90", "30d", "national", ""] == (36_000, 10 * HOUR, 1, 3)
    # No channel was assigned yet.
    assert found["release-time-mean", "30d", "channel", "unknown"].samples == 3
    assert ("release-time-mean", "30d", "channel", "green") not in found


def test_a_limit_counts_what_is_not_done_once_it_is_due(strategy: Path, tmp_path: Path) -> None:
    """Released within 48 hours, of all whose 48 hours have passed.

    D1 a02 08, released at the very limit          due 04 08:00  done
    D2 a03 08, discharged 03 20, released 05 19:59 due 05 20:00  done: the clock starts at 20:00
    D3 a04 08, never released                      due 06 08:00  missed
    D4 a04 08, cancelled                           none
    D5 a08 12, released at once                    due 10 12:00  in the pane 12:00..12:15
    """
    feed = Feed()
    for name in ("D1", "D2", "D3", "D4", "D5"):
        feed.event("declaration.numbered", name, "01 10:00")
    feed.event("transport.arrived", "D1", "02 08:00")
    feed.event("release.granted", "D1", "04 08:00")
    feed.event("transport.arrived", "D2", "03 08:00")
    feed.event("discharge.completed", "D2", "03 20:00")
    feed.event("release.granted", "D2", "05 19:59")
    feed.event("transport.arrived", "D3", "04 08:00")
    feed.event("transport.arrived", "D4", "04 08:00")
    feed.event("declaration.cancelled", "D4", "05 08:00")
    feed.event("transport.arrived", "D5", "08 12:00")
    feed.event("release.granted", "D5", "08 13:00")
    kpi = "released-within-48h"
    path = feed.write(tmp_path / "events.jsonl")
    oracle = Oracle(path, strategy)
    key = (kpi, "30d", "national", "")
    assert oracle.readings(instant("10 12:07"), [kpi])[key] == (2 / 3, 2, 3, 3)
    assert oracle.readings(instant("10 12:15"), [kpi])[key] == (3 / 4, 3, 4, 4)
    # At 04 08:10 the pane of D1's limit is not over; a day before nothing is due.
    assert oracle.readings(instant("04 08:10"), [kpi])[key].samples == 0
    assert oracle.readings(instant("04 08:15"), [kpi])[key] == (1.0, 1, 1, 1)
    # 24h is [05 20:15 - 24 h, 05 20:15): D2's limit at 20:00; a month earlier is not in it.
    day = oracle.readings(instant("05 20:16"), [kpi])[(kpi, "24h", "national", "")]
    assert day == (1.0, 1, 1, 1)


def test_documents_reviewed_within_24h(strategy: Path, tmp_path: Path) -> None:
    """Only the orange channel counts, from its assignment."""
    feed = Feed()
    for name, channel in (("D1", "orange"), ("D2", "orange"), ("D3", "red")):
        feed.event("declaration.numbered", name, "02 09:00")
        feed.event("channel.assigned", name, "02 10:00", channel=channel)
    feed.event("review.completed", "D1", "03 10:00")
    feed.event("review.completed", "D2", "03 10:01")
    found = read(feed, strategy, tmp_path, "04 00:00", "review-within-24h")
    assert found["review-within-24h", "mtd", "national", ""] == (0.5, 1, 2, 2)
    assert found["review-within-24h", "mtd", "office", "118"] == (0.5, 1, 2, 2)


def test_the_local_day_decides(strategy: Path, tmp_path: Path) -> None:
    """Same day means the same date in Lima, whatever UTC says.

    D1 numbered 02 23:30, released 03 00:10  40 minutes, two dates
    D2 numbered 03 00:05, released 03 23:55  (in UTC 04:55 of the next day) one date
    D3 numbered 03 10:00, reviewed 02 10:00  decided before it was registered
    D4 numbered 03 10:00, inspected 03 11:00, released 09: the first counts
    D5 numbered 03 10:00, undecided
    """
    feed = Feed()
    for name, at in (("D1", "02 23:30"), ("D2", "03 00:05"), ("D3", "03 10:00")):
        feed.event("declaration.numbered", name, at)
    feed.event("declaration.numbered", "D4", "03 10:00")
    feed.event("declaration.numbered", "D5", "03 10:00")
    feed.event("release.granted", "D1", "03 00:10")
    feed.event("release.granted", "D2", "03 23:55")
    feed.event("review.completed", "D3", "02 10:00")
    feed.event("inspection.completed", "D4", "03 11:00")
    feed.event("release.granted", "D4", "09 11:00")
    found = read(feed, strategy, tmp_path, "10 12:00", "same-day-processing")
    assert found["same-day-processing", "30d", "national", ""] == (0.4, 2, 5, 5)


def test_shares_and_lift_of_channels(strategy: Path, tmp_path: Path) -> None:
    """What was assigned, what was found, and who changed it.

    D1 red by risk, discrepancy   D2 red by risk, conforming
    D3 red by chance, discrepancy D4 red by chance, conforming  D6 too
    D5 green by risk, changed to red by an officer, then by risk; discrepancy
    """
    feed = Feed()
    plan = (
        ("D1", "red", "risk", "discrepancy"),
        ("D2", "red", "risk", "conforming"),
        ("D3", "red", "random", "discrepancy"),
        ("D4", "red", "random", "conforming"),
        ("D6", "red", "random", "conforming"),
        ("D5", "green", "risk", "discrepancy"),
    )
    for name, channel, basis, result in plan:
        feed.event("declaration.numbered", name, "02 09:00")
        feed.event("channel.assigned", name, "02 10:00", channel=channel, basis=basis)
        feed.event("inspection.completed", name, "02 15:00", result=result)
    feed.event("channel.changed", "D5", "02 11:00", basis="discretion")
    kpis = ("red-channel-rate", "hit-rate", "off-system-selections", "targeting-lift")
    found = read(feed, strategy, tmp_path, "10 12:00", *kpis, "inspection-cycle")
    assert found["red-channel-rate", "30d", "national", ""] == (5 / 6, 5, 6, 6)
    assert found["hit-rate", "30d", "national", ""] == (0.5, 3, 6, 6)
    assert found["off-system-selections", "30d", "national", ""] == (1 / 6, 1, 6, 6)
    # (2 of 3 by risk) / (1 of 3 by chance)
    assert found["targeting-lift", "30d", "national", ""] == (2.0, 2 * 3, 3 * 1, 3)
    # D5 is red by now, so its cycle of five hours counts as well.
    assert found["inspection-cycle", "30d", "national", ""] == (5 * 3600, 30 * HOUR, 6, 6)
    feed.event("channel.changed", "D5", "02 12:00", basis="risk", channel="orange")
    found = read(feed, strategy, tmp_path, "10 12:00", *kpis, "inspection-cycle")
    assert found["off-system-selections", "30d", "national", ""].numerator == 0
    assert found["inspection-cycle", "30d", "national", ""].samples == 5


def test_lift_without_a_hit_by_chance_is_no_data(strategy: Path, tmp_path: Path) -> None:
    """There is nothing to divide by where chance found nothing."""
    feed = Feed()
    for name, basis, result in (("D1", "risk", "discrepancy"), ("D2", "random", "conforming")):
        feed.event("declaration.numbered", name, "02 09:00")
        feed.event("channel.assigned", name, "02 10:00", channel="red", basis=basis)
        feed.event("inspection.completed", name, "02 15:00", result=result)
    found = read(feed, strategy, tmp_path, "10 12:00", "targeting-lift")
    assert found["targeting-lift", "30d", "national", ""] == (None, 1, 0, 1)


def test_shares_of_the_registered(strategy: Path, tmp_path: Path) -> None:
    """Each declaration counts once, at its registration; another regime only where it may."""
    feed = Feed()
    feed.event("declaration.numbered", "D1", "02 09:00")
    feed.event("declaration.numbered", "D2", "02 09:00", clearance_mode="urgent", electronic=False)
    feed.event("declaration.numbered", "D3", "02 09:00", regime="40")
    feed.event("declaration.numbered", "D4", "02 09:00", regime="99", clearance_mode="deferred")
    feed.event("declaration.amended", "D2", "03 09:00")
    feed.event("declaration.amended", "D2", "04 09:00", after_release=True)
    kpis = ("anticipated-share", "electronic-rate", "amendment-rate")
    found = read(feed, strategy, tmp_path, "10 12:00", *kpis)
    assert found["anticipated-share", "30d", "national", ""] == (0.5, 1, 2, 2)
    assert found["electronic-rate", "30d", "national", ""] == (0.75, 3, 4, 4)
    assert found["electronic-rate", "30d", "regime", "40"] == (1.0, 1, 1, 1)
    assert found["electronic-rate", "30d", "regime", "other"] == (1.0, 1, 1, 1)
    assert found["amendment-rate", "30d", "national", ""] == (0.25, 1, 4, 4)


def test_money(strategy: Path, tmp_path: Path) -> None:
    """Sums of cents, each event by its own time; the plan by local months and the part of one.

    The plan is 1000 for January, 2000 for February, 3100 for March: at midnight that opens the
    11th, 10 of 31 days are over, so 1000 are planned for the month and 4000 for the year.
    """
    feed = Feed()
    for name, aeo, cents in (("D1", True, 300), ("D2", False, 700)):
        feed.event("declaration.numbered", name, "02 09:00", aeo=aeo, cif_cents=cents)
        feed.event("channel.assigned", name, "02 10:00", channel="red" if aeo else "green")
    feed.event("debt.settled", "D1", "2026-02-28T23:59:00-05:00", amount_cents=150_000)
    feed.event("debt.settled", "D1", "01 00:00", amount_cents=20_000)
    feed.event("debt.settled", "D2", "10 23:59", settlement="guaranteed", amount_cents=30_000)
    feed.event(
        "assessment.adjusted", "D1", "05 09:00", duties_before_cents=20_000, duties_after_cents=500
    )
    feed.event("assessment.adjusted", "D1", "06 09:00")
    kpis = ("aeo-trade-share", "control-yield", "revenue-attainment")
    found = read(feed, strategy, tmp_path, "11 00:00", *kpis)
    assert found["aeo-trade-share", "mtd", "national", ""] == (0.3, 300, 1000, 2)
    # Two adjustments: one lowered the duties (gain 0), one raised them by 5,000 cents; the whole
    # are the duties of the one declaration in red.
    assert found["control-yield", "30d", "national", ""] == (0.25, 5_000, 20_000, 1)
    assert found["revenue-attainment", "mtd", "national", ""] == (0.5, 50_000, 100_000, 2)
    assert found["revenue-attainment", "ytd", "national", ""] == (0.5, 200_000, 400_000, 3)
    assert found["revenue-attainment", "qtd", "national", ""] == (0.5, 200_000, 400_000, 3)


def test_a_plan_in_the_middle_of_a_pane(strategy: Path, tmp_path: Path) -> None:
    """The elapsed share of the month is exact; the plan is rounded to a cent."""
    feed = Feed()
    feed.event("declaration.numbered", "D1", "02 09:00")
    feed.event("debt.settled", "D1", "02 10:00", amount_cents=100_000)
    found = read(feed, strategy, tmp_path, "02 12:07", "revenue-attainment")
    planned = round(Fraction(310_000 * (24 * 60 + 12 * 60 + 7), 31 * 24 * 60))
    reading = found["revenue-attainment", "mtd", "national", ""]
    assert reading == (100_000 / planned, 100_000, planned, 1)


def test_a_month_without_a_plan_is_no_data(strategy: Path, tmp_path: Path) -> None:
    """What is not planned cannot be attained."""
    feed = Feed()
    feed.event("declaration.numbered", "D1", "02 09:00")
    feed.event("debt.settled", "D1", "2026-04-02T12:00:00-05:00")
    found = read(feed, strategy, tmp_path, "2026-04-03T00:00:00-05:00", "revenue-attainment")
    assert found["revenue-attainment", "mtd", "national", ""] == (None, 0, 0, 0)


def test_subjects_of_one_event(strategy: Path, tmp_path: Path) -> None:
    """Audits, control actions and answers count by office."""
    feed = Feed()
    feed.event("audit.completed", "A1", "02 09:00", finding=True)
    feed.event("audit.completed", "A2", "02 09:00", finding=False, office="235")
    feed.event("enforcement.recorded", "C1", "02 09:00", value_cents=12_345)
    feed.event("enforcement.recorded", "C2", "02 09:00", value_cents=1, action="hold")
    for at, score in enumerate((1, 3, 4, 5)):
        feed.event("survey.answered", f"S{at}", "02 09:00", score=score)
    kpis = ("audit-effectiveness", "interdiction-value", "user-satisfaction")
    found = read(feed, strategy, tmp_path, "10 12:00", *kpis)
    assert found["audit-effectiveness", "30d", "national", ""] == (0.5, 1, 2, 2)
    assert found["audit-effectiveness", "30d", "office", "235"] == (0.0, 0, 1, 1)
    assert found["interdiction-value", "30d", "national", ""] == (123.45, 12_345, 1, 1)
    assert found["user-satisfaction", "30d", "national", ""] == (0.5, 2, 4, 4)


def test_customs_held_time_and_exit(strategy: Path, tmp_path: Path) -> None:
    """The clock starts when the last of channel, payment, goods and documents is there.

    D1 red     c02 10, paid 02 12, arrived 01, documents 02 15 and 03 09, released 03 21: 12 h
    D2 orange  c02 10, nothing else, released 02 14: 4 h
    D3 green   not held
    """
    feed = Feed()
    for name, channel in (("D1", "red"), ("D2", "orange"), ("D3", "green")):
        feed.event("declaration.numbered", name, "01 09:00")
        feed.event("channel.assigned", name, "02 10:00", channel=channel)
    feed.event("debt.settled", "D1", "02 12:00")
    feed.event("transport.arrived", "D1", "01 12:00")
    feed.event("documents.received", "D1", "03 09:00")
    feed.event("documents.received", "D1", "02 15:00")
    feed.event("release.granted", "D1", "03 21:00")
    feed.event("release.granted", "D2", "02 14:00")
    feed.event("release.granted", "D3", "02 14:00")
    feed.event("goods.exited", "D1", "04 00:00")
    found = read(feed, strategy, tmp_path, "10 12:00", "customs-held-time", "release-to-exit")
    assert found["customs-held-time", "30d", "national", ""] == (8 * 3600, 16 * HOUR, 2, 2)
    assert found["customs-held-time", "30d", "channel", "red"] == (12 * 3600, 12 * HOUR, 1, 1)
    assert found["release-to-exit", "30d", "national", ""] == (3 * 3600, 3 * HOUR, 1, 1)


def test_backlog(strategy: Path, tmp_path: Path) -> None:
    """Older than 5 days by panes, older than 30 days by local days, of all that are open.

    as_of 10 12:07. Five days ago the last pane that is over ends at 05 12:00; thirty days ago
    it was 8 February, so what opened before that day is old.
    """
    feed = Feed()
    opened = {
        "D1": "05 11:59",
        "D2": "05 12:00",
        "D3": "2026-02-07T23:59:00-05:00",
        "D4": "2026-02-08T00:00:00-05:00",
        "D5": "04 09:00",
        "D6": "04 09:00",
        "D7": "04 09:00",
        "D8": "2025-02-02T23:59:00-05:00",
        "D9": "2025-02-03T00:00:00-05:00",
    }
    for name, at in opened.items():
        feed.event("declaration.numbered", name, at)
    feed.event("release.granted", "D5", "09 09:00")
    feed.event("declaration.cancelled", "D6", "09 09:00")
    feed.event("declaration.rejected", "D7", "09 09:00")
    found = read(feed, strategy, tmp_path, "10 12:07", "backlog-over-5d", "backlog-over-30d")
    # D8 opened 401 days ago, D9 400: only the second is still looked for.
    assert found["backlog-over-5d", "now", "national", ""] == (4 / 5, 4, 5, 5)
    assert found["backlog-over-30d", "now", "national", ""] == (2 / 5, 2, 5, 5)


def test_the_minimum_sample_hides_the_value_only(tmp_path: Path) -> None:
    """The counts stay visible where they are too few for a value."""
    feed = Feed()
    feed.event("declaration.numbered", "D1", "02 09:00")
    few = copy_strategy(tmp_path, minimum_sample=2)
    found = read(feed, few, tmp_path, "10 12:00", "electronic-rate", "officer-workload")
    assert found["electronic-rate", "30d", "national", ""] == (None, 1, 1, 1)
    assert found["officer-workload", "30d", "national", ""] == (None, 0, 0, 0)


def test_every_measured_kpi_of_the_strategy_has_a_query(strategy: Path, tmp_path: Path) -> None:
    """A new KPI of the strategy needs a query here, and no query outlives its KPI."""
    oracle = Oracle(Feed().write(tmp_path / "events.jsonl"), strategy)
    measured = {each.id for each in oracle.parameters.kpis.values() if each.measured}
    assert measured == set(oracle.sections)
    assert oracle.readings(datetime.fromisoformat("2026-03-01T00:00:00Z"))
