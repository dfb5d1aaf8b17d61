"""The whole core without a broker: events in, readings out."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from kpi_stream.application.fold import PartitionFold, Retention
from kpi_stream.application.ports import Decode, StateCodec
from kpi_stream.application.readings import ReadingTable
from kpi_stream.application.totals import RowTotals
from kpi_stream.domain.catalogue import Catalogue
from kpi_stream.domain.errors import EventRejected, Reason
from kpi_stream.domain.events import Event
from kpi_stream.domain.readings import Reading, SeriesKey
from kpi_stream.domain.strategy import Strategy


@dataclass(slots=True)
class Tally:
    """What became of the events: every one is in exactly one of these counts."""

    outcomes: Counter[str] = field(default_factory=Counter)
    rejected: Counter[Reason] = field(default_factory=Counter)
    later: int = 0
    """Events that were recorded after `as_of`, and so not known yet."""
    newest_ms: int = -1
    """The newest `recorded_at` among the accepted events."""

    @property
    def total(self) -> int:
        """Events seen."""
        return sum(self.outcomes.values()) + sum(self.rejected.values()) + self.later


class Replay:
    """Folds events of one log and reads the KPIs."""

    def __init__(
        self, strategy: Strategy, codec: StateCodec, retention: Retention | None = None
    ) -> None:
        """Start with nothing counted."""
        self.catalogue = Catalogue(strategy)
        self.fold = PartitionFold(self.catalogue, codec, retention)
        self.totals = RowTotals(self.catalogue, codec)
        self.table = ReadingTable(self.catalogue, self.totals)
        self.apply_row: Callable[[int, bytes, bytes | None], None] = self.totals.apply_row
        """Takes the rows of each drain; whoever reads them in another way replaces it."""
        self.tally = Tally()
        self._since_drain = 0

    def take(
        self,
        lines: Iterable[tuple[bytes | None, bytes | None]],
        decode: Decode,
        received_ms: int,
        as_of_ms: int | None = None,
        on_rejected: Callable[[bytes | None, bytes | None, EventRejected], None] | None = None,
    ) -> None:
        """Fold (key, value) pairs in the order of the log.

        Args:
            lines: The log.
            decode: The event codec's.
            received_ms: When the log was received; nothing may be recorded later than that.
            as_of_ms: Leaves out what was recorded after this instant.
            on_rejected: Told of each rejected event.
        """
        for key, value in lines:
            try:
                event = decode(key, value, received_ms)
                if as_of_ms is not None and event.fact.recorded_ms > as_of_ms:
                    self.tally.later += 1
                    continue
                self.apply(event)
            except EventRejected as rejected:
                self.tally.rejected[rejected.reason] += 1
                if on_rejected is not None:
                    on_rejected(key, value, rejected)

    def apply(self, event: Event) -> None:
        """Fold one accepted event.

        Raises:
            EventRejected: Its subject has left the state; the tally does not know of it.
        """
        outcome = self.fold.apply(event)
        self.tally.outcomes[outcome] += 1
        self.tally.newest_ms = max(self.tally.newest_ms, event.fact.recorded_ms)
        self._since_drain += 1
        if self._since_drain >= DRAIN_EVERY:
            self.drain()

    def drain(self) -> None:
        """Move what changed from the fold to the totals."""
        self._since_drain = 0
        for key, value in self.fold.drain().rows:
            self.apply_row(0, key, value)

    def settle(self) -> None:
        """Move the rows that changed to the totals, and let the fold keep its subjects at hand."""
        for key, value in self.fold.drain_rows():
            self.apply_row(0, key, value)

    def readings(self, as_of_ms: int | None = None) -> dict[SeriesKey, Reading]:
        """Return every reading at an instant; by default the newest `recorded_at`."""
        self.drain()
        return self.table.readings(self.tally.newest_ms if as_of_ms is None else as_of_ms)


DRAIN_EVERY = 20_000
"""Events between two moves of rows to the totals; bounds memory, changes no reading."""
