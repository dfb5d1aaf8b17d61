"""Results kept as JSON beside the code, and written into README.md between two marks."""

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.machine import description, pinned
from benchmarks.result import Result, Table

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results.json"
README = FOLDER / "README.md"

_MARKS = re.compile(r"(<!-- results -->\n).*?(<!-- /results -->)", re.DOTALL)

PEERS = (
    ("this project's prototype: 6 counters, no correction, no expiry", 106_000),
    ("Flink, exactly once", 77_000),
    ("Kafka Streams, exactly_once_v2", 65_000),
    ("Quix Streams", 26_000),
    ("Faust as it comes", 3_800),
)
"""Events a CPU-second. Source: the measurements of the design phase, two cores, Apache Kafka 4.3.1,
one worker on one core, 254-byte events of six types, one duration by office and channel. They were
not repeated with these results."""


def keep(path: Path, results: dict[str, Result]) -> None:
    """Write results; those of other benchmarks that the file has stay."""
    kept: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    machine = {**description(), "cores shared out": pinned()}
    for name, result in results.items():
        kept[name] = {"machine": machine, **asdict(result)}
    path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def write() -> None:
    """Write the results into the README."""
    kept = json.loads(RESULTS.read_text(encoding="utf-8"))
    text = README.read_text(encoding="utf-8")
    body = "\n".join(_lines(kept))
    README.write_text(
        _MARKS.sub(lambda found: f"{found[1]}{body}\n{found[2]}", text), encoding="utf-8"
    )


def _lines(kept: dict[str, Any]) -> list[str]:
    lines, machines = [], []
    for name, result in kept.items():
        machine = ", ".join(f"{key}: {value}" for key, value in result["machine"].items())
        if machine not in machines:
            machines.append(machine)
        lines += ["", f"### {name}", ""]
        for table in result["tables"]:
            lines += _markdown(table)
        if name == "worker":
            lines += _markdown(asdict(_beside(result["runs"])))
        lines += [f"{note}" for note in result["notes"]] + [""] * bool(result["notes"])
    return [*(f"Machine: {machine}." for machine in machines), *lines]


def _beside(runs: dict[str, Any]) -> Table:
    """Return the worker's medians among the figures of the design phase."""
    own = [
        (f"**kpi-stream: {case}**", sorted(run["per_cpu_second"] for run in of_case))
        for case, of_case in runs.items()
    ]
    lines = [(name, values[len(values) // 2]) for name, values in own]
    lines += [(f"{name} (another run)", figure) for name, figure in PEERS]
    lines.sort(key=lambda line: -line[1])
    rows = tuple((name, f"{round(figure, -3):,.0f}") for name, figure in lines)
    return Table("Beside others", ("what", "events / CPU-second"), rows)


def _markdown(table: dict[str, Any]) -> list[str]:
    headings, rows = table["headings"], table["rows"]
    lines = [f"{table['title']}:", "", "| " + " | ".join(headings) + " |"]
    lines.append("|---" + "|---:" * (len(headings) - 1) + "|")
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return [*lines, ""]
