"""Bytes that a subject takes in the state of a worker: open, complete, and left but remembered.

Two ways. *Traced*: a fold takes back stored subjects, as after a restart, and Python says what was
allocated for them. *Resident*: a fold takes events, and the process grows. The state does not
depend on the strategy, so the one with a single KPI is used, whose rows are few.
"""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.apart import apart, rss_bytes
from benchmarks.feed import UNTIL_MS, Feed
from benchmarks.machine import load_average
from benchmarks.result import Result, Table
from benchmarks.worker import REDUCED
from kpi_stream.adapters.event_files import read_lines
from kpi_stream.adapters.events.codec import EventCodec
from kpi_stream.adapters.state_codec import MsgspecStateCodec
from kpi_stream.adapters.strategy_files import load_strategy
from kpi_stream.application.fold import LEAVES_BYTES, PartitionFold, Retention
from kpi_stream.application.ports import Changes
from kpi_stream.domain.catalogue import Catalogue
from kpi_stream.domain.errors import EventRejected
from kpi_stream.domain.events import BY_NAME, Event, Kind
from kpi_stream.domain.windows import DAY_MS

AIM_BYTES = 1024
"""Of an open declaration."""
_DRAIN_EVERY = 20_000
_SKEW_MS = 300_000
_STAY = Retention(complete_ms=400 * DAY_MS)
"""Nobody leaves before the end of the feed."""
_WARM = 0.1
"""Share of the events after which the growth is measured: the first drains also reserve room that
is used again and again."""


class Folded(NamedTuple):
    """What a feed left in the state."""

    events: int
    records: list[tuple[bytes, bytes]]
    """The stored states."""
    left: list[tuple[bytes, bytes]]
    """The markers of those that left, long after."""


def measure(feed: Feed) -> Result:
    """Measure declarations that are never released, and those with their whole life."""
    found: dict[str, object] = {"load_average": load_average()}
    rows = []
    folded = Folded(0, [], [])
    for name, whole in (("open declaration", False), ("complete declaration", True)):
        folded = apart(_fold, feed.path, whole)
        number = len(folded.records)
        traced = apart(_traced, folded.records) / number
        resident = apart(_resident, feed.path, whole, feed.events)
        stored = _mean_bytes(folded.records)
        each = folded.events / number
        rows.append((name, f"{number:,}", f"{each:.1f}", *_whole_numbers(traced, resident, stored)))
        found[name] = {"traced": traced, "resident": resident, "stored": stored, "events": each}
    traced, stored = apart(_traced, folded.left) / len(folded.left), _mean_bytes(folded.left)
    rows.append(
        (
            "left, remembered",
            f"{len(folded.left):,}",
            "",
            *_whole_numbers(traced),
            "",
            f"{stored:.0f}",
        )
    )
    found["left, remembered"] = {"traced": traced, "stored": stored}
    headings = ("subject", "number", "events each", "bytes, traced", "bytes, resident", "stored")
    return Result(
        (Table("Memory of one subject in the worker's state", headings, tuple(rows)),),
        (f"Aim: at most {AIM_BYTES:,} bytes an open declaration.",),
        found,
    )


def _fold(path: Path, whole: bool) -> Folded:  # noqa: FBT001
    """Fold a feed and return the states, then let 500 days pass and return the markers."""
    fold, records, taken = _empty(), dict[bytes, bytes](), 0
    event = None
    for event in _events(path, whole):
        fold.apply(event)
        taken += 1
        if taken % _DRAIN_EVERY == 0:
            _keep(records, fold.drain())
    _keep(records, fold.drain())
    if event is None:
        return Folded(0, [], [])
    late_ms = UNTIL_MS + 500 * DAY_MS
    fact = event.fact._replace(recorded_ms=late_ms, occurred_ms=late_ms)
    fold.apply(event._replace(subject="LATE", fact=fact))
    left = [
        (key, value) for key, value in fold.drain().subjects if value and len(value) == LEAVES_BYTES
    ]
    return Folded(taken, list(records.items()), left)


def _resident(path: Path, whole: bool, events: int) -> float:  # noqa: FBT001
    """Return by how many bytes the process grows for one more subject."""
    fold, before, known = _empty(), 0, 0
    for taken, event in enumerate(_events(path, whole), 1):
        fold.apply(event)
        if taken % _DRAIN_EVERY == 0:
            fold.drain()
            if not before and taken >= events * _WARM:
                before, known = rss_bytes(), fold.subjects
    fold.drain()
    return (rss_bytes() - before) / (fold.subjects - known) if before else float("nan")


def _traced(records: list[tuple[bytes, bytes]]) -> int:
    """Return the bytes that a fold allocates to take these subjects back."""
    fold = _empty()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for key, value in records:
        # A copy, as if it came from the network: these bytes belong to the fold alone.
        fold.restore_subject(key, bytes(bytearray(value)))
    fold.restored()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return after - before


def _empty() -> PartitionFold:
    return PartitionFold(Catalogue(load_strategy(REDUCED)), MsgspecStateCodec(), _STAY)


def _events(path: Path, whole: bool) -> Iterator[Event]:  # noqa: FBT001
    """Yield the events of declarations; unless whole, none from the release on."""
    codec = EventCodec(load_strategy(REDUCED).offices, _SKEW_MS, 1 << 16)
    released = BY_NAME["release.granted"].slot
    gone: set[str] = set()
    for line in read_lines(path):
        try:
            event = codec.decode_value(line, UNTIL_MS)
        except EventRejected:
            continue
        if event.type.kind is not Kind.DECLARATION:
            continue
        if not whole and (event.type.slot == released or event.subject in gone):
            gone.add(event.subject)
            continue
        yield event


def _keep(records: dict[bytes, bytes], changes: Changes) -> None:
    for key, value in changes.subjects:
        if value is None:
            records.pop(key, None)
        else:
            records[key] = value


def _mean_bytes(records: list[tuple[bytes, bytes]]) -> float:
    return sum(len(key) + len(value) for key, value in records) / len(records)


def _whole_numbers(*values: float) -> tuple[str, ...]:
    return tuple(f"{value:,.0f}" for value in values)
