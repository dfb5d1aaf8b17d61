"""How Grafana shows a KPI's values: in the unit that its readers use."""

from typing import NamedTuple

from kpi_stream.application.display import presentation
from kpi_stream.domain.strategy import Kpi, Strategy, Unit

TIME_SINCE = "dtdhms"
"""Grafana's id for how long something has lasted: `30 d 01:06:40`. Its plain seconds would become
`4.30 weeks`, in English, in every language."""


class Scale(NamedTuple):
    """From the unit of the metric to what a reader sees."""

    unit: str
    """Grafana's id of the unit."""
    decimals: int
    divisor: float = 1
    """The metric is divided by it before Grafana formats it."""


class Wording(NamedTuple):
    """How PromQL writes a value as a text."""

    divisor: float
    """The metric is divided by it."""
    decimals: int
    before: str
    after: str


def scale(kpi: Kpi, strategy: Strategy) -> Scale:
    """Return how panels of one KPI show it.

    Hours stay hours: Grafana's own unit of seconds would turn 34.2 h into 1.43 days. It puts the
    space before a suffix itself.
    """
    divisor, decimals, suffix = presentation(kpi)
    if kpi.unit is Unit.MONEY:
        return Scale(f"currency:{strategy.currency} ", 1)
    if kpi.display == "%":
        return Scale("percentunit", decimals)
    if suffix:
        return Scale(f"suffix:{suffix.strip()}", decimals, divisor)
    return Scale("none" if kpi.unit is Unit.RATIO else "locale", decimals)


def wording(kpi: Kpi, strategy: Strategy) -> Wording:
    """Return how the tables that mix KPIs write its values; they have no unit for each row."""
    divisor, decimals, suffix = presentation(kpi)
    before = f"{strategy.currency} " if kpi.unit is Unit.MONEY else ""
    return Wording(divisor, decimals, before, suffix)


def gap_wording(kpi: Kpi, strategy: Strategy) -> Wording:
    """Return how they write the difference of two values: of percentages, it is in points."""
    how = wording(kpi, strategy)
    return how._replace(after=" pp") if kpi.display == "%" else how


def scaled(expr: str, kpi: Kpi, strategy: Strategy) -> str:
    """Return PromQL whose samples are what Grafana's unit of the KPI formats."""
    divisor = scale(kpi, strategy).divisor
    return expr if divisor == 1 else f"({expr}) / {divisor:g}"


def written(expr: str, how: Wording, label: str) -> str:
    """Return PromQL with one series a KPI whose label is the value as a text: `34.2 h`.

    A column of a Grafana table has one unit, the rows of a scorecard have many. So Prometheus
    writes the number: `count_values` makes a label of it.

    Args:
        expr: Series with the label `kpi`.
        how: Of the KPIs in it.
        label: The label that takes the text.
    """
    number = f"max by (kpi) ({expr})"
    if how.divisor != 1:
        number += f" / {how.divisor:g}"
    text = f'count_values by (kpi) ("{label}", round({number}, {10**-how.decimals:g}))'
    # 34 is written as 34.0, since its neighbours have decimals as well.
    for there in range(how.decimals):
        short = f"(-?[0-9]+[.][0-9]{{{there}}})" if there else "(-?[0-9]+)"
        longer = "${1}0" if there else "$1.0"
        text = f'label_replace({text}, "{label}", "{longer}", "{label}", "{short}")'
    if how.before or how.after:
        text = f'label_replace({text}, "{label}", "{how.before}$1{how.after}", "{label}", "(.+)")'
    return text
