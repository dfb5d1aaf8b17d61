"""Rows have no grace: a backlog whose partitions advance ever so unevenly loses nothing."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from kpi_stream.application.as_of import AsOfClock, PartitionProgress
from kpi_stream.application.readings import ReadingTable
from kpi_stream.application.totals import RowTotals
from tests.laws.brute import Raw
from tests.laws.brute_readings import readings
from tests.laws.rig import CODEC, Partition
from tests.laws.strategies import DAY, catalogue, feeds, instants, strategy
from tests.laws.test_readings import assert_equal, in_log_order

ZONE = "Europe/Madrid"
PARTITIONS = 3


@st.composite
def backlogs(draw: st.DrawFn) -> tuple[int, list[Raw]]:
    """Return (now, the events of a year before it, most of them late for one another)."""
    now_ms = draw(instants(ZONE))
    return now_ms, draw(feeds(now_ms, ages=st.integers(0, 365 * DAY)))


@settings(max_examples=60)
@given(backlogs(), st.lists(st.integers(0, PARTITIONS - 1), max_size=40))
@example((1_711_846_800_000, []), [])
def test_a_backlog_that_advances_unevenly_loses_nothing(
    backlog: tuple[int, list[Raw]], turns: list[int]
):
    """The scorecard looks at every step; once all partitions are counted it says what is true.

    ```
    partition 0  ==================>|              turns: 0 0 0 0 ... then 1 1 1 ...
    partition 1                     |===========>
    as_of        none, then the least watermark of those behind, then the wall clock
    ```

    Without turns one partition is counted wholly before the next.
    """
    now_ms, events = backlog
    logs: list[list[Raw]] = [[] for _ in range(PARTITIONS)]
    for raw in in_log_order(events):
        logs[sum(raw.subject.encode()) % PARTITIONS].append(raw)
    folds = [Partition(catalogue(ZONE)) for _ in logs]
    table = ReadingTable(catalogue(ZONE), RowTotals(catalogue(ZONE), CODEC))
    done, read, clock, said = [0] * PARTITIONS, [0] * PARTITIONS, AsOfClock(), list[int]()
    whole = [number for number, log in enumerate(logs) for _ in log]
    for number in [*turns, *whole]:
        if done[number] == len(logs[number]):
            continue
        folds[number].take([logs[number][done[number]]]).drain()
        done[number] += 1
        for key, value in folds[number].row_log[read[number] :]:
            table.apply_row(number, key, value)
        read[number] = len(folds[number].row_log)
        progress = [
            PartitionProgress(
                each,
                done[each] - 1,
                fold.fold.watermark_ms if fold.fold.watermark_ms >= 0 else None,
                # Two that are not events: a partition at its end is still behind.
                len(logs[each]) + 2,
            )
            for each, fold in enumerate(folds)
        ]
        as_of = clock.advance(progress, now_ms).as_of_ms
        if as_of is not None:
            said.append(as_of)
            table.readings(as_of)
    assert said == sorted(said)
    assert done == [len(log) for log in logs]
    assert_equal(table.readings(now_ms), readings(strategy(ZONE), events, now_ms))
