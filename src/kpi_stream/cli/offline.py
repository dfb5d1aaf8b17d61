"""Commands on the project's own files: check, schema, generate."""

import json
import sys
from pathlib import Path

import click

from kpi_stream.adapters.events.schema import schemas, write_schemas
from kpi_stream.adapters.strategy_files import load_strategy
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.bootstrap.common import strategy_path
from kpi_stream.cli.parameters import FOLDER, examples
from kpi_stream.cli.progress import waiting
from kpi_stream.domain.errors import InputError, StrategyError
from kpi_stream.settings import Settings


@click.command(epilog=examples("kpi-stream check", "kpi-stream check my-strategy --json"))
@click.argument("path", required=False, type=FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Print the problems as a JSON list.")
def check(path: Path | None, as_json: bool) -> None:  # noqa: FBT001 # click passes it by name
    """Check a strategy folder and report every problem at once.

    PATH is the folder of YAML files; without it the configured strategy is checked, or the
    packaged one. Exit code 2 where anything is wrong.
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
        many = f"{len(problems)} problems" if len(problems) > 1 else "1 problem"
        click.echo(f"{many} in {folder}", err=True)
        sys.exit(2)
    click.echo(
        f"{folder}: {len(strategy.objectives)} objectives, {len(strategy.kpis)} KPIs, "
        f"{len(strategy.targets)} targets, {len(strategy.initiatives)} initiatives: no problems",
        err=True,
    )


@click.command(epilog=examples("kpi-stream schema --output schemas"))
@click.option("--output", "-o", type=FOLDER, help="Write one file a type there.")
def schema(output: Path | None) -> None:
    """Write the JSON Schemas of the event types: to a folder, or all of them as one object."""
    if output is None:
        click.echo(json.dumps(schemas(), indent=2, ensure_ascii=False))
        return
    try:
        output.mkdir(parents=True, exist_ok=True)
        write_schemas(output)
    except OSError as err:
        raise _unwritable(output, err) from err
    click.echo(f"{len(schemas())} schemas in {output}", err=True)


@click.command(
    epilog=examples(
        "kpi-stream generate",
        "kpi-stream generate --check",
        "kpi-stream generate --strategy my-strategy --root /etc/kpi-stream --language en",
    )
)
@click.option("--check", "only_check", is_flag=True, help="Change nothing; exit 1 on a difference.")
@click.option("--json", "as_json", is_flag=True, help="Print what differs, or differed, as JSON.")
@click.option("--root", type=FOLDER, default=Path(), help="The folder to write below.")
@click.option(
    "--strategy",
    "folder",
    type=FOLDER,
    help="Folder of the strategy; without it the configured or packaged one, and the project's "
    "own schemas and table of settings as well.",
)
@click.option(
    "--language",
    type=click.Choice(["es", "en"]),
    help="Of dashboards, alerts and documents; without it the strategy's own.",
)
@click.option("--grafana-url", default=Edition.grafana_url, show_default=True, help="For links.")
@click.option("--runbook-url", default=Edition.runbook_url, show_default=True, help="For links.")
def generate(  # one argument an option
    *,
    only_check: bool,
    as_json: bool,
    root: Path,
    folder: Path | None,
    language: str | None,
    grafana_url: str,
    runbook_url: str,
) -> None:
    """Write what is generated from the strategy: dashboards, alerts, rules, documents."""
    # The document of the API brings everything that can answer, which a check does not need.
    from kpi_stream.bootstrap.generated import (  # noqa: PLC0415
        orphans,
        project_files,
        strategy_files,
    )

    strategy = load_strategy(folder or strategy_path(Settings.load()))
    edition = Edition(
        strategy, language or strategy.language, grafana_url.rstrip("/"), runbook_url.rstrip("/")
    )
    with waiting("generating"):
        files = strategy_files(root, edition)
    if folder is None:
        files |= project_files(root)
    stale = [path for path, content in files.items() if _differs(path, content)]
    gone = orphans(root, files)
    if as_json:
        named = {"stale": [*map(str, stale)], "orphans": [*map(str, gone)]}
        click.echo(json.dumps(named, indent=2, ensure_ascii=False))
    if only_check:
        for path in stale:
            click.echo(f"{path} is not what is generated; run kpi-stream generate", err=True)
        for path in gone:
            click.echo(f"{path} is not generated any more; run kpi-stream generate", err=True)
        sys.exit(1 if stale or gone else 0)
    for path in stale:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[path], encoding="utf-8")
        except OSError as err:
            raise _unwritable(path, err) from err
        click.echo(f"wrote {path}", err=True)
    for path in gone:
        path.unlink()
        click.echo(f"removed {path}", err=True)


def _differs(path: Path, content: str) -> bool:
    return not path.exists() or path.read_text(encoding="utf-8") != content


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(f"{path}: cannot be written: {error.strerror}")
