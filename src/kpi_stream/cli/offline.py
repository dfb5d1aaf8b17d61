"""Commands on the project's own files: check, schema, generate."""

import json
import sys
from pathlib import Path

import click

from kpi_stream.adapters.events.schema import schemas, write_schemas
from kpi_stream.adapters.strategy_files import load_strategy
from kpi_stream.bootstrap.common import strategy_path
from kpi_stream.bootstrap.generated import generated_files
from kpi_stream.cli.parameters import FOLDER, examples
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


@click.command(epilog=examples("kpi-stream generate", "kpi-stream generate --check"))
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
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content, encoding="utf-8")
            except OSError as err:
                raise _unwritable(path, err) from err
            click.echo(f"wrote {path}", err=True)
    if only_check and stale:
        for path in stale:
            click.echo(f"{path} is not what the code generates; run make generate", err=True)
        sys.exit(1)


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(f"{path}: cannot be written: {error.strerror}")
