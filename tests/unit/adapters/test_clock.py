"""The one reader of the clock."""

import time

from kpi_stream.adapters.clock import Clock


def test_the_wall_clock_is_in_milliseconds_since_1970() -> None:
    """Between two readings of the operating system's own clock."""
    before = int(time.time() * 1000)
    now_ms = Clock().now_ms()
    assert isinstance(now_ms, int)
    assert before - 1 <= now_ms <= time.time() * 1000 + 1


def test_the_monotonic_clock_does_not_go_back() -> None:
    """In seconds."""
    clock = Clock()
    readings = [clock.monotonic() for _ in range(100)]
    assert readings == sorted(readings)
    assert abs(clock.monotonic() - time.monotonic()) < 60
