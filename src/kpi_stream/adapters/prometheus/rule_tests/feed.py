"""Cases for the alerts about the events: none, none from one office, waiting, rejected."""

from collections.abc import Callable, Iterator, Mapping

from kpi_stream.adapters.prometheus.rule_tests.watched import FOREVER, Inputs, listening
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
from kpi_stream.application.monitoring.edition import Edition


def _feed_stale(edition: Edition, alert: Alert) -> Iterator[Json]:
    name = alert.name
    fired = [notice(edition, alert, "critical", {"age": "20m 34s"})]

    def tried(title: str, *story: Part, checks: list[Json]) -> Json:
        inputs = {
            scraped(c.STALE): over(*story),
            scraped(c.DATA_AGE): over((1234, FOREVER)),
        }
        return case(title, inputs, checks)

    yield tried(
        "it fires after two minutes, and ends five after events came",
        *((0, 10), (1, 30), (0, FOREVER)),
        checks=[
            *quiet(name, 0, 11),
            *(firing(name, minute, fired) for minute in (12, 40, 44)),
            *quiet(name, 45),
        ],
    )
    yield tried(
        "flapping input does not begin it",
        *((0, 10), *((1, 2), (0, 1)) * 3, (0, FOREVER)),
        checks=quiet(name, 11, 12, 14, 15, 18, 25),
    )
    yield tried(
        "a single event does not end it",
        *((0, 10), (1, 10), (0, 4), (1, FOREVER)),
        checks=[firing(name, minute, fired) for minute in (12, 20, 23, 24, 40)],
    )
    yield tried(
        "a scorecard that says nothing has an alert of its own",
        *((0, 10), (GONE, FOREVER)),
        checks=quiet(name, 12, 40),
    )


def _office_silent(edition: Edition, alert: Alert) -> Iterator[Json]:
    name = alert.name
    first, second = min(edition.strategy.offices), "another"
    numbers = {"silent": "2h 1m 0s", "active": "100 %"}
    fired = [notice(edition, alert, "warning", numbers, {"office": first})]

    def tried(
        title: str, silent: list[Part], checks: list[Json], feed: Inputs | None = None
    ) -> Json:
        inputs = dict(listening(1) if feed is None else feed)
        inputs |= {
            scraped(c.OFFICE_SILENT, office=first): over(*silent),
            scraped(c.OFFICE_ACTIVE, office=first): over((1, FOREVER)),
            # Active in a quarter of its hours: it may be silent for eight.
            scraped(c.OFFICE_SILENT, office=second): over((28_800, FOREVER)),
            scraped(c.OFFICE_ACTIVE, office=second): over((0.25, FOREVER)),
        }
        return case(title, inputs, checks)

    long: list[Part] = [(0, 10), (7260, 30), (0, FOREVER)]
    yield tried(
        "it fires five minutes after two hours, and ends five after an event",
        long,
        [
            *quiet(name, 0, 14),
            *(firing(name, minute, fired) for minute in (15, 40, 44)),
            *quiet(name, 45),
        ],
    )
    yield tried("two hours are not too long", [(7200, FOREVER)], quiet(name, 5, 60))
    yield tried(
        "flapping input does not begin it",
        [(0, 10), *((7260, 5), (0, 1)) * 3, (0, FOREVER)],
        quiet(name, 14, 15, 20, 21, 26, 27, 28),
    )
    yield tried("an office that is not exported", [(GONE, FOREVER)], quiet(name, 5, 60))
    yield tried(
        "a stale feed keeps it from beginning; then it waits anew",
        [(0, 10), (7260, FOREVER)],
        [*quiet(name, 15, 30, 34), firing(name, 35, fired)],
        listening(1, ((1, 30), (0, FOREVER))),
    )
    yield tried(
        "history that is being counted is not judged",
        long,
        quiet(name, 15, 40),
        listening(1, caught_up=0),
    )


def _worker_lagging(edition: Edition, alert: Alert) -> Iterator[Json]:
    name = alert.name
    numbers = {"lag": "11000", "before": "11000", "age": "5m 0s"}
    fired = [notice(edition, alert, "warning", numbers)]

    def tried(title: str, lags: Inputs, checks: list[Json]) -> Json:
        age = {series(c.WORKER_DATA_AGE, partition="0"): over((300, FOREVER))}
        return case(title, lags | age, checks)

    def lag(values: str, partition: str = "0", instance: str = "a") -> Inputs:
        labels = {"partition": partition, "instance": instance}
        return {series(c.WORKER_LAG, **labels): values}

    yield tried(
        "it fires after ten minutes, and ends five after the queue is short",
        lag(over((100, 10), (6000, 30), (100, FOREVER)))
        | lag(over((100, 10), (5000, 30), (100, FOREVER)), "1"),
        [
            *quiet(name, 0, 19),
            *(firing(name, minute, fired) for minute in (20, 40, 44)),
            *quiet(name, 45),
        ],
    )
    yield tried(
        "a queue that gets shorter is being worked off",
        lag(over((100, 10)) + " " + growing(30_000, -100, 60)),
        quiet(name, 19, 20, 21, 60),
    )
    yield tried(
        "ten thousand do not wait for long", lag(over((10_000, FOREVER))), quiet(name, 20, 60)
    )
    yield tried(
        "a partition that moves is counted once",
        lag(over((6000, FOREVER))) | lag(over((6000, FOREVER)), instance="b"),
        quiet(name, 20, 60),
    )
    yield tried(
        "flapping input does not begin it",
        lag(over((100, 10), *((11_000, 10), (100, 1)) * 3, (100, FOREVER))),
        quiet(name, 19, 20, 30, 31, 41, 43),
    )
    yield tried(
        "workers that say nothing have an alert of their own",
        lag(over((11_000, 5), (GONE, FOREVER))),
        quiet(name, 20, 60),
    )


def _events_rejected(edition: Edition, alert: Alert) -> Iterator[Json]:
    name = alert.name

    def fires(minute: int, share: str, many: str) -> Json:
        return firing(
            name, minute, [notice(edition, alert, "warning", {"share": share, "many": many})]
        )

    def rejected(values: str, instance: str = "a") -> Inputs:
        return {series(c.REJECTED, reason="not_json", instance=instance): values}

    def accepted(per_minute: float, instance: str = "a") -> Inputs:
        labels = {"type": "released", "outcome": "counted", "instance": instance}
        return {series(c.EVENTS, **labels): growing(0, per_minute, 100)}

    # From minute 31 on 100 a minute; from minute 61 on they are one in ten thousand.
    many_accepted = {
        each: growing(0, 100, 61) + " " + growing(1_006_000, 1_000_000, 39) for each in accepted(0)
    }
    yield case(
        "it fires after ten minutes, and ends five after the share is small",
        rejected("0+0x29 " + growing(0, 100, 70)) | many_accepted,
        [
            *quiet(name, 30, 40),
            *(fires(minute, "50.0 %", "1000") for minute in (41, 60, 65)),
            *quiet(name, 66),
        ],
    )
    yield case(
        "it ends when the last is out of sight",
        rejected("0+0x29 " + growing(0, 100, 31) + " 3000+0x40") | accepted(100),
        [fires(60, "50.0 %", "1000"), *quiet(name, 76)],
    )
    yield case(
        "four or five in ten minutes are single mistakes",
        rejected(growing(0, 0.45, 100)) | accepted(1),
        quiet(name, 30, 60),
    )
    yield case(
        "a thousandth is not many",
        rejected(growing(0, 1, 100)) | accepted(999),
        quiet(name, 30, 60),
    )
    yield case(
        "nothing was ever accepted", rejected(growing(0, 1, 100)), [fires(60, "100.0 %", "10")]
    )
    yield case(
        "shares are divided sums: half of one worker's few events are few of all",
        rejected(growing(0, 1, 100))
        | accepted(999)
        | rejected(growing(0, 1, 100), "b")
        | accepted(1, "b"),
        quiet(name, 30, 60),
    )
    yield case(
        "flapping input does not begin it",
        # One batch of ten is seen for ten minutes.
        rejected("0+0x29 10+0x11 20+0x11 30+0x60") | accepted(100),
        quiet(name, 39, 40, 41, 42, 51, 52, 53, 70),
    )
    yield case("no workers", {}, quiet(name, 60))


FEED: Mapping[str, Callable[[Edition, Alert], Iterator[Json]]] = {
    "FeedStale": _feed_stale,
    "OfficeSilent": _office_silent,
    "WorkerLagging": _worker_lagging,
    "EventsRejected": _events_rejected,
}
