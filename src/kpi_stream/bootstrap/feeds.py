"""What brings events in: simulation and ingest."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from kpi_stream.adapters.clock import Clock
from kpi_stream.adapters.ingest import IngestProgress, IngestReport, KafkaSender, ingest_file
from kpi_stream.adapters.kafka.access import Access
from kpi_stream.adapters.kafka.connection import client_arguments
from kpi_stream.adapters.simulator import (
    Injections,
    KafkaSink,
    SimulationOptions,
    live,
    office_shares,
    read_profile,
    simulate,
    write_jsonl,
)
from kpi_stream.bootstrap.broker import require
from kpi_stream.bootstrap.common import broker_options, event_codec, now_ms, topics
from kpi_stream.domain.errors import InputError
from kpi_stream.domain.strategy import Strategy
from kpi_stream.settings import Settings

Counting: TypeAlias = Callable[[int, int], None]
"""Told how many records there are so far, and the time of the last one in milliseconds."""

NO_INJECTIONS = Injections()
WRITES = ("Write",)

PROFILE = Path("simulation") / "profile.yaml"
"""Beside the strategy's files: how the simulator shares declarations out; optional."""


def simulation_options(
    strategy: Strategy,
    folder: Path,
    *,
    now_ms: int,
    injections: Injections = NO_INJECTIONS,
    **chosen: Any,  # noqa: ANN401 # fields of SimulationOptions
) -> SimulationOptions:
    """Return what the simulator needs to know, from the strategy and the user's choices."""
    offices = next(each for each in strategy.dimensions if each.id == "office")
    profile = folder / PROFILE
    traffic: dict[str, Any]
    if profile.exists():
        read = read_profile(profile, strategy.offices)
        traffic = {"offices": read.offices} | ({"regimes": read.regimes} if read.regimes else {})
    else:
        traffic = {"offices": office_shares([member.code for member in offices.members])}
    return SimulationOptions(
        now_ms=now_ms,
        calendar=strategy.calendar,
        kpis=tuple(each.id for each in strategy.kpis),
        injections=injections,
        **traffic,
        **chosen,
    )


def simulate_to_file(options: SimulationOptions, path: Path, progress: Counting) -> int:
    """Write the history to a file and return how many records it has."""
    return write_jsonl(simulate(options), path, progress)


def simulate_to_kafka(options: SimulationOptions, settings: Settings, progress: Counting) -> int:
    """Send the history to the events' topic and return how many records there were.

    Raises:
        InputError: The declarations are wrong, or the topic is missing.
        Unavailable: No broker answers, or it stopped taking records.
    """
    with _sink(settings) as sink:
        return sink.send(simulate(options), progress)


def _sink(settings: Settings) -> KafkaSink:
    events = topics(settings).events
    require(settings, Access({events: WRITES}))
    return KafkaSink(settings.brokers, events, client_arguments(broker_options(settings)))


def simulate_live(
    options: SimulationOptions,
    settings: Settings,
    speed: float,
    volume: int,
    stop: threading.Event | None = None,
) -> None:
    """Send what comes after the history, each record when it is due, until `stop` is set."""
    clock, stop = Clock(), stop or threading.Event()
    with _sink(settings) as sink:
        for due in live(options, start_ms=clock.now_ms(), speed=speed, volume=volume):
            if stop.wait(max(0.0, (due.due_ms - clock.now_ms()) / 1000)):
                return
            sink.send([due.record])


def ingest(
    path: Path,
    strategy: Strategy,
    settings: Settings,
    *,
    mapping: Path | None,
    restart: bool,
    on_progress: Callable[[IngestProgress], None],
) -> IngestReport:
    """Send a file of events to the events' topic.

    Raises:
        InputError: A file cannot be read or does not fit, or the topic is missing.
        Unavailable: No broker answers, or it stopped taking records.
    """
    for each in (path, *([] if mapping is None else [mapping])):
        if not each.is_file():
            msg = f"{each}: there is no such file"
            raise InputError(msg)
    events = topics(settings).events
    require(settings, Access({events: WRITES}))
    codec = event_codec(settings, strategy)
    connection = client_arguments(broker_options(settings))
    with KafkaSender(settings.brokers, events, connection) as sender:
        return ingest_file(
            path,
            sender,
            decode=codec.decode_value,
            now_ms=now_ms(),
            mapping=mapping,
            restart=restart,
            on_progress=on_progress,
        )
