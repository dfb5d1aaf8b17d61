"""Why a KPI moved, and who costs most: the change of a window, split by each dimension."""

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

from kpi_stream.application.explanation import (
    Caution,
    Explanation,
    Split,
    Sum,
    WhyNot,
)
from kpi_stream.application.members import (
    NO_COUNTS,
    Counts,
    costs,
    held_against,
    plain,
    ratio_effects,
    rest_added,
    scale_of,
    sum_effects,
)
from kpi_stream.application.periods import Period, before, current
from kpi_stream.application.series import member_buckets, quantile_of, stock_spans
from kpi_stream.application.totals import DAYS_KEPT, RowTotals
from kpi_stream.domain.catalogue import Catalogue, CompiledKpi
from kpi_stream.domain.measures import (
    DurationMeasure,
    LiftMeasure,
    PlanMeasure,
    StockMeasure,
)
from kpi_stream.domain.plan import planned_to_date
from kpi_stream.domain.status import Expectation
from kpi_stream.domain.strategy import NATIONAL, OTHER
from kpi_stream.domain.windows import DAY_MS, Span, Window, WindowKind, parse

OFFICE = "office"
COSTLY = 3
"""How many of the members that cost most are named."""


Crossed = tuple[dict[tuple[str, str], tuple[int, ...]], ...]
"""For the period before and the one now: sums of counters by (dimension, member)."""


class Crossing(NamedTuple):
    """The arguments of `RowTotals.crossed`."""

    spans: tuple[Span, Span]
    by: tuple[str, ...]
    where: tuple[str, str]
    names: tuple[str, ...]


class Explainer:
    """Explains from the rows.

    Args:
        catalogue: What is counted.
        totals: The rows, added up.
    """

    def __init__(self, catalogue: Catalogue, totals: RowTotals) -> None:
        """Bind what is read to how it is defined."""
        self._catalogue, self._totals = catalogue, totals
        self._caps = {each.id: each.cap for each in catalogue.strategy.dimensions if each.cap}

    def explain(
        self,
        kpi: str,
        window: str,
        as_of_ms: int,
        *,
        office: str | None = None,
        versus: Period | None = None,
        against: Expectation | None = None,
        crossed: Crossed | None = None,
    ) -> Explanation:
        """Return why a KPI moved between two periods.

        Args:
            kpi: Its id.
            window: One of its windows.
            as_of_ms: The instant at which the window ends, milliseconds since 1970 UTC.
            office: Only this office; None for everything. Each row is read then.
            versus: What to compare with, over already; None for the window before this one.
            against: What the reading is held against now; None where no target says.
            crossed: What the rows said to `crossing`; None to read them here.

        Raises:
            KeyError: There is no such KPI.
            ValueError: It has no such window or office, or `versus` is not over or forgotten.
        """
        compiled = self._catalogue.kpis[kpi]
        self._check(compiled, window, office)
        if versus is not None:
            self._check_kept(versus, as_of_ms)
        self._totals.settle(as_of_ms)
        known = parse(window)
        if compiled.measure is None or isinstance(compiled.measure, StockMeasure):
            return self._standing(compiled, window, office, as_of_ms)
        now = current(known, as_of_ms, self._catalogue.days, complete=compiled.measure.future_dated)
        was = versus or before(known, now, as_of_ms, self._catalogue.days)
        found = Explanation(
            compiled.kpi,
            window,
            office,
            as_of_ms,
            self._sum(compiled, now, office, (known, as_of_ms)),
            _NO_SUM,
            now,
            was,
            scale_of(compiled),
            of_mean=compiled.quantile is not None,
        )
        first_ms = self._first_ms()
        whole_only = _WHOLE_ONLY.get(type(compiled.measure))
        if was is None or first_ms is None or was.end_ms <= first_ms:
            unknown = WhyNot.NOT_KEPT if was is None else WhyNot.NO_ROWS
            return replace(found, why_not=whole_only or unknown)
        plan_at = None if versus is not None else (known, was.end_ms - 1)
        found = replace(
            found,
            before=self._sum(compiled, was, office, plan_at),
            cautions=self._cautions(compiled, (was, now), known, as_of_ms),
        )
        if whole_only is not None:
            return replace(found, why_not=whole_only)
        if found.change is None or not (found.now.samples or found.before.samples):
            return replace(found, why_not=WhyNot.EMPTY)
        return self._split(compiled, found, (was, now), against, crossed)

    def crossing(
        self, kpi: str, window: str, as_of_ms: int, office: str, versus: Period | None = None
    ) -> Crossing | None:
        """Return what `RowTotals.crossed` is to be asked for an office; None for nothing.

        It takes long and may run in a thread; `explain` takes the answer. The arguments and the
        errors are those of `explain`.
        """
        compiled = self._catalogue.kpis[kpi]
        self._check(compiled, window, office)
        measure = compiled.measure
        if measure is None or isinstance(measure, StockMeasure | LiftMeasure | PlanMeasure):
            return None
        known, days = parse(window), self._catalogue.days
        now = current(known, as_of_ms, days, complete=measure.future_dated)
        was = versus or before(known, now, as_of_ms, days)
        if was is None:
            return None
        by = tuple(each for each in compiled.kpi.dimensions if each != OFFICE)
        return Crossing((was.span, now.span), by, (OFFICE, office), measure.counters)

    def _check(self, compiled: CompiledKpi, window: str, office: str | None) -> None:
        if window not in compiled.kpi.windows:
            msg = f"unknown window {window!r}; one of {', '.join(compiled.kpi.windows)}"
            raise ValueError(msg)
        if office is None:
            return
        if OFFICE not in compiled.kpi.dimensions:
            msg = f"{compiled.kpi.id} is not counted by office"
            raise ValueError(msg)
        offices = self._catalogue.strategy.offices
        if office not in offices:
            msg = f"unknown office {office!r}; one of {', '.join(sorted(offices))}"
            raise ValueError(msg)

    def _check_kept(self, versus: Period, as_of_ms: int) -> None:
        days = self._catalogue.days
        if versus.end_ms > as_of_ms + 1:
            msg = "the period to compare with is not over yet"
            raise ValueError(msg)
        if days.day_of(versus.start_ms) < days.day_of(as_of_ms) - DAYS_KEPT:
            msg = f"the period to compare with begins more than {DAYS_KEPT} days ago"
            raise ValueError(msg)

    def _first_ms(self) -> int | None:
        first = self._totals.first_day
        return None if first is None else self._catalogue.days.start_of(first)

    def _cautions(
        self, compiled: CompiledKpi, periods: tuple[Period, Period], window: Window, as_of_ms: int
    ) -> tuple[Caution, ...]:
        was, now = periods
        first_ms = self._first_ms()
        found = [Caution.PARTLY] if first_ms is not None and was.start_ms < first_ms else []
        if not plain(compiled):
            return tuple(found)
        days = self._catalogue.days
        tomorrow_ms = days.start_of(days.day_of(as_of_ms) + 1)
        if window.kind is not WindowKind.ROLLING and now.end_ms < tomorrow_ms:
            found.append(Caution.UNFINISHED)
        if _days(was) != _days(now):
            found.append(Caution.UNLIKE)
        return tuple(found)

    def _standing(
        self, compiled: CompiledKpi, window: str, office: str | None, as_of_ms: int
    ) -> Explanation:
        """Return what is said of a KPI that has no past."""
        now, why_not = _NO_SUM, WhyNot.NOT_MEASURED
        measure = compiled.measure
        if isinstance(measure, StockMeasure):
            why_not, number = WhyNot.STOCK, self._number(office)
            spans = stock_spans(measure.older_than_ms, as_of_ms, self._catalogue)
            if number is not None:
                counts = [
                    self._totals.member_sums(each, number, measure.counters)[0] for each in spans
                ]
                ratio = measure.read((counts[0], counts[1]))
                now = Sum(ratio.numerator, ratio.denominator, ratio.samples, ratio.value)
        return Explanation(
            compiled.kpi,
            window,
            office,
            as_of_ms,
            now,
            _NO_SUM,
            None,
            None,
            Fraction(1),
            why_not=why_not,
        )

    def _number(self, office: str | None) -> int | None:
        key = (NATIONAL, "") if office is None else (OFFICE, office)
        return self._totals.members.get(key)

    def _sum(
        self,
        compiled: CompiledKpi,
        period: Period,
        office: str | None,
        plan_at: tuple[Window, int] | None,
    ) -> Sum:
        """Return the KPI over a period; of a plan, against what was due at an instant."""
        measure, number = compiled.measure, self._number(office)
        if measure is None or number is None:
            return _NO_SUM
        counters = self._totals.member_sums(period.span, number, measure.counters)
        if isinstance(measure, PlanMeasure):
            planned = None
            if plan_at is not None and office is None:
                planned = planned_to_date(measure.months, *plan_at, self._catalogue.days)
            if planned is None:
                return Sum(counters[0], 0, counters[-1], None)
            counters = (*counters, planned)
        ratio = measure.read(counters)
        quantile = None
        if compiled.quantile is not None and isinstance(measure, DurationMeasure):
            buckets = member_buckets(self._totals, measure.histogram, period.span, number)
            quantile = quantile_of(*buckets, compiled.quantile)[0]
        return Sum(ratio.numerator, ratio.denominator, ratio.samples, ratio.value, quantile)

    def _split(
        self,
        compiled: CompiledKpi,
        found: Explanation,
        periods: tuple[Period, Period],
        against: Expectation | None,
        crossed: Crossed | None,
    ) -> Explanation:
        office = found.office
        names = [each for each in compiled.kpi.dimensions if office is None or each != OFFICE]
        was, new = self._members(compiled, (periods, crossed), names, office)
        held, worse = held_against(found, against)
        splits, costly = [], []
        for dimension in names:
            earlier, later = self._within_cap(dimension, was[dimension], new[dimension])
            changed = (sum_effects if plain(compiled) else ratio_effects)(earlier, later)
            ranked = sorted(changed, key=lambda each: (-abs(each.total), each.member))
            splits.append(Split(dimension, tuple(ranked)))
            # Of a dimension with one member that member is the whole, which says nothing.
            if held is not None and len(later) > 1:
                costly += costs(dimension, later, held / found.scale, worse, found.scale)
        costly.sort(key=lambda each: (-abs(each.gap), each.dimension, each.member))
        return replace(
            found,
            splits=tuple(splits),
            costs=tuple(costly[:COSTLY]),
            against=None if held is None else float(held),
        )

    def _members(
        self,
        compiled: CompiledKpi,
        known: tuple[tuple[Period, Period], Crossed | None],
        dimensions: Iterable[str],
        office: str | None,
    ) -> tuple[dict[str, dict[str, Counts]], dict[str, dict[str, Counts]]]:
        """Return, for both periods, the counts by dimension and member."""
        counters = () if compiled.measure is None else compiled.measure.counters
        periods, crossed = known
        wanted = tuple(dimensions)
        spans = [each.span for each in periods]
        sums: Crossed
        if crossed is not None:
            sums = crossed
        elif office is not None:
            sums = self._totals.crossed(spans, wanted, (OFFICE, office), counters)
        else:
            sums = tuple(
                {
                    key: self._totals.member_sums(at, number, counters)
                    for key, number in self._totals.members.items()
                    if key[0] in wanted
                }
                for at in spans
            )
        single = plain(compiled)
        was, new = (
            {
                dimension: {
                    member: Counts(each[0], 1 if single else each[1], each[-1])
                    for (of, member), each in by_member.items()
                    if of == dimension and any(each)
                }
                for dimension in wanted
            }
            for by_member in sums
        )
        return was, new

    def _within_cap(
        self, dimension: str, was: dict[str, Counts], new: dict[str, Counts]
    ) -> tuple[dict[str, Counts], dict[str, Counts]]:
        """Keep the members of a capped dimension that are largest in both periods together."""
        every, cap = was.keys() | new.keys(), self._caps.get(dimension)
        if cap is None or len(every) <= cap:
            return was, new
        size = {
            member: sum(each.get(member, NO_COUNTS).samples for each in (was, new))
            for member in every
        }
        ranked = sorted(every, key=lambda member: (member == OTHER, -size[member], member))
        kept = frozenset(ranked[:cap])
        return rest_added(was, kept), rest_added(new, kept)


_NO_SUM = Sum(0, 0, 0, None)
_WHOLE_ONLY: dict[type, WhyNot] = {LiftMeasure: WhyNot.LIFT, PlanMeasure: WhyNot.PLAN}
"""What has a change, but no members that make it."""


def _days(period: Period) -> float:
    """Return how many days a period has; a local day of 23 hours is one."""
    first, end = period.span.days
    return end - first or (period.end_ms - period.start_ms) / DAY_MS
