"""What the KPIs of an objective say together.

The attainment is a weighted mean; the status is the worst one, because a mean hides the one KPI
that needs somebody's attention.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kpi_stream.domain.status import SEVERITY, Status


@dataclass(frozen=True, slots=True)
class Part:
    """One KPI's share in its objective."""

    weight: float
    """> 0; the weights of an objective sum to 1."""
    credit: float | None
    """Attainment within 0..1; None without data."""
    status: Status


def mean_credit(parts: Sequence[Part]) -> float | None:
    """Return the mean attainment, by weight, of the parts that have data.

    Args:
        parts: Any number; parts without data leave the weight to the others.

    Returns:
        A ratio within 0..1, or None where no part has data.

    Example:
        >>> mean_credit([Part(0.75, 1.0, Status.ON_TRACK), Part(0.25, 0.2, Status.OFF_TRACK)])
        0.8
        >>> mean_credit([Part(1.0, None, Status.NO_DATA)]) is None
        True
    """
    known = [(part.weight, part.credit) for part in parts if part.credit is not None]
    if not known:
        return None
    total = sum(weight * credit for weight, credit in known) / sum(weight for weight, _ in known)
    # The mean of equal parts can miss them by one bit.
    return min(max(total, min(credit for _, credit in known)), max(credit for _, credit in known))


def worst(statuses: Sequence[Status]) -> Status:
    """Return the worst status that rests on data; no_data where none does.

    Example:
        >>> str(worst([Status.ON_TRACK, Status.NO_DATA, Status.AT_RISK]))
        'at_risk'
        >>> str(worst([]))
        'no_data'
    """
    known = [status for status in statuses if status in SEVERITY]
    return max(known, key=SEVERITY.__getitem__) if known else Status.NO_DATA
