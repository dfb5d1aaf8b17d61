"""The fold of one source partition: events in, changed subjects and changed rows out.

For each event: rows += contributions(new state) - contributions(old state). Out-of-order events,
corrections, cancellations and changes of channel are all this one subtraction. What the fold does
depends on the partition's log alone (its clock is the watermark, the newest `recorded_at` so far),
so a replay from any committed point gives the same rows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kpi_stream.application.ports import Changes, StateCodec
from kpi_stream.application.recount import Plan
from kpi_stream.application.row_store import RowStore
from kpi_stream.application.worklist import WorklistBook
from kpi_stream.domain.catalogue import Catalogue
from kpi_stream.domain.errors import DamagedSubject, EventRejected, Reason, StateError
from kpi_stream.domain.events import EVENT_TYPES, STATE_VERSION, Event, Kind
from kpi_stream.domain.subject import Outcome, Subject
from kpi_stream.domain.windows import DAY_MS, PANE_MS, pane_floor


@dataclass(frozen=True, slots=True)
class Retention:
    """How long a subject stays in the state, measured by the watermark."""

    complete_ms: int = 60 * DAY_MS
    """After the newest event of a complete subject."""
    incomplete_ms: int = 400 * DAY_MS
    """After the newest event of a subject that never completed."""
    remembered_ms: int = 400 * DAY_MS
    """How much longer a subject that left is remembered, so that no later event counts by half."""


LEAVES_BYTES = 8
"""Every subject record begins with the time at which it leaves, as big-endian milliseconds; a
record of that length alone is the marker of a subject that left."""


LIVE_KEPT = 5_000
"""Subjects that may stay decoded after a drain, about 12 MB: what was touched lately is likely to
be touched again, and need not be read back then. If there are more, all of them are let go."""


class PartitionFold:
    """State of one partition: its subjects and its rows."""

    def __init__(
        self, catalogue: Catalogue, codec: StateCodec, retention: Retention | None = None
    ) -> None:
        """Start empty; `restore_*` then brings back what was written."""
        self._catalogue, self._codec = catalogue, codec
        self._head = codec.subject_head
        self._retention = retention or Retention()
        self.watermark_ms = -1
        self._rows = RowStore(catalogue.days, codec)
        self._book = WorklistBook(catalogue)
        self._add = self._rows.add
        self._states: dict[str, bytes] = {}
        self._live: dict[str, Subject] = {}
        self._touched: set[str] = set()
        self._leaving: dict[int, list[str]] = {}
        self._swept_day = -1
        self._soonest = min(self._retention.complete_ms, self._retention.incomplete_ms)
        self._next_pane_ms = -1
        self._prefixes = {each.name: f"{each.kind.value}:" for each in EVENT_TYPES}
        self._first = {each.name: Plan(each, catalogue.touched(each)) for each in EVENT_TYPES}
        # A second fact of a milestone can contradict the first.
        self._again = {
            each.name: Plan(each, catalogue.touched(each, again=True)) for each in EVENT_TYPES
        }
        # What a correction replaces may be of any type.
        self._corrections = {
            each.name: Plan(each, catalogue.counted(each.kind)) for each in EVENT_TYPES
        }

    @property
    def subjects(self) -> int:
        """Subjects in the state, markers of those that left included."""
        return len(self._states) + sum(1 for key in self._touched if key not in self._states)

    @property
    def rows(self) -> int:
        """Rows held in memory."""
        return len(self._rows)

    def apply(self, event: Event, count_rows: bool = True) -> Outcome:  # noqa: FBT001, FBT002
        """Take one accepted event and return what became of it.

        Args:
            event: In the order of the partition's log.
            count_rows: False where the rows hold the event already and only the subject does not
                (recovery without transactions).

        Raises:
            EventRejected: The subject has left the state (reason `expired`).
        """
        subject_id, event_type, fact, corrects = event
        name = event_type.name
        key = self._prefixes[name] + subject_id
        subject = self._live.get(key)
        if subject is None:
            subject = self._live[key] = self._open(key, event)
        elif self.watermark_ms > subject.newest_ms + self._soonest:
            left_ms = self._leaves_ms(subject)
            if self.watermark_ms > left_ms:
                subject = self._live[key] = self._begin(event, left_ms)
        if fact[0] > self.watermark_ms:
            self._advance(fact[0])
        plans = self._first
        if corrects is not None or subject.facts[event_type.slot] is not None:
            if subject.knows(event):
                return Outcome.DUPLICATE
            plans = self._again if corrects is None else self._corrections
        self._touched.add(key)
        if not count_rows:
            return subject.apply(event)
        return plans[name].take(event, subject, self._add)

    def drain(self) -> Changes:
        """Return what changed since the last drain, and let go of what is no longer needed."""
        subjects: list[tuple[bytes, bytes | None]] = []
        states, live, encode = self._states, self._live, self._codec.encode_subject
        listed = self._book.take if self._book.kinds else None
        for key in self._touched:
            subject = live[key]
            if listed is not None:
                listed(key, subject)
            leaves_ms = self._leaves_ms(subject)
            record = leaves_ms.to_bytes(LEAVES_BYTES, "big") + encode(subject)
            held = states.get(key)
            if held is None or leaves_ms // DAY_MS < _leaves(held) // DAY_MS:
                self._leaving.setdefault(leaves_ms // DAY_MS, []).append(key)
            states[key] = record
            subjects.append((key.encode(), record))
        self._touched.clear()
        if len(live) > LIVE_KEPT:
            live.clear()
        subjects.extend(self._sweep())
        worklists = self._book.drain(self._state, self.watermark_ms)
        return Changes(subjects, self._rows.drain(self.watermark_ms), worklists)

    def drain_rows(self) -> list[tuple[bytes, bytes | None]]:
        """Return the rows that changed since the last drain; the subjects wait for the next one.

        For whoever reads often and stores nothing: to encode the subjects takes most of a drain.
        """
        return self._rows.drain(self.watermark_ms)

    def restore_subject(self, key: bytes, value: bytes | None) -> None:
        """Take back one record of the subjects' topic."""
        if value is None:
            self._states.pop(key.decode(), None)
            return
        # To decode every state would double the time; a damage further in shows when it is used.
        if len(value) != LEAVES_BYTES and not value.startswith(self._head, LEAVES_BYTES):
            msg = f"{key!r} holds no state of a subject, but {value[:40]!r}"
            raise StateError(msg)
        self._states[key.decode()] = value

    def restore_row(self, key: bytes, value: bytes | None) -> None:
        """Take back one record of the rows' topic."""
        self._rows.restore(key, value)

    def restored(self) -> None:
        """Finish recovery, once both topics were read to their ends.

        Raises:
            DamagedSubject: A subject that may stand on a worklist cannot be read.
        """
        for key, record in self._states.items():
            self._leaving.setdefault(_leaves(record) // DAY_MS, []).append(key)
            if len(record) > LEAVES_BYTES and key.partition(":")[0] in self._book.kinds:
                self._list_again(key, record[LEAVES_BYTES:])
        self._swept_day = min(self._leaving, default=0) - 1
        self._book.restored()
        self._rows.restored(self.watermark_ms)

    def meta(self) -> dict[str, object]:
        """Return what must be written beside the applied offset."""
        return {
            "watermark_ms": self.watermark_ms,
            "fingerprint": self._catalogue.fingerprint,
            "state_version": STATE_VERSION,
        }

    def restore_meta(self, meta: Mapping[str, object]) -> None:
        """Take back what `meta` gave.

        Raises:
            StateError: The state was counted under other definitions.
        """
        if meta.get("state_version") != STATE_VERSION:
            msg = (
                f"the stored state has version {meta.get('state_version')}, this program writes "
                f"{STATE_VERSION}; count again from the events, into a new epoch, with: "
                "kpi-stream rebuild"
            )
            raise StateError(msg)
        if meta.get("fingerprint") != self._catalogue.fingerprint:
            msg = (
                f"the stored rows were counted under other KPI definitions "
                f"({meta.get('fingerprint')}, the strategy now gives "
                f"{self._catalogue.fingerprint}); count again from the events, into a new epoch, "
                "with: kpi-stream rebuild; or go back to the earlier strategy"
            )
            raise StateError(msg)
        watermark = meta.get("watermark_ms")
        self.watermark_ms = watermark if isinstance(watermark, int) else -1

    def states(self) -> Iterable[Subject]:
        """Yield every subject that is in the state (for tests and offline checks)."""
        for key, record in self._states.items():
            if key not in self._live and len(record) > LEAVES_BYTES:
                yield self._codec.decode_subject(Kind(key.partition(":")[0]), record[LEAVES_BYTES:])
        yield from self._live.values()

    def _list_again(self, key: str, state: bytes) -> None:
        """Put a stored subject on the worklists; most are done, and not decoded for that."""
        kind = Kind(key.partition(":")[0])
        reached = self._codec.reached(state)
        if reached is not None and self._book.over(kind, reached):
            return
        try:
            subject = self._codec.decode_subject(kind, state)
        except StateError as err:
            raise DamagedSubject(key, str(err)) from err
        self._book.restore(key, subject)

    def _state(self, key: str) -> Subject:
        """Return the state of a subject that is in it."""
        live = self._live.get(key)
        if live is not None:
            return live
        record, kind = self._states[key], Kind(key.partition(":")[0])
        return self._codec.decode_subject(kind, record[LEAVES_BYTES:])

    def _open(self, key: str, event: Event) -> Subject:
        record = self._states.get(key)
        if record is None:
            return self._begin(event)
        until_ms = _leaves(record)
        if len(record) == LEAVES_BYTES:
            return self._begin(event, until_ms - self._retention.remembered_ms)
        if self.watermark_ms > until_ms:
            return self._begin(event, until_ms)
        try:
            return self._codec.decode_subject(event.type.kind, record[LEAVES_BYTES:])
        except StateError as err:
            raise DamagedSubject(key, str(err)) from err

    def _begin(self, event: Event, left_ms: int | None = None) -> Subject:
        """Return a new subject, unless it is one that has left and is remembered.

        The watermark says what is forgotten, not whether a drain has swept it out yet: otherwise
        the same log would give other rows where the drains lie elsewhere.
        """
        horizon_ms = self.watermark_ms - self._retention.remembered_ms
        remembered = left_ms is not None and left_ms >= horizon_ms
        if remembered or event.fact.occurred_ms < horizon_ms:
            raise _expired(event)
        return Subject(event.type.kind)

    def _leaves_ms(self, subject: Subject) -> int:
        stays = self._retention.complete_ms if subject.complete else self._retention.incomplete_ms
        return max(0, subject.newest_ms + stays)

    def _advance(self, recorded_ms: int) -> None:
        """Raise the watermark; what is hot changes with its pane only."""
        self.watermark_ms = recorded_ms
        if recorded_ms >= self._next_pane_ms:
            self._next_pane_ms = pane_floor(recorded_ms) + PANE_MS
            self._rows.advance(recorded_ms)

    def _sweep(self) -> Iterable[tuple[bytes, bytes | None]]:
        """Yield the records of subjects that leave, and of those that are forgotten."""
        today = self.watermark_ms // DAY_MS
        if today <= self._swept_day:
            return
        self._swept_day = today
        for day in sorted(day for day in self._leaving if day < today):
            for key in self._leaving.pop(day):
                record = self._states.get(key)
                if record is None:
                    continue
                leaves_ms = _leaves(record)
                if leaves_ms >= self.watermark_ms or leaves_ms // DAY_MS >= today:
                    self._leaving.setdefault(leaves_ms // DAY_MS, []).append(key)
                elif len(record) == LEAVES_BYTES:
                    del self._states[key]
                    yield key.encode(), None
                else:
                    self._live.pop(key, None)
                    self._book.drop(key)
                    forgotten_ms = leaves_ms + self._retention.remembered_ms
                    marker = forgotten_ms.to_bytes(LEAVES_BYTES, "big")
                    self._states[key] = marker
                    self._leaving.setdefault(forgotten_ms // DAY_MS, []).append(key)
                    yield key.encode(), marker


def _leaves(record: bytes) -> int:
    return int.from_bytes(record[:LEAVES_BYTES], "big")


def _expired(event: Event) -> EventRejected:
    return EventRejected(
        Reason.EXPIRED,
        f"{event.type.kind} {event.subject} has left the state; its readings are closed",
    )
