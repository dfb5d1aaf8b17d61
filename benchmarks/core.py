"""What the core costs an event, without Kafka: decode, fold, drain, collection of garbage.

The work of a worker that has all it wants to read: four partitions in turn, a batch at a time, each
drained after as many events as a fast worker has between two flushes. No broker disturbs it, so it
shows small differences, and whether the compiled build of the core pays.
"""

import gc
import hashlib
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.apart import apart
from benchmarks.cluster import PARTITIONS
from benchmarks.feed import Feed
from benchmarks.machine import is_compiled, load_average
from benchmarks.result import Result, Table, spread
from benchmarks.worker import PROTOTYPE_TYPES, REDUCED
from kpi_stream.adapters.event_files import read_lines
from kpi_stream.adapters.state_codec import MsgspecStateCodec
from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.application.fold import PartitionFold
from kpi_stream.bootstrap.collection import collect_seldom
from kpi_stream.bootstrap.common import event_codec, retention
from kpi_stream.domain.catalogue import Catalogue
from kpi_stream.domain.errors import EventRejected
from kpi_stream.domain.strategy import Strategy
from kpi_stream.settings import Settings

BATCH = 500
"""Events of one partition that the client hands over at once, about."""
EVENTS_A_FLUSH = 2_500
"""What a worker of 35,000 events a second takes from each of four partitions in 0.3 s."""
OTHER_EVENTS_A_FLUSH = 7_001
"""For the check: where a drain lies must not show in the rows."""
PHASES = ("decode", "fold", "drain", "collection")


@dataclass(frozen=True, slots=True)
class Case:
    """A strategy and the event types that it is fed."""

    strategy: Path
    wanted: frozenset[str] | None = None


CASES = {
    "packaged strategy": Case(packaged_strategy_path()),
    "one KPI, same feed": Case(REDUCED),
    "one KPI, six event types": Case(REDUCED, PROTOTYPE_TYPES),
}


@dataclass(frozen=True, slots=True)
class Run:
    """One pass over the feed in a process of its own."""

    events: int
    microseconds: dict[str, float]
    """Processor time an event, by phase."""
    rows_digest: str
    """Of all rows that were written, as they stand at the end."""
    compiled: bool
    load_average: float

    @property
    def total(self) -> float:
        """All phases together."""
        return sum(self.microseconds.values())


class Clock:
    """Adds up this thread's processor time by phase; a collection counts for itself."""

    def __init__(self) -> None:
        self.ns: Counter[str] = Counter()
        self._collecting_since = 0

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Count what happens inside."""
        collected, began = self.ns["collection"], time.thread_time_ns()
        yield
        collected = self.ns["collection"] - collected
        self.ns[name] += time.thread_time_ns() - began - collected

    def collection(self, phase: str, _: dict[str, int]) -> None:
        """Take a call from the collector (`gc.callbacks`)."""
        if phase == "start":
            self._collecting_since = time.thread_time_ns()
        else:
            self.ns["collection"] += time.thread_time_ns() - self._collecting_since


def measure(feed: Feed, runs: int) -> Result:
    """Measure each case, in turn, so that a slow minute of the machine meets all of them."""
    found: dict[str, list[Run]] = {name: [] for name in CASES}
    for _ in range(runs):
        for name in CASES:
            found[name].append(run := apart(one_run, feed.path, name))
            print(f"{name}: {run.total:.2f} us an event, load {run.load_average:.1f}", flush=True)
    wanted = {name: apart(rows_digest, feed.path, name) for name in CASES}
    return Result(
        (_table(found),),
        (_note(found),),
        {name: [asdict(run) for run in of_case] for name, of_case in found.items()},
        exact=all(
            run.rows_digest == wanted[name] for name, of_case in found.items() for run in of_case
        ),
    )


def one_run(path: Path, name: str) -> Run:
    """Fold the feed once, with the clock running."""
    load, clock, core = load_average(), Clock(), Core(CASES[name])
    batches = list(core.batches(path))
    collect_seldom()
    gc.collect()
    # The harness holds a million lines, which the worker does not.
    gc.freeze()
    gc.callbacks.append(clock.collection)
    for partition, lines in batches:
        core.take(partition, lines, clock)
        if core.waiting[partition] >= EVENTS_A_FLUSH:
            core.drain(partition, clock)
    for partition in range(PARTITIONS):
        core.drain(partition, clock)
    gc.callbacks.remove(clock.collection)
    events = sum(len(lines) for _, lines in batches)
    per_event = {each: clock.ns[each] / events / 1000 for each in PHASES}
    return Run(events, per_event, core.digest(), is_compiled(), load)


def rows_digest(path: Path, name: str) -> str:
    """Fold the same with other drains, and return what the rows come to."""
    clock, core = Clock(), Core(CASES[name])
    for partition, lines in core.batches(path):
        core.take(partition, lines, clock)
        if core.waiting[partition] >= OTHER_EVENTS_A_FLUSH:
            core.drain(partition, clock)
    for partition in range(PARTITIONS):
        core.drain(partition, clock)
    return core.digest()


class Core:
    """What a worker has of the core: the decoder and a fold for each partition."""

    def __init__(self, case: Case, strategy: Strategy | None = None) -> None:
        strategy = strategy or load_strategy(case.strategy)
        settings, codec, catalogue = Settings(), MsgspecStateCodec(), Catalogue(strategy)
        self._wanted, self._decode = case.wanted, event_codec(settings, strategy).decode
        self._folds = [
            PartitionFold(catalogue, codec, retention(settings)) for _ in range(PARTITIONS)
        ]
        self._rows: dict[tuple[int, bytes], bytes] = {}
        self.waiting: Counter[int] = Counter()
        """Events by partition since its last drain."""

    def batches(self, path: Path) -> Iterator[tuple[int, list[tuple[bytes | None, bytes]]]]:
        """Yield (partition, keys and values) in the order in which a worker would be fed."""
        partitions: list[list[tuple[bytes | None, bytes]]] = [[] for _ in range(PARTITIONS)]
        read = msgspec.json.Decoder(dict[str, Any]).decode
        for line in read_lines(path):
            try:
                fields = read(line)
                if self._wanted is not None and fields.get("type") not in self._wanted:
                    continue
                key = str(fields["subject"]).encode()
            except (msgspec.DecodeError, KeyError):
                key = None
            partitions[zlib.crc32(key or b"") % PARTITIONS].append((key, line))
        sources = {number: iter(lines) for number, lines in enumerate(partitions)}
        while sources:
            for number, source in list(sources.items()):
                if batch := list(islice(source, BATCH)):
                    yield number, batch
                else:
                    del sources[number]

    def take(self, partition: int, lines: list[tuple[bytes | None, bytes]], clock: Clock) -> None:
        """Decode a batch, then fold it."""
        decode, apply, events = self._decode, self._folds[partition].apply, []
        with clock.phase("decode"):
            for key, line in lines:
                try:
                    events.append(decode(key, line, _RECEIVED_MS))
                except EventRejected:
                    continue
        with clock.phase("fold"):
            for event in events:
                try:
                    apply(event)
                except EventRejected:
                    continue
        self.waiting[partition] += len(lines)

    def drain(self, partition: int, clock: Clock) -> None:
        """Drain a partition's fold and keep the rows as their topic would."""
        self.waiting[partition] = 0
        with clock.phase("drain"):
            changes = self._folds[partition].drain()
        for key, value in changes.rows:
            if value is None or value == b"{}":
                self._rows.pop((partition, key), None)
            else:
                self._rows[partition, key] = value

    def digest(self) -> str:
        """Return a word for all rows."""
        digest = hashlib.sha256()
        for (partition, key), value in sorted(self._rows.items()):
            digest.update(b"%d %s %s\n" % (partition, key, value))
        return digest.hexdigest()[:12]


_RECEIVED_MS = 4_000_000_000_000
"""After every event of the feed."""


def _table(found: dict[str, list[Run]]) -> Table:
    rows = []
    for name, runs in found.items():
        for phase in PHASES:
            values = [run.microseconds[phase] for run in runs]
            rows.append((name, f"{phase}, us an event", *spread(values, ".2f")))
        rows.append((name, "all, us an event", *spread([run.total for run in runs], ".2f")))
        rows.append((name, "events / CPU-second", *spread([1e6 / run.total for run in runs])))
    return Table("The core alone", ("strategy", "figure", "min", "median", "max"), tuple(rows))


def _note(found: dict[str, list[Run]]) -> str:
    runs = [run for of_case in found.values() for run in of_case]
    build = "compiled" if runs[0].compiled else "pure Python"
    loads = [run.load_average for run in runs]
    return (
        f"Build: {build}. {runs[0].events:,} events in {PARTITIONS} partitions, drained every "
        f"{EVENTS_A_FLUSH:,} events of one; load average {min(loads):.1f}..{max(loads):.1f}. "
        "Exact: the rows are those of a fold that is drained elsewhere."
    )
