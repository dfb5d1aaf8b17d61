"""`kpi-stream doctor`: is the installation as it should be, and Grafana as it was generated?"""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from kpi_stream.adapters.strategy_files import load_strategy
from kpi_stream.application.checkup.frame import Result, Standing, exit_code
from kpi_stream.application.checkup.frame import examine as examined
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.bootstrap.common import strategy_path
from kpi_stream.cli.parameters import FOLDER, examples
from kpi_stream.settings import Settings

_CANNOT_ASK = 2


def _generated(command: Any) -> Any:  # noqa: ANN401 # click's decorators have no type of their own
    """Add the options with which files for Grafana and Prometheus were generated."""
    options: list[Callable[[Any], Any]] = [
        click.option(
            "--strategy",
            "folder",
            type=FOLDER,
            help="Folder of the strategy; default: as the services.",
        ),
        click.option(
            "--language", type=click.Choice(["es", "en"]), help="Default: the strategy's."
        ),
        click.option(
            "--grafana-url", default=Edition.grafana_url, show_default=True, help="For links."
        ),
        click.option(
            "--runbook-url", default=Edition.runbook_url, show_default=True, help="For links."
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.group(
    invoke_without_command=True,
    epilog=examples(
        "kpi-stream doctor",
        "KPI_STREAM_PROMETHEUS_URL=http://prometheus:9090 kpi-stream doctor --json",
        "kpi-stream doctor --strategy my-strategy --language en",
    ),
)
@_generated
@click.option("--json", "as_json", is_flag=True, help="Print each check and its findings as JSON.")
@click.pass_context
def doctor(
    context: click.Context,
    *,
    folder: Path | None,
    language: str | None,
    grafana_url: str,
    runbook_url: str,
    as_json: bool,
) -> None:
    """Examine the whole installation; changes nothing.

    Settings, Kafka's version and clock, topics, transactions, how far the workers are, workers and
    scorecard, whether all of them have one strategy, what Prometheus scrapes and its rules, and
    Grafana. Each finding is a line with how bad it is and its remedy; what was seen goes to
    standard error. Whoever asks needs the rights of `operator` in docs/security.md.

    Exit code 0: all is well; 1: something is not; 2: something cannot be asked.
    """
    if context.invoked_subcommand is not None:
        if not all(_is_default(context, name) for name in context.params):
            context.fail(f"put the options behind {context.invoked_subcommand}")
        return
    from kpi_stream.bootstrap.doctor import checks  # noqa: PLC0415
    from kpi_stream.bootstrap.installation import Generated  # noqa: PLC0415

    results = []
    plan = checks(Generated(folder, language, grafana_url, runbook_url))
    for result in examined(plan, lambda name: click.echo(f"asking about {name}", err=True)):
        results.append(result)
        click.echo(f"  {result.check}: {_said(result)}", err=True)
        if not as_json:
            for finding in result.findings:
                click.echo(finding)
    if as_json:
        click.echo(json.dumps(_document(results), indent=2, ensure_ascii=False))
    click.echo(_summary(results), err=True)
    sys.exit(exit_code(results))


def _is_default(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) in {None, click.core.ParameterSource.DEFAULT}


def _said(result: Result) -> str:
    if result.standing in {Standing.WELL, Standing.FINDINGS}:
        return result.said
    return f"{result.standing}: {result.said}"


def _summary(results: list[Result]) -> str:
    findings = [finding for each in results for finding in each.findings]
    if not findings:
        return "all is well"
    parts = [
        f"{count} {severity}{'s' * (count > 1)}"
        for severity in ("problem", "warning")
        if (count := sum(each.severity == severity for each in findings))
    ]
    skipped = sum(each.standing is Standing.NOT_MADE for each in results)
    return ", ".join(parts) + f"; {skipped} checks could not be made" * bool(skipped)


def _document(results: list[Result]) -> list[dict[str, object]]:
    return [
        {
            "check": each.check,
            "standing": each.standing,
            "said": each.said,
            "findings": [asdict(finding) for finding in each.findings],
        }
        for each in results
    ]


@doctor.command(
    epilog=examples(
        "kpi-stream doctor grafana",
        "kpi-stream doctor grafana --strategy my-strategy --language en --json",
    )
)
@_generated
@click.option(
    "--prometheus-url", help="Where Grafana should ask Prometheus; default: any address will do."
)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as a JSON list.")
def grafana(
    *,
    folder: Path | None,
    language: str | None,
    grafana_url: str,
    runbook_url: str,
    prometheus_url: str | None,
    as_json: bool,
) -> None:
    """Compare what Grafana serves with what `kpi-stream generate` writes; changes nothing.

    Data source, folder, dashboards, alert rules, contact points, policies, mute timings and
    templates; the options are those that it was generated with. Each finding is a line with its
    remedy. Exit code 0: all is well; 1: something is not; 2: Grafana cannot be asked.
    KPI_STREAM_GRAFANA_URL and KPI_STREAM_GRAFANA_TOKEN_FILE say which one and with what token.
    """
    # Its HTTP client takes its time.
    from kpi_stream.adapters.grafana.client import GrafanaError  # noqa: PLC0415
    from kpi_stream.adapters.grafana.doctor import cannot_ask  # noqa: PLC0415
    from kpi_stream.bootstrap.grafana import doctor as make_doctor  # noqa: PLC0415

    settings = Settings.load()
    strategy = load_strategy(folder or strategy_path(settings))
    edition = Edition(
        strategy, language or strategy.language, grafana_url.rstrip("/"), runbook_url.rstrip("/")
    )
    made, findings, asked = make_doctor(settings, edition, prometheus_url), [], True
    try:
        for finding in made.examine(lambda step: click.echo(f"asking for {step}", err=True)):
            findings.append(finding)
            if not as_json:
                click.echo(finding)
    except GrafanaError as err:
        findings.append(cannot_ask(err))
        asked = False
        if not as_json:
            click.echo(findings[-1])
    if as_json:
        click.echo(json.dumps([asdict(each) for each in findings], indent=2, ensure_ascii=False))
    if not asked:
        sys.exit(_CANNOT_ASK)
    count = "all is well" if not findings else f"{len(findings)} findings"
    click.echo(f"{settings.grafana_url}: {count}", err=True)
    sys.exit(1 if findings else 0)
