"""`kpi-stream rebuild`: count again while the old counts serve, then switch over."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from kpi_stream.adapters.clock import Clock
from kpi_stream.adapters.kafka.refold import OnProgress, RefoldProgress
from kpi_stream.bootstrap import rebuild as epochs
from kpi_stream.bootstrap.common import utc_text
from kpi_stream.cli.parameters import FOLDER, examples
from kpi_stream.domain.errors import InputError
from kpi_stream.settings import Settings

_SAY_EVERY_S = 10.0
"""Between two lines where there is no terminal."""


@click.command(
    epilog=examples(
        "kpi-stream rebuild --strategy my-strategy",
        "kpi-stream rebuild --list",
        "kpi-stream rebuild --switch-to 1 --strategy the-strategy-before",
        "kpi-stream rebuild --remove 1 --yes",
    )
)
@click.option("--strategy", type=FOLDER, help="Folder of the strategy; default: as the services.")
@click.option("--again", is_flag=True, help="Count again although these definitions are counted.")
@click.option(
    "--switch-to",
    type=click.IntRange(1),
    metavar="EPOCH",
    help="Bring an earlier epoch up to date, and go back to it.",
)
@click.option(
    "--accept-missing", is_flag=True, help="Go on although the oldest events have expired."
)
@click.option("--list", "listing", is_flag=True, help="Only say which epochs there are.")
@click.option(
    "--remove",
    type=click.IntRange(1),
    metavar="EPOCH",
    help="Only delete the counts of an epoch that does not serve.",
)
@click.option("--yes", is_flag=True, help="Delete them without asking.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def rebuild(  # noqa: PLR0913, PLR0917 # one argument an option
    strategy: Path | None,
    again: bool,  # noqa: FBT001
    switch_to: int | None,
    accept_missing: bool,  # noqa: FBT001
    listing: bool,  # noqa: FBT001
    remove: int | None,
    yes: bool,  # noqa: FBT001
    as_json: bool,  # noqa: FBT001
) -> None:
    """Count all events again by a changed strategy, into a new epoch, then switch to it.

    Meanwhile the workers and the scorecard serve the old epoch. At the switch they end in good
    order and start again by themselves, and need the new strategy from then on. A rebuild that was
    interrupted goes on where it was. The old counts stay until --remove.
    """
    settings = Settings.load()
    if listing and remove is not None:
        msg = "--list and --remove are two things; ask for one of them"
        raise InputError(msg)
    if listing:
        _list(settings, as_json=as_json)
        return
    if remove is not None:
        if not yes:
            click.confirm(f"Delete the counts of epoch {remove} for good?", abort=True, err=True)
        names = epochs.remove(settings, remove)
        click.echo(json.dumps(names) if as_json else f"deleted: {', '.join(names)}")
        return
    wanted = epochs.Wanted(strategy, again, switch_to, accept_missing)
    with _progress() as on_progress:
        report = epochs.rebuild(settings, wanted, on_progress)
    if as_json:
        click.echo(json.dumps(asdict(report)))
    for line in _said(report):
        click.echo(line, err=True)


def _said(report: epochs.RebuildReport) -> Iterator[str]:
    if report.epoch == report.previous:
        yield (
            f"epoch {report.epoch} serves and counts by this strategy; there is nothing to do "
            "(--again counts all events once more)"
        )
        return
    speed = report.events / report.seconds if report.seconds else 0.0
    yield (
        f"{report.events:,} events counted again in {report.seconds:,.0f} s ({speed:,.0f}/s), "
        f"{report.rejected:,} of them rejected as before"
    )
    yield (
        f"epoch {report.epoch} serves now. Workers and scorecards start again within seconds and "
        "refuse any strategy but this one: give it to them"
    )
    yield (
        f"epoch {report.previous} stays. Back to it: kpi-stream rebuild --switch-to "
        f"{report.previous}, with its strategy. Delete it: kpi-stream rebuild --remove "
        f"{report.previous}"
    )


def _list(settings: Settings, *, as_json: bool) -> None:
    found = epochs.list_epochs(settings)
    if as_json:
        click.echo(json.dumps([asdict(each) for each in found]))
        return
    for each in found:
        written = "" if each.flushed_ms is None else f", written {utc_text(each.flushed_ms)}"
        counted = each.fingerprint or "nothing yet"
        click.echo(
            f"epoch {each.epoch}: {each.events:,} events by {counted}{written}"
            f"{' (serves)' if each.serving else ''}"
        )


@contextmanager
def _progress() -> Iterator[OnProgress]:
    console, clock = Console(stderr=True), Clock()
    began = said = clock.monotonic()
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[speed]}"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task("counting again", total=None, speed="")

        def update(now: RefoldProgress) -> None:
            nonlocal said
            at = clock.monotonic()
            per_s = now.events / max(at - began, 1e-9)
            speed = f"{per_s:,.0f}/s"
            bar.update(task, completed=now.done, total=now.total, speed=speed)
            if not console.is_terminal and at - said >= _SAY_EVERY_S:
                said = at
                left_s = (now.total - now.done) / per_s if per_s else 0.0
                click.echo(
                    f"{now.done:,} of {now.total:,} counted, {speed}, {left_s:,.0f} s left",
                    err=True,
                )

        yield update
