"""The scorecard as a table in the terminal, from the scorecard's own API."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from kpi_stream.application.display import shown
from kpi_stream.cli.cells import (
    HEADINGS,
    RIGHT,
    STYLES,
    counted,
    fitting,
    goals,
    named,
    plain_table,
    standing,
    widths,
)
from kpi_stream.domain.readings import NoData
from kpi_stream.domain.status import Status
from kpi_stream.domain.strategy import NATIONAL, Kpi, Strategy
from kpi_stream.domain.windows import LocalDays

WORDS = {
    "as_of": {"es": "al", "en": "as of"},
    "behind": {"es": "poniéndose al día", "en": "catching up"},
    "age": {"es": "último dato hace {age}", "en": "newest event {age} ago"},
}
NOTHING = "\N{EM DASH}"

_FIGURES = (*("window", "value", "expected", "target", "status", "trend", "forecast", "samples"),)
_UNMEASURED = tuple(NOTHING if name == "value" else "" for name in _FIGURES)
_SPARE = ("samples", "trend", "forecast", "expected", "window")
"""What a narrow terminal does without, the least important first."""
_KPI_WIDTH = 26
"""A code and the beginning of a name."""
_OBJECTIVE_WIDTH = 22
_CODE_WIDTH = 5
"""Of an objective, where there is no room for its name."""

_BLOCKS = "▁▂▃▄▅▆▇█"
_POINTS = 12


@dataclass(frozen=True, slots=True)
class _Row:
    """A perspective's name alone, or a KPI of an objective, or an objective without any."""

    perspective: str = ""
    objective: str = ""
    code: str = ""
    kpi: str = ""
    figures: tuple[str, ...] = ("",) * len(_FIGURES)
    style: str | None = None


def sparkline(values: list[float | None]) -> str:
    """Return the last points of a series as one character each; a gap where there is no value.

    Example:
        >>> sparkline([1.0, None, 2.0, 3.0])
        '▁ ▄█'
    """
    points = values[-_POINTS:]
    known = [value for value in points if value is not None]
    if not known:
        return ""
    low, span = min(known), (max(known) - min(known)) or 1.0
    return "".join(
        " " if value is None else _BLOCKS[int((value - low) / span * (len(_BLOCKS) - 1))]
        for value in points
    )


def scorecard_table(
    document: dict[str, Any], strategy: Strategy, language: str, width: int
) -> RenderableType:
    """Return the table of everything that is judged nationally, by perspective and objective.

    Args:
        document: What the scorecard's API says.
        strategy: The same strategy, for the names and how values are shown.
        language: `es` or `en`.
        width: Of the terminal, in characters; where it is narrow, columns are left out.
    """
    rows = list(_rows(document, strategy, language))
    needed = widths(_FIGURES, [row.figures for row in rows], language)
    wide = sum(needed.values()) + _KPI_WIDTH + _OBJECTIVE_WIDTH <= width
    figures = fitting(needed, width - _KPI_WIDTH - _CODE_WIDTH, _SPARE)
    table = plain_table()
    for name in ("objective", "kpi", *figures):
        table.add_column(
            HEADINGS[name][language] if wide or name != "objective" else "",
            justify="right" if name in RIGHT else "left",
            no_wrap=True,
            overflow="ellipsis",
            ratio={"objective": 3 if wide else None, "kpi": 5}.get(name),
        )
    for row in rows:
        if row.perspective:
            table.add_row(*([] if wide else [""]), Text(row.perspective, style="bold"))
            continue
        names = (
            (row.objective, row.kpi or NOTHING) if wide else (row.code, row.kpi or row.objective)
        )
        kept = [text for name, text in zip(_FIGURES, row.figures, strict=True) if name in figures]
        table.add_row(*names, *kept, style=row.style)
    return Group(_headline(document, strategy, language), table)


def _headline(document: dict[str, Any], strategy: Strategy, language: str) -> Text:
    zone = LocalDays(strategy.calendar.time_zone).zone
    at = datetime.fromisoformat(document["as_of"]).astimezone(zone)
    text = f"{strategy.name[language]}   {WORDS['as_of'][language]} {at:%Y-%m-%d %H:%M:%S}"
    if not document["caught_up"]:
        text += f"   {WORDS['behind'][language]}"
    elif document["data_age_s"] is not None:
        age = f"{document['data_age_s']:.0f} s"
        text += "   " + WORDS["age"][language].format(age=age)
    return Text(text, style="bold")


def _rows(document: dict[str, Any], strategy: Strategy, language: str) -> Iterator[_Row]:
    kpis = {each.id: each for each in strategy.kpis}
    codes = {each.id: each.code for each in strategy.objectives}
    for perspective in document["perspectives"]:
        yield _Row(perspective=perspective["name"][language])
        for objective in perspective["objectives"]:
            name, code = objective["name"][language], codes.get(objective["id"], "")
            lines = [
                (kpis[one["kpi"]], series)
                for one in objective["kpis"]
                for series in _national(one["series"])
            ]
            if not lines:
                # It is part of the map, though nothing measures it.
                yield _Row(objective=name, code=code, figures=_UNMEASURED)
            for at, (kpi, series) in enumerate(lines):
                status = Status(series["status"]) if "status" in series else None
                yield _Row(
                    objective=name if at == 0 else "",
                    code=code if at == 0 else "",
                    kpi=named(kpi, language),
                    figures=_figures(series, kpi, status, strategy, language),
                    style=None if status is None else STYLES[status],
                )


def _national(series: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for each in series if each["dimension"] == NATIONAL]


def _figures(
    series: dict[str, Any], kpi: Kpi, status: Status | None, strategy: Strategy, language: str
) -> tuple[str, ...]:
    target, forecast = series.get("target"), series.get("forecast")
    expected = goal = ""
    if target is not None:
        ends = (target["low"], target["value"])
        expected, goal = goals(kpi, strategy, language, series["expected"], ends)
    no_data = None if series["no_data"] is None else NoData(series["no_data"])
    return (
        series["window"],
        shown(series["value"], kpi, strategy, language),
        expected,
        goal,
        standing(status, no_data, series["samples"], kpi, language),
        sparkline(series.get("trend", [])),
        "" if forecast is None else shown(forecast, kpi, strategy, language),
        counted(series["samples"], language),
    )
