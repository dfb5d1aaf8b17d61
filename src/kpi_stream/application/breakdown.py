"""What moves a KPI now: its members, and what each adds to the gap against what is expected."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from kpi_stream.application.judge import Judged
from kpi_stream.application.members import Counts, parts_of, plain, scale_of
from kpi_stream.domain.catalogue import CompiledKpi
from kpi_stream.domain.decomposition import gaps
from kpi_stream.domain.measures import LiftMeasure, PlanMeasure
from kpi_stream.domain.readings import NoData, Reading


@dataclass(frozen=True, slots=True)
class MemberPart:
    """One member of a dimension."""

    member: str
    value: float | None
    """In the KPI's unit; None where it has not enough samples."""
    no_data: NoData | None
    numerator: int
    denominator: int
    samples: int
    contribution: float | None
    """What it adds to the gap, in the KPI's unit; None where the KPI has no gap to share out."""


@dataclass(frozen=True, slots=True)
class Breakdown:
    """A KPI by one dimension."""

    dimension: str
    members: tuple[MemberPart, ...]
    """By what they add to the gap, the largest first; else by their samples."""

    @property
    def total(self) -> float | None:
        """Return the contributions added up: the gap. None where there is none."""
        given = [each.contribution for each in self.members if each.contribution is not None]
        return sum(given) if given else None


def edge(judged: Judged | None) -> float | None:
    """Return the value that a gap is counted from, in the KPI's unit; None where there is none.

    Of a band that is the edge that was crossed, and there is none inside.
    """
    if judged is None or judged.reading.value is None:
        return None
    value, against = judged.reading.value, judged.against
    if against.low is None:
        return against.goal
    if value < against.low:
        return against.low
    return against.goal if value > against.goal else None


def breakdown(
    compiled: CompiledKpi, dimension: str, readings: Iterable[Reading], against: float | None
) -> Breakdown:
    """Return a KPI by one dimension.

    Args:
        compiled: The KPI.
        dimension: One of its own.
        readings: Of every member that has counts, over one window.
        against: What the gap is counted from, as `edge` returns it.
    """
    known = {each.key.member: each for each in readings}
    counts = {
        member: Counts(each.numerator, each.denominator, each.samples)
        for member, each in known.items()
    }
    shares = contributions(compiled, counts, against)
    return Breakdown(
        dimension,
        _ranked(
            MemberPart(
                member,
                each.value,
                each.no_data,
                each.numerator,
                each.denominator,
                each.samples,
                shares.get(member),
            )
            for member, each in known.items()
        ),
    )


def crossed_breakdown(
    compiled: CompiledKpi,
    dimension: str,
    sums: Mapping[tuple[str, str], tuple[int, ...]],
    against: float | None,
) -> Breakdown:
    """Return the same from the sums of `RowTotals.crossed`, for a KPI that is no quantile."""
    measure, found = compiled.measure, []
    ratios = {
        member: measure.read(counters)
        for (of, member), counters in sums.items()
        if measure is not None and of == dimension
    }
    counts = {
        member: Counts(each.numerator, each.denominator, each.samples)
        for member, each in ratios.items()
    }
    shares = contributions(compiled, counts, against)
    for member, each in ratios.items():
        few = each.value is None or each.samples < compiled.kpi.minimum_sample
        found.append(
            MemberPart(
                member,
                None if few else each.value,
                NoData.TOO_FEW if few else None,
                each.numerator,
                each.denominator,
                each.samples,
                shares.get(member),
            )
        )
    return Breakdown(dimension, _ranked(found))


def contributions(
    compiled: CompiledKpi, counts: Mapping[str, Counts], against: float | None
) -> dict[str, float]:
    """Return what each member adds to the gap; empty for what is not the mean of its members.

    A quantile and a ratio of two shares are not, and a plan is for all of them together.
    """
    whole = compiled.quantile is not None or plain(compiled)
    if against is None or whole or isinstance(compiled.measure, LiftMeasure | PlanMeasure):
        return {}
    scale = scale_of(compiled)
    found = gaps(parts_of(counts), Fraction(against) / scale)
    return {member: float(each * scale) for member, each in found.items()}


def _ranked(members: Iterable[MemberPart]) -> tuple[MemberPart, ...]:
    return tuple(
        sorted(
            members,
            key=lambda each: (-abs(each.contribution or 0.0), -each.samples, each.member),
        )
    )
