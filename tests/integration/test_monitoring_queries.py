"""Every PromQL that is generated, asked of a real Prometheus over real processes with a feed.

It scrapes a worker and a scorecard that count two months of simulated events and then live ones,
holds the history that `backfill` writes, and has loaded every rule. What is empty while all is well
is listed, each with what fills it.
"""

import math
import re
import shutil
import signal
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from kpi_stream.adapters.embedded_broker import EmbeddedBroker
from kpi_stream.adapters.grafana.dashboards.controls import NATION
from kpi_stream.adapters.prometheus.rules import rule_files
from kpi_stream.adapters.simulator import Record
from kpi_stream.adapters.strategy_files import packaged_strategy_path
from kpi_stream.application.monitoring import conventions as c
from kpi_stream.application.monitoring.places import KpiPanel, kpi_uid
from kpi_stream.domain.errors import InputError
from tests.support.asked import (
    Asked,
    dashboards,
    grafana_rules,
    recorded,
    twins,
    twins_numbers,
)
from tests.support.dashboards import boards, edition
from tests.support.live import LiveFeed, event, numbered
from tests.support.processes import Process, eventually
from tests.support.prometheus import Prometheus, make_blocks
from tests.support.required import missing
from tests.support.site import Site, metrics_url, run
from tests.support.watching import prometheus_config, targets, write_rules

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

NAME = "sunat-es"
STRATEGY = edition(NAME).strategy
OFFICE = "118"
"""The busiest one."""
HISTORY = ("--days", "60", "--per-day", "60", "--seed", "7")
STALE_AFTER_S = 60
SCRAPED_EVERY_S = 5
LOOKBACK = "20m"
"""So that what compares with ten minutes ago can be asked as of in ten minutes."""
WITHIN_S = 240.0
REJECTS = 2_000
"""A twentieth of the history, and a fifth of the window over which a worker takes their share."""

OTHER_WINDOW = "only another window than the one of the target that is drawn has a line of its own"
NO_OFFICE = "only an office that is chosen has a line of its own"
EMPTY: dict[tuple[int, str], str] = {
    (KpiPanel.VALUE, "B"): OTHER_WINDOW,
    (KpiPanel.STATUS_HISTORY, "S1"): NO_OFFICE,
}
"""What finds nothing as a KPI's dashboard opens: panel and query, and why. Nothing else may."""

FAULTS = (
    "EventsRejected",
    "StrategyReloadRefused",
    "FeedStale",
    "StrategyMismatch",
    "WorkerDown",
    "ScorecardDown",
)
"""The alerts that find nothing while all is well, since nothing is wrong; in the order in which the
test below brings them about. Those of KPIs depend on what the KPIs are."""


def instant(at: datetime) -> str:
    """Return an instant as the command line takes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def more_events() -> Iterator[Record]:
    """Yield what two months of a small administration have too few of, in one office.

    Declarations that stay for more than 30 days, inspections by chance, audits, and payments of
    this month.
    """
    cents = 500_000_00
    for at in range(40):
        yield numbered(f"stays-{at}", OFFICE, ago=timedelta(days=40))
        found = at % 3 > 0
        yield event("audit.completed", f"audit-{at}", OFFICE, finding=found, amount_cents=cents)
        for basis, every in (("random", 5), ("risk", 2)):
            by = f"by-{basis}-{at}"
            yield numbered(by, OFFICE)
            yield event("debt.settled", by, OFFICE, settlement="paid", amount_cents=cents)
            yield event("channel.assigned", by, OFFICE, channel="red", basis=basis)
            result = "conforming" if at % every else "discrepancy"
            yield event("inspection.completed", by, OFFICE, result=result, officer="officer-1")


@dataclass
class Watched:
    """A site that Prometheus watches."""

    site: Site
    worker: Process
    scorecard: Process
    feed: LiveFeed
    prometheus: Prometheus
    strategy: Path
    """The scorecard's copy."""

    def ask(self, every: Iterable[Asked]) -> dict[Asked, int]:
        """Return for each query how many series with a number it finds now."""
        asked = list(dict.fromkeys(every))
        now_s = datetime.now(UTC).timestamp()
        with ThreadPoolExecutor(8) as threads:
            found = threads.map(lambda one: self._ask(one, now_s), asked)
            return dict(zip(asked, found, strict=True))

    def _ask(self, one: Asked, now_s: float) -> int:
        if not one.instant:
            span = {"start": repr(now_s - 60), "end": repr(now_s), "step": str(SCRAPED_EVERY_S)}
            found = self.prometheus.get("query_range", query=one.expr, **span)["result"]
            return sum(
                any(math.isfinite(float(value)) for _, value in each["values"]) for each in found
            )
        later_s = 600 if "offset 10m" in one.expr else 0
        return sum(map(math.isfinite, self.prometheus.query(one.expr, now_s + later_s).values()))

    def conditions(self, prefix: str) -> list[float]:
        """Return the values of the conditions of Grafana's rules whose uid begins so, now."""
        now_s = datetime.now(UTC).timestamp()
        exprs = {
            each.expr
            for each in grafana_rules(NAME)
            if each.ref == "condition" and each.where.startswith(f"{STRATEGY.id}-rule-{prefix}")
        }
        assert exprs, prefix
        with ThreadPoolExecutor(8) as threads:
            answers = threads.map(lambda expr: self.prometheus.query(expr, now_s), exprs)
            return [value for found in answers for value in found.values()]

    def firing(self, name: str) -> bool:
        """Return whether an alert of this name finds a series now."""
        asked = [Asked(name, 0, "", each.expr) for each in twins(NAME) if each.name == name]
        assert asked, name
        return any(self.ask(asked).values())

    def fires(self, name: str) -> None:
        """Wait until it does."""
        eventually(lambda: self.firing(name), within_s=WITHIN_S, what=f"{name} fires")


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A site with two months of history, a live feed, and yesterday from `backfill`."""
    folder = tmp_path_factory.mktemp("watched")
    events, strategy = folder / "events.jsonl", folder / "strategy"
    shutil.copytree(packaged_strategy_path(), strategy)
    now = datetime.now(UTC)
    run("simulate", *HISTORY, "--until", instant(now), "-o", events)
    with ExitStack() as stack:
        try:
            broker = stack.enter_context(EmbeddedBroker())
        except InputError as err:
            missing("broker", str(err))
        site = Site(
            broker.bootstrap,
            folder,
            exactly_once=False,
            strategy=strategy,
            stale_after_s=STALE_AFTER_S,
        )
        stack.enter_context(site)
        worker, scorecard = site.worker(), site.scorecard()
        where = targets(site.scorecard_url, metrics_url(worker))
        begin, end = (now - timedelta(days=1, minutes=ago) for ago in (30, -30))
        span = ["--from", instant(begin), "--to", instant(end), "--step", "30m"]
        label = ["--instance", where[c.SCORECARD_JOB]]
        run("backfill", events, *span, *label, "-o", folder / "history")
        make_blocks(folder / "history", folder / "data")
        rules = write_rules(folder / "rules", rule_files(edition(NAME)))
        config = prometheus_config(rules, where, None, every_s=SCRAPED_EVERY_S)
        prometheus = stack.enter_context(
            Prometheus(folder / "data", folder / "prometheus.log", LOOKBACK, config)
        )
        # The first scrapes find counters at zero: without them there is no rate of the history.
        eventually(
            lambda: len(prometheus.query("up == 1", datetime.now(UTC).timestamp())) == 2,
            within_s=WITHIN_S,
            what="both are scraped",
        )
        site.run("simulate", *HISTORY, "--until", instant(now))
        site.send(list(more_events()))
        feed = stack.enter_context(LiveFeed(site.brokers, sorted(STRATEGY.offices)))
        yield Watched(site, worker, scorecard, feed, prometheus, strategy)


Found = dict[Asked, int]


def opens_empty(asked: Asked) -> bool:
    """Return whether a query is one of those that find nothing as the dashboards open."""
    kpi = next((each for each in STRATEGY.kpis if kpi_uid(STRATEGY, each.id) == asked.where), None)
    why = EMPTY.get((asked.panel, asked.ref))
    if kpi is None or why is None:
        return False
    if why == NO_OFFICE:
        return 'dimension="office"' in asked.expr
    # The chosen window is the one that is drawn anyway, or one that the KPI does not have.
    windows = set(re.findall(r'window="(\w+)"', asked.expr))
    return len(windows) == 1 or not windows <= set(kpi.windows)


class Well(NamedTuple):
    """What Prometheus says while all is well."""

    opened: Found
    """Of the dashboards as they open, and of the rules."""
    chosen: dict[tuple[str, str], Found]
    """Of the dashboards with a window and an office above them; an office or the nation."""
    rules: list[dict[str, Any]]
    """The rules that it evaluates."""


@pytest.fixture(scope="module")
def well(watched: Watched) -> Well:
    """What is asked before any fault, once the feed is live."""
    every = [*dashboards(NAME), *grafana_rules(NAME), *twins_numbers(NAME), *recorded()]
    live = [
        Asked("", 0, "", f"min({c.CAUGHT_UP.name}) > 0"),
        Asked("", 0, "", f"sum(rate({c.EVENTS.name}[1m])) > 0"),
    ]

    def answered() -> Found | None:
        if not all(watched.ask(live).values()):
            return None
        found = watched.ask(every)
        return found if all(found[one] or opens_empty(one) for one in found) else None

    try:
        opened = eventually(answered, within_s=WITHIN_S, what="every query finds data")
    except TimeoutError:
        opened = watched.ask(every)
    chosen = {
        (window, office): watched.ask(dashboards(NAME, window=window, office=office))
        for window in sorted({window for kpi in STRATEGY.kpis for window in kpi.windows})
        for office in (NATION, OFFICE)
    }
    groups = watched.prometheus.get("rules")["groups"]
    return Well(opened, chosen, [rule for group in groups for rule in group["rules"]])


def test_every_query_finds_data_but_those_that_are_listed(well: Well) -> None:
    """Of every dashboard as it opens, of every rule; and what is listed is really empty."""
    assert len(well.opened) > 1000
    empty = {one for one, series in well.opened.items() if not series}
    listed = set(filter(opens_empty, well.opened))
    assert sorted(empty - listed) == []
    assert sorted(listed - empty) == []
    reasons = {EMPTY[one.panel, one.ref] for one in listed}
    assert reasons == set(EMPTY.values())


def test_a_choice_fills_what_opens_empty(well: Well) -> None:
    """With an office, or another window that the KPI has, each listed query finds data."""
    listed = {one[:3] for one in filter(opens_empty, well.opened)}
    filled = {one[:3] for found in well.chosen.values() for one, series in found.items() if series}
    assert sorted(listed - filled) == []


def test_every_choice_shows_something(well: Well) -> None:
    """With each window above it, and with an office, Prometheus answers what a dashboard asks."""
    for choice, found in well.chosen.items():
        empty = {one.where for one in found} - {one.where for one, n in found.items() if n}
        assert empty == set(), choice


def test_nothing_else_asks_prometheus() -> None:
    """No variable and no annotation of a dashboard has a query of its own."""
    for path, board in boards(NAME).items():
        assert {each["type"] for each in board["templating"]["list"]} <= {"custom", "datasource"}
        sources = {each["datasource"]["type"] for each in board["annotations"]["list"]}
        assert sources <= {"grafana"}, path


def test_prometheus_evaluates_every_rule(well: Well) -> None:
    """Each rule of the files is loaded and healthy, and its messages can be written."""
    assert [rule for rule in well.rules if rule["health"] != "ok"] == []
    alerting = [rule for rule in well.rules if rule["type"] == "alerting"]
    assert len(alerting) == len(list(twins(NAME)))
    texts = [
        text
        for rule in alerting
        for alert in rule["alerts"]
        for text in alert["annotations"].values()
    ]
    assert texts
    assert [text for text in texts if "<error" in text or "%!" in text or "{{" in text] == []


def test_the_twins_are_the_conditions() -> None:
    """Prometheus' own rules ask what Grafana's ask, against the same threshold."""
    conditions = [one.expr for one in grafana_rules(NAME) if one.ref == "condition"]
    assert sorted(f"({expr}) > 0" for expr in conditions) == sorted(
        each.expr for each in twins(NAME)
    )


@pytest.mark.usefixtures("well")
def test_faults_fire_what_is_silent_while_all_is_well(watched: Watched) -> None:
    """One fault after the other in the real processes; a stale feed ends the KPIs' own alerts."""
    site = watched.site
    assert [name for name in FAULTS if watched.firing(name)] == []
    assert any(value > 0 for value in watched.conditions("declarations-ageing"))

    # More than a hundredth of what came in the last ten minutes, and far less than half of the last
    # events of a partition, at which the worker would stop before anybody sees the counter.
    site.send([Record(b"?", b"not an event", 0)] * REJECTS)
    watched.fires("EventsRejected")

    kpis = watched.strategy / "kpis.yaml"
    right = kpis.read_text()
    kpis.write_text(right + "  - id: half-a-kpi\n")
    watched.scorecard.send(signal.SIGHUP)
    watched.fires("StrategyReloadRefused")
    kpis.write_text(right)
    watched.scorecard.send(signal.SIGHUP)
    watched.scorecard.wait_for_output("was read again", within_s=WITHIN_S)

    watched.feed.stop()
    watched.fires("FeedStale")
    for prefix in ("kpi-off-track", "kpi-at-risk", "kpi-projected-miss", "office-silent"):
        assert set(watched.conditions(prefix)) == {0.0}, prefix
    # These compare values, of which there are none.
    for prefix in ("kpi-below-band", "kpi-above-band", "declarations-ageing"):
        assert watched.conditions(prefix) == [], prefix

    # Another definition of a KPI, which the worker was not started with.
    assert "limit: 48h" in right
    kpis.write_text(right.replace("limit: 48h", "limit: 36h"))
    assert watched.scorecard.terminate(within_s=WITHIN_S) == 0
    watched.scorecard.start()
    watched.fires("StrategyMismatch")

    watched.worker.kill()
    watched.fires("WorkerDown")
    watched.scorecard.kill()
    watched.fires("ScorecardDown")
