"""The series behind a KPI's alert, and how their numbers are read.

A reader of hours sees 27 where the series says 97200. The factors and endings stand here once more,
so that a wrong one in the rules' texts is noticed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

from kpi_stream.adapters.prometheus.rule_tests.writing import Part, over, scraped
from kpi_stream.application.monitoring import conventions as c
from kpi_stream.application.monitoring.alert import Alert
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.domain.strategy import Kpi, Strategy, Target, Unit

Inputs: TypeAlias = dict[str, str]

FOREVER = 3000
"""Minutes; longer than every case."""
SAMPLES, OLD, OPEN = 412, 54, 200
BYSTANDER = 1
"""What every number of another member of the same dimension reads."""

_ENDINGS = {
    "h": (3600, ".0 h"),
    "min": (60, " min"),
    "d": (86_400, ".0 d"),
    "M": (1_000_000, ".0 M"),
    "%": (0.01, ".0 %"),
    "x": (1, ".00 \N{MULTIPLICATION SIGN}"),
}
_STATUSES = ("on_track", "at_risk", "off_track", "no_data")
_VERDICTS = ("already_met", "on_pace", "off_pace")


@dataclass(frozen=True)
class Watched:
    """One series of an alert of a KPI."""

    strategy: Strategy
    kpi: Kpi
    window: str
    dimension: str
    member: str
    step: int
    """Minutes between two samples."""

    @property
    def key(self) -> dict[str, str]:
        """Return the labels of the series."""
        return {
            "kpi": self.kpi.id,
            "window": self.window,
            "dimension": self.dimension,
            "member": self.member,
        }

    @property
    def own(self) -> dict[str, str]:
        """Return the labels of an alert about it: an office is called by its name."""
        return {**self.key, "office": self.member if self.dimension == "office" else ""}

    @property
    def targets(self) -> list[Target]:
        """Return its targets, the nearest deadline first."""
        place = (self.kpi.id, self.window, self.dimension)
        found = [t for t in self.strategy.targets if (t.kpi, t.window, t.dimension) == place]
        return sorted(found, key=lambda each: each.deadline)

    def number(self, families: Mapping[Unit, c.Family], *parts: Part, **labels: str) -> Inputs:
        """Return samples of a family of the KPI's unit; the parts are what a reader sees."""
        scale = self._ending[0]
        scaled = [(None if shown is None else shown * scale, minutes) for shown, minutes in parts]
        return {scraped(families[self.kpi.unit], **self.key, **labels): self.over(*scaled)}

    def count(self, family: c.Family, value: float) -> Inputs:
        """Return constant samples of another family."""
        return {scraped(family, **self.key): self.over((value, FOREVER))}

    def status(self, *parts: tuple[str | None, int]) -> Inputs:
        """Return the state set of the status, by status and minutes."""
        return self._states(c.KPI_STATUS, "status", _STATUSES, *parts)

    def verdict(self, *parts: tuple[str | None, int]) -> Inputs:
        """Return the state set of the forecast's verdict."""
        return self._states(c.KPI_FORECAST_VERDICT, "verdict", _VERDICTS, *parts)

    def deadline(self) -> Inputs:
        """Return the end of the last target's last day."""
        targets = self.targets
        return self.count(c.TARGET_DEADLINE, targets[-1].deadline.timestamp()) if targets else {}

    def deadline_read(self, language: str) -> str:
        """Return the target's last day as people write it."""
        zone = ZoneInfo(self.strategy.calendar.time_zone)
        day = self.targets[-1].deadline.astimezone(zone).date() - timedelta(days=1)
        return f"{day:%d/%m/%Y}" if language == "es" else day.isoformat()

    def read(self, shown: float) -> str:
        """Return a whole number as people read it, in English."""
        text = f"{shown:.0f}{self._ending[1]}"
        return f"{text} {self.strategy.currency}" if self.kpi.unit is Unit.MONEY else text

    def over(self, *parts: Part) -> str:
        """Return values at the pace of the case."""
        return over(*parts, step=self.step)

    @property
    def _ending(self) -> tuple[float, str]:
        plain = ".00" if self.kpi.unit is Unit.RATIO else ""
        return _ENDINGS.get(self.kpi.display, (1, plain))

    def _states(
        self, family: c.Family, label: str, states: tuple[str, ...], *parts: tuple[str | None, int]
    ) -> Inputs:
        return {
            scraped(family, **self.key, **{label: state}): self.over(
                *((None if now is None else int(now == state), each) for now, each in parts)
            )
            for state in states
        }


def watched(edition: Edition, alert: Alert, step: int) -> tuple[Watched, ...]:
    """Return the series that an alert is tried on: one, or two members of a dimension.

    Only the first is ever in a bad way; the other must not be mixed up with it.
    """
    strategy = edition.strategy
    kpi = next(each for each in strategy.kpis if each.id == alert.labels["kpi"])
    dimension = alert.labels["dimension"]
    codes = ("",) if dimension == "national" else _members(strategy, dimension)
    window = alert.labels["window"]
    return tuple(Watched(strategy, kpi, window, dimension, code, step) for code in codes)


def _members(strategy: Strategy, dimension: str) -> tuple[str, str]:
    declared = next(each.members for each in strategy.dimensions if each.id == dimension)
    first, second, *_ = (*(each.code for each in declared), "first", "second")
    return first, second


def listening(step: int, stale: tuple[Part, ...] = (), caught_up: int = 1) -> Inputs:
    """Return the state of the feed; without anything else it speaks about now."""
    return {
        scraped(c.STALE): over(*(stale or ((0, FOREVER),)), step=step),
        scraped(c.CAUGHT_UP): over((caught_up, FOREVER), step=step),
    }
