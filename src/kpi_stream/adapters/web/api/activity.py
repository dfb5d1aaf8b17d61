"""What changed lately, which work is overdue, and how good the data are."""

from collections.abc import Sequence

from kpi_stream.adapters.web.api import base as b
from kpi_stream.adapters.web.api.scorecard import InitiativeRow, initiative
from kpi_stream.application.judge import Transition
from kpi_stream.application.scorecard import Evaluation
from kpi_stream.domain.errors import Reason
from kpi_stream.domain.readings import NoData
from kpi_stream.domain.status import Status

SILENT_MS = 7_200_000
"""Office hours without any event from which on an office is listed as silent: as long as the alert
`OfficeSilent` allows an office that is always active."""


class TransitionRow(b.Model):
    """A status that changed, with what it rested on."""

    kpi: str
    window: str
    dimension: str
    member: str
    sequence: int
    """1 for the first change of the series, then one more each time."""
    at: b.Instant
    before: Status
    after: Status
    value: b.Value
    expected: float | None
    goal: float
    low: float | None
    samples: int
    no_data: NoData | None
    target: str


class TransitionsAnswer(b.Model):
    """The latest changes of a status."""

    transitions: list[TransitionRow]
    """Newest first."""


class InitiativesAnswer(b.Model):
    """Every initiative with its overdue actions."""

    as_of: b.Instant
    initiatives: list[InitiativeRow]


class SilentOffice(b.Model):
    """An office that sends no events."""

    office: str
    silent_s: float | None
    """Office hours since its last event; null where there was none for 8 days."""


class QualityAnswer(b.Model):
    """What a reader must know before believing the numbers."""

    as_of: b.Instant
    lag_events: int | None
    """Events that are not counted yet."""
    data_age_s: float | None
    """Age of the newest event."""
    rejected: int | None
    """How many of the latest events were rejected; null where nobody counts them."""
    rejected_of: int
    """How many the latest events are."""
    rejected_by_reason: dict[Reason, int]
    """Why; `expired` came too late to be counted. The events themselves are dead letters."""
    conflicting: int
    """Subjects of 30 days about which two sources contradict each other."""
    clamped: int
    """Durations of 30 days below 0, which count as 0; of all KPIs together."""
    clamped_by_kpi: dict[str, int]
    silent_offices: list[SilentOffice]


def transition_row(each: Transition) -> TransitionRow:
    """Return a transition as it is shown."""
    return TransitionRow(
        **each.key._asdict(),
        sequence=each.sequence,
        at=b.instant(each.as_of_ms),
        before=each.before,
        after=each.after,
        value=each.value,
        expected=each.expected,
        goal=each.goal,
        low=each.low,
        samples=each.samples,
        no_data=each.no_data,
        target=each.target,
    )


def transitions_answer(
    transitions: Sequence[Transition], limit: int, kpi: str | None
) -> TransitionsAnswer:
    """Return the newest transitions, of one KPI or of all.

    Args:
        transitions: What is known, oldest first.
        limit: At most so many.
        kpi: Its id, None for all.
    """
    wanted = [each for each in reversed(transitions) if kpi in (None, each.key.kpi)]
    return TransitionsAnswer(transitions=[transition_row(each) for each in wanted[:limit]])


def initiatives_answer(evaluation: Evaluation) -> InitiativesAnswer:
    """Return the initiatives at an instant."""
    return InitiativesAnswer(
        as_of=b.instant(evaluation.as_of_ms),
        initiatives=[initiative(each) for each in evaluation.initiatives],
    )


def quality_answer(evaluation: Evaluation) -> QualityAnswer:
    """Return how good the data are, as far as the scorecard knows."""
    freshness, quality = evaluation.freshness, evaluation.quality
    clamped = {
        name.partition(":")[2]: count
        for name, count in quality.items()
        if name.startswith("clamped:") and count
    }
    offices = evaluation.offices
    silent = [
        SilentOffice(office=each, silent_s=b.seconds(found.silent_ms if found else None))
        for each in sorted(evaluation.strategy.offices)
        if (found := offices.get(each)) is None or found.silent_ms >= SILENT_MS
    ]
    judged = 0 if freshness is None else freshness.judged
    known = {each.value for each in Reason}
    # A worker of a later version may know more reasons than this program.
    rejected = {
        Reason(reason): count
        for reason, count in ({} if freshness is None else freshness.rejected).items()
        if reason in known and count
    }
    silent.sort(key=lambda each: -1.0 if each.silent_s is None else -each.silent_s)
    return QualityAnswer(
        as_of=b.instant(evaluation.as_of_ms),
        lag_events=None if freshness is None else freshness.lag,
        data_age_s=None if freshness is None else b.seconds(freshness.data_age_ms),
        rejected=sum(rejected.values()) if judged else None,
        rejected_of=judged,
        rejected_by_reason=rejected,
        conflicting=quality.get("conflicting", 0),
        clamped=sum(clamped.values()),
        clamped_by_kpi=clamped,
        silent_offices=silent,
    )
