"""A demo from its first event to Ctrl-C: history, then the live scorecard."""

import signal
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from kpi_stream.adapters.simulator import Simulation, SimulationOptions
from kpi_stream.adapters.strategy_files import load_strategy
from kpi_stream.bootstrap import feeds
from kpi_stream.bootstrap.common import now_ms, strategy_path
from kpi_stream.cli.cells import console_width
from kpi_stream.cli.demo.processes import Demo
from kpi_stream.cli.demo.table import scorecard_table
from kpi_stream.domain.errors import KpiStreamError
from kpi_stream.domain.strategy import Strategy
from kpi_stream.settings import Settings

_SETTLED = 6
"""Evaluations after the last event until every status and forecast stands."""

_LIVE_VOLUME = 30
"""The live part is this many times as dense as the history, so that there is something to see."""


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the user chose."""

    declarations: Path | None
    """A CSV of declarations; None generates them."""
    days: int | None
    """Days of history; None: all of the file, or 18 months."""
    once: bool
    """Print the final scorecard and end."""
    seed: int
    port: int | None
    """The scorecard's port; None: the usual one, or a free one."""
    language: str | None
    """`es` or `en`; None: the strategy's."""


def run_demo(chosen: DemoOptions) -> None:
    """Run the demo until it is done, or until Ctrl-C.

    Raises:
        KeyboardInterrupt: Ctrl-C before the history was through; then nothing is left running.
        InputError: The file, the port or a setting is wrong.
        StrategyError: The strategy is wrong.
        Unavailable: One of the processes ended by itself.
    """
    settings = Settings.load()
    folder = strategy_path(settings)
    strategy = load_strategy(folder)
    language = chosen.language or strategy.language
    options = feeds.simulation_options(
        strategy,
        folder,
        now_ms=now_ms(),
        declarations=chosen.declarations,
        days=chosen.days,
        seed=chosen.seed,
    )
    first_ms = Simulation(options).first_ms  # reads the file, so that a wrong one is told at once
    for number in (signal.SIGTERM, signal.SIGHUP):
        # Told to end, or its terminal was closed: as orderly as Ctrl-C.
        signal.signal(number, signal.default_int_handler)
    screen = Console()
    if not screen.is_terminal:
        screen.width = console_width(screen)
    live = False
    with Demo(settings, chosen.port) as running:
        try:
            document = _history(running, options, first_ms)
            if chosen.once:
                screen.print(scorecard_table(document, strategy, language, screen.width))
                return
            live = True
            _live(running, options, strategy, language, screen)
        except KeyboardInterrupt:
            click.echo("ending the demo ...", err=True)
            if not live:
                raise


def _history(running: Demo, options: SimulationOptions, first_ms: int) -> dict[str, Any]:
    """Feed the history, wait until it is counted and judged, and return the scorecard."""
    span_ms = max(1, options.now_ms - first_ms)
    failure: list[KpiStreamError] = []
    sent = threading.Event()

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[text]}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    ) as progress:
        feeding = progress.add_task("events sent", total=span_ms, text="")
        counting = progress.add_task("events judged", total=span_ms, text="")

        def feed() -> None:
            def update(records: int, append_ms: int) -> None:
                done = append_ms - first_ms
                progress.update(feeding, completed=done, text=f"{records:,} events")

            try:
                feeds.simulate_to_kafka(options, running.settings, update)
            except KpiStreamError as err:
                failure.append(err)
            progress.update(feeding, completed=span_ms)
            sent.set()

        threading.Thread(target=feed, daemon=True).start()
        settled, seen, pause = 0, "", threading.Event()
        while True:
            pause.wait(0.25)
            running.check()
            if failure:
                raise failure[0]
            document = running.scorecard()
            if document is None or document["as_of"] == seen:
                continue
            seen = document["as_of"]
            at_ms = datetime.fromisoformat(seen).timestamp() * 1000
            progress.update(
                counting,
                completed=min(span_ms, at_ms - first_ms),
                text=f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d}",
            )
            caught_up = sent.is_set() and document["caught_up"] and not document["lag_events"]
            settled = settled + 1 if caught_up else 0
            if settled >= _SETTLED:
                progress.update(counting, completed=span_ms)
                return document


def _live(
    running: Demo, options: SimulationOptions, strategy: Strategy, language: str, screen: Console
) -> None:
    """Send live events and show the scorecard until Ctrl-C."""
    stop, failure = threading.Event(), list[KpiStreamError]()

    def feed() -> None:
        try:
            feeds.simulate_live(options, running.settings, 1.0, _LIVE_VOLUME, stop)
        except KpiStreamError as err:
            failure.append(err)

    feeder = threading.Thread(target=feed, daemon=True)
    feeder.start()
    # Whole, however narrow the terminal: an address is there to be copied.
    screen.print(
        f"page       {running.url}/\n"
        f"scorecard  {running.url}/api/v1/scorecard\n"
        f"metrics    {running.url}/metrics   worker {running.worker_url}/metrics\n"
        "Ctrl-C ends the demo",
        soft_wrap=True,
        highlight=False,
    )
    try:
        with Live(console=screen, auto_refresh=False, vertical_overflow="crop") as table:
            while not stop.wait(1.0):
                running.check()
                if failure:
                    raise failure[0]
                document = running.scorecard()
                if document is not None:
                    # The terminal may have another size by now.
                    width = console_width(screen)
                    table.update(scorecard_table(document, strategy, language, width), refresh=True)
    finally:
        stop.set()
        feeder.join(10)
