"""Command worklist: who is late, or close to it, where, and in whose hands."""

from datetime import UTC, datetime

import click
from rich.console import Console

from kpi_stream.adapters.strategy_files import load_strategy
from kpi_stream.adapters.web.api.worklist import EntryOf, Filter, WorklistRow
from kpi_stream.application.display import HOLDERS, MARKS, member_name, number
from kpi_stream.bootstrap.common import strategy_path, utc_text
from kpi_stream.bootstrap.worklist import read_worklists
from kpi_stream.cli import suggestions
from kpi_stream.cli.cells import STYLES, console_width, named, plain_table
from kpi_stream.cli.parameters import examples
from kpi_stream.cli.progress import waiting
from kpi_stream.domain.errors import InputError
from kpi_stream.domain.status import Status
from kpi_stream.domain.strategy import OTHER, Holder, Strategy
from kpi_stream.settings import Settings

_HOUR_S = 3_600.0
_SHORT_S = 10 * _HOUR_S
"""Below this limit an hour is too coarse."""
_HEADINGS = {
    "es": ("", "Declaración", "Aduana", "Canal", "Del plazo", "Dónde espera", "En manos de"),
    "en": ("", "Declaration", "Office", "Channel", "Of the limit", "Where it waits", "Held by"),
}
_USED = {"es": "{used} de {limit}", "en": "{used} of {limit}"}
_SINCE = {"es": "{stage}, hace {ago}", "en": "{stage}, for {ago}"}
_REST = {
    "es": "{late} con el plazo vencido, {close} cerca de él; {more} de ellas no se muestran",
    "en": "{late} late, {close} close to the limit; {more} of them are not shown",
}
_EMPTY = {"es": "Nada vencido, nada por vencer.", "en": "Nothing is late, nothing close to it."}


@click.command(
    epilog=examples(
        "kpi-stream worklist --office 118",
        "kpi-stream worklist --holder customs --stage control --limit 20",
        "kpi-stream worklist --json",
    )
)
@click.option(
    "--office", metavar="CODE", help="Only this office.", shell_complete=suggestions.offices
)
@click.option("--stage", metavar="STAGE", help="Only those that wait in this stage, by its id.")
@click.option(
    "--holder",
    type=click.Choice([each.value for each in Holder]),
    help="Only those that wait in these hands.",
)
@click.option(
    "--limit", type=click.IntRange(1), help="How many are listed; default: as the strategy says."
)
@click.option("--language", type=click.Choice(["es", "en"]), help="Default: the strategy's.")
@click.option("--json", "as_json", is_flag=True, help="As the scorecard's API says it.")
def worklist(
    *,
    office: str | None,
    stage: str | None,
    holder: str | None,
    limit: int | None,
    language: str | None,
    as_json: bool,
) -> None:
    """List what is late or close to its limit, the most of the limit used first.

    The workers keep a bounded list for each office in the topic kpi.worklist and count the rest;
    a declaration leaves it when it is released. What is read is what is counted by now. --stage and
    --holder look among those that the topic lists.
    """
    settings = Settings.load()
    strategy = load_strategy(strategy_path(settings))
    _check(strategy, office, stage)
    with waiting("reading the worklists"):
        found = read_worklists(settings, strategy, office, Filter(stage, holder, limit))
    if as_json:
        click.echo(found.answer.model_dump_json(indent=1))
        return
    console = Console(highlight=False)
    console.width = console_width(console)
    for row in found.answer.worklists:
        _print(console, row, strategy, language or strategy.language, found.as_of_ms)
    click.echo(
        f"as of {utc_text(found.as_of_ms)}; the newest event that is counted was recorded "
        f"{utc_text(found.newest_ms)}",
        err=True,
    )


def _check(strategy: Strategy, office: str | None, stage: str | None) -> None:
    """Do nothing where the strategy knows what is asked for.

    Raises:
        InputError: It does not, or keeps no worklist.
    """
    if not strategy.worklists:
        msg = f"the strategy {strategy.id} keeps no worklist; give it a worklists.yaml"
        raise InputError(msg)
    if office is not None and office not in {*strategy.offices, OTHER}:
        known = ", ".join([*sorted(strategy.offices), OTHER])
        msg = f"--office {office!r} is not in the strategy; one of {known}"
        raise InputError(msg)
    stages = () if strategy.way is None else strategy.way.stages
    if stage is not None and stage not in {each.id for each in stages}:
        known = ", ".join(each.id for each in stages) or "none: it has no stages.yaml"
        msg = f"--stage {stage!r} is not in the strategy; one of {known}"
        raise InputError(msg)


def _print(
    console: Console, row: WorklistRow, strategy: Strategy, language: str, as_of_ms: int
) -> None:
    kpi = next(each for each in strategy.kpis if each.id == row.kpi)
    table = plain_table(named(kpi, language))
    for at, heading in enumerate(_HEADINGS[language]):
        table.add_column(heading, no_wrap=at < len(_HEADINGS[language]) - 2)
    for each in row.entries:
        status = Status.OFF_TRACK if each.used > 1 else Status.AT_RISK
        cells = _cells(each, row.limit_s, strategy, language, as_of_ms)
        table.add_row(f"[{STYLES[status]}]{MARKS[status]}[/]", *cells)
    if row.entries:
        console.print(table)
    else:
        console.print(named(kpi, language), _EMPTY[language], sep="\n")
    console.print(
        _REST[language].format(late=row.late, close=row.close, more=row.more), markup=False
    )


def _cells(
    each: EntryOf, limit_s: float, strategy: Strategy, language: str, as_of_ms: int
) -> tuple[str, ...]:
    decimals = 0 if limit_s >= _SHORT_S else 1

    def hours(seconds: float) -> str:
        return f"{number(seconds / _HOUR_S, decimals, language)} h"

    stages = () if strategy.way is None else strategy.way.stages
    names = {stage.id: stage.name[language] for stage in stages}
    where, held = "", ""
    if each.stage is not None and each.waiting_since is not None:
        since = datetime.fromisoformat(each.waiting_since).astimezone(UTC).timestamp()
        ago = hours(max(0.0, as_of_ms / 1000 - since))
        where = _SINCE[language].format(stage=names.get(each.stage, each.stage), ago=ago)
    if each.holder is not None:
        held = HOLDERS[Holder(each.holder)][language]
    return (
        each.subject,
        member_name(strategy, "office", each.office, language),
        "" if each.channel is None else member_name(strategy, "channel", each.channel, language),
        _USED[language].format(used=hours(each.used * limit_s), limit=hours(limit_s)),
        where,
        held,
    )
