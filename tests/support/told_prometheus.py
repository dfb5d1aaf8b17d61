"""A real Prometheus that holds what a test tells it about a strategy: every family, four hours.

In each hour every KPI has another status, so that one set of queries shows all of them. Values are
chosen so that units and decimals can be told apart.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

from kpi_stream.application.monitoring import conventions as c
from kpi_stream.application.monitoring.conventions import Family
from kpi_stream.application.monitoring.recording import CODES
from kpi_stream.domain.errors import Reason
from kpi_stream.domain.forecast import Verdict
from kpi_stream.domain.readings import NoData
from kpi_stream.domain.status import Status
from kpi_stream.domain.strategy import NATIONAL, Kpi, Strategy, Unit
from tests.support.prometheus import Prometheus, make_blocks

BEGIN_S = round(datetime(2026, 6, 15, 12, tzinfo=UTC).timestamp())
"""The first hour; `Status` says the order of the statuses in the four hours."""
HOUR_S = 3600
COURSE_S = 240
"""Samples of each hour are this far apart: the second is what an instant query finds."""

VALUES = {Unit.SECONDS: 122_800.0, Unit.RATIO: 0.9012, Unit.MONEY: 2_534_567.8, Unit.COUNT: 1234.0}
"""What every KPI is, by its unit: 34.1 h, 90.1 %, 2.5 M."""
EXPECTED, TARGET, FORECAST = 1.1, 1.25, 1.2
"""Times the value."""
ATTAINMENT = {Status.ON_TRACK: 1.02, Status.AT_RISK: 0.93, Status.OFF_TRACK: 0.71}
_MEMBERS = 3
"""So many members of a dimension have series; more would show nothing else."""

_ORDER = tuple(Status)
Sample = tuple[Family, dict[str, str], float]


def hour(status: Status) -> int:
    """Return the instant, in seconds, at which the nation's KPIs have a status."""
    return BEGIN_S + HOUR_S * _ORDER.index(status)


def member_status(status: Status, at: int) -> Status:
    """Return the status of a dimension's member while the nation has one."""
    return _ORDER[(_ORDER.index(status) + 1 + at) % len(_ORDER)]


class ToldPrometheus(Prometheus):
    """Prometheus that knows what `samples` says about a strategy, as a context manager."""

    def __init__(self, strategy: Strategy, folder: Path) -> None:
        """Write the samples into blocks."""
        (folder / "told.om").write_text(openmetrics(strategy), encoding="utf-8")
        make_blocks(folder, folder / "data")
        super().__init__(folder / "data", folder / "log.txt")

    def ask(self, expr: str, at_s: int, *, course: bool = False) -> list[dict[str, Any]]:
        """Return the series of an answer; ValueError with Prometheus' words if it refuses."""
        span = {"start": str(at_s - HOUR_S), "end": str(at_s), "step": str(COURSE_S)}
        kind, when = ("query_range", span) if course else ("query", {"time": str(at_s)})
        try:
            found = self.get(kind, query=expr, **when)
        except HTTPError as error:
            msg = f"{expr}: {json.load(error)['error']}"
            raise ValueError(msg) from error
        if found["resultType"] == "scalar":
            return [{"metric": {}, "value": found["result"]}]
        series: list[dict[str, Any]] = found["result"]
        return series


def openmetrics(strategy: Strategy) -> str:
    """Return what Prometheus is told, as OpenMetrics with timestamps."""
    lines: dict[str, list[str]] = {}
    for status in _ORDER:
        for family, labels, value in samples(strategy, status):
            written = ",".join(
                f"{name}={json.dumps(text, ensure_ascii=False)}" for name, text in labels.items()
            )
            series = f"{family.name}{{{written}}}"
            found = lines.setdefault(series, [])
            found += [f"{series} {value!r} {hour(status) - ago}" for ago in (COURSE_S, 0)]
    # A family's series stand together, each with its own samples in the order of time.
    ordered = sorted(lines.items(), key=lambda each: each[0].partition("{")[0])
    return "\n".join(line for _, each in ordered for line in each) + "\n# EOF\n"


def samples(strategy: Strategy, status: Status) -> Iterator[Sample]:
    """Yield everything that Prometheus knows in the hour of a status."""
    for kpi in strategy.kpis:
        yield from _of_kpi(strategy, kpi, status)
    yield from _of_strategy(strategy, status)
    yield from _of_processes(strategy, hour(status))


def _of_kpi(strategy: Strategy, kpi: Kpi, status: Status) -> Iterator[Sample]:
    objective = next((o for o in strategy.objectives if any(p.kpi == kpi.id for p in o.kpis)), None)
    info = {
        "kpi": kpi.id,
        "code": kpi.code,
        "name_es": kpi.name["es"],
        "name_en": kpi.name["en"],
        "objective": objective.id if objective else "",
        "perspective": objective.perspective if objective else "",
        "owner": kpi.owner,
        "unit": kpi.unit.value,
        "direction": kpi.direction.value,
        "display": kpi.display,
        "measure": kpi.measure.kind,
    }
    yield c.KPI_INFO, info, 1.0
    yield c.KPI_MINIMUM_SAMPLES, {"kpi": kpi.id}, float(kpi.minimum_sample)
    for mark in strategy.benchmarks:
        if mark.kpi == kpi.id:
            labels = {"kpi": kpi.id, "benchmark": mark.id, "who": mark.who}
            yield c.KPI_BENCHMARK[kpi.unit], labels, mark.value
    if kpi.measure.kind == NoData.NOT_MEASURED.value:
        labels = dict(zip(c.SERIES, (kpi.id, kpi.windows[0], NATIONAL, ""), strict=True))
        yield c.KPI_NO_DATA, {**labels, "reason": NoData.NOT_MEASURED.value}, 1.0
        return
    for window in kpi.windows:
        yield from _of_series(strategy, kpi, (window, NATIONAL, ""), status)
        for dimension in strategy.dimensions:
            if dimension.id in kpi.dimensions:
                # A dimension without a list has the members that events bring.
                codes = [member.code for member in dimension.members[:_MEMBERS]] or ["A-1"]
                for at, code in enumerate(codes):
                    place = (window, dimension.id, code)
                    yield from _of_series(strategy, kpi, place, member_status(status, at))


def _of_series(
    strategy: Strategy, kpi: Kpi, place: tuple[str, str, str], status: Status
) -> Iterator[Sample]:
    window, dimension, member = place
    labels = {"kpi": kpi.id, "window": window, "dimension": dimension, "member": member}
    value = VALUES[kpi.unit]
    yield c.KPI_SAMPLES, labels, 4321.0
    known = status is not Status.NO_DATA
    if known:
        yield c.KPI_VALUE[kpi.unit], labels, value
        yield c.KPI_NUMERATOR, labels, 9012.0
        yield c.KPI_DENOMINATOR, labels, 10_000.0
    else:
        yield c.KPI_NO_DATA, {**labels, "reason": NoData.TOO_FEW.value}, 1.0
    target = next(
        (
            each
            for each in strategy.targets
            if (each.kpi, each.window, each.dimension) == (kpi.id, window, dimension)
            and (member in each.members or "*" in each.members)
        ),
        None,
    )
    if target is None:
        return
    for each in Status:
        yield c.KPI_STATUS, {**labels, "status": each.value}, float(each is status)
    yield c.STATUS_CODE, labels, float(CODES[status])
    yield c.KPI_STATUS_SINCE, labels, float(hour(_ORDER[0]) - 30 * 86_400)
    yield c.TARGET_DEADLINE, labels, target.deadline.timestamp()
    bounds = {"goal": TARGET} if target.low is None else {"lower": 0.9, "upper": TARGET}
    for bound, times in bounds.items():
        yield c.KPI_TARGET[kpi.unit], {**labels, "bound": bound}, times * value
    yield c.KPI_EXPECTED[kpi.unit], labels, EXPECTED * value
    if known:
        yield c.KPI_FORECAST[kpi.unit], labels, FORECAST * value
        yield c.KPI_ATTAINMENT, labels, ATTAINMENT[status]
        yield c.KPI_PROGRESS, labels, 0.5
        for verdict in Verdict:
            alike = verdict is list(Verdict)[_ORDER.index(status)]
            yield c.KPI_FORECAST_VERDICT, {**labels, "verdict": verdict.value}, float(alike)


def _of_strategy(strategy: Strategy, status: Status) -> Iterator[Sample]:
    for each in strategy.objectives:
        labels = {"objective": each.id}
        for one in Status:
            yield c.OBJECTIVE_STATUS, {**labels, "status": one.value}, float(one is status)
        yield c.OBJECTIVE_STATUS_CODE, labels, float(CODES[status])
        if status in ATTAINMENT:
            yield c.OBJECTIVE_ATTAINMENT, labels, ATTAINMENT[status]
        for part in each.kpis:
            yield c.OBJECTIVE_WEIGHT, {**labels, "kpi": part.kpi}, part.weight
        texts = {"name_es": each.name["es"], "name_en": each.name["en"], "owner": each.owner}
        yield c.OBJECTIVE_INFO, {**labels, "perspective": each.perspective, **texts}, 1.0
    for at, initiative in enumerate(strategy.initiatives):
        labels = {"initiative": initiative.id}
        texts = {
            "name_es": initiative.name["es"],
            "name_en": initiative.name["en"],
            "owner": initiative.owner,
            "objectives": ",".join(initiative.objectives),
        }
        yield c.INITIATIVE_INFO, {**labels, **texts}, 1.0
        yield c.INITIATIVE_PROGRESS, labels, 0.25 + 0.1 * at
        yield c.INITIATIVE_ELAPSED, labels, 0.5
        yield c.INITIATIVE_SPENT, labels, 0.4
        yield c.INITIATIVE_BUDGET, labels, 1_500_000.0
        yield c.INITIATIVE_SPENT_MONEY, labels, 600_000.0
        yield c.INITIATIVE_OVERDUE, labels, float(at % 2)
        for number, action in enumerate(initiative.actions):
            named = {
                "action": action.id if hasattr(action, "id") else str(number),
                "name_es": action.name["es"],
                "name_en": action.name["en"],
                "responsible": action.responsible,
            }
            due = hour(_ORDER[0]) - 86_400.0 * (number - 1)
            yield c.INITIATIVE_ACTION_DUE, {**labels, **named}, due
    for dimension in strategy.dimensions:
        for member in dimension.members:
            texts = {"name_es": member.name["es"], "name_en": member.name["en"]}
            named = {"dimension": dimension.id, "member": member.code, **texts}
            yield c.MEMBER_INFO, named, 1.0


def _of_processes(strategy: Strategy, now_s: int) -> Iterator[Sample]:
    """Yield one series of each other family, of the value that its unit lets expect."""
    told = {
        "partition": ("0", "1"),
        "office": tuple(sorted(strategy.offices))[:_MEMBERS],
        "reason": tuple(each.value for each in Reason),
        "outcome": ("counted", "rejected"),
        "status": tuple(each.value for each in Status),
        "kpi": tuple(kpi.id for kpi in strategy.kpis),
        "le": ("0.1", "1.0", "+Inf"),
    }
    for family in _others():
        process = c.WORKER_JOB if "_worker_" in family.name else c.SCORECARD_JOB
        where = {"job": process, "instance": "localhost:9100"}
        widest = max((told[each] for each in family.labels if each in told), key=len, default=("",))
        for at in range(len(widest)):
            labels = {
                each: told[each][at % len(told[each])] if each in told else f"a {each}"
                for each in family.labels
            }
            yield family, {**where, **labels}, _plausible(family.name, now_s)
    for job in (c.SCORECARD_JOB, c.WORKER_JOB):
        where = {"job": job, "instance": "localhost:9100"}
        yield Family("up", ""), where, 1.0
        yield Family("process_start_time_seconds", ""), where, float(BEGIN_S - HOUR_S)
        yield Family("process_resident_memory_bytes", ""), where, 2.0**28
        yield Family("process_cpu_seconds_total", ""), where, float(now_s - BEGIN_S)


def _plausible(name: str, now_s: int) -> float:
    if name.endswith("_timestamp_seconds"):
        return float(now_s - 60)
    if name.endswith(("_total", "_sum", "_count", "_bucket")):
        return float(now_s - BEGIN_S)
    if name.endswith("_ratio"):
        return 0.75
    flags = (c.CAUGHT_UP, c.HEALTHY, c.RELOAD_SUCCESSFUL, c.STRATEGY_MATCHES, c.BUILD_INFO)
    if name in {each.name for each in flags}:
        return 1.0
    return 0.0 if name == c.STALE.name else 42.0


def _others() -> Iterator[Family]:
    """Yield the families of the processes; histograms as their sum and count."""
    for each in vars(c).values():
        if not isinstance(each, Family) or each.name.startswith(
            ("kpi_stream_kpi_", "kpi_stream_objective_", "kpi_stream_initiative_", "series:")
        ):
            continue
        if each in (c.TARGET_INFO, c.TARGET_DEADLINE, c.MEMBER_INFO, c.OBJECTIVE_STATUS_CODE):
            continue
        if each.name.endswith("_duration_seconds"):
            for part in ("_sum", "_count"):
                yield Family(each.name + part, each.help, each.labels)
            yield Family(f"{each.name}_bucket", each.help, (*each.labels, "le"))
        else:
            yield each
