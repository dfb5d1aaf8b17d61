"""Why a ratio moved: what its parts' weights did to it, and what their own ratios did.

A ratio over everything is the weighted mean of its members' ratios, weighted by their share of the
denominator. Bennet's symmetric decomposition (T. L. Bennet, "The theory of measurement of changes
in cost of living", Journal of the Royal Statistical Society 83, 1920) takes each weight and each
ratio at the middle of both times, so that nothing is left over: with fractions the effects add up
to the change exactly, and swapping the two times changes the sign and nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple


class Part(NamedTuple):
    """A member's share of a ratio, as counters."""

    numerator: int
    denominator: int


@dataclass(frozen=True, slots=True)
class Effect:
    """What one member did to the whole between two times."""

    member: str
    before: Part
    now: Part
    mix: Fraction
    """Through its weight: more or fewer of those that are better or worse than the mean."""
    rate: Fraction
    """Through its own ratio."""

    @property
    def total(self) -> Fraction:
        """Return both effects together."""
        return self.mix + self.rate


def effects(before: Mapping[str, Part], now: Mapping[str, Part]) -> tuple[Effect, ...]:
    """Return what each member did to the ratio of the whole.

    The totals add up to the ratio now minus the ratio before. A member that one of the two times
    does not know acts through its weight alone. What stands above the line with nothing of the
    same member below it (findings of an office that collected nothing) has no ratio; its coming
    and going is part of the rate.

    Args:
        before: The parts by member; their denominators are not negative and have a sum above 0.
        now: The same, later.

    Raises:
        ValueError: One of the two has nothing to divide by.

    Example:
        >>> found = effects({"sea": Part(10, 10)}, {"sea": Part(10, 10), "air": Part(0, 10)})
        >>> [(each.member, str(each.mix), str(each.rate)) for each in found]
        [('air', '-3/8', '0'), ('sea', '-1/8', '0')]
    """
    whole_before, whole_now = whole(before), whole(now)
    if whole_before is None or whole_now is None:
        msg = "nothing to divide by; there is no ratio to explain"
        raise ValueError(msg)
    middle = (whole_before + whole_now) / 2
    below_before = sum(part.denominator for part in before.values())
    below_now = sum(part.denominator for part in now.values())
    found = []
    for member in sorted(before.keys() | now.keys()):
        was, new = before.get(member, _NONE), now.get(member, _NONE)
        weight_was = Fraction(was.denominator, below_before)
        weight_new = Fraction(new.denominator, below_now)
        total = (
            Fraction(new.numerator, below_now)
            - Fraction(was.numerator, below_before)
            - (weight_new - weight_was) * middle
        )
        mix = (weight_new - weight_was) * (_ratio_between(was, new) - middle)
        found.append(Effect(member, was, new, mix, total - mix))
    return tuple(found)


def gaps(parts: Mapping[str, Part], against: Fraction) -> dict[str, Fraction]:
    """Return what each member adds to the distance of the whole ratio from a value.

    Args:
        parts: The parts by member.
        against: For example what is expected today, as the ratio of the counters.

    Example:
        >>> found = gaps({"sea": Part(9, 10), "air": Part(1, 10)}, Fraction(3, 4))
        >>> {member: str(gap) for member, gap in found.items()}
        {'sea': '3/40', 'air': '-13/40'}
    """
    below = sum(part.denominator for part in parts.values())
    if below == 0:
        return {}
    return {
        member: (part.numerator - against * part.denominator) / below
        for member, part in parts.items()
    }


def whole(parts: Mapping[str, Part]) -> Fraction | None:
    """Return the ratio of everything; None where there is nothing to divide by."""
    below = sum(part.denominator for part in parts.values())
    return Fraction(sum(part.numerator for part in parts.values()), below) if below else None


_NONE = Part(0, 0)


def _ratio_between(was: Part, new: Part) -> Fraction:
    """Return the mean of a member's ratios at both times, of those that there are.

    Where both are known the rest of the member's effect is Bennet's: the change of its ratio times
    the mean of its weights.
    """
    known = [Fraction(*each) for each in (was, new) if each.denominator]
    return sum(known, Fraction(0)) / len(known) if known else Fraction(0)
