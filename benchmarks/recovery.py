"""How long a worker takes from kill -9 to the next counted event, by the size of its state.

The state is that of open declarations, numbered and arrived, in four partitions. The worker has a
name (static membership), as docs/operations.md advises, and whoever supervises it starts it again
at once; what is measured begins with the kill and includes the start of Python.
"""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from benchmarks.cluster import Cluster, Sample, Worker
from benchmarks.live_feed import event
from benchmarks.machine import load_average
from benchmarks.result import Result, Table, spread
from kpi_stream.adapters.simulator import KafkaSink, Record
from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.application.ports import Topics

AIM_PER_S = 150_000
AIM_S = 5.0
"""From the kill to the first event, besides the reading of the state."""
SIZES = (10_000, 100_000, 1_000_000)
_NEW = 400
"""Declarations that are numbered after the kill; about a hundred in each partition."""
_NUMBERED, _ARRIVED = 0, 1
_SLOWEST_PER_S = 2_000
_NAMED = {"INSTANCE_ID": "benchmark"}


@dataclass(frozen=True, slots=True)
class Run:
    """One kill and what came after it."""

    declarations: int
    """In the state."""
    started_s: float
    """From the kill until the new process answers over HTTP."""
    first_s: float
    """From the kill to the first new event counted: one partition is open."""
    all_s: float
    """From the kill until the new events of all partitions are counted."""
    records: int
    """Read from the state topics."""
    reading_s: float
    """The time that took, added up over the partitions, which are opened one after the other."""
    rss_bytes: int
    load_average: float

    @property
    def per_second(self) -> float:
        """Records read a second."""
        return self.records / self.reading_s if self.reading_s else float("nan")


def measure(runs: int, scale: float) -> Result:
    """Kill and start again so many times at each size."""
    found: list[list[Run]] = []
    for size in SIZES:
        with Cluster(None) as cluster:
            found.append(_of_size(cluster, max(1, round(size * scale)), runs))
    kept = [asdict(run) | {"per_second": run.per_second} for of_size in found for run in of_size]
    return Result((_table(found),), (_NOTE,), {"scale": scale, "runs": kept})


def _of_size(cluster: Cluster, size: int, runs: int) -> list[Run]:
    path = packaged_strategy_path()
    epoch, _ = cluster.new_epoch()
    print(f"{size:,} open declarations: counting them ...", flush=True)
    sent = _send(cluster, path, (_NUMBERED, _ARRIVED), "open", size)
    worker = cluster.start_worker(epoch, path, further=_NAMED)
    worker.samples(sent, 120 + sent / _SLOWEST_PER_S)
    found = []
    for number in range(runs):
        worker.process.kill()
        killed_at_s = time.monotonic()
        worker, run = _again(cluster, epoch, killed_at_s, size, number)
        found.append(run)
        print(
            f"{size:,} open: first event after {run.first_s:.1f} s, all partitions after "
            f"{run.all_s:.1f} s, {run.per_second:,.0f} records/s, load {run.load_average:.1f}",
            flush=True,
        )
    worker.stop()
    return found


def _again(
    cluster: Cluster, epoch: int, killed_at_s: float, size: int, number: int
) -> tuple[Worker, Run]:
    """Start the worker again and give it new events; return it and what was measured."""
    path, load = packaged_strategy_path(), load_average()
    worker = cluster.start_worker(epoch, path, further=_NAMED)
    started_s = time.monotonic() - killed_at_s
    _send(cluster, path, (_NUMBERED,), f"new-{number}", _NEW)
    within_s = 180 + size / 5_000
    first = _until(worker, 1, within_s)
    every = _until(worker, _NEW, within_s)
    opened = worker.opened()
    return worker, Run(
        declarations=size,
        started_s=started_s,
        first_s=first.at_s - killed_at_s,
        all_s=every.at_s - killed_at_s,
        records=opened.records,
        reading_s=opened.seconds,
        rss_bytes=every.rss_bytes,
        load_average=load,
    )


def _until(worker: Worker, events: int, within_s: float) -> Sample:
    return worker.process.wait_until(
        lambda: sample if (sample := worker.sample()).events >= events else None,
        within_s=within_s,
        what=f"{events} new events are counted",
    )


def _send(
    cluster: Cluster, path: Path, steps: tuple[int, ...], name: str, declarations: int
) -> int:
    """Send events of so many declarations, those of one together; return how many events."""
    offices = next(each for each in load_strategy(path).dimensions if each.id == "office").members

    def records() -> Iterator[Record]:
        at_s = time.time()
        for number in range(declarations):
            subject, office = f"{name}-{number}", offices[number % len(offices)].code
            for step in steps:
                yield Record(subject.encode(), event(step, subject, office, at_s), 0)

    with KafkaSink(cluster.broker.bootstrap_servers[0], Topics().events) as sink:
        return sink.send(records())


def _table(found: list[list[Run]]) -> Table:
    rows = tuple(
        (
            f"{runs[0].declarations:,}",
            f"{runs[0].records:,}",
            *spread([run.first_s for run in runs], ".1f"),
            f"{median(run.all_s for run in runs):.1f}",
            f"{median(run.started_s for run in runs):.1f}",
            f"{median(run.per_second for run in runs):,.0f}",
            f"{max(run.rss_bytes for run in runs) / 2**20:,.0f} MiB",
            f"{max(run.load_average for run in runs):.1f}",
        )
        for runs in found
    )
    headings = (
        *("open declarations", "records read", "first event after, s, min", "median", "max"),
        *("all partitions after, s", "of that start of the process, s", "records / s"),
        *("RSS", "load average"),
    )
    return Table("After kill -9", headings, rows)


_NOTE = (
    f"Aim: at least {AIM_PER_S:,} records/s, and at most {AIM_S:g} s besides the reading of the "
    "state. The state topics are not compacted yet, so that there is more than a record a subject."
)
