"""Evaluations of the past as OpenMetrics text, for `promtool tsdb create-blocks-from`.

The families are those that the live scorecard exports about its evaluation, by the same functions;
what it exports about its own process has no past. OpenMetrics wants the samples of a family
together and those of a series in a row, while evaluations come by time: so a stretch of time is
held as two arrays a series, 16 bytes a sample, and written as a whole.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

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
        self._take(gauges, at_s, self._scraped)
        # A rule keeps the labels that it names, and those of the scrape are not among them.
        self._take(_recorded(gauges), at_s, {})

    def lines(self) -> Iterator[str]:
        """Yield the text, in pieces that end with a line end."""
        for name, family in self._families.items():
            yield f"# HELP {name} {_escaped(family.text)}\n# TYPE {name} gauge\n"
            for labels, (instants, values) in family.series.items():
                yield _samples(name + _labels(family, labels), instants, values)
        yield "# EOF\n"

    def _take(self, gauges: Gauges, at_s: int, constant: dict[str, str]) -> None:
        for name, (family, samples) in gauges.filled.items():
            known = self._families.get(name)
            if known is None:
                known = self._families[name] = _Family(family.help, family.labels, constant)
            series = known.series
            for labels, value in samples:
                found = series.get(labels)
                if found is None:
                    found = series[labels] = (array("q"), array("d"))
                found[0].append(at_s)
                found[1].append(value)
            self.samples += len(samples)


def _recorded(scraped: Gauges) -> Gauges:
    recorded = Gauges()
    for family, states in RECORDED.items():
        said = scraped.filled.get(states.name)
        for values, value in () if said is None else said.samples:
            if value:
                labels = dict(zip(states.labels, values, strict=True))
                code = CODES[Status(labels["status"])]
                recorded.set(family, code, *(labels[label] for label in family.labels))
    return recorded


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
