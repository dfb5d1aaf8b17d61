"""The same job by the product's own worker: the reduced strategy, default settings, exactly once.

It does more than the job: the whole contract is checked, duplicates and corrections would be
recognised, and every release is counted by office and channel, in panes of 15 minutes and by day.
"""

import json
import time
from collections.abc import Callable

from benchmarks import exactness
from benchmarks.cluster import Cluster, Sample, Worker
from benchmarks.machine import load_average
from benchmarks.peers.feed import Expected, Panes
from benchmarks.peers.runs import Killed, Run, differences, peak_rss_bytes, settle
from benchmarks.worker import REDUCED
from kpi_stream.adapters.strategy_files import load_strategy
from kpi_stream.domain.rows import decode_key
from kpi_stream.domain.windows import PANE_MS, LocalDays

_SLOWEST_PER_S = 2_000
OUR_PANE_S = PANE_MS // 1000


def run(cluster: Cluster, expected: Expected) -> Run:
    """Measure one run, from the first event seen to the last that is committed."""
    epoch, topics = cluster.new_epoch()
    load, peak = load_average(), 0
    with cluster.worker(epoch, REDUCED) as worker:
        samples = worker.samples(expected.events, 120 + expected.events / _SLOWEST_PER_S)
        peak = peak_rss_bytes(worker.process.pid)
    first, last = samples[0], samples[-1]
    half = min(samples, key=lambda each: abs(each.events - expected.events / 2))
    return Run(
        per_second=(last.events - first.events) / (last.at_s - first.at_s),
        per_cpu_second=_per_cpu_second(first, last),
        warm_per_cpu_second=_per_cpu_second(half if half is not last else first, last),
        seconds=last.at_s - first.at_s,
        cpu_seconds=last.cpu_s - first.cpu_s,
        peak_rss_bytes=peak,
        wrong_panes=_wrong(exactness.committed(cluster, topics), expected),
        load_average=load,
    )


def kill(cluster: Cluster, expected: Expected, share: float) -> Killed:
    """Kill the worker once it has read that share of the events, start it again, and check."""
    epoch, topics = cluster.new_epoch()
    load, within_s = load_average(), 120 + expected.events / _SLOWEST_PER_S
    worker = cluster.start_worker(epoch, REDUCED)
    _until(worker, lambda sample: sample.events >= share * expected.events, within_s)
    worker.process.kill()
    killed_at_s = time.monotonic()
    worker = cluster.start_worker(epoch, REDUCED)
    again = _until(worker, lambda sample: bool(sample.events), within_s)
    settle(lambda: panes_of(exactness.committed(cluster, topics)), expected.wider(OUR_PANE_S))
    worker.stop()
    counted = exactness.committed(cluster, topics)
    return Killed(
        at_share=share,
        resumed_s=again.at_s - killed_at_s,
        wrong_panes=_wrong(counted, expected),
        counted=sum(number for number, _ in panes_of(counted).values()),
        wanted=expected.releases,
        load_average=load,
    )


def panes_of(counted: exactness.Counted) -> Panes:
    """Return what the rows of a quarter of an hour come to, without the channel."""
    return _summed(counted, fine=True)


def _wrong(counted: exactness.Counted, expected: Expected) -> int:
    """Return how many panes, and how many days, differ from the answer."""
    local = LocalDays(load_strategy(REDUCED).calendar.time_zone)
    days: Panes = {}
    for key, (number, seconds) in expected.panes.items():
        office, start = key.split("|")
        total = days.setdefault(f"{office}|{local.day_of(int(start) * 1000)}", [0, 0])
        total[0] += number
        total[1] += seconds
    fine = differences(panes_of(counted), expected.wider(OUR_PANE_S))
    return fine + differences(_summed(counted, fine=False), days)


def _summed(counted: exactness.Counted, *, fine: bool) -> Panes:
    found: Panes = {}
    for (_, key), value in counted.rows.items():
        row = decode_key(key)
        if row.fine is fine:
            number, total_ms = _release(json.loads(value))
            start = row.start * OUR_PANE_S if fine else row.start
            total = found.setdefault(f"{row.members.partition('|')[0]}|{start}", [0, 0])
            total[0] += number
            total[1] += total_ms // 1000
    return {key: total for key, total in found.items() if total[0]}


def _release(counters: dict[str, int]) -> tuple[int, int]:
    """Return how many releases a row counts, and their milliseconds, of its one KPI."""
    number = sum(value for name, value in counters.items() if name.endswith(".n"))
    return number, sum(value for name, value in counters.items() if name.endswith(".sum_ms"))


def _per_cpu_second(first: Sample, last: Sample) -> float:
    cpu_s = last.cpu_s - first.cpu_s
    return (last.events - first.events) / cpu_s if cpu_s else float("nan")


def _until(worker: Worker, condition: Callable[[Sample], bool], within_s: float) -> Sample:
    return worker.process.wait_until(
        lambda: sample if condition(sample := worker.sample()) else None,
        within_s=within_s,
        what="the worker is that far",
    )
