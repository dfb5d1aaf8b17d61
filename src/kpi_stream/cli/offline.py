"""Commands that need no broker: check, schema, generate, replay."""

import csv
import json
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from kpi_stream.adapters.events.schema import schemas, write_schemas
from kpi_stream.adapters.strategy_files import load_strategy
from kpi_stream.application.display import MARKS, NO_DATA_WORDS, STATUS_WORDS, member_name, shown
from kpi_stream.application.judge import Judged
from kpi_stream.application.replay import Tally
from kpi_stream.application.scorecard import Evaluation
from kpi_stream.bootstrap.common import strategy_path
from kpi_stream.bootstrap.offline import generated_files, replay_file
from kpi_stream.domain.errors import InputError, StrategyError
from kpi_stream.domain.readings import Reading
from kpi_stream.domain.status import Status
from kpi_stream.domain.strategy import NATIONAL, Strategy
from kpi_stream.domain.windows import LocalDays
from kpi_stream.settings import Settings

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("path", required=False, type=FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Print the problems as a JSON list.")
def check(path: Path | None, as_json: bool) -> None:  # noqa: FBT001 # click passes it by name
    """Check a strategy folder and report every problem at once.

    PATH is the folder of YAML files; without it the packaged strategy is checked.
    Exit code 2 where anything is wrong.
    """
    settings = Settings.load()
    folder = path or strategy_path(settings)
    problems: list[dict[str, str]] = []
    strategy = None
    try:
        strategy = load_strategy(folder)
    except StrategyError as err:
        problems = [
            {"file": each.file, "path": each.path, "message": each.message} for each in err.problems
        ]
        if not as_json:
            for each in err.problems:
                click.echo(str(each))
    if as_json:
        click.echo(json.dumps(problems, indent=2, ensure_ascii=False))
    if strategy is None:
        click.echo(f"{len(problems)} problem(s) in {folder}", err=True)
        sys.exit(2)
    click.echo(
        f"{folder}: {len(strategy.objectives)} objectives, {len(strategy.kpis)} KPIs, "
        f"{len(strategy.targets)} targets, {len(strategy.initiatives)} initiatives: no problems",
        err=True,
    )


@click.command()
@click.option("--output", "-o", type=FOLDER, help="Write one file a type there.")
def schema(output: Path | None) -> None:
    """Write the JSON Schemas of the event types: to a folder, or all of them as one object."""
    if output is None:
        click.echo(json.dumps(schemas(), indent=2, ensure_ascii=False))
        return
    output.mkdir(parents=True, exist_ok=True)
    write_schemas(output)
    click.echo(f"{len(schemas())} schemas in {output}", err=True)


@click.command()
@click.option("--check", "only_check", is_flag=True, help="Change nothing; exit 1 on a difference.")
@click.option("--root", type=FOLDER, default=Path(), help="The folder of the project.")
def generate(only_check: bool, root: Path) -> None:  # noqa: FBT001 # click passes it by name
    """Write what is generated from the code: event schemas, the README's table of settings."""
    stale = []
    for path, content in generated_files(root).items():
        if path.exists() and path.read_text(encoding="utf-8") == content:
            continue
        stale.append(path)
        if not only_check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
            click.echo(f"wrote {path}", err=True)
    if only_check and stale:
        for path in stale:
            click.echo(f"{path} is not what the code generates; run make generate", err=True)
        sys.exit(1)


@click.command()
@click.argument("file", type=FILE)
@click.option("--strategy", type=FOLDER, help="Folder of the strategy; default: as the services.")
@click.option(
    "--as-of", metavar="TIME", help="Judge this instant; only what was recorded by then counts."
)
@click.option("--format", "form", type=click.Choice(["table", "json", "csv"]), default="table")
@click.option("--kpi", multiple=True, help="Only these KPIs (repeatable).")
@click.option("--window", multiple=True, help="Only these windows (repeatable).")
@click.option("--dimension", multiple=True, help="Only these dimensions; `national` is one.")
@click.option("--language", type=click.Choice(["es", "en"]), help="Default: the strategy's.")
def replay(  # noqa: PLR0913, PLR0917 # one argument an option
    file: Path,
    strategy: Path | None,
    as_of: str | None,
    form: str,
    kpi: tuple[str, ...],
    window: tuple[str, ...],
    dimension: tuple[str, ...],
    language: str | None,
) -> None:
    r"""Fold a file of events without any broker and print the readings.

    \b
    kpi-stream replay events.jsonl.gz
    kpi-stream replay events.jsonl --as-of 2026-06-30T23:59:00-05:00 --format csv
    kpi-stream replay events.jsonl --kpi release-time-mean --dimension office

    TIME is RFC 3339; without an offset it is local to the strategy. Default: the newest recording.
    """
    settings = Settings.load()
    loaded = load_strategy(strategy or strategy_path(settings))
    as_of_ms = None if as_of is None else instant(as_of, loaded)
    evaluation, tally = replay_file(file, loaded, settings, as_of_ms)
    _known(loaded, kpi, window, dimension)
    if form == "table" and not dimension:
        dimension = (NATIONAL,)
    chosen = [
        (reading, judged)
        for reading, judged in _with_judgement(evaluation)
        if (not kpi or reading.key.kpi in kpi)
        and (not window or reading.key.window in window)
        and (not dimension or reading.key.dimension in dimension)
    ]
    rows = [_row(reading, judged, loaded) for reading, judged in chosen]
    if form == "json":
        click.echo(json.dumps(rows, indent=1, ensure_ascii=False))
    elif form == "csv":
        writer = csv.DictWriter(sys.stdout, fieldnames=list(COLUMNS), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    else:
        Console().print(_table(chosen, evaluation, loaded, language or loaded.language))
    click.echo(_summary(tally), err=True)


COLUMNS = (
    *("kpi", "window", "dimension", "member", "value", "unit", "numerator", "denominator"),
    *("samples", "no_data", "expected", "target", "status", "as_of"),
)


def instant(text: str, strategy: Strategy) -> int:
    """Return an instant in milliseconds; a time without an offset is the strategy's local time.

    Raises:
        InputError: The text is not a time.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError as err:
        msg = f"--as-of {text!r} is not a time; write it as 2026-06-30T23:59:00-05:00"
        raise InputError(msg) from err
    if at.tzinfo is None:
        at = at.replace(tzinfo=LocalDays(strategy.calendar.time_zone).zone)
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


def _known(
    strategy: Strategy, kpi: Iterable[str], window: Iterable[str], dimension: Iterable[str]
) -> None:
    """Refuse a filter that can match nothing."""
    windows = {each for known in strategy.kpis for each in known.windows}
    choices: Mapping[str, tuple[Iterable[str], set[str]]] = {
        "--kpi": (kpi, {each.id for each in strategy.kpis}),
        "--window": (window, windows),
        "--dimension": (dimension, {NATIONAL, *(each.id for each in strategy.dimensions)}),
    }
    for option, (given, known) in choices.items():
        for each in given:
            if each not in known:
                msg = f"{option} {each!r} is not in the strategy; one of {', '.join(sorted(known))}"
                raise InputError(msg)


def _with_judgement(evaluation: Evaluation) -> list[tuple[Reading, Judged | None]]:
    judged = {each.key: each for each in evaluation.judged}
    return [(reading, judged.get(key)) for key, reading in evaluation.readings.items()]


def _row(reading: Reading, judged: Judged | None, strategy: Strategy) -> dict[str, Any]:
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
        "as_of": datetime.fromtimestamp(reading.as_of_ms / 1000, UTC).isoformat(),
    }


_HEADINGS = {
    "es": ("KPI", "ventana", "miembro", "valor", "n", "debe", "meta", "estado"),
    "en": ("KPI", "window", "member", "value", "n", "expected", "target", "status"),
}
STYLES = {
    Status.ON_TRACK: "green",
    Status.AT_RISK: "yellow",
    Status.OFF_TRACK: "red",
    Status.NO_DATA: "bright_black",
}


def _table(
    chosen: list[tuple[Reading, Judged | None]],
    evaluation: Evaluation,
    strategy: Strategy,
    language: str,
) -> Table:
    zone = LocalDays(strategy.calendar.time_zone).zone
    at = datetime.fromtimestamp(evaluation.as_of_ms / 1000, zone)
    table = Table(title=f"{strategy.name[language]} · {at:%Y-%m-%d %H:%M} {at.tzname()}")
    for heading, right in zip(_HEADINGS[language], (0, 0, 0, 1, 1, 1, 1, 0), strict=True):
        table.add_column(heading, justify="right" if right else "left")
    kpis = {each.id: each for each in strategy.kpis}
    for reading, judged in chosen:
        kpi, key = kpis[reading.key.kpi], reading.key
        if judged is not None:
            status = judged.status
            standing = f"{MARKS[status]} {STATUS_WORDS[status][language]}"
        else:
            status, standing = Status.NO_DATA, ""
        if reading.no_data is not None:
            words = NO_DATA_WORDS[reading.no_data][language]
            standing = f"{MARKS[Status.NO_DATA]} " + words.format(
                samples=reading.samples, minimum=kpi.minimum_sample
            )
        table.add_row(
            kpi.name[language],
            key.window,
            "" if key.dimension == NATIONAL else member_name(strategy, *key[2:], language),
            shown(reading.value, kpi, strategy, language),
            f"{reading.samples}",
            shown(judged.expected, kpi, strategy, language) if judged else "",
            shown(judged.target.value, kpi, strategy, language) if judged else "",
            standing,
            style=None if judged is None else STYLES[status],
        )
    return table


def _summary(tally: Tally) -> str:
    parts = [f"{count} {name}" for name, count in sorted(tally.outcomes.items())]
    parts += [f"{count} rejected ({name})" for name, count in sorted(tally.rejected.items())]
    if tally.later:
        parts.append(f"{tally.later} recorded later")
    return f"{tally.total} events: {', '.join(parts) or 'none'}"
