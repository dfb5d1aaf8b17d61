"""Stages and worklists against SQL over the same events, in any order and over several partitions.

The feeds have no manners (`oracle/wild.py`), or are the simulator's with every fault injected.
"""

import random
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import pytest

from kpi_stream.adapters.simulator import Injections, SimulationOptions, office_shares, simulate
from kpi_stream.adapters.state_codec import MsgspecStateCodec
from kpi_stream.adapters.strategy_files import load_strategy
from kpi_stream.application.fold import PartitionFold, Retention
from kpi_stream.application.readings import ReadingTable
from kpi_stream.application.stages import WayTable
from kpi_stream.application.totals import RowTotals
from kpi_stream.application.worklist import decode
from kpi_stream.bootstrap.common import event_codec
from kpi_stream.domain.catalogue import Catalogue
from kpi_stream.domain.errors import EventRejected
from kpi_stream.domain.events import Event
from kpi_stream.domain.strategy import Strategy
from kpi_stream.domain.windows import DAY_MS, PANE_MS
from kpi_stream.domain.worklist import OfficeList, Waiting, Worksheet, worksheet
from kpi_stream.settings import Settings
from tests.oracle.local_time import milliseconds
from tests.oracle.oracle import Oracle, Wait
from tests.oracle.strategies import copy_strategy
from tests.oracle.wild import Wild

pytestmark = pytest.mark.timeout(240)

NOW = datetime(2026, 3, 18, 15, 0, tzinfo=UTC)
"""On the boundary of a pane: so are the times by which the counted ones are late or close."""
PARTITIONS = 3
HOUR = 3_600_000
LIMIT = 48 * HOUR
CLOSE = 12 * HOUR
SIZE = 1
"""So that most of those that wait are counted and not listed."""
RETENTION = Retention(3_000 * DAY_MS, 3_000 * DAY_MS)
"""The oracle knows no leaving."""


@dataclass
class Case:
    """One feed, read by both sides."""

    oracle: Oracle
    strategy: Strategy
    lists: list[OfficeList]
    table: ReadingTable


def wild(path: Path, strategy: Strategy) -> None:
    """Four months of nonsense in the right format."""
    offices, since = sorted(strategy.offices)[:5], datetime(2025, 11, 20, 5, tzinfo=UTC)
    Wild(7, [*offices, "235"], since, [NOW]).write(path, 1_500)


def simulated(path: Path, strategy: Strategy) -> None:
    """Three weeks of the simulator's stories, with every fault injected."""
    options = SimulationOptions(
        now_ms=milliseconds(NOW),
        offices=office_shares(sorted(strategy.offices)[:4]),
        calendar=strategy.calendar,
        seed=11,
        days=20,
        per_day=40.0,
        regimes=(("10", 0.8), ("20", 0.1), ("70", 0.1)),
        kpis=tuple(each.id for each in strategy.kpis),
        injections=Injections(
            duplicates=0.03, disorder=0.05, late=0.04, corrections=0.04, conflicts=0.03
        ),
    )
    with path.open("wb") as file:
        file.writelines(each.value + b"\n" for each in simulate(options))


class Partitions:
    """Workers of some partitions, without a broker: what they write, by partition and key."""

    def __init__(self, strategy: Strategy) -> None:
        self._catalogue, self._codec = Catalogue(strategy), MsgspecStateCodec()
        self._folds = [self._fold() for _ in range(PARTITIONS)]
        self._subjects: list[dict[bytes, bytes | None]] = [{} for _ in range(PARTITIONS)]
        self._rows: list[dict[bytes, bytes | None]] = [{} for _ in range(PARTITIONS)]
        self._topic: dict[tuple[int, bytes], bytes | None] = {}
        self.totals = RowTotals(self._catalogue, self._codec)
        self.table = ReadingTable(self._catalogue, self.totals)

    def _fold(self) -> PartitionFold:
        return PartitionFold(self._catalogue, self._codec, RETENTION)

    def apply(self, event: Event) -> int:
        """Take an event and return in which partition."""
        number = partition_of(event.subject)
        self._folds[number].apply(event)
        return number

    def drain(self, number: int) -> None:
        """Write what changed."""
        changes = self._folds[number].drain()
        self._subjects[number].update(changes.subjects)
        self._rows[number].update(changes.rows)
        self._topic.update({(number, key): value for key, value in changes.worklists})
        for key, value in changes.rows:
            self.totals.apply_row(number, key, value)

    def restart(self, number: int) -> None:
        """Write what changed, forget everything, and read it again."""
        self.drain(number)
        meta, fold = self._folds[number].meta(), self._fold()
        for key, value in self._rows[number].items():
            fold.restore_row(key, value)
        for key, value in self._subjects[number].items():
            fold.restore_subject(key, value)
        fold.restore_meta(meta)
        fold.restored()
        self._folds[number] = fold

    def lists(self) -> list[OfficeList]:
        """Return what is written by now."""
        found = [each for each in self._topic.items() if each[1] is not None]
        return [decode(key, value or b"")[2] for (_, key), value in found]


def partition_of(subject: str) -> int:
    """Return where the events of a subject go."""
    return zlib.crc32(subject.encode()) % PARTITIONS


def accepted(path: Path, strategy: Strategy) -> Iterator[Event]:
    """Yield the events of a file that are recorded by now, in its order."""
    codec, ever_ms = event_codec(Settings(), strategy), milliseconds(NOW + timedelta(days=9_000))
    for line in path.read_bytes().splitlines():
        with suppress(EventRejected):
            event = codec.decode_value(line, ever_ms)
            if event.fact.recorded_ms <= milliseconds(NOW):
                yield event


@pytest.fixture(scope="module", params=[wild, simulated], ids=lambda each: each.__name__)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    """Each feed, folded by partitions that drain and restart whenever."""
    folder = tmp_path_factory.mktemp(request.param.__name__)
    path, strategy_folder = folder / "events.jsonl", copy_strategy(folder)
    strategy = load_strategy(strategy_folder)
    request.param(path, strategy)
    shorter = tuple(replace(each, size=SIZE) for each in strategy.worklists)
    strategy = replace(strategy, worklists=shorter)
    partitions, chance = Partitions(strategy), random.Random(3)
    for event in accepted(path, strategy):
        number = partitions.apply(event)
        if chance.random() < 0.01:
            chance.choice((partitions.drain, partitions.drain, partitions.restart))(number)
    for number in range(PARTITIONS):
        partitions.drain(number)
    oracle = Oracle(path, strategy_folder)
    return Case(oracle, strategy, partitions.lists(), partitions.table)


def test_the_stages_are_the_oracles(case: Case) -> None:
    """Every stage, window and member: how many, and how long together, to the millisecond."""
    way = case.strategy.way
    assert way is not None
    expected = case.oracle.stages(NOW, way.windows, way.dimensions)
    found: dict[tuple[str, str, str, str], tuple[int, int]] = {}
    table = WayTable(case.table.catalogue, case.table.totals)
    for window, dimension in product(way.windows, ("national", *way.dimensions)):
        for each in table.read(milliseconds(NOW), window, dimension):
            for stage in each.stages:
                key = (stage.stage.id, window, dimension, each.member)
                found[key] = (stage.samples, stage.total_ms)
    wanted = {key: (each.samples, each.numerator) for key, each in expected.items()}
    assert {key: each for key, each in found.items() if each[0]} == {
        key: each for key, each in wanted.items() if each[0]
    }
    assert len({key[0] for key, each in wanted.items() if each[0]}) == len(way.stages)


def test_the_stages_add_up_to_the_release_time(case: Case) -> None:
    """K01 counts the same declarations, and its sum is that of the stages on the way."""
    at, kpi = milliseconds(NOW), "release-time-mean"
    readings = case.table.readings(at)
    compared = 0
    for dimension in ("national", "office"):
        for each in WayTable(case.table.catalogue, case.table.totals).read(at, "30d", dimension):
            reading = next(
                one
                for key, one in readings.items()
                if (key.kpi, key.window, key.dimension, key.member)
                == (kpi, "30d", dimension, each.member)
            )
            assert (each.samples, each.total_ms) == (reading.samples, reading.numerator)
            inside = sum(stage.total_ms for stage in each.stages if stage.inside)
            assert inside == each.total_ms
            compared += each.samples > 0
    assert compared > 4


def by_hand(waits: list[Wait], now_ms: int) -> Worksheet:
    """Return the list of all those that wait, as each partition lists and counts its own.

    Those that are not listed are known by the pane in which they fall due.
    """
    seen: Counter[tuple[int, str]] = Counter()
    listed, late, close = list[Waiting](), 0, 0
    for each in sorted(waits, key=lambda one: (one.due_ms, f"declaration:{one.subject}")):
        place = (partition_of(each.subject), each.office)
        seen[place] += 1
        in_time = seen[place] <= SIZE
        due_ms = each.due_ms if in_time else each.due_ms // PANE_MS * PANE_MS
        late += due_ms < now_ms
        close += now_ms <= due_ms <= now_ms + CLOSE
        if in_time and each.due_ms <= now_ms + CLOSE:
            listed.append(
                Waiting(
                    each.due_ms, each.subject, each.office, each.channel, each.stage, each.since_ms
                )
            )
    return Worksheet(tuple(listed), late, close)


@pytest.mark.parametrize("ahead_h", [0, 7, 40])
def test_the_worklist_is_the_oracles(case: Case, ahead_h: int) -> None:
    """Who is listed in which order, stage and hands, and how many others are late or close.

    Hours later, without an event, more of them are late: the reader has the clock.
    """
    (wanted,) = case.strategy.worklists
    waits = case.oracle.waiting(NOW)
    now_ms = milliseconds(NOW) + ahead_h * HOUR
    offices = sorted({each.office for each in waits})
    assert len(offices) > 2
    assert len({each.stage for each in waits}) > 2
    for office in (None, *offices):
        lists = [each for each in case.lists if office in (None, each.listed[0].office)]
        found = worksheet(lists, replace(wanted, size=100_000), LIMIT, now_ms)
        expected = by_hand([each for each in waits if office in (None, each.office)], now_ms)
        assert sorted(found.listed) == sorted(expected.listed)
        assert (found.late, found.close) == (expected.late, expected.close)
        dues = [each.due_ms for each in found.listed]
        assert dues == sorted(dues)
        short = worksheet(lists, wanted, LIMIT, now_ms)
        assert short.listed == found.listed[:SIZE]
        assert short.more == found.late + found.close - len(short.listed)
    assert found.late + found.close > 0


def test_the_list_is_bounded(case: Case) -> None:
    """However many wait, a partition lists so many of an office; the rest is a number."""
    assert max(len(each.listed) for each in case.lists) == SIZE
    listed = sum(len(each.listed) + sum(each.later.values()) for each in case.lists)
    assert listed == len(case.oracle.waiting(NOW))
    assert sum(sum(each.later.values()) for each in case.lists) > 5
