"""A whole command on the measured core, from the start of Python to its end."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass

from benchmarks.machine import load_average, on_its_core

_KIB = 1024 if sys.platform != "darwin" else 1
"""Of `ru_maxrss`: kilobytes on Linux, bytes on macOS."""


@dataclass(frozen=True, slots=True)
class Command:
    """What one run of the command took."""

    seconds: float
    cpu_seconds: float
    peak_rss_bytes: int
    load_average: float


def run_alone(command: list[str]) -> Command:
    """Run a command of `kpi_stream` to its end; what it prints is thrown away.

    Raises:
        RuntimeError: It ended with an error.
    """
    load, began = load_average(), time.monotonic()
    words = [sys.executable, "-m", "kpi_stream", *command]
    process = subprocess.Popen(
        on_its_core(words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - began
    if process.returncode:
        msg = f"{command[0]} ended with {process.returncode}"
        raise RuntimeError(msg)
    return Command(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * _KIB, load)
