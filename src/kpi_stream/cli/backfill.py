"""`kpi-stream backfill`: what Prometheus would have scraped, had it been there."""

import sys
from pathlib import Path

import click
from rich.progress import (
    MofNCompleteColumn,
)

from kpi_stream.adapters.strategy_files import load_strategy
from kpi_stream.bootstrap import backfill as history
from kpi_stream.bootstrap.common import strategy_path, utc_text
from kpi_stream.cli.parameters import FILE, FOLDER, examples, instant, length_ms
from kpi_stream.cli.progress import judging
from kpi_stream.settings import Settings


@click.command(
    epilog=examples(
        "kpi-stream backfill events.jsonl.gz --output history",
        "kpi-stream backfill events-*.jsonl --to 2026-06-30T08:00:00-05:00 -o history",
        "kpi-stream backfill events.jsonl --from 2026-06-30 --to 2026-06-30 -o -",
    )
)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=FILE)
@click.option("--strategy", type=FOLDER, help="Folder of the strategy; default: as the services.")
@click.option(
    "--from", "start", metavar="TIME", help="First instant; default: midnight before all events."
)
@click.option("--to", "end", metavar="TIME", help="Last instant; default: the newest recording.")
@click.option(
    "--step",
    metavar="TIME",
    default="1h",
    show_default=True,
    help="From one instant to the next: 15m, 1h, 1d.",
)
@click.option(
    "--output",
    "-o",
    required=True,
    metavar="FOLDER|-",
    help="A new folder for the files, or - for one text on standard output.",
)
@click.option(
    "--instance",
    default="scorecard:9100",
    show_default=True,
    help="The label that the live scorecard has in Prometheus, so that its series go on.",
)
def backfill(
    *,
    files: tuple[Path, ...],
    strategy: Path | None,
    start: str | None,
    end: str | None,
    step: str,
    output: str,
    instance: str,
) -> None:
    """Write what the scorecard would have exported in the past, as OpenMetrics for promtool.

    At each instant what was recorded by then counts, and today's strategy judges: as
    `kpi-stream replay --as-of` does. The files are JSONL (.gz packs it), such as one a partition
    of the events' topic. TIME of an instant is RFC 3339; without an offset it is local to the
    strategy.

    promtool makes one block of each file in the folder; docs/operations.md has the commands. Only
    the time before Prometheus' own first scrape may be filled: end there with --to.
    """
    settings = Settings.load()
    loaded = load_strategy(strategy or strategy_path(settings))
    options = history.BackfillOptions(
        files,
        instance,
        length_ms("--step", step, "smhd", 6),
        sys.stdout if output == "-" else Path(output),
        None if start is None else instant("--from", start, loaded),
        None if end is None else instant("--to", end, loaded),
    )
    with judging(MofNCompleteColumn()) as on_progress:
        report = history.backfill(loaded, settings, options, on_progress)
    for each in report.details:
        click.echo(each, err=True)
    parts = [f"{report.events} events taken"]
    parts += [f"{count} rejected ({name})" for name, count in sorted(report.rejected.items())]
    click.echo(", ".join(parts), err=True)
    click.echo(
        f"{report.samples} samples at {report.instants} instants, {utc_text(report.first_ms)} to "
        f"{utc_text(report.last_ms)}, in {_named(report.files, output)}",
        err=True,
    )


def _named(files: int, output: str) -> str:
    if output == "-":
        return "one text"
    return f"{files} file{'s' if files > 1 else ''} in {output}"
