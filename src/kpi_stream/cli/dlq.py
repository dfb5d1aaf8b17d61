"""Commands for the dead letters: dlq list, show, redrive."""

import sys
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from kpi_stream.adapters.kafka.dead_letter_listing import Listing
from kpi_stream.adapters.kafka.dead_letter_log import Letter, Place
from kpi_stream.adapters.kafka.redrive import RedriveReport, Selection
from kpi_stream.adapters.strategy_files import load_strategy
from kpi_stream.application.ports import Guarantee
from kpi_stream.bootstrap import dead_letters
from kpi_stream.bootstrap.common import strategy_path, topics, utc_text
from kpi_stream.cli.cells import console_width, plain_table
from kpi_stream.cli.letters import as_json, as_text, moment, printable
from kpi_stream.cli.parameters import FILE, examples, instant
from kpi_stream.domain.errors import InputError, Reason
from kpi_stream.settings import Settings

_SHOWN = 20
_COUNTS = ("letters", "redriven", "tried")


def _selecting(command: Any) -> Any:  # noqa: ANN401 # click's decorators have no type of their own
    """Add the options that say which letters are meant."""
    for option in (
        click.option("--until", help="Rejected before that time.", metavar="TIME"),
        click.option(
            "--since", help="Rejected then or later; local without an offset.", metavar="TIME"
        ),
        click.option(
            "--partition",
            "partitions",
            type=click.IntRange(0),
            multiple=True,
            help="Of this partition; may be repeated.",
        ),
        click.option(
            "--reason",
            "reasons",
            type=click.Choice([each.value for each in Reason]),
            multiple=True,
            metavar="REASON",
            help=f"Rejected for this reason; may be repeated. One of {', '.join(Reason)}.",
        ),
    ):
        command = option(command)
    return command


def _selection(settings: Settings, given: dict[str, Any], places: tuple[str, ...]) -> Selection:
    def time(name: str) -> int | None:
        text = given.pop(name)
        if text is None:
            return None
        return instant(f"--{name}", text, load_strategy(strategy_path(settings)))

    return Selection(
        reasons=frozenset(given.pop("reasons")),
        partitions=frozenset(given.pop("partitions")),
        since_ms=time("since"),
        until_ms=time("until"),
        places=frozenset(map(Place.parse, places)),
    )


@click.group()
def dlq() -> None:
    """Look at the dead letters, and send them back."""


@dlq.command(
    "list",
    epilog=examples(
        "kpi-stream dlq list",
        "kpi-stream dlq list --reason unknown_office --since 2026-06-30T08:00",
    ),
)
@_selecting
@click.option(
    "--limit",
    type=click.IntRange(0),
    default=_SHOWN,
    show_default=True,
    help="How many of those that wait are listed one by one.",
)
@click.option("--json", "as_json_", is_flag=True, help="Print one JSON object.")
def list_(limit: int, as_json_: bool, **given: Any) -> None:  # noqa: ANN401, FBT001
    """Count the dead letters by reason and partition, and list those that wait.

    A letter waits until it is sent back. Each has a place, PARTITION:OFFSET, by which `show` and
    `redrive` take it.
    """
    settings = Settings.load()
    found = dead_letters.list_letters(settings, _selection(settings, given, ()), limit)
    if as_json_:
        click.echo(msgspec.json.format(msgspec.json.encode(_listing_json(found)), indent=2))
        return
    _print_listing(found)
    waiting = sum(each.letters - each.redriven for each in found.groups.values())
    click.echo(f"{waiting} dead letters wait in {topics(settings).dead_letters}", err=True)
    if found.others:
        click.echo(f"{found.others} records there are no dead letters", err=True)


def _listing_json(found: Listing) -> dict[str, object]:
    return {
        "groups": [
            {
                "reason": reason,
                "partition": partition,
                **{name: getattr(group, name) for name in _COUNTS},
                "first_at": moment(group.first_ms),
                "last_at": moment(group.last_ms),
            }
            for (reason, partition), group in sorted(found.groups.items())
        ],
        "letters": [as_json(each, redriven=False, whole=False) for each in found.letters],
        "others": found.others,
    }


def _print_listing(found: Listing) -> None:
    console = Console()
    console.width = console_width(console)
    table = plain_table()
    for heading in ("reason", "partition", *_COUNTS, "first", "last"):
        table.add_column(heading, justify="right" if heading in _COUNTS else "left", no_wrap=True)
    for (reason, partition), group in sorted(found.groups.items()):
        counts = [str(getattr(group, name)) for name in _COUNTS]
        first, last = utc_text(group.first_ms), utc_text(group.last_ms)
        table.add_row(printable(reason), str(partition), *counts, first, last)
    console.print(table, markup=False, highlight=False)
    for letter in found.letters:
        tries = f" (tried {letter.tries} times)" * bool(letter.tries)
        click.echo(
            f"{letter.place}  {utc_text(letter.rejected_ms)}  {printable(letter.reason)}: "
            f"{printable(letter.detail)}{tries}"
        )


@dlq.command(
    epilog=examples(
        "kpi-stream dlq show 2:17", "kpi-stream dlq show --reason naive_time --json > fixes.jsonl"
    )
)
@click.argument("places", metavar="[PLACE]...", nargs=-1)
@_selecting
@click.option(
    "--limit",
    type=click.IntRange(1),
    help=f"The most letters that are shown; default: {_SHOWN}, as many as named, all with --json.",
)
@click.option("--json", "as_json_", is_flag=True, help="Print one JSON object a line.")
def show(
    places: tuple[str, ...],
    limit: int | None,
    as_json_: bool,  # noqa: FBT001
    **given: Any,  # noqa: ANN401
) -> None:
    """Print dead letters whole: why, from where, key, headers and value.

    A PLACE is PARTITION:OFFSET, as `list` prints it; without one the options select. The lines of
    --json, with their values put right, are what `redrive --values` takes.
    """
    settings = Settings.load()
    selection = _selection(settings, given, places)
    if limit is None and not places and not as_json_:
        limit = _SHOWN

    def print_letter(letter: Letter, redriven: bool) -> None:  # noqa: FBT001
        if as_json_:
            click.echo(msgspec.json.encode(as_json(letter, redriven=redriven)))
        else:
            click.echo(as_text(letter, redriven=redriven))

    count = dead_letters.show_letters(settings, selection, limit, print_letter)
    missing = len(selection.places) - count
    if places and limit is None and missing:
        msg = f"{missing} of the {len(selection.places)} places hold no such dead letter"
        raise InputError(msg)


@dlq.command(
    epilog=examples(
        "kpi-stream dlq redrive --reason unknown_office --dry-run",
        "kpi-stream dlq redrive --values fixes.jsonl",
        "kpi-stream dlq redrive --offset 2:17 --offset 0:4",
    )
)
@_selecting
@click.option("--offset", "places", metavar="PLACE", multiple=True, help="This one, like 2:17.")
@click.option("--all", "all_", is_flag=True, help="All that wait.")
@click.option("--values", type=FILE, help="JSONL of fixed events; alone, just these go back.")
@click.option("--limit", type=click.IntRange(1), help="The most letters that are sent.")
@click.option("--only-accepted", is_flag=True, help="Leave what would be rejected again.")
@click.option("--dry-run", is_flag=True, help="Say what would be done; write nothing.")
@click.option("--json", "as_json_", is_flag=True, help="Print what was done as JSON.")
def redrive(
    *,
    places: tuple[str, ...],
    all_: bool,
    values: Path | None,
    dry_run: bool,
    as_json_: bool,
    **given: Any,  # noqa: ANN401
) -> None:
    """Send dead letters back to the events, each of them once.

    What was sent is recorded in the same transaction: a second run, also after a kill, sends what
    is left. The event goes to the partition that it came from, with its key and its headers. If it
    is rejected again it is a new dead letter that counts its tries.
    """
    settings = Settings.load()
    selection = _selection(settings, given, places)
    if selection == Selection() and not all_ and values is None:
        msg = "say which dead letters go back: by options, --values FILE, or --all"
        raise InputError(msg)
    if settings.processing_guarantee is not Guarantee.EXACTLY_ONCE and not dry_run:
        click.echo(
            "without transactions (at_least_once) a redrive that is killed sends some letters "
            "again the next time; an event still counts once, by its event_id",
            err=True,
        )
    with _progress() as progress:
        task = progress.add_task("dead letters", total=None, sent=0)

        def update(looked: int, of: int, report: RedriveReport) -> None:
            progress.update(task, completed=looked, total=of, sent=report.sent)

        report = dead_letters.redrive_letters(
            settings, selection, update, values=values, dry_run=dry_run, **given
        )
    if as_json_:
        document = _report_json(report, dry_run=dry_run)
        click.echo(msgspec.json.format(msgspec.json.encode(document), indent=2))
    else:
        _report(report, topics(settings).events, dry_run=dry_run, left=given["only_accepted"])
    if report.missing:
        sys.exit(1)


def _progress() -> Progress:
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[sent]} sent"),
        console=console,
        disable=not console.is_terminal,
    )


def _report(report: RedriveReport, topic: str, *, dry_run: bool, left: bool) -> None:
    sent = "would be sent" if dry_run else "sent"
    click.echo(f"{report.sent} dead letters {sent} to {topic}, {report.fixed} of them fixed")
    if report.again:
        reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(report.again.items()))
        then = "left where they are" if left else f"{sent} all the same"
        click.echo(f"{report.again_total} would be rejected again ({reasons}): {then}", err=True)
    if report.before:
        click.echo(f"{report.before} had been sent back before", err=True)
    if report.cut:
        click.echo(
            f"{report.cut} were too large to be kept whole: send them again from their source, or "
            "give their values with --values",
            err=True,
        )
    if report.missing:
        told = ", ".join(map(str, report.missing[:_SHOWN]))
        click.echo(
            f"no such dead letter: {told}" + ", ..." * (len(report.missing) > _SHOWN), err=True
        )


def _report_json(report: RedriveReport, *, dry_run: bool) -> dict[str, object]:
    return {
        "dry_run": dry_run,
        "sent": report.sent,
        "fixed": report.fixed,
        "before": report.before,
        "cut": report.cut,
        "again": {str(reason): count for reason, count in sorted(report.again.items())},
        "missing": [str(each) for each in report.missing],
    }
