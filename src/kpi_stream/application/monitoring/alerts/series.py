"""The judged series of a strategy as PromQL, and what messages say about them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from kpi_stream.application.display import presentation
from kpi_stream.application.monitoring import conventions as c
from kpi_stream.application.monitoring.alert import Number, Show
from kpi_stream.application.monitoring.promql import select
from kpi_stream.domain.strategy import NATIONAL, Kpi, Strategy, Target, Text, Unit

OFFICE = "office"
HALF_A_DAY_S = 43_200
BY_SERIES = "by (" + ", ".join(c.SERIES) + ")"

LISTENING = f"(min({select(c.CAUGHT_UP)}) * (1 - max({select(c.STALE)})))"
"""1 while the feed speaks about now; 0 while it is silent or history is counted."""


def while_listening(expr: str) -> str:
    """Return a 0/1 expression that is 0 while the feed is stale or history is counted."""
    return f"{expr} * on () group_left () {LISTENING}"


@dataclass(frozen=True)
class Place:
    """All series of a KPI, a window and a dimension: what one rule watches."""

    strategy: Strategy
    kpi: Kpi
    window: str
    dimension: str
    targets: tuple[Target, ...] = ()
    """Those that judge a series here, the nearest deadline first."""

    @property
    def key(self) -> str:
        """Return what tells the places of a strategy apart."""
        return f"{self.kpi.id}-{self.window}-{self.dimension}"

    @property
    def is_band(self) -> bool:
        """Return whether both sides are a miss."""
        return any(target.low is not None for target in self.targets)

    @property
    def by(self) -> str:
        """Return the label in which the series here differ; empty where there is one series."""
        if self.dimension == NATIONAL:
            return ""
        return OFFICE if self.dimension == OFFICE else "member"

    def series(self, family: c.Family, **labels: str) -> str:
        """Return a family's samples here with the labels of a series and no others."""
        return f"max {BY_SERIES} ({self.selector(family, **labels)})"

    def selector(self, family: c.Family, **labels: str) -> str:
        """Return the selector of a family here."""
        return select(
            family, kpi=self.kpi.id, window=self.window, dimension=self.dimension, **labels
        )

    def value(self, families: Mapping[Unit, c.Family], **labels: str) -> str:
        """Return the samples of the family of the KPI's unit."""
        return self.series(families[self.kpi.unit], **labels)

    def labelled(self, expr: str) -> str:
        """Return an expression whose series say their office as `office`, as events do."""
        if self.dimension != OFFICE:
            return expr
        return f'label_replace({expr}, "{OFFICE}", "$1", "member", "(.+)")'

    def labels(self) -> dict[str, str]:
        """Return the constant labels: what is watched, where it belongs, who answers for it."""
        home = next(
            each
            for each in self.strategy.objectives
            if self.kpi.id in {part.kpi for part in each.kpis}
        )
        owners = {target.owner for target in self.targets}
        return {
            "kpi": self.kpi.id,
            "objective": home.id,
            "perspective": home.perspective,
            # One who answers for the target goes before the one who answers for the KPI.
            "owner": owners.pop() if len(owners) == 1 else self.kpi.owner,
            # The series say these as well; two rules of one name must differ in a constant label.
            "window": self.window,
            "dimension": self.dimension,
        }

    def names(self) -> dict[str, Mapping[str, Text]]:
        """Return the names of the members, for the texts."""
        members = {
            member.code: member.name
            for each in self.strategy.dimensions
            if each.id == self.dimension
            for member in each.members
        }
        return {"member": members} if members else {}

    def title(self, language: str) -> str:
        """Return the KPI and the place; unique, since codes and ids are."""
        kpi = self.kpi
        where = {"es": "nacional", "en": "national"}[language]
        if self.dimension != NATIONAL:
            where = self._dimension_name(language)
        return f"{kpi.code or kpi.id} {kpi.name[language]} ({self.window}, {where})"

    def subject(self, language: str) -> str:
        """Return what a message is about: the KPI, and the member where there are several."""
        code = f"{self.kpi.code} " if self.kpi.code else ""
        name = f"{code}{self.kpi.name[language]}"
        if self.dimension == NATIONAL:
            return name
        return f"{name} · {self._dimension_name(language)}: {{$member}}"

    def _dimension_name(self, language: str) -> str:
        return next(d.name[language] for d in self.strategy.dimensions if d.id == self.dimension)

    # Numbers; `number` scales a value to what the KPI's readers see.

    def number(self, name: str, expr: str) -> Number:
        """Return a number in the KPI's unit."""
        divisor, decimals, suffix = presentation(self.kpi)
        if self.kpi.unit is Unit.MONEY:
            suffix = f"{suffix} {self.strategy.currency}"
        scaled = expr if divisor == 1 else f"{expr} / {divisor:g}"
        return Number(name, self.labelled(scaled), decimals, suffix)

    def count(self, name: str, family: c.Family) -> Number:
        """Return a number of subjects or events."""
        return Number(name, self.labelled(self.series(family)), 0)

    def current(self) -> Number:
        """Return the KPI's value now."""
        return self.number("value", self.value(c.KPI_VALUE))

    def deadline(self) -> Number:
        """Return the target's last day.

        The metric is the local midnight that ends it; local noon before that has its date.
        """
        zone = ZoneInfo(self.strategy.calendar.time_zone)
        offset = self.targets[-1].deadline.astimezone(zone).utcoffset()
        offset_s = 0 if offset is None else round(offset.total_seconds())
        expr = self.labelled(f"{self.series(c.TARGET_DEADLINE)} + ({offset_s - HALF_A_DAY_S})")
        return Number("deadline", expr, 0, show=Show.DATE)

    def aims(self) -> tuple[Number, ...]:
        """Return what must be reached at the deadline: `goal`, or `low` and `high` of a band."""
        bounds = {"low": "lower", "high": "upper"} if self.is_band else {"goal": "goal"}
        return tuple(
            self.number(name, self.value(c.KPI_TARGET, bound=bound))
            for name, bound in bounds.items()
        )


def judged_places(strategy: Strategy) -> Iterator[Place]:
    """Yield the places that have a target, in the order of the KPIs."""
    for kpi in strategy.kpis:
        found: dict[tuple[str, str], list[Target]] = {}
        for target in sorted(strategy.targets, key=lambda each: each.deadline):
            if target.kpi == kpi.id:
                found.setdefault((target.window, target.dimension), []).append(target)
        for (window, dimension), targets in found.items():
            yield Place(strategy, kpi, window, dimension, tuple(targets))
