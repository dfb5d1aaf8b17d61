"""A `kpi-stream` process whose clock goes wrong: `python -m tests.support.skewed SECONDS WORDS...`.

Only `adapters/clock.py` reads the clock, so to move it there is to move the machine's.
"""

import sys

from kpi_stream.adapters.clock import Clock
from kpi_stream.cli import main


def skew(seconds: int) -> None:
    """Put the clock ahead; a negative number puts it back."""
    right = Clock.now_ms
    Clock.now_ms = lambda clock: right(clock) + seconds * 1000  # type: ignore[method-assign]


if __name__ == "__main__":
    skew(int(sys.argv.pop(1)))
    main()
