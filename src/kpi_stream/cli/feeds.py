"""Commands that bring events in: simulate, ingest."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)

from kpi_stream.adapters.ingest import IngestReport
from kpi_stream.adapters.simulator import Injections
from kpi_stream.adapters.strategy_files import load_strategy
from kpi_stream.bootstrap import feeds
from kpi_stream.bootstrap.common import now_ms, strategy_path, topics, utc_text
from kpi_stream.cli.parameters import FILE, FOLDER, SHARE, examples, instant
from kpi_stream.domain.errors import InputError
from kpi_stream.settings import Settings

INJECTED = {
    "duplicates": "sent twice",
    "disorder": "sent up to ten minutes after their turn",
    "late": "recorded and sent hours to days after they occurred",
    "corrections": "reported wrongly first, then corrected",
    "conflicts": "contradicted by a second event",
    "malformed": "followed by a record that must be rejected",
}
"""What can be done to events, and how the help calls those it is done to."""


def _injections(command: Any) -> Any:  # noqa: ANN401 # click's decorators have no type of their own
    for name, what in reversed(INJECTED.items()):
        text = f"Share of the events that are {what}."
        command = click.option(
            f"--{name}", type=SHARE, default=0.0, show_default=True, metavar="0..1", help=text
        )(command)
    return command


@click.command(
    epilog=examples(
        "kpi-stream simulate --days 90 --seed 7 --output events.jsonl.gz",
        "kpi-stream simulate --declarations declarations.csv.gz --late 0.02 -o events.jsonl",
        "kpi-stream simulate --days 1 --live --volume 20",
    )
)
@click.option("--declarations", type=FILE, help="A CSV of declarations; default: generated ones.")
@click.option("--days", type=click.IntRange(1), help="Days of history; default: 548, or the file.")
@click.option(
    "--per-day",
    type=click.FloatRange(0, min_open=True),
    default=100.0,
    show_default=True,
    metavar="NUMBER",
    help="Declarations a day, on average; not with a file.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Same seed, same bytes.")
@click.option("--until", metavar="TIME", help="Where the history ends; default: now.")
@click.option(
    "--cancelled",
    type=SHARE,
    default=0.01,
    show_default=True,
    metavar="0..1",
    help="Share of the declarations that are cancelled.",
)
@_injections
@click.option("--output", "-o", type=FILE, help="Write JSONL there (.gz packs it); default: Kafka.")
@click.option("--live", is_flag=True, help="Go on in real time after the history (to Kafka).")
@click.option(
    "--speed",
    type=click.FloatRange(0, min_open=True),
    default=1.0,
    show_default=True,
    metavar="FACTOR",
    help="How fast the live part catches up with the clock.",
)
@click.option(
    "--volume",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    metavar="FACTOR",
    help="How many times as many declarations the live part has.",
)
@click.option("--strategy", type=FOLDER, help="Folder of the strategy; default: as the services.")
def simulate(**options: Any) -> None:  # noqa: ANN401 # one option a keyword
    """Turn declarations into life-cycle events, to a file or to Kafka.

    The history ends now, or at --until: RFC 3339, local to the strategy without an offset.
    """
    settings = Settings.load()
    folder = options["strategy"] or strategy_path(settings)
    strategy = load_strategy(folder)
    if options["live"] and options["output"]:
        msg = "--live sends to Kafka; leave out --output, or --live"
        raise InputError(msg)
    chosen = feeds.simulation_options(
        strategy,
        folder,
        now_ms=now_ms() if not options["until"] else instant("--until", options["until"], strategy),
        declarations=options["declarations"],
        days=options["days"],
        per_day=options["per_day"],
        seed=options["seed"],
        cancelled=options["cancelled"],
        injections=Injections(**{name: options[name] for name in INJECTED}),
    )
    with counting("events") as progress:
        if options["output"]:
            written = feeds.simulate_to_file(chosen, options["output"], progress)
            click.echo(f"{written} events in {options['output']}", err=True)
            return
        sent = feeds.simulate_to_kafka(chosen, settings, progress)
    click.echo(f"{sent} events in {topics(settings).events}", err=True)
    if options["live"]:
        click.echo("live; Ctrl-C ends it", err=True)
        feeds.simulate_live(chosen, settings, options["speed"], options["volume"])


@click.command(
    epilog=examples(
        "kpi-stream ingest events.jsonl.gz", "kpi-stream ingest log.csv --mapping mapping.yaml"
    )
)
@click.argument("file", type=FILE)
@click.option("--mapping", type=FILE, help="YAML mapping of a CSV event log to events.")
@click.option("--restart", is_flag=True, help="Forget an earlier, interrupted run.")
@click.option("--allow-rejected", is_flag=True, help="Exit 0 although lines were rejected.")
@click.option("--json", "as_json", is_flag=True, help="Print what became of the file as JSON.")
def ingest(
    *, file: Path, mapping: Path | None, restart: bool, allow_rejected: bool, as_json: bool
) -> None:
    """Send a file of events to Kafka: JSONL, or a CSV event log through a mapping.

    An interrupted run goes on where it was. Rejected lines are kept beside the file with their
    reasons; the exit code is then 1.
    """
    settings = Settings.load()
    strategy = load_strategy(strategy_path(settings))
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[accepted]} accepted, {task.fields[rejected]} rejected"),
        TimeRemainingColumn(),
        console=console,
        # A log has the report below; half a bar says nothing there.
        disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task(file.name, total=None, accepted=0, rejected=0)
        report = feeds.ingest(
            file,
            strategy,
            settings,
            mapping=mapping,
            restart=restart,
            on_progress=lambda at: bar.update(
                task,
                total=at.bytes_total,
                completed=at.bytes_read,
                accepted=at.accepted,
                rejected=at.rejected,
            ),
        )
    if as_json:
        click.echo(json.dumps(_document(report), indent=2, ensure_ascii=False))
    if report.already_complete:
        click.echo(f"{file} was sent whole before; --restart sends it again", err=True)
        return
    after = f" (after {report.resumed_after} lines of an earlier run)" * bool(report.resumed_after)
    click.echo(f"{report.accepted} events sent, {report.lines} lines read{after}", err=True)
    rejected = sum(report.rejected.values())
    if not rejected:
        return
    for each in report.details:
        click.echo(f"{file}: line {each.line}: {each.reason}: {each.detail}", err=True)
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(report.rejected.items()))
    click.echo(
        f"{rejected} lines rejected ({reasons}); they are in {report.rejected_path}", err=True
    )
    if not allow_rejected:
        sys.exit(1)


def _document(report: IngestReport) -> dict[str, object]:
    path = report.rejected_path
    return {
        "lines": report.lines,
        "accepted": report.accepted,
        "rejected": dict(report.rejected),
        "rejected_path": None if path is None else str(path),
        "resumed_after": report.resumed_after,
        "already_complete": report.already_complete,
    }


@contextmanager
def counting(what: str) -> Iterator[Any]:
    """Show how many records were made, on a terminal; yields a callback (records, append_ms)."""
    console = Console(stderr=True)
    with Progress(
        SpinnerColumn(),
        MofNCompleteColumn(),
        TextColumn(what),
        TextColumn("{task.fields[until]}"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task(what, total=None, until="")

        def update(records: int, append_ms: int) -> None:
            until = utc_text(append_ms)
            progress.update(task, completed=records, until=f"until {until}")

        yield update
