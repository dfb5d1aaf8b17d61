"""What an event costs as workers, open declarations and KPIs become more.

Workers run on a real Kafka, all on the one measured core: their processor time is what is added
up, so that it shows what sharing the work costs, not what the machine has. The other two are
measured on the core alone, where nothing else moves.
"""

import gc
import random
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from itertools import chain, islice
from pathlib import Path
from statistics import median

from benchmarks import exactness
from benchmarks.apart import apart, rss_bytes
from benchmarks.cluster import PARTITIONS, Cluster, Sample, Worker
from benchmarks.core import BATCH, EVENTS_A_FLUSH, PHASES, Case, Clock, Core
from benchmarks.feed import Feed
from benchmarks.live_feed import event, partition_of
from benchmarks.machine import load_average
from benchmarks.result import Result, Table, spread
from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.bootstrap.collection import collect_seldom
from kpi_stream.domain.strategy import Condition, Duration, Kpi, SameDay, Strategy, Within

WORKERS = (1, 2, 4)
OPEN = (10_000, 100_000, 1_000_000)
KPIS = (5, 10, 25, 50, 100)
_TOUCHED = 100_000
"""Declarations at most that get further events while the clock runs."""
_KPI_BATCHES = 600
"""Of 500 events each: the first 300,000 of the feed."""
_OPENED, _FURTHER = (0, 1), (2, 3, 4)
"""Steps of a declaration: numbered and arrived; channel, debt, release."""
_BEGAN_S = 1_761_000_000.0
_SLOWEST_PER_S = 1_000

Line = tuple[bytes | None, bytes]


@dataclass(frozen=True, slots=True)
class Shared:
    """One log counted by so many workers."""

    workers: int
    per_second: float
    per_cpu_second: float
    """Of all of them together."""
    rss_bytes: int
    """The same."""
    differing_rows: int
    load_average: float


@dataclass(frozen=True, slots=True)
class Alone:
    """One pass over the core."""

    size: int
    """Open declarations, or KPIs."""
    microseconds: dict[str, float]
    """Processor time an event, by phase."""
    rss_bytes: int
    load_average: float

    @property
    def total(self) -> float:
        """All phases together."""
        return sum(self.microseconds.values())


def measure(feed: Feed, runs: int, scale: float) -> Result:
    """Measure all three."""
    shared, opened, widened = _workers(feed, runs), list[Alone](), list[Alone]()
    for _ in range(runs):
        for size in OPEN:
            opened.append(apart(_with_open, max(10, round(size * scale))))
            _say("open declarations", opened[-1])
        for number in KPIS:
            widened.append(apart(_with_kpis, feed.path, number))
            _say("KPIs", widened[-1])
    return Result(
        (
            _shared(shared),
            _alone("By open declarations, the core alone", "open declarations", opened),
            _alone("By KPIs, the core alone", "KPIs", widened),
        ),
        (_NOTE,),
        {
            "scale": scale,
            "workers": [asdict(run) for run in shared],
            "open declarations": [asdict(run) | {"total": run.total} for run in opened],
            "KPIs": [asdict(run) | {"total": run.total} for run in widened],
        },
        exact=not any(run.differing_rows for run in shared),
    )


def with_kpis(strategy: Strategy, number: int) -> Strategy:
    """Return the strategy with so many KPIs: its first ones, or also clones of those.

    A clone has another name and another condition, which nearly every declaration meets: no
    counter is shared, and no event is spared.
    """
    cloneable = [each for each in strategy.kpis if isinstance(each.measure, _CLONED)]
    clones = (
        _clone(kpi, copy, cents=1 + copy * len(cloneable) + place)
        for copy in range(1, number + 1)
        for place, kpi in enumerate(cloneable)
    )
    return replace(strategy, kpis=tuple(islice(chain(strategy.kpis, clones), number)))


_CLONED = (Duration, Within, SameDay)


def _clone(kpi: Kpi, copy: int, *, cents: int) -> Kpi:
    assert isinstance(kpi.measure, _CLONED)
    condition = Condition("numbered.cif_cents", at_least=cents)
    measure = replace(kpi.measure, where=(*kpi.measure.where, condition))
    return replace(kpi, id=f"{kpi.id}-{copy}", measure=measure)


def _with_kpis(path: Path, number: int) -> Alone:
    strategy = with_kpis(load_strategy(packaged_strategy_path()), number)
    core = Core(Case(packaged_strategy_path()), strategy)
    return _timed(core, islice(core.batches(path), _KPI_BATCHES), number)


def _with_open(size: int) -> Alone:
    offices = load_strategy(packaged_strategy_path()).dimensions[0].members
    codes = [each.code for each in offices]
    core, unused = Core(Case(packaged_strategy_path())), Clock()
    collect_seldom()
    for partition, lines in _batches(_events(range(size), _OPENED, codes, _BEGAN_S)):
        core.take(partition, lines, unused)
        if core.waiting[partition] >= EVENTS_A_FLUSH:
            core.drain(partition, unused)
    touched = random.Random(size).sample(range(size), min(size, _TOUCHED))
    later = chain.from_iterable(
        _events(touched, (step,), codes, _BEGAN_S + 3_600 * step) for step in _FURTHER
    )
    return _timed(core, _batches(later), size)


def _timed(core: Core, batches: Iterator[tuple[int, list[Line]]], size: int) -> Alone:
    load, clock, held = load_average(), Clock(), list(batches)
    collect_seldom()
    gc.collect()
    # The harness holds the lines, which a worker does not.
    gc.freeze()
    gc.callbacks.append(clock.collection)
    for partition, lines in held:
        core.take(partition, lines, clock)
        if core.waiting[partition] >= EVENTS_A_FLUSH:
            core.drain(partition, clock)
    for partition in range(PARTITIONS):
        core.drain(partition, clock)
    gc.callbacks.remove(clock.collection)
    events = sum(len(lines) for _, lines in held)
    return Alone(size, {each: clock.ns[each] / events / 1000 for each in PHASES}, rss_bytes(), load)


def _events(
    declarations: Iterable[int],
    steps: tuple[int, ...],
    offices: list[str],
    began_s: float,
) -> Iterator[Line]:
    for place, number in enumerate(declarations):
        subject, office = f"declaration-{number:07d}", offices[number % len(offices)]
        for step in steps:
            # A thousand an hour or so: windows turn, but seldom.
            yield subject.encode(), event(step, subject, office, began_s + place * 0.036 + step)


def _batches(lines: Iterator[Line]) -> Iterator[tuple[int, list[Line]]]:
    """Yield (partition, lines), a batch at a time, as the client would."""
    waiting: dict[int, list[Line]] = {partition: [] for partition in range(PARTITIONS)}
    for key, line in lines:
        partition = partition_of(key or b"")
        waiting[partition].append((key, line))
        if len(waiting[partition]) == BATCH:
            yield partition, waiting[partition]
            waiting[partition] = []
    yield from ((partition, left) for partition, left in waiting.items() if left)


def _workers(feed: Feed, runs: int) -> list[Shared]:
    path, found = packaged_strategy_path(), []
    with Cluster(feed) as cluster:
        expected = exactness.offline(cluster, load_strategy(path))
        for _ in range(runs):
            for number in WORKERS:
                found.append(_share(cluster, path, number, expected))
                print(
                    f"{number} workers: {found[-1].per_cpu_second:,.0f} events a CPU-second, "
                    f"{found[-1].differing_rows} differing rows, load {found[-1].load_average:.1f}",
                    flush=True,
                )
    return found


def _share(cluster: Cluster, path: Path, number: int, expected: exactness.Counted) -> Shared:
    load, (epoch, topics) = load_average(), cluster.new_epoch()
    workers = cluster.start_workers(epoch, path, number)
    first, last = _watch(workers, cluster.events, 180 + cluster.events / _SLOWEST_PER_S)
    for worker in workers:
        worker.stop()
    events = sum(b.flushed - a.flushed for a, b in zip(first, last, strict=True))
    cpu_s = sum(b.cpu_s - a.cpu_s for a, b in zip(first, last, strict=True))
    seconds = max(each.at_s for each in last) - min(each.at_s for each in first)
    return Shared(
        workers=number,
        per_second=events / seconds,
        per_cpu_second=events / cpu_s,
        rss_bytes=sum(each.rss_bytes for each in last),
        differing_rows=exactness.committed(cluster, topics).differences(expected),
        load_average=load,
    )


def _watch(
    workers: list[Worker], events: int, within_s: float
) -> tuple[list[Sample], list[Sample]]:
    """Return each worker's first answer, and the last once everything is durable."""
    first = [worker.sample() for worker in workers]
    deadline, settled = time.monotonic() + within_s, 0
    while True:
        last = [worker.sample() for worker in workers]
        done = sum(each.flushed for each in last) >= events and not any(e.lag for e in last)
        settled = settled + 1 if done else 0
        if settled >= 2:
            return first, last
        if time.monotonic() > deadline or not all(w.process.running for w in workers):
            msg = f"not done: {last}"
            raise RuntimeError(msg)
        time.sleep(0.25)


def _say(what: str, run: Alone) -> None:
    print(
        f"{run.size:,} {what}: {run.total:.2f} us an event, load {run.load_average:.1f}", flush=True
    )


def _shared(runs: list[Shared]) -> Table:
    rows = []
    base = median(run.per_cpu_second for run in runs if run.workers == WORKERS[0])
    for number in WORKERS:
        of_number = [run for run in runs if run.workers == number]
        values = [run.per_cpu_second for run in of_number]
        wrong = sum(1 for run in of_number if run.differing_rows)
        rows.append(
            (
                f"{number}",
                *spread(values),
                f"{median(values) / base:.0%}",
                f"{max(run.rss_bytes for run in of_number) / 2**20:,.0f} MiB",
                f"{len(of_number) - wrong} of {len(of_number)}",
                f"{max(run.load_average for run in of_number):.1f}",
            )
        )
    headings = (
        *("workers", "events / CPU-second, min", "median", "max", "of one worker's"),
        *("RSS, all", "exact", "load average"),
    )
    return Table("By workers, whole strategy, all on one core", headings, tuple(rows))


def _alone(title: str, heading: str, runs: list[Alone]) -> Table:
    rows = []
    for size in sorted({run.size for run in runs}):
        of_size = [run for run in runs if run.size == size]
        phases = [f"{median(run.microseconds[each] for run in of_size):.2f}" for each in PHASES]
        rows.append(
            (
                f"{size:,}",
                *spread([run.total for run in of_size], ".2f"),
                *phases,
                f"{1e6 / median(run.total for run in of_size):,.0f}",
                f"{max(run.load_average for run in of_size):.1f}",
            )
        )
    headings = (heading, "us an event, min", "median", "max", *PHASES, "events / CPU-second")
    return Table(title, (*headings, "load average"), tuple(rows))


_NOTE = (
    "Workers: from the first answer of each to the last commit. Open declarations: those named are "
    f"numbered and have arrived, then up to {_TOUCHED:,} of them, drawn at random, get a channel, "
    "pay and are released, and that is timed. KPIs: the packaged strategy's first ones; beyond "
    "its own, clones with another name and another condition, which share no counter."
)
