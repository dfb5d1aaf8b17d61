"""The scorecard: perspectives, their objectives, their KPIs, their judged series."""

from collections.abc import Mapping, Sequence
from typing import Any

from kpi_stream.adapters.web.api import base as b
from kpi_stream.application.activity import OFFICE
from kpi_stream.application.judge import Judged, Transition
from kpi_stream.application.review import gap
from kpi_stream.application.scorecard import Evaluation, JudgedInitiative, JudgedObjective
from kpi_stream.domain import readings as r
from kpi_stream.domain.readings import SeriesKey
from kpi_stream.domain.status import Status
from kpi_stream.domain.strategy import NATIONAL, Direction, Kpi, Target, Unit


class PlainSeries(b.Reading):
    """A reading that no target judges."""


class JudgedSeries(b.Reading, b.Judgement):
    """A reading and what it means for its target."""


class Key(b.Model):
    """Which series."""

    kpi: str
    window: str
    dimension: str
    member: str


class KpiRow(b.Model):
    """A KPI with its series."""

    kpi: str
    code: str
    name: b.Words
    question: b.Words
    unit: Unit
    display: str
    direction: Direction
    owner: str
    minimum_sample: int
    series: list[JudgedSeries | PlainSeries]


class WeightedRow(KpiRow):
    """The same within an objective."""

    weight: float


class ObjectiveRow(b.Model):
    """An objective and how its KPIs stand together."""

    id: str
    name: b.Words
    owner: str
    status: Status
    attainment: float | None
    worst: Key | None
    """The series to look at first."""
    causes: list[str]
    kpis: list[WeightedRow]


class Band(b.Model):
    """A perspective."""

    id: str
    name: b.Words
    objectives: list[ObjectiveRow]


class Name(b.Model):
    """Whose scorecard it is."""

    id: str
    name: b.Words
    vision: b.Words
    currency: str
    time_zone: str


class Overdue(b.Model):
    """An action whose day is over."""

    name: b.Words
    responsible: str
    due: b.Day


class InitiativeRow(b.Model):
    """An initiative and what a calendar and a purse say about it."""

    id: str
    name: b.Words
    owner: str
    objectives: list[str]
    progress: b.Share
    elapsed: b.Share
    spent: float | None
    """Share of the budget, above 1 when overdrawn; null without a budget."""
    overdue_actions: list[Overdue]


class ScorecardAnswer(b.Model):
    """Everything that a table of the scorecard shows."""

    strategy: Name
    office: str | None
    """Whose readings these are; null for everything."""
    as_of: b.Instant
    caught_up: bool | None
    stale: bool
    data_age_s: float | None
    lag_events: int | None
    perspectives: list[Band]
    other_kpis: list[KpiRow]
    """Those of no objective."""
    initiatives: list[InitiativeRow]
    quality: dict[str, int]


Last = Mapping[SeriesKey, Status]
"""What each series was before its latest change."""


def scorecard_answer(
    evaluation: Evaluation, office: str | None = None, last: Last | None = None
) -> ScorecardAnswer:
    """Return the scorecard of everything, or of one office.

    The statuses of the objectives are those of everything in any case.
    """
    strategy, freshness = evaluation.strategy, evaluation.freshness
    kpis = {kpi.id: kpi for kpi in strategy.kpis}
    of_kpi: dict[str, list[Judged]] = {}
    for each in evaluation.judged:
        of_kpi.setdefault(each.key.kpi, []).append(each)
    series = {
        kpi.id: _series(kpi, of_kpi.get(kpi.id, []), evaluation, (office, last or {}))
        for kpi in strategy.kpis
    }

    def objective(judged: JudgedObjective) -> ObjectiveRow:
        one, worst = judged.objective, judged.worst
        return ObjectiveRow(
            id=one.id,
            name=b.Words(**one.name),
            owner=one.owner,
            status=judged.status,
            attainment=judged.attainment,
            worst=None if worst is None else Key(**worst._asdict()),
            causes=list(one.causes),
            kpis=[
                WeightedRow(weight=part.weight, **_kpi(kpis[part.kpi]), series=series[part.kpi])
                for part in one.kpis
            ],
        )

    placed = {part.kpi for one in strategy.objectives for part in one.kpis}
    return ScorecardAnswer(
        strategy=Name(
            id=strategy.id,
            name=b.Words(**strategy.name),
            vision=b.Words(**strategy.vision),
            currency=strategy.currency,
            time_zone=strategy.calendar.time_zone,
        ),
        office=office,
        as_of=b.instant(evaluation.as_of_ms),
        caught_up=None if freshness is None else freshness.caught_up,
        stale=evaluation.stale,
        data_age_s=None if freshness is None else b.seconds(freshness.data_age_ms),
        lag_events=None if freshness is None else freshness.lag,
        perspectives=[
            Band(
                id=band.id,
                name=b.Words(**band.name),
                objectives=[
                    objective(each)
                    for each in evaluation.objectives
                    if each.objective.perspective == band.id
                ],
            )
            for band in strategy.perspectives
        ],
        other_kpis=[
            KpiRow(**_kpi(kpi), series=series[kpi.id])
            for kpi in strategy.kpis
            if kpi.id not in placed
        ],
        initiatives=[initiative(each) for each in evaluation.initiatives],
        quality=dict(evaluation.quality),
    )


def scorecard(evaluation: Evaluation) -> dict[str, Any]:
    """Return the scorecard of everything as JSON."""
    return scorecard_answer(evaluation).model_dump(mode="json", exclude_unset=True)


def default_window(kpi: Kpi, targets: Sequence[Target], dimension: str = NATIONAL) -> str:
    """Return the window of a KPI's target, one for the dimension first; else its first window."""
    own = [each for each in targets if each.kpi == kpi.id]
    own.sort(key=lambda each: each.dimension != dimension)
    return own[0].window if own else kpi.windows[0]


def reading(found: r.Reading) -> dict[str, Any]:
    """Return the fields of a reading."""
    return {
        "window": found.key.window,
        "dimension": found.key.dimension,
        "member": found.key.member,
        "value": found.value,
        "numerator": found.numerator,
        "denominator": found.denominator,
        "samples": found.samples,
        "no_data": found.no_data,
    }


def judgement(judged: Judged, last: Last) -> dict[str, Any]:
    """Return the fields of a judgement."""
    ahead = judged.forecast
    return {
        "status": judged.status,
        "status_since": b.instant(judged.state.since_ms),
        "status_before": last.get(judged.key),
        "expected": judged.expected,
        "gap": gap(judged),
        "attainment": judged.attainment,
        "progress": judged.progress,
        "target": goal(judged.target),
        "trend": [value for _, value in judged.history],
        "slope_per_day": None if ahead is None else ahead.slope_per_day,
        "forecast": None if ahead is None else ahead.value,
        "verdict": None if ahead is None else ahead.verdict,
    }


def goal(target: Target) -> b.Goal:
    """Return a target as it is shown."""
    return b.Goal(
        id=target.id,
        value=target.value,
        low=target.low,
        baseline=target.baseline,
        baseline_at=target.baseline_at.isoformat(),
        deadline=target.deadline.isoformat(),
        owner=target.owner,
        source=target.source,
        assumption=target.assumption,
    )


def initiative(judged: JudgedInitiative) -> InitiativeRow:
    """Return an initiative as it is shown."""
    one = judged.initiative
    return InitiativeRow(
        id=one.id,
        name=b.Words(**one.name),
        owner=one.owner,
        objectives=list(one.objectives),
        progress=one.progress,
        elapsed=judged.elapsed,
        spent=judged.spent,
        overdue_actions=[
            Overdue(
                name=b.Words(**each.name), responsible=each.responsible, due=each.due.isoformat()
            )
            for each in judged.overdue
        ],
    )


def last_statuses(transitions: Sequence[Transition]) -> dict[SeriesKey, Status]:
    """Return what each series was before its latest change."""
    return {each.key: each.before for each in transitions}


def _kpi(kpi: Kpi) -> dict[str, Any]:
    return {
        "kpi": kpi.id,
        "code": kpi.code,
        "name": b.Words(**kpi.name),
        "question": b.Words(**kpi.question),
        "unit": kpi.unit,
        "display": kpi.display,
        "direction": kpi.direction,
        "owner": kpi.owner,
        "minimum_sample": kpi.minimum_sample,
    }


def _series(
    kpi: Kpi, judged: Sequence[Judged], evaluation: Evaluation, of: tuple[str | None, Last]
) -> list[JudgedSeries | PlainSeries]:
    office, last = of
    if office is not None:
        judged = [each for each in judged if each.key[2:] == (OFFICE, office)]
    if judged:
        return [JudgedSeries(**reading(each.reading), **judgement(each, last)) for each in judged]
    # Without a target: a reading that nothing judges.
    if office is None:
        key = SeriesKey(kpi.id, kpi.windows[0], NATIONAL, "")
    else:
        window = default_window(kpi, evaluation.strategy.targets, OFFICE)
        key = SeriesKey(kpi.id, window, OFFICE, office)
    found = evaluation.readings.get(key)
    if found is None and office is not None and OFFICE in kpi.dimensions:
        # Nothing was counted there, which is worth a row as well.
        found = r.Reading(key, None, 0, 0, 0, r.NoData.TOO_FEW)
    return [] if found is None else [PlainSeries(**reading(found))]
