"""`kpi-stream report`: the monthly review and the Time Release Study, to read, print and file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from kpi_stream.adapters.review import document, write_tables
from kpi_stream.adapters.strategy_files import load_strategy
from kpi_stream.bootstrap import review as reviews
from kpi_stream.bootstrap.common import strategy_path
from kpi_stream.cli import suggestions
from kpi_stream.cli.parameters import FILE, FOLDER, examples
from kpi_stream.domain.errors import InputError
from kpi_stream.settings import Settings


@click.command(
    epilog=examples(
        "kpi-stream report --period 2026-10",
        "kpi-stream report --period 2026-10 --office 118 --language en",
        "kpi-stream report --period 2026-10 --events events.jsonl.gz --csv october",
    )
)
@click.option("--period", required=True, metavar="YYYY-MM", help="The month.")
@click.option(
    "--office", metavar="CODE", help="Only this office.", shell_complete=suggestions.offices
)
@click.option(
    "--events",
    type=FILE,
    multiple=True,
    help="Count this file of events instead of reading Kafka (repeatable).",
)
@click.option(
    "--output",
    "-o",
    type=FILE,
    help="The HTML document; default: report-PERIOD[-CODE].html.",
)
@click.option("--csv", "tables", type=FOLDER, help="Write every table there as CSV as well.")
@click.option("--strategy", type=FOLDER, help="Folder of the strategy; default: as the services.")
@click.option("--language", type=click.Choice(["es", "en"]), help="Default: the strategy's.")
def report(
    *,
    period: str,
    office: str | None,
    events: tuple[Path, ...],
    output: Path | None,
    tables: Path | None,
    strategy: Path | None,
    language: str | None,
) -> None:
    """Write the monthly review and the Time Release Study as one HTML document that prints.

    It holds the scorecard at the month's last instant, what moved and why, who held the time stage
    by stage, the offices, initiatives, data quality, method and definitions. Of a month that is
    not over it tells what there is so far.

    The counts are those that the workers wrote to Kafka; running processes are not disturbed. With
    --events no broker is needed.
    """
    settings = Settings.load()
    loaded = load_strategy(strategy or strategy_path(settings))
    options = reviews.ReviewOptions(period, office, events)
    with _bar() as on_progress:
        review = reviews.review(loaded, settings, options, on_progress)
        on_progress("writing", 0, None)
        text = document(review, language or loaded.language)
    name = "-".join(filter(None, ("report", review.month.name, office)))
    path = output or Path(f"{name}.html")
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as err:
        msg = f"{path}: cannot be written: {err.strerror}"
        raise InputError(msg) from err
    click.echo(str(path))
    if tables is not None:
        for each in write_tables(review, tables):
            click.echo(str(each))


@contextmanager
def _bar() -> Iterator[reviews.Progress]:
    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        # A log has the names of the files; half a bar says nothing there.
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task("reading", total=None)

        def update(what: str, done: int, total: int | None) -> None:
            bar.update(task, description=what, completed=done, total=total)

        yield update
