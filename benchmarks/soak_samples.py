"""What is looked at during a soak: processes, the broker's transactions, series, lag; and slopes.

Samples are lines of JSON in a folder, so that a run that was cut off still tells what it saw.
"""

import json
import os
import re
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from http.client import HTTPException
from pathlib import Path
from statistics import median
from typing import Any

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from benchmarks.result import Result, Table
from kpi_stream.adapters.kafka.writer import TRANSACTION_TIMEOUT_MS
from kpi_stream.application.monitoring import conventions as c
from tests.support.processes import Process

SAMPLES, SUMMARY = "samples.jsonl", "summary.json"
WARM_UP = 0.25
"""Share of the run before figures count: rows stay 40 days in memory, subjects 40 days and more
with a soak's settings, and a quarter of a run is a hundred days of the feed's time."""
_OPEN = ("Ongoing", "PrepareCommit", "PrepareAbort", "PrepareEpochFence")
_PATIENCE_S = 60.0
_HANGING_MS = TRANSACTION_TIMEOUT_MS + 15_000
"""The broker looks for overdue ones every 10 s."""
_MARKS = re.compile(r"(<!-- soak -->\n).*?(<!-- /soak -->)", re.DOTALL)
_RSS = re.compile(r"^VmRSS:\s+(\d+) kB$", re.MULTILINE)
_THREADS = re.compile(r"^Threads:\s+(\d+)$", re.MULTILINE)
_LAG = re.compile(rf"^{c.SCORECARD_LAG.name}\{{.*\}} (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Seen:
    """One process at one moment."""

    pid: int
    rss_bytes: int
    descriptors: int
    threads: int
    series: int | None = None
    """On its `/metrics`; None where it did not answer, or has none."""


@dataclass(frozen=True, slots=True)
class Transactions:
    """What the broker has of them."""

    ids: int
    """Transactional ids that it knows."""
    open: int
    """Open at this moment; a flush has one for milliseconds."""
    hanging: int
    """Of them, those open for longer than they may be."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Everything at one moment."""

    at_s: float
    """Since the first event was sent."""
    processes: Mapping[str, Seen]
    transactions: Transactions | None
    """None where the broker did not answer in time."""
    lag: int | None
    """Events that are not in the rows yet; None where the scorecard did not answer."""
    sent: int
    disk_bytes: int
    """Of the broker's folder."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What the samples do not say."""

    minutes: float
    rate: float
    """Asked for, events a second."""
    events: int
    """Sent."""
    seconds: float
    """In which they were sent."""
    drained_s: float
    """From the last event sent to the last one counted."""
    actions: Mapping[str, int]
    """Forced rebalances, by what forced them."""
    unexpected: Mapping[str, int]
    """Ends of a process that nobody asked for, and orderly ends with an error; by its name and
    exit code."""
    transactions: Transactions | None
    """At the end, when every process has ended in good order."""
    differing_rows: int
    rows: int
    outcomes: Mapping[str, int]
    """Of the offline fold: events by what became of them."""
    compiled: bool
    machine: Mapping[str, str] = field(default_factory=dict)
    load: tuple[float, float] = (0.0, 0.0)
    """Load average at the start and at the end."""


def seen(process: Process, url: str | None) -> Seen | None:
    """Look at a process; None if it is gone."""
    try:
        folder = Path(f"/proc/{process.pid}")
        status = (folder / "status").read_text()
        found = (_RSS.search(status), _THREADS.search(status))
        if found[0] is None or found[1] is None:  # ended, and not waited for yet
            return None
        descriptors = sum(1 for _ in (folder / "fd").iterdir())
    except (FileNotFoundError, ProcessLookupError, RuntimeError):
        return None
    text = None if url is None else page(url)
    series = None if text is None else sum(1 for line in text.splitlines() if line[:1] != "#")
    return Seen(process.pid, int(found[0][1]) << 10, descriptors, int(found[1][1]), series)


def page(url: str) -> str | None:
    """Return what is served there; None if nothing answers, as while a process starts."""
    try:
        with urllib.request.urlopen(url, timeout=_PATIENCE_S) as answer:  # noqa: S310  (loopback)
            text: str = answer.read().decode()
    except (OSError, HTTPException):
        return None
    return text


def lag(text: str | None) -> int | None:
    """Return the lag of all partitions on the scorecard's page."""
    values = _LAG.findall(text or "")
    return round(sum(map(float, values))) if values else None


def transactions(bootstrap: str) -> Transactions | None:
    """Ask the broker for its transactions; None if it does not answer in time."""
    try:
        admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    except KafkaError:
        return None
    try:
        known = _listed(admin)
        # Those of a killed worker stay open until its partitions have moved, and no longer than
        # this.
        hanging = _listed(admin, state_filters=_OPEN, duration_filter_ms=_HANGING_MS)
    except KafkaError:
        return None
    finally:
        admin.close()
    return Transactions(len(known), sum(1 for each in known if each in _OPEN), len(hanging))


def _listed(admin: KafkaAdminClient, **filters: object) -> list[str]:
    by_broker = admin.list_transactions(**filters)
    return [each.state.value for listings in by_broker.values() for each in listings]


def disk_bytes(folder: Path) -> int:
    """Return the size of a folder whose files come and go."""
    total = 0
    for where, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(where) / name).stat().st_blocks * 512
            except FileNotFoundError:
                continue
    return total


def slope_per_hour(points: Iterable[tuple[float, float]]) -> float:
    """Return the slope of the least-squares line through (seconds, value), per hour.

    Example:
        >>> slope_per_hour([(0.0, 5.0), (1800.0, 6.0), (3600.0, 7.0)])
        2.0
    """
    pairs = list(points)
    if len(pairs) < 2:
        return 0.0
    mean_x = sum(x for x, _ in pairs) / len(pairs)
    mean_y = sum(y for _, y in pairs) / len(pairs)
    spread = sum((x - mean_x) ** 2 for x, _ in pairs)
    return 3600 * sum((x - mean_x) * (y - mean_y) for x, y in pairs) / spread if spread else 0.0


def write(folder: Path, sample: Sample) -> None:
    """Add a sample to the folder's."""
    with (folder / SAMPLES).open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(sample)) + "\n")


def read(folder: Path) -> tuple[list[Sample], Summary | None]:
    """Return what a run left; no summary if it was cut off."""
    samples = []
    for line in (folder / SAMPLES).read_text(encoding="utf-8").splitlines():
        given: dict[str, Any] = json.loads(line)
        looked_at = {name: Seen(**each) for name, each in given.pop("processes").items()}
        samples.append(Sample(processes=looked_at, transactions=_transactions(given), **given))
    path = folder / SUMMARY
    if not path.exists():
        return samples, None
    given = json.loads(path.read_text())
    return samples, Summary(transactions=_transactions(given), **given)


def _transactions(given: dict[str, Any]) -> Transactions | None:
    found = given.pop("transactions")
    return None if found is None else Transactions(**found)


def warm(samples: Sequence[Sample]) -> list[Sample]:
    """Return the samples after the warm-up, while events were sent."""
    last = max(each.at_s for each in samples)
    return [each for each in samples if each.at_s >= WARM_UP * last]


def of(samples: Iterable[Sample], name: str, what: str) -> list[tuple[float, float]]:
    """Return (seconds, value) of one figure of a process, where it is known."""
    return [
        (each.at_s, float(value))
        for each in samples
        if name in each.processes and (value := getattr(each.processes[name], what)) is not None
    ]


def result(samples: Sequence[Sample], summary: Summary | None) -> Result:
    """Return the tables of a run."""
    counted = warm(samples)
    notes = (_note(samples, summary),)
    return Result(
        (_processes(counted), _broker(counted)),
        notes,
        {} if summary is None else {"summary": asdict(summary)},
        exact=summary is not None and not summary.differing_rows,
    )


def documented(text: str, found: Result, summary: Summary) -> str:
    """Return a page with the result between its two marks."""
    machine = ", ".join(f"{name}: {what}" for name, what in summary.machine.items())
    lines = [f"Machine: {machine}.", "", *found.notes]
    for table in found.tables:
        lines += ["", f"{table.title}:", "", "| " + " | ".join(table.headings) + " |"]
        lines.append("|---" + "|---:" * (len(table.headings) - 1) + "|")
        lines += ["| " + " | ".join(row) + " |" for row in table.rows]
    body = "\n".join(lines)
    return _MARKS.sub(lambda marks: f"{marks[1]}{body}\n{marks[2]}", text)


def _processes(samples: Sequence[Sample]) -> Table:
    rows = []
    for name in sorted({name for each in samples for name in each.processes}):
        for what, label, unit in (
            ("rss_bytes", "RSS, MiB", 1 << 20),
            ("descriptors", "file descriptors", 1),
            ("threads", "threads", 1),
            ("series", "series on /metrics", 1),
        ):
            points = [(at, value / unit) for at, value in of(samples, name, what)]
            if not points:
                continue
            values = [value for _, value in points]
            slope = slope_per_hour(points) if len({*_pids(samples, name)}) == 1 else None
            rows.append((name, label, *_spread(values), "" if slope is None else f"{slope:+,.1f}"))
    headings = ("process", "figure", "min", "median", "max", "slope an hour")
    return Table("After the warm-up", headings, tuple(rows))


def _pids(samples: Iterable[Sample], name: str) -> Iterable[int]:
    return (each.processes[name].pid for each in samples if name in each.processes)


def _broker(samples: Sequence[Sample]) -> Table:
    asked = [(each.at_s, each.transactions) for each in samples if each.transactions is not None]
    figures: list[tuple[str, list[tuple[float, float]]]] = [
        ("transactional ids", [(at_s, each.ids) for at_s, each in asked]),
        ("open transactions", [(at_s, each.open) for at_s, each in asked]),
        ("of them too long", [(at_s, each.hanging) for at_s, each in asked]),
        ("disk of the broker, MiB", [(each.at_s, each.disk_bytes / 2**20) for each in samples]),
        ("lag, events", [(each.at_s, each.lag) for each in samples if each.lag is not None]),
    ]
    rows = [
        (name, *_spread([value for _, value in points]), f"{slope_per_hour(points):+,.1f}")
        for name, points in figures
        if points
    ]
    headings = ("figure", "min", "median", "max", "slope an hour")
    return Table("All together, after the warm-up", headings, tuple(rows))


def _spread(values: Sequence[float]) -> tuple[str, str, str]:
    return f"{min(values):,.0f}", f"{median(values):,.0f}", f"{max(values):,.0f}"


def _note(samples: Sequence[Sample], summary: Summary | None) -> str:
    if summary is None:
        last = samples[-1]
        return f"Cut off after {last.at_s:,.0f} s and {last.sent:,} events: nothing was compared."
    forced = ", ".join(f"{count} x {name}" for name, count in sorted(summary.actions.items()))
    ends = sum(summary.unexpected.values())
    at_end = summary.transactions
    still_open = "unknown" if at_end is None else f"{at_end.open} of {at_end.ids} ids"
    outcomes = ", ".join(f"{count:,} {name}" for name, count in sorted(summary.outcomes.items()))
    return (
        f"{summary.events:,} events in {summary.seconds / 60:.1f} minutes: "
        f"{summary.events / summary.seconds:,.0f} a second ({summary.rate:,.0f} asked for), "
        f"{'compiled' if summary.compiled else 'pure Python'} build, load average "
        f"{summary.load[0]:.1f} at the start and {summary.load[1]:.1f} at the end. The last event "
        f"was counted {summary.drained_s:.1f} s after it was sent. Forced: {forced}; ends that "
        f"nobody forced: {ends}. Transactions open at the end: {still_open}. Rows "
        f"that differ from the offline fold: {summary.differing_rows} of {summary.rows:,}. "
        f"Events: {outcomes}."
    )
