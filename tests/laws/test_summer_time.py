"""The days on which clocks change, of 23 and of 25 hours, and the windows over them.

The strategies are those of administrations in such zones (Madrid, and Chatham, which is off the
full hour); the oracle knows panes and windows from `zoneinfo` alone.
"""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from kpi_stream.adapters.strategy_files import load_strategy
from kpi_stream.application.readings import ReadingTable
from kpi_stream.domain.catalogue import Catalogue
from kpi_stream.domain.windows import HOUR_MS, LocalDays
from tests.laws.brute import Raw
from tests.laws.brute_readings import readings
from tests.laws.rig import Partition, totals_of
from tests.laws.test_readings import assert_equal

STRATEGIES = Path(__file__).parents[1] / "strategies"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HALF_HOUR_MS = HOUR_MS // 2
CHANGES = [
    ("harbour", date(2026, 3, 29), 23),
    ("harbour", date(2026, 10, 25), 25),
    ("pocket", date(2026, 9, 27), 23),
    ("pocket", date(2026, 4, 5), 25),
]


def in_ms(at: datetime) -> int:
    """Return milliseconds since 1970."""
    return (at - EPOCH) // timedelta(milliseconds=1)


def life(number: int, at_ms: int) -> list[Raw]:
    """A declaration that arrives, is numbered at once, and is released within the day."""
    name = f"s{number}"
    values = ("01", "10", "sea", "urgent", number % 2 == 0, number % 3 == 0, 700, 50)
    released_ms = at_ms + (number % 11) * HOUR_MS
    return [
        Raw("transport.arrived", name, f"a{number}", at_ms, at_ms, ()),
        Raw("declaration.numbered", name, f"n{number}", at_ms, at_ms, values),
        Raw("release.granted", name, f"r{number}", released_ms, released_ms, ()),
    ]


@pytest.mark.parametrize(("name", "changed", "hours"), CHANGES)
def test_windows_over_a_change_of_clocks(name: str, changed: date, hours: int):
    """Each KPI reads what the raw events say, over the change, after it and a week later."""
    strategy = load_strategy(STRATEGIES / name)
    zone = ZoneInfo(strategy.calendar.time_zone)
    begin_ms = in_ms(datetime.combine(changed, datetime.min.time(), zone))
    days, day = LocalDays(zone.key), changed.toordinal()
    assert days.start_of(day) == begin_ms
    assert days.start_of(day + 1) - begin_ms == hours * HOUR_MS
    first_ms = begin_ms - 26 * HOUR_MS
    events = [
        each
        for number in range(150)  # one each half an hour, over three days
        for each in life(number, first_ms + number * HALF_HOUR_MS)
    ]
    events.sort(key=lambda each: each.recorded_ms)
    hours_after = (0, 1, 2, 3, 4, 12, 22, 23, 24, 25, 26, 7 * 24 - 1, 7 * 24, 7 * 24 + 2)
    catalogue = Catalogue(strategy)
    for hour in hours_after:
        as_of = begin_ms + hour * HOUR_MS
        known = [each for each in events if each.recorded_ms <= as_of]
        log = Partition(catalogue).take(known).drain().row_log
        found = ReadingTable(catalogue, totals_of(catalogue, log)).readings(as_of)
        assert_equal(found, readings(strategy, known, as_of))
        assert sum(each.value is not None for each in found.values()) > 3
