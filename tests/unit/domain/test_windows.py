from datetime import date

import pytest

from kpi_stream.domain.windows import (
    DAY_MS,
    HOUR_MS,
    PANE_MS,
    LocalDays,
    Span,
    WindowKind,
    first_day,
    parse,
    span,
)

LIMA = LocalDays("America/Lima")
NOON = 1_764_003_600_000  # 2025-11-24T12:00 in Lima


@pytest.mark.parametrize(
    ("name", "kind", "length"),
    [
        ("15m", WindowKind.ROLLING, PANE_MS),
        ("900s", WindowKind.ROLLING, PANE_MS),
        ("24h", WindowKind.ROLLING, DAY_MS),
        ("7d", WindowKind.ROLLING, 7 * DAY_MS),
        ("8d", WindowKind.DAYS, 8),
        ("366d", WindowKind.DAYS, 366),
        ("mtd", WindowKind.MONTH, 0),
        ("now", WindowKind.NOW, 0),
    ],
)
def test_a_window_is_known_by_its_name(name: str, kind: WindowKind, length: int):
    """Up to seven days a window rolls by panes, beyond that it is made of days."""
    window = parse(name)
    assert (window.kind, window.length) == (kind, length)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("10m", "do not divide window 10m"),
        ("2s", "do not divide window 2s"),
        ("169h", "longer than 7d"),
        ("367d", "longer than the 366 days"),
        ("0h", "not a window"),
        ("-1h", "not a window"),
        ("1.5h", "not a window"),
        ("month", "not a window"),
        ("", "not a window"),
    ],
)
def test_a_window_that_panes_do_not_make_up_is_refused(name: str, words: str):
    """What is no window is refused with what would be one."""
    with pytest.raises(ValueError, match=words):
        parse(name)


def test_a_rolling_window_ends_with_the_pane_of_as_of():
    """At 12:07 the last hour is made of the panes from 11:15 to 12:15.

    ```
    11:00 | 11:15 | 11:30 | 11:45 | 12:00 . 12:07 | 12:15
            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    ```
    """
    end = (NOON + PANE_MS) // PANE_MS
    assert span(parse("1h"), NOON + 7 * 60_000, LIMA) == Span((end - 4, end), (0, 0))


def test_on_a_boundary_the_window_ends_there():
    """At 12:00 sharp the pane that begins then is not in the window."""
    end = NOON // PANE_MS
    assert span(parse("1h"), NOON, LIMA) == Span((end - 4, end), (0, 0))
    assert span(parse("1h"), NOON, LIMA, complete=True) == Span((end - 4, end), (0, 0))


def test_only_complete_panes_count_for_what_is_dated_ahead():
    """At 12:07 what falls due at 12:10 is not due yet; of today only whole panes count.

    ```
    days ......... | today 00:00 ......... 12:00 | 12:07
    ^^^^^^^^^^^^^^   ^^^^^^^^^^^^^^^^^^^^^^^^^^^
    ```
    """
    today = date(2025, 11, 24).toordinal()
    found = span(parse("8d"), NOON + 7 * 60_000, LIMA, complete=True)
    midnight = (NOON - 12 * HOUR_MS) // PANE_MS
    assert found == Span((midnight, NOON // PANE_MS), (today - 7, today))


@pytest.mark.parametrize(
    ("name", "today", "first"),
    [
        ("30d", date(2024, 3, 1), date(2024, 2, 1)),
        ("mtd", date(2024, 3, 1), date(2024, 3, 1)),
        ("qtd", date(2024, 3, 31), date(2024, 1, 1)),
        ("qtd", date(2024, 12, 31), date(2024, 10, 1)),
        ("ytd", date(2024, 1, 1), date(2024, 1, 1)),
        ("12m", date(2024, 2, 29), date(2023, 3, 1)),
        ("12m", date(2025, 2, 28), date(2024, 2, 29)),
        ("12m", date(2025, 12, 31), date(2025, 1, 1)),
    ],
)
def test_the_first_day(name: str, today: date, first: date):
    """A window of days begins where its calendar says, leap years included."""
    assert first_day(parse(name), today) == first


def test_a_rolling_window_has_no_first_day():
    """Asking a rolling window for its first day is a mistake."""
    with pytest.raises(ValueError, match="not a window of days"):
        first_day(parse("24h"), date(2024, 1, 1))
