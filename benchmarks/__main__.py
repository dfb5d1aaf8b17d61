"""The command line of the benchmarks."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import click

from benchmarks import core, memory, profile, replay, report, scorecard, worker
from benchmarks.feed import feed
from benchmarks.machine import leave_its_core, load_average, pinned
from benchmarks.result import Result, show
from kpi_stream.settings import PREFIX

REPORT = "report"
NAMES = ("worker", "core", "replay", "memory", "scorecard", "profile")
"""In the order in which they are best run: the caches of the first serve the others."""


@click.command()
@click.argument("names", nargs=-1, type=click.Choice([*NAMES, REPORT]))
@click.option("--runs", type=click.IntRange(1), default=3, show_default=True)
@click.option(
    "--scale",
    type=click.FloatRange(0, min_open=True),
    default=1.0,
    show_default=True,
    help="Size of the feeds; only those of size 1 are kept in results.json.",
)
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write the JSON there."
)
def main(names: tuple[str, ...], runs: int, scale: float, output: Path | None) -> None:
    """Measure what is named (all, without a name), print it and keep it in results.json.

    `report` writes what is kept into README.md.
    """
    for name in [each for each in os.environ if each.startswith(PREFIX)]:
        del os.environ[name]  # the figures are those of the defaults
    leave_its_core()
    output = output or (report.RESULTS if scale == 1 else None)
    exact = True
    for name in names or NAMES:
        if name == REPORT:
            report.write()
            continue
        print(f"== {name}: {pinned()}; load average {load_average():.1f}", flush=True)
        result = _measure(name, runs, scale)
        show(result)
        exact = exact and result.exact
        if output is not None:
            report.keep(output, {name: result})
    if not exact:
        sys.exit("a run counted wrongly; its figures are worth nothing")


def _measure(name: str, runs: int, scale: float) -> Result:
    measures: dict[str, Callable[[], Result]] = {
        "worker": lambda: worker.measure(feed(scale), runs),
        "core": lambda: core.measure(feed(scale), runs),
        "replay": lambda: replay.measure(feed(scale), runs),
        "memory": lambda: memory.measure(feed(scale)),
        "scorecard": lambda: scorecard.measure(scale),
        "profile": lambda: profile.measure(feed(scale)),
    }
    return measures[name]()


if __name__ == "__main__":
    main()
