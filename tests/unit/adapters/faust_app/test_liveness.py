"""When a worker is well, stalled, or not ready yet."""

import asyncio
from collections.abc import Callable

import pytest

from kpi_stream.adapters.faust_app.liveness import Liveness
from tests.support.partitions import FakeSource, Log, batch, partitions, run, settled

LIMIT_S = 60.0


class Life:
    """A worker's signs of life on a clock that the test moves."""

    def __init__(self) -> None:
        self.now_s = 1_000.0
        self.signs = Liveness(lambda: self.now_s, LIMIT_S)
        self.answers = 0

    def seconds(self, seconds: float, *, runs: bool = True) -> None:
        """Let time pass in which nothing happens, but that the loop runs or hangs."""
        self.now_s += seconds
        if runs:
            self.signs.beat()

    def tick(
        self, number: int = 0, *, answered: bool, waiting: int = 0, unflushed: int = 0
    ) -> None:
        """Let the worker look at one of its partitions."""
        self.answers += answered
        self.signs.observe(number, self.answers or None, waiting=waiting, unflushed=unflushed)


@pytest.fixture
def life() -> Life:
    """A worker that has just begun."""
    return Life()


def test_an_idle_worker_is_well_for_ever(life: Life) -> None:
    """Nothing waits and Kafka answers: hours without an event are no stall."""
    life.signs.joined([0])
    for _ in range(100):
        life.seconds(LIMIT_S / 2)
        life.tick(answered=True)
        assert life.signs.healthy().well


STALLS: dict[str, Callable[[Life], None]] = {
    "100 events wait": lambda life: life.tick(answered=True, waiting=100),
    "7 events are not flushed": lambda life: life.tick(answered=True, unflushed=7),
    "no fetch is answered": lambda life: life.tick(answered=False),
    "its state is being read": lambda life: life.signs.opening(0),
}


@pytest.mark.parametrize("reason", STALLS)
def test_work_on_which_nothing_moves_is_a_stall(life: Life, reason: str) -> None:
    """The reason says what is to be done, and that something moved is forgiven."""
    life.signs.joined([0])
    life.tick(answered=True)
    STALLS[reason](life)
    for _ in range(8):
        life.seconds(LIMIT_S / 8)
        if reason == "its state is being read":
            life.tick(answered=True)
        else:
            STALLS[reason](life)
        assert life.signs.healthy().well
    life.seconds(1)
    well, said = life.signs.healthy()
    assert not well
    assert said == f"partition 0: nothing moved for 61 s; {reason}"
    life.signs.opened(0)
    life.signs.moved(0)
    assert life.signs.healthy().well


def test_a_busy_worker_with_lag_is_well(life: Life) -> None:
    """Far behind, but flushing: that is slow, not stalled."""
    life.signs.joined([0])
    for _ in range(10):
        life.seconds(LIMIT_S - 1)
        life.tick(answered=True, waiting=1_000_000)
        life.signs.moved(0)
    assert life.signs.healthy().well


def test_one_partition_is_enough(life: Life) -> None:
    """Another that moves does not hide the one that does not."""
    life.signs.joined([0, 1])
    life.tick(1, answered=True, waiting=5)
    life.seconds(LIMIT_S + 1)
    life.signs.moved(0)
    assert life.signs.healthy().reason.startswith("partition 1: ")


@pytest.mark.parametrize("partitions", [[], [0]])
def test_a_loop_that_hangs_is_a_stall(life: Life, partitions: list[int]) -> None:
    """Nobody can say anything any more, for a spare neither."""
    life.signs.joined(partitions)
    life.seconds(LIMIT_S, runs=False)
    assert life.signs.healthy().well
    life.seconds(1, runs=False)
    assert life.signs.healthy() == (False, "the worker's loop hangs for 61 s")
    life.signs.beat()
    life.signs.joined(partitions)
    assert life.signs.healthy().well
    life.seconds(LIMIT_S + 1)
    assert life.signs.healthy().well is (partitions == [])


def test_those_that_wait_for_another_to_open_are_not_stalled(life: Life) -> None:
    """States are read one after the other; each gets the whole time."""
    life.signs.joined([0, 1])
    for number in (0, 1):
        life.signs.opening(number)
        life.seconds(LIMIT_S - 1)
        assert life.signs.healthy().well
        life.signs.opened(number)
    assert life.signs.healthy().well


def test_a_large_state_is_no_stall(life: Life) -> None:
    """As long as pieces of it arrive; those that wait for it are none either."""
    life.signs.joined([0, 1])
    life.signs.opening(0)
    for _ in range(10):
        life.seconds(LIMIT_S - 1)
        life.signs.reading(0)
        assert life.signs.healthy().well
        assert not life.signs.ready().well
    life.seconds(LIMIT_S + 1)
    assert life.signs.healthy() == (
        False,
        "partition 0: nothing moved for 61 s; its state is being read",
    )
    life.signs.rebalancing()
    life.signs.reading(0)  # of a partition that was taken away meanwhile
    assert life.signs.assigned == []


def test_rebalances_without_end_are_one_wait(life: Life) -> None:
    """Each begins before the one before it has given an assignment."""
    for _ in range(6):
        life.signs.rebalancing()
        life.seconds(LIMIT_S / 5)
    assert life.signs.healthy() == (False, "no assignment from the group for 72 s")


def test_the_watchdog_asks_by_its_own_limit(life: Life) -> None:
    """Unhealthy comes first, the end later."""
    life.signs.joined([0])
    life.seconds(LIMIT_S + 1)
    assert not life.signs.healthy().well
    assert life.signs.stalled(2 * LIMIT_S) is None
    life.seconds(LIMIT_S)
    assert life.signs.stalled(2 * LIMIT_S) == (
        "partition 0: nothing moved for 121 s; no fetch is answered"
    )


def test_a_group_that_never_settles_is_a_stall(life: Life) -> None:
    """At the start, and after a rebalance that does not end."""
    life.seconds(LIMIT_S + 1)
    assert life.signs.healthy() == (False, "no assignment from the group for 61 s")
    life.signs.joined([0])
    assert life.signs.healthy().well
    life.signs.rebalancing()
    life.seconds(LIMIT_S + 1)
    assert not life.signs.healthy().well


def test_an_error_says_its_reason(life: Life) -> None:
    """From the first error on the worker is neither well nor ready."""
    life.signs.joined([])
    life.signs.failed(RuntimeError("partition 3 was given up"))
    assert life.signs.healthy() == (False, "the worker stops: partition 3 was given up")
    assert not life.signs.ready().well
    life.signs.failed(KeyError())
    assert "KeyError" in life.signs.healthy().reason


def test_ready_is_later_than_healthy(life: Life) -> None:
    """First an assignment, then an answer from Kafka, then every state read."""
    signs = life.signs
    assert signs.ready() == (False, "no assignment from the group yet")
    signs.joined([0, 1])
    assert signs.ready() == (False, "partition 0: no fetch was answered yet")
    life.tick(0, answered=True)
    life.tick(1, answered=True)
    signs.opening(1)
    assert signs.ready() == (False, "partition 1: its state is being read")
    signs.opened(1)
    assert signs.ready().well
    signs.rebalancing()
    assert not signs.ready().well


def test_a_spare_is_ready(life: Life) -> None:
    """More workers than partitions: it waits for another to fail, and that is its work."""
    life.signs.joined([])
    life.seconds(10 * LIMIT_S)
    assert life.signs.healthy().well
    assert life.signs.ready() == (True, "ready; a spare without a partition")


def test_the_signs_of_life_follow_a_partition() -> None:
    """Idle is well, a flush that hangs is not, and a state that is being read is not ready."""

    async def scenario() -> None:
        log, source, clock = Log(), FakeSource(), [0.0]
        signs = Liveness(lambda: clock[0], 60.0)
        owned = partitions(log, source, now_s=lambda: clock[0], liveness=signs)
        await owned.assigned([0])
        for source.fetches in range(1, 5):
            clock[0] += 50
            signs.beat()
            await owned.tick()
            assert signs.healthy().well  # nothing to do
        assert signs.ready().well
        log.gate = asyncio.Event()
        feeding = asyncio.create_task(owned.feed(0, batch(0, 4), lambda: None))
        await settled()
        assert signs.ready() == (False, "partition 0: its state is being read")
        log.gate.set()
        await feeding
        await settled()
        assert signs.ready().well
        log.stuck = asyncio.Event()
        await owned.feed(0, batch(5, 9), lambda: None)
        clock[0] += 61
        signs.beat()
        source.fetches += 1
        await owned.tick()
        assert signs.healthy().reason.endswith("nothing moved for 61 s; 5 events are not flushed")
        log.stuck.set()
        await settled()
        await owned.tick()
        assert signs.healthy().well
        await owned.revoke([0])
        assert not signs.ready().well

    run(scenario())
