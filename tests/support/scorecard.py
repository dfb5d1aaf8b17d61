"""A small strategy with its rows, for tests of the judgement and of the scorecard process."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from kpi_stream.adapters.state_codec import MsgspecStateCodec
from kpi_stream.application.activity import Activity
from kpi_stream.application.fold import PartitionFold
from kpi_stream.application.readings import ReadingTable
from kpi_stream.application.totals import RowTotals
from kpi_stream.domain import strategy as s
from kpi_stream.domain.catalogue import Catalogue
from kpi_stream.domain.events import BY_NAME, Event, Fact
from kpi_stream.domain.initiatives import Action, Benchmark, Initiative
from kpi_stream.domain.readings import NoData, Reading, SeriesKey
from kpi_stream.domain.rows import RowKey, encode_key
from kpi_stream.domain.windows import PANE_MS

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
NOON_MS = round(NOON.timestamp()) * 1000

ADVANCE = "advance-share"
RELEASE = "release-time"
RED = "red-share"
PLANNED = "officer-load"
"""A KPI that the strategy names and does not measure."""


def text(words: str) -> s.Text:
    """Return a text that is the same in both languages."""
    return {"es": words, "en": words}


def kpi(name: str, measure: s.Measure, unit: s.Unit, direction: s.Direction) -> s.Kpi:
    """Return a KPI over 24 h and 30 d, national and by office, that needs two samples."""
    return s.Kpi(
        name, text(name), text("?"), measure, unit, direction, ("24h", "30d"), ("office",), 2,
        "Chief", "test",
    )  # fmt: skip


def share_of_advance() -> s.Kpi:
    """Return a share (up): declarations numbered in advance."""
    anticipated = s.Condition("numbered.clearance_mode", frozenset({"anticipated"}))
    return kpi(ADVANCE, s.Share("numbered", (anticipated,)), s.Unit.RATIO, s.Direction.UP)


def release_time() -> s.Kpi:
    """Return a mean duration (down)."""
    measure = s.Duration(("arrived",), "released")
    return kpi(RELEASE, measure, s.Unit.SECONDS, s.Direction.DOWN)


def red_share() -> s.Kpi:
    """Return a share that must stay in a band."""
    red = s.Condition("channel_assigned.channel", frozenset({"red"}))
    return kpi(RED, s.Share("channel_assigned", (red,)), s.Unit.RATIO, s.Direction.BAND)


def target(of: str, value: float, **changes: object) -> s.Target:
    """Return a linear target over 24 h, from a year ago to half a year ahead, without tolerance."""
    made = s.Target(
        f"{of}-goal", of, "24h", value, NOON - timedelta(days=365), value,
        NOON + timedelta(days=180), s.TrajectoryKind.LINEAR, amber_tolerance=0.1,
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def strategy(*targets: s.Target, **changes: object) -> s.Strategy:
    """Return a strategy of four KPIs, two objectives, one initiative and two offices."""
    offices = tuple(s.Member(code, text(code)) for code in ("118", "235"))
    made = s.Strategy(
        "test", text("Test"), text("All well"), "en", "USD",
        s.Calendar("America/Lima", frozenset(range(5)), 480, 1020),
        (s.Perspective("users", text("Users")), s.Perspective("processes", text("Processes"))),
        (
            s.Objective(
                "faster", text("Faster"), text("!"), "users", "Head",
                (s.WeightedKpi(RELEASE, 0.75), s.WeightedKpi(ADVANCE, 0.25)),
            ),
            s.Objective(
                "sharper", text("Sharper"), text("!"), "processes", "Head",
                (s.WeightedKpi(RED, 1.0),), ("faster",),
            ),
        ),
        (s.Dimension("office", text("Office"), "office", offices),),
        (
            share_of_advance(), release_time(), red_share(),
            kpi(PLANNED, s.NotMeasured(text("no source")), s.Unit.COUNT, s.Direction.DOWN),
        ),
        targets,
        (
            Initiative(
                "scanners", text("Scanners"), "Head", date(2026, 1, 1), date(2026, 12, 31),
                100_00, 25_00, 0.4, ("sharper",),
                (Action(text("Buy"), "Ana", date(2026, 6, 1)),
                 Action(text("Train"), "Luis", date(2026, 7, 1))),
            ),
        ),
        (Benchmark("sg", ADVANCE, "Singapore", 0.9, "2024", "report"),),
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


class FakeTotals:
    """Readings that a test writes down: value and samples by series."""

    def __init__(self, values: dict[SeriesKey, float | None] | None = None) -> None:
        self.values = values or {}
        self.points: list[tuple[int, float | None]] = []
        self.asked: list[tuple[SeriesKey, int]] = []
        self.rows: dict[tuple[int, bytes], bytes | None] = {}

    def apply_row(self, partition: int, key: bytes, value: bytes | None) -> None:
        """Keep the record."""
        self.rows[partition, key] = value

    def readings(self, as_of_ms: int) -> dict[SeriesKey, Reading]:
        """Return what was written down; None has one sample of two."""
        del as_of_ms
        return {
            key: Reading(key, None, 0, 0, 1, NoData.TOO_FEW)
            if value is None
            else Reading(key, value, round(value * 100), 100, 100)
            for key, value in self.values.items()
        }

    def daily(
        self, kpi: str, window: str, dimension: str, member: str, as_of_ms: int, days: int
    ) -> Sequence[tuple[int, float | None]]:
        """Return the same points for every series, and remember who asked."""
        self.asked.append((SeriesKey(kpi, window, dimension, member), as_of_ms))
        return self.points[-days:]

    def quality(self, as_of_ms: int) -> dict[str, int]:
        """Return one contradiction."""
        assert as_of_ms
        return {"conflicting": 1}

    def offices(self, as_of_ms: int) -> dict[str, Activity]:
        """Return one office that was silent for a quarter of an hour."""
        assert as_of_ms
        return {"118": Activity(900_000, 0.5)}


def national(of: str, window: str = "24h") -> SeriesKey:
    """Return the national series of a KPI."""
    return SeriesKey(of, window, s.NATIONAL, "")


def office(of: str, code: str, window: str = "24h") -> SeriesKey:
    """Return an office's series of a KPI."""
    return SeriesKey(of, window, "office", code)


def totals(of: s.Strategy) -> ReadingTable:
    """Return the real totals of a strategy."""
    catalogue = Catalogue(of)
    return ReadingTable(catalogue, RowTotals(catalogue, MsgspecStateCodec()))


def numbered(subject: str, at_ms: int, *, anticipated: bool, office: str = "118") -> Event:
    """Return the event of a declaration that was numbered, recorded when it occurred."""
    mode = "anticipated" if anticipated else "deferred"
    values = (office, "10", "sea", mode, False, True, 100_00, 10_00)
    return Event(
        subject, BY_NAME["declaration.numbered"], Fact(at_ms, f"n-{subject}", at_ms, values)
    )


class Rows:
    """What a worker writes into one partition of `kpi.rows`, made by the real fold."""

    def __init__(self, of: s.Strategy) -> None:
        self.catalogue = Catalogue(of)
        self._fold = PartitionFold(self.catalogue, MsgspecStateCodec(), None)
        self.applied = -1

    def flush(
        self, events: Iterable[Event], now_ms: int, *, end: int | None = None
    ) -> list[tuple[bytes, bytes | None]]:
        """Return the records of a flush; the position record is the last."""
        for event in events:
            self._fold.apply(event)
            self.applied += 1
        return [*self._fold.drain().rows, self._position(now_ms, self._fold.watermark_ms, end)]

    def correct(
        self, at_ms: int, part: int, whole: int, office: str = "118"
    ) -> list[tuple[bytes, bytes | None]]:
        """Return a flush after which `part` of `whole` declarations at `at_ms` were in advance.

        Rows are absolute, so a later correction of the same instant replaces this one.
        """
        measure = self.catalogue.kpis[ADVANCE].measure
        assert measure is not None
        counters = dict(zip(measure.counters, (part, whole), strict=True))
        row = encode_key(RowKey(fine=True, start=at_ms // PANE_MS, generation=0, members=office))
        self.applied += 1
        return [(row, json.dumps(counters).encode()), self._position(at_ms, at_ms, None)]

    def _position(
        self, now_ms: int, watermark_ms: int, end: int | None
    ) -> tuple[bytes, bytes | None]:
        position = {
            **self._fold.meta(),
            "watermark_ms": watermark_ms,
            "applied": self.applied,
            "end": self.applied + 1 if end is None else end,
            "topic_id": None,
            "flushed_ms": now_ms,
        }
        return b"@", json.dumps(position).encode()
