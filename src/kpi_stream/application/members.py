"""The members behind a ratio: their counts, and what each does to it."""

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from kpi_stream.application.explanation import Cost, Explanation
from kpi_stream.domain.catalogue import CompiledKpi
from kpi_stream.domain.decomposition import Effect, Part, effects, gaps
from kpi_stream.domain.measures import AmountMeasure, DurationMeasure
from kpi_stream.domain.status import Expectation
from kpi_stream.domain.strategy import OTHER, Amount, Direction


class Counts(NamedTuple):
    """What is behind a number."""

    numerator: int
    denominator: int
    samples: int


NO_COUNTS = Counts(0, 0, 0)


def rest_added(members: Mapping[str, Counts], kept: frozenset[str]) -> dict[str, Counts]:
    """Return the members that are kept, and all others added up as `other`."""
    found = {member: each for member, each in members.items() if member in kept}
    rest = [each for member, each in members.items() if member not in kept]
    if rest:
        above, below, samples = (sum(column) for column in zip(*rest, strict=True))
        found[OTHER] = Counts(above, below, samples)
    return found


def plain(compiled: CompiledKpi) -> bool:
    """Return whether the KPI is a sum, with nothing below the line."""
    return isinstance(compiled.measure, AmountMeasure)


def scale_of(compiled: CompiledKpi) -> Fraction:
    """Return what makes a ratio of counters the KPI's unit."""
    match compiled.measure:
        case DurationMeasure():
            return Fraction(1, 1000)
        case AmountMeasure() as amount:
            return Fraction(1, amount.scale)
        case _:
            return Fraction(1)


def held_against(found: Explanation, against: Expectation | None) -> tuple[Fraction | None, int]:
    """Return what members are held against, in the KPI's unit, and the sign of what is worse."""
    kpi, value = found.kpi, found.now.value
    if value is None or isinstance(kpi.measure, Amount):
        return None, 0
    if kpi.direction is Direction.BAND:
        if found.of_mean or against is None or against.low is None:
            return None, 0
        if value < against.low:
            return Fraction(against.low), -1
        return (Fraction(against.goal), 1) if value > against.goal else (None, 0)
    worse = -1 if kpi.direction is Direction.UP else 1
    if against is None or found.of_mean:
        return Fraction(found.now.numerator, found.now.denominator) * found.scale, worse
    return Fraction(against.goal), worse


def parts_of(members: Mapping[str, Counts]) -> dict[str, Part]:
    """Return the members as parts of the ratio."""
    return {member: Part(each.numerator, each.denominator) for member, each in members.items()}


def ratio_effects(was: Mapping[str, Counts], new: Mapping[str, Counts]) -> tuple[Effect, ...]:
    """Return how a ratio changed member by member, by mix and by rate."""
    return effects(parts_of(was), parts_of(new))


def sum_effects(was: Mapping[str, Counts], new: Mapping[str, Counts]) -> tuple[Effect, ...]:
    """Return how a sum changed member by member; there is no mix in a sum."""
    parts = {member: (was.get(member), new.get(member)) for member in was.keys() | new.keys()}
    found = []
    for member, pair in sorted(parts.items()):
        before, now = (Part(each.numerator if each else 0, 1) for each in pair)
        found.append(
            Effect(member, before, now, Fraction(0), Fraction(now.numerator - before.numerator))
        )
    return tuple(found)


def costs(
    dimension: str,
    members: Mapping[str, Counts],
    against: Fraction,
    worse: int,
    scale: Fraction,
) -> list[Cost]:
    """Return the members that make the reading worse than what it is held against."""
    found = []
    for member, gap in gaps(parts_of(members), against).items():
        above, below, samples = members[member]
        if gap * worse > 0:
            value = float(Fraction(above, below) * scale) if below else None
            found.append(Cost(dimension, member, gap, value, samples))
    return found
