"""Cases for the alerts about the processes and the strategy that they hold."""

from collections.abc import Callable, Iterator, Mapping

from kpi_stream.adapters.prometheus.rule_tests.watched import FOREVER, Inputs
from kpi_stream.adapters.prometheus.rule_tests.writing import (
    GONE,
    Json,
    Part,
    case,
    firing,
    growing,
    notice,
    over,
    quiet,
    scraped,
    series,
)
from kpi_stream.application.monitoring import conventions as c
from kpi_stream.application.monitoring.alert import Alert
from kpi_stream.application.monitoring.conventions import Family
from kpi_stream.application.monitoring.edition import Edition


def _worker_down(edition: Edition, alert: Alert) -> Iterator[Json]:
    name = alert.name

    def fires(working: str, before: str, *minutes: int) -> list[Json]:
        fired = [notice(edition, alert, "critical", {"working": working, "before": before})]
        return [firing(name, minute, fired) for minute in minutes]

    def worker(instance: str, up: str, healthy: str) -> Inputs:
        labels = {"job": "kpi-stream-worker", "instance": instance}
        return {series("up", **labels): up, series(c.HEALTHY, **labels): healthy}

    well = worker("a", over((1, FOREVER)), over((1, FOREVER)))
    yield case(
        "it fires two minutes after one does not answer, and ends two after it does",
        well
        | worker(
            "b",
            over((1, 10), (0, 20), (1, FOREVER)),
            over((1, 10), (GONE, 20), (1, FOREVER)),
        ),
        [*quiet(name, 0, 11), *fires("1", "2", 12, 30, 31), *quiet(name, 32)],
    )
    yield case(
        "one that stopped with an error, but answers",
        well | worker("b", over((1, FOREVER)), over((1, 10), (0, FOREVER))),
        # Half an hour later it is still a target that does not work.
        [*quiet(name, 11), *fires("1", "2", 12), *fires("1", "1", 100)],
    )
    yield case(
        "one that was taken away is missed for half an hour",
        well | worker("b", over((1, 10), (GONE, FOREVER)), over((1, 10), (GONE, FOREVER))),
        [*quiet(name, 11), *fires("1", "2", 12, 38), *quiet(name, 43)],
    )
    yield case(
        "flapping input does not begin it",
        well
        | worker(
            "b",
            over((1, 10), *((0, 2), (1, 1)) * 3, (1, FOREVER)),
            over((1, 10), *((GONE, 2), (1, 1)) * 3, (1, FOREVER)),
        ),
        quiet(name, 11, 12, 14, 15, 18, 25),
    )
    yield case("there are none at all", {}, [*quiet(name, 1), *fires("0", "0", 2, 60)])
    yield case("two that work", well | worker("b", "1+0x99", "1+0x99"), quiet(name, 2, 60, 99))


def _scorecard_down(edition: Edition, alert: Alert) -> Iterator[Json]:
    name = alert.name

    def fires(silent: str, minute: int) -> Json:
        return firing(name, minute, [notice(edition, alert, "critical", {"silent": silent})])

    def scorecard(*up: Part) -> Inputs:
        return {
            series("up", job="kpi-stream-scorecard", instance="s"): over(*up),
            scraped(c.LAST_EVALUATION): growing(0, 60, 10) + " stale",
        }

    yield case(
        "it fires two minutes after it does not answer, and ends two after it does",
        scorecard((1, 10), (0, 20), (1, FOREVER)),
        [*quiet(name, 0, 11), fires("3m 0s", 12), fires("20m 0s", 31), *quiet(name, 32)],
    )
    yield case(
        "flapping input does not begin it",
        scorecard((1, 10), *((0, 2), (1, 1)) * 3, (1, FOREVER)),
        quiet(name, 11, 12, 14, 15, 18, 25),
    )
    yield case(
        "it is no target any more",
        scorecard((1, 10), (GONE, FOREVER)),
        [*quiet(name, 11), fires("3m 0s", 12), fires("51m 0s", 60)],
    )
    yield case("it never was", {}, [*quiet(name, 1), fires("—", 2)])


def _scorecard_stalled(edition: Edition, alert: Alert) -> Iterator[Json]:
    name = alert.name

    def fires(age: str, minute: int) -> Json:
        return firing(name, minute, [notice(edition, alert, "warning", {"age": age})])

    def evaluated(values: str) -> Inputs:
        return {scraped(c.LAST_EVALUATION): values}

    yield case(
        "it fires a minute after the last evaluation is a minute old",
        evaluated(growing(0, 60, 11) + " 600+0x18 " + growing(1800, 60, 60)),
        [
            *quiet(name, 0, 11, 12),
            fires("3m 0s", 13),
            fires("19m 0s", 31),
            *quiet(name, 32),
        ],
    )
    yield case(
        "flapping input does not begin it",
        # Two minutes late, then on time, again and again.
        evaluated(growing(0, 60, 11) + " 600 600 780 780 780 960 960 960 1140"),
        quiet(name, 12, 13, 14, 15, 16, 17, 18, 19),
    )
    yield case(
        "one without KPIs, or none", evaluated(over((0, 1), (GONE, 60))), quiet(name, 2, 13, 60)
    )


def _strategy(family: Family, severity: str) -> Callable[[Edition, Alert], Iterator[Json]]:
    def cases(edition: Edition, alert: Alert) -> Iterator[Json]:
        name = alert.name

        def fires(age: str, minute: int) -> Json:
            return firing(name, minute, [notice(edition, alert, severity, {"age": age})])

        def said(*story: Part) -> Inputs:
            return {
                scraped(family): over(*story),
                scraped(c.RELOAD_TIMESTAMP): over((60, FOREVER)),
            }

        yield case(
            "it fires after a minute, and ends two after it is well",
            said((1, 10), (0, 20), (1, FOREVER)),
            [*quiet(name, 0, 10), fires("10m 0s", 11), fires("28m 0s", 31), *quiet(name, 32)],
        )
        yield case(
            "flapping input does not begin it",
            said((1, 10), *((0, 1), (1, 1)) * 4, (1, FOREVER)),
            quiet(name, 10, 11, 12, 13, 15, 17, 20),
        )
        yield case(
            "a scorecard that says nothing has an alert of its own",
            said((1, 10), (GONE, FOREVER)),
            quiet(name, 11, 60),
        )

    return cases


SERVICES: Mapping[str, Callable[[Edition, Alert], Iterator[Json]]] = {
    "WorkerDown": _worker_down,
    "ScorecardDown": _scorecard_down,
    "ScorecardStalled": _scorecard_stalled,
    "StrategyReloadRefused": _strategy(c.RELOAD_SUCCESSFUL, "warning"),
    "StrategyMismatch": _strategy(c.STRATEGY_MATCHES, "critical"),
}
