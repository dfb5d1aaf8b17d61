"""The review as CSV files: values in base units, not rounded; an empty cell is no data.

Seconds, ratios of 0..1, major units of money. UTF-8, a comma between cells, dates as in ISO 8601.
"""

import csv
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

from kpi_stream.application.review import Review
from kpi_stream.application.stages import WayReading
from kpi_stream.domain.errors import InputError
from kpi_stream.domain.strategy import NATIONAL

Line = Mapping[str, object]


def write_tables(review: Review, folder: Path) -> list[Path]:
    """Write every table of a review into a folder, which is made; return the files.

    Raises:
        InputError: The folder or a file cannot be written.
    """
    tables = {
        "scorecard": _scorecard(review),
        "movements": _movements(review),
        "effects": _effects(review),
        "stages": _stages(review),
        "offices": _offices(review),
        "initiatives": _initiatives(review),
        "actions": _actions(review),
        "quality": _quality(review),
    }
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, lines in tables.items():
            path = folder / f"{name}.csv"
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, COLUMNS[name], lineterminator="\n")
                writer.writeheader()
                writer.writerows(lines)
            written.append(path)
    except OSError as err:
        msg = f"{err.filename or folder}: cannot be written: {err.strerror}"
        raise InputError(msg) from err
    return written


COLUMNS = {
    "scorecard": (
        *("kpi", "window", "dimension", "member", "unit", "value", "numerator", "denominator"),
        *("samples", "no_data", "month", "month_samples", "expected", "low", "target", "deadline"),
        *("gap", "status", "attainment", "forecast", "verdict", "as_of"),
    ),
    "movements": (
        *("kpi", "window", "office", "unit", "from", "until", "before_from", "before_until"),
        *("before", "before_samples", "now", "now_samples", "change", "of_mean", "why_not"),
    ),
    "effects": ("kpi", "office", "dimension", "member", "mix", "rate", "total"),
    "stages": (
        *("dimension", "member", "stage", "holder", "inside", "samples", "mean_s", "p50_s"),
        *("p90_s", "part_s", "whole_samples", "whole_mean_s"),
    ),
    "offices": (
        *("place", "office", "status", "attainment", "kpi", "window", "value", "expected"),
        *("samples", "kpi_status"),
    ),
    "initiatives": ("initiative", "owner", "start", "end", "progress", "elapsed", "spent"),
    "actions": ("initiative", "action", "responsible", "due"),
    "quality": ("what", "which", "count"),
}
"""Of each file."""


def _scorecard(review: Review) -> Iterator[Line]:
    for row in review.rows:
        reading, judged, month = row.reading, row.judged, row.month
        ahead = None if judged is None else judged.forecast
        yield {
            **reading.key._asdict(),
            "unit": row.kpi.unit.value,
            "value": reading.value,
            "numerator": reading.numerator,
            "denominator": reading.denominator,
            "samples": reading.samples,
            "no_data": "untold" if row.untold else reading.no_data,
            "month": None if month is None else month.value,
            "month_samples": None if month is None else month.samples,
            "expected": None if judged is None else judged.expected,
            "low": None if judged is None else judged.target.low,
            "target": None if judged is None else judged.target.value,
            "deadline": None if judged is None else judged.target.deadline.isoformat(),
            "gap": row.gap,
            "status": None if judged is None else judged.status.value,
            "attainment": None if judged is None else judged.attainment,
            "forecast": None if ahead is None else ahead.value,
            "verdict": None if ahead is None else ahead.verdict.value,
            "as_of": _time(review.month.as_of_ms),
        }


def _movements(review: Review) -> Iterator[Line]:
    for each in review.moved:
        now, before = each.period, each.previous
        yield {
            "kpi": each.kpi.id,
            "window": each.window,
            "office": each.office,
            "unit": each.kpi.unit.value,
            "from": None if now is None else _time(now.start_ms),
            "until": None if now is None else _time(now.end_ms),
            "before_from": None if before is None else _time(before.start_ms),
            "before_until": None if before is None else _time(before.end_ms),
            "before": each.before.value,
            "before_samples": each.before.samples,
            "now": each.now.value,
            "now_samples": each.now.samples,
            "change": each.change,
            "of_mean": each.of_mean,
            "why_not": each.why_not,
        }


def _effects(review: Review) -> Iterator[Line]:
    for each in review.moved:
        for split in each.splits:
            for effect in split.effects:
                yield {
                    "kpi": each.kpi.id,
                    "office": each.office,
                    "dimension": split.dimension,
                    "member": effect.member,
                    **_in_units(each.scale, mix=effect.mix, rate=effect.rate, total=effect.total),
                }


def _in_units(scale: Fraction, **effects: Fraction) -> dict[str, float]:
    return {name: float(effect * scale) for name, effect in effects.items()}


def _stages(review: Review) -> Iterator[Line]:
    found = review.stages
    if found is None:
        return
    yield from _way(found.whole)
    for _, members in found.dimensions:
        for each in members:
            if each != found.whole:
                yield from _way(each)


def _way(reading: WayReading) -> Iterator[Line]:
    for each in reading.stages:
        yield {
            "dimension": reading.dimension,
            "member": "" if reading.dimension == NATIONAL else reading.member,
            "stage": each.stage.id,
            "holder": each.stage.holder.value,
            "inside": each.inside,
            "samples": each.samples,
            "mean_s": each.mean,
            "p50_s": each.p50,
            "p90_s": each.p90,
            "part_s": reading.part(each),
            "whole_samples": reading.samples,
            "whole_mean_s": reading.mean,
        }


def _offices(review: Review) -> Iterator[Line]:
    for place, row in enumerate(review.offices, 1):
        office = {
            "place": None if row.credit is None else place,
            "office": row.office,
            "status": row.status.value,
            "attainment": row.credit,
        }
        for each in row.judged:
            yield office | {
                "kpi": each.key.kpi,
                "window": each.key.window,
                "value": each.reading.value,
                "expected": each.expected,
                "samples": each.reading.samples,
                "kpi_status": each.status.value,
            }
        if not row.judged:
            yield office


def _initiatives(review: Review) -> Iterator[Line]:
    for each in review.initiatives:
        one = each.initiative
        yield {
            "initiative": one.id,
            "owner": one.owner,
            "start": one.start.isoformat(),
            "end": one.end.isoformat(),
            "progress": one.progress,
            "elapsed": each.elapsed,
            "spent": each.spent,
        }


def _actions(review: Review) -> Iterator[Line]:
    language = review.strategy.language
    for each in review.initiatives:
        for action in each.overdue:
            yield {
                "initiative": each.initiative.id,
                "action": action.name[language],
                "responsible": action.responsible,
                "due": action.due.isoformat(),
            }


def _quality(review: Review) -> Iterator[Line]:
    found, feed = review.quality, review.feed
    yield {"what": "conflicting", "count": found.conflicting}
    for kpis, count in found.clamped:
        yield {"what": "clamped", "which": " ".join(kpi.id for kpi in kpis), "count": count}
    for office in found.silent:
        yield {"what": "silent_office", "which": office, "count": 1}
    yield {"what": "assumed_targets", "count": found.assumed}
    for name, count in feed.outcomes.items():
        yield {"what": "events", "which": name, "count": count}
    for name, count in feed.rejected.items():
        yield {"what": "rejected", "which": name, "count": count}
    yield {"what": "waiting", "count": feed.waiting}


def _time(ms: int) -> str:
    whole, rest = divmod(ms, 1000)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"
