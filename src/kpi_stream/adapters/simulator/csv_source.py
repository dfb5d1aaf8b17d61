"""Declarations from a CSV file of the shape of the Customs Import Declaration Datasets.

The dates move by whole weeks, so that a Monday stays a Monday, and so that the last date of the
file is the day of `now` or one of the six days after it. Before its first and after its last date
the file repeats, in whole weeks, with serials of their own.

An Item Price is the value of one item in a currency that the file does not name, and its spread is
far wider than that of whole declarations (standard deviation of the logarithm 4.1). It is therefore
raised to a power and scaled to the mean that the options ask for; the order stays.
"""

import csv
import gzip
import io
import re
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kpi_stream.adapters.simulator.declarations import Declarations, Words, mode_mix, pseudonym
from kpi_stream.adapters.simulator.options import (
    TRANSPORT_MODES,
    OfficeShare,
    SimulationOptions,
)
from kpi_stream.domain.errors import InputError

_ID, _DATE, _OFFICE, _MODE = "Declaration ID", "Date", "Office ID", "Mode of Transport"
_DECLARANT, _IMPORTER, _HS6 = "Declarant ID", "Importer ID", "HS6 Code"
_ORIGIN, _RATE, _PRICE, _FRAUD = "Country of Origin", "Tax Rate", "Item Price", "Fraud"
COLUMNS = (
    _ID, _DATE, _OFFICE, _MODE, _DECLARANT, _IMPORTER, _HS6, _ORIGIN, _RATE, _PRICE, _FRAUD,
)  # fmt: skip
"""The columns that are read; others may be there."""

_MODE_CODES = {"10": "sea", "20": "rail", "30": "road", "40": "air", "50": "mail", "90": "river"}
"""Codes of the file. Assumption: 90 (other) becomes river, the one mode that has no code."""

_VALUE_POWER = 0.45
"""Brings the spread of the logarithm of the value from 4.1 to 1.9. An assumption."""
_BASE_RATE = 0.05
"""Charges beside the tariff rate of the file, so that duties come near 12 % of the value."""
_MAX_RATE = 0.40
"""The file has rates up to 754 %, which are specific duties written as percentages."""
_WEEK = 7
_SERIAL = re.compile(r"[A-Za-z0-9._:-]{1,32}", re.ASCII)
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)


class _Row(NamedTuple):
    serial: str
    office: str
    mode: int
    fraud: bool
    importer: str
    declarant: str
    chapter: int
    origin: str
    price: float
    rate: float


class CsvDeclarations:
    """The declarations of a file, shifted to `now` and repeated as often as needed.

    Args:
        path: A CSV file, compressed where its name ends in `.gz`.
        options: Of the simulation: offices, mean value, `days`.
        today: Ordinal of the local day of `now`.

    Raises:
        InputError: The file cannot be read; the text names file, line and column.
    """

    def __init__(self, path: Path, options: SimulationOptions, *, today: int) -> None:
        days = array("q")
        rows: list[_Row] = []
        for day, row in _read(path):
            days.append(day)
            rows.append(row)
        if not rows:
            msg = f"{path}: no declarations; the file has a header only"
            raise InputError(msg)
        order = np.argsort(np.array(days), kind="stable")
        self._day = np.array(days)[order]
        columns = [_objects([row[i] for row in rows])[order] for i in range(len(_Row._fields))]
        self._serial, self._office, mode, fraud, importer, self._declarant = columns[:6]
        chapter, self._origin, price, rate = columns[6:]
        self._mode = mode.astype(np.int64)
        self._fraud = fraud.astype(np.bool_)
        self._importer = _objects([pseudonym(word) for word in importer])
        self._chapter = chapter.astype(np.int64)
        self._cif = _values(price.astype(np.float64), options.mean_cif_cents)
        self._rate = np.minimum(rate.astype(np.float64), _MAX_RATE) + _BASE_RATE
        self._office = _assign(self._office, self._mode, options.offices)
        self.fraud = float(self._fraud.mean())

        last = int(self._day[-1])
        shift = -((last - today) // _WEEK) * _WEEK
        self._day = self._day + shift
        self._from, self._to = int(self._day[0]), int(self._day[-1]) + 1
        self._cycle = max(_WEEK, (self._to - self._from) // _WEEK * _WEEK)
        wanted = options.days if options.days is not None else today - self._from + 1
        self.first_day = today - wanted + 1

    def __len__(self) -> int:
        """Return the number of declarations in the file."""
        return len(self._day)

    def on(self, day: int, rng: np.random.Generator, replica: int) -> Declarations:  # noqa: ARG002
        """Return the rows of a local day; a day outside the file is one that is weeks away."""
        if self._from <= day < self._to:
            source, lap = day, 0
        else:
            # The last whole weeks of the file, end to end.
            lap, offset = divmod(day - self._to, self._cycle)
            source = self._to - self._cycle + offset
            lap = lap + 1 if lap >= 0 else lap
        rows = slice(*np.searchsorted(self._day, (source, source + 1)))
        suffix = (f"-{lap}" if lap > 0 else f"-b{-lap}" if lap else "") + (
            f"-r{replica}" if replica else ""
        )
        cif = self._cif[rows]
        return Declarations(
            serial=_objects([serial + suffix for serial in self._serial[rows]]),
            office=self._office[rows],
            mode=self._mode[rows],
            fraud=self._fraud[rows],
            importer=self._importer[rows],
            declarant=self._declarant[rows],
            hs_chapter=self._chapter[rows],
            origin=self._origin[rows],
            cif_cents=cif,
            duties_cents=(cif * self._rate[rows]).astype(np.int64),
        )


def _objects(values: Sequence[object]) -> Words:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def _values(price: NDArray[np.float64], mean_cents: int) -> NDArray[np.int64]:
    tamed = price**_VALUE_POWER
    mean = float(tamed.mean())
    scaled = tamed * (mean_cents / mean) if mean > 0 else np.full(len(price), float(mean_cents))
    return np.asarray(np.maximum(scaled, 100.0).astype(np.int64))


def _assign(office: Words, mode: NDArray[np.int64], shares: Sequence[OfficeShare]) -> Words:
    """Give each (office, mode) of the file to the office code that lacks most of its share.

    The busiest come first, so the ranks by volume agree as far as the file allows.
    """
    total = sum(each.share for each in shares)
    wanted = {each.code: each.share / total * mode_mix(each) for each in shares}
    by_mode = sum(wanted.values(), np.zeros(len(TRANSPORT_MODES)))
    counts = Counter(zip(office, mode.tolist(), strict=True))
    per_mode = Counter(mode.tolist())
    code: dict[tuple[str, int], str] = {}
    for key in sorted(counts, key=lambda key: (-counts[key], key)):
        m = key[1]
        if by_mode[m] > 0:
            weight = {name: part[m] / by_mode[m] for name, part in wanted.items()}
        else:
            # No office has this mode: share it out as if every office took it.
            weight = {each.code: each.share / total for each in shares}
        given = Counter[str]()
        for other, chosen in code.items():
            if other[1] == m:
                given[chosen] += counts[other]
        # Ties go to the first office of the options, so the outcome does not depend on hashing.
        code[key] = max(weight, key=lambda name: weight[name] - given[name] / per_mode[m])
    return _objects([code[key] for key in zip(office, mode.tolist(), strict=True)])


def _read(path: Path) -> Iterator[tuple[int, _Row]]:
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as raw:
            text = io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")
            yield from _rows(path, text)
    except FileNotFoundError as err:
        msg = f"{path}: no such file"
        raise InputError(msg) from err
    except UnicodeDecodeError as err:
        msg = f"{path}: not UTF-8 text ({err.reason}); save the file as UTF-8"
        raise InputError(msg) from err
    except (OSError, EOFError, csv.Error) as err:
        msg = f"{path}: cannot be read as {'a gzip file' if path.suffix == '.gz' else 'CSV'}: {err}"
        raise InputError(msg) from err


def _rows(path: Path, text: io.TextIOWrapper) -> Iterator[tuple[int, _Row]]:
    reader = csv.DictReader(text)
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        msg = (
            f'{path}: line 1: no column "{missing[0]}"; the header must name '
            f"{', '.join(COLUMNS)} (in any order)"
        )
        raise InputError(msg)
    for cells in reader:
        try:
            yield _parse(cells)
        except _Wrong as err:
            msg = f'{path}: line {reader.line_num}, column "{err.column}": {err}'
            raise InputError(msg) from None


class _Wrong(Exception):
    def __init__(self, column: str, found: object, right: str) -> None:
        self.column = column
        super().__init__(f"found {'nothing' if found in (None, '') else repr(found)}; {right}")


def _parse(cells: dict[str, str]) -> tuple[int, _Row]:
    for name in (_ID, _DATE, _OFFICE, _MODE, _FRAUD, _PRICE, _RATE, _HS6):
        if not cells[name]:
            raise _Wrong(name, cells[name], "every declaration needs a value here")
    try:
        day = date.fromisoformat(cells[_DATE]).toordinal()
    except ValueError:
        raise _Wrong(_DATE, cells[_DATE], "a date is written YYYY-MM-DD") from None
    if not _SERIAL.fullmatch(cells[_ID]):
        raise _Wrong(_ID, cells[_ID], "up to 32 letters, digits or one of . _ : -")
    mode = _MODE_CODES.get(cells[_MODE])
    if mode is None:
        raise _Wrong(_MODE, cells[_MODE], f"one of {', '.join(_MODE_CODES)}")
    if cells[_FRAUD] not in {"0", "1"}:
        raise _Wrong(_FRAUD, cells[_FRAUD], "0 or 1")
    chapter = cells[_HS6].zfill(6)[:2]
    if not chapter.isascii() or not chapter.isdigit() or chapter == "00":
        raise _Wrong(_HS6, cells[_HS6], "six digits that begin with a chapter, 01 to 99")
    origin = cells[_ORIGIN] or ""
    return day, _Row(
        serial=cells[_ID],
        office=cells[_OFFICE],
        mode=TRANSPORT_MODES.index(mode),
        fraud=cells[_FRAUD] == "1",
        importer=cells[_IMPORTER] or "",
        declarant=cells[_DECLARANT] or "unknown",
        chapter=int(chapter),
        origin=origin if _COUNTRY.fullmatch(origin) else "ZZ",
        price=_amount(cells, _PRICE),
        rate=_amount(cells, _RATE) / 100,
    )


def _amount(cells: dict[str, str], column: str) -> float:
    try:
        value = float(cells[column])
    except ValueError:
        raise _Wrong(column, cells[column], "a number with a decimal point") from None
    if not 0 <= value < float("inf"):
        raise _Wrong(column, cells[column], "a finite number, 0 or more")
    return value
