"""The command line of the benchmarks."""

import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import click

from benchmarks import (
    core,
    latency,
    memory,
    profile,
    recovery,
    replay,
    report,
    restart,
    scaling,
    scorecard,
    soak,
    whatif,
    worker,
    year,
)
from benchmarks.feed import feed
from benchmarks.machine import leave_its_core, load_average, pinned
from benchmarks.peers import engines, side_by_side
from benchmarks.result import Result, show
from kpi_stream.settings import PREFIX

REPORT = "report"


class Asked(NamedTuple):
    """What the user chose."""

    runs: int
    scale: float
    engines: tuple[str, ...]
    output: Path | None
    """Where results are kept, if they are."""


def _peers(asked: Asked) -> Result:
    # With all engines there is nothing to be kept of an earlier run.
    before = report.kept(asked.output, "peers") if asked.engines and asked.output else None
    return side_by_side.measure(asked.scale, asked.runs, asked.engines, before)


class Benchmark(NamedTuple):
    """One thing that can be measured."""

    minutes: int
    """At scale 1 with three runs on an idle machine with two cores, about."""
    what: str
    measure: Callable[[Asked], Result]


BENCHMARKS = {
    "worker": Benchmark(
        12,
        "one worker with the whole strategy, and with one KPI",
        lambda asked: worker.measure(feed(asked.scale), asked.runs),
    ),
    "core": Benchmark(
        8,
        "decode, fold and drain without Kafka",
        lambda asked: core.measure(feed(asked.scale), asked.runs),
    ),
    "replay": Benchmark(
        8,
        "the replay of a file",
        lambda asked: replay.measure(feed(asked.scale), asked.runs),
    ),
    "whatif": Benchmark(
        8,
        "a year of 3 million events judged by two strategies",
        lambda asked: whatif.measure(asked.runs, asked.scale),
    ),
    "memory": Benchmark(
        4,
        "bytes of a declaration in the state",
        lambda asked: memory.measure(feed(asked.scale)),
    ),
    "scorecard": Benchmark(
        10,
        "evaluation and scrape with a year of rows",
        lambda asked: scorecard.measure(asked.runs, asked.scale),
    ),
    "profile": Benchmark(
        4,
        "where the time of worker and replay goes",
        lambda asked: profile.measure(feed(asked.scale)),
    ),
    "restart": Benchmark(
        10,
        "from the end of a worker to its first new event",
        lambda asked: restart.measure(asked.scale),
    ),
    "peers": Benchmark(
        60,
        "other engines side by side in the reduced job, and after kill -9",
        _peers,
    ),
    "latency": Benchmark(
        20,
        "from the append of an event to /metrics",
        lambda asked: latency.measure(asked.runs, asked.scale),
    ),
    "recovery": Benchmark(
        10,
        "reading the state after kill -9, by its size",
        lambda asked: recovery.measure(asked.runs, asked.scale),
    ),
    "scaling": Benchmark(
        35,
        "more workers, open declarations, KPIs",
        lambda asked: scaling.measure(feed(asked.scale), asked.runs, asked.scale),
    ),
    "year": Benchmark(
        40,
        "a year of Peru's traffic, replayed; a scale below 1 is extrapolated",
        lambda asked: year.measure(asked.scale),
    ),
}
"""In the order in which they are best run: the caches of the first serve the others."""


def _listed() -> str:
    lines = [f"{name:<10} {each.minutes:>3} min  {each.what}" for name, each in BENCHMARKS.items()]
    total = sum(each.minutes for each in BENCHMARKS.values())
    return "\b\n" + "\n".join([*lines, f"{'all':<10} {total:>3} min"])


@click.command(epilog=_listed())
@click.argument("names", nargs=-1, type=click.Choice([*BENCHMARKS, REPORT]))
@click.option("--runs", type=click.IntRange(1), default=3, show_default=True)
@click.option(
    "--scale",
    type=click.FloatRange(0, min_open=True),
    default=1.0,
    show_default=True,
    help="Size of the feeds; only those of size 1 are kept in results.json.",
)
@click.option("--keep", is_flag=True, help="Keep the results of another size as well.")
@click.option(
    "--engines",
    "named",
    help=f"For peers, separated by commas; all of them: {','.join(engines.NAMES)}.",
)
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write the JSON there."
)
def main(
    *,
    names: tuple[str, ...],
    runs: int,
    scale: float,
    keep: bool,
    named: str | None,
    output: Path | None,
) -> None:
    """Measure what is named (all, without a name), print it and keep it in results.json.

    `report` writes what is kept into docs/performance.md. `soak`, with options of its own, takes
    an hour.
    """
    use_defaults()
    output = output or (report.RESULTS if scale == 1 or keep else None)
    asked = Asked(runs, scale, _engines(named), output)
    leave_its_core()
    wrong, failed, began = list[str](), list[str](), time.monotonic()
    for name in names or BENCHMARKS:
        if name == REPORT:
            report.write()
            continue
        print(f"== {name}: {pinned()}; load average {load_average():.1f}", flush=True)
        since = time.monotonic()
        try:
            result = BENCHMARKS[name].measure(asked)
        except Exception:  # noqa: BLE001  (the others are measured all the same)
            traceback.print_exc()
            failed.append(name)
            continue
        show(result)
        print(f"== {name}: {(time.monotonic() - since) / 60:.1f} minutes", flush=True)
        if not result.exact:
            wrong.append(name)
        if output is not None:
            report.keep(output, {name: result})
    print(f"== {(time.monotonic() - began) / 60:.1f} minutes in all", flush=True)
    if failed:
        print(f"{', '.join(failed)}: failed, see above; not kept", file=sys.stderr)
    if wrong:
        print(
            f"{', '.join(wrong)}: a run counted wrongly; its figures are worth nothing",
            file=sys.stderr,
        )
    sys.exit(1 if failed or wrong else 0)


def use_defaults() -> None:
    """Forget the settings of the environment: the figures are those of the defaults."""
    for name in [each for each in os.environ if each.startswith(PREFIX)]:
        del os.environ[name]


def _engines(named: str | None) -> tuple[str, ...]:
    chosen = tuple(named.split(",")) if named else ()
    if unknown := [each for each in chosen if each not in engines.NAMES]:
        msg = f"no such engine: {', '.join(unknown)}; there are {', '.join(engines.NAMES)}"
        raise click.BadParameter(msg, param_hint="--engines")
    return chosen


if __name__ == "__main__":
    if sys.argv[1:2] == ["soak"]:
        soak.main(sys.argv[2:], prog_name="python -m benchmarks soak")
    main()
