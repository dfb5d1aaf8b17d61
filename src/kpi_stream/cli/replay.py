"""`kpi-stream replay`: readings from a file of events, as a table, JSON or CSV."""

import csv
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from kpi_stream.adapters.strategy_files import load_strategy
from kpi_stream.application.display import member_name, shown
from kpi_stream.application.judge import Judged
from kpi_stream.application.replay import Tally
from kpi_stream.application.scorecard import Evaluation
from kpi_stream.bootstrap.common import strategy_path
from kpi_stream.bootstrap.offline import replay_file
from kpi_stream.cli import suggestions
from kpi_stream.cli.cells import (
    HEADINGS,
    RIGHT,
    STYLES,
    console_width,
    counted,
    goals,
    named,
    plain_table,
    standing,
)
from kpi_stream.cli.parameters import FILE, FOLDER, examples, instant
from kpi_stream.cli.progress import waiting
from kpi_stream.domain.errors import InputError
from kpi_stream.domain.readings import Reading
from kpi_stream.domain.strategy import NATIONAL, Strategy
from kpi_stream.domain.windows import LocalDays
from kpi_stream.settings import Settings

COLUMNS = (
    *("kpi", "window", "dimension", "member", "value", "unit", "numerator", "denominator"),
    *("samples", "no_data", "expected", "target", "status", "as_of"),
)
"""Of JSON and CSV."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which readings are wanted; an empty part wants every one."""

    kpis: Sequence[str]
    windows: Sequence[str]
    dimensions: Sequence[str]

    def check(self, strategy: Strategy) -> None:
        """Refuse what can match nothing.

        Raises:
            InputError: A name is not in the strategy; the text has those that are.
        """
        windows = {each for known in strategy.kpis for each in known.windows}
        choices: Mapping[str, tuple[Iterable[str], set[str]]] = {
            "--kpi": (self.kpis, {each.id for each in strategy.kpis}),
            "--window": (self.windows, windows),
            "--dimension": (
                self.dimensions,
                {NATIONAL, *(each.id for each in strategy.dimensions)},
            ),
        }
        for option, (given, known) in choices.items():
            for each in given:
                if each not in known:
                    there = ", ".join(sorted(known))
                    msg = f"{option} {each!r} is not in the strategy; one of {there}"
                    raise InputError(msg)

    def __bool__(self) -> bool:
        """Return whether anything is asked for."""
        return bool(self.kpis or self.windows or self.dimensions)

    def takes(self, reading: Reading) -> bool:
        """Return whether a reading is wanted."""
        key = reading.key
        return (
            (not self.kpis or key.kpi in self.kpis)
            and (not self.windows or key.window in self.windows)
            and (not self.dimensions or key.dimension in self.dimensions)
        )


_Chosen = list[tuple[Reading, Judged | None]]


@click.command(
    epilog=examples(
        "kpi-stream replay events.jsonl.gz",
        "kpi-stream replay events.jsonl --as-of 2026-06-30T23:59:00-05:00 --format csv",
        "kpi-stream replay events.jsonl --kpi release-time-mean --dimension office",
    )
)
@click.argument("file", type=FILE)
@click.option("--strategy", type=FOLDER, help="Folder of the strategy; default: as the services.")
@click.option(
    "--as-of", metavar="TIME", help="Judge this instant; only what was recorded by then counts."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    help="JSON and CSV have every series.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option(
    "--kpi",
    multiple=True,
    help="Only this KPI, by its id or code (repeatable).",
    shell_complete=suggestions.kpis,
)
@click.option("--window", multiple=True, help="Only this window (repeatable).")
@click.option("--dimension", multiple=True, help="Only this dimension; `national` is one.")
@click.option("--language", type=click.Choice(["es", "en"]), help="Default: the strategy's.")
def replay(  # noqa: PLR0913, PLR0917 # one argument an option
    file: Path,
    strategy: Path | None,
    as_of: str | None,
    form: str,
    as_json: bool,  # noqa: FBT001 # click passes it by name
    kpi: tuple[str, ...],
    window: tuple[str, ...],
    dimension: tuple[str, ...],
    language: str | None,
) -> None:
    """Fold a file of events without any broker and print the readings.

    The table has what is judged nationally, one row a target; with --kpi or --window every window
    asked for, and members with --dimension.

    TIME is RFC 3339; without an offset it is local to the strategy. Default: the newest recording.
    """
    settings = Settings.load()
    loaded = load_strategy(strategy or strategy_path(settings))
    ids = {each.code: each.id for each in loaded.kpis if each.code}
    wanted = Filter([ids.get(each, each) for each in kpi], window, dimension)
    wanted.check(loaded)
    as_of_ms = None if as_of is None else instant("--as-of", as_of, loaded)
    form = "json" if as_json else form
    with waiting(f"reading {file}"):
        evaluation, tally = replay_file(file, loaded, settings, as_of_ms)
    if form == "table":
        shown_rows = _for_table(evaluation, wanted)
        console = Console()
        console.width = console_width(console)
        console.print(_table(shown_rows, evaluation, language or loaded.language))
    else:
        rows = [_row(*each, loaded, evaluation.as_of_ms) for each in _chosen(evaluation, wanted)]
        if form == "json":
            click.echo(json.dumps(rows, indent=1, ensure_ascii=False))
        else:
            writer = csv.DictWriter(sys.stdout, fieldnames=list(COLUMNS), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    click.echo(_summary(tally), err=True)


def _chosen(evaluation: Evaluation, wanted: Filter) -> Iterator[tuple[Reading, Judged | None]]:
    judged = {each.key: each for each in evaluation.judged}
    for key, reading in evaluation.readings.items():
        if wanted.takes(reading):
            yield reading, judged.get(key)


def _for_table(evaluation: Evaluation, wanted: Filter) -> _Chosen:
    """Return the rows of the table: without a filter one a national target.

    A KPI that has none shows its first window, so that none is forgotten.
    """
    national = Filter(wanted.kpis, wanted.windows, wanted.dimensions or (NATIONAL,))
    rows = list(_chosen(evaluation, national))
    if wanted:
        return rows
    first = {each.id: each.windows[0] for each in evaluation.strategy.kpis}
    targeted = {reading.key.kpi for reading, judged in rows if judged is not None}
    return [
        (reading, judged)
        for reading, judged in rows
        if judged is not None
        or (reading.key.kpi not in targeted and reading.key.window == first[reading.key.kpi])
    ]


def _row(
    reading: Reading, judged: Judged | None, strategy: Strategy, as_of_ms: int
) -> dict[str, Any]:
    unit = next(each.unit for each in strategy.kpis if each.id == reading.key.kpi)
    return {
        **reading.key._asdict(),
        "value": reading.value,
        "unit": unit.value,
        "numerator": reading.numerator,
        "denominator": reading.denominator,
        "samples": reading.samples,
        "no_data": reading.no_data.value if reading.no_data else None,
        "expected": judged.expected if judged else None,
        "target": judged.target.value if judged else None,
        "status": judged.status.value if judged else None,
        "as_of": datetime.fromtimestamp(as_of_ms / 1000, UTC).isoformat(),
    }


def _table(chosen: _Chosen, evaluation: Evaluation, language: str) -> Table:
    strategy = evaluation.strategy
    zone = LocalDays(strategy.calendar.time_zone).zone
    at = datetime.fromtimestamp(evaluation.as_of_ms / 1000, zone)
    members = any(reading.key.dimension != NATIONAL for reading, _ in chosen)
    table = plain_table(f"{strategy.name[language]} · {at:%Y-%m-%d %H:%M} {at.tzname()}")
    names = ("kpi", "window", *(("member",) if members else ()))
    for name in (*names, "value", "samples", "expected", "target", "status"):
        table.add_column(
            HEADINGS[name][language],
            justify="right" if name in RIGHT else "left",
            no_wrap=True,
            overflow="ellipsis",
            ratio={"kpi": 3, "member": 2}.get(name),
        )
    kpis = {each.id: each for each in strategy.kpis}
    for reading, judged in chosen:
        kpi, key = kpis[reading.key.kpi], reading.key
        expected = goal = ""
        if judged is not None:
            ends = (judged.target.low, judged.target.value)
            expected, goal = goals(kpi, strategy, language, judged.expected, ends)
        status = None if judged is None else judged.status
        member = () if not members else (member_name(strategy, *key[2:], language),)
        table.add_row(
            named(kpi, language),
            key.window,
            *member,
            shown(reading.value, kpi, strategy, language),
            counted(reading.samples, language),
            expected,
            goal,
            standing(status, reading.no_data, reading.samples, kpi, language),
            style=None if status is None else STYLES[status],
        )
    return table


def _summary(tally: Tally) -> str:
    parts = [f"{count} {name}" for name, count in sorted(tally.outcomes.items())]
    parts += [f"{count} rejected ({name})" for name, count in sorted(tally.rejected.items())]
    if tally.later:
        parts.append(f"{tally.later} recorded later")
    return f"{tally.total} events: {', '.join(parts) or 'none'}"
