"""Declarations become life-cycle events: generated, or from a file; the same seed, the same bytes.

No clock and no administration in here: time, offices, calendar and KPIs are arguments.
"""

from kpi_stream.adapters.simulator.jsonl import write_jsonl
from kpi_stream.adapters.simulator.kafka_sink import KafkaSink
from kpi_stream.adapters.simulator.options import (
    Injections,
    OfficeShare,
    Rates,
    SimulationOptions,
    office_shares,
)
from kpi_stream.adapters.simulator.profile import Profile, read_profile
from kpi_stream.adapters.simulator.stream import Due, Simulation, live, simulate
from kpi_stream.adapters.simulator.wire import Record

__all__ = [
    "Due",
    "Injections",
    "KafkaSink",
    "OfficeShare",
    "Profile",
    "Rates",
    "Record",
    "Simulation",
    "SimulationOptions",
    "live",
    "office_shares",
    "read_profile",
    "simulate",
    "write_jsonl",
]
