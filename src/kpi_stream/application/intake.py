"""A batch of records, decoded and folded: the loop that every event passes, compiled with the core.

It is apart from the store, whose writing and waiting cannot be compiled.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from kpi_stream.application.ports import Decode, SourceRecord
from kpi_stream.domain.errors import DamagedSubject, EventRejected, Reason
from kpi_stream.domain.events import Event
from kpi_stream.domain.subject import Outcome

Apply: TypeAlias = Callable[[Event, bool], Outcome]
"""As `PartitionFold.apply`."""
Outcomes: TypeAlias = Counter[tuple[str, Outcome]]
"""How many events, by type and by what became of them."""


class Rejected(NamedTuple):
    """A record that is no event, or none that is accepted."""

    record: SourceRecord
    reason: Reason
    detail: str


class Taken(NamedTuple):
    """What became of the records of a batch; each is counted once."""

    outcomes: Outcomes
    rejected: list[Rejected]
    skipped: int
    """Records up to `applied`, which were taken before."""


class UnfoldableError(Exception):
    """A record that was neither folded nor rejected: a defect."""

    def __init__(self, offset: int, error: Exception) -> None:
        """Name the record and what went wrong; compiled code keeps no `__cause__`."""
        self.offset, self.error = offset, error
        super().__init__(f"the record at offset {offset} could not be folded")


def take(
    records: Sequence[SourceRecord],
    decode: Decode,
    apply: Apply,
    *,
    applied: int,
    rows_applied: int,
) -> Taken:
    """Decode and apply the records beyond `applied`, in order.

    Args:
        records: With rising offsets.
        decode: Makes an event of a record.
        apply: Takes the event, and whether the rows shall count it.
        applied: The last offset that was applied.
        rows_applied: The last offset that the rows know.

    Raises:
        DamagedSubject: A stored subject cannot be read.
        UnfoldableError: What was applied before that record must not be written.
    """
    counted: dict[str, int] = {}
    rare: list[tuple[str, Outcome]] = []
    rejected: list[Rejected] = []
    skipped = 0
    for record in records:
        offset = record.offset
        if offset <= applied:
            skipped += 1
            continue
        try:
            event = decode(record.key, record.value, record.timestamp)
            outcome = apply(event, offset > rows_applied)
        except EventRejected as err:
            # Not the error itself: its traceback would hold this frame and those that called it,
            # the batch and the fold, until Python looks for cycles.
            rejected.append(Rejected(record, err.reason, err.detail))
            continue
        except DamagedSubject:
            raise
        except Exception as err:
            raise UnfoldableError(offset, err) from err
        name = event.type.name
        # An outcome is slow to hash, and nearly all are this one.
        if outcome is Outcome.COUNTED:
            counted[name] = counted.get(name, 0) + 1
        else:
            rare.append((name, outcome))
    outcomes: Outcomes = Counter(rare)
    for name, count in counted.items():
        outcomes[name, Outcome.COUNTED] = count
    return Taken(outcomes, rejected, skipped)
