"""One evaluation of the scorecard: readings, statuses, forecasts, objectives, initiatives."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol

from kpi_stream.application.activity import Activity
from kpi_stream.application.as_of import Freshness
from kpi_stream.application.judge import Judge, Judged, Transition
from kpi_stream.application.outlook import History, Outlook
from kpi_stream.domain.hysteresis import DAMPING, Damping, StatusState
from kpi_stream.domain.initiatives import Action, Initiative
from kpi_stream.domain.readings import NoData, Reading, SeriesKey
from kpi_stream.domain.rollup import Part, mean_credit, worst
from kpi_stream.domain.status import SEVERITY, Status
from kpi_stream.domain.strategy import NATIONAL, Objective, Strategy
from kpi_stream.domain.windows import LocalDays


class Totals(History, Protocol):
    """The rows of all partitions, added up."""

    def apply_row(self, partition: int, key: bytes, value: bytes | None) -> None:
        """Take one record of the rows' topic; a later one of the same key replaces it."""
        ...

    def readings(self, as_of_ms: int) -> Mapping[SeriesKey, Reading]:
        """Return every KPI's reading, national and for every member with data."""
        ...

    def quality(self, as_of_ms: int) -> Mapping[str, int]:
        """Return how often the input had to be interpreted, by `problem` or `problem:kpi`."""
        ...

    def offices(self, as_of_ms: int) -> Mapping[str, Activity]:
        """Return how active each office is that had an event in the last 8 days, by its code."""
        ...


@dataclass(frozen=True, slots=True)
class JudgedObjective:
    """An objective and how its KPIs stand together."""

    objective: Objective
    attainment: float | None
    """Weighted mean of its KPIs' attainment, each within 0..1; None without data."""
    status: Status
    """The worst of its KPIs that have data."""
    worst: SeriesKey | None
    """The KPI to look at first; None where none has data."""


@dataclass(frozen=True, slots=True)
class JudgedInitiative:
    """An initiative and what a calendar and a purse say about it."""

    initiative: Initiative
    elapsed: float
    """Share of its time that is over, 0..1."""
    spent: float | None
    """Share of its budget that is spent, above 1 when overdrawn; None without a budget."""
    overdue: tuple[Action, ...]
    """Actions whose due date is over and that are not done."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Everything the scorecard says about one instant."""

    strategy: Strategy
    as_of_ms: int
    freshness: Freshness | None
    """None where no feed is behind it (a replay)."""
    stale: bool
    """The feed is silent for longer than allowed, so nothing is a reading."""
    readings: Mapping[SeriesKey, Reading]
    judged: tuple[Judged, ...]
    transitions: tuple[Transition, ...]
    objectives: tuple[JudgedObjective, ...]
    initiatives: tuple[JudgedInitiative, ...]
    quality: Mapping[str, int]
    offices: Mapping[str, Activity]
    """By the office's code; one that had no event in the last 8 days is not in it."""


class Scorecard:
    """A strategy held against the rows, evaluation by evaluation.

    Args:
        strategy: What was decided.
        totals: The rows, compiled for the same strategy.
        damping: How reluctant statuses are to change.
        states: Statuses remembered from before a restart.
        stale_after_ms: Age of the newest event, in milliseconds, beyond which a caught-up feed
            counts as silent; None for never.
        forecast_budget: Histories to refresh at one evaluation; None for all that are due.
    """

    def __init__(
        self,
        strategy: Strategy,
        totals: Totals,
        *,
        damping: Damping = DAMPING,
        states: Mapping[SeriesKey, StatusState] | None = None,
        stale_after_ms: int | None = None,
        forecast_budget: int | None = None,
    ) -> None:
        self.strategy = strategy
        self.totals = totals
        self._damping = damping
        self._stale_after_ms = stale_after_ms
        self._forecast_budget = forecast_budget
        self._judge = Judge(strategy, damping, states)
        self._outlook = Outlook(totals, forecast_budget)
        self._days = LocalDays(strategy.calendar.time_zone)

    @property
    def states(self) -> Mapping[SeriesKey, StatusState]:
        """Return what is remembered of every judged series."""
        return self._judge.states

    def with_strategy(self, strategy: Strategy, totals: Totals) -> "Scorecard":
        """Return a scorecard for another strategy that remembers the statuses of this one.

        A target that was decided anew is judged at once; all others go on as if nothing happened.
        """
        return Scorecard(
            strategy,
            totals,
            damping=self._damping,
            states=self.states,
            stale_after_ms=self._stale_after_ms,
            forecast_budget=self._forecast_budget,
        )

    def evaluate(
        self, as_of_ms: int, freshness: Freshness | None = None, *, hold: bool = False
    ) -> Evaluation:
        """Return what the scorecard says at an instant, and remember the statuses.

        Args:
            as_of_ms: The instant, milliseconds since 1970 UTC.
            freshness: How new the rows are; None where staleness has no meaning.
            hold: Read anew, and let each status be what it was. How long a new status must hold
                is counted in evaluations, so those that come between two do not count.
        """
        readings = self.totals.readings(as_of_ms)
        stale = self._is_stale(freshness)
        if stale:
            readings = {key: _silenced(reading) for key, reading in readings.items()}
        judged, transitions = self._judge.judge(readings, as_of_ms, hold=hold)
        judged = self._outlook.with_forecasts(judged, as_of_ms)
        today = self._days.date_of(as_of_ms)
        return Evaluation(
            self.strategy,
            as_of_ms,
            freshness,
            stale,
            readings,
            judged,
            transitions,
            judged_objectives(self.strategy, judged),
            tuple(judged_initiative(each, today) for each in self.strategy.initiatives),
            self.totals.quality(as_of_ms),
            self.totals.offices(as_of_ms),
        )

    def _is_stale(self, freshness: Freshness | None) -> bool:
        if freshness is None or self._stale_after_ms is None or not freshness.caught_up:
            return False
        age = freshness.data_age_ms
        return age is not None and age > self._stale_after_ms


def _silenced(reading: Reading) -> Reading:
    if reading.value is None:
        return reading
    return replace(reading, value=None, no_data=NoData.STALE)


def judged_objectives(
    strategy: Strategy, judged: tuple[Judged, ...]
) -> tuple[JudgedObjective, ...]:
    """Return every objective with the roll-up of its KPIs.

    A KPI enters by its national targets, and by those for members only where it has no national
    one, so that an office's miss is not counted twice.
    """
    of_kpi: dict[str, list[Judged]] = {}
    for each in judged:
        of_kpi.setdefault(each.kpi.id, []).append(each)
    for kpi, series in of_kpi.items():
        national = [each for each in series if each.key.dimension == NATIONAL]
        of_kpi[kpi] = national or series
    return tuple(_objective(each, of_kpi) for each in strategy.objectives)


def _objective(objective: Objective, of_kpi: Mapping[str, list[Judged]]) -> JudgedObjective:
    parts, every = [], []
    for each in objective.kpis:
        series = of_kpi.get(each.kpi, [])
        every += series
        mean = mean_credit([Part(1.0, one.credit, one.status) for one in series])
        parts.append(Part(each.weight, mean, worst([one.status for one in series])))
    with_data = [each for each in every if each.status in SEVERITY]
    first = max(
        with_data,
        key=lambda each: (SEVERITY[each.status], -(1.0 if each.credit is None else each.credit)),
        default=None,
    )
    return JudgedObjective(
        objective,
        mean_credit(parts),
        worst([part.status for part in parts]),
        None if first is None else first.key,
    )


def judged_initiative(initiative: Initiative, today: date) -> JudgedInitiative:
    """Return what the local date says about an initiative; its last day belongs to it."""
    days = (initiative.end - initiative.start).days + 1
    over = (today - initiative.start).days
    budget = initiative.budget_cents
    return JudgedInitiative(
        initiative,
        min(max(over / days, 0.0), 1.0),
        initiative.spent_cents / budget if budget > 0 else None,
        tuple(
            action
            for action in initiative.actions
            if action.due < today and (action.done is None or action.done > today)
        ),
    )
