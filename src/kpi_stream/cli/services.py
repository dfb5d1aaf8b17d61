"""Commands that run on Kafka: worker, scorecard, topics."""

import json
import sys
from typing import TYPE_CHECKING

import click

from kpi_stream.bootstrap.collection import collect_seldom
from kpi_stream.cli.parameters import examples
from kpi_stream.cli.progress import waiting
from kpi_stream.settings import Settings

if TYPE_CHECKING:
    from kpi_stream.adapters.kafka.topics import TopicReport

# The worker brings Faust with it and the scorecard numpy, so each is imported when it is asked for.


@click.command(epilog=examples("KPI_STREAM_BROKERS=kafka-1:9092 kpi-stream worker"))
def worker() -> None:
    """Count events: read customs.events, keep subjects and rows, until SIGTERM.

    Start as many as there are partitions; they share the work. Settings come from the
    environment (KPI_STREAM_...).
    """
    collect_seldom()  # before the imports: a sixth of their time went into looking for garbage
    from kpi_stream.bootstrap.worker import run_worker  # noqa: PLC0415

    run_worker(Settings.load())


@click.command(
    epilog=examples(
        "KPI_STREAM_BROKERS=kafka-1:9092 kpi-stream scorecard",
        "curl http://127.0.0.1:9100/api/v1/scorecard",
    )
)
def scorecard() -> None:
    """Judge what the workers counted, once a second; serve /metrics and the scorecard.

    SIGHUP, or POST /-/reload with the login of the HTTP endpoints, reads the strategy again.
    Settings come from the environment (KPI_STREAM_...).
    """
    from kpi_stream.bootstrap.scorecard import run_scorecard_process  # noqa: PLC0415

    run_scorecard_process(Settings.load())


@click.command(
    epilog=examples("kpi-stream healthcheck worker", "kpi-stream healthcheck scorecard --ready")
)
@click.argument("service", type=click.Choice(["worker", "scorecard"]))
@click.option("--ready", is_flag=True, help="Ask whether it does its work already.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
def healthcheck(*, service: str, ready: bool, as_json: bool) -> None:
    """Ask the service of this machine whether it is well; exit code 1 if not, with the reason.

    For health checks in a container: a worker with nothing to do is well, one that does not get on
    is not. Address and port are those of the service's own environment (KPI_STREAM_...).
    """
    from kpi_stream.bootstrap.health import ask  # noqa: PLC0415

    well, reason = ask(Settings.load(), service, ready=ready)
    if as_json:
        click.echo(json.dumps({"service": service, "well": well, "reason": reason}))
    else:
        click.echo(f"{service}: {reason}", err=not well)
    if not well:
        sys.exit(1)


@click.group()
def topics() -> None:
    """Create and check the Kafka topics."""


@topics.command(
    epilog=examples(
        "KPI_STREAM_BROKERS=kafka-1:9092 KPI_STREAM_REPLICATION_FACTOR=3 kpi-stream topics init"
    )
)
@click.option("--json", "as_json", is_flag=True, help="Print what was found as a JSON list.")
def init(*, as_json: bool) -> None:
    """Create the topics that are missing and check those that exist.

    Exit code 1 where a topic cannot be used as it is; the text says how to put it right.
    """
    from kpi_stream.bootstrap.topics import init_topics  # noqa: PLC0415

    usable = True
    settings = Settings.load()
    with waiting("asking Kafka"):
        reports = init_topics(settings)
    for report in reports:
        usable = usable and report.ok
        if as_json:
            continue
        click.echo(f"{report.name}: {'created' if report.created else 'exists'}")
        for refused in report.refused:
            click.echo(f"{report.name}: the broker does not know {refused}", err=True)
        for difference in report.differences:
            click.echo(f"{report.name}: {difference}", err=True)
        for problem in report.problems:
            click.echo(f"{report.name}: {problem}", err=True)
    if as_json:
        click.echo(json.dumps([_document(each) for each in reports], indent=2))
    if not usable:
        sys.exit(1)


def _document(report: "TopicReport") -> dict[str, object]:
    return {
        "name": report.name,
        "created": report.created,
        "refused": report.refused,
        "problems": [each._asdict() for each in report.problems],
        "differences": [each._asdict() for each in report.differences],
    }
