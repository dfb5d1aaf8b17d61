"""The machine that the figures come from, and which of its cores does what."""

import os
import platform
import re
import shutil
from pathlib import Path

from kpi_stream.application import fold
from tests.support.kafka import POM


def description() -> dict[str, str]:
    """Return what a reader needs to compare the figures; nothing that names the machine."""
    return {
        "processor": _first_match(Path("/proc/cpuinfo"), r"model name\s*:\s*(.+)") or _machine(),
        "cores": str(os.cpu_count()),
        "memory": f"{_memory_bytes() / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "Python": platform.python_version(),
        "Apache Kafka": _first_match(POM, r"<version>(.+?)</version>") or "unknown",
        "core of kpi-stream": "compiled, as in the image" if is_compiled() else "pure Python",
    }


def is_compiled() -> bool:
    """Return whether the compiled build of the core is in use."""
    return not str(fold.__file__).endswith(".py")


def load_average() -> float:
    """Return how many processes wanted to run, as a mean over the last minute."""
    return os.getloadavg()[0]


def worker_core() -> int | None:
    """Return the core for the measured process; None where processes cannot be pinned."""
    if not hasattr(os, "sched_getaffinity") or shutil.which("taskset") is None:
        return None
    cores = sorted(_ALL_CORES)
    return cores[-1] if len(cores) > 1 else None


def on_its_core(command: list[str]) -> list[str]:
    """Return the command, run on the measured core alone."""
    core = worker_core()
    return command if core is None else ["taskset", "--cpu-list", str(core), *command]


def leave_its_core() -> None:
    """Keep this process, and those that it starts from now on, away from the measured core."""
    core = worker_core()
    if core is not None:
        os.sched_setaffinity(0, _ALL_CORES - {core})


def take_its_core() -> None:
    """Run this process on the measured core alone."""
    core = worker_core()
    if core is not None:
        os.sched_setaffinity(0, {core})


def pinned() -> str:
    """Return in words how the cores are shared out."""
    if worker_core() is None:
        return "not pinned (one core, or no taskset)"
    return "measured process alone on one core, broker and harness on the others"


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _machine() -> str:
    return platform.processor() or platform.machine()


def _first_match(path: Path, pattern: str) -> str | None:
    found = re.search(pattern, path.read_text()) if path.exists() else None
    return found[1].strip() if found else None


_ALL_CORES = frozenset(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else frozenset()
"""As they were at the start, before this process left one of them."""
