"""Holds every reading that has a target against it, and remembers how each one stood."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kpi_stream.domain.catalogue import canonical
from kpi_stream.domain.forecast import Forecast, Point
from kpi_stream.domain.hysteresis import Damping, StatusState, step
from kpi_stream.domain.readings import NoData, Reading, SeriesKey
from kpi_stream.domain.status import Expectation, Status, attainment, credit, expectation, progress
from kpi_stream.domain.strategy import OTHER, UNKNOWN, Kpi, Strategy, Target
from kpi_stream.domain.trajectory import expected, to_ms

EACH = "*"
"""In a target's members: every member of the dimension that has data."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One reading and what it means for its target."""

    key: SeriesKey
    kpi: Kpi
    target: Target
    reading: Reading
    against: Expectation
    expected: float | None
    """The trajectory's value now, in the KPI's unit; None for a band."""
    state: StatusState
    attainment: float | None
    """Share of today's expectation; 1 is exactly met. None without data or where undefined."""
    credit: float | None
    """The same within 0..1 for adding up; None without data only."""
    progress: float | None
    """Share of the way from baseline to goal; None without data or without a way."""
    forecast: Forecast | None = None
    history: tuple[Point, ...] = ()
    """One reading a local day, oldest first."""

    @property
    def status(self) -> Status:
        """Return the status after hysteresis."""
        return self.state.status


@dataclass(frozen=True, slots=True)
class Transition:
    """A status that changed, with what it rested on."""

    key: SeriesKey
    sequence: int
    """1 for the first change of the series, then one more each time."""
    before: Status
    after: Status
    as_of_ms: int
    value: float | None
    expected: float | None
    goal: float
    """What the KPI must be at the deadline; a band's upper edge."""
    low: float | None
    samples: int
    no_data: NoData | None
    target: str
    """Id of the target."""
    version: int
    digest: str
    """Digest of the target, as in `StatusState.target`."""


def target_digest(kpi: Kpi, target: Target) -> str:
    """Return a text that changes when the target is decided anew, and not with its wording."""
    decided = (
        (target.id, target.version, kpi.direction.value, target.trajectory.value),
        (to_ms(target.baseline_at), target.baseline, to_ms(target.deadline), target.value),
        (target.low, target.green_tolerance, target.amber_tolerance),
        tuple((to_ms(at), value) for at, value in target.points),
    )
    return hashlib.sha256(canonical(decided).encode()).hexdigest()[:12]


class Judge:
    """The targets of one strategy, and the status of every series that they judge.

    Where several targets cover a series, one that names the member goes before one for each
    member; of those, the one with the nearest deadline that has not passed.

    Args:
        strategy: Where the targets and the declared members come from.
        damping: How reluctant statuses are to change.
        states: What was remembered before a restart or a change of the strategy.
    """

    def __init__(
        self,
        strategy: Strategy,
        damping: Damping,
        states: Mapping[SeriesKey, StatusState] | None = None,
    ) -> None:
        self._damping = damping
        self._kpis = {kpi.id: kpi for kpi in strategy.kpis}
        self._declared = {
            dimension.id: frozenset(member.code for member in dimension.members)
            for dimension in strategy.dimensions
        }
        self._digests = {
            target.id: target_digest(self._kpis[target.kpi], target) for target in strategy.targets
        }
        self._named: dict[SeriesKey, list[Target]] = {}
        self._each: dict[tuple[str, str, str], list[Target]] = {}
        for target in sorted(strategy.targets, key=lambda each: each.deadline):
            place = (target.kpi, target.window, target.dimension)
            for member in target.members:
                if member == EACH:
                    self._each.setdefault(place, []).append(target)
                else:
                    self._named.setdefault(SeriesKey(*place, member), []).append(target)
        self.states: dict[SeriesKey, StatusState] = {
            key: state for key, state in (states or {}).items() if self._targets(key)
        }

    def judge(
        self, readings: Mapping[SeriesKey, Reading], as_of_ms: int, *, hold: bool = False
    ) -> tuple[tuple[Judged, ...], tuple[Transition, ...]]:
        """Return every judged series and the statuses that changed; remembers the new ones.

        A member without data is judged once it had some: it then has no data, it does not vanish.

        Args:
            readings: By series.
            as_of_ms: Their instant.
            hold: Let each status be what it was: an evaluation between two that count.
        """
        keys = dict.fromkeys(self._named)
        keys.update(dict.fromkeys(sorted(self._with_data(readings))))
        keys.update(dict.fromkeys(sorted(self.states)))
        judged = tuple(self._one(key, readings.get(key), as_of_ms, hold=hold) for key in keys)
        changed = tuple(
            self._transition(each, before, as_of_ms)
            for each in judged
            if (before := self.states.get(each.key)) is not None
            and before.sequence != each.state.sequence
        )
        self.states = {each.key: each.state for each in judged}
        return judged, changed

    def _targets(self, key: SeriesKey) -> list[Target]:
        named = self._named.get(key)
        if named is not None:
            return named
        each = self._each.get((key.kpi, key.window, key.dimension))
        return each if each is not None and self._is_declared(key) else []

    def _is_declared(self, key: SeriesKey) -> bool:
        declared = self._declared.get(key.dimension)
        # A dimension with a cap declares no members: each of them is one, but not the surplus.
        return key.member in declared if declared else key.member not in (OTHER, UNKNOWN)

    def _with_data(self, readings: Mapping[SeriesKey, Reading]) -> Iterable[SeriesKey]:
        each, named = self._each, self._named
        for key in readings:
            if (key[0], key[1], key[2]) in each and key not in named and self._is_declared(key):
                yield key

    def _one(self, key: SeriesKey, reading: Reading | None, as_of_ms: int, *, hold: bool) -> Judged:
        targets = self._targets(key)
        target = next((each for each in targets if to_ms(each.deadline) > as_of_ms), targets[-1])
        kpi = self._kpis[key.kpi]
        if reading is None:
            reading = Reading(key, None, 0, 0, 0, NoData.TOO_FEW)
        against = expectation(kpi, target, as_of_ms)
        value = reading.value
        state, digest = self.states.get(key), self._digests[target.id]
        if not hold or state is None or state.target != digest:
            state = step(state, value, against, as_of_ms, digest, self._damping)
        return Judged(
            key,
            kpi,
            target,
            reading,
            against,
            expected(target, as_of_ms),
            state,
            None if value is None else attainment(value, against),
            None if value is None else credit(value, against),
            None if value is None else progress(value, target),
        )

    @staticmethod
    def _transition(judged: Judged, before: StatusState, as_of_ms: int) -> Transition:
        reading, target = judged.reading, judged.target
        return Transition(
            judged.key,
            judged.state.sequence,
            before.status,
            judged.status,
            as_of_ms,
            reading.value,
            judged.expected,
            target.value,
            target.low,
            reading.samples,
            reading.no_data,
            target.id,
            target.version,
            judged.state.target,
        )
