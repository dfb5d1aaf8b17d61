"""What is shown while a command does something that may take longer than a moment."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from kpi_stream.bootstrap.common import utc_text


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Show what is waited for, and for how long; on a terminal only, and gone afterwards.

    Args:
        what: As `reading events.jsonl`.
    """
    console = Console(stderr=True)
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        # A log has the result; a spinner says nothing there.
        disable=not console.is_terminal,
    ) as progress:
        progress.add_task(what, total=None)
        yield


@contextmanager
def judging(*more: ProgressColumn) -> Iterator[Callable[[str, int, int | None, int], None]]:
    """Show how far a history is judged; on a terminal only, since a log has the result.

    Args:
        more: Columns beside the bar.

    Yields:
        Told what is done, how much of it, of how much (None where unknown), and up to which instant
        in milliseconds since 1970 UTC.
    """
    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        *more,
        TextColumn("{task.fields[until]}"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task("reading", total=None, until="")

        def update(what: str, done: int, total: int | None, until_ms: int) -> None:
            until = f"until {utc_text(until_ms)}"
            bar.update(task, description=what, completed=done, total=total, until=until)

        yield update
