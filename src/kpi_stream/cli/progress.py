"""What is shown while a command does something that may take longer than a moment."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


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
