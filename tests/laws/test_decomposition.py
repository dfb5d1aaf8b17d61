"""What must hold of every split of a ratio, counted once more in another way."""

from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kpi_stream.domain.decomposition import Part, effects, gaps

_MEMBERS = st.sampled_from("abcdef")
_PARTS = st.builds(Part, st.integers(0, 10**12), st.sampled_from([0, 0, 1, 2, 7, 10**9]))
sets = st.dictionaries(_MEMBERS, _PARTS, max_size=6)


def ratio(parts: dict[str, Part]) -> Fraction:
    """Return all that is above by all that is below the line; there must be something below."""
    below = sum(each.denominator for each in parts.values())
    assume(below)
    return Fraction(sum(each.numerator for each in parts.values()), below)


@given(sets, sets)
def test_the_effects_add_up_to_the_change(before: dict[str, Part], now: dict[str, Part]):
    """Exactly, also with members of one time only, and with nothing below a member's line."""
    change = ratio(now) - ratio(before)
    assert sum(each.mix + each.rate for each in effects(before, now)) == change


@given(sets, sets)
def test_swapping_the_times_flips_the_signs(before: dict[str, Part], now: dict[str, Part]):
    """Nothing else changes."""
    ratio(before), ratio(now)
    there = {each.member: (each.mix, each.rate) for each in effects(before, now)}
    back = {each.member: (-each.mix, -each.rate) for each in effects(now, before)}
    assert there == back


@given(sets, st.integers(1, 1000))
def test_more_of_the_same_moves_nothing(parts: dict[str, Part], times: int):
    """Where every member grows alike there is neither mix nor rate."""
    ratio(parts)
    more = {member: Part(above * times, below * times) for member, (above, below) in parts.items()}
    assert {(each.mix, each.rate) for each in effects(parts, more)} == {(0, 0)}


@given(sets, sets)
def test_it_is_the_formula_where_every_ratio_is_known(
    before: dict[str, Part], now: dict[str, Part]
):
    """Bennet's: each change times the other factor at the middle of both times."""
    both = [name for name in before.keys() & now.keys() if before[name][1] > 0 and now[name][1] > 0]
    before, now = ({name: parts[name] for name in both} for parts in (before, now))
    whole = (ratio(before) + ratio(now)) / 2
    for each in effects(before, now):
        (a0, b0), (a1, b1) = before[each.member], now[each.member]
        w0 = Fraction(b0, sum(part[1] for part in before.values()))
        w1 = Fraction(b1, sum(part[1] for part in now.values()))
        r0, r1 = Fraction(a0, b0), Fraction(a1, b1)
        assert each.mix == (w1 - w0) * ((r0 + r1) / 2 - whole)
        assert each.rate == (r1 - r0) * (w0 + w1) / 2


@given(sets, st.integers(0, 10**6))
def test_a_member_of_one_time_acts_through_its_weight(parts: dict[str, Part], above: int):
    """Its own ratio did not move: there was none."""
    ratio(parts)
    (found,) = [e for e in effects(parts, {**parts, "z": Part(above, 3)}) if e.member == "z"]
    assert found.rate == 0
    assert (found.mix > 0) is (
        Fraction(above, 3) > (ratio(parts) + ratio({**parts, "z": Part(above, 3)})) / 2
    )


@given(sets, st.fractions(0, 100))
def test_the_gaps_add_up_to_the_gap_of_the_whole(parts: dict[str, Part], against: Fraction):
    """Exactly, whatever the whole is held against."""
    gap = ratio(parts) - against
    assert sum(gaps(parts, against).values()) == gap


def test_without_anything_below_the_line_there_is_nothing_to_explain():
    """Neither now nor before."""
    for before, now in (({}, {"a": Part(1, 1)}), ({"a": Part(1, 1)}, {"a": Part(5, 0)})):
        with pytest.raises(ValueError, match="nothing to divide by"):
            effects(before, now)
    assert gaps({"a": Part(5, 0)}, Fraction(1)) == {}
