"""What the output topics remember, read back record by record after a restart."""

from collections.abc import Iterable

from kpi_stream.adapters.kafka.reader import Record
from kpi_stream.adapters.kafka.scorecard.records import (
    decode_key,
    decode_state,
    decode_transition,
)
from kpi_stream.application.judge import Transition
from kpi_stream.domain.hysteresis import StatusState
from kpi_stream.domain.readings import SeriesKey

KEPT = 500
"""Transitions that are remembered, beside the state of each series."""


class Memory:
    """Statuses as they were last published."""

    def __init__(self) -> None:
        self.states: dict[SeriesKey, StatusState] = {}
        self.published: set[SeriesKey] = set()
        """Series that have a record in `kpi.readings`."""
        self.as_of_ms: int | None = None
        """The newest `as_of` of any reading, milliseconds since 1970 UTC; None for none."""
        self._latest: dict[tuple[SeriesKey, int], Transition] = {}

    @property
    def transitions(self) -> tuple[Transition, ...]:
        """Return the latest changes of a status, the newest last; each once."""
        return tuple(self._latest.values())

    def take_readings(self, records: Iterable[Record]) -> None:
        """Take records of `kpi.readings`, the later one of a series replacing the earlier one.

        Raises:
            ValueError: A record is not that of a reading.
        """
        for record in records:
            key = decode_key(record.key or b"")
            self.states.pop(key, None)
            if record.value is None:
                self.published.discard(key)
                continue
            as_of_ms, state = decode_state(record.value)
            self.published.add(key)
            self.as_of_ms = max(as_of_ms, self.as_of_ms or as_of_ms)
            if state is not None:
                self.states[key] = state

    def take_transitions(self, records: Iterable[Record]) -> None:
        """Take records of `kpi.transitions`; one that the readings do not know yet is believed.

        Raises:
            ValueError: A record is not that of a transition.
        """
        for record in records:
            if record.value is None:
                continue
            each = decode_transition(decode_key(record.key or b""), record.value)
            known = self.states.get(each.key)
            if known is None or each.sequence > known.sequence:
                self.states[each.key] = StatusState(
                    each.after, each.as_of_ms, each.sequence, target=each.digest
                )
            self._latest[each.key, each.sequence] = each
            while len(self._latest) > KEPT:
                del self._latest[next(iter(self._latest))]
