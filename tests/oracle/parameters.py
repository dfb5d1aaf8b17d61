"""What the oracle takes from a strategy's YAML files: numbers and lists, never a definition."""

from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import yaml

# The column of `subjects.sql` that each dimension breaks down by.
COLUMNS = {
    "office": "office",
    "regime": "regime",
    "transport_mode": "transport_mode",
    "clearance_mode": "clearance_mode",
    "channel": "channel",
    "aeo": "aeo",
}
MULTIPLES = {"k": 10**3, "M": 10**6, "G": 10**9}


class KpiParameters(NamedTuple):
    """One KPI, without its definition."""

    id: str
    windows: tuple[str, ...]
    dimensions: tuple[str, ...]
    minimum_sample: int
    unit: str
    measured: bool


class Parameters(NamedTuple):
    """One strategy."""

    time_zone: str
    offices: frozenset[str]
    dimensions: dict[str, tuple[str, tuple[str, ...]]]
    """Column and declared members by dimension."""
    kpis: dict[str, KpiParameters]
    plans: dict[str, dict[str, int]]
    """Planned cents by local month, by KPI."""


def cents(amount: float | str) -> int:
    """Return an amount of money as cents.

    Example:
        >>> cents("13.59M"), cents(0.1), cents(12)
        (1359000000, 10, 1200)

    Raises:
        ValueError: It is not a whole number of cents.
    """
    text = str(amount)
    scale = MULTIPLES.get(text[-1], 1)
    exact = Decimal(text.rstrip("kMG")) * scale * 100
    if exact != int(exact):
        msg = f"{amount} is not a whole number of cents"
        raise ValueError(msg)
    return int(exact)


def _kpi(entry: dict[str, Any]) -> KpiParameters:
    return KpiParameters(
        entry["id"],
        tuple(entry["windows"]),
        tuple(entry["dimensions"]),
        entry["minimum_sample"],
        entry["unit"],
        entry["measure"]["kind"] != "not_measured",
    )


def read_parameters(folder: Path) -> Parameters:
    """Return the parameters of the strategy in a folder."""

    def load(name: str) -> dict[str, Any]:
        found: dict[str, Any] = yaml.safe_load((folder / name).read_text("utf-8"))
        return found

    dimensions = {
        each["id"]: (COLUMNS[each["id"]], tuple(str(member["code"]) for member in each["members"]))
        for each in load("dimensions.yaml")["dimensions"]
    }
    entries = load("kpis.yaml")["kpis"]
    return Parameters(
        load("strategy.yaml")["calendar"]["time_zone"],
        frozenset(dimensions["office"][1]),
        dimensions,
        {each["id"]: _kpi(each) for each in entries},
        {
            each["id"]: {
                month: cents(amount) for month, amount in each["measure"]["months"].items()
            }
            for each in entries
            if each["measure"]["kind"] == "plan"
        },
    )
