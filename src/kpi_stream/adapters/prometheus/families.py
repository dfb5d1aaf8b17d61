"""Gauge families that are filled at scrape time, so that a series that is gone disappears."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import RestrictedRegistry
from prometheus_client.samples import Sample

from kpi_stream.application.monitoring.conventions import Family
from kpi_stream.domain.strategy import Unit


class Filled(NamedTuple):
    """A family with what it says at one scrape."""

    family: Family
    samples: list[tuple[tuple[str, ...], float]]
    """The values of its labels, and the value."""

    def for_library(self) -> GaugeMetricFamily:
        """Return what the library writes."""
        name, text, labels = self.family
        found = GaugeMetricFamily(name, text)
        found.samples = [
            Sample(name, dict(zip(labels, values, strict=True)), value, None, None, None)
            for values, value in self.samples
        ]
        return found


class Gauges:
    """The gauge families of one scrape; a family without samples is left out.

    Args:
        names: Of the families that are wanted; without any, all are.
    """

    def __init__(self, names: frozenset[str] = frozenset()) -> None:
        self._names = names
        self._families: dict[str, Filled] = {}

    def set(self, family: Family, value: float | None, *labels: str) -> None:
        """Add a sample; None is no data, and then there is no series."""
        if value is None or (self._names and family.name not in self._names):
            return
        found = self._families.get(family.name)
        if found is None:
            found = self._families[family.name] = Filled(family, [])
        found.samples.append((labels, value))

    def set_unit(
        self, families: dict[Unit, Family], unit: Unit, value: float | None, *labels: str
    ) -> None:
        """Add a sample to the family of the KPI's unit."""
        self.set(families[unit], value, *labels)

    def state(self, family: Family, states: type[StrEnum], current: StrEnum, *labels: str) -> None:
        """Add a state set: one sample for each state, exactly one of them 1."""
        for each in states:
            self.set(family, 1.0 if each is current else 0.0, *labels, each.value)

    def info(self, family: Family, *labels: str) -> None:
        """Add a constant 1 whose labels carry texts."""
        self.set(family, 1.0, *labels)

    @property
    def filled(self) -> Mapping[str, Filled]:
        """What was added, by the name of its family."""
        return self._families

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Return what was added, for the library."""
        return [each.for_library() for each in self._families.values()]


def own_registry() -> CollectorRegistry:
    """Return a process's registry, in which `chosen` also finds what has no constant names."""
    return CollectorRegistry(support_collectors_without_names=True)


def chosen(
    registry: CollectorRegistry, names: frozenset[str]
) -> CollectorRegistry | RestrictedRegistry:
    """Return what collects the samples with one of some names; without any, all of them."""
    return registry.restricted_registry(names) if names else registry
