"""Whether a worker makes progress: *stalled* is not *idle*.

A worker with nothing to do is well, for as long as Kafka answers its fetches. A worker is stalled
when something is to be done (events wait, events are not flushed, a state is being read, the group
owes it an assignment) and nothing has moved for too long. Consumers die in silence, so an
assigned partition of which Kafka tells nothing any more counts as something to be done. A loop that
hangs can say nothing at all, so that it runs is said by a beat of its own.

The worker's loop writes it, the threads of the HTTP server and of the watchdog read it: every value
is replaced whole, none is changed in place.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple


class Verdict(NamedTuple):
    """The answer to a question about the worker's health."""

    well: bool
    reason: str
    """Why not, or what it does; one line."""


@dataclass(frozen=True, slots=True)
class _Partition:
    """What is known of one assigned partition."""

    moved_s: float
    """When something last moved, or there was nothing to do; by the clock of `Liveness`."""
    answered: int | None = None
    """A mark that changes with each fetch that Kafka answers; None before the first."""
    opening: bool = False
    todo: str = "no fetch is answered"


class Liveness:
    """Collects the signs of life of one worker.

    Args:
        now_s: A clock that never goes back, in seconds.
        stalled_after_s: How long nothing may move, in seconds.
    """

    def __init__(self, now_s: Callable[[], float], stalled_after_s: float) -> None:
        self._now_s = now_s
        self._stalled_after_s = stalled_after_s
        self._partitions: dict[int, _Partition] = {}
        self._beat_s = now_s()
        self._waiting_since: float | None = self._beat_s
        """When the wait for an assignment began; None while there is one."""
        self._failure: str | None = None

    # Written by the worker.

    @property
    def assigned(self) -> list[int]:
        """The partitions that the group has given to this worker."""
        return sorted(self._partitions)

    def beat(self) -> None:
        """Note that the worker's loop runs; to be called by nothing else, every few seconds."""
        self._beat_s = self._now_s()

    def joined(self, numbers: Iterable[int]) -> None:
        """Note an assignment; without partitions the worker is a spare."""
        now_s = self._now_s()
        self._partitions = {number: _Partition(now_s) for number in numbers}
        self._waiting_since = None

    def rebalancing(self) -> None:
        """Note that the assignment is over and the next one has not come."""
        self._partitions = {}
        if self._waiting_since is None:  # a rebalance that begins again and again is one wait
            self._waiting_since = self._now_s()

    def opening(self, number: int) -> None:
        """Note that the state of a partition begins to be read."""
        now_s = self._now_s()
        known = self._partitions.get(number, _Partition(now_s))
        self._set(
            number, replace(known, moved_s=now_s, opening=True, todo="its state is being read")
        )

    def reading(self, number: int) -> None:
        """Note that a piece of a state was read: a large state is no stall.

        The other partitions wait for it, and wait for their own time after it.
        """
        if number not in self._partitions:
            return
        now_s = self._now_s()
        for each, known in list(self._partitions.items()):
            self._set(each, replace(known, moved_s=now_s))

    def opened(self, number: int) -> None:
        """Note that a state was read; those that had to wait for it begin to wait for theirs."""
        now_s = self._now_s()
        for each, known in list(self._partitions.items()):
            self._set(each, replace(known, moved_s=now_s, opening=known.opening and each != number))

    def moved(self, number: int) -> None:
        """Note that events became durable."""
        known = self._partitions.get(number)
        if known is not None:
            self._set(number, replace(known, moved_s=self._now_s()))

    def observe(self, number: int, answered: int | None, *, waiting: int, unflushed: int) -> None:
        """Note how a partition stands; to be called again and again.

        Args:
            number: The partition.
            answered: A mark that changes with each fetch that Kafka answers; None before the first.
            waiting: Events that are there and not read; 0 where that is not known.
            unflushed: Events that were applied and are not durable.
        """
        known = self._partitions.get(number)
        if known is None or known.opening:
            return
        new = answered is not None and answered != known.answered
        if waiting:
            todo = f"{waiting} events wait"
        elif unflushed:
            todo = f"{unflushed} events are not flushed"
        else:
            todo = "no fetch is answered"
        moved_s = self._now_s() if new and not waiting and not unflushed else known.moved_s
        self._set(number, replace(known, moved_s=moved_s, answered=answered, todo=todo))

    def failed(self, error: BaseException) -> None:
        """Note the error that ends the worker."""
        self._failure = f"the worker stops: {error}" if str(error) else f"it stops: {error!r}"

    def _set(self, number: int, known: _Partition) -> None:
        self._partitions = {**self._partitions, number: known}

    # Read by the HTTP server and the watchdog.

    def stalled(self, after_s: float) -> str | None:
        """Return for what nothing has moved for more than so many seconds; None if all is well."""
        now_s, partitions, since_s = self._now_s(), self._partitions, self._waiting_since
        silent_s = now_s - self._beat_s
        if silent_s > after_s:
            return f"the worker's loop hangs for {silent_s:.0f} s"
        if since_s is not None and now_s - since_s > after_s:
            return f"no assignment from the group for {now_s - since_s:.0f} s"
        for number, known in sorted(partitions.items()):
            still_s = now_s - known.moved_s
            if still_s > after_s:
                return f"partition {number}: nothing moved for {still_s:.0f} s; {known.todo}"
        return None

    def healthy(self) -> Verdict:
        """Return whether the worker works, or has nothing to do; else it should be replaced."""
        reason = self._failure or self.stalled(self._stalled_after_s)
        return Verdict(well=reason is None, reason=reason or "healthy")

    def ready(self) -> Verdict:
        """Return whether the worker counts what comes, or stands by as a spare."""
        if self._failure is not None:
            return Verdict(well=False, reason=self._failure)
        partitions, since_s = self._partitions, self._waiting_since
        if since_s is not None:
            return Verdict(well=False, reason="no assignment from the group yet")
        if not partitions:
            return Verdict(well=True, reason="ready; a spare without a partition")
        for number, known in sorted(partitions.items()):
            if known.opening:
                return Verdict(well=False, reason=f"partition {number}: {known.todo}")
            if known.answered is None:
                return Verdict(well=False, reason=f"partition {number}: no fetch was answered yet")
        names = ", ".join(str(number) for number in sorted(partitions))
        return Verdict(well=True, reason=f"ready; partition{'s' * (len(partitions) > 1)} {names}")
