"""Declarations before anything happens to them, a local day at a time, as columns.

Two sources have the same shape: `GeneratedDeclarations` here and `CsvDeclarations` in
`csv_source`. A day is drawn from its own random stream, so it is the same whichever day a run
starts with.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from math import pi, sin
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kpi_stream.adapters.simulator.office_hours import OfficeHours
from kpi_stream.adapters.simulator.options import (
    TRANSPORT_MODES,
    OfficeShare,
    SimulationOptions,
)

Words = NDArray[np.object_]
"""A column of str."""


@dataclass(frozen=True, slots=True)
class Declarations:
    """The declarations numbered on one local day; all columns have the same length."""

    serial: Words
    """Unique within its day (generated) or its file; becomes part of the subject."""
    office: Words
    mode: NDArray[np.int64]
    """Index into TRANSPORT_MODES."""
    fraud: NDArray[np.bool_]
    """A true discrepancy; nobody knows it unless the goods are inspected."""
    importer: Words
    declarant: Words
    hs_chapter: NDArray[np.int64]
    """1..99."""
    origin: Words
    cif_cents: NDArray[np.int64]
    duties_cents: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of declarations."""
        return len(self.mode)


class Source(Protocol):
    """Where declarations come from."""

    @property
    def first_day(self) -> int:
        """Ordinal of the first local day of the history."""

    @property
    def fraud(self) -> float:
        """Share of declarations with a true discrepancy."""

    def on(self, day: int, rng: np.random.Generator, replica: int) -> Declarations:
        """Return the declarations of a local day; a replica other than 0 has serials of its own."""


def pseudonym(word: str) -> str:
    """Return a name that is stable and does not show `word`."""
    return blake2b(word.encode(), digest_size=6, person=b"importer").hexdigest()


def mode_mix(office: OfficeShare) -> NDArray[np.float64]:
    """Return the share of each transport mode at an office; they sum to 1."""
    weights = np.array([office.modes.get(mode, 0.0) for mode in TRANSPORT_MODES])
    mix = weights if weights.sum() > 0 else np.array(_MODE_SHARES)
    return np.asarray(mix / mix.sum())


# Source of the modes' shares: Customs Import Declaration Datasets, own count (rounded).
_MODE_SHARES = (0.56, 0.38, 0.04, 0.001, 0.003, 0.016)
_MODE_VALUE = (1.25, 0.70, 0.90, 1.0, 0.8, 0.10)
"""Mean value of a declaration by mode, before it is scaled to the mean of all."""
_VALUE_SPREAD = 1.6
"""Standard deviation of the logarithm of the value."""
_DUTY_RATES = (0.02, 0.06, 0.12, 0.18, 0.22)
_DUTY_WEIGHTS = (0.15, 0.20, 0.30, 0.25, 0.10)
_IMPORTERS = 4_000
_IMPORTER_SKEW = 2.5
"""Importer number = pool size times u to this power: a few import most."""
_DECLARANTS = 150
_ORIGINS = ("CN", "US", "BR", "DE", "MX", "KR", "JP", "IN", "IT", "ES", "VN", "CO", "AR", "CL")
_ORIGIN_WEIGHTS = (38, 19, 7, 4, 5, 4, 5, 4, 3, 3, 3, 2, 2, 1)
_BUSY_CHAPTERS = {84: 14, 85: 12, 39: 8, 87: 6, 30: 5, 61: 4, 62: 4, 64: 3, 73: 4, 90: 4, 95: 3}
_RESERVED_CHAPTER = 77
"""The Harmonized System keeps chapter 77 free."""

_WORKING_WEIGHT, _SATURDAY_WEIGHT, _CLOSED_WEIGHT = 1.25, 0.5, 0.25
_SATURDAY = 5
_SEASON = 0.08


class GeneratedDeclarations:
    """Declarations out of nothing but the options.

    Args:
        options: Of the simulation; `offices`, `per_day` and the shares.
        hours: Tells working days from others.
        last_day: Ordinal of the last local day of the history.
        days: Length of the history.
    """

    def __init__(
        self, options: SimulationOptions, hours: OfficeHours, *, last_day: int, days: int
    ) -> None:
        self.first_day = last_day - days + 1
        self.fraud = options.fraud
        self._per_day = options.per_day
        self._hours = hours
        self._codes = np.array([office.code for office in options.offices], dtype=object)
        shares = np.array([office.share for office in options.offices])
        mixes = np.array([mode_mix(office) for office in options.offices])
        cells = (shares / shares.sum())[:, None] * mixes
        self._cells = cumulative(cells.ravel().tolist())
        by_mode = cells.sum(axis=0)
        scale = options.mean_cif_cents / float(by_mode @ np.array(_MODE_VALUE))
        self._log_value = np.log(np.array(_MODE_VALUE) * scale) - _VALUE_SPREAD**2 / 2
        chapters = [c for c in range(1, 98) if c != _RESERVED_CHAPTER]
        self._chapters = np.array(chapters)
        self._chapter_weights = cumulative([_BUSY_CHAPTERS.get(c, 0.4) for c in chapters])
        self._importers = np.array([pseudonym(f"importer {n}") for n in range(_IMPORTERS)], object)
        self._declarants = np.array([f"agent-{n:03d}" for n in range(_DECLARANTS)], object)

    def on(self, day: int, rng: np.random.Generator, replica: int) -> Declarations:
        """Return the declarations of a local day; as many as a Poisson draw says."""
        n = int(rng.poisson(self._per_day * self._weight(day)))
        cell = pick(self._cells, rng, n)
        office, mode = np.divmod(cell, len(TRANSPORT_MODES))
        cif = np.exp(self._log_value[mode] + _VALUE_SPREAD * rng.standard_normal(n))
        cif_cents = np.maximum(cif, 100.0).astype(np.int64)
        rate = np.array(_DUTY_RATES)[pick(cumulative(_DUTY_WEIGHTS), rng, n)]
        importer = (_IMPORTERS * rng.random(n) ** _IMPORTER_SKEW).astype(np.int64)
        declarant = (_DECLARANTS * rng.random(n) ** _IMPORTER_SKEW).astype(np.int64)
        stamp = date.fromordinal(day).timetuple().tm_yday
        suffix = f"-{replica}" if replica else ""
        return Declarations(
            serial=np.array([f"{stamp:03d}{i:05d}{suffix}" for i in range(n)], dtype=object),
            office=self._codes[office],
            mode=mode,
            fraud=rng.random(n) < self.fraud,
            importer=self._importers[importer],
            declarant=self._declarants[declarant],
            hs_chapter=self._chapters[pick(self._chapter_weights, rng, n)],
            origin=np.array(_ORIGINS, object)[pick(cumulative(_ORIGIN_WEIGHTS), rng, n)],
            cif_cents=cif_cents,
            duties_cents=(cif_cents * rate).astype(np.int64),
        )

    def _weight(self, day: int) -> float:
        local = date.fromordinal(day)
        season = 1.0 + _SEASON * sin(2 * pi * (local.timetuple().tm_yday - 200) / 365)
        if self._hours.is_working_day(day):
            return _WORKING_WEIGHT * season
        return (_SATURDAY_WEIGHT if local.weekday() == _SATURDAY else _CLOSED_WEIGHT) * season


def cumulative(weights: Sequence[float]) -> NDArray[np.float64]:
    """Return the upper edges of the weights on the unit interval."""
    edges = np.cumsum(np.array(weights, dtype=np.float64))
    return np.asarray(edges / edges[-1])


def pick(edges: NDArray[np.float64], rng: np.random.Generator, n: int) -> NDArray[np.int64]:
    """Return `n` random positions, each as often as its weight says."""
    drawn = np.searchsorted(edges, rng.random(n), side="right")
    return np.minimum(drawn, len(edges) - 1).astype(np.int64)
