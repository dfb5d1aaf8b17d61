"""The worklists of one partition: whoever waits, in the order in which their time is up.

What is late depends on the time of day, but who is late first does not. So a list is kept in the
order of the due times, which events alone change, and only its beginning is written; how much of
it is late or close the reader says, who has a clock.
"""

import json
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Iterable
from typing import TypeAlias

from kpi_stream.domain.attributes import getter
from kpi_stream.domain.catalogue import Catalogue
from kpi_stream.domain.errors import StateError
from kpi_stream.domain.events import Kind
from kpi_stream.domain.strategy import OTHER, Within, Worklist
from kpi_stream.domain.subject import Subject
from kpi_stream.domain.windows import PANE_MS
from kpi_stream.domain.worklist import OfficeList, RunningLimit, Waiting

SEPARATOR = "|"
Entry: TypeAlias = tuple[object, ...]
"""One of those listed, as in the record: subject, due, channel, stage, since."""
_UNKNOWN = b"?"
"""Stands for a record that was written before a restart."""
_BEFORE_ALL = -(1 << 62)
"""A pane before every other."""


class WorklistBook:
    """Keeps the worklists of a strategy for the subjects of one partition.

    Args:
        catalogue: The strategy, compiled.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        """Start empty."""
        strategy = catalogue.strategy
        kpis = {kpi.id: kpi for kpi in strategy.kpis}
        self._way, self._offices = catalogue.way, strategy.offices
        self._sheets: list[_Sheet] = []
        for each in strategy.worklists:
            measure = kpis[each.kpi].measure
            if isinstance(measure, Within):
                self._sheets.append(_Sheet(each, RunningLimit(measure)))
        self.kinds = frozenset(sheet.limit.kind for sheet in self._sheets)
        """The kinds of subject that any list is about."""
        self._sheets_of = {
            kind: [sheet for sheet in self._sheets if sheet.limit.kind is kind]
            for kind in self.kinds
        }
        self._over = {
            kind: [sheet.limit.over for sheet in sheets] for kind, sheets in self._sheets_of.items()
        }
        self._office = {kind: getter("office", kind) for kind in self.kinds}

    def over(self, kind: Kind, reached: int) -> bool:
        """Return whether no limit runs any more for a subject without corrections.

        Args:
            kind: Its kind.
            reached: One bit a slot that has facts.
        """
        return all(reached & slots for slots in self._over.get(kind, ()))

    def take(self, key: str, subject: Subject) -> None:
        """Note how a subject stands now.

        Args:
            key: Its key in the state, `<kind>:<id>`.
            subject: Its state.
        """
        kind = subject.kind
        if kind not in self.kinds:
            return
        if not subject.corrected and self.over(kind, subject.reached):
            self.drop(key)
            return
        office = self._office_of(subject)
        for sheet in self._sheets_of[kind]:
            due_ms = sheet.limit.due_ms(subject)
            sheet.place(key, None if due_ms is None else (office, due_ms))

    def drop(self, key: str) -> None:
        """Forget a subject that leaves the state."""
        for sheet in self._sheets:
            sheet.place(key, None)

    def restore(self, key: str, subject: Subject) -> None:
        """Note a subject of the stored state, of a listed kind; the order waits for `restored`."""
        office = self._office_of(subject)
        for sheet in self._sheets_of[subject.kind]:
            due_ms = sheet.limit.due_ms(subject)
            if due_ms is not None:
                sheet.restore(key, office, due_ms)

    def restored(self) -> None:
        """Note that the state was read: what stands in the topic is not known, so all is due."""
        for sheet in self._sheets:
            sheet.restored()
            sheet.changed = {*self._offices, OTHER}
            sheet.written = dict.fromkeys(sheet.changed, _UNKNOWN)

    def drain(
        self, state_of: Callable[[str], Subject], watermark_ms: int
    ) -> list[tuple[bytes, bytes | None]]:
        """Return the lists that changed since the last drain, as records.

        Args:
            state_of: Gives the state of a listed subject.
            watermark_ms: The newest `recorded_at`, in ms; what is due before it is late already.
        """
        found: list[tuple[bytes, bytes | None]] = []
        for sheet in self._sheets:
            for office in sorted(sheet.changed):
                record = self._record(sheet, office, state_of, watermark_ms)
                if record != sheet.written.get(office):
                    found.append((_key(sheet.worklist.id, office), record))
                    sheet.written[office] = record
            sheet.changed.clear()
        return found

    def _office_of(self, subject: Subject) -> str:
        code = str(self._office[subject.kind](subject, None))
        return code if code in self._offices else OTHER

    def _record(
        self, sheet: "_Sheet", office: str, state_of: Callable[[str], Subject], watermark_ms: int
    ) -> bytes | None:
        waiting = sheet.waiting.get(office, [])
        if not waiting:
            sheet.entries.pop(office, None)
            return None
        first, before = waiting[: sheet.worklist.size], sheet.entries.get(office, {})
        entries = {
            key: before[key] if key in before else self._entry(key, due_ms, state_of(key))
            for due_ms, key in first
        }
        sheet.entries[office] = entries
        # All that is late is in one pane, and that one is over: else it would read as close.
        passed = watermark_ms // PANE_MS - 1
        later = dict(sheet.settled(office, passed))
        for due_ms, _ in first:
            later[max(due_ms // PANE_MS, passed)] -= 1
        return encode(entries.values(), later)

    def _entry(self, key: str, due_ms: int, subject: Subject) -> Entry:
        standing = None if self._way is None else self._way.standing(subject)
        stage, since_ms = "", 0
        if standing is not None and self._way is not None:
            stage, since_ms = self._way.stages[standing.stage].spec.id, standing.since_ms
        channel = subject.channel if subject.kind is Kind.DECLARATION else None
        return key.partition(":")[2], due_ms, channel, stage, since_ms


class _Sheet:
    """One worklist of one partition."""

    def __init__(self, worklist: Worklist, limit: RunningLimit) -> None:
        self.worklist, self.limit = worklist, limit
        self.waiting: dict[str, list[tuple[int, str]]] = {}
        """By office: (due, key), the first due first."""
        self.panes: dict[str, dict[int, int]] = {}
        """By office: how many fall due in each pane, all before its floor in that one."""
        self.entries: dict[str, dict[str, Entry]] = {}
        """By office: what is listed, as far as it is known to be right; first the first due."""
        self.changed: set[str] = set()
        self.written: dict[str, bytes | None] = {}
        """The newest record of each office."""
        self._floors: dict[str, int] = {}
        self._places: dict[str, tuple[str, int]] = {}

    def place(self, key: str, place: tuple[str, int] | None) -> None:
        """Put a subject at its place, or nowhere."""
        before = self._places.get(key)
        if before is not None:
            # Its stage may have changed even where its place has not.
            self.changed.add(before[0])
            self.entries.get(before[0], {}).pop(key, None)
        if place == before:
            return
        if before is not None:
            office, due_ms = before
            others = self.waiting[office]
            del others[bisect_left(others, (due_ms, key))]
            del self._places[key]
            self._count(office, due_ms, -1)
        if place is not None:
            office, due_ms = place
            insort(self.waiting.setdefault(office, []), (due_ms, key))
            self._places[key] = place
            self._count(office, due_ms, 1)
            self.changed.add(office)

    def restore(self, key: str, office: str, due_ms: int) -> None:
        """Put a subject at its place, one of many that `restored` brings into order."""
        self.waiting.setdefault(office, []).append((due_ms, key))
        self._places[key] = (office, due_ms)

    def restored(self) -> None:
        """Bring into order what was restored, at once: each insertion would move half a list."""
        for office, waiting in self.waiting.items():
            waiting.sort()
            self.panes[office] = dict(Counter(due_ms // PANE_MS for due_ms, _ in waiting))

    def settled(self, office: str, passed: int) -> dict[int, int]:
        """Return how many fall due in each pane, once all that is late is in one.

        Args:
            office: Which.
            passed: A pane that is over at the watermark, which never falls.
        """
        panes = self.panes[office]
        if passed > self._floors.get(office, _BEFORE_ALL):
            self._floors[office] = passed
            late = [panes.pop(pane) for pane in list(panes) if pane < passed]
            if late:
                panes[passed] = panes.get(passed, 0) + sum(late)
        return panes

    def _count(self, office: str, due_ms: int, change: int) -> None:
        panes = self.panes.setdefault(office, {})
        pane = max(due_ms // PANE_MS, self._floors.get(office, _BEFORE_ALL))
        count = panes.get(pane, 0) + change
        if count:
            panes[pane] = count
        else:
            del panes[pane]


def _key(worklist: str, office: str) -> bytes:
    return f"{worklist}{SEPARATOR}{office}".encode()


def encode(listed: Iterable[Entry], later: dict[int, int]) -> bytes:
    """Return one office's list as a record."""
    content = {
        "listed": list(listed),
        "later": {str(pane): count for pane, count in sorted(later.items()) if count},
    }
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()


def decode(key: bytes, value: bytes) -> tuple[str, str, OfficeList]:
    """Return (worklist, office, list) of a record.

    Raises:
        StateError: The record is not one of a worklist.
    """
    worklist, mark, office = key.decode(errors="replace").partition(SEPARATOR)
    try:
        content = json.loads(value)
        listed = tuple(
            Waiting(int(due_ms), str(subject), office, channel, str(stage), int(since_ms))
            for subject, due_ms, channel, stage, since_ms in content["listed"]
        )
        later = {int(pane): int(count) for pane, count in content["later"].items()}
    except (ValueError, TypeError, KeyError, AttributeError) as err:
        msg = f"the record {key!r} is no worklist: {err!r}"
        raise StateError(msg) from err
    if not mark:
        msg = f"the key {key!r} is not that of a worklist"
        raise StateError(msg)
    return worklist, office, OfficeList(listed, later)
