"""A status that does not flap: it changes only after the new one has held for a while.

A pure state machine, one state for each judged series. It counts evaluations, not seconds, so
history that is judged again behaves as it did when it was new.
"""

from dataclasses import dataclass, replace

from kpi_stream.domain.status import Expectation, Status, classify


@dataclass(frozen=True, slots=True)
class Damping:
    """How reluctant a status is to change."""

    hold: int = 3
    """Consecutive evaluations that a new status must hold, at least 1."""
    margin: float = 0.01
    """Share of |expected| by which a threshold gives way to the current status, >= 0."""


DAMPING = Damping()
"""Three evaluations and one percent."""


@dataclass(frozen=True, slots=True)
class StatusState:
    """What one judged series remembers between two evaluations."""

    status: Status
    since_ms: int
    """The `as_of` at which this status began; milliseconds since 1970 UTC."""
    sequence: int = 0
    """Status changes of the series so far; the number of the last transition."""
    candidate: Status | None = None
    """The status that would replace the current one, if it holds."""
    held: int = 0
    """Evaluations in a row that gave `candidate`, 0 .. hold - 1."""
    target: str = ""
    """Digest of the target that it was judged by; another one is judged at once."""


def step(
    state: StatusState | None,
    value: float | None,
    against: Expectation,
    at_ms: int,
    target: str = "",
    damping: Damping = DAMPING,
) -> StatusState:
    """Return the state after one more evaluation.

    The first status, and the first one after the target itself was changed, holds at once. The
    status changed if and only if `sequence` of the result is larger; the first one is no change.

    Args:
        state: What was remembered; None for a series that was never judged.
        value: The reading, None where there is no data (which must hold as well).
        against: What the reading is held against.
        at_ms: The `as_of` of this evaluation.
        target: Digest of the target.
        damping: Number of evaluations and margin.

    Example:
        >>> from kpi_stream.domain.strategy import Direction
        >>> up = Expectation(Direction.UP, 0.8, None, 0.0, 0.1, 0.25)
        >>> state = step(None, 0.85, up, at_ms=0)
        >>> for second in (1, 2, 3):
        ...     state = step(state, 0.5, up, at_ms=second)
        ...     print(second, state.status, state.held, state.sequence)
        1 on_track 1 0
        2 on_track 2 0
        3 off_track 0 1
    """
    if state is None:
        return StatusState(classify(value, against), at_ms, target=target)
    if state.target != target:
        status = classify(value, against)
        if status is state.status:
            return replace(state, candidate=None, held=0, target=target)
        return StatusState(status, at_ms, state.sequence + 1, target=target)
    raw = classify(value, against, state.status, damping.margin)
    if raw is state.status:
        return state if state.candidate is None else replace(state, candidate=None, held=0)
    held = state.held + 1 if raw is state.candidate else 1
    if held >= damping.hold:
        return StatusState(raw, at_ms, state.sequence + 1, target=target)
    return replace(state, candidate=raw, held=held)
