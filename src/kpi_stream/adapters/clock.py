"""The clock of the machine: the only place that reads it.

Everything else takes an instant as an argument, so that replaying a file gives the same result
today and next year, and tests need no patching.
"""

import time

_NS_PER_MS = 1_000_000


class Clock:
    """Wall time for `as_of`, monotonic time for intervals, processor time for what work costs."""

    def now_ms(self) -> int:
        """Return milliseconds since 1970 UTC; may step when the machine's clock is set."""
        return time.time_ns() // _NS_PER_MS

    def monotonic(self) -> float:
        """Return seconds from an arbitrary start; never goes back, so intervals are safe."""
        return time.monotonic()

    def busy(self) -> float:
        """Return the processor time that the calling thread has taken, in seconds."""
        return time.thread_time()
