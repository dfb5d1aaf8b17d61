"""The scorecard as a table in the terminal, from the scorecard's own API."""

from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from kpi_stream.application.display import MARKS, NO_DATA_WORDS, STATUS_WORDS, shown
from kpi_stream.cli.offline import STYLES
from kpi_stream.domain.readings import NoData
from kpi_stream.domain.status import Status
from kpi_stream.domain.strategy import NATIONAL, Direction, Kpi, Strategy
from kpi_stream.domain.windows import LocalDays

WORDS = {
    "objective": {"es": "Objetivo", "en": "Objective"},
    "kpi": {"es": "Indicador", "en": "KPI"},
    "value": {"es": "Valor", "en": "Value"},
    "expected": {"es": "Debe hoy", "en": "Expected"},
    "target": {"es": "Meta", "en": "Target"},
    "status": {"es": "Estado", "en": "Status"},
    "trend": {"es": "28 días", "en": "28 days"},
    "forecast": {"es": "Pronóstico", "en": "Forecast"},
    "as_of": {"es": "al", "en": "as of"},
    "behind": {"es": "poniéndose al día", "en": "catching up"},
    "age": {"es": "último dato hace {age}", "en": "newest event {age} ago"},
}
_BLOCKS = "▁▂▃▄▅▆▇█"
_POINTS = 12


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


def scorecard_table(document: dict[str, Any], strategy: Strategy, language: str) -> RenderableType:
    """Return the table of everything that is judged nationally, by perspective and objective."""
    kpis = {each.id: each for each in strategy.kpis}
    table = Table(expand=True, pad_edge=False)
    table.add_column(WORDS["objective"][language], ratio=3, no_wrap=True, overflow="ellipsis")
    table.add_column(WORDS["kpi"][language], ratio=5, no_wrap=True, overflow="ellipsis")
    for name in ("value", "expected", "target"):
        table.add_column(WORDS[name][language], justify="right", no_wrap=True)
    table.add_column(WORDS["status"][language], no_wrap=True)
    table.add_column(WORDS["trend"][language], no_wrap=True)
    table.add_column(WORDS["forecast"][language], justify="right", no_wrap=True)
    table.add_column("n", justify="right", no_wrap=True)
    for perspective in document["perspectives"]:
        table.add_row(Text(perspective["name"][language], style="bold"))
        for objective in perspective["objectives"]:
            name = f" {objective['name'][language]}"
            for row in objective["kpis"]:
                for series in row["series"]:
                    if series["dimension"] == NATIONAL:
                        cells = _cells(series, kpis[row["kpi"]], strategy, language)
                        table.add_row(name, *cells, style=_style(series))
                        name = ""
        table.add_section()
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


def _status(series: dict[str, Any]) -> Status | None:
    return Status(series["status"]) if "status" in series else None


def _style(series: dict[str, Any]) -> str:
    status = _status(series)
    return STYLES[status] if status is not None else ""


def _cells(series: dict[str, Any], kpi: Kpi, strategy: Strategy, language: str) -> list[str]:
    status, target = _status(series), series.get("target")
    standing = "" if status is None else f"{MARKS[status]} {STATUS_WORDS[status][language]}"
    if series["no_data"] is not None:
        words = NO_DATA_WORDS[NoData(series["no_data"])][language]
        standing = f"{MARKS[Status.NO_DATA]} " + words.format(
            samples=series["samples"], minimum=kpi.minimum_sample
        )

    def value(number: float | None) -> str:
        return shown(number, kpi, strategy, language)

    goal = "" if target is None else value(target["value"])
    expected = "" if target is None else value(series["expected"])
    if target is not None and kpi.direction is Direction.BAND:
        goal = f"{value(target['low'])}-{value(target['value'])}"
        expected = goal
    forecast = series.get("forecast")
    return [
        f"{kpi.code} {kpi.name[language]} ({series['window']})".strip(),
        value(series["value"]),
        expected,
        goal,
        standing,
        sparkline(series.get("trend", [])),
        "" if forecast is None else value(forecast),
        f"{series['samples']:,}".replace(",", " "),
    ]
