from dataclasses import replace

import pytest

from kpi_stream.application.activity import Activity
from kpi_stream.application.readings import ReadingTable
from kpi_stream.domain.catalogue import Catalogue
from kpi_stream.domain.strategy import Calendar
from tests.laws.brute import Raw
from tests.laws.rig import Partition, totals_of
from tests.laws.strategies import DAY, HOUR, MINUTE, strategy

ALWAYS = Calendar("UTC", frozenset(range(7)), 0, 24 * 60)
NOON = 1_711_843_200_000 + 12 * HOUR  # 2024-03-31T12:00 UTC
QUARTERS = 7 * 96


def numbered(at_ms: int, office: str = "118") -> Raw:
    """Return the opening of a declaration."""
    values = (office, "10", "sea", "urgent", True, True, 0, 0)
    return Raw("declaration.numbered", f"s{at_ms}", "e1", at_ms, at_ms, values)


def table_of(*events: Raw, calendar: Calendar = ALWAYS) -> ReadingTable:
    """Return the table of some events."""
    known = Catalogue(replace(strategy(), calendar=calendar))
    return ReadingTable(known, totals_of(known, Partition(known).take(events).drain().row_log))


def test_silence_begins_with_the_end_of_the_newest_pane():
    """Within the pane of the newest event there is none; then it grows with the clock."""
    table = table_of(numbered(NOON - DAY), numbered(NOON + MINUTE))
    assert table.offices(NOON + 14 * MINUTE)["118"].silent_ms == 0
    assert table.offices(NOON + 16 * MINUTE)["118"].silent_ms == MINUTE
    assert table.offices(NOON + 2 * HOUR)["118"].silent_ms == 2 * HOUR - 15 * MINUTE


def test_an_event_that_is_not_due_yet_is_no_sign_of_life():
    """A declaration whose 48 hours end now was sent two days ago; silence counts from then."""
    arrived = Raw("transport.arrived", f"s{NOON}", "e2", NOON, NOON, ())
    table = table_of(numbered(NOON), arrived)
    assert table.offices(NOON + 2 * DAY + MINUTE)["118"].silent_ms == 2 * DAY - 14 * MINUTE


def test_the_active_share_is_of_quarter_hours():
    """Two events in one quarter are one; the present quarter is not looked at yet."""
    table = table_of(
        numbered(NOON - HOUR), numbered(NOON - HOUR + MINUTE), numbered(NOON - DAY), numbered(NOON)
    )
    assert table.offices(NOON + MINUTE)["118"] == Activity(0, 2 / QUARTERS)
    assert table.offices(NOON + 15 * MINUTE)["118"].active == 3 / QUARTERS


def test_activity_out_of_office_hours_does_not_count():
    """What comes at night does not make an office look busy by day."""
    day = replace(ALWAYS, opens_minute=12 * 60, closes_minute=13 * 60)
    table = table_of(numbered(NOON - DAY), numbered(NOON - DAY + 3 * HOUR), calendar=day)
    assert table.offices(NOON)["118"] == Activity(0, 1 / (7 * 4))


@pytest.mark.parametrize(("days", "there"), [(7.9, {"118"}), (8.2, set())])
def test_an_office_without_events_for_eight_days_is_gone(days: float, there: set[str]):
    """It has no series, as one that never sent anything."""
    assert set(table_of(numbered(NOON)).offices(NOON + round(days * DAY))) == there


def test_a_calendar_without_office_hours_gives_no_share():
    """There is nothing to divide by, and nobody is ever silent."""
    never = replace(ALWAYS, weekdays=frozenset())
    assert table_of(numbered(NOON), calendar=never).offices(NOON + DAY)["118"] == Activity(0, None)


def test_an_instant_long_before_the_rows_has_no_office():
    """Going back in time finds nothing, and does not fail."""
    table = table_of(numbered(NOON))
    assert table.offices(NOON)
    assert table.offices(NOON - 30 * DAY) == {}
