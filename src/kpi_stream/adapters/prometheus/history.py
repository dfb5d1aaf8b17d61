"""Evaluations of the past as OpenMetrics text, for `promtool tsdb create-blocks-from`.

The families are those that the live scorecard exports about its evaluation, by the same functions;
what it exports about its own process has no past. OpenMetrics wants the samples of a family
together and those of a series in a row, while evaluations come by time: so a stretch of time is
held as two arrays a series, 16 bytes a sample, and written as a whole.
"""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from prometheus_client.core import GaugeMetricFamily

from kpi_stream.adapters.prometheus.families import Gauges
from kpi_stream.adapters.prometheus.kpi_families import (
    add_evaluation,
    add_freshness,
    add_strategy,
)
from kpi_stream.application.monitoring import conventions as c
from kpi_stream.application.monitoring.recording import CODES
from kpi_stream.application.scorecard import Evaluation
from kpi_stream.domain.status import Status

RECORDED: dict[c.Family, c.Family] = {
    c.STATUS_CODE: c.KPI_STATUS,
    c.OBJECTIVE_STATUS_CODE: c.OBJECTIVE_STATUS,
}
"""What Prometheus records from these families by its rules, which it does not run over the past:
the code of the status that is 1."""

MS_PER_S = 1000

_Series: TypeAlias = dict[tuple[str, ...], tuple["array[int]", "array[float]"]]
"""(instants in seconds, values) by the values of the labels."""


@dataclass(slots=True)
class _Family:
    text: str
    labels: tuple[str, ...]
    constant: dict[str, str]
    series: _Series = field(default_factory=dict)


class HistoryText:
    """The samples of a stretch of time, by family and series.

    Args:
        instance: Label of the scorecard that would have been scraped.
    """

    def __init__(self, instance: str) -> None:
        self._scraped = {"job": c.SCORECARD_JOB, "instance": instance}
        self._families: dict[str, _Family] = {}
        self.samples = 0

    def add(self, evaluation: Evaluation) -> None:
        """Take one evaluation, later than all before it."""
        gauges = Gauges()
        add_evaluation(gauges, evaluation)
        add_strategy(gauges, evaluation.strategy)
        if evaluation.freshness is not None:
            add_freshness(gauges, evaluation.freshness)
        at_s = evaluation.as_of_ms // MS_PER_S
        scraped = {family.name: family for family in gauges.collect()}
        self._take(scraped.values(), at_s, self._scraped)
        # A rule keeps the labels that it names, and those of the scrape are not among them.
        self._take(_recorded(scraped), at_s, {})

    def lines(self) -> Iterator[str]:
        """Yield the text, in pieces that end with a line end."""
        for name, family in self._families.items():
            yield f"# HELP {name} {_escaped(family.text)}\n# TYPE {name} gauge\n"
            for labels, (instants, values) in family.series.items():
                yield _samples(name + _labels(family, labels), instants, values)
        yield "# EOF\n"

    def _take(
        self, families: Iterable[GaugeMetricFamily], at_s: int, constant: dict[str, str]
    ) -> None:
        for family in families:
            known = self._families.get(family.name)
            if known is None:
                labels = tuple(family.samples[0].labels)
                known = _Family(family.documentation, labels, constant)
                self._families[family.name] = known
            series = known.series
            for sample in family.samples:
                key = tuple(sample.labels.values())
                found = series.get(key)
                if found is None:
                    found = series[key] = (array("q"), array("d"))
                found[0].append(at_s)
                found[1].append(sample.value)
            self.samples += len(family.samples)


def _recorded(scraped: dict[str, GaugeMetricFamily]) -> Iterable[GaugeMetricFamily]:
    recorded = Gauges()
    for family, states in RECORDED.items():
        if states.name not in scraped:
            continue
        for sample in scraped[states.name].samples:
            if sample.value:
                labels = [sample.labels[label] for label in family.labels]
                recorded.set(family, CODES[Status(sample.labels["status"])], *labels)
    return recorded.collect()


def _samples(start: str, instants: "array[int]", values: "array[float]") -> str:
    before, written = None, ""
    lines = []
    for at_s, value in zip(instants, values, strict=True):
        if value != before:
            # The shortest text that gives the same number back.
            before, written = value, f"{start} {repr(value).removesuffix('.0')}"
        lines.append(f"{written} {at_s}\n")
    return "".join(lines)


def _labels(family: _Family, values: tuple[str, ...]) -> str:
    pairs = [*zip(family.labels, values, strict=True), *family.constant.items()]
    inside = ",".join(f'{label}="{_escaped(value)}"' for label, value in pairs)
    return f"{{{inside}}}" if inside else ""


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
