"""The `as_of` clock, on a wall clock that stands at ten hours."""

import pytest

from kpi_stream.application.as_of import (
    FRESH_MS,
    IDLE_MS,
    RECOUNT_MS,
    UNANSWERED_MS,
    AsOfClock,
    Freshness,
    PartitionProgress,
)

NOW = 36_000_000


def test_rejects_add_up_over_the_partitions() -> None:
    """By reason; a partition that nobody looked at adds nothing."""
    parts = (
        PartitionProgress(0, 9, 1, 10, judged=50, rejected={"expired": 1, "oversized": 2}),
        PartitionProgress(1, 9, 1, 10, judged=40, rejected={"expired": 3}),
        PartitionProgress(2, -1, None, None),
    )
    fresh = Freshness(NOW, caught_up=True, now_ms=NOW, watermark_ms=1, partitions=parts)
    assert fresh.judged == 90
    assert dict(fresh.rejected) == {"expired": 4, "oversized": 2}


def part(
    watermark_ms: int | None,
    *,
    applied: int = 9,
    end: int | None = 10,
    moved_ms: int | None = 0,
    asked_ms: int | None = None,
    number: int = 0,
) -> PartitionProgress:
    """Return a partition that was counted to its end long ago, unless told otherwise."""
    return PartitionProgress(number, applied, watermark_ms, end, moved_ms, asked_ms)


def as_of(*parts: PartitionProgress) -> int | None:
    """Return the first `as_of` of a clock."""
    return AsOfClock().advance(parts, NOW).as_of_ms


@pytest.mark.parametrize(
    ("progress", "caught_up"),
    [
        (part(5_000), True),
        (part(5_000, applied=8), True),  # the last offset may be a transaction marker
        (part(5_000, applied=7), False),
        (part(NOW - FRESH_MS + 1, applied=0, end=999), True),  # under load, but fresh
        (part(NOW - FRESH_MS, applied=0, end=999), False),
        (part(5_000, moved_ms=NOW - IDLE_MS), True),
        (part(5_000, moved_ms=NOW - IDLE_MS + 1), False),  # a backfill at the end of the log
        # The end was told before the rows fell silent: a worker may just be opening its state.
        (part(5_000, moved_ms=NOW - 9_000, asked_ms=NOW - 8_000), False),
        (part(5_000, moved_ms=NOW - 9_000, asked_ms=NOW - 4_000), True),
        (part(5_000, moved_ms=NOW - 90_000, asked_ms=NOW - UNANSWERED_MS - 1), True),
        (part(None, applied=-1, end=0, moved_ms=None), True),  # nothing was ever written
        (part(5_000, end=None), False),  # nobody knows the end
        (part(5_000, applied=12), True),  # a broker may report an end below the last record
    ],
)
def test_a_partition_is_caught_up(progress: PartitionProgress, *, caught_up: bool) -> None:
    """At the end of a quiet log, or as new as the wall clock."""
    assert progress.caught_up(NOW) is caught_up


def test_caught_up_it_is_the_wall_clock() -> None:
    """Windows then empty by themselves when events stop."""
    assert as_of(part(5_000), part(7_000, number=1)) == NOW


def test_behind_it_is_the_least_watermark_of_those_behind() -> None:
    """A partition that is done does not hold back the others, however old its last event."""
    behind = part(20_000, applied=3), part(30_000, applied=3, number=1)
    assert as_of(*behind, part(5_000, number=2)) == 20_000


def test_before_the_first_event_there_is_nothing_to_speak_about() -> None:
    """An empty feed has no `as_of`; else a backfill that follows would be judged by today."""
    assert as_of(part(None, applied=-1, end=0, moved_ms=None)) is None
    assert as_of() is None


def test_a_backfill_after_an_empty_feed_is_judged_by_its_own_time() -> None:
    """Waiting for the first event does not move the clock to today."""
    clock = AsOfClock()
    assert clock.advance([part(None, applied=-1, end=0, moved_ms=None)], NOW).as_of_ms is None
    assert clock.advance([part(20_000, applied=3)], NOW).as_of_ms == 20_000


def test_a_partition_without_a_watermark_holds_the_others_back() -> None:
    """It could contain anything yet."""
    silent = part(None, applied=-1, end=500, moved_ms=None, number=1)
    assert as_of(part(20_000, applied=3), silent) is None
    clock = AsOfClock()
    assert clock.advance([part(20_000, applied=3)], NOW).as_of_ms == 20_000
    assert clock.advance([part(25_000, applied=4), silent], NOW).as_of_ms is None
    assert clock.advance([part(25_000, applied=4)], NOW).as_of_ms == 25_000


def test_it_never_goes_back() -> None:
    """Neither within a process nor, by the floor, over a restart; but no further than now."""
    clock = AsOfClock()
    assert clock.advance([part(5_000)], NOW).as_of_ms == NOW
    assert clock.advance([part(6_000, applied=3)], NOW + 10).as_of_ms == NOW
    assert AsOfClock(NOW - 5).advance([part(6_000, applied=3)], NOW).as_of_ms == NOW - 5
    assert AsOfClock(NOW * 9).advance([part(6_000, applied=3)], NOW).as_of_ms == NOW


def test_rows_that_are_counted_anew_say_nothing_until_they_are_back() -> None:
    """A new epoch begins years before what the restart remembers; a day is near enough."""
    floor = RECOUNT_MS * 9
    clock = AsOfClock(floor)
    now = floor + 10
    early, near = floor - RECOUNT_MS - 1, floor - RECOUNT_MS
    assert clock.advance([part(early, applied=3)], now).as_of_ms is None
    assert clock.advance([part(near, applied=4)], now).as_of_ms == floor
    assert clock.advance([part(early)], now).as_of_ms == now  # a feed that is silent since


def test_an_event_recorded_ahead_of_this_clock_does_not_move_it_ahead() -> None:
    """Another machine's clock may run fast."""
    ahead = part(NOW + 4_000, applied=3, end=99)
    assert as_of(ahead) == NOW
    assert AsOfClock().advance([ahead], NOW).data_age_ms == 0


@pytest.mark.parametrize("wrong_ms", [600_000, -600_000])
def test_a_clock_that_is_wrong_leaves_as_of_at_the_feed_or_at_itself(wrong_ms: int) -> None:
    """Too fast, the newest time that is true is the feed's; too slow, its own. Then it is right.

    ```
    too fast   as_of = watermark                 too slow   as_of = the clock
    ```
    """
    clock = AsOfClock()
    for second in range(30):
        true = NOW + second * 1000
        found = clock.advance([part(true, moved_ms=true + wrong_ms - 200)], true + wrong_ms)
        assert found.as_of_ms == (true if wrong_ms > 0 else true + wrong_ms)
        assert found.data_age_ms == max(0, wrong_ms)
    later = NOW + 31_000
    assert clock.advance([part(later, moved_ms=later)], later).as_of_ms == later


def test_freshness_adds_up() -> None:
    """The newest event gives the age, every partition adds to the lag."""
    found = AsOfClock().advance(
        [part(20_000, applied=3), part(30_000, applied=8, number=1), part(None, end=None)], NOW
    )
    assert isinstance(found, Freshness)
    assert (found.lag, found.data_age_ms, found.caught_up) == (7, NOW - 30_000, False)
