"""The monthly review as data: how the KPIs stood, what moved and why, who held the time, and where.

Everything is read at one instant: the last one of the month, or the newest one that is known of a
month that is not over. A month that is over is read from whole days (`closed_days`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kpi_stream.application.closed_days import is_told_afterwards
from kpi_stream.application.explain import Explainer
from kpi_stream.application.explanation import Explanation
from kpi_stream.application.judge import Judged
from kpi_stream.application.periods import Month
from kpi_stream.application.scorecard import Evaluation, JudgedInitiative
from kpi_stream.application.stages import WayReading, WayTable
from kpi_stream.application.totals import RowTotals
from kpi_stream.domain.catalogue import Catalogue
from kpi_stream.domain.measures import DurationMeasure
from kpi_stream.domain.readings import NoData, Reading, SeriesKey
from kpi_stream.domain.rollup import Part, mean_credit, worst
from kpi_stream.domain.status import Status
from kpi_stream.domain.strategy import NATIONAL, Holder, Kpi, Plan, Stock, Strategy

OFFICE = "office"
MONTH_TO_DATE = "mtd"
"""The window that is the month at its last instant."""


class Source(StrEnum):
    """Where the counts come from."""

    EVENTS = "events"
    """Files of events, folded for this review."""
    ROWS = "rows"
    """The topic of rows, which the workers counted."""


@dataclass(frozen=True, slots=True)
class Feed:
    """What is known about where the counts come from."""

    source: Source
    newest_ms: int | None
    """The newest recording that is counted, milliseconds since 1970 UTC; None where unknown."""
    outcomes: Mapping[str, int]
    """Events by what became of them; empty where the workers counted."""
    rejected: Mapping[str, int]
    """Events by why they were rejected; empty where the workers counted."""
    files: tuple[str, ...] = ()
    waiting: int = 0
    """Events that were not counted yet."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the scorecard: a judged series, or one that nothing judges."""

    kpi: Kpi
    reading: Reading
    judged: Judged | None
    gap: float | None
    """The value minus what is expected, in the KPI's unit; of a band, the distance from its
    nearer edge, 0 inside. None without a value or a target."""
    month: Reading | None
    """The same member over the calendar month; None where the KPI has no such window."""
    untold: bool
    """There is no value since it cannot be known afterwards."""


@dataclass(frozen=True, slots=True)
class OfficeRow:
    """How one office stands."""

    office: str
    judged: tuple[Judged, ...]
    """Every target that is set for this office."""
    credit: float | None
    """Mean attainment of those within 0..1; None without data."""
    status: Status
    """The worst of those that have data."""
    way: WayReading | None
    """The stages of its subjects in the month; None without any."""


@dataclass(frozen=True, slots=True)
class Stages:
    """The Time Release Study: national, and by each dimension of the way."""

    whole: WayReading
    held: tuple[tuple[Holder, float], ...]
    """What each party adds to the mean of the way, in seconds; it adds up to that mean."""
    dimensions: tuple[tuple[str, tuple[WayReading, ...]], ...]


@dataclass(frozen=True, slots=True)
class Quality:
    """What a reader must know before believing the numbers."""

    conflicting: int
    """Subjects opened in the month of which two sources said different things."""
    clamped: tuple[tuple[tuple[Kpi, ...], int], ...]
    """Durations of the month that were below 0 and count as 0, by the KPIs that share them."""
    silent: tuple[str, ...]
    """Offices of which nothing was counted in the month."""
    assumed: int
    """Targets whose figures nobody has approved yet."""


@dataclass(frozen=True, slots=True)
class Review:
    """A whole month."""

    strategy: Strategy
    month: Month
    office: str | None
    feed: Feed
    evaluation: Evaluation
    rows: tuple[Row, ...]
    moved: tuple[Explanation, ...]
    """Of every KPI that is counted, those first that moved most for their size."""
    stages: Stages | None
    offices: tuple[OfficeRow, ...]
    """The best first; those without data at the end."""
    initiatives: tuple[JudgedInitiative, ...]
    quality: Quality


class Reviewer:
    """Writes reviews from rows.

    Args:
        catalogue: What is counted.
        totals: The rows, added up; those of closed days where the month is over.
    """

    def __init__(self, catalogue: Catalogue, totals: RowTotals) -> None:
        """Bind what is read to how it is defined."""
        self._catalogue, self._totals = catalogue, totals
        self.strategy = catalogue.strategy
        self._explainer = Explainer(catalogue, totals)

    def anything(self, month: Month, office: str | None) -> bool:
        """Return whether anything happened in the month; what fell due in it does not count."""
        self._totals.settle(month.as_of_ms)
        place = (NATIONAL, "") if office is None else (OFFICE, office)
        number = self._totals.members.get(place)
        return number is not None and self._happened(month, number)

    def review(
        self,
        evaluation: Evaluation,
        month: Month,
        feed: Feed,
        *,
        office: str | None = None,
        on_progress: Callable[[int, int], None] = lambda _done, _all: None,
    ) -> Review:
        """Return the review of a month.

        Args:
            evaluation: What the scorecard says at `month.as_of_ms`.
            month: Which one.
            feed: Where the counts come from.
            office: Only this office; None for everything.
            on_progress: Told how many KPIs of how many are explained: of one office, each of them
                needs every row.
        """
        rows = tuple(self._rows(evaluation, month, office))
        return Review(
            self.strategy,
            month,
            office,
            feed,
            evaluation,
            rows,
            self._moved(rows, month, on_progress),
            self._stages(month, office),
            self._offices(evaluation, month),
            evaluation.initiatives,
            self._quality(month),
        )

    def _rows(self, evaluation: Evaluation, month: Month, office: str | None) -> Iterator[Row]:
        place = (NATIONAL, "") if office is None else (OFFICE, office)
        for kpi in _in_order(self.strategy):
            judged = [
                each
                for each in evaluation.judged
                if each.key.kpi == kpi.id and (office is None or each.key[2:] == place)
            ]
            if office is None:
                # What is judged for each office stands in their ranking.
                judged = [each for each in judged if each.target.members != ("*",)]
            elif OFFICE not in kpi.dimensions:
                continue
            for each in judged:
                yield self._row(evaluation, month, kpi, each.reading, each)
            if not judged:
                key = SeriesKey(kpi.id, _shown_window(kpi), *place)
                reading = evaluation.readings.get(key) or Reading(
                    key, None, 0, 0, 0, NoData.TOO_FEW
                )
                yield self._row(evaluation, month, kpi, reading, None)

    def _row(
        self,
        evaluation: Evaluation,
        month: Month,
        kpi: Kpi,
        reading: Reading,
        judged: Judged | None,
    ) -> Row:
        whole = evaluation.readings.get(SeriesKey(kpi.id, MONTH_TO_DATE, *reading.key[2:]))
        told = not month.over or is_told_afterwards(kpi, reading.key.window)
        untold = not told and reading.value is None and not reading.samples
        return Row(kpi, reading, judged, gap(judged), whole, untold)

    def _moved(
        self, rows: Iterable[Row], month: Month, on_progress: Callable[[int, int], None]
    ) -> tuple[Explanation, ...]:
        first: dict[str, Row] = {}
        for row in rows:
            if row.reading.key.dimension in (NATIONAL, OFFICE):
                first.setdefault(row.kpi.id, row)
        kpis = [
            row.kpi
            for row in first.values()
            if self._catalogue.kpis[row.kpi.id].measure is not None
            and not isinstance(row.kpi.measure, Stock)
        ]
        found = []
        for done, kpi in enumerate(kpis):
            on_progress(done, len(kpis))
            window, judged = _shown_window(kpi), first[kpi.id].judged
            # A month against the whole month before; any other window against its own past, and a
            # plan against what was due by the same day.
            whole = month.over and window == MONTH_TO_DATE
            found.append(
                self._explainer.explain(
                    kpi.id,
                    window,
                    month.as_of_ms,
                    office=first[kpi.id].reading.key.member or None,
                    versus=month.previous if whole and not isinstance(kpi.measure, Plan) else None,
                    against=None if judged is None else judged.against,
                )
            )
        return tuple(sorted(found, key=_moved_most))

    def _stages(self, month: Month, office: str | None) -> Stages | None:
        way = self._catalogue.way
        if way is None:
            return None
        table, span = WayTable(self._catalogue, self._totals), month.period.span
        dimensions = tuple(
            (each, _largest_first(table.over(span, month.name, each, month.as_of_ms)))
            for each in way.way.dimensions
            if office is None or each == OFFICE
        )
        if office is None:
            (whole,) = table.over(span, month.name, NATIONAL, month.as_of_ms)
        else:
            mine = [each for _, members in dimensions for each in members if each.member == office]
            if not mine:
                return None
            whole = mine[0]
        return Stages(whole, held(whole), dimensions)

    def _offices(self, evaluation: Evaluation, month: Month) -> tuple[OfficeRow, ...]:
        way: dict[str, WayReading] = {}
        if self._catalogue.way is not None and OFFICE in self._catalogue.way.way.dimensions:
            table = WayTable(self._catalogue, self._totals)
            read = table.over(month.period.span, month.name, OFFICE, month.as_of_ms)
            way = {each.member: each for each in read}
        found = []
        for office in sorted(self.strategy.offices):
            judged = tuple(each for each in evaluation.judged if each.key[2:] == (OFFICE, office))
            credit = mean_credit([Part(1.0, each.credit, each.status) for each in judged])
            status = worst([each.status for each in judged])
            if judged or office in way:
                found.append(OfficeRow(office, judged, credit, status, way.get(office)))
        return tuple(sorted(found, key=_best_first))

    def _quality(self, month: Month) -> Quality:
        span, totals = month.period.span, self._totals
        clamped: dict[str, list[Kpi]] = {}
        for compiled in self._catalogue.kpis.values():
            if isinstance(compiled.measure, DurationMeasure):
                clamped.setdefault(compiled.measure.clamped, []).append(compiled.kpi)
        counts = {name: totals.member_sums(span, 0, (name,))[0] for name in clamped}
        silent = tuple(
            office
            for office in sorted(self.strategy.offices)
            if (number := totals.members.get((OFFICE, office))) is None
            or not self._happened(month, number)
        )
        return Quality(
            totals.conflicting(span),
            tuple((tuple(kpis), counts[name]) for name, kpis in clamped.items() if counts[name]),
            silent,
            sum(each.assumption for each in self.strategy.targets),
        )

    def _happened(self, month: Month, number: int) -> bool:
        due = frozenset(
            name
            for compiled in self._catalogue.kpis.values()
            if compiled.measure is not None and compiled.measure.future_dated
            for name in compiled.measure.counters
        )
        counters, _ = self._totals.window_sums("review", month.period.span)
        if number >= counters.shape[0]:
            return False
        columns = self._totals.columns_but(due)
        return bool(counters[number, columns[columns < counters.shape[1]]].any())


def held(way: WayReading) -> tuple[tuple[Holder, float], ...]:
    """Return what each party adds to the mean of a way, in seconds, in the order of the stages."""
    parts: dict[Holder, float] = {}
    for stage in way.stages:
        part = way.part(stage)
        if part is not None:
            parts[stage.stage.holder] = parts.get(stage.stage.holder, 0.0) + part
    return tuple(parts.items())


def gap(judged: Judged | None) -> float | None:
    """Return how far a reading is from what is expected; see `Row.gap`."""
    if judged is None or judged.reading.value is None:
        return None
    value, against = judged.reading.value, judged.against
    if against.low is None:
        return value - against.goal
    return min(value - against.low, 0.0) or max(value - against.goal, 0.0)


def _in_order(strategy: Strategy) -> Sequence[Kpi]:
    """Return the KPIs by perspective and objective, each once; those without one at the end."""
    kpis = {kpi.id: kpi for kpi in strategy.kpis}
    placed = [
        part.kpi
        for perspective in strategy.perspectives
        for objective in strategy.objectives
        if objective.perspective == perspective.id
        for part in objective.kpis
    ]
    return [kpis[each] for each in dict.fromkeys([*placed, *kpis])]


def _shown_window(kpi: Kpi) -> str:
    return MONTH_TO_DATE if MONTH_TO_DATE in kpi.windows else kpi.windows[0]


def _moved_most(found: Explanation) -> tuple[bool, float]:
    change, before = found.change, found.before.value
    if change is None:
        return True, 0.0
    return False, -abs(change) / abs(before or change or 1.0)


def _largest_first(read: Iterable[WayReading]) -> tuple[WayReading, ...]:
    return tuple(sorted(read, key=lambda each: (-each.samples, each.member)))


def _best_first(row: OfficeRow) -> tuple[float, str]:
    return (1.0 if row.credit is None else -row.credit, row.office)
