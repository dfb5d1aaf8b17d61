"""Runs a function in a process of its own on the measured core, so that its memory is its own."""

import gc
import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.machine import take_its_core


def apart(function: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401
    """Return what the function returns in a fresh process; both must be picklable."""
    with multiprocessing.get_context("spawn").Pool(1, take_its_core) as pool:
        return pool.apply(function, arguments)


def rss_bytes() -> int:
    """Return the resident memory of this process, after a collection."""
    gc.collect()
    statm = Path("/proc/self/statm")
    if not statm.exists():
        return 0
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
