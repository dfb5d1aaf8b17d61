"""Cases for the recording rules: sums are divided by sums."""

from collections.abc import Iterator

from kpi_stream.adapters.prometheus.rule_tests.watched import Inputs
from kpi_stream.adapters.prometheus.rule_tests.writing import (
    Json,
    file,
    growing,
    over,
    series,
)
from kpi_stream.application.monitoring import conventions as c

_STATES = ("on_track", "at_risk", "off_track", "no_data")
"""In the order of their codes."""


def recording_file() -> tuple[str, str]:
    """Return the tests of the recording rules."""
    return file("recording", _cases())


def _cases() -> Iterator[Json]:
    yield from _codes()
    yield _case(
        "events by what became of them, all workers and types; rejects are one of them",
        _events("a", "released", "counted", 60)
        | _events("a", "numbered", "counted", 120)
        | _events("b", "released", "counted", 180)
        | _events("b", "released", "late", 60)
        | _rejected("a", "not_json", 30)
        | _rejected("b", "oversized", 90),
        _rounded(
            c.EVENTS_RATE.name,
            (6, '{outcome="counted"}'),
            (1, '{outcome="late"}'),
            (2, '{outcome="rejected"}'),
        ),
        _rounded(c.REJECTED_SHARE.name, (0.2222, "{}")),
    )
    yield _case(
        "a worker with few events does not weigh as much as one with many",
        # 0.1 % of 10,000 and 50 % of 20: 20 of 10,020. The average of the two would be 25 %.
        _events("a", "released", "counted", 9990)
        | _rejected("a", "not_json", 10)
        | _events("b", "released", "counted", 10)
        | _rejected("b", "not_json", 10),
        _rounded(c.REJECTED_SHARE.name, (0.002, "{}")),
    )
    yield _case(
        "everything is rejected, and nothing was ever accepted",
        _rejected("a", "not_json", 60),
        _rounded(c.REJECTED_SHARE.name, (1, "{}")),
    )
    yield _case(
        "no events are no share",
        _events("a", "released", "counted", 0) | _rejected("a", "not_json", 0),
        _rounded(c.REJECTED_SHARE.name),
    )
    yield _case(
        "a worker with few flushes does not weigh as much as one with many",
        # 99 flushes of 10 ms and one of 1.01 s: 20 ms. The average of the two means would be 510.
        _flushes("a", 99, 0.99) | _flushes("b", 1, 1.01),
        _rounded(c.FLUSH_MEAN.name, (0.02, "{}")),
    )
    yield _case("no flushes have no mean time", _flushes("a", 0, 0), _rounded(c.FLUSH_MEAN.name))


def _codes() -> Iterator[Json]:
    for family, recorded, labels in (
        (
            c.KPI_STATUS,
            c.STATUS_CODE,
            {"kpi": "k", "window": "30d", "dimension": "office", "member": "1"},
        ),
        (c.OBJECTIVE_STATUS, c.OBJECTIVE_STATUS_CODE, {"objective": "o"}),
    ):
        for code, now in enumerate(_STATES):
            yield _case(
                f"{recorded.name}: {now} is {code}",
                {
                    series(family, **labels, status=state, instance="s"): over(
                        (int(now == state), 20)
                    )
                    for state in _STATES
                },
                {
                    "expr": recorded.name,
                    "eval_time": "15m",
                    "exp_samples": [{"labels": series(recorded, **labels), "value": code}],
                },
            )


def _case(name: str, inputs: Inputs, *checks: Json) -> Json:
    return {
        "name": name,
        "interval": "1m",
        "input_series": [{"series": each, "values": values} for each, values in inputs.items()],
        "promql_expr_test": list(checks),
    }


def _rounded(name: str, *samples: tuple[float, str]) -> Json:
    """Return the check of a recorded family, to four decimals."""
    return {
        "expr": f"round({name}, 0.0001)",
        "eval_time": "15m",
        "exp_samples": [{"labels": labels, "value": value} for value, labels in samples],
    }


def _events(instance: str, kind: str, outcome: str, per_minute: float) -> Inputs:
    labels = {"instance": instance, "type": kind, "outcome": outcome}
    return {series(c.EVENTS, **labels): growing(0, per_minute, 20)}


def _rejected(instance: str, reason: str, per_minute: float) -> Inputs:
    return {series(c.REJECTED, instance=instance, reason=reason): growing(0, per_minute, 20)}


def _flushes(instance: str, per_minute: float, seconds: float) -> Inputs:
    name = c.FLUSH_DURATION.name
    return {
        series(f"{name}_count", instance=instance): growing(0, per_minute, 20),
        series(f"{name}_sum", instance=instance): growing(0, seconds, 20),
    }
