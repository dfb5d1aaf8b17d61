"""The scorecard as JSON: perspectives, their objectives, their KPIs, their judged series.

Values are in the KPI's unit and not rounded; null is no data, and `no_data` says why.
"""

from datetime import UTC, datetime

from kpi_stream.application.judge import Judged
from kpi_stream.application.scorecard import Evaluation, JudgedInitiative, JudgedObjective
from kpi_stream.domain.readings import Reading, SeriesKey
from kpi_stream.domain.strategy import NATIONAL, Kpi

Json = dict[str, object]


def scorecard(evaluation: Evaluation) -> Json:
    """Return everything that a table of the scorecard shows."""
    strategy, freshness = evaluation.strategy, evaluation.freshness
    kpis = {kpi.id: kpi for kpi in strategy.kpis}
    series = {kpi.id: _series(kpi, evaluation) for kpi in strategy.kpis}
    age_ms = None if freshness is None else freshness.data_age_ms

    def objective(judged: JudgedObjective) -> Json:
        one = judged.objective
        return {
            "id": one.id,
            "name": dict(one.name),
            "owner": one.owner,
            "status": judged.status,
            "attainment": judged.attainment,
            "worst": None if judged.worst is None else judged.worst._asdict(),
            "causes": list(one.causes),
            "kpis": [
                {"weight": part.weight, **_kpi(kpis[part.kpi]), "series": series[part.kpi]}
                for part in one.kpis
            ],
        }

    placed = {part.kpi for one in strategy.objectives for part in one.kpis}
    return {
        "strategy": {
            "id": strategy.id,
            "name": dict(strategy.name),
            "vision": dict(strategy.vision),
            "currency": strategy.currency,
            "time_zone": strategy.calendar.time_zone,
        },
        "as_of": _time(evaluation.as_of_ms),
        "caught_up": None if freshness is None else freshness.caught_up,
        "stale": evaluation.stale,
        "data_age_s": None if age_ms is None else age_ms / 1000,
        "lag_events": None if freshness is None else freshness.lag,
        "perspectives": [
            {
                "id": band.id,
                "name": dict(band.name),
                "objectives": [
                    objective(each)
                    for each in evaluation.objectives
                    if each.objective.perspective == band.id
                ],
            }
            for band in strategy.perspectives
        ],
        "other_kpis": [
            {**_kpi(kpi), "series": series[kpi.id]} for kpi in strategy.kpis if kpi.id not in placed
        ],
        "initiatives": [_initiative(each) for each in evaluation.initiatives],
        "quality": dict(evaluation.quality),
    }


def _kpi(kpi: Kpi) -> Json:
    return {
        "kpi": kpi.id,
        "code": kpi.code,
        "name": dict(kpi.name),
        "question": dict(kpi.question),
        "unit": kpi.unit,
        "display": kpi.display,
        "direction": kpi.direction,
        "owner": kpi.owner,
        "minimum_sample": kpi.minimum_sample,
    }


def _series(kpi: Kpi, evaluation: Evaluation) -> list[Json]:
    judged = [each for each in evaluation.judged if each.key.kpi == kpi.id]
    if judged:
        return [{**_reading(each.reading), **_judgement(each)} for each in judged]
    # Without a target: the national reading over the first window, which nothing judges.
    found = evaluation.readings.get(SeriesKey(kpi.id, kpi.windows[0], NATIONAL, ""))
    return [] if found is None else [_reading(found)]


def _reading(reading: Reading) -> Json:
    return {
        "window": reading.key.window,
        "dimension": reading.key.dimension,
        "member": reading.key.member,
        "value": reading.value,
        "numerator": reading.numerator,
        "denominator": reading.denominator,
        "samples": reading.samples,
        "no_data": reading.no_data,
    }


def _judgement(judged: Judged) -> Json:
    target, ahead = judged.target, judged.forecast
    return {
        "status": judged.status,
        "status_since": _time(judged.state.since_ms),
        "expected": judged.expected,
        "attainment": judged.attainment,
        "progress": judged.progress,
        "target": {
            "id": target.id,
            "value": target.value,
            "low": target.low,
            "baseline": target.baseline,
            "baseline_at": target.baseline_at.isoformat(),
            "deadline": target.deadline.isoformat(),
            "owner": target.owner,
            "source": target.source,
            "assumption": target.assumption,
        },
        "trend": [value for _, value in judged.history],
        "slope_per_day": None if ahead is None else ahead.slope_per_day,
        "forecast": None if ahead is None else ahead.value,
        "verdict": None if ahead is None else ahead.verdict,
    }


def _initiative(judged: JudgedInitiative) -> Json:
    one = judged.initiative
    return {
        "id": one.id,
        "name": dict(one.name),
        "owner": one.owner,
        "objectives": list(one.objectives),
        "progress": one.progress,
        "elapsed": judged.elapsed,
        "spent": judged.spent,
        "overdue_actions": [
            {"name": dict(each.name), "responsible": each.responsible, "due": each.due.isoformat()}
            for each in judged.overdue
        ],
    }


def _time(ms: int) -> str:
    whole, rest = divmod(ms, 1000)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"
