"""Small simulations: a few offices, a calendar, a fixed present."""

import json
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from kpi_stream.adapters.simulator import OfficeShare, Record, SimulationOptions
from kpi_stream.domain.strategy import Calendar

CALENDAR = Calendar(
    time_zone="America/Lima",
    weekdays=frozenset(range(5)),
    opens_minute=8 * 60 + 30,
    closes_minute=16 * 60 + 30,
    holidays=frozenset({date(2026, 1, 1), date(2026, 4, 2), date(2026, 4, 3)}),
)
OFFICES = (
    OfficeShare("A-SEA", 60.0, {"sea": 1.0}),
    OfficeShare("B-AIR", 30.0, {"air": 0.9, "mail": 0.1}),
    OfficeShare("C-LAND", 10.0, {"road": 0.9, "rail": 0.1}),
)
NOW_MS = int(datetime(2026, 3, 18, 15, 30, tzinfo=UTC).timestamp() * 1000)

Make = Callable[..., SimulationOptions]


def simulation_options(**changes: Any) -> SimulationOptions:
    """Return options for forty days of a small administration."""
    chosen = {
        "now_ms": NOW_MS,
        "offices": OFFICES,
        "calendar": CALENDAR,
        "days": 40,
        "per_day": 20.0,
        "kpis": ("release-time",),
    } | changes
    return SimulationOptions(**chosen)


def events_of(records: Iterable[Record]) -> list[dict[str, Any]]:
    """Return the values of records, as JSON says them."""
    return [json.loads(record.value) for record in records]


def milliseconds(moment: str) -> int:
    """Return an RFC 3339 time as milliseconds since 1970 UTC."""
    return round(datetime.fromisoformat(moment).timestamp() * 1000)


@pytest.fixture
def options() -> Make:
    """Make options with changes."""
    return simulation_options
