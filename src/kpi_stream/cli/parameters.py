"""Types of options, times and examples that several commands share."""

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
