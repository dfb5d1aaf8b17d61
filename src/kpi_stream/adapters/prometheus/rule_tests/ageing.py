"""Cases for stocks that grow old: more than expected, and more than a day ago."""

from collections.abc import Iterator, Sequence

from kpi_stream.adapters.prometheus.rule_tests.watched import (
    BYSTANDER,
    FOREVER,
    OLD,
    OPEN,
    Inputs,
    Watched,
    listening,
    watched,
)
from kpi_stream.adapters.prometheus.rule_tests.writing import (
    GONE,
    Json,
    Part,
    case,
    file,
    firing,
    notice,
    quiet,
)
from kpi_stream.application.monitoring import conventions as c
from kpi_stream.application.monitoring.alert import Alert
from kpi_stream.application.monitoring.edition import Edition

NAME = "DeclarationsAgeing"
STEP = 5
DAY_AND_HOUR = 1500
"""Minutes until the stock grows; a day before, it had been observed for an hour."""
EXPECTED, BEFORE, AFTER = 26, 24, 27

_GROWS = ((BEFORE, DAY_AND_HOUR), (AFTER, 100), (25, FOREVER))


def ageing_file(edition: Edition, alerts: Sequence[Alert]) -> tuple[str, str]:
    """Return the tests of the rules."""
    return file(alerts[0].anchor, _cases(edition, alerts), step=STEP)


def _cases(edition: Edition, alerts: Sequence[Alert]) -> Iterator[Json]:
    series = [(alert, watched(edition, alert, STEP)) for alert in alerts]
    fired = [_notice(edition, alert, first) for alert, (first, *_) in series]

    def tried(name: str, story: Sequence[Part], *checks: Json, feed: Inputs | None = None) -> Json:
        inputs = dict(listening(STEP) if feed is None else feed)
        for _, (first, *others) in series:
            inputs |= _inputs(first, story)
            for other in others:
                inputs |= _inputs(other, ((BYSTANDER, FOREVER),), BYSTANDER)
        return case(name, inputs, checks, step=STEP)

    def fires(*minutes: int) -> list[Json]:
        return [firing(NAME, minute, fired) for minute in minutes]

    yield tried(
        "it fires half an hour after the stock is too old and older than a day ago",
        _GROWS,
        *quiet(NAME, 0, 1500, 1525),
        *fires(1530, 1600, 1655),
        *quiet(NAME, 1660),
    )
    yield tried(
        "too old, but less so than a day ago",
        ((30, DAY_AND_HOUR), (28, FOREVER)),
        *quiet(NAME, 1530, 1700),
    )
    yield tried("too old, as a day ago", ((27, FOREVER),), *quiet(NAME, 1530, 1700))
    yield tried(
        "older than a day ago, as old as expected",
        ((20, DAY_AND_HOUR), (EXPECTED, FOREVER)),
        *quiet(NAME, 1530, 1700),
    )
    yield tried(
        "there was nothing a day ago", ((30, 100), (31, 1300)), *quiet(NAME, 135, 1000, 1395)
    )
    yield tried(
        "a gap a day ago is no gap now",
        ((BEFORE, 60), (GONE, 30), (BEFORE, 1410), (AFTER, 100), (25, FOREVER)),
        *quiet(NAME, 1525),
        *fires(1530),
    )
    yield tried(
        "a short relief does not end it",
        ((BEFORE, DAY_AND_HOUR), (AFTER, 100), (25, 30), (AFTER, FOREVER)),
        *fires(1600, 1625, 1630, 1700),
    )
    yield tried(
        "flapping input does not begin it",
        ((BEFORE, DAY_AND_HOUR), *((AFTER, 30), (BEFORE, 5)) * 3, (BEFORE, FOREVER)),
        *quiet(NAME, 1530, 1565, 1600, 1605),
    )
    yield tried(
        "what is not exported is not judged",
        ((BEFORE, DAY_AND_HOUR), (GONE, FOREVER)),
        *quiet(NAME, 1530, 1700),
    )
    yield tried(
        "a stale feed keeps it from beginning; then it waits anew",
        ((BEFORE, DAY_AND_HOUR), (AFTER, FOREVER)),
        *quiet(NAME, 1530, 1600, 1625),
        *fires(1630),
        feed=listening(STEP, ((1, 1600), (0, FOREVER))),
    )
    yield tried(
        "history that is being counted is not judged",
        _GROWS,
        *quiet(NAME, 1530, 1600),
        feed=listening(STEP, caught_up=0),
    )


def _inputs(one: Watched, story: Sequence[Part], bystander: int | None = None) -> Inputs:
    """Return what the scorecard exports: an expectation only where there is a target."""
    inputs = one.number(c.KPI_VALUE, *story)
    if one.targets:
        inputs |= one.number(c.KPI_EXPECTED, (EXPECTED, FOREVER))
    inputs |= one.count(c.KPI_NUMERATOR, OLD if bystander is None else bystander)
    return inputs | one.count(c.KPI_DENOMINATOR, OPEN if bystander is None else bystander)


def _notice(edition: Edition, alert: Alert, one: Watched) -> Json:
    shown = {
        "value": one.read(AFTER),
        "expected": one.read(EXPECTED),
        "before": one.read(BEFORE),
        "old": str(OLD),
        "open": str(OPEN),
    }
    return notice(edition, alert, "warning", shown, one.own)
