"""`kpi-stream explain`: what a KPI says, and why it moved."""

import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from kpi_stream.adapters.strategy_files import load_strategy
from kpi_stream.application.explain import OFFICE
from kpi_stream.application.periods import named
from kpi_stream.bootstrap.common import strategy_path
from kpi_stream.bootstrap.explain import Question, asked_of_scorecard, explained
from kpi_stream.cli import suggestions
from kpi_stream.cli.cells import console_width
from kpi_stream.cli.explain_text import print_explanation
from kpi_stream.cli.parameters import FILE, FOLDER, examples, instant
from kpi_stream.cli.progress import waiting
from kpi_stream.domain.errors import InputError
from kpi_stream.domain.strategy import NATIONAL, Strategy
from kpi_stream.domain.windows import LocalDays
from kpi_stream.settings import Settings


@click.command(
    epilog=examples(
        "kpi-stream explain release-time-mean",
        "kpi-stream explain release-time-mean --office 118 --window 30d --versus 2026-05",
        "kpi-stream explain release-time-mean --events events.jsonl.gz --json",
    )
)
@click.argument("kpi", shell_complete=suggestions.kpis)
@click.option(
    "--office", metavar="CODE", help="Only this office.", shell_complete=suggestions.offices
)
@click.option("--window", help="One of the KPI's; default: that of its target, else its first.")
@click.option(
    "--versus",
    metavar="PERIOD",
    help="2026-05, or 2026-05-01/2026-05-15; default: the same length just before.",
)
@click.option("--events", type=FILE, help="A file of events; default: the running scorecard's.")
@click.option("--as-of", metavar="TIME", help="With --events: where the window ends.")
@click.option("--url", metavar="URL", help="Where the scorecard is; default: the settings'.")
@click.option("--strategy", type=FOLDER, help="Folder of the strategy; default: as the services.")
@click.option("--language", type=click.Choice(["es", "en"]), help="Default: the strategy's.")
@click.option("--json", "as_json", is_flag=True, help="As the scorecard's API says it.")
def explain(  # noqa: PLR0913 # one argument an option
    *,
    kpi: str,
    office: str | None,
    window: str | None,
    versus: str | None,
    events: Path | None,
    as_of: str | None,
    url: str | None,
    strategy: Path | None,
    language: str | None,
    as_json: bool,
) -> None:
    """Say what a KPI counts, how it stands, and why it moved.

    The change against the window before is split by each dimension into mix (more or fewer of
    those that are better or worse) and rate (better or worse themselves), which add up to it.

    KPI is an id, as `kpi-stream replay --format json` has it, or a code such as K01. Without
    --events the running scorecard answers.
    """
    settings = Settings.load()
    loaded = load_strategy(strategy or strategy_path(settings))
    asked = _question(loaded, kpi, window, office, versus)
    if events is not None and url is not None:
        msg = "--events and --url exclude each other: who should answer?"
        raise InputError(msg)
    if events is None and as_of is not None:
        msg = "--as-of needs --events; the running scorecard knows today only"
        raise InputError(msg)
    found: dict[str, Any]
    if events is not None:
        as_of_ms = None if as_of is None else instant("--as-of", as_of, loaded)
        with waiting(f"reading {events}"):
            found = explained(events, loaded, settings, asked, as_of_ms)
    else:
        with waiting("asking the scorecard"):
            found = asked_of_scorecard(settings, url, asked)
    if as_json:
        click.echo(json.dumps(found, indent=1, ensure_ascii=False))
        return
    console = Console(highlight=False)
    console.width = console_width(console)
    print_explanation(console, found, loaded, language or loaded.language)


def _question(
    strategy: Strategy, name: str, window: str | None, office: str | None, versus: str | None
) -> Question:
    """Return what is asked, checked before anything is read.

    Raises:
        InputError: The strategy has no such KPI, window or office, or the period is none.
    """
    kpi = next((each for each in strategy.kpis if name in {each.id, each.code}), None)
    if kpi is None:
        known = ", ".join(sorted(each.id for each in strategy.kpis))
        msg = f"{name!r} is no KPI of the strategy; one of {known}"
        raise InputError(msg)
    if window is not None and window not in kpi.windows:
        msg = f"--window {window!r} is not one of {kpi.id}: {', '.join(kpi.windows)}"
        raise InputError(msg)
    if office is not None and OFFICE not in kpi.dimensions:
        msg = f"--office {office!r}: {kpi.id} is not counted by office"
        raise InputError(msg)
    if office is not None and office not in strategy.offices:
        known = ", ".join(sorted(strategy.offices))
        msg = f"--office {office!r} is not in the strategy; one of {known}"
        raise InputError(msg)
    if versus is not None:
        try:
            named(versus, LocalDays(strategy.calendar.time_zone))
        except ValueError as err:
            msg = f"--versus {err}"
            raise InputError(msg) from err
    of_dimension = NATIONAL if office is None else OFFICE
    targets = [each for each in strategy.targets if each.kpi == kpi.id]
    targets.sort(key=lambda each: each.dimension != of_dimension)
    default = targets[0].window if targets else kpi.windows[0]
    return Question(kpi.id, window or default, office, versus)
