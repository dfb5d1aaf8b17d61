"""What an alert is, before it becomes a Grafana rule, a Prometheus rule and a runbook entry."""

import re
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
    """Seconds since 1970 whose date in UTC is the date to show."""


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
    key: str = ""
    """What distinguishes the rules of one name: `release-time-mean-30d-office`; else empty."""
    title: Text
    """Unique in each language over all rules: Grafana names rules by it."""
    expr: str
    for_s: int
    """Seconds that the condition holds before anybody is disturbed."""
    keep_firing_s: int = 0
    """Seconds that it goes on firing after the condition ended: no flapping."""
    severity: Severity
    labels: Mapping[str, str] = field(default_factory=dict)
    """Constant labels: owner, and of a KPI where it belongs and which series are watched.
    (`severity` is added when written.)"""
    by: str = ""
    """The label in which the series of the rule differ; empty where there is only one series."""
    numbers: tuple[Number, ...] = ()
    summary: Text
    """One line with numbers and units. `{name}` is a number, `{$label}` a label of the series."""
    description: Text
    """What it means and what to do first."""
    dashboard: str
    """Uid of the dashboard that shows it."""
    panel: int
    """Number of the panel there."""
    names: Mapping[str, Mapping[str, Text]] = field(default_factory=dict)
    """What a text writes instead of the values of a label, by label and value: an office's name
    instead of its code. A value that is not here is written as it is."""

    @property
    def anchor(self) -> str:
        """Return the name in kebab-case: its entry in the runbook, its files and its group."""
        return kebab(self.name)


def kebab(name: str) -> str:
    """Return a name in CamelCase as words with hyphens.

    Example:
        >>> kebab("KpiOffTrack")
        'kpi-off-track'
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()
