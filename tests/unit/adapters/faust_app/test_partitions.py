"""The life of a partition in a worker, with a store and a source that do as they are told."""

from dataclasses import replace

import pytest

from kpi_stream.adapters.faust_app.partitions import FlushOptions
from kpi_stream.application.ports import Fenced
from kpi_stream.domain.errors import StateError, Unavailable
from tests.support.partitions import (
    LATER,
    FakeSource,
    Log,
    batch,
    partitions,
    run,
    settled,
)


def test_a_batch_is_acknowledged_only_after_its_flush() -> None:
    """Faust's committed offset never runs ahead of the state."""

    async def scenario() -> None:
        log, acknowledged = Log(), list[int]()
        owned = partitions(log)
        await owned.feed(0, batch(0, 4), lambda: acknowledged.append(4))
        assert (log.applied, acknowledged) == (-1, [])
        await settled()
        assert (log.applied, acknowledged) == (4, [4])

    run(scenario())


def test_the_tail_of_a_quiet_feed_is_flushed_by_the_clock() -> None:
    """No further batch is needed for the last events to become durable."""

    async def scenario() -> None:
        log, clock = Log(), [100.0]
        owned = partitions(log, options=FlushOptions(interval_s=0.5), now_s=lambda: clock[0])
        await owned.feed(0, batch(0, 4), lambda: None)
        clock[0] += 0.4
        await owned.tick()
        await settled()
        assert log.applied == -1
        clock[0] += 0.1
        await owned.tick()
        await settled()
        assert log.applied == 4

    run(scenario())


def test_many_events_are_flushed_before_the_interval() -> None:
    """The second trigger, the number of events, works without the first."""

    async def scenario() -> None:
        log = Log()
        owned = partitions(log, options=FlushOptions(interval_s=3600, max_events=6))
        await owned.feed(0, batch(0, 4), lambda: None)
        await settled()
        assert log.applied == -1
        await owned.feed(0, batch(5, 5), lambda: None)
        await settled()
        assert log.applied == 5

    run(scenario())


def test_a_backlog_is_flushed_less_often() -> None:
    """While more wait than one flush takes, the interval is the longer one; then the usual one."""

    async def scenario() -> None:
        log, clock = Log(), [100.0]
        options = FlushOptions(interval_s=0.5, max_events=20, behind_s=3.0)
        owned = partitions(log, options=options, now_s=lambda: clock[0])
        await owned.feed(0, replace(batch(0, 4), end=26), lambda: None)
        clock[0] += 2.9
        await owned.tick()
        await settled()
        assert log.applied == -1
        clock[0] += 0.1
        await owned.tick()
        await settled()
        assert log.applied == 4
        await owned.feed(0, replace(batch(5, 9), end=30), lambda: None)
        clock[0] += 0.5
        await owned.tick()
        await settled()
        assert log.applied == 9

    run(scenario())


def test_events_applied_before_are_acknowledged_at_once() -> None:
    """A batch of nothing new needs no flush."""

    async def scenario() -> None:
        log, acknowledged = Log(applied=9), list[int]()
        owned = partitions(log, options=LATER)
        await owned.feed(0, batch(3, 9), lambda: acknowledged.append(9))
        assert acknowledged == [9]
        assert log.stores[0].processed == []

    run(scenario())


def test_a_group_that_is_ahead_of_the_state_is_rewound() -> None:
    """Events between the state and the group's offset are read again, not stepped over."""

    async def scenario() -> None:
        log, source = Log(applied=9), FakeSource()
        owned = partitions(log, source, LATER)
        await owned.feed(0, batch(20, 24), lambda: None)
        assert source.rewound == [10]
        await owned.feed(0, batch(25, 29), lambda: None)  # fetched before the rewind
        await owned.feed(0, batch(10, 19, rewinds=1), lambda: None)
        assert log.stores[0].processed == list(range(10, 20))

    run(scenario())


def test_a_gap_of_transaction_markers_after_a_rewind_is_no_gap() -> None:
    """Where nothing lies between, the log goes on; a second rewind would never end."""

    async def scenario() -> None:
        log, source = Log(applied=9), FakeSource()
        owned = partitions(log, source, LATER)
        await owned.feed(0, batch(20, 24), lambda: None)
        await owned.feed(0, batch(12, 14, rewinds=1, position=16), lambda: None)
        await owned.feed(0, batch(18, 19, rewinds=1), lambda: None)
        assert log.stores[0].processed == [12, 13, 14, 18, 19]
        assert source.rewound == [10]

    run(scenario())


def test_expired_events_stop_the_worker_and_are_named() -> None:
    """What retention removed before it was counted is never stepped over in silence."""

    async def scenario() -> None:
        owned = partitions(Log(applied=9), FakeSource(earliest=15))
        with pytest.raises(StateError, match="the events from offset 10 to 14 expired"):
            await owned.feed(0, batch(20, 24), lambda: None)

    run(scenario())


def test_events_that_expire_under_a_running_worker_stop_it() -> None:
    """The consumer resets to the earliest offset by itself; the gap is noticed all the same."""

    async def scenario() -> None:
        source = FakeSource()
        owned = partitions(Log(applied=9), source, LATER)
        await owned.feed(0, batch(10, 14), lambda: None)
        source.first = 30
        with pytest.raises(StateError, match="the events from offset 15 to 29 expired"):
            await owned.feed(0, batch(30, 34), lambda: None)

    run(scenario())


def test_lost_state_with_expired_events_stops_the_worker() -> None:
    """A group that has read before, but no state: the state topics were lost."""

    async def scenario() -> None:
        owned = partitions(Log(), FakeSource(earliest=15, committed=40))
        with pytest.raises(StateError, match="from offset 0 to 14 expired"):
            await owned.feed(0, batch(40, 44), lambda: None)

    run(scenario())


@pytest.mark.parametrize("accept", [False, True])
def test_a_first_start_on_an_old_topic_begins_with_what_there_is(accept: bool) -> None:  # noqa: FBT001
    """A group that never read anything, or an operator who accepts the loss, may go on."""

    async def scenario() -> None:
        log, source = Log(), FakeSource(earliest=15, committed=40 if accept else None)
        owned = partitions(log, source, FlushOptions(interval_s=3600, accept_missing=accept))
        await owned.feed(0, batch(15, 19), lambda: None)
        assert log.stores[0].processed == list(range(15, 20))

    run(scenario())


def test_a_log_that_goes_back_is_opened_again() -> None:
    """A topic created again starts at 0: the guards of opening decide, nothing is skipped."""

    async def scenario() -> None:
        log, source = Log(applied=9), FakeSource()
        owned = partitions(log, source, LATER)
        await owned.feed(0, batch(10, 14), lambda: None)
        await owned.feed(0, batch(0, 4), lambda: None)
        assert log.opened == 2
        assert log.stores[0].closed is None
        assert source.rewound == [10]

    run(scenario())


def test_after_a_failed_flush_the_events_are_read_again() -> None:
    """What was in memory is thrown away and comes again from the durable position."""

    async def scenario() -> None:
        log, source, acknowledged = Log(applied=9), FakeSource(), list[int]()
        log.failures = [Unavailable("broker away")]
        owned = partitions(log, source)
        await owned.feed(0, batch(10, 14), lambda: acknowledged.append(14))
        await settled()
        await owned.tick()
        assert (log.opened, source.rewound, acknowledged) == (2, [10], [])
        await owned.feed(0, batch(10, 14, rewinds=1), lambda: acknowledged.append(14))
        await settled()
        assert (log.applied, acknowledged) == (14, [14])

    run(scenario())


def test_a_broker_that_stays_away_ends_the_worker() -> None:
    """After the set number of attempts the error is raised."""

    async def scenario() -> None:
        log = Log(applied=9)
        log.failures = [Unavailable("broker away")] * 3
        owned = partitions(log)
        for rewinds in range(2):
            await owned.feed(0, batch(10, 14, rewinds=rewinds), lambda: None)
            await settled()
            await owned.tick()
        await owned.feed(0, batch(10, 14, rewinds=2), lambda: None)
        await settled()
        with pytest.raises(Unavailable, match="given up after 3 failures: broker away"):
            await owned.tick()

    run(scenario())


def test_opening_is_tried_again_and_not_for_ever() -> None:
    """A broker that restarts just then ends no worker; one that stays away does."""

    async def scenario() -> None:
        log, acknowledged = Log(applied=9), list[int]()
        log.closed_doors = [Unavailable("broker away")] * 2
        owned = partitions(log)
        await owned.feed(0, batch(10, 14), lambda: acknowledged.append(14))
        await settled()
        await owned.tick()
        assert (log.opened, acknowledged) == (1, [14])
        log.closed_doors = [Unavailable("broker away")] * 3
        with pytest.raises(Unavailable, match="partition 1 was given up after 3 failures: broker"):
            await owned.feed(1, batch(10, 14), lambda: None)

    run(scenario())


def test_a_partition_fenced_twice_in_one_assignment_ends_the_worker() -> None:
    """Two groups with one application id would take the partition from each other for ever."""

    async def scenario() -> None:
        log = Log(applied=9)
        log.failures = [Fenced("taken"), Fenced("taken")]
        owned = partitions(log)
        await owned.feed(0, batch(10, 14), lambda: None)
        await settled()
        await owned.tick()
        await owned.feed(0, batch(10, 14, rewinds=1), lambda: None)
        await settled()
        with pytest.raises(Unavailable, match="the same application id"):
            await owned.tick()

    run(scenario())


@pytest.mark.parametrize(("flush", "applied"), [(True, 14), (False, 9)])
def test_after_an_error_nothing_more_is_written(flush: bool, applied: int) -> None:  # noqa: FBT001
    """In good order the last events become durable; after an error they do not."""

    async def scenario() -> None:
        log = Log(applied=9)
        owned = partitions(log, options=LATER)
        await owned.feed(0, batch(10, 14), lambda: None)
        await owned.close(flush=flush)
        assert log.applied == applied
        await owned.feed(0, batch(15, 19), lambda: None)
        assert log.opened == 1

    run(scenario())
