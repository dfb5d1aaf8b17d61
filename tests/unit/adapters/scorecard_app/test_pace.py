"""When the scorecard evaluates, on a loop whose time passes only while it waits or evaluates."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest

from kpi_stream.adapters.scorecard_app.pace import Pace

SECONDS = 59.5


class LoopOfItsOwnTime(asyncio.SelectorEventLoop):
    """Waits for no clock: its time jumps to whatever is due next."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        selector: Any = self._selector  # type: ignore[attr-defined]
        select = selector.select

        def jump(timeout: float | None) -> Sequence[object]:
            assert timeout is not None, "nothing is due any more"
            self.now_s += timeout
            found: Sequence[object] = select(0)
            return found

        selector.select = jump

    def time(self) -> float:
        """Return its own time."""
        return self.now_s


def evaluations(
    judgement_s: float, between_s: float, counted_every_s: float, *, caught_up: bool = True
) -> list[tuple[float, bool]]:
    """Return when evaluations began in a minute, and which were between two judgements.

    Args:
        judgement_s: Processor time of a judgement.
        between_s: The same of an evaluation between two.
        counted_every_s: Seconds between two moments at which rows come.
        caught_up: Whether they are of now.
    """
    loop, found = LoopOfItsOwnTime(), list[tuple[float, bool]]()

    async def count(pace: Pace) -> None:
        while True:
            await asyncio.sleep(counted_every_s)
            pace.counted()

    async def run() -> None:
        pace = Pace(1.0, lambda: loop.now_s)
        counting = asyncio.ensure_future(count(pace))
        async for between in pace.evaluations(lambda: caught_up):
            if loop.now_s >= SECONDS:
                break
            found.append((loop.now_s, between))
            loop.now_s += between_s if between else judgement_s
        counting.cancel()

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(run())
    return found


@pytest.mark.parametrize("judgement_s", [0.01, 0.1, 0.5])
@pytest.mark.parametrize("between_s", [0.005, 0.02, 0.3])
def test_judgements_keep_their_time_and_the_others_a_tenth(judgement_s: float, between_s: float):
    """Whatever they take: a dear judgement leaves the others their share, no more and no less."""
    found = evaluations(judgement_s, between_s, 0.01)
    judged = [at for at, between in found if not between]
    assert judged == pytest.approx([float(n) for n in range(60)], abs=between_s)
    spent = between_s * sum(between for _, between in found)
    assert 0.04 * SECONDS < spent <= 0.1 * SECONDS + between_s


def test_a_dear_judgement_does_not_delay_what_is_counted_after_it():
    """It is paid for by its interval; only the others wait for their own."""
    found = evaluations(0.2, 0.01, 0.01)
    gaps = [later - sooner for (sooner, _), (later, _) in pairwise(found)]
    assert max(gaps) < 0.2 + 0.1


def test_where_nothing_is_counted_judgements_alone_go_on():
    """No event, no reason to look again sooner."""
    assert not any(between for _, between in evaluations(0.01, 0.01, 100.0))


def test_what_is_of_the_past_waits_for_the_judgement():
    """While history is read the processor is the reader's."""
    assert not any(between for _, between in evaluations(0.01, 0.01, 0.01, caught_up=False))


def test_judgements_dearer_than_their_interval_leave_reading_its_turn():
    """As long as each of them took; and a machine that was late does not judge twice for it."""
    judged = [at for at, between in evaluations(1.5, 0.01, 0.01) if not between]
    assert min(later - sooner for sooner, later in pairwise(judged)) > 2.99
