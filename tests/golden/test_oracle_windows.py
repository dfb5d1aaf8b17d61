"""The oracle's windows, worked out by hand."""

from datetime import UTC, datetime

import pytest

from tests.oracle.local_time import LocalTime, milliseconds


def ms(text: str) -> int:
    """Return an ISO time with offset as milliseconds."""
    return milliseconds(datetime.fromisoformat(text).astimezone(UTC))


@pytest.mark.parametrize(
    ("name", "as_of", "start", "end", "due_end"),
    [
        # In the middle of a pane the window ends with it; what is due ends before it.
        ("1h", "2026-03-10T12:07-05:00", "10T11:15", "10T12:15", "10T12:00"),
        # On a pane boundary both end there.
        ("24h", "2026-03-10T12:15-05:00", "09T12:15", "10T12:15", "10T12:15"),
        ("7d", "2026-03-10T12:15-05:00", "03T12:15", "10T12:15", "10T12:15"),
        ("8d", "2026-03-10T12:07-05:00", "03T00:00", "11T00:00", "10T12:00"),
        ("mtd", "2026-03-10T23:59-05:00", "01T00:00", "11T00:00", "10T23:45"),
        # At midnight a new day has begun, and nothing of it is over.
        ("mtd", "2026-03-10T00:00-05:00", "01T00:00", "11T00:00", "10T00:00"),
        ("mtd", "2026-03-01T00:00-05:00", "01T00:00", "02T00:00", "01T00:00"),
        # 00:30 UTC on the 10th is still the 9th in Lima.
        ("mtd", "2026-03-10T00:30+00:00", "01T00:00", "10T00:00", "09T19:30"),
    ],
)
def test_windows_in_lima(name: str, as_of: str, start: str, end: str, due_end: str) -> None:
    """Rolling windows follow panes, the others local days."""
    window = LocalTime("America/Lima").window(name, ms(as_of))
    expected = [ms(f"2026-03-{each}:00-05:00") for each in (start, end, due_end)]
    assert [window.start, window.end, window.due_end] == expected


@pytest.mark.parametrize(
    ("name", "as_of", "first"),
    [
        ("30d", "2026-03-10T12:00-05:00", "2026-02-09"),
        ("qtd", "2026-03-31T23:59-05:00", "2026-01-01"),
        ("qtd", "2026-04-01T00:00-05:00", "2026-04-01"),
        ("ytd", "2025-12-31T23:59-05:00", "2025-01-01"),
        ("ytd", "2026-01-01T00:00-05:00", "2026-01-01"),
        ("12m", "2026-03-10T12:00-05:00", "2025-03-11"),
        ("12m", "2026-12-31T12:00-05:00", "2026-01-01"),
        ("12m", "2028-02-29T12:00-05:00", "2027-03-01"),
        ("12m", "2028-02-28T12:00-05:00", "2027-03-01"),
    ],
)
def test_first_days(name: str, as_of: str, first: str) -> None:
    """Months, quarters and years begin on local dates."""
    window = LocalTime("America/Lima").window(name, ms(as_of))
    assert window.start == ms(f"{first}T00:00:00-05:00")


def test_a_day_of_23_hours() -> None:
    """On 29 March 2026 the clocks of Madrid skip an hour: the day is an hour shorter."""
    time = LocalTime("Europe/Madrid")
    rows = time.days(ms("2026-03-28T12:00+01:00"), ms("2026-03-30T12:00+02:00"))
    assert [(end - start) / 3_600_000 for _, start, end in rows] == [24, 23, 24]
    window = time.window("30d", ms("2026-03-29T12:00+02:00"))
    assert window.start == ms("2026-02-28T00:00+01:00")
    assert window.end == ms("2026-03-30T00:00+02:00")


def test_an_unknown_window() -> None:
    """A window that the strategy may not use is refused."""
    with pytest.raises(ValueError, match="fortnight"):
        LocalTime("America/Lima").window("fortnight", 0)
