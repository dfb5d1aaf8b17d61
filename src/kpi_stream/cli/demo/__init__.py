"""`kpi-stream demo`: everything on this machine, history at full speed, then live."""

from pathlib import Path

import click

from kpi_stream.cli.parameters import FILE, examples


@click.command(
    epilog=examples(
        "kpi-stream demo --language en",
        "kpi-stream demo --declarations declarations.csv.gz",
        "kpi-stream demo --once --days 60",
    )
)
@click.option("--declarations", type=FILE, help="A CSV of declarations; default: generated ones.")
@click.option("--days", type=click.IntRange(1), help="Days of history; default: 548, or the file.")
@click.option("--once", is_flag=True, help="Print the final scorecard and end; do not go live.")
@click.option("--seed", type=int, default=1, show_default=True, help="Same seed, same events.")
@click.option(
    "--port",
    type=click.IntRange(1, 65_535),
    help="The scorecard's port; default: 9100, or a free one.",
)
@click.option("--language", type=click.Choice(["es", "en"]), help="Default: the strategy's.")
def demo(
    declarations: Path | None,
    days: int | None,
    once: bool,  # noqa: FBT001 # click passes it by name
    seed: int,
    port: int | None,
    language: str | None,
) -> None:
    """Run everything on this machine: an embedded broker, a worker and the scorecard.

    Months of simulated history go through at full speed, then events come live. Needs neither a
    Kafka nor Docker; Ctrl-C ends all of it.
    """
    # It brings all of the services with it, which no other command should wait for.
    from kpi_stream.cli.demo.run import DemoOptions, run_demo  # noqa: PLC0415

    run_demo(DemoOptions(declarations, days, once, seed, port, language))
