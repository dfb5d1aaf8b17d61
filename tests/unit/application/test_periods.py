"""What a window covers and what it is compared with; noon of 2024-03-31 in Lima unless said."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from kpi_stream.application.periods import Period, before, current, named
from kpi_stream.domain.windows import LocalDays, parse

LIMA = LocalDays("America/Lima")
NOON = datetime(2024, 3, 31, 12, 7, tzinfo=ZoneInfo("America/Lima"))


def ms(at: datetime) -> int:
    """Return an instant in milliseconds."""
    return round(at.timestamp() * 1000)


def local(period: Period, days: LocalDays = LIMA) -> list[str]:
    """Return the first and the last minute of a period on the calendars of the zone."""
    ends = (period.start_ms, period.end_ms - 1)
    return [
        f"{datetime.fromtimestamp(at / 1000, UTC).astimezone(days.zone):%Y-%m-%d %H:%M}"
        for at in ends
    ]


@pytest.mark.parametrize(
    ("window", "now", "was"),
    [
        ("1h", ["2024-03-31 11:15", "2024-03-31 12:14"], ["2024-03-31 10:15", "2024-03-31 11:14"]),
        ("4d", ["2024-03-27 12:15", "2024-03-31 12:14"], ["2024-03-23 12:15", "2024-03-27 12:14"]),
        ("7d", ["2024-03-24 12:15", "2024-03-31 12:14"], ["2024-03-17 00:00", "2024-03-23 23:59"]),
        ("30d", ["2024-03-02 00:00", "2024-03-31 12:07"], ["2024-02-01 00:00", "2024-03-01 23:59"]),
        ("mtd", ["2024-03-01 00:00", "2024-03-31 12:07"], ["2024-02-01 00:00", "2024-02-29 23:59"]),
        ("qtd", ["2024-01-01 00:00", "2024-03-31 12:07"], ["2023-10-01 00:00", "2023-12-30 23:59"]),
        ("ytd", ["2024-01-01 00:00", "2024-03-31 12:07"], ["2023-01-01 00:00", "2023-04-01 23:59"]),
        ("12m", ["2023-04-01 00:00", "2024-03-31 12:07"], ["2022-04-01 00:00", "2023-03-31 23:59"]),
    ],
)
def test_the_window_before_is_as_long_and_shares_nothing(
    window: str, now: list[str], was: list[str]
):
    """Panes where they are kept, else whole days; to date, as many days from the beginning."""
    found = current(parse(window), ms(NOON), LIMA, complete=False)
    earlier = before(parse(window), found, ms(NOON), LIMA)
    assert earlier is not None
    assert (local(found), local(earlier)) == (now, was)
    assert earlier.end_ms <= found.start_ms


def test_a_window_to_date_is_compared_with_the_same_days_of_the_one_before():
    """On the 15th with the 1st to the 15th."""
    at = ms(NOON.replace(day=15))
    now = current(parse("mtd"), at, LIMA, complete=False)
    earlier = before(parse("mtd"), now, at, LIMA)
    assert earlier is not None
    assert local(earlier) == ["2024-02-01 00:00", "2024-02-15 23:59"]


def test_only_panes_that_have_ended_count_where_more_falls_due():
    """Today is made of panes then, and the period ends with the last whole one."""
    for window in ("24h", "30d"):
        found = current(parse(window), ms(NOON), LIMA, complete=True)
        assert local(found)[1] == "2024-03-31 11:59"
        earlier = before(parse(window), found, ms(NOON), LIMA)
        assert earlier is not None
        assert earlier.end_ms == found.start_ms


def test_hours_that_are_no_days_and_not_kept_have_nothing_before():
    """Of 100 hours the 100 before reach back further than fine panes do."""
    now = current(parse("100h"), ms(NOON), LIMA, complete=False)
    assert before(parse("100h"), now, ms(NOON), LIMA) is None


def test_the_days_before_a_week_in_which_clocks_change_are_local():
    """The week before ends at the midnight before the week now, whatever the clocks did."""
    madrid = LocalDays("Europe/Madrid")
    at = ms(datetime(2024, 4, 2, 0, 0, tzinfo=madrid.zone))
    now = current(parse("7d"), at, madrid, complete=False)
    assert local(now, madrid)[0] == "2024-03-25 23:00"
    earlier = before(parse("7d"), now, at, madrid)
    assert earlier is not None
    assert local(earlier, madrid) == ["2024-03-18 00:00", "2024-03-24 23:59"]


def test_a_period_has_a_name():
    """A month, or two days that both belong to it."""
    assert local(named("2024-02", LIMA)) == ["2024-02-01 00:00", "2024-02-29 23:59"]
    assert local(named("2023-12", LIMA)) == ["2023-12-01 00:00", "2023-12-31 23:59"]
    assert local(named("2024-02-10/2024-02-10", LIMA)) == ["2024-02-10 00:00", "2024-02-10 23:59"]


@pytest.mark.parametrize(
    "text", ["", "2024", "2024-13", "2024-02-30/2024-03-01", "2024-02-01", "2024-02-01/x", "a/b/c"]
)
def test_what_is_no_period_is_refused(text: str):
    """With both ways of writing one."""
    with pytest.raises(ValueError, match=r"is not a period; write it as 2026-10 or 2026-10-01/"):
        named(text, LIMA)


def test_a_period_that_ends_before_it_begins_is_refused():
    """The days were swapped."""
    with pytest.raises(ValueError, match="ends before it begins"):
        named("2024-03-02/2024-03-01", LIMA)
