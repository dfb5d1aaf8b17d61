"""One worker process on one core: events a second, and a second of processor time.

Source of the feed: `feed.py`. Measured from the first to the last applied event through the
worker's own `/metrics`; every run must end with exactly the rows of an offline fold.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import exactness
from benchmarks.cluster import PARTITIONS, Cluster, Sample
from benchmarks.feed import Feed
from benchmarks.machine import load_average
from benchmarks.result import Result, Table, spread
from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path

REDUCED = Path(__file__).parent / "reduced"
PROTOTYPE_TYPES = frozenset(
    {
        "declaration.numbered",
        "transport.arrived",
        "channel.assigned",
        "debt.settled",
        "release.granted",
        "goods.exited",
    }
)
"""What the prototype's feed was made of."""
_SLOWEST_PER_S = 2_000
"""Below this a run is given up."""


@dataclass(frozen=True, slots=True)
class Run:
    """One worker from an empty state to the end of the log."""

    per_second: float
    per_cpu_second: float
    seconds: float
    cpu_seconds: float
    """Both from the first answer that knew an event to the last flush."""
    cpu_seconds_in_all: float
    """From the start of the process: imports, strategy, joining the group."""
    peak_rss_bytes: int
    subjects: int
    rows: int
    """Held in memory at the end."""
    differing_rows: int
    """Rows that the offline fold has otherwise; must be 0."""
    counted_sum: int
    load_average: float


def measure(feed: Feed, runs: int) -> Result:
    """Measure the packaged strategy, and the reduced one on two feeds."""
    cases: dict[str, list[Run]] = {}
    with Cluster(feed) as cluster:
        cases["packaged strategy"] = _runs(cluster, packaged_strategy_path(), runs)
        cases["one KPI, same feed"] = _runs(cluster, REDUCED, runs)
    with Cluster(feed, PROTOTYPE_TYPES) as cluster:
        cases["one KPI, six event types"] = _runs(cluster, REDUCED, runs)
        six = cluster.events
    return Result(
        (_speeds(cases), _sizes(cases)),
        (_note(feed, six),),
        {name: [asdict(run) for run in of_case] for name, of_case in cases.items()},
        exact=not any(run.differing_rows for of_case in cases.values() for run in of_case),
    )


def _note(feed: Feed, six: int) -> str:
    return (
        f"{feed.events:,} events ({feed.mean_bytes:.0f} bytes each on average) of "
        f"{feed.declarations:,} declarations numbered in {feed.days} days, in {PARTITIONS} "
        f"partitions; {six:,} of them are of the six types that the prototype's feed had. Exact: "
        "the committed rows equal those of the offline fold, row by row."
    )


def _runs(cluster: Cluster, strategy: Path, runs: int) -> list[Run]:
    expected = exactness.offline(cluster, load_strategy(strategy))
    return [_run(cluster, strategy, expected) for _ in range(runs)]


def _run(cluster: Cluster, strategy: Path, expected: exactness.Counted) -> Run:
    epoch, topics = cluster.new_epoch()
    load = load_average()
    with cluster.worker(epoch, strategy) as worker:
        samples = worker.samples(cluster.events, 60 + cluster.events / _SLOWEST_PER_S)
    counted = exactness.committed(cluster, topics)
    first, last = samples[0], samples[-1]
    run = Run(
        **_rates(first, last),
        cpu_seconds_in_all=last.cpu_s,
        peak_rss_bytes=max(sample.rss_bytes for sample in samples),
        subjects=last.subjects,
        rows=last.rows,
        differing_rows=counted.differences(expected),
        counted_sum=counted.sum,
        load_average=load,
    )
    print(
        f"{strategy.name}: {run.per_second:,.0f} events/s, {run.per_cpu_second:,.0f} a "
        f"CPU-second, {run.differing_rows} differing rows, load {load:.1f}",
        flush=True,
    )
    return run


def _rates(first: Sample, last: Sample) -> dict[str, float]:
    events = last.events - first.events
    seconds, cpu = last.at_s - first.at_s, last.cpu_s - first.cpu_s
    return {
        "per_second": events / seconds,
        "per_cpu_second": events / cpu,
        "seconds": seconds,
        "cpu_seconds": cpu,
    }


def _speeds(cases: dict[str, list[Run]]) -> Table:
    rows = []
    for name, runs in cases.items():
        for what, values in (
            ("events / s", [run.per_second for run in runs]),
            ("events / CPU-second", [run.per_cpu_second for run in runs]),
        ):
            rows.append((name, what, *spread(values), _exact(runs), _loads(runs)))
    headings = ("strategy", "figure", "min", "median", "max", "exact", "load average")
    return Table("One worker, one core, exactly once", headings, tuple(rows))


def _sizes(cases: dict[str, list[Run]]) -> Table:
    rows = []
    for name, runs in cases.items():
        last = runs[-1]
        start = last.cpu_seconds_in_all - last.cpu_seconds
        rows.append(
            (
                name,
                f"{max(run.peak_rss_bytes for run in runs) / 2**20:,.0f} MiB",
                f"{last.subjects:,}",
                f"{last.rows:,}",
                f"{start:.1f} s",
            )
        )
    headings = ("strategy", "peak RSS", "subjects", "rows in memory", "CPU before the first event")
    return Table("Its memory at the end of the feed", headings, tuple(rows))


def _exact(runs: list[Run]) -> str:
    wrong = sum(1 for run in runs if run.differing_rows)
    return f"{len(runs) - wrong} of {len(runs)}"


def _loads(runs: list[Run]) -> str:
    loads: list[Any] = [run.load_average for run in runs]
    return f"{min(loads):.1f}..{max(loads):.1f}"
