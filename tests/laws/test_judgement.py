"""What must hold of every judgement; the oracles count in fractions and share no code with it."""

import math
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from kpi_stream.domain.forecast import line
from kpi_stream.domain.hysteresis import Damping, step
from kpi_stream.domain.rollup import Part, mean_credit, worst
from kpi_stream.domain.status import (
    Expectation,
    Status,
    attainment,
    classify,
    credit,
    relative_gap,
)
from kpi_stream.domain.strategy import Direction, Target, TrajectoryKind
from kpi_stream.domain.trajectory import expected

DAY_MS = 86_400_000
START = datetime(2025, 1, 1, tzinfo=UTC)
START_MS = 1_735_689_600_000
RANK = {Status.ON_TRACK: 0, Status.AT_RISK: 1, Status.OFF_TRACK: 2}

values = st.floats(0, 1e9, allow_nan=False)
positive = st.floats(1e-6, 1e9, allow_nan=False)
nearby = st.floats(0.999999, 1.000001)


@st.composite
def targets(draw: st.DrawFn) -> Target:
    """A target of any shape over 10 to 1000 days, with up to four points on its way."""
    shape = draw(st.sampled_from(TrajectoryKind))
    days = draw(st.integers(10, 1000))
    at = sorted(draw(st.sets(st.integers(1, days - 1), max_size=4)))
    points = tuple((START + timedelta(days=day), draw(positive)) for day in at)
    way = shape in (TrajectoryKind.STEP, TrajectoryKind.MILESTONES)
    return Target(
        "t", "k", "30d", draw(positive), START, draw(positive), START + timedelta(days=days),
        shape, points if way else (),
    )  # fmt: skip


@given(targets(), st.integers(-100 * DAY_MS, 1100 * DAY_MS))
def test_a_trajectory_never_leaves_its_points_and_is_flat_outside(
    target: Target, after_ms: int
) -> None:
    """Expected values lie between baseline, points and goal; baseline before, goal after."""
    now = expected(target, START_MS + after_ms)
    assert now is not None
    known = [target.baseline, target.value, *(value for _, value in target.points)]
    assert min(known) <= now <= max(known)
    if after_ms <= 0:
        assert now == target.baseline
    if after_ms >= (target.deadline - START) / timedelta(milliseconds=1):
        assert now == target.value


@given(targets(), st.floats(0, 1))
def test_a_trajectory_is_the_formula(target: Target, share: float) -> None:
    """Linear and geometric ways are those of the formula, counted in another way."""
    length_ms = (target.deadline - START) // timedelta(milliseconds=1)
    after_ms = int(share * length_ms)
    now = expected(target, START_MS + after_ms)
    part = Fraction(after_ms, length_ms)
    if target.trajectory is TrajectoryKind.LINEAR:
        base, goal = Fraction(target.baseline), Fraction(target.value)
        assert math.isclose(now or 0, float(base * (1 - part) + goal * part), rel_tol=1e-9)
    elif target.trajectory is TrajectoryKind.GEOMETRIC:
        logs = math.log(target.baseline) * float(1 - part) + math.log(target.value) * float(part)
        assert math.isclose(now or 0, math.exp(logs), rel_tol=1e-6)


@given(targets())
def test_milestones_are_passed_through(target: Target) -> None:
    """At the time of a point the expected value is that point's."""
    for at, value in target.points:
        at_ms = START_MS + (at - START) // timedelta(milliseconds=1)
        assert expected(target, at_ms) == value


@st.composite
def expectations(draw: st.DrawFn) -> Expectation:
    """Up, down or a band, with tolerances of up to a half."""
    green = draw(st.sampled_from([0.0, 0.02, 0.1]))
    amber = green + draw(st.sampled_from([0.05, 0.1, 0.4]))
    direction = draw(st.sampled_from(Direction))
    goal = draw(positive)
    if direction is Direction.BAND:
        low = goal * draw(st.floats(0.01, 0.9))
        reach = (goal - low) / (goal + low) / 2
        return Expectation(direction, goal, low, green, amber, reach)
    headroom = 1.0 if direction is Direction.DOWN else draw(st.sampled_from([None, 0.0, 0.3]))
    return Expectation(direction, goal, None, green, amber, headroom)


def met(value: float, against: Expectation) -> bool:
    """Return whether a value is as expected, by comparing and nothing else."""
    if against.low is not None:
        return against.low <= value <= against.goal
    return value <= against.goal if against.direction is Direction.DOWN else value >= against.goal


@given(expectations(), st.one_of(values.map(lambda far: (0, far)), nearby.map(lambda n: (n, 0))))
def test_met_is_an_attainment_of_at_least_one(
    against: Expectation, chosen: tuple[float, float]
) -> None:
    """A value meets its expectation if and only if its attainment, never rounded, is >= 1."""
    value = against.goal * chosen[0] + chosen[1]
    share = attainment(value, against)
    if share is None:
        assert value == 0
        return
    assert (share >= 1) is met(value, against)


@given(expectations())
def test_the_closest_miss_is_a_miss(against: Expectation) -> None:
    """One bit beside the goal is not met, and its attainment is below 1."""
    up = against.direction is Direction.UP
    value = math.nextafter(against.goal, -math.inf if up else math.inf)
    share = attainment(value, against)
    assert share is not None
    assert share < 1
    assert relative_gap(value, against) < 0
    if against.green == 0:
        assert classify(value, against) is not Status.ON_TRACK


@given(expectations(), values)
def test_credit_is_a_share(against: Expectation, value: float) -> None:
    """Credit is within 0..1, and 1 exactly for what is met."""
    share = credit(value, against)
    assert 0 <= share <= 1
    assert (share == 1) is met(value, against)


def miss(value: float, against: Expectation) -> Fraction:
    """Return by which share of the goal, or of the nearest edge, a value misses, at least 0."""
    v, goal = Fraction(value), Fraction(against.goal)
    if against.low is not None:
        low = Fraction(against.low)
        return max(Fraction(0), (low - v) / low, (v - goal) / goal)
    return max(Fraction(0), (v - goal if against.direction is Direction.DOWN else goal - v) / goal)


@given(expectations(), values)
def test_the_status_is_how_far_a_value_misses(against: Expectation, value: float) -> None:
    """Within green: on track; within amber: at risk; else off track."""
    share = miss(value, against)
    green, amber = Fraction(against.green), Fraction(against.amber)
    assume(all(abs(share - edge) > Fraction(1, 10**12) for edge in (green, amber) if edge))
    wanted = (
        Status.ON_TRACK
        if share <= green
        else Status.AT_RISK
        if share <= amber
        else Status.OFF_TRACK
    )
    assert classify(value, against) is wanted
    assert classify(None, against) is Status.NO_DATA


readings = st.one_of(st.none(), st.floats(0, 2, allow_nan=False))
dampings = st.builds(Damping, st.integers(1, 5), st.sampled_from([0.0, 0.01, 0.05]))


@given(expectations(), st.lists(readings, max_size=8), readings, dampings)
def test_a_constant_never_flaps(
    against: Expectation, before: list[float | None], then: float | None, damping: Damping
) -> None:
    """Whatever came before, a constant changes the status at most once, and within N."""
    state = step(None, None, against, 0, damping=damping)
    for at, each in enumerate(before, 1):
        state = step(state, _scaled(each, against), against, at, damping=damping)
    started = state.sequence
    sequences = []
    for at in range(100, 100 + 3 * damping.hold + 5):
        state = step(state, _scaled(then, against), against, at, damping=damping)
        sequences.append(state.sequence)
    assert sequences[-1] <= started + 1
    assert sequences[damping.hold - 1] == sequences[-1]


@given(expectations(), st.lists(readings, min_size=1, max_size=40), dampings)
def test_a_change_needs_n_readings_that_ask_for_it(
    against: Expectation, series: list[float | None], damping: Damping
) -> None:
    """Before each change, N readings in a row lay on the new status's side of the threshold."""
    state = None
    recent: list[float | None] = []
    for at, each in enumerate(series):
        value = _scaled(each, against)
        recent.append(value)
        before, state = state, step(state, value, against, at, damping=damping)
        if before is None or state.sequence == before.sequence:
            assert before is None or state.status is before.status
            continue
        assert state.sequence == before.sequence + 1
        assert state.status is not before.status
        assert state.since_ms == at
        held = recent[-damping.hold :]
        assert len(held) == damping.hold
        for one in held:
            exact = classify(one, against)  # itself held against an oracle above
            if state.status is Status.NO_DATA or before.status is Status.NO_DATA:
                assert exact is state.status
            elif RANK[state.status] > RANK[before.status]:
                assert RANK[exact] >= RANK[state.status]
            else:
                assert RANK[exact] <= RANK[state.status]


@given(st.sampled_from([Direction.UP, Direction.DOWN]), st.lists(st.floats(-0.9, 0.9), max_size=30))
def test_a_value_that_trembles_within_the_margin_changes_nothing(
    direction: Direction, trembles: list[float]
) -> None:
    """Around a threshold, by less than the margin, the first status stays."""
    against = Expectation(direction, 100.0, None, 0.1, 0.3, 1.0)
    edge = 90.0 if direction is Direction.UP else 110.0
    state = None
    for at, share in enumerate([0.5, *trembles]):
        state = step(state, edge + share, against, at, damping=Damping(1, 0.01))
    assert state is not None
    assert state.sequence == 0


@given(st.sampled_from([0.0, 0.5, 1.0]), dampings)
def test_what_is_as_good_as_it_can_be_comes_back_on_track(goal: float, damping: Damping) -> None:
    """A share that should be all comes back at 1, a duration that should be nothing at 0."""
    up = Expectation(Direction.UP, 1.0, None, 0.0, 0.1, 0.0)
    down = Expectation(Direction.DOWN, goal, None, 0.0, 0.1, goal and 1.0)
    for against, worst_value, best_value in ((up, 0.0, 1.0), (down, 5.0, 0.0)):
        state = step(None, worst_value, against, 0, damping=damping)
        assert state.status is Status.OFF_TRACK
        for at in range(1, damping.hold + 1):
            state = step(state, best_value, against, at, damping=damping)
        assert state.status is Status.ON_TRACK


def _scaled(value: float | None, against: Expectation) -> float | None:
    return None if value is None else value * against.goal


parts = st.builds(
    Part,
    st.floats(0.01, 1),
    st.one_of(st.none(), st.floats(0, 1)),
    st.sampled_from(Status),
)


@given(st.lists(parts, max_size=6))
def test_a_roll_up_lies_between_its_parts(several: list[Part]) -> None:
    """The mean lies between the smallest and the largest, and is the exact one but for rounding."""
    mean = mean_credit(several)
    known = [(Fraction(p.weight), Fraction(p.credit)) for p in several if p.credit is not None]
    if not known:
        assert mean is None
        return
    assert mean is not None
    assert min(c for _, c in known) <= Fraction(mean) <= max(c for _, c in known)
    exact = sum(w * c for w, c in known) / sum(w for w, _ in known)
    assert math.isclose(mean, float(exact), rel_tol=1e-9, abs_tol=1e-12)


@given(st.lists(st.sampled_from(Status), max_size=6))
def test_a_roll_up_is_as_bad_as_its_worst_part(statuses: list[Status]) -> None:
    """Off track if any is, else at risk if any is, else on track if any is, else no data."""
    for status in (Status.OFF_TRACK, Status.AT_RISK, Status.ON_TRACK):
        if status in statuses:
            assert worst(statuses) is status
            return
    assert worst(statuses) is Status.NO_DATA


@given(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=28))
def test_the_line_is_numpys(series: list[float]) -> None:
    """Value at the end and slope are those of another least-squares implementation."""
    points = [(START_MS + day * DAY_MS, value) for day, value in enumerate(series)]
    fitted = line(points)
    assert fitted is not None
    slope, start = np.polyfit(range(len(series)), series, 1).tolist()
    scale = 1 + max(map(abs, series))
    assert math.isclose(fitted[1], slope, rel_tol=1e-6, abs_tol=1e-9 * scale)
    end = start + slope * (len(series) - 1)
    assert math.isclose(fitted[0], end, rel_tol=1e-6, abs_tol=1e-9 * scale)
