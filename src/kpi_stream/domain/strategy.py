"""The strategy as the rest of the code sees it: plain, validated, immutable.

`adapters/strategy_files` builds these from YAML and reports every problem at once; nothing here
checks again. Times are aware, amounts are integer cents, limits are integer milliseconds, ratios
are 0..1 and never percent. Texts are `{"es": ..., "en": ...}`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TypeAlias

from kpi_stream.domain.initiatives import Benchmark, Initiative

Text: TypeAlias = Mapping[str, str]
"""A text by language code; `es` and `en` are always there."""

NATIONAL = "national"
"""The dimension of the reading over everything; its only member is the empty string."""

OTHER = "other"
"""The member that takes the values outside a dimension's declared set or cap."""

UNKNOWN = "unknown"
"""The member of a subject whose attribute is not known (yet)."""


class Unit(StrEnum):
    """The unit of a KPI's value, as published."""

    SECONDS = "seconds"
    RATIO = "ratio"
    MONEY = "money"
    """Major units of the strategy's currency."""
    COUNT = "count"


class Direction(StrEnum):
    """Which way is better."""

    UP = "up"
    DOWN = "down"
    BAND = "band"
    """Inside [low, high] is right; both sides are a miss."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A test of one attribute of a subject.

    The attribute is `milestone.field`, `office`, `channel` (the current one) or
    `has.milestone` (True where the milestone was reached). A missing attribute fails every test
    but a negated one.
    """

    attribute: str
    any_of: frozenset[str | int | bool] | None = None
    at_least: int | None = None
    negate: bool = False


@dataclass(frozen=True, slots=True)
class Duration:
    """Time from `start` (the latest of several) to `end`: mean or a quantile."""

    start: tuple[str, ...]
    end: str
    start_if_present: tuple[str, ...] = ()
    where: tuple[Condition, ...] = ()
    statistic: str = "mean"
    """`mean`, or a quantile such as `p50`, `p90`."""
    kind = "duration"


@dataclass(frozen=True, slots=True)
class Within:
    """Share that reached `end` (any of) within `limit_ms` of `start`, of all that are due."""

    start: tuple[str, ...]
    end: tuple[str, ...]
    limit_ms: int
    start_if_present: tuple[str, ...] = ()
    where: tuple[Condition, ...] = ()
    kind = "within"


@dataclass(frozen=True, slots=True)
class SameDay:
    """Share whose first of `decisions` fell on the local day of `opened`."""

    opened: str
    decisions: tuple[str, ...]
    where: tuple[Condition, ...] = ()
    kind = "same_day"


@dataclass(frozen=True, slots=True)
class Share:
    """Share of the events `of` (that satisfy `where`) that satisfy `part` as well."""

    of: str
    part: tuple[Condition, ...]
    where: tuple[Condition, ...] = ()
    kind = "share"


@dataclass(frozen=True, slots=True)
class Amount:
    """Sum of a field (integer cents, or a plain count such as grams) over the events `of`."""

    of: str
    field: str
    where: tuple[Condition, ...] = ()
    kind = "amount"


@dataclass(frozen=True, slots=True)
class AmountShare:
    """One sum divided by another; each event counts at its own time."""

    part: Amount
    whole: Amount
    kind = "amount_share"


@dataclass(frozen=True, slots=True)
class Stock:
    """Open subjects older than a limit, of all that are open, now."""

    opened: str
    closed: tuple[str, ...]
    older_than_ms: int
    where: tuple[Condition, ...] = ()
    kind = "stock"


@dataclass(frozen=True, slots=True)
class Lift:
    """Share of `part` within `group`, divided by the share of `part` within `against`."""

    of: str
    part: tuple[Condition, ...]
    group: tuple[Condition, ...]
    against: tuple[Condition, ...]
    where: tuple[Condition, ...] = ()
    kind = "lift"


@dataclass(frozen=True, slots=True)
class Plan:
    """Sum to date, divided by what the plan says should be there by now."""

    amount: Amount
    months: Mapping[str, int]
    """Planned amount by local month (`2026-01`), in the units of the field (cents)."""
    kind = "plan"


@dataclass(frozen=True, slots=True)
class NotMeasured:
    """A KPI that the strategy names but does not measure."""

    reason: Text
    kind = "not_measured"


Measure: TypeAlias = (
    Duration | Within | SameDay | Share | Amount | AmountShare | Stock | Lift | Plan | NotMeasured
)


@dataclass(frozen=True, slots=True)
class Kpi:
    """A key performance indicator: what is measured, in which unit, for whom."""

    id: str
    name: Text
    question: Text
    measure: Measure
    unit: Unit
    direction: Direction
    windows: tuple[str, ...]
    """Names that `domain.windows.parse` knows: `1h 24h 7d 30d mtd qtd ytd 12m`."""
    dimensions: tuple[str, ...]
    minimum_sample: int
    """Fewer samples than this in a window are no data; at least 1."""
    owner: str
    source: str
    display: str = ""
    """How a reader sees the value: `h`, `d`, `min`, `%`, `x`, `M` (millions) or empty."""
    code: str = ""
    """The short code of the administration's catalogue, for example K01."""


class TrajectoryKind(StrEnum):
    """The shape of the way from baseline to target."""

    LINEAR = "linear"
    STEP = "step"
    MILESTONES = "milestones"
    GEOMETRIC = "geometric"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a KPI should be, and by when. Values are in the KPI's unit (seconds, ratio, ...)."""

    id: str
    kpi: str
    window: str
    baseline: float
    baseline_at: datetime
    """Local midnight that opens the baseline date."""
    value: float
    """The goal; for a band the upper edge."""
    deadline: datetime
    """Local midnight that ends the deadline date: the goal holds up to and including that day."""
    trajectory: TrajectoryKind
    points: tuple[tuple[datetime, float], ...] = ()
    """Intermediate (time, value) points of `step` and `milestones`, in time order."""
    low: float | None = None
    """Lower edge of a band; None unless the KPI's direction is band."""
    green_tolerance: float = 0.0
    """Share of |expected| by which a value may miss and still be on track."""
    amber_tolerance: float = 0.1
    """Share of |expected| by which a value may miss and be at risk; beyond it, off track."""
    dimension: str = NATIONAL
    members: tuple[str, ...] = ("",)
    """Members of `dimension` that this target judges; `("*",)` is each of them."""
    owner: str = ""
    approver: str = ""
    version: int = 1
    source: str = ""
    assumption: bool = False


@dataclass(frozen=True, slots=True)
class WeightedKpi:
    """A KPI's part in its objective."""

    kpi: str
    weight: float


@dataclass(frozen=True, slots=True)
class Objective:
    """A box of the strategic map."""

    id: str
    name: Text
    statement: Text
    perspective: str
    owner: str
    kpis: tuple[WeightedKpi, ...]
    """Weights sum to 1; empty where the objective has no KPI of its own."""
    causes: tuple[str, ...] = ()
    """Objectives that this one leads to (cause -> effect); acyclic over the map."""
    dimension: str = ""
    """The WCO PMM dimension it belongs to, where it has one."""
    code: str = ""
    """The short code on the administration's map, for example O1."""


@dataclass(frozen=True, slots=True)
class Perspective:
    """A band of the strategic map, from the outcomes down to the resources."""

    id: str
    name: Text


@dataclass(frozen=True, slots=True)
class Member:
    """A declared value of a dimension."""

    code: str
    name: Text


@dataclass(frozen=True, slots=True)
class Dimension:
    """A way to break a KPI down."""

    id: str
    name: Text
    attribute: str
    """As in `Condition.attribute`; of a flag, the members are the texts `true` and `false`."""
    members: tuple[Member, ...] = ()
    """The declared set; everything else becomes `other`."""
    cap: int | None = None
    """Instead of a declared set: at most this many values, the largest; the rest is `other`."""


class Holder(StrEnum):
    """In whose hands a subject waits; the parties of the WCO Time Release Study."""

    TRADER = "trader"
    """The importer or exporter and its broker."""
    CARRIER = "carrier"
    PORT = "port"
    """Port, airport and warehouse."""
    BANK = "bank"
    CUSTOMS = "customs"
    AGENCIES = "agencies"
    """The other agencies at the border."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A stretch of a subject's way that one party holds."""

    id: str
    name: Text
    holder: Holder
    end: tuple[str, ...]
    """Milestones that end it; the latest of them."""
    begin: str | None = None
    """The milestone from which on it is open; None where it is open from the start."""
    where: tuple[Condition, ...] = ()
    """Of which subjects it is expected; the others wait for the next stage."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a subject gets from one milestone to another, stage by stage.

    Each instant between start and end belongs to the first stage that is open then, so the stages
    add up to the whole. Stages behind the one that ends with `end` come after it.
    """

    start: str
    end: str
    stages: tuple[Stage, ...]
    where: tuple[Condition, ...] = ()
    dimensions: tuple[str, ...] = ()
    windows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Worklist:
    """What is late, or about to be, against the limit of a KPI of kind `within`."""

    id: str
    kpi: str
    close: float = 0.75
    """Share of the limit from which on a subject is close to it, 0..1."""
    size: int = 50
    """How many subjects are listed for each office; the others are counted."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """When an administration works, in its own time zone."""

    time_zone: str
    """IANA name, for example `America/Lima`."""
    weekdays: frozenset[int]
    """Working days, Monday = 0."""
    opens_minute: int
    """Minute of the local day at which offices open."""
    closes_minute: int
    holidays: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class Strategy:
    """Everything that an administration decided, in one value."""

    id: str
    name: Text
    vision: Text
    language: str
    currency: str
    """ISO 4217 code of every amount."""
    calendar: Calendar
    perspectives: tuple[Perspective, ...]
    objectives: tuple[Objective, ...]
    dimensions: tuple[Dimension, ...]
    kpis: tuple[Kpi, ...]
    targets: tuple[Target, ...]
    initiatives: tuple[Initiative, ...] = ()
    benchmarks: tuple[Benchmark, ...] = ()
    way: Way | None = None
    """None where nothing is split into stages."""
    worklists: tuple[Worklist, ...] = ()

    @property
    def offices(self) -> frozenset[str]:
        """Return the office codes that events may name (the members of dimension `office`)."""
        return frozenset(
            member.code
            for dimension in self.dimensions
            if dimension.id == "office"
            for member in dimension.members
        )
