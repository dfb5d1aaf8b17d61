import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_stream.adapters.strategy_files.quantities import (
    amount,
    cents,
    duration_ms,
    field_value,
    in_unit,
    minute_of_day,
    ratio,
)
from kpi_stream.domain.strategy import Unit


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("250ms", 250), ("90s", 90_000), ("15m", 900_000), ("1.5h", 5_400_000), ("5 d", 432_000_000)],
)
def test_durations(text: str, milliseconds: int):
    """A duration is a number and its unit."""
    assert duration_ms(text) == milliseconds


@pytest.mark.parametrize("wrong", ["30", 30, 30.0, "h", "-3h", "1w", "1e3s", "0.5ms", None, True])
def test_what_is_not_a_duration(wrong: object):
    """A number without a unit is not a duration, nor is a fraction of a millisecond."""
    with pytest.raises(ValueError, match="is not"):
        duration_ms(wrong)


@pytest.mark.parametrize(
    ("written", "expected"),
    [("224.8M", 22_480_000_000), ("250k", 25_000_000), (0.1, 10), (14.29, 1_429), (0, 0)],
)
def test_amounts_are_exact(written: float | str, expected: int):
    """An amount becomes the cents that are written, whatever binary fractions make of it."""
    assert cents(written) == expected


@given(st.integers(0, 10**11), st.integers(0, 99))
def test_cents_of_any_amount(units: int, hundredths: int):
    """Two decimals are never rounded."""
    assert cents(f"{units}.{hundredths:02d}") == units * 100 + hundredths


@pytest.mark.parametrize("wrong", [-1, "-1", "5 %", "1G", True, float("inf"), None])
def test_what_is_not_an_amount(wrong: object):
    """Negative, endless and unknown amounts are refused."""
    with pytest.raises(ValueError, match="is not an amount"):
        amount(wrong)


def test_a_fraction_of_a_cent_is_refused():
    """What cannot be paid cannot be planned."""
    with pytest.raises(ValueError, match="fraction of a cent"):
        cents("0.001")


@pytest.mark.parametrize("wrong", ["85 %", "0.85", True, None, float("nan")])
def test_what_is_not_a_ratio(wrong: object):
    """A ratio is a plain number."""
    with pytest.raises(ValueError, match="write a plain number"):
        ratio(wrong)


def test_values_in_the_unit_of_a_kpi():
    """Values become seconds, ratios, major units and counts."""
    assert in_unit("30h", Unit.SECONDS) == 108_000
    assert in_unit(0.85, Unit.RATIO) == 0.85
    assert in_unit("1.25M", Unit.MONEY) == 1_250_000
    assert in_unit("2k", Unit.COUNT) == 2_000


def test_values_in_the_unit_of_a_field():
    """The ending of a field's name says its unit."""
    assert field_value("1k", "cif_cents") == 100_000
    assert field_value("72h", "waiting_ms") == 259_200_000
    assert field_value(4, "score") == 4
    with pytest.raises(ValueError, match="whole number"):
        field_value("4", "score")


@pytest.mark.parametrize(("text", "minute"), [("00:00", 0), ("08:30", 510), ("24:00", 1_440)])
def test_times_of_day(text: str, minute: int):
    """A time of day is minutes since midnight; 24:00 ends the day."""
    assert minute_of_day(text) == minute


@pytest.mark.parametrize("wrong", ["8:30", "08:60", "24:01", "08.30", 830])
def test_what_is_not_a_time_of_day(wrong: object):
    """Anything but HH:MM is refused."""
    with pytest.raises(ValueError, match="is not a time of day"):
        minute_of_day(wrong)
