"""The product against the oracle: every KPI, window, dimension and member, at several instants.

Counts and sums are equal to the unit, quantiles within 1 %, and both know the same series. Three
feeds: one without manners (`oracle/wild.py`), the simulator's own with every fault injected, and
one simulated from a file of declarations. With KPI_STREAM_WIDE=1 they are many times larger, and
the file is the whole public data set where it is found.
"""

import csv
import gzip
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from kpi_stream.adapters.simulator import Injections, SimulationOptions, office_shares, simulate
from kpi_stream.adapters.strategy_files import load_strategy
from kpi_stream.application.replay import Tally
from kpi_stream.bootstrap.offline import replay_file
from kpi_stream.settings import Settings
from tests.oracle.differences import differences, report
from tests.oracle.local_time import LocalTime, floor_pane, milliseconds
from tests.oracle.oracle import Key, Oracle, OracleReading
from tests.oracle.strategies import copy_strategy
from tests.oracle.wild import Wild

WIDE = bool(os.environ.get("KPI_STREAM_WIDE"))
NOW = datetime(2026, 3, 18, 15, 7, 30, tzinfo=UTC)
"""When the feeds end: 10:07:30 of a Wednesday in Lima."""
DECLARATIONS = Path(
    os.environ.get(
        "KPI_STREAM_DECLARATIONS",
        Path(__file__).parents[3] / "shared" / "data" / "customs_declarations_train.csv.gz",
    )
)
QUANTILES = frozenset({"release-time-median", "release-time-p90"})
"""KPIs that are read from a histogram; everything else is exact."""
pytestmark = pytest.mark.timeout(1200 if WIDE else 120)
INJECTIONS = Injections(
    duplicates=0.03, disorder=0.05, late=0.04, corrections=0.04, conflicts=0.03, malformed=0.02
)


@dataclass
class Case:
    """One feed, read by both sides."""

    path: Path
    strategy: Path
    oracle: Oracle
    quantiles: frozenset[str]
    forget_days: int
    """The oracle knows no leaving, so nothing of the feed may come after its subject has left. The
    wild feed keeps within the default; the simulator amends declarations that left long ago."""

    def product(self, as_of: datetime) -> tuple[dict[Key, OracleReading], Tally]:
        """Return the product's readings in the oracle's words."""
        strategy = load_strategy(self.strategy)
        settings = Settings(forget_complete_days=self.forget_days)
        at = milliseconds(as_of)
        evaluation, tally = replay_file(self.path, strategy, settings, at)
        readings = {
            (key.kpi, key.window, key.dimension, key.member): OracleReading(
                each.value, each.numerator, each.denominator, each.samples
            )
            for key, each in evaluation.readings.items()
        }
        return readings, tally


def lima(year: int, month: int, day: int) -> datetime:
    """Return a midnight in Lima."""
    return datetime(year, month, day, 5, tzinfo=UTC)


def a_wild_feed(path: Path, offices: list[str]) -> None:
    """18 months of nonsense in the right format."""
    subjects = 9_000 if WIDE else 1_200
    edges = [instant(choose) for choose in INSTANTS]
    Wild(7, [*offices[:5], "235"], lima(2024, 10, 1), edges).write(path, subjects)


def simulated(path: Path, strategy: Path, declarations: Path | None) -> None:
    """The simulator's events with every fault injected."""
    loaded = load_strategy(strategy)
    options = SimulationOptions(
        now_ms=milliseconds(NOW),
        offices=office_shares(sorted(loaded.offices)),
        calendar=loaded.calendar,
        seed=11,
        days=None if declarations or WIDE else 450,
        declarations=declarations,
        per_day=20.0 if WIDE else 3.0,
        regimes=(("10", 0.9), ("20", 0.05), ("70", 0.05)),
        # Enough inspections by chance for a targeting lift.
        random_selection=0.1,
        kpis=tuple(each.id for each in loaded.kpis),
        injections=INJECTIONS,
    )
    with path.open("wb") as file:
        for record in simulate(options):
            if record.value is not None:
                file.write(record.value + b"\n")


def some_declarations(path: Path) -> Path:
    """Write declarations of the public data set, or such as it might hold, and return the path."""
    if DECLARATIONS.exists():
        with gzip.open(DECLARATIONS, "rt", encoding="utf-8") as file:
            lines = file.readlines()
        path.write_text("".join([lines[0], *lines[1 :: 1 if WIDE else 30]]), encoding="utf-8")
        return path
    chance, first = random.Random(5), date(2020, 1, 1)
    columns = "Declaration ID,Date,Office ID,Process Type,Import Type,Import Use,Payment Type,Mode of Transport,Declarant ID,Importer ID,Seller ID,Courier ID,HS6 Code,Country of Departure,Country of Origin,Tax Rate,Tax Type,Country of Origin Indicator,Net Mass,Item Price,Fraud,Critical Fraud"  # noqa: E501 - as in the file
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns.split(","))
        for number in range(1_500):
            day = first + timedelta(days=number * 546 // 1_500)
            row = (97_000_000 + number, day, chance.choice((10, 20, 30, 40)), "B", 11, 21, 11)
            row += (chance.choice((10, 20, 30, 40, 50, 90)), "ZZR1LT6", "QLRUBN9", "0VKY2BR", "")
            row += (440_890, "BE", "BE", chance.choice((0.0, 8.0)), "FEU1", "G", 108.0)
            writer.writerow((*row, chance.randrange(10**7) / 10, chance.choice((0, 0, 0, 1)), 0))
    return path


@pytest.fixture(scope="module")
def strategy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packaged strategy, but with a value wherever there is one sample."""
    return copy_strategy(tmp_path_factory.mktemp("strategy"))


# Read once a data set, by one process.
DATA_SETS = [
    pytest.param(name, marks=pytest.mark.xdist_group(name))
    for name in ("wild", "simulated", "declarations")
]


@pytest.fixture(scope="module", params=DATA_SETS)
def case(
    request: pytest.FixtureRequest, strategy: Path, tmp_path_factory: pytest.TempPathFactory
) -> Case:
    """Each of the feeds, written once."""
    folder = tmp_path_factory.mktemp(request.param)
    path, loaded = folder / "events.jsonl", load_strategy(strategy)
    if request.param == "wild":
        a_wild_feed(path, sorted(loaded.offices))
    elif request.param == "simulated":
        simulated(path, strategy, None)
    else:
        simulated(path, strategy, some_declarations(folder / "declarations.csv"))
    forget_days = 30 if request.param == "wild" else 90
    return Case(path, strategy, Oracle(path, strategy), QUANTILES, forget_days)


def in_the_middle_of_a_pane(time: LocalTime) -> int:
    """10:07:30 in Lima, when the feeds end."""
    del time
    return milliseconds(NOW)


def on_a_pane_boundary(time: LocalTime) -> int:
    """Two days before."""
    del time
    return floor_pane(milliseconds(NOW - timedelta(days=2)))


def at_local_midnight(time: LocalTime) -> int:
    """The day has just begun."""
    return time.start_of(time.day_of(milliseconds(NOW)))


def just_before_midnight(time: LocalTime) -> int:
    """The last millisecond of a day."""
    return time.start_of(time.day_of(milliseconds(NOW))) - 1


def at_the_start_of_a_month(time: LocalTime) -> int:
    """The month to date is empty."""
    return time.start_of(date(2026, 3, 1))


def at_the_start_of_a_year(time: LocalTime) -> int:
    """Month, quarter and year to date are empty."""
    return time.start_of(date(2026, 1, 1))


def in_the_past(time: LocalTime) -> int:
    """A time at which half of the feed was not known yet."""
    return time.start_of(date(2025, 8, 14)) + 40_000_123


INSTANTS = (
    in_the_middle_of_a_pane,
    on_a_pane_boundary,
    at_local_midnight,
    just_before_midnight,
    at_the_start_of_a_month,
    at_the_start_of_a_year,
    in_the_past,
)


def instant(choose: Callable[[LocalTime], int]) -> datetime:
    """Return an instant of the feeds."""
    return datetime.fromtimestamp(0, UTC) + timedelta(
        milliseconds=choose(LocalTime("America/Lima"))
    )


@pytest.mark.parametrize("choose", INSTANTS, ids=lambda each: each.__name__)
def test_every_series_is_the_oracles(case: Case, choose: Callable[[LocalTime], int]) -> None:
    """The product's readings are the oracle's, whatever the feed does to it."""
    as_of = instant(choose)
    expected = case.oracle.readings(as_of)
    actual, tally = case.product(as_of)
    found = differences(expected, actual, case.quantiles)
    assert not found, report(found)
    outcomes = {str(key.value): count for key, count in tally.rejected.items()}
    outcomes |= {str(key): count for key, count in tally.outcomes.items()}
    assert outcomes == case.oracle.outcomes(as_of)
    # Nothing of this would be worth anything if there were nothing to compare.
    assert sum(1 for each in expected.values() if each.value is not None) > 150


def test_every_kpi_has_data(case: Case) -> None:
    """Each feed says something of every measured KPI, so that none agrees by silence."""
    readings = case.oracle.readings(NOW)
    with_data = {key[0] for key, each in readings.items() if each.value is not None}
    assert with_data == set(case.oracle.sections)


def test_the_faults_are_in_the_feed(case: Case) -> None:
    """Each feed has repetitions, contradictions and refused lines of every kind a file can have."""
    outcomes = case.oracle.outcomes(NOW)
    assert case.oracle.conflicting(NOW) > 20
    assert outcomes["duplicate"] > 100
    assert outcomes["conflicting"] > 20
    assert set(case.oracle.rejected) == {
        "not_json", "unknown_type", "invalid_field", "impossible_number", "naive_time",
        "future_time", "unknown_office", "oversized",
    }  # fmt: skip


@pytest.mark.parametrize("case", DATA_SETS[:1], indirect=True)
def test_the_command_prints_the_same(case: Case) -> None:
    """`kpi-stream replay --as-of` gives what the function gives, as JSON."""
    as_of = instant(at_local_midnight)
    command = [sys.executable, "-m", "kpi_stream", "replay", str(case.path), "--format", "json"]
    command += ["--strategy", str(case.strategy), "--as-of", as_of.isoformat()]
    environment = os.environ | {"KPI_STREAM_FORGET_COMPLETE_DAYS": str(case.forget_days)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    printed = {
        (row["kpi"], row["window"], row["dimension"], row["member"]): OracleReading(
            row["value"], row["numerator"], row["denominator"], row["samples"]
        )
        for row in json.loads(done.stdout)
    }
    found = differences(case.oracle.readings(as_of), printed, case.quantiles)
    assert not found, report(found)


def test_in_a_zone_with_summer_time(tmp_path: Path) -> None:
    """Days of 23 and 25 hours: the clocks of Madrid change on 26 October and 29 March."""
    folder = copy_strategy(tmp_path, time_zone="Europe/Madrid")
    edges = [
        datetime(2025, 10, 26, 22, 50, tzinfo=UTC),  # 23:50, at the end of a long day
        datetime(2025, 10, 31, 23, tzinfo=UTC),  # midnight that opens a month
        datetime(2026, 3, 29, 1, 7, tzinfo=UTC),  # the skipped hour
        datetime(2026, 3, 29, 22, tzinfo=UTC),  # midnight after a short day
        datetime(2026, 4, 2, 21, 59, 59, tzinfo=UTC),
    ]
    path = tmp_path / "events.jsonl"
    Wild(13, ["118", "235"], lima(2025, 8, 1), edges).write(path, 700)
    case = Case(path, folder, Oracle(path, folder), QUANTILES, 30)
    for as_of in edges:
        expected = case.oracle.readings(as_of)
        found = differences(expected, case.product(as_of)[0], case.quantiles)
        assert not found, f"{as_of}: {report(found)}"
        assert sum(1 for each in expected.values() if each.value is not None) > 150


def test_a_difference_is_seen() -> None:
    """One unit more, a series too few, or a quantile off by more than 1 % is reported by name."""
    rate, median = ("rate", "12m", "national", ""), ("median", "12m", "office", "118")
    expected = {rate: OracleReading(0.5, 1, 2, 2), median: OracleReading(50.0, 50_000, 1, 9)}

    def found(**changes: OracleReading) -> list[str]:
        by_name = {"rate": rate, "median": median}
        actual = expected | {by_name[name]: reading for name, reading in changes.items()}
        return differences(expected, actual, {"median"})

    assert found() == []
    national = "rate / 12m / national / -"
    assert found(rate=OracleReading(0.5, 2, 2, 2)) == [
        f"{national}: numerator: oracle 1, product 2"
    ]
    assert found(rate=OracleReading(None, 1, 3, 2)) == [
        f"{national}: denominator: oracle 2, product 3; value: oracle 0.5, product None"
    ]
    assert found(median=OracleReading(50.45, 50_450, 1, 9)) == []
    assert len(found(median=OracleReading(50.55, 50_550, 1, 9))) == 1
    assert len(found(median=OracleReading(50.0, 50_000, 1, 8))) == 1
    (missing,) = differences(expected, {rate: expected[rate]}, {"median"})
    assert missing.startswith("median / 12m / office / 118: samples: oracle 9, product 0")
    assert len(differences({rate: expected[rate]}, expected, {"median"})) == 1
    # A member of which there is nothing may be named or not.
    silent = {("rate", "1h", "office", "118"): OracleReading(None, 0, 0, 0)}
    assert differences(expected, expected | silent, {"median"}) == []
