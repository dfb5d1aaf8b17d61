"""What an alert is, before it becomes a Grafana rule, a Prometheus rule and a runbook entry."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from kpi_stream.domain.strategy import Text


class Severity(StrEnum):
    """Who is disturbed, and when."""

    CRITICAL = "critical"
    """At once, at any hour."""
    WARNING = "warning"
    """In office hours."""


class Show(StrEnum):
    """How a number is written into a message."""

    NUMBER = "number"
    """With the decimals of the number."""
    DURATION = "duration"
    """Seconds, as `2h 3m 4s`."""
    DATE = "date"
    """Seconds since 1970, as a date."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number that a message names; `{name}` in the texts stands for it."""

    name: str
    expr: str
    """PromQL over the same series as the alert's: one sample for each series of the condition,
    with the same labels, already scaled to what a reader sees (hours, percent)."""
    decimals: int = 1
    suffix: str = ""
    show: Show = Show.NUMBER


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One rule.

    `expr` is 1 for every series that meets the condition, 0 for one that does not, and absent
    where nothing can be said; so each of firing, resolved and no data is a different answer, and
    Grafana and Prometheus hold the same expression against the same threshold, `> 0`.
    """

    name: str
    """The kind of alert, in CamelCase: KpiOffTrack. Several rules may share it."""
    key: str
    """What distinguishes the rules of one name: `release-time-mean-30d-office`; else empty."""
    title: Text
    """Unique in each language over all rules: Grafana names rules by it."""
    group: str
    """Rules of one group are evaluated together."""
    expr: str
    for_s: int
    """Seconds that the condition holds before anybody is disturbed."""
    keep_firing_s: int = 0
    """Seconds that it goes on firing after the condition ended: no flapping."""
    severity: Severity
    labels: Mapping[str, str] = field(default_factory=dict)
    """Constant labels: kpi, objective, perspective, owner. (`severity` is added when written.)"""
    numbers: tuple[Number, ...] = ()
    summary: Text
    """One line with numbers and units. `{name}` is a number, `{$label}` a label of the series."""
    description: Text
    """What it means and what to do first."""
    dashboard: str
    """Uid of the dashboard that shows it."""
    panel: int
    """Number of the panel there."""
