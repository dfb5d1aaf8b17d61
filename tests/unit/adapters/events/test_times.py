"""RFC 3339 to milliseconds, against the standard library's arithmetic."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_stream.adapters.events.times import (
    EARLIEST_MS,
    END_MS,
    NotAnInstant,
    instant_ms,
    parse_instant,
)
from kpi_stream.domain.errors import Reason

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
SECONDS = st.integers(-2_200_000_000, 7_200_000_000)
"""1900 to 2198."""
OFFSETS = st.integers(-23 * 60 - 59, 23 * 60 + 59)


def written(at: datetime, minutes: int, digits: int) -> str:
    """Return an instant as RFC 3339 text with an offset, its fraction cut to some digits."""
    local = at.astimezone(timezone(timedelta(minutes=minutes)))
    fraction = f".{local.microsecond:06}000"[: digits + 1] if digits else ""
    sign = "-" if minutes < 0 else "+"
    hours, rest = divmod(abs(minutes), 60)
    return f"{local:%Y-%m-%dT%H:%M:%S}".rjust(19, "0") + f"{fraction}{sign}{hours:02}:{rest:02}"


@given(
    seconds=SECONDS, microsecond=st.integers(0, 999_999), minutes=OFFSETS, digits=st.integers(0, 9)
)
def test_any_offset_and_fraction_gives_the_floor_in_milliseconds(
    seconds: int, microsecond: int, minutes: int, digits: int
) -> None:
    """Also before 1970, where cutting a negative number off would round up."""
    at = EPOCH + timedelta(seconds=seconds, microseconds=microsecond)
    unit = 10 ** max(0, 6 - digits)
    cut = at.replace(microsecond=microsecond // unit * unit)
    expected = (cut - EPOCH) // MILLISECOND
    text = written(at, minutes, digits)
    assert parse_instant(text) == expected
    if EARLIEST_MS <= expected < END_MS:
        assert instant_ms(text) == expected
        assert instant_ms(text) == expected, "a remembered hour gives the same"
    else:
        with pytest.raises(NotAnInstant, match="2000 to 2100"):
            instant_ms(text)


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("2000-01-01T00:00:00Z", True),
        ("1999-12-31T23:59:59.999Z", False),
        ("1999-12-31T19:00:00-05:00", True),
        ("2000-01-01T00:00:00+00:01", False),
        ("2100-12-31T23:59:59.999999999Z", True),
        ("2101-01-01T00:00:00Z", False),
        ("2100-12-31T23:59:59-00:01", False),
        ("2101-01-01T05:00:00+05:01", True),
    ],
)
def test_the_range_of_years_is_that_of_utc(text: str, fits: bool) -> None:  # noqa: FBT001 - a case
    """An offset can lead into the range and out of it; what was read before does not matter."""
    for hour in ("2000-01-01T00", "2100-12-31T23", "2101-01-01T05", "1999-12-31T19"):
        for tail in ("Z", "+05:01", "-00:01", "+00:01"):
            try:
                instant_ms(f"{hour}:00:00{tail}")
            except NotAnInstant:
                continue
    if fits:
        assert EARLIEST_MS <= instant_ms(text) < END_MS
    else:
        with pytest.raises(NotAnInstant):
            instant_ms(text)


def test_zulu_and_unknown_local_offset_are_utc() -> None:
    """RFC 3339 allows small letters, and -00:00 where the local offset is not known."""
    texts = ["2024-02-29T23:59:59Z", "2024-02-29t23:59:59z", "2024-02-29T23:59:59-00:00"]
    assert {instant_ms(text) for text in texts} == {1_709_251_199_000}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2024-02-29T10:00:00", Reason.NAIVE_TIME),
        ("2024-02-29T10:00:00.5", Reason.NAIVE_TIME),
        ("2023-02-29T10:00:00Z", Reason.INVALID_FIELD),
        ("2024-13-01T10:00:00Z", Reason.INVALID_FIELD),
        ("2024-00-01T10:00:00Z", Reason.INVALID_FIELD),
        ("0000-01-01T10:00:00Z", Reason.INVALID_FIELD),
        ("2024-02-29T24:00:00Z", Reason.INVALID_FIELD),
        ("2016-12-31T23:59:60Z", Reason.INVALID_FIELD),
        ("2024-02-29T10:60:00Z", Reason.INVALID_FIELD),
        ("2024-02-29 10:00:00Z", Reason.INVALID_FIELD),
        ("2024-02-29T10:00Z", Reason.INVALID_FIELD),
        ("2024-02-29T10:00:00,5Z", Reason.INVALID_FIELD),
        ("2024-02-29T10:00:00.Z", Reason.INVALID_FIELD),
        ("2024-02-29T10:00:00.0123456789Z", Reason.INVALID_FIELD),
        ("2024-02-29T10:00:00+0500", Reason.INVALID_FIELD),
        ("2024-02-29T10:00:00+24:00", Reason.INVALID_FIELD),
        ("2024-02-29T10:00:00+05:60", Reason.INVALID_FIELD),
        ("2024-02-29T10:00:00Z\n", Reason.INVALID_FIELD),
        (" 2024-02-29T10:00:00Z", Reason.INVALID_FIELD),
        ("2024-02-29T10:00:00 UTC", Reason.INVALID_FIELD),
        ("٢٠٢٤-02-29T10:00:00Z", Reason.INVALID_FIELD),
        ("20240229T100000Z", Reason.INVALID_FIELD),
        ("2024-W09-4T10:00:00Z", Reason.INVALID_FIELD),
        ("2024-02-29", Reason.INVALID_FIELD),
        ("", Reason.INVALID_FIELD),
    ],
)
def test_anything_else_is_refused(text: str, reason: Reason) -> None:
    """Twice, since a text that was refused must not be remembered."""
    for _ in range(2):
        with pytest.raises(NotAnInstant) as caught:
            instant_ms(text)
        assert caught.value.reason is reason
