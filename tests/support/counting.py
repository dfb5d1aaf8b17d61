# ruff: noqa: ARG002, D102, T201  (implements documented protocols; prints for its parent)
"""The smallest fold that can be wrong by one, for the tests of the worker's Kafka side.

A subject holds how many events it had; a row holds, for one type, how many events and subjects
there were and the sum of their numbers. Run as a program it is a worker process, for the tests that
kill one:

    python -m tests.support.counting '{"brokers": "127.0.0.1:9092", ...}'
"""

import asyncio
import json
import logging
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from kpi_stream.adapters.faust_app.app import WorkerOptions, run_worker
from kpi_stream.adapters.faust_app.partitions import FlushOptions
from kpi_stream.adapters.kafka.dead_letters import RejectLimit
from kpi_stream.adapters.kafka.store import PartitionStore, StoreOptions
from kpi_stream.adapters.kafka.topics import topic_facts
from kpi_stream.application.ports import BrokerOptions, Changes, Guarantee, Topics
from kpi_stream.domain.errors import EventRejected, KpiStreamError, Reason, StateError
from kpi_stream.domain.events import BY_NAME, Event, Fact
from kpi_stream.domain.subject import Outcome

FINGERPRINT = "counting-1"
_TYPES = tuple(BY_NAME.values())


def encode(subject: str, number: int, kind: str = "release.granted") -> tuple[bytes, bytes]:
    """Return key and value of an event."""
    return subject.encode(), json.dumps([kind, number]).encode()


def decode(key: bytes | None, value: bytes | None, received_ms: int) -> Event:
    """The inverse of `encode`; anything else is rejected."""
    if key is None:
        raise EventRejected(Reason.KEY_MISMATCH, "the key is null")
    try:
        kind, number = json.loads(value or b"")
    except ValueError as err:
        raise EventRejected(Reason.NOT_JSON, str(err)) from err
    if kind == "defect":
        msg = "a defect in the codec"
        raise RuntimeError(msg)
    return Event(key.decode(), BY_NAME[kind], Fact(number, f"e{number}", received_ms, ()))


class CountingFold:
    """See the module's text."""

    def __init__(self, partition: int, fingerprint: str = FINGERPRINT) -> None:
        self.partition = partition
        self.fingerprint = fingerprint
        self.watermark_ms = -1
        self.by_subject: dict[bytes, int] = {}
        self.by_row: dict[bytes, list[int]] = {}
        self.complete = False
        self._dirty_subjects: set[bytes] = set()
        self._dirty_rows: set[bytes] = set()

    @property
    def subjects(self) -> int:
        return len(self.by_subject)

    @property
    def rows(self) -> int:
        return len(self.by_row)

    def apply(self, event: Event, count_rows: bool = True) -> Outcome:  # noqa: FBT001, FBT002
        key = event.subject.encode()
        known = self.by_subject.get(key, 0)
        self.by_subject[key] = known + 1
        self._dirty_subjects.add(key)
        self.watermark_ms = max(self.watermark_ms, event.fact.recorded_ms)
        if count_rows:
            row = self.by_row.setdefault(event.type.name.encode(), [0, 0, 0])
            row[0] += 1
            row[1] += not known
            row[2] += event.fact.recorded_ms
            self._dirty_rows.add(event.type.name.encode())
        return Outcome.COUNTED

    def drain(self) -> Changes:
        changes = Changes(
            [(key, b"%d" % self.by_subject[key]) for key in self._dirty_subjects],
            [(key, json.dumps(self.by_row[key]).encode()) for key in self._dirty_rows],
        )
        self._dirty_subjects.clear()
        self._dirty_rows.clear()
        return changes

    def restore_subject(self, key: bytes, value: bytes | None) -> None:
        if value is None:
            self.by_subject.pop(key, None)
        else:
            self.by_subject[key] = int(value)

    def restore_row(self, key: bytes, value: bytes | None) -> None:
        if value is None:
            self.by_row.pop(key, None)
        else:
            self.by_row[key] = json.loads(value)

    def restored(self) -> None:
        self.complete = True

    def meta(self) -> Mapping[str, object]:
        return {"watermark_ms": self.watermark_ms, "fingerprint": self.fingerprint}

    def restore_meta(self, meta: Mapping[str, object]) -> None:
        if meta["fingerprint"] != self.fingerprint:
            msg = f"the state is of {meta['fingerprint']}, not of {self.fingerprint}"
            raise StateError(msg)
        self.watermark_ms = int(str(meta["watermark_ms"]))


class Counts:
    """The metrics, as plain numbers."""

    def __init__(self) -> None:
        self.outcomes: Counter[tuple[str, Outcome]] = Counter()
        self.reasons: Counter[Reason] = Counter()
        self.skips = 0
        self.flushes: list[tuple[int, int, int]] = []
        self.lag: dict[int, int] = {}
        self.watermark_ms: dict[int, int] = {}
        self.sizes: dict[int, tuple[int, int]] = {}
        self.opens: list[int] = []
        self.health: list[bool] = []

    def events(self, partition: int, counts: Mapping[tuple[str, Outcome], int]) -> None:
        self.outcomes.update(counts)

    def rejected(self, partition: int, counts: Mapping[Reason, int]) -> None:
        self.reasons.update(counts)

    def skipped(self, partition: int, events: int) -> None:
        self.skips += events

    def flushed(self, partition: int, seconds: float, events: int, records: int) -> None:
        assert seconds >= 0
        self.flushes.append((partition, events, records))

    def progress(self, partition: int, lag: int, watermark_ms: int) -> None:
        self.lag[partition] = lag
        self.watermark_ms[partition] = watermark_ms

    def store_size(self, partition: int, subjects: int, rows: int) -> None:
        self.sizes[partition] = (subjects, rows)

    def opened(self, partition: int, seconds: float, records: int) -> None:
        assert seconds >= 0
        self.opens.append(partition)

    def revoked(self, partitions: Sequence[int]) -> None:
        for partition in partitions:
            self.lag.pop(partition, None)

    def healthy(self, healthy: bool) -> None:  # noqa: FBT001
        self.health.append(healthy)


class SaidCounts(Counts):
    """The same, and the parent process reads in the output what is applied, flushed or not."""

    def events(self, partition: int, counts: Mapping[tuple[str, Outcome], int]) -> None:
        super().events(partition, counts)
        print(f"applied {sum(self.outcomes.values())}", flush=True)


def store_options(
    brokers: str, topics: Topics, metrics: Counts | None = None, **changes: Any
) -> StoreOptions:
    """Return the options of a store that counts."""
    broker = BrokerOptions((brokers,))
    options: dict[str, Any] = {
        "broker": broker,
        "topics": topics,
        "application": topics.events,
        "fold_factory": CountingFold,
        "decode": decode,
        "metrics": metrics or Counts(),
        "clock_ms": lambda: 1_700_000_000_000,
        "topic_facts": partial(
            asyncio.to_thread,
            topic_facts,
            broker,
            (topics.events, *topics.state),
        ),
        **changes,
    }
    return StoreOptions(**options)


def main(argument: str) -> int:
    """Run a worker until it is told to end; return the exit code."""
    wanted = json.loads(argument)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("kafka").setLevel(logging.WARNING)
    topics = Topics(**wanted["topics"])
    metrics = SaidCounts()
    options = store_options(
        wanted["brokers"],
        topics,
        metrics,
        guarantee=Guarantee(wanted.get("guarantee", "exactly_once")),
        reject_limit=RejectLimit(**wanted.get("reject_limit", {})),
        clock_ms=lambda: int(time.time() * 1000),
    )
    worker = WorkerOptions(
        options.broker,
        topics,
        application=topics.events,
        instance_id=wanted.get("instance_id"),
        metadata_max_age_s=wanted.get("metadata_max_age_s", 30.0),
        flush=FlushOptions(**wanted.get("flush", {})),
    )
    try:
        run_worker(worker, partial(PartitionStore.open, options), metrics)
    except KpiStreamError as err:
        print(f"{type(err).__name__}: {err}", flush=True)
        return 1
    finally:
        print(f"counted {sum(metrics.outcomes.values())} skipped {metrics.skips}", flush=True)
    print("ended in good order", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
