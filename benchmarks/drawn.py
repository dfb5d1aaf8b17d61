"""Which pictures the page of results has, from plain numbers as they are kept."""

from collections.abc import Callable
from operator import itemgetter
from statistics import median
from typing import Any

from benchmarks.peers.engines import ENGINES, FLOOR, OURS
from benchmarks.plots import Bar, bars, lines

Picture = tuple[str, str]
"""Its name without `.svg`, and the SVG."""
Points = dict[str, list[tuple[float, float]]]


def pictures(kept: dict[str, Any]) -> dict[str, list[Picture]]:
    """Return the pictures of each benchmark that has results and something to draw."""
    return {name: draw(kept[name]["runs"]) for name, draw in _DRAWN.items() if name in kept}


def _peers(runs: dict[str, Any]) -> list[Picture]:
    values = []
    for name, of_engine in runs["engines"].items():
        found = [run["per_cpu_second"] for run in of_engine["runs"]]
        if found:
            label = "kpi-stream" if name == OURS else _label(name)
            values.append(Bar(label, median(found), name == OURS, min(found), max(found)))
    if not values:
        return []
    values.sort(key=lambda bar: -bar.value)
    return [("performance-peers", bars("The same job: events per CPU-second", values))]


def _label(name: str) -> str:
    if name == FLOOR:
        return "the floor: no state, no output"
    engine = ENGINES[name]
    return f"{engine.title}, {engine.promise.partition(',')[0]}".partition(":")[0]


def _worker(runs: dict[str, Any]) -> list[Picture]:
    values = []
    for case, of_case in runs.items():
        found = [run["per_cpu_second"] for run in of_case]
        values.append(Bar(case, median(found), own=True, low=min(found), high=max(found)))
    return [("performance-worker", bars("One worker: events per CPU-second", values))]


def _scaling(runs: dict[str, Any]) -> list[Picture]:
    drawn = []
    for key, name, title in (
        ("open declarations", "performance-open", "What an event costs by open declarations"),
        ("KPIs", "performance-kpis", "What an event costs by KPIs"),
    ):
        phases = [*runs[key][0]["microseconds"]] if runs[key] else []
        series: Points = {"all": _medians(runs[key], "size", itemgetter("total"))}
        for phase in phases:
            flat = [run | run["microseconds"] for run in runs[key]]
            series[phase] = _medians(flat, "size", itemgetter(phase))
        series = {each: points for each, points in series.items() if points}
        if series:
            up = "microseconds of processor time an event"
            # Four colours; the collection is what is left.
            four = dict(list(series.items())[:4])
            drawn.append((name, lines(title, four, across=key, up=up)))
    return drawn


def _latency(runs: dict[str, Any]) -> list[Picture]:
    series: Points = {}
    for interval_s in sorted({run["interval_s"] for run in runs["runs"]}, reverse=True):
        of_interval = [run for run in runs["runs"] if run["interval_s"] == interval_s]
        for figure in ("p50", "p99"):
            points = _medians(of_interval, "wanted_per_second", itemgetter(f"{figure}_s"))
            series[f"{figure}, every {interval_s:g} s"] = points
    title = "From the append of an event to /metrics"
    picture = lines(title, series, across="events / s", up="seconds, by evaluation interval")
    return [("performance-latency", picture)]


def _recovery(runs: dict[str, Any]) -> list[Picture]:
    found = runs["runs"]
    # Every run adds a few declarations to the state of the one before.
    rounded = [run | {"size": float(f"{run['declarations']:.1g}")} for run in found]
    series: Points = {
        "first new event": _medians(rounded, "size", itemgetter("first_s")),
        "all partitions": _medians(rounded, "size", itemgetter("all_s")),
        "reading the state": _medians(rounded, "size", itemgetter("reading_s")),
    }
    title = "From kill -9 to the next event, by the state"
    picture = lines(title, series, across="open declarations", up="seconds")
    return [("performance-recovery", picture)]


def _year(runs: dict[str, Any]) -> list[Picture]:
    series: Points = {}
    for each in runs["replays"]:
        points = [(events / 1e6, peak / 2**20) for events, peak in each["growth"] if events]
        thinned = points[:: max(1, len(points) // 60)]
        series[f"{each['share']:.3g} of the traffic"] = [*thinned, points[-1]]
    title = "A year, replayed: memory"
    picture = lines(
        title, series, across="million events so far", up="MiB at most so far", even=True
    )
    return [("performance-year", picture)]


def _medians(
    runs: list[dict[str, Any]], size: str, figure: Callable[[dict[str, Any]], float]
) -> list[tuple[float, float]]:
    """Return (size, median of the figure over the runs of that size), by size."""
    return [
        (value, median(figure(run) for run in runs if run[size] == value))
        for value in sorted({run[size] for run in runs})
    ]


_DRAWN: dict[str, Callable[[dict[str, Any]], list[Picture]]] = {
    "peers": _peers,
    "worker": _worker,
    "scaling": _scaling,
    "latency": _latency,
    "recovery": _recovery,
    "year": _year,
}
