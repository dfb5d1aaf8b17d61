"""`kpi-stream whatif` over a year of 3 million events, on one core: one target decided anew.

The year is simulated once and kept in the user's cache. The whole command is measured, from the
start of Python to the picture: that is what a person waits for.
"""

import gzip
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path

from benchmarks.command import Command, run_alone
from benchmarks.feed import SPOILT, digest_of, kept, simulation
from benchmarks.result import Result, Table, spread
from kpi_stream.adapters.event_files import read_lines
from kpi_stream.adapters.simulator import simulate, write_jsonl
from kpi_stream.adapters.strategy_files import packaged_strategy_path

AIM_S = 60
"""Of the whole command, with 3 million events."""
_DAYS = 365
_PER_DAY = 865.0
"""With 365 days 3 million events."""
_TRIALS = {
    "another target": ("targets.yaml", "value: 30h", "value: 24h"),
    "another definition": ("kpis.yaml", "limit: 48h", "limit: 36h"),
}
"""What is decided anew, each the first such text of its file."""


def measure(runs: int, scale: float) -> Result:
    """Try each change over the year at that scale."""
    packed = _year(scale)
    with tempfile.TemporaryDirectory(prefix="kpi-stream-benchmark-") as name:
        folder = Path(name)
        events = folder / "year.jsonl"
        with gzip.open(packed) as file, events.open("wb") as plain:
            shutil.copyfileobj(file, plain)
        count = sum(1 for _ in read_lines(events))
        found: dict[str, list[Command]] = {}
        for trial in _TRIALS:
            strategy = _changed(folder / trial.replace(" ", "-"), trial)
            found[trial] = [_whatif(strategy, events, folder) for _ in range(runs)]
    rows = []
    for trial, of_trial in found.items():
        peak = f"{max(run.peak_rss_bytes for run in of_trial) / 2**20:,.0f} MiB"
        loads = [run.load_average for run in of_trial]
        load = f"{min(loads):.1f}..{max(loads):.1f}"
        for what, values, form in (
            ("whole command, s", [run.seconds for run in of_trial], ".1f"),
            ("processor time, s", [run.cpu_seconds for run in of_trial], ".1f"),
            ("events / CPU-second", [count / run.cpu_seconds for run in of_trial], ",.0f"),
        ):
            rows.append((trial, what, *spread(values, form), peak, load))
    headings = ("trial", "figure", "min", "median", "max", "peak RSS", "load average")
    return Result(
        (Table("kpi-stream whatif, packaged strategy", headings, tuple(rows)),),
        (f"{count:,} events of {_DAYS} days, judged every day. Aim: {AIM_S} s with 3 million.",),
        {
            "scale": scale,
            "events": count,
            **{trial: [asdict(run) for run in of_trial] for trial, of_trial in found.items()},
        },
    )


def _year(scale: float) -> Path:
    options = simulation(days=_DAYS, per_day=_PER_DAY * scale, injections=SPOILT)
    path = kept(f"whatif-{digest_of(options)}.jsonl.gz")
    if not path.exists():
        print(f"simulating {_DAYS} days of {_PER_DAY * scale:g} declarations ...", flush=True)
        write_jsonl(simulate(options), path)
    return path


def _changed(folder: Path, trial: str) -> Path:
    shutil.copytree(packaged_strategy_path(), folder)
    file, before, after = _TRIALS[trial]
    text = (folder / file).read_text(encoding="utf-8")
    if before not in text:
        msg = f"the packaged strategy has no {before!r} in {file} any more"
        raise RuntimeError(msg)
    (folder / file).write_text(text.replace(before, after, 1), encoding="utf-8")
    return folder


def _whatif(strategy: Path, events: Path, folder: Path) -> Command:
    command = ["whatif", "--strategy", str(strategy)]
    command += ["--events", str(events), "--html", str(folder / "trial.html")]
    return run_alone(command)
