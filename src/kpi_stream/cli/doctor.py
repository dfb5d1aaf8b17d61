"""`kpi-stream doctor`: is what runs what was generated?"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from kpi_stream.adapters.strategy_files import load_strategy
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.bootstrap.common import strategy_path
from kpi_stream.cli.parameters import FOLDER, examples
from kpi_stream.settings import Settings

_CANNOT_ASK = 2


@click.group()
def doctor() -> None:
    """Compare what runs with what was generated."""


@doctor.command(
    epilog=examples(
        "kpi-stream doctor grafana",
        "kpi-stream doctor grafana --strategy my-strategy --language en --json",
    )
)
@click.option("--strategy", "folder", type=FOLDER, help="Its folder; default: as the services.")
@click.option("--language", type=click.Choice(["es", "en"]), help="Default: the strategy's.")
@click.option("--grafana-url", default=Edition.grafana_url, show_default=True, help="In links.")
@click.option("--runbook-url", default=Edition.runbook_url, show_default=True, help="In links.")
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
