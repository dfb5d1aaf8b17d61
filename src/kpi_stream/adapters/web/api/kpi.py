"""One KPI: where it stands, what moves it, how it is spread, what it counts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kpi_stream.adapters.web.api import base as b
from kpi_stream.adapters.web.api.decided import BenchmarkOf, InitiativeOf
from kpi_stream.adapters.web.api.scorecard import Last, judgement, last_statuses, reading
from kpi_stream.adapters.web.api.strategy import (
    benchmarks_of,
    initiative_of,
    kpi_of,
)
from kpi_stream.application.breakdown import Breakdown, breakdown, crossed_breakdown, edge
from kpi_stream.application.distribution import Bar, distribution
from kpi_stream.application.explain import OFFICE
from kpi_stream.application.judge import Judged, Transition
from kpi_stream.application.readings import ReadingTable
from kpi_stream.application.scorecard import Evaluation
from kpi_stream.application.sentence import sentence
from kpi_stream.domain.readings import NoData, Reading, SeriesKey
from kpi_stream.domain.status import Status
from kpi_stream.domain.strategy import NATIONAL, Duration, Kpi, Strategy, Target, Within
from kpi_stream.domain.trajectory import expected, to_ms

HISTORY_DAYS = 120
"""Local days that the chart looks back on."""

STATUSES = 50
"""The latest changes of a status that are listed."""


class PlannedPoint(b.Model):
    """Where a KPI should be at an instant."""

    at: b.Instant
    expected: float


class ActualPoint(b.Model):
    """A reading at the end of a local day; null is no data."""

    at: b.Instant
    value: b.Value


class MemberRow(b.Model):
    """One member of a dimension."""

    member: str
    value: b.Value
    no_data: NoData | None
    numerator: int
    denominator: int
    samples: int
    contribution: float | None
    """What it adds to the gap, in the KPI's unit; null where the gap is not shared out."""


class BreakdownOf(b.Model):
    """The KPI by one dimension, the members that add most to the gap first."""

    dimension: str
    members: list[MemberRow]
    total: float | None
    """All contributions together: the gap."""


class BarOf(b.Model):
    """How many took from so long to so long."""

    from_s: int
    to_s: int | None
    """Null for the last bar, which has no end."""
    count: int


class ChangeOf(b.Model):
    """A status that changed."""

    at: b.Instant
    before: Status
    after: Status
    value: b.Value
    expected: float | None


class DefinitionOf(b.Model):
    """What exactly is counted."""

    formula: b.Words
    source: str
    owner: str
    minimum_sample: int


class KpiAnswer(b.Model):
    """Everything about one series of a KPI."""

    kpi: str
    window: str
    office: str | None
    as_of: b.Instant
    reading: b.Reading
    judgement: b.Judgement | None
    """Null without a target for this window and office."""
    sentence: b.Words
    trajectory: list[PlannedPoint]
    history: list[ActualPoint]
    benchmarks: list[BenchmarkOf]
    breakdown: list[BreakdownOf]
    """Empty for a quantile of one office: medians of members do not add up to anything."""
    distribution: list[BarOf] | None
    """Null for a KPI without a histogram."""
    target_s: float | None
    """What a time should be today, in seconds; null for a KPI that is no time."""
    statuses: list[ChangeOf]
    """Newest first."""
    definition: DefinitionOf
    initiatives: list[InitiativeOf]
    """Those that serve an objective of this KPI."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which series is asked for."""

    kpi: Kpi
    window: str
    office: str | None

    @property
    def key(self) -> SeriesKey:
        """Return the series."""
        place = (NATIONAL, "") if self.office is None else (OFFICE, self.office)
        return SeriesKey(self.kpi.id, self.window, *place)


Sums = dict[tuple[str, str], tuple[int, ...]]


def kpi_answer(
    asked: Asked,
    evaluation: Evaluation,
    table: ReadingTable,
    transitions: Sequence[Transition],
    crossed: Sums | None = None,
) -> KpiAnswer:
    """Return everything about a series.

    Args:
        asked: Which one.
        evaluation: The newest one.
        table: Reads the rows; nothing may be applied to them meanwhile.
        transitions: The changes that are known, oldest first.
        crossed: The sums by the other dimensions, of an office.
    """
    kpi, key, strategy = asked.kpi, asked.key, evaluation.strategy
    judged = next((each for each in evaluation.judged if each.key == key), None)
    found = evaluation.readings.get(key) or (None if judged is None else judged.reading)
    if found is None:
        found = Reading(key, None, 0, 0, 0, NoData.TOO_FEW)
    history = table.daily(*key, evaluation.as_of_ms, HISTORY_DAYS)
    bars = distribution(table.catalogue, table.totals, key, evaluation.as_of_ms)
    goal = None if judged is None or judged.against.low is not None else judged.against.goal
    return KpiAnswer(
        kpi=kpi.id,
        window=asked.window,
        office=asked.office,
        as_of=b.instant(evaluation.as_of_ms),
        reading=b.Reading(**reading(found)),
        judgement=_judgement(judged, last_statuses(transitions)),
        sentence=b.Words(**sentence(kpi, found, judged, strategy)),
        trajectory=[] if judged is None else _trajectory(judged.target),
        history=_history(history),
        benchmarks=benchmarks_of(strategy, kpi.id),
        breakdown=_breakdowns(asked, evaluation, table, (edge(judged), crossed)),
        distribution=None if bars is None else [_bar(each) for each in bars],
        target_s=_limit(kpi, goal),
        statuses=_statuses(key, transitions),
        definition=DefinitionOf(
            formula=kpi_of(kpi, strategy).formula,
            source=kpi.source,
            owner=kpi.owner,
            minimum_sample=kpi.minimum_sample,
        ),
        initiatives=_initiatives(kpi, strategy),
    )


def _judgement(judged: Judged | None, last: Last) -> b.Judgement | None:
    return None if judged is None else b.Judgement(**judgement(judged, last))


def _trajectory(target: Target) -> list[PlannedPoint]:
    """Return points that a straight line may join; a step has both of its edges."""
    start, end = to_ms(target.baseline_at), to_ms(target.deadline)
    steps = 24
    times = {start + (end - start) * at // steps for at in range(steps + 1)}
    for when, _ in target.points:
        times |= {to_ms(when), to_ms(when) - 1}
    found = [(at, expected(target, at)) for at in sorted(times)]
    return [
        PlannedPoint(at=b.instant(at), expected=value) for at, value in found if value is not None
    ]


def _history(points: Iterable[tuple[int, float | None]]) -> list[ActualPoint]:
    """Return the days from the first with a value on."""
    found = [ActualPoint(at=b.instant(at), value=value) for at, value in points]
    first = next((at for at, each in enumerate(found) if each.value is not None), len(found))
    return found[first:]


def _breakdowns(
    asked: Asked,
    evaluation: Evaluation,
    table: ReadingTable,
    of: tuple[float | None, Sums | None],
) -> list[BreakdownOf]:
    compiled, (against, crossed) = table.catalogue.kpis[asked.kpi.id], of
    if asked.office is not None:
        if crossed is None or compiled.quantile is not None:
            return []
        others = [each for each in asked.kpi.dimensions if each != OFFICE]
        parts = [crossed_breakdown(compiled, each, crossed, against) for each in others]
        return [_breakdown(each) for each in parts if each.members]
    by: dict[str, list[Reading]] = {each: [] for each in asked.kpi.dimensions}
    for key, each in evaluation.readings.items():
        if key.kpi == asked.kpi.id and key.window == asked.window and key.dimension in by:
            by[key.dimension].append(each)
    return [
        _breakdown(breakdown(compiled, dimension, readings, against))
        for dimension, readings in by.items()
        if readings
    ]


def _breakdown(found: Breakdown) -> BreakdownOf:
    return BreakdownOf(
        dimension=found.dimension,
        members=[
            MemberRow(
                member=each.member,
                value=each.value,
                no_data=each.no_data,
                numerator=each.numerator,
                denominator=each.denominator,
                samples=each.samples,
                contribution=each.contribution,
            )
            for each in found.members
        ],
        total=found.total,
    )


def _bar(bar: Bar) -> BarOf:
    return BarOf(from_s=bar.from_s, to_s=bar.to_s, count=bar.count)


def _limit(kpi: Kpi, goal: float | None) -> float | None:
    if isinstance(kpi.measure, Within):
        return kpi.measure.limit_ms / 1000
    return goal if isinstance(kpi.measure, Duration) else None


def _statuses(key: SeriesKey, transitions: Sequence[Transition]) -> list[ChangeOf]:
    own = [each for each in reversed(transitions) if each.key == key][:STATUSES]
    return [
        ChangeOf(
            at=b.instant(each.as_of_ms),
            before=each.before,
            after=each.after,
            value=each.value,
            expected=each.expected,
        )
        for each in own
    ]


def _initiatives(kpi: Kpi, strategy: Strategy) -> list[InitiativeOf]:
    served = {one.id for one in strategy.objectives if kpi.id in {part.kpi for part in one.kpis}}
    return [initiative_of(each) for each in strategy.initiatives if served & set(each.objectives)]
