"""The models of the strategy: everything that does not change between two evaluations."""

from kpi_stream.adapters.web.api import base as b
from kpi_stream.domain.strategy import Direction, Holder, Unit


class Named(b.Model):
    """Something with a name."""

    id: str
    name: b.Words


class MemberName(b.Model):
    """A declared value of a dimension."""

    code: str
    name: b.Words


class DimensionOf(Named):
    """A way to break a KPI down."""

    members: list[MemberName]
    """Empty where the values are not declared."""


class Weighted(b.Model):
    """A KPI's part in an objective."""

    kpi: str
    weight: float


class ObjectiveOf(Named):
    """A box of the map."""

    code: str
    statement: b.Words
    perspective: str
    owner: str
    causes: list[str]
    """What it leads to."""
    kpis: list[Weighted]


class Shown(b.Model):
    """How a reader sees a KPI's values."""

    divisor: float
    decimals: int
    suffix: str


class KpiOf(Named):
    """A KPI as it is defined."""

    code: str
    question: b.Words
    unit: Unit
    display: str
    shown: Shown
    direction: Direction
    windows: list[str]
    dimensions: list[str]
    minimum_sample: int
    owner: str
    source: str
    formula: b.Words
    measured: bool


class TargetOf(b.Goal):
    """A target and what it is for."""

    kpi: str
    window: str
    dimension: str
    members: list[str]
    """`*` is each of them."""
    trajectory: str


class ActionOf(b.Model):
    """A step of an initiative."""

    name: b.Words
    responsible: str
    due: b.Day
    done: b.Day | None


class InitiativeOf(Named):
    """A funded piece of work."""

    owner: str
    start: b.Day
    end: b.Day
    objectives: list[str]
    progress: b.Share
    budget: float
    """In major units of the strategy's currency."""
    spent: float
    actions: list[ActionOf]
    source: str
    assumption: bool


class BenchmarkOf(b.Model):
    """A published figure of another administration."""

    id: str
    kpi: str
    who: str
    value: float
    period: str
    source: str


class StageOf(Named):
    """A stretch of the way."""

    holder: Holder
    inside: bool
    """Whether it lies on the way; what comes after it adds nothing to the whole."""


class WayOf(b.Model):
    """How a subject gets from one milestone to another."""

    stages: list[StageOf]
    windows: list[str]
    dimensions: list[str]


class WorklistOf(b.Model):
    """What is late against a limit."""

    id: str
    kpi: str
    limit_s: b.Seconds
    close: b.Share


class Area(b.Model):
    """A rectangle, in percent of the map's width and height."""

    left: float
    top: float
    right: float
    bottom: float


class LinesOf(b.Model):
    """A text in lines that fit."""

    es: list[str]
    en: list[str]


class MapBand(b.Model):
    """A perspective on the map."""

    perspective: str
    rect: Area
    label: Area
    lines: LinesOf


class MapBox(b.Model):
    """An objective on the map."""

    objective: str
    rect: Area
    stripe: Area
    name: Area
    status: Area
    attainment: Area
    worst: Area
    value: Area
    lines: LinesOf


class MapArrow(b.Model):
    """Cause and effect."""

    cause: str
    effect: str
    points: list[tuple[float, float]]
    """In percent, from the edge of the cause to that of the effect."""


class MapOf(b.Model):
    """Where the boxes and arrows lie; the same as in Grafana."""

    width_px: float
    """The least width at which the texts fit."""
    height_px: float
    bands: list[MapBand]
    boxes: list[MapBox]
    arrows: list[MapArrow]


class StrategyAnswer(Named):
    """What was decided."""

    vision: b.Words
    language: str
    currency: str
    time_zone: str
    version: str
    """Another text where anything of the strategy is another."""
    perspectives: list[Named]
    objectives: list[ObjectiveOf]
    kpis: list[KpiOf]
    targets: list[TargetOf]
    dimensions: list[DimensionOf]
    initiatives: list[InitiativeOf]
    benchmarks: list[BenchmarkOf]
    holders: list[Named]
    way: WayOf | None
    worklists: list[WorklistOf]
    map: MapOf
