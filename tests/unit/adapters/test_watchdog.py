"""When a process ends itself, and when it is only idle, or was stopped itself."""

import logging
import subprocess
import sys
import threading

import pytest

from kpi_stream.adapters.watchdog import Watchdog
from tests.support.processes import eventually

LIMIT_S = 60.0


class Dog:
    """A watchdog on a clock that the test moves."""

    def __init__(self) -> None:
        self.now_s = 500.0
        self.reason: str | None = None
        self.asked: list[float] = []
        self.codes: list[int] = []
        self.watchdog = Watchdog(self._stalled, LIMIT_S, lambda: self.now_s, self.codes.append)

    def _stalled(self, limit_s: float) -> str | None:
        self.asked.append(limit_s)
        return self.reason

    def seconds(self, seconds: float) -> None:
        """Let it look every second for so long."""
        for _ in range(round(seconds)):
            self.now_s += 1
            self.watchdog.look()


def test_a_process_that_gets_on_is_left_alone() -> None:
    """It is asked every time, by the one limit."""
    dog = Dog()
    dog.seconds(10 * LIMIT_S)
    assert dog.codes == []
    assert set(dog.asked) == {LIMIT_S}


def test_a_stalled_process_ends_with_words(caplog: pytest.LogCaptureFixture) -> None:
    """The last line names what nothing moved for, the limit and the exit code."""
    dog = Dog()
    dog.reason = "partition 3: nothing moved for 61 s; 5 events wait"
    with caplog.at_level(logging.CRITICAL):
        dog.seconds(1)
    assert dog.codes == [1]
    (said,) = caplog.messages
    assert said == (
        "partition 3: nothing moved for 61 s; 5 events wait; the limit is 60 s: the process ends "
        "itself (exit code 1)"
    )


def test_one_that_was_stopped_itself_gets_the_whole_time_again() -> None:
    """After SIGSTOP everything is overdue, and the process may still go on."""
    dog = Dog()
    dog.seconds(5)
    dog.reason = "overdue"
    dog.now_s += 10 * LIMIT_S
    dog.watchdog.look()
    assert dog.codes == []
    dog.seconds(LIMIT_S - 1)
    assert dog.codes == []
    dog.seconds(1)
    assert dog.codes == [1]


def test_a_late_thread_is_no_stop() -> None:
    """Without a core to spare the watchdog itself comes late, and judges all the same."""
    dog = Dog()
    dog.reason = "overdue"
    dog.now_s += LIMIT_S / 2
    dog.watchdog.look()
    assert dog.codes == [1]


PROGRAM = """
import asyncio, sys, time
from kpi_stream.adapters.faust_app.liveness import Liveness
from kpi_stream.adapters.watchdog import Watchdog
from tests.support.processes import eventually

async def main():
    signs = Liveness(time.monotonic, 1e9)
    signs.joined([])
    with Watchdog(signs.stalled, 1.0, time.monotonic):
        for _ in range(20):
            signs.beat()
            await asyncio.sleep(0.1)
        print("idle and alive", flush=True)
        {hang}
    time.sleep(3)  # the watch is over

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("hang", "code"), [("time.sleep(1e6)", 1), ("await asyncio.sleep(1e6)", 1), ("", 0)]
)
def test_a_loop_that_hangs_ends_the_process(hang: str, code: int) -> None:
    """From its own thread, whatever the loop does; and not where the work has ended."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(hang=hang)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.stdout == "idle and alive\n"
    assert (done.returncode, "the worker's loop hangs for" in done.stderr) == (code, code == 1)


def test_a_log_that_nobody_reads_does_not_keep_it_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    """Writing the last line may be the very thing that hangs: the end does not wait for it."""
    monkeypatch.setattr("kpi_stream.adapters.watchdog._LAST_WORDS_S", 0.1)
    ended, waited = threading.Event(), list[bool]()

    class Blocked(logging.Handler):
        def emit(self, _: logging.LogRecord) -> None:
            waited.append(ended.wait(30))

    logger, handler = logging.getLogger("kpi_stream.adapters.watchdog"), Blocked()
    logger.addHandler(handler)
    try:
        watchdog = Watchdog(lambda _: "overdue", LIMIT_S, lambda: 0.0, lambda _: ended.set())
        watchdog.look()
        assert ended.is_set()
        eventually(lambda: waited, within_s=60, what="the line is written")
    finally:
        logger.removeHandler(handler)
    assert waited == [True]
