"""Cases for the alerts about KPIs: when each fires and ends, minute by minute."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kpi_stream.adapters.prometheus.rule_tests.watched import (
    BYSTANDER,
    FOREVER,
    SAMPLES,
    Inputs,
    Watched,
    listening,
    watched,
)
from kpi_stream.adapters.prometheus.rule_tests.writing import (
    GONE,
    Json,
    case,
    file,
    firing,
    notice,
    quiet,
)
from kpi_stream.application.monitoring import conventions as c
from kpi_stream.application.monitoring.alert import Alert
from kpi_stream.application.monitoring.edition import Edition

BAD = 10
"""Minute from which the first series is in a bad way."""
VALUE, EXPECTED, GOAL, FORECAST, LOW, HIGH = 27, 26, 24, 25, 20, 30
"""What people read; for the status it does not matter, and a band is given its own values."""


@dataclass(frozen=True)
class Times:
    """Minutes at which something is asserted."""

    severity: str
    pending: int
    """The last minute of waiting."""
    fires: int
    ends: int
    """The first minute that is well again."""
    lingers: int
    """The last minute of going on all the same."""
    quiet: int
    resumes: int
    """Where the feed is stale until `ends`: the minute in which the waiting is over."""
    step: int = 1


TIMES = {
    "KpiOffTrack": Times("critical", 24, 25, 60, 74, 75, 75),
    "KpiAtRisk": Times("warning", 69, 70, 100, 114, 115, 160),
    "KpiProjectedMiss": Times("warning", 365, 370, 400, 410, 415, 760, step=5),
    "KpiBelowBand": Times("warning", 39, 40, 60, 74, 75, 90),
    "KpiAboveBand": Times("warning", 39, 40, 60, 74, 75, 90),
}
_BAND_VALUE = {"KpiBelowBand": 12, "KpiAboveBand": 40}
_BAND_EDGE = {"KpiBelowBand": LOW, "KpiAboveBand": HIGH}

# (bad or well or no data, minutes)
Story = Sequence[tuple[str, int]]


def kpi_file(edition: Edition, alerts: Sequence[Alert]) -> tuple[str, str]:
    """Return the tests of the rules of one name."""
    cases = _Cases(edition, alerts)
    return file(alerts[0].anchor, cases.all(), step=cases.times.step)


class _Cases:
    def __init__(self, edition: Edition, alerts: Sequence[Alert]) -> None:
        self.name = alerts[0].name
        self.times = TIMES[self.name]
        self._edition = edition
        self._alerts = alerts
        # One of each shape: where the rules of a name differ in more than their KPI.
        shapes = {(a.labels["dimension"], "low" in a.summary["en"]): a for a in reversed(alerts)}
        self._typical = list(shapes.values())

    def all(self) -> Iterator[Json]:
        """Yield the cases."""
        at, name, step = self.times, self.name, self.times.step
        bad_for = at.fires - BAD
        yield self._case(
            "it fires after its time, and ends after it was well for a while",
            (("well", BAD), ("bad", at.ends - BAD), ("well", FOREVER)),
            *quiet(name, 0, at.pending),
            *self._fires(at.fires, at.ends, at.lingers, of=self._alerts),
            *quiet(name, at.quiet),
            of=self._alerts,
        )
        yield self._case(
            "a short relief does not end it",
            (("well", BAD), ("bad", at.ends - BAD), ("well", 5), ("bad", FOREVER)),
            *self._fires(at.ends, at.ends + 5, at.quiet, at.quiet + 20),
        )
        yield self._case(
            "flapping input does not begin it",
            (("well", BAD), *(("bad", bad_for), ("well", step)) * 2, ("well", FOREVER)),
            *quiet(name, at.pending, at.fires, at.fires + step),
            *quiet(name, at.fires + bad_for, at.fires + bad_for + step),
        )
        yield self._case(
            "what has no data is not judged",
            (("well", BAD), ("no data", FOREVER)),
            *quiet(name, at.fires, at.fires + 20),
        )
        yield self._case(
            "what is not exported is not judged",
            (("well", BAD), ("gone", FOREVER)),
            *quiet(name, at.fires, at.fires + 20),
        )
        yield from self._feed()
        if name in _BAND_EDGE:
            yield self._case(
                "the edge is within the band",
                (("well", BAD), ("edge", FOREVER)),
                *quiet(name, at.fires, at.fires + 20),
            )
        if name == "KpiProjectedMiss":
            yield self._case(
                "what is off track already is no miss ahead",
                (("well", BAD), ("off track", FOREVER)),
                *quiet(name, at.fires, at.fires + 20),
            )

    def _feed(self) -> Iterator[Json]:
        at, name, step = self.times, self.name, self.times.step
        bad = (("well", BAD), ("bad", FOREVER))
        yield self._case(
            "a stale feed keeps it from beginning; then it waits anew",
            bad,
            *quiet(name, at.fires, at.ends, at.resumes - step),
            *self._fires(at.resumes),
            feed=listening(step, ((1, at.ends), (0, FOREVER))),
        )
        yield self._case(
            "a stale feed ends it",
            bad,
            *self._fires(at.fires, at.lingers),
            *quiet(name, at.quiet, at.quiet + 20),
            feed=listening(step, ((0, at.ends), (1, FOREVER))),
        )
        yield self._case(
            "history that is being counted is not judged",
            bad,
            *quiet(name, at.fires, at.quiet),
            feed=listening(step, caught_up=0),
        )

    def _case(
        self,
        name: str,
        story: Story,
        *checks: Json,
        feed: Inputs | None = None,
        of: Sequence[Alert] = (),
    ) -> Json:
        inputs = dict(listening(self.times.step) if feed is None else feed)
        for alert in of or self._typical:
            first, *others = watched(self._edition, alert, self.times.step)
            inputs |= self._inputs(first, story, VALUE)
            for other in others:
                inputs |= self._inputs(other, (("well", FOREVER),), BYSTANDER)
        return case(name, inputs, checks, step=self.times.step)

    def _fires(self, *minutes: int, of: Sequence[Alert] = ()) -> list[Json]:
        notices = [self._notice(alert) for alert in of or self._typical]
        return [firing(self.name, minute, notices) for minute in minutes]

    def _inputs(self, one: Watched, story: Story, shown: float) -> Inputs:
        """Return what the scorecard exports of a series while the story goes on."""
        calm = "on_track"
        bad = {"KpiOffTrack": "off_track", "KpiAtRisk": "at_risk"}.get(self.name, calm)
        states = {"bad": bad, "well": calm, "no data": "no_data", "off track": "off_track"}
        states["edge"] = calm
        verdicts = {"bad": "off_pace", "well": "on_pace", "off track": "off_pace"}
        values: dict[str, float] = {"bad": shown, "well": shown, "off track": shown}
        if self.name in _BAND_VALUE:
            values |= {"bad": _BAND_VALUE[self.name], "well": EXPECTED}
            values["edge"] = _BAND_EDGE[self.name]
        inputs = one.status(*((states.get(how), each) for how, each in story))
        inputs |= one.number(c.KPI_VALUE, *((values.get(how, GONE), each) for how, each in story))
        inputs |= one.count(c.KPI_SAMPLES, SAMPLES if shown == VALUE else BYSTANDER)
        inputs |= one.deadline()
        inputs |= one.number(c.KPI_EXPECTED, (EXPECTED if shown == VALUE else BYSTANDER, FOREVER))
        if self.name == "KpiProjectedMiss":
            inputs |= one.verdict(*((verdicts.get(how), each) for how, each in story))
            inputs |= one.number(c.KPI_FORECAST, (FORECAST, FOREVER))
        band = one.targets[0].low is not None
        for bound, edge in {"lower": LOW, "upper": HIGH}.items() if band else [("goal", GOAL)]:
            inputs |= one.number(c.KPI_TARGET, (edge, FOREVER), bound=bound)
        return inputs

    def _notice(self, alert: Alert) -> Json:
        one = watched(self._edition, alert, self.times.step)[0]
        shown = {
            "value": one.read(_BAND_VALUE.get(self.name, VALUE)),
            "expected": one.read(EXPECTED),
            "goal": one.read(GOAL),
            "forecast": one.read(FORECAST),
            "low": one.read(LOW),
            "high": one.read(HIGH),
            "deadline": one.deadline_read(self._edition.language),
            "samples": str(SAMPLES),
        }
        return notice(self._edition, alert, self.times.severity, shown, one.own)
