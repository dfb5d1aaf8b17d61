"""The cells that both tables of the scorecard show, and how a table fits into a terminal."""

from collections.abc import Mapping, Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from kpi_stream.application.display import MARKS, NO_DATA_WORDS, STATUS_WORDS, number, shown
from kpi_stream.domain.readings import NoData
from kpi_stream.domain.status import Status
from kpi_stream.domain.strategy import Kpi, Strategy

STYLES = {
    Status.ON_TRACK: "green",
    Status.AT_RISK: "yellow",
    Status.OFF_TRACK: "red",
    Status.NO_DATA: "bright_black",
}

HEADINGS = {
    "objective": {"es": "Objetivo", "en": "Objective"},
    "kpi": {"es": "Indicador", "en": "KPI"},
    "window": {"es": "Ventana", "en": "Window"},
    "member": {"es": "Miembro", "en": "Member"},
    "value": {"es": "Valor", "en": "Value"},
    "samples": {"es": "n", "en": "n"},
    "expected": {"es": "Debe hoy", "en": "Expected"},
    "target": {"es": "Meta", "en": "Target"},
    "status": {"es": "Estado", "en": "Status"},
    "trend": {"es": "28 días", "en": "28 days"},
    "forecast": {"es": "Pronóstico", "en": "Forecast"},
}

RIGHT = frozenset({"value", "samples", "expected", "target", "forecast"})
"""Numbers stand to the right."""

_WITHOUT_A_TERMINAL = 100
"""Columns where the output is a file or a pipe that says nothing about its width."""


def plain_table(title: str | None = None) -> Table:
    """Return an empty table without frames, as wide as its console."""
    return Table(
        title=title,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
        expand=True,
    )


def console_width(console: Console) -> int:
    """Return how many columns a table may have."""
    return console.width if console.is_terminal else max(console.width, _WITHOUT_A_TERMINAL)


def named(kpi: Kpi, language: str) -> str:
    """Return a KPI's code and name."""
    return f"{kpi.code} {kpi.name[language]}".strip()


def counted(samples: int, language: str) -> str:
    """Return how many subjects or events are behind a reading."""
    return number(samples, 0, language)


def standing(
    status: Status | None, no_data: NoData | None, samples: int, kpi: Kpi, language: str
) -> str:
    """Return the mark and words for a status, or why there is no value; empty where unjudged."""
    if no_data is not None:
        words = NO_DATA_WORDS[no_data][language]
        return f"{MARKS[Status.NO_DATA]} " + words.format(
            samples=samples, minimum=kpi.minimum_sample
        )
    return "" if status is None else f"{MARKS[status]} {STATUS_WORDS[status][language]}"


def goals(
    kpi: Kpi,
    strategy: Strategy,
    language: str,
    expected: float | None,
    ends: tuple[float | None, float],
) -> tuple[str, str]:
    """Return (expected, target) of a judged KPI; a band is both.

    Args:
        kpi: Says how its readers see the value.
        strategy: Gives the currency.
        language: `es` or `en`.
        expected: The trajectory's value now; None for a band.
        ends: Lower edge of a band, else None; and the target's value.
    """
    low, value = ends
    goal = shown(value, kpi, strategy, language)
    if low is not None:
        band = f"{shown(low, kpi, strategy, language)}\N{EN DASH}{goal}"
        return band, band
    return shown(expected, kpi, strategy, language), goal


def widths(names: Sequence[str], rows: Sequence[Sequence[str]], language: str) -> dict[str, int]:
    """Return how many characters each column needs, the gap to the next one included."""
    return {
        name: _GAP + max(cell_len(text) for text in (HEADINGS[name][language], *texts))
        for name, *texts in zip(names, *rows, strict=True)
    }


def fitting(needed: Mapping[str, int], room: int, spare: Sequence[str]) -> list[str]:
    """Return the columns that fit, least important ones left out first.

    Args:
        needed: Characters by column, in order.
        room: How many characters there are.
        spare: Names of columns that may be left out, the first one first.

    Example:
        >>> fitting({"value": 5, "trend": 9, "target": 5}, 12, ["trend", "target"])
        ['value', 'target']
    """
    kept = dict(needed)
    for name in spare:
        if sum(kept.values()) > room:
            del kept[name]
    return list(kept)


_GAP = 2
"""Between two columns of a table."""
