"""`kpi-stream whatif`: the past under another target or definition."""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kpi_stream.adapters.strategy_files import load_strategy
from kpi_stream.adapters.whatif_page import whatif_page
from kpi_stream.application.display import MARKS, STATUS_WORDS, member_name, number
from kpi_stream.application.whatif import SIDES, Comparison, Course, Pair
from kpi_stream.bootstrap import whatif as experiment
from kpi_stream.bootstrap.common import strategy_path, utc_text
from kpi_stream.cli import suggestions
from kpi_stream.cli.cells import STYLES, console_width, named, plain_table
from kpi_stream.cli.parameters import FILE, FOLDER, examples, instant, length_ms
from kpi_stream.cli.progress import judging
from kpi_stream.domain.errors import InputError
from kpi_stream.domain.status import Status
from kpi_stream.settings import Settings

WORDS = {
    "kpi": {"es": "Indicador", "en": "KPI"},
    "by": {"es": "Según", "en": "By"},
    "today": {"es": "hoy", "en": "today"},
    "other": {"es": "prueba", "en": "trial"},
    "breaches": {"es": "Veces", "en": "Breaches"},
    "alerts": {"es": "Alertas", "en": "Alerts"},
    "first": {"es": "Primera vez", "en": "First breach"},
    "silent": {
        "es": "{n} más sin datos en todo el periodo.",
        "en": "{n} more without data all the time.",
    },
}


@click.command(
    epilog=examples(
        "kpi-stream whatif --strategy my-strategy --events events.jsonl.gz",
        "kpi-stream whatif --strategy my-strategy --events events.jsonl.gz --html trial.html",
        "kpi-stream whatif --strategy my-strategy --events events.jsonl --from 2026-01-01 --json",
    )
)
@click.option("--strategy", type=FOLDER, required=True, help="Folder of the strategy to try.")
@click.option(
    "--events",
    "files",
    type=FILE,
    required=True,
    multiple=True,
    help="A file of events (repeatable).",
)
@click.option("--today", type=FOLDER, help="What it is held against; default: as the services.")
@click.option("--from", "start", metavar="TIME", help="First instant; default: the first event's.")
@click.option("--to", "end", metavar="TIME", help="Last instant; default: the newest recording.")
@click.option(
    "--every",
    metavar="LENGTH",
    help="From one instant to the next: 15m, 1h, 1d; default: 1h up to two weeks, else 1d.",
)
@click.option(
    "--kpi",
    multiple=True,
    help="Only this KPI, by its id or code (repeatable); default: what differs.",
    shell_complete=suggestions.kpis,
)
@click.option("--html", type=FILE, help="Write the picture there, one file for any browser.")
@click.option("--language", type=click.Choice(["es", "en"]), help="Default: the strategy's.")
@click.option("--json", "as_json", is_flag=True, help="Every instant of every series, as JSON.")
def whatif(  # noqa: PLR0913 # one argument an option
    *,
    strategy: Path,
    files: tuple[Path, ...],
    today: Path | None,
    start: str | None,
    end: str | None,
    every: str | None,
    kpi: tuple[str, ...],
    html: Path | None,
    language: str | None,
    as_json: bool,
) -> None:
    """Judge the past by another strategy, beside today's: a target becomes an experiment.

    At each instant what was recorded by then counts. A breach is an instant off track, an alert a
    run of them without a break. Without --kpi those KPIs are compared which the two strategies
    count or judge in different ways.

    TIME is RFC 3339; without an offset it is local to the strategy.
    """
    settings = Settings.load()
    loaded, tried = load_strategy(today or strategy_path(settings)), load_strategy(strategy)
    known = {each.id: each.id for each in (*loaded.kpis, *tried.kpis)}
    codes = {each.code: each.id for each in (*loaded.kpis, *tried.kpis) if each.code}
    for each in kpi:
        if each not in {**codes, **known}:
            msg = f"--kpi {each!r} is in neither strategy; one of {', '.join(sorted(known))}"
            raise InputError(msg)
    options = experiment.WhatifOptions(
        files,
        tuple({**codes, **known}[each] for each in kpi),
        None if start is None else instant("--from", start, loaded),
        None if end is None else instant("--to", end, loaded),
        None if every is None else length_ms("--every", every, "mhd", 4),
    )
    with judging() as on_progress:
        found = experiment.compare(loaded, tried, settings, options, on_progress)
    chosen = language or loaded.language
    if html is not None:
        _write(html, whatif_page(found, chosen))
    if as_json:
        json.dump(_document(found), sys.stdout, ensure_ascii=False)
        click.echo()
    else:
        console = Console(highlight=False)
        console.width = console_width(console)
        console.print(_table(found, chosen))
    first, last = (utc_text(found.instants[at]) for at in (0, -1))
    click.echo(f"{len(found.instants)} instants, {first} to {last}", err=True)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as err:
        msg = f"--html {path}: cannot be written: {err.strerror}"
        raise InputError(msg) from err


def _document(found: Comparison) -> dict[str, Any]:
    return {
        "instants": [_time(each) for each in found.instants],
        "series": [
            {**pair.key._asdict(), **dict.fromkeys(SIDES)}
            | {side: _course(course) for side, course in pair.sides}
            for pair in found.pairs
        ],
    }


def _course(course: Course) -> dict[str, Any]:
    first = course.first_breach_ms
    return {
        "target": None if course.target is None else course.target.id,
        **{each.value: course.share(each) for each in Status},
        "breaches": course.breaches,
        "alerts": course.alerts,
        "first_breach": None if first is None else _time(first),
        "points": [
            {
                "at": _time(each.at_ms),
                "value": each.value,
                "expected": each.goal,
                "low": each.low,
                "status": each.status,
            }
            for each in course.points
        ],
    }


def _time(ms: int) -> str:
    whole, rest = divmod(ms, 1000)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"


def _table(found: Comparison, language: str) -> Table:
    strategy = found.today
    table = plain_table()
    table.add_column(WORDS["kpi"][language], ratio=3, no_wrap=True, overflow="ellipsis")
    table.add_column(WORDS["by"][language], no_wrap=True)
    for status in Status:
        table.add_column(f"{MARKS[status]} %", justify="right", style=STYLES[status])
    for name in ("breaches", "alerts", "first"):
        table.add_column(WORDS[name][language], justify="right", no_wrap=True)
    zone = ZoneInfo(strategy.calendar.time_zone)
    pairs = [each for each in found.pairs if each.has_data]
    for pair in pairs:
        for number_of_row, (side, course) in enumerate(pair.sides):
            table.add_row(
                "" if number_of_row else _name(pair, course, found, language),
                WORDS[side][language],
                *_cells(course, language, zone),
            )
    marks = "  ".join(f"{MARKS[each]} {STATUS_WORDS[each][language]}" for each in Status)
    silent = len(found.pairs) - len(pairs)
    if silent:
        marks += f"\n{WORDS['silent'][language].format(n=silent)}"
    table.caption = Text(marks, style="italic")
    table.caption_justify = "left"
    return table


def _name(pair: Pair, course: Course, found: Comparison, language: str) -> str:
    member = member_name(found.today, pair.key.dimension, pair.key.member, language)
    name = (course.kpi.code if member else "") or named(course.kpi, language)
    return " · ".join(each for each in (name, member, pair.key.window) if each)


def _cells(course: Course, language: str, zone: ZoneInfo) -> Sequence[str]:
    if course.target is None:
        return ["—"] * (len(Status) + 3)
    shares = (course.share(each) or 0.0 for each in Status)
    first = course.first_breach_ms
    at = None if first is None else datetime.fromtimestamp(first / 1000, zone)
    return (
        *(number(share * 100, 0, language) for share in shares),
        number(course.breaches, 0, language),
        number(course.alerts, 0, language),
        "—" if at is None else f"{at:%Y-%m-%d %H:%M}",
    )
