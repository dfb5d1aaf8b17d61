"""The instant that the scorecard speaks about.

While every partition is caught up it is the wall clock, so windows empty by themselves when
events stop. During a backfill it is the watermark, so history that is judged again gives the
history's own statuses instead of comparing last year's declarations with today's targets.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

FRESH_MS = 60_000
"""A watermark younger than this counts as caught up: under load the last offset always runs."""

IDLE_MS = 5_000
"""Without anything new for this long the end of the log is the end of the feed. A worker that is
as fast as a backfill stands at the end of the log all the time, months behind the wall clock."""

UNANSWERED_MS = 60_000
"""An end that was told longer ago is taken to be the end still: where nobody answers any more,
what is shown grows old by the wall clock."""

RECOUNT_MS = 24 * 3_600_000
"""Rows that end so long before the last `as_of` are being counted anew: their windows lack what
was already spoken about, so nothing is said until they are back."""

SLACK = 1
"""Offsets that may be missing at the end: a transaction marker is no event."""


@dataclass(frozen=True, slots=True)
class PartitionProgress:
    """How far one partition of the events was counted."""

    partition: int
    applied: int
    """Last source offset that is in the rows; -1 for none."""
    watermark_ms: int | None
    """Newest `recorded_at` in the rows, milliseconds since 1970 UTC; None for none."""
    end: int | None
    """Offset of the next event to be written to the source; None where nobody could say."""
    moved_ms: int | None = None
    """When new rows were last seen, by the clock that says what is now, in milliseconds since 1970
    UTC; None for never. The worker's own clock may go wrong, and takes no part."""
    asked_ms: int | None = None
    """When the end was told, by the same clock; None for just now. An end from before the rows
    fell silent cannot say whether more events wait for a worker that is busy otherwise."""
    judged: int = 0
    """How many of its latest events were looked at for `rejected`; 0 where nobody counted."""
    rejected: Mapping[str, int] = field(default_factory=dict)
    """How many of those were rejected, by reason."""

    @property
    def lag(self) -> int | None:
        """Return the number of events that are not in the rows yet; None where unknown."""
        return None if self.end is None else max(0, self.end - 1 - self.applied)

    def caught_up(self, now_ms: int) -> bool:
        """Return whether the rows are as new as the feed."""
        if self.watermark_ms is not None and now_ms - self.watermark_ms < FRESH_MS:
            return True
        lag = self.lag
        at_end = lag is not None and lag <= SLACK
        asked_ms = now_ms if self.asked_ms is None else self.asked_ms
        if now_ms - asked_ms > UNANSWERED_MS:
            asked_ms = now_ms
        return at_end and (self.moved_ms is None or asked_ms - self.moved_ms >= IDLE_MS)


@dataclass(frozen=True, slots=True)
class Freshness:
    """How new the rows are, all partitions together."""

    as_of_ms: int | None
    """What the scorecard speaks about; None while there is nothing (new) to be said."""
    caught_up: bool
    now_ms: int
    """The wall clock; milliseconds since 1970 UTC."""
    watermark_ms: int | None
    """Newest `recorded_at` of any partition; None before the first event."""
    partitions: tuple[PartitionProgress, ...]

    @property
    def data_age_ms(self) -> int | None:
        """Return how long ago the newest event was recorded; None before the first one."""
        return None if self.watermark_ms is None else max(0, self.now_ms - self.watermark_ms)

    @property
    def lag(self) -> int:
        """Return the number of events that are known not to be in the rows yet."""
        return sum(each.lag or 0 for each in self.partitions)

    @property
    def judged(self) -> int:
        """Return how many of the latest events were looked at for `rejected`; 0 for none."""
        return sum(each.judged for each in self.partitions)

    @property
    def rejected(self) -> Counter[str]:
        """Return how many of those were rejected, by reason."""
        return sum((Counter(each.rejected) for each in self.partitions), Counter[str]())


class AsOfClock:
    """Wall clock or watermark, whichever tells the truth; it never goes back.

    Args:
        floor_ms: The last `as_of` before a restart, milliseconds since 1970 UTC.
    """

    def __init__(self, floor_ms: int | None = None) -> None:
        self._floor_ms = floor_ms

    def advance(self, partitions: Collection[PartitionProgress], now_ms: int) -> Freshness:
        """Return the freshness at a moment of the wall clock.

        Before the first event there is nothing to speak about, nor while a partition that is
        behind shows no watermark yet, since it could hold any time.

        Example:
            >>> behind = PartitionProgress(0, applied=9, watermark_ms=5_000, end=500)
            >>> done = PartitionProgress(1, applied=499, watermark_ms=99_000, end=500)
            >>> clock = AsOfClock()
            >>> clock.advance([behind, done], now_ms=1_000_000).as_of_ms
            5000
            >>> clock.advance([done], now_ms=1_000_000).as_of_ms
            1000000
            >>> clock.advance([behind, done], now_ms=1_000_100).as_of_ms  # never back
            1000000
        """
        late = [each for each in partitions if not each.caught_up(now_ms)]
        known = [each.watermark_ms for each in partitions if each.watermark_ms is not None]
        candidate: int | None = now_ms if known else None
        if late:
            marks = [each.watermark_ms for each in late if each.watermark_ms is not None]
            candidate = min(marks) if len(marks) == len(late) else None
        if candidate is not None:
            # An event may be recorded a little ahead of this machine's clock, and a floor that
            # a wrong clock has left behind must not hold for years.
            floor = candidate if self._floor_ms is None else min(self._floor_ms, now_ms)
            self._floor_ms = max(min(candidate, now_ms), floor)
        again = candidate is not None and candidate < (self._floor_ms or 0) - RECOUNT_MS
        return Freshness(
            None if candidate is None or again else self._floor_ms,
            bool(partitions) and not late,
            now_ms,
            max(known, default=None),
            tuple(partitions),
        )
