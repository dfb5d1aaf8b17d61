"""Types of options, times and examples that several commands share."""

import re
from datetime import UTC, datetime
from pathlib import Path

import click

from kpi_stream.domain.errors import InputError
from kpi_stream.domain.strategy import Strategy
from kpi_stream.domain.windows import LocalDays

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)
SHARE = click.FloatRange(0, 1)

_YEARS = range(1970, 2200)
"""Sums are kept by days since 1970; what lies beyond these years is a slip of the pen."""


_UNITS_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def examples(*commands: str) -> str:
    """Return the end of a help text, which click does not wrap."""
    return "\b\nExamples:\n" + "\n".join(f"  {each}" for each in commands)


def instant(option: str, text: str, strategy: Strategy) -> int:
    """Return an instant in milliseconds; a time without an offset is the strategy's local time.

    Args:
        option: Where the text was given, for the error.
        text: RFC 3339; a date alone is its first moment.
        strategy: Gives the time zone.

    Raises:
        InputError: The text is not a time.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError as err:
        msg = f"{option} {text!r} is not a time; write it as 2026-06-30T23:59:00-05:00"
        raise InputError(msg) from err
    if at.year not in _YEARS:
        msg = f"{option} {text!r} is not in the years {_YEARS[0]} to {_YEARS[-1]}"
        raise InputError(msg)
    if at.tzinfo is None:
        at = at.replace(tzinfo=LocalDays(strategy.calendar.time_zone).zone)
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


def length_ms(option: str, text: str, units: str, digits: int) -> int:
    """Return a length of time in milliseconds.

    Args:
        option: Where the text was given, for the error.
        text: A number and a unit, such as `15m`.
        units: Those that make sense here, of s, m, h, d.
        digits: The most of the number.

    Raises:
        InputError: The text is no such length, or 0.
    """
    found = re.fullmatch(rf"(\d{{1,{digits}}})([{units}])", text)
    if found is None or not int(found[1]):
        msg = f"{option} {text!r} is not a length of time; write it as 15m, 1h or 1d"
        raise InputError(msg)
    return int(found[1]) * _UNITS_MS[found[2]]
