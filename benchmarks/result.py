"""What a benchmark found: tables for people, and every run's numbers for programs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headings; every cell is text, ready to be read."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Result:
    """One benchmark's findings."""

    tables: tuple[Table, ...]
    notes: tuple[str, ...] = ()
    runs: dict[str, Any] = field(default_factory=dict)
    """The same, unrounded and complete; plain JSON values."""
    exact: bool = True
    """False where a run counted wrongly; its speed is then worth nothing."""


def spread(values: Sequence[float], form: str = ",.0f") -> tuple[str, str, str]:
    """Return the smallest, the median and the largest of several runs.

    Example:
        >>> spread([3.0, 1.0, 2.0])
        ('1', '2', '3')
    """
    return format(min(values), form), format(median(values), form), format(max(values), form)


def show(result: Result) -> None:
    """Print the tables on standard output."""
    console = Console(width=None if Console().is_terminal else 120)
    for table in result.tables:
        shown = RichTable(*table.headings, title=table.title, title_justify="left")
        for column in shown.columns[1:]:
            column.justify = "right"
        for row in table.rows:
            shown.add_row(*row)
        console.print(shown)
    for note in result.notes:
        console.print(note)
