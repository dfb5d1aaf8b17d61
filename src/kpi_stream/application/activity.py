"""Which offices send events, and for how long one that did has been silent.

Read from the fine panes of the totals. Only panes that changed are looked at again, so that it
costs an evaluation next to nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kpi_stream.application.totals import RowTotals
from kpi_stream.domain.catalogue import Catalogue
from kpi_stream.domain.windows import DAY_MS, PANE_MS, pane_floor
from kpi_stream.domain.working_time import WorkingTime

ACTIVE_DAYS = 7
"""Days before `as_of` whose office hours say how active an office usually is."""

OFFICE = "office"
"""The dimension whose members are the offices, as in `Strategy.offices`."""


@dataclass(frozen=True, slots=True)
class Activity:
    """How an office stands at one instant."""

    silent_ms: int
    """Office hours since the end of the newest pane with an event, in milliseconds; 0 during that
    pane. So it is at most 15 minutes less than the time since the event itself."""
    active: float | None
    """Share of the panes that began in the office hours of the last 7 days, the present pane left
    out, in which the office had events; None where there were no office hours."""


class OfficeActivity:
    """Follows the totals of one strategy.

    Events count at the time of their milestone. What falls due later (`within`) is no event when
    it falls due, so the counters of those measures are left out.
    """

    def __init__(self, catalogue: Catalogue, totals: RowTotals) -> None:
        """Start with nothing seen."""
        self._totals = totals
        self._offices = tuple(sorted(catalogue.strategy.offices))
        self._working = WorkingTime(catalogue.strategy.calendar)
        self._due = frozenset(
            name
            for compiled in catalogue.kpis.values()
            if compiled.measure is not None and compiled.measure.future_dated
            for name in compiled.measure.counters
        )
        self._busy = np.zeros((totals.fine.size, len(self._offices)), dtype=np.bool_)
        self._base: int | None = None
        self._open: tuple[int, NDArray[np.int64]] = (-1, np.zeros(0, dtype=np.int64))

    def read(self, as_of_ms: int) -> Mapping[str, Activity]:
        """Return each office that had an event in the kept fine panes (8 days), by its code."""
        self._totals.settle(as_of_ms)
        base = self._follow()
        present = as_of_ms // PANE_MS
        if present < base:
            return {}
        until_now = self._busy[: present - base + 1]
        seen = until_now.any(axis=0)
        newest = present - until_now[::-1].argmax(axis=0)
        hours = self._open_panes(pane_floor(as_of_ms)) - base
        counts = self._busy[hours[hours >= 0]].sum(axis=0)
        found: dict[str, Activity] = {}
        for at in np.flatnonzero(seen).tolist():
            ended_ms = (int(newest[at]) + 1) * PANE_MS
            silent_ms = self._working.between(ended_ms, as_of_ms)
            active = int(counts[at]) / len(hours) if len(hours) else None
            found[self._offices[at]] = Activity(silent_ms, active)
        return found

    def _follow(self) -> int:
        """Take over what changed in the sheet; returns the first pane that is kept."""
        sheet = self._totals.fine
        base = sheet.base or 0
        if self._base is not None and base > self._base:
            shift = min(base - self._base, len(self._busy))
            self._busy[: len(self._busy) - shift] = self._busy[shift:]
            self._busy[len(self._busy) - shift :] = False
        self._base = base
        touched = sheet.take_touched()
        known = [
            (at, number)
            for at, code in enumerate(self._offices)
            if (number := self._totals.members.get((OFFICE, code))) is not None
        ]
        if len(touched) and known:
            places, numbers = np.array(known, dtype=np.int64).T
            columns = self._totals.columns_but(self._due)
            self._busy[np.ix_(touched, places)] = sheet.any_of(touched, numbers, columns)
        return base

    def _open_panes(self, floor_ms: int) -> NDArray[np.int64]:
        """Return the numbers of the panes of the last 7 days that began in office hours."""
        if self._open[0] != floor_ms:
            panes = range((floor_ms - ACTIVE_DAYS * DAY_MS) // PANE_MS, floor_ms // PANE_MS)
            hours = [pane for pane in panes if self._working.is_open(pane * PANE_MS)]
            self._open = (floor_ms, np.array(hours, dtype=np.int64))
        return self._open[1]
