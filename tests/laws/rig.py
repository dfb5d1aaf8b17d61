"""A partition with its two compacted topics, for laws about splits and restarts."""

from collections import Counter
from collections.abc import Iterable

from kpi_stream.adapters.state_codec import MsgspecStateCodec
from kpi_stream.application.fold import PartitionFold, Retention
from kpi_stream.application.totals import RowTotals
from kpi_stream.domain.catalogue import Catalogue
from kpi_stream.domain.errors import EventRejected
from kpi_stream.domain.rows import decode_key
from tests.laws.brute import Raw
from tests.laws.strategies import DAY, event

CODEC = MsgspecStateCodec()
FOR_EVER = Retention(10_000 * DAY, 10_000 * DAY, 20_000 * DAY)
"""Nothing expires, where a law is about any order."""

Rows = dict[tuple[bool, int, str], dict[str, int]]


class Partition:
    """A fold whose drains are kept as the topics keep them: the last record of each key."""

    def __init__(self, catalogue: Catalogue, retention: Retention = FOR_EVER) -> None:
        self._catalogue, self._retention = catalogue, retention
        self.fold = PartitionFold(catalogue, CODEC, retention)
        self.subjects: dict[bytes, bytes] = {}
        self.rows: dict[bytes, bytes] = {}
        self.row_log: list[tuple[bytes, bytes | None]] = []
        self.outcomes: Counter[str] = Counter()
        self.meta = self.fold.meta()

    def take(self, events: Iterable[Raw]) -> "Partition":
        """Apply events and count what became of them."""
        for raw in events:
            try:
                outcome = str(self.fold.apply(event(raw)))
            except EventRejected as rejected:
                outcome = str(rejected.reason)
            self.outcomes[outcome] += 1
        return self

    def drain(self) -> "Partition":
        """Move what changed to the topics."""
        changes = self.fold.drain()
        self.meta = self.fold.meta()
        for topic, records in ((self.subjects, changes.subjects), (self.rows, changes.rows)):
            for key, value in records:
                if value is None:
                    topic.pop(key, None)
                else:
                    topic[key] = value
        self.row_log += changes.rows
        return self

    def restart(self) -> "Partition":
        """Forget what is in memory and take up the topics, as after a crash."""
        self.fold = restored(self._catalogue, self._retention, self.subjects, self.rows, self.meta)
        return self


def restored(
    catalogue: Catalogue,
    retention: Retention,
    subjects: dict[bytes, bytes],
    rows: dict[bytes, bytes],
    meta: dict[str, object],
) -> PartitionFold:
    """Return a fold that has read both topics to their ends."""
    fold = PartitionFold(catalogue, CODEC, retention)
    for key, value in rows.items():
        fold.restore_row(key, value)
    for key, value in subjects.items():
        fold.restore_subject(key, value)
    fold.restore_meta(meta)
    fold.restored()
    return fold


def summed(*topics: dict[bytes, bytes]) -> Rows:
    """Return the counters that are not 0, generations and partitions added up."""
    totals: dict[tuple[bool, int, str], Counter[str]] = {}
    for topic in topics:
        for key, value in topic.items():
            at = decode_key(key)
            row = totals.setdefault((at.fine, at.start, at.members), Counter())
            for name, count in CODEC.decode_counters(value).items():
                row[name] += count
    cleaned = {at: {name: n for name, n in row.items() if n} for at, row in totals.items()}
    return {at: row for at, row in cleaned.items() if row}


def totals_of(catalogue: Catalogue, *logs: Iterable[tuple[bytes, bytes | None]]) -> RowTotals:
    """Return the sums of the logs of several partitions."""
    totals = RowTotals(catalogue, CODEC)
    for partition, log in enumerate(logs):
        for key, value in log:
            totals.apply_row(partition, key, value)
    return totals
