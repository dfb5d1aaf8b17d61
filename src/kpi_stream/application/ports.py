"""What the worker needs from the fold, and what both need from the outside, as small protocols.

The protocols speak of partitions, offsets and records, since the position in the log is part of the
state; they know no client library. ``offset`` always means the number of one record, ``position``
the number of the next one to be read.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple, Protocol, Self, TypeAlias

from kpi_stream.domain.errors import DamagedSubject, KpiStreamError, Reason, StateError
from kpi_stream.domain.events import Event, Kind
from kpi_stream.domain.subject import Outcome, Subject

POSITION_KEY = b"@"
"""The reserved key in the topics of subjects and rows; its record says up to where the events are
applied."""


class Fenced(KpiStreamError):
    """Another worker has opened the partition: let it go, it is no longer ours."""


class Guarantee(StrEnum):
    """How often an event counts; the names are those of Kafka Streams."""

    EXACTLY_ONCE = "exactly_once"
    AT_LEAST_ONCE = "at_least_once"
    """For brokers without transactions: exact after a crash too, but two workers that believe to
    own the same partition at once are not kept apart, and dead letters may repeat."""


@dataclass(frozen=True, slots=True)
class Topics:
    """The names of the topics; tests and a second installation on one cluster use others."""

    events: str = "customs.events"
    declarations: str = "kpi.declarations"
    rows: str = "kpi.rows"
    dead_letters: str = "customs.events.dlq"
    readings: str = "kpi.readings"
    transitions: str = "kpi.transitions"
    epochs: str = "kpi.epoch"
    """Says which epoch serves."""
    worklist: str = "kpi.worklist"

    @property
    def state(self) -> tuple[str, str, str]:
        """The topics that belong to an epoch, each with as many partitions as the events."""
        return self.declarations, self.rows, self.worklist

    def with_epoch(self, epoch: str) -> Self:
        """Return the names with the state topics of another epoch.

        A new epoch builds the state again from the events, beside the old one, for example after
        the definition of a KPI has changed. The empty epoch is the plain names.

        Example:
            >>> Topics().with_epoch("2").rows
            'kpi.rows.2'
        """
        if not epoch:
            return self
        return replace(
            self,
            declarations=f"{self.declarations}.{epoch}",
            rows=f"{self.rows}.{epoch}",
            worklist=f"{self.worklist}.{epoch}",
        )


@dataclass(frozen=True, slots=True)
class BrokerOptions:
    """How to reach Kafka; every client of every library is made from this."""

    bootstrap_servers: tuple[str, ...]
    """``host:port`` of one or more brokers."""
    security_protocol: str = "PLAINTEXT"
    """PLAINTEXT, SSL or SASL_SSL."""
    ssl_context: object | None = None
    """An `ssl.SSLContext` that checks certificate and host name; None where there is no TLS."""
    sasl_mechanism: str | None = None
    """SCRAM-SHA-512 or SCRAM-SHA-256; None where the protocol has no SASL."""
    sasl_username: str | None = None
    sasl_password: str | None = field(default=None, repr=False)
    client_id: str = "kpi-stream"


class SourceRecord(Protocol):
    """One record of the events topic, as the client library hands it over."""

    @property
    def offset(self) -> int:
        """The record's number in its partition."""

    @property
    def timestamp(self) -> int:
        """The broker's time (the producer's, where the broker keeps that); ms since 1970."""

    @property
    def key(self) -> bytes | None:
        """The key as it arrived."""

    @property
    def value(self) -> bytes | None:
        """The value as it arrived; None is a tombstone."""

    @property
    def headers(self) -> Sequence[tuple[str, bytes]]:
        """The headers as they arrived."""


class Changes(NamedTuple):
    """Records to write since the last drain; a value of None is a tombstone."""

    subjects: list[tuple[bytes, bytes | None]]
    rows: list[tuple[bytes, bytes | None]]
    worklists: Sequence[tuple[bytes, bytes | None]] = ()
    """Nothing reads them back: they follow from the subjects."""


class StateCodec(Protocol):
    """How state is written; an adapter provides it."""

    @property
    def subject_head(self) -> bytes:
        """How everything begins that `encode_subject` returns."""

    def encode_subject(self, subject: Subject) -> bytes:
        """Return a subject's state as bytes."""

    def decode_subject(self, kind: Kind, record: bytes) -> Subject:
        """Return the state that `encode_subject` wrote.

        Raises:
            StateError: The bytes are not a state of that kind.
        """

    def reached(self, record: bytes) -> int | None:
        """Return one bit a slot that has facts, without decoding the rest.

        None where they do not say what counts: corrections may have taken some of them back, or
        the bytes are not a state.
        """

    def encode_counters(self, counters: dict[str, int]) -> bytes:
        """Return a row's counters as bytes, in the order of their names."""

    def encode_ordered(self, counters: dict[str, int]) -> bytes:
        """Return the same of counters that are in that order already, in a third of the time."""

    def decode_counters(self, record: bytes) -> dict[str, int]:
        """Return the counters that `encode_counters` wrote.

        Raises:
            StateError: The bytes are not the counters of a row.
        """


class Fold(Protocol):
    """The fold of the events of one partition into subjects and rows; pure and synchronous."""

    watermark_ms: int
    """The newest recorded_at applied so far, in ms since 1970; -1 before the first."""

    @property
    def subjects(self) -> int:
        """How many subjects the state holds."""

    @property
    def rows(self) -> int:
        """How many rows the state holds."""

    def apply(self, event: Event, count_rows: bool = True) -> Outcome:  # noqa: FBT001, FBT002
        """Apply one event and return what became of it.

        Args:
            event: The event.
            count_rows: False where the rows hold this event already and only the subject lacks it,
                after a crash between the two writes of `at_least_once`.

        Raises:
            EventRejected: The subject has left the state (`expired`).
        """

    def drain(self) -> Changes:
        """Return the changed subjects and rows and forget that they changed."""

    def restore_subject(self, key: bytes, value: bytes | None) -> None:
        """Take over a stored subject; a later record of the same key replaces it."""

    def restore_row(self, key: bytes, value: bytes | None) -> None:
        """Take over a stored row; a later record of the same key replaces it."""

    def restored(self) -> None:
        """Note that both topics were read; called once, after the last record.

        Raises:
            DamagedSubject: What is stored of a subject cannot be read.
        """

    def meta(self) -> Mapping[str, object]:
        """Return what the position record must say about the state, for example its version."""

    def restore_meta(self, meta: Mapping[str, object]) -> None:
        """Take over `meta` of the stored position record.

        Raises:
            StateError: The state was written under another strategy or state version.
        """


FoldFactory: TypeAlias = Callable[[int], Fold]
"""Makes an empty fold for a partition."""

Decode: TypeAlias = Callable[[bytes | None, bytes | None, int], Event]
"""(key, value, received at, ms) → event; raises EventRejected."""

ClockMs: TypeAlias = Callable[[], int]
"""The wall clock, in ms since 1970."""


class Store(Protocol):
    """The durable state of one partition, in the hands of one worker."""

    @property
    def applied(self) -> int:
        """The offset of the last event applied in memory; -1 before the first."""

    @property
    def committed(self) -> int:
        """The offset of the last event whose effects are durable; -1 before the first."""

    @property
    def fresh(self) -> bool:
        """Whether the state topics held no position when the store was opened."""

    @property
    def pending(self) -> int:
        """How many events were applied since the last flush began."""

    def process(self, records: Sequence[SourceRecord], end: int, position: int | None) -> None:
        """Apply the records beyond `applied`, in order.

        Args:
            records: Records of the partition with rising offsets.
            end: The end of the source partition as last reported; the next offset to be written.
            position: The next offset to be read, where known.

        Raises:
            InputError: Too large a share of the events is rejected.
            DamagedSubject: What is stored of a subject cannot be read; `located` says where it is.
            StateError: An event could not be folded for a reason that is no fault of its own.
        """

    async def located(self, damage: DamagedSubject) -> StateError:
        """Return the error with topic, partition and offset of the record, which is looked for."""

    async def flush(self) -> None:
        """Make everything applied so far durable, all or nothing; one flush at a time.

        Raises:
            Fenced: Another worker owns the partition now.
            Unavailable: The broker does not answer; the store must be opened again.
        """

    def report(self, end: int | None = None) -> None:
        """Set the gauges of the progress; those of the size follow each flush.

        Args:
            end: The end of the source partition, where newer than the last batch; None: unknown.
        """

    async def suspend(self, flush_within_s: float) -> bool:
        """Flush, and return whether `resume` may be asked if the partition comes back.

        Raises what flush raises; then, and if the answer is no, the store must be closed.
        """

    async def resume(self) -> None:
        """Go on with what is in memory, once it is certain that it is what is stored.

        Raises:
            Fenced: Another worker has opened the partition since `suspend`.
            KpiStreamError: Anything else for which the partition must be opened anew.
        """

    async def close(self, flush_within_s: float | None) -> None:
        """Flush, if a time for it is given, and let the partition go; raises what flush raises."""


OpenStore: TypeAlias = Callable[[int], Awaitable[Store]]
"""Fences the partition's previous owner, reads its state and returns its store."""


class WorkerMetrics(Protocol):
    """Where the worker counts; called once a batch or a flush, never once an event."""

    def events(self, partition: int, counts: Mapping[tuple[str, Outcome], int]) -> None:
        """Add events by (event type, outcome)."""

    def rejected(self, partition: int, counts: Mapping[Reason, int]) -> None:
        """Add rejected events by reason."""

    def skipped(self, partition: int, events: int) -> None:
        """Add events that were read again and had been applied before."""

    def flushed(self, partition: int, seconds: float, events: int, records: int) -> None:
        """Note one durable flush: its duration and how much it wrote."""

    def progress(self, partition: int, lag: int, watermark_ms: int) -> None:
        """Set how many events wait and the newest recorded_at applied (-1: none yet)."""

    def store_size(self, partition: int, subjects: int, rows: int) -> None:
        """Set how much state a partition holds in memory."""

    def opened(self, partition: int, seconds: float, records: int) -> None:
        """Note that a partition's state was read."""

    def revoked(self, partitions: Sequence[int]) -> None:
        """Forget the gauges of partitions that this worker no longer owns."""

    def healthy(self, healthy: bool) -> None:  # noqa: FBT001
        """Set whether the worker works; False from the first error that stops it."""
