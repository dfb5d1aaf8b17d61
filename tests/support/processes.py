"""Child processes of a test: their output in a file, waits with a deadline, certain clean-up."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

T = TypeVar("T")

_POLL_S = 0.05
_LOG_CHARS = 3_000


def eventually(condition: Callable[[], T | None], *, within_s: float, what: str) -> T:
    """Return the first true value of `condition`, asked again and again until the deadline.

    Args:
        condition: Asked about every 50 ms; a false value means not yet.
        within_s: The deadline, in seconds from now.
        what: What is waited for, for the failure's text.

    Raises:
        TimeoutError: The condition stayed false.
    """
    deadline = time.monotonic() + within_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            msg = f"not within {within_s:g} s: {what}"
            raise TimeoutError(msg)
        time.sleep(_POLL_S)


class Process:
    """One child process in a process group of its own, as a context manager.

    Leaving the context kills the whole group, however the test ended.

    Args:
        command: The program and its arguments.
        log: The file that standard output and error are appended to.
        env: Variables added to those of the test run.
        cwd: The working directory; None is the test run's.
        dies_with_parent: Let the kernel end the process when the *thread* that starts it ends, so
            that even a killed test run leaves nothing behind (Linux with setpriv only).
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        dies_with_parent: bool = False,
    ) -> None:
        self.command = [str(word) for word in command]
        self.log = log
        self._env = {**os.environ, **(env or {})}
        self._cwd = cwd
        self._prefix: list[str] = []
        if dies_with_parent and shutil.which("setpriv"):
            self._prefix = ["setpriv", "--pdeathsig", "KILL"]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start the process, again if it has ended before."""
        if self.running:
            msg = f"already running: {self}"
            raise RuntimeError(msg)
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [*self._prefix, *self.command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._env,
                cwd=self._cwd,
                start_new_session=True,
            )
        return self

    def __enter__(self) -> Self:
        return self if self.running else self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.kill()

    def __str__(self) -> str:
        return " ".join(self.command)[:200]

    @property
    def pid(self) -> int:
        """The process id, of the last start."""
        return self._started.pid

    @property
    def running(self) -> bool:
        """Whether the process was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def output(self) -> str:
        """Return everything that the process has printed so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def wait_until(self, condition: Callable[[], T | None], *, within_s: float, what: str) -> T:
        """Return the first true value of `condition`; stop waiting when the process ends.

        Raises:
            RuntimeError: The process ended first; the text has its last output.
            TimeoutError: The condition stayed false; the text has the last output.
        """

        def checked() -> T | None:
            value = condition()
            if not value and not self.running:
                msg = f"ended with {self._started.returncode} before: {what}\n{self._tail()}"
                raise RuntimeError(msg)
            return value

        try:
            return eventually(checked, within_s=within_s, what=what)
        except TimeoutError as err:
            msg = f"{err}\n{self._tail()}"
            raise TimeoutError(msg) from None

    def wait_for_output(self, pattern: str, *, within_s: float) -> re.Match[str]:
        """Return the first match of the regular expression in the output."""
        return self.wait_until(
            lambda: re.search(pattern, self.output()),
            within_s=within_s,
            what=f"output matching {pattern!r}",
        )

    def wait(self, *, within_s: float) -> int:
        """Return the exit code, once the process has ended by itself."""
        try:
            return self._started.wait(within_s)
        except subprocess.TimeoutExpired:
            msg = f"still running after {within_s:g} s: {self}\n{self._tail()}"
            raise TimeoutError(msg) from None

    def terminate(self, *, within_s: float = 20.0) -> int:
        """Ask the process to end (SIGTERM) and return its exit code."""
        self.send(signal.SIGTERM)
        return self.wait(within_s=within_s)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process alone, not to its children."""
        self._started.send_signal(number)

    def kill(self) -> None:
        """End the process and its children at once (SIGKILL); nothing if they have ended."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):  # the whole group has ended
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    @property
    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            msg = f"never started: {self}"
            raise RuntimeError(msg)
        return self._process

    def _tail(self) -> str:
        return f"{self}\n... {self.output()[-_LOG_CHARS:]}"
