"""Where the product loses, from the kept results: beside its peers, and by its own aims."""

from collections.abc import Iterator
from statistics import median
from typing import Any

from benchmarks import latency, recovery, restart, scorecard
from benchmarks.peers.engines import ENGINES, FLOOR, OURS
from benchmarks.peers.tables import typical

WHOLE_PER_S = 70_000
"""Aim: events a second and core with the whole strategy."""
REDUCED_PER_CPU_S = 150_000
"""Aim: events a CPU-second in the reduced job."""
FLOOR_PER_CPU_S = 377_000
"""What the floor takes on the machine on which the aims in events were set."""
TIMES = {"streams-eos": 2.0, "flink": 1.5, "faust": 30.0}
"""Aims: how many times as many events a CPU-second as these."""


def losses(kept: dict[str, Any]) -> list[str]:
    """Return a sentence for everything that is slower, larger or later than it should be."""
    found: list[str] = []
    for name, of_benchmark in _OF.items():
        if name in kept:
            found += of_benchmark(kept[name]["runs"])
    return found


def _peers(runs: dict[str, Any]) -> Iterator[str]:
    engines = runs["engines"]
    own = typical(engines, OURS, "per_cpu_second")
    if not own:
        return
    if own < REDUCED_PER_CPU_S:
        yield f"The reduced job takes {own:,.0f} events/CPU-second; aim {REDUCED_PER_CPU_S:,}."
    floor = typical(engines, FLOOR, "per_cpu_second")
    if floor and floor < FLOOR_PER_CPU_S:
        yield (
            "Aims in events and in records a second are of a machine where the floor takes "
            f"{FLOOR_PER_CPU_S:,} events/CPU-second, {FLOOR_PER_CPU_S / floor:.1f} times as many "
            f"as the {floor:,.0f} here."
        )
    for name in engines:
        if name == OURS or not engines[name]["runs"]:
            continue
        title = f"{ENGINES[name].title} ({ENGINES[name].promise})"
        warm = typical(engines, name, "warm_per_cpu_second")
        other = typical(engines, name, "per_cpu_second")
        if other > own:
            yield f"{title} takes more: {other:,.0f} events/CPU-second against {own:,.0f}."
        elif warm > own:
            yield f"{title} takes more once it is warm: {warm:,.0f} against {own:,.0f}."
        if name in TIMES and own / other < TIMES[name]:
            yield f"{title} is beaten {own / other:.1f} times; aim {TIMES[name]:g} times."
        peak, own_peak = (typical(engines, each, "peak_rss_bytes") for each in (name, OURS))
        if peak < own_peak and name != FLOOR:
            yield (
                f"{title} takes less memory: {peak / 2**20:,.0f} MiB against "
                f"{own_peak / 2**20:,.0f} MiB."
            )
        yield from _sooner(engines, name, title)


def _sooner(engines: dict[str, Any], name: str, title: str) -> Iterator[str]:
    both = [engines[each]["killed"] for each in (OURS, name)]
    if all(both) and None not in (both[0][0]["resumed_s"], both[1][0]["resumed_s"]):
        own, other = both[0][0]["resumed_s"], both[1][0]["resumed_s"]
        if other < own:
            yield f"{title} goes on sooner after kill -9: {other:.1f} s against {own:.1f} s."


def _worker(runs: dict[str, Any]) -> Iterator[str]:
    whole = median(run["per_second"] for run in runs["packaged strategy"])
    if whole < WHOLE_PER_S:
        yield f"The whole strategy takes {whole:,.0f} events/s a core; aim {WHOLE_PER_S:,}."


def _latency(runs: dict[str, Any]) -> Iterator[str]:
    cases: dict[tuple[float, int], list[float]] = {}
    for run in runs["runs"]:
        case = run["interval_s"], run["wanted_per_second"]
        cases.setdefault(case, []).append(run["p99_s"])
    for (interval_s, rate), p99 in cases.items():
        if median(p99) > latency.AIM_S:
            yield (
                f"An event is on `/metrics` after {median(p99):.2f} s (p99) at {rate:,} events/s, "
                f"evaluated every {interval_s:g} s; aim {latency.AIM_S:g} s."
            )


def _recovery(runs: dict[str, Any]) -> Iterator[str]:
    largest = max(run["declarations"] for run in runs["runs"])
    of_largest = [run for run in runs["runs"] if run["declarations"] >= largest * 0.9]
    per_s = median(run["per_second"] for run in of_largest)
    besides = median(run["all_s"] - run["reading_s"] for run in of_largest)
    if per_s < recovery.AIM_PER_S:
        yield f"State is read at {per_s:,.0f} records/s; aim {recovery.AIM_PER_S:,}."
    if besides > recovery.AIM_S:
        yield (
            f"After kill -9 a worker takes {besides:.1f} s besides reading its state; aim "
            f"{recovery.AIM_S:g} s."
        )


def _restart(runs: dict[str, Any]) -> Iterator[str]:
    for case, found in runs.items():
        late = [each["counted_s"] for each in found if each["counted_s"] > restart.AIM_S]
        if late and case.startswith(restart.NAMED):
            yield (
                f"A worker with {case}: {len(late)} of {len(found)} counted again later than after "
                f"{restart.AIM_S:g} s, at most after {max(late):.1f} s."
            )


def _scorecard(runs: dict[str, Any]) -> Iterator[str]:
    for case, found in runs.items():
        for what, figure, aim in (
            ("evaluation (median)", "median_ms", scorecard.AIM_MS),
            ("evaluation (p95)", "p95_ms", scorecard.AIM_MS),
            ("evaluation (longest, at midnight)", "longest_ms", scorecard.AIM_MS),
            ("answer of `/metrics`", "scrape_ms", scorecard.SCRAPE_AIM_MS),
        ):
            typical_ms = median(each[figure] for each in found)
            if typical_ms > aim:
                yield f"{case}: an {what} takes {typical_ms:.0f} ms; aim {aim} ms."


_OF = {
    "peers": _peers,
    "worker": _worker,
    "latency": _latency,
    "recovery": _recovery,
    "restart": _restart,
    "scorecard": _scorecard,
}
