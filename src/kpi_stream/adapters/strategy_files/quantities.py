"""Durations, amounts and times of day as people write them, to base units and back.

`30h`, `7.4d` and `15m` are durations; `224.8M` and `250k` are amounts in major units of the
currency; a ratio is a plain number, 0.85 and never 85 %. A duration always names its unit: 30 hours
that were meant as 30 seconds are found here and not on a wall.
"""

import math
import re
from decimal import Decimal
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator

from kpi_stream.domain.strategy import Unit

Quantity: TypeAlias = int | float | str
"""A value as it stands in a file, before its unit is known."""

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*(k|M)?")
_CLOCK = re.compile(r"(\d{2}):(\d{2})")
_UNIT_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_SCALE = {None: 1, "k": 1_000, "M": 1_000_000}
_DAY_MINUTES = 1_440


def duration_ms(value: object) -> int:
    """Return a duration in milliseconds.

    Example:
        >>> duration_ms("48h"), duration_ms("7.4d")
        (172800000, 639360000)

    Raises:
        ValueError: It is not a number with a unit, or not a whole number of milliseconds.
    """
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        msg = f"{value} is not a duration; write a number with its unit, such as 15m, 30h or 5d"
        raise ValueError(msg)
    exact = Decimal(match[1]) * _UNIT_MS[match[2]]
    if exact != exact.to_integral_value():
        msg = f"{value} is not a whole number of milliseconds"
        raise ValueError(msg)
    return int(exact)


def amount(value: object) -> Decimal:
    """Return an amount in major units (or a plain count), exactly as it is written.

    Raises:
        ValueError: It is not a number of 0 or more, with or without k or M.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        if value >= 0 and math.isfinite(value):
            return Decimal(str(value))
    elif isinstance(value, str) and (match := _AMOUNT.fullmatch(value)):
        return Decimal(match[1]) * _SCALE[match[2]]
    msg = f"{value} is not an amount; write a number of 0 or more, such as 250k or 14.5M"
    raise ValueError(msg)


def cents(value: object) -> int:
    """Return an amount of money in integer cents.

    Example:
        >>> cents("224.8M"), cents(0.1)
        (22480000000, 10)

    Raises:
        ValueError: It is not an amount, or it has a fraction of a cent.
    """
    exact = amount(value) * 100
    if exact != exact.to_integral_value():
        msg = f"{value} has a fraction of a cent"
        raise ValueError(msg)
    return int(exact)


def ratio(value: object) -> float:
    """Return a ratio of 0 or more.

    Raises:
        ValueError: It is not a plain number.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        msg = f"{value} is not a ratio; write a plain number, 0.85 for 85 %"
        raise ValueError(msg)
    if value < 0:
        msg = f"{value} is negative; a ratio is 0 or more"
        raise ValueError(msg)
    return float(value)


def in_unit(value: Quantity, unit: Unit) -> float:
    """Return a value in the base unit of a KPI: seconds, a ratio, major units or a count.

    Raises:
        ValueError: It is not written as a value of that unit.
    """
    match unit:
        case Unit.SECONDS:
            return duration_ms(value) / 1000
        case Unit.RATIO:
            return ratio(value)
        case Unit.MONEY | Unit.COUNT:
            return float(amount(value))


def field_value(value: Quantity, field: str) -> int:
    """Return a value in the unit of an event's field, by the ending of the field's name.

    Raises:
        ValueError: It is not written as a value of that field.
    """
    if field.endswith("_cents"):
        return cents(value)
    if field.endswith("_ms"):
        return duration_ms(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    msg = f"{value} is not a whole number of 0 or more"
    raise ValueError(msg)


def minute_of_day(value: object) -> int:
    """Return a time of day as minutes since midnight, 24:00 included.

    Raises:
        ValueError: It is not HH:MM.
    """
    match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    minute = int(match[1]) * 60 + int(match[2]) if match and int(match[2]) < 60 else -1  # noqa: PLR2004 - minutes an hour
    if not 0 <= minute <= _DAY_MINUTES:
        msg = f'{value} is not a time of day; write "08:30"'
        raise ValueError(msg)
    return minute


DurationMs = Annotated[int, BeforeValidator(duration_ms)]
Cents = Annotated[int, BeforeValidator(cents)]
MinuteOfDay = Annotated[int, BeforeValidator(minute_of_day)]
