"""`kpi-stream replay` of the feed's file, on one core: the whole command, and what is on top of it.

The command starts, folds, evaluates once and prints some thousand readings. What that costs without
events is measured on the first thousand lines, and the speed is given for the rest.
"""

import gzip
import shutil
import tempfile
from dataclasses import asdict
from itertools import islice
from pathlib import Path

from benchmarks.command import Command, run_alone
from benchmarks.feed import Feed
from benchmarks.result import Result, Table, spread

_FEW = 1_000


def measure(feed: Feed, runs: int) -> Result:
    """Replay the file gzipped and plain."""
    with tempfile.TemporaryDirectory(prefix="kpi-stream-benchmark-") as name:
        folder = Path(name)
        plain, few = folder / "events.jsonl", folder / "few.jsonl"
        with gzip.open(feed.path) as packed, plain.open("wb") as file:
            shutil.copyfileobj(packed, file)
        few.write_bytes(b"\n".join(islice(feed.lines(), _FEW)) + b"\n")
        empty = min((_replay(few) for _ in range(runs)), key=lambda run: run.cpu_seconds)
        cases = {
            "JSONL, gzipped": [_replay(feed.path) for _ in range(runs)],
            "JSONL, plain": [_replay(plain) for _ in range(runs)],
        }
    rows = []
    for case, found in cases.items():
        beyond = feed.events - _FEW
        speeds = {
            "events / s": [beyond / (run.seconds - empty.seconds) for run in found],
            "events / CPU-second": [
                beyond / (run.cpu_seconds - empty.cpu_seconds) for run in found
            ],
        }
        peak = f"{max(run.peak_rss_bytes for run in found) / 2**20:,.0f} MiB"
        loads = [run.load_average for run in found]
        for what, values in speeds.items():
            rows.append((case, what, *spread(values), peak, f"{min(loads):.1f}..{max(loads):.1f}"))
        rows.append((case, "whole command, s", *spread([r.seconds for r in found], ".1f"), "", ""))
    headings = ("file", "figure", "min", "median", "max", "peak RSS", "load average")
    return Result(
        (Table("kpi-stream replay, packaged strategy", headings, tuple(rows)),),
        (_note(feed, empty),),
        {
            "first_thousand": asdict(empty),
            **{case: [asdict(run) for run in found] for case, found in cases.items()},
        },
    )


def _note(feed: Feed, empty: Command) -> str:
    return (
        f"{feed.events:,} events. The start, one evaluation and the printing take "
        f"{empty.cpu_seconds:.1f} s and are left out of the speeds."
    )


def _replay(path: Path) -> Command:
    return run_alone(["replay", str(path), "--format", "json"])
