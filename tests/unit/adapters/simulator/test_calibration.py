"""The simulated administration looks like one: on generated declarations and on a real file.

The file is named by KPI_STREAM_DECLARATIONS, or it is the one beside the repository.
"""

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from kpi_stream.adapters.simulator import Simulation, SimulationOptions, simulate
from kpi_stream.adapters.simulator.csv_source import CsvDeclarations
from tests.support.required import missing
from tests.unit.adapters.simulator.conftest import milliseconds, simulation_options

HOUR_MS = 3_600_000
ROOT = Path(__file__).parents[4]
BESIDE = ROOT.parent / "shared" / "data" / "customs_declarations_train.csv.gz"


class Figures:
    """What happened to the declarations of a history."""

    def __init__(self, options: SimulationOptions) -> None:
        lives: dict[str, dict[str, dict]] = {}
        self.events = 0
        for record in simulate(options):
            event = json.loads(record.value)
            lives.setdefault(event["subject"], {}).setdefault(event["type"], event)
            self.events += 1
        self.lives = [life for life in lives.values() if "declaration.numbered" in life]

    def values(self, kind: str, field: str) -> Counter:
        """Count the values of a field over the events of a type."""
        return Counter(life[kind][field] for life in self.lives if kind in life)

    def share(self, kind: str, field: str, value: object) -> float:
        """Return how often a field has a value."""
        counts = self.values(kind, field)
        return counts[value] / counts.total()

    def release_hours(self) -> float:
        """Return the mean of the hours from arrival to release, 0 where it came first."""
        hours = [
            max(0, self.moment(life, "release.granted") - self.moment(life, "transport.arrived"))
            for life in self.lives
            if {"release.granted", "transport.arrived"} <= life.keys()
        ]
        return sum(hours) / len(hours) / HOUR_MS

    @staticmethod
    def moment(life: dict[str, dict], kind: str) -> int:
        """Return when something happened."""
        return milliseconds(life[kind]["occurred_at"])

    def hits(self, basis: str) -> float:
        """Return the share of the inspections on a basis that found something."""
        results = [
            life["inspection.completed"]["result"]
            for life in self.lives
            if "inspection.completed" in life and life["channel.assigned"]["basis"] == basis
        ]
        return results.count("discrepancy") / len(results)


def check(figures: Figures) -> None:
    """Compare with the published figures that the simulation is calibrated to."""
    assert 29 < figures.release_hours() < 37
    assert figures.share("declaration.numbered", "clearance_mode", "anticipated") == pytest.approx(
        0.74, abs=0.03
    )
    assert 0.75 < figures.share("channel.assigned", "channel", "green") < 0.88
    assert 0.05 < figures.share("channel.assigned", "channel", "orange") < 0.12
    assert 0.06 < figures.share("channel.assigned", "channel", "red") < 0.12
    assert 0.15 < figures.share("inspection.completed", "result", "discrepancy") < 0.40
    assert figures.hits("risk") > 2 * figures.hits("random")
    numbered = [life["declaration.numbered"] for life in figures.lives]
    value = sum(each["cif_cents"] for each in numbered)
    assert value / len(numbered) == pytest.approx(4_000_000, rel=0.1)
    assert sum(each["duties_cents"] for each in numbered) / value == pytest.approx(0.12, abs=0.02)
    amended = sum("declaration.amended" in life for life in figures.lives)
    assert amended / len(figures.lives) == pytest.approx(0.06, abs=0.01)
    cancelled = sum("declaration.cancelled" in life for life in figures.lives)
    assert cancelled / len(figures.lives) == pytest.approx(0.01, abs=0.005)
    assert 9 < figures.events / len(figures.lives) < 12


def test_generated_declarations_look_like_an_administration():
    """Release time, channels, hits and money of the own generator are near the published ones."""
    check(Figures(simulation_options(days=180, per_day=60.0)))


def test_real_declarations_look_like_an_administration():
    """The same holds on the real file, every row of which becomes a declaration."""
    path = Path(os.environ.get("KPI_STREAM_DECLARATIONS") or BESIDE)
    if not path.exists():
        missing("declarations", f"{path} is not there")
    options = simulation_options(declarations=path, days=None)
    simulation = Simulation(options)
    assert isinstance(simulation.source, CsvDeclarations)
    figures = Figures(options)
    check(figures)
    # The rest of the file is dated in the six days after now at most.
    assert 0.98 < len(figures.lives) / len(simulation.source) <= 1.0
