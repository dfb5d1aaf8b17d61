"""The tables of the engines side by side, from plain numbers as they are kept."""

from statistics import median
from typing import Any

from benchmarks.peers.engines import ENGINES, OURS
from benchmarks.result import Table, spread

RIVALS = ("flink", "streams-eos", "faust")
"""The engines that the product is compared with by name."""


def title(name: str) -> tuple[str, str]:
    """Return an engine's name and promise, as tables show them."""
    if name == OURS:
        return "**kpi-stream**, one KPI", "exactly once, default settings"
    return ENGINES[name].title, ENGINES[name].promise


def tables(found: dict[str, Any]) -> tuple[Table, ...]:
    """Return speeds, crashes, and what could not be run."""
    made = [_speeds(found), _crashes(found), _ratios(found), _missing(found)]
    return tuple(table for table in made if table.rows)


def typical(found: dict[str, Any], name: str, figure: str) -> float:
    """Return the median of a figure over the runs of an engine; 0 where there is none."""
    runs = found.get(name, {}).get("runs", [])
    return median(run[figure] for run in runs) if runs else 0.0


def _speeds(found: dict[str, Any]) -> Table:
    rows = []
    order = sorted(found, key=lambda name: -typical(found, name, "per_cpu_second"))
    for name in order:
        runs = found[name]["runs"]
        if not runs:
            continue
        wrong = sum(1 for run in runs if run["wrong_panes"])
        loads = [run["load_average"] for run in runs]
        rows.append(
            (
                *title(name),
                f"{typical(found, name, 'per_second'):,.0f}",
                *spread([run["per_cpu_second"] for run in runs]),
                f"{typical(found, name, 'warm_per_cpu_second'):,.0f}",
                f"{max(run['peak_rss_bytes'] for run in runs) / 2**20:,.0f} MiB",
                f"{len(runs) - wrong} of {len(runs)}",
                f"{min(loads):.1f}..{max(loads):.1f}",
            )
        )
    headings = (
        *("engine", "set up as", "events / s", "events / CPU-second, min", "median", "max"),
        *("second half, median", "peak RSS", "exact", "load average"),
    )
    return Table("The same job on one core, side by side", headings, tuple(rows))


def _crashes(found: dict[str, Any]) -> Table:
    rows = []
    for name, of_engine in found.items():
        for each in of_engine["killed"]:
            share = each["counted"] / each["wanted"] - 1
            verdict = "exact" if not each["wrong_panes"] else f"**wrong** ({share:+.1%})"
            resumed = each["resumed_s"]
            rows.append(
                (
                    *title(name),
                    f"{each['at_share']:.0%}",
                    verdict,
                    f"{each['wrong_panes']:,}",
                    f"{each['counted']:,} of {each['wanted']:,}",
                    "" if resumed is None else f"{resumed:.1f} s",
                )
            )
    headings = ("engine", "set up as", "killed after", "output", "wrong panes", "releases")
    return Table("After one kill -9", (*headings, "first event again"), tuple(rows))


def _ratios(found: dict[str, Any]) -> Table:
    own, rows = typical(found, OURS, "per_cpu_second"), []
    for name in RIVALS:
        other = typical(found, name, "per_cpu_second")
        warm = typical(found, name, "warm_per_cpu_second")
        if own and other:
            rows.append((title(name)[0], f"{own / other:.2f}", f"{own / warm:.2f}"))
    headings = ("beside", "events / CPU-second, times", "once that is warm, times")
    return Table("kpi-stream as a multiple of others", headings, tuple(rows))


def _missing(found: dict[str, Any]) -> Table:
    rows = tuple(
        (*title(name), why.replace("\n", " ").replace("|", "/"))
        for name, of_engine in found.items()
        if (why := of_engine["missing"] or of_engine.get("again", ""))
    )
    return Table("What failed or cannot run here", ("engine", "set up as", "why"), rows)
