"""What is done about the objectives, and what others have reached.

Texts are by language code, as everywhere in the strategy.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class Action:
    """A step of an initiative with one responsible person and a due date."""

    name: Mapping[str, str]
    responsible: str
    due: date
    done: date | None = None


@dataclass(frozen=True, slots=True)
class Initiative:
    """A funded piece of work that serves objectives."""

    id: str
    name: Mapping[str, str]
    owner: str
    start: date
    end: date
    budget_cents: int
    spent_cents: int
    progress: float
    """Share done, 0..1."""
    objectives: tuple[str, ...]
    actions: tuple[Action, ...] = ()
    source: str = ""
    assumption: bool = False


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A published figure of another administration beside a KPI."""

    id: str
    kpi: str
    who: str
    value: float
    """In the KPI's unit."""
    period: str
    source: str
    note: Mapping[str, str] = field(default_factory=dict)
