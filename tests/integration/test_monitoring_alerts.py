"""From an event to a message and back: worker, scorecard, Prometheus, Alertmanager, a webhook.

The rules are those of a small strategy and the configurations are the shipped ones; only addresses
are moved, and the times that rules wait are shortened.
"""

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from kpi_stream.adapters.embedded_broker import EmbeddedBroker
from kpi_stream.adapters.prometheus.rules import rule_files
from kpi_stream.adapters.simulator import Record
from kpi_stream.application.monitoring import conventions as c
from kpi_stream.domain.errors import InputError
from tests.support.asked import twins
from tests.support.dashboards import STRATEGIES, edition
from tests.support.live import LiveFeed, event, numbered
from tests.support.processes import eventually
from tests.support.prometheus import Prometheus
from tests.support.required import missing
from tests.support.site import Site, metrics_url
from tests.support.watching import (
    DEPLOY,
    HELD,
    Alertmanager,
    Told,
    Webhook,
    alertmanager_config,
    prometheus_config,
    replaced,
    shortened,
    targets,
    write_rules,
)

NAME = "pocket-es"
EDITION = edition(NAME)
KPI, WINDOW, OFFICE = "soon", "7d", "01"
OFF_TRACK = {"alertname": "KpiOffTrack", "kpi": KPI, "member": OFFICE}
TOKEN = "the site's token"  # noqa: S105
STALE_AFTER_S = 30
WITHIN_S = 180.0
SHORTER = {"group_interval: 2m": "group_interval: 5s"}
"""How long a group that was told of waits before it tells of its end."""

_numbers = itertools.count(1)


def released(count: int, *, after: timedelta) -> Iterator[Record]:
    """Yield declarations of the office that were numbered 20 hours ago, and released so long after.

    The KPI's limit is 8 hours: what counts for it counts once they are over.
    """
    begun = timedelta(hours=20)
    for _ in range(count):
        subject = f"{OFFICE}-{next(_numbers)}"
        yield numbered(subject, OFFICE, ago=begun)
        yield event("release.granted", subject, OFFICE, ago=begun - after)


def soon(count: int) -> list[Record]:
    """Return declarations that count for the KPI."""
    return list(released(count, after=timedelta(hours=2)))


def late(count: int) -> list[Record]:
    """Return declarations that count against it."""
    return list(released(count, after=timedelta(hours=19)))


@dataclass
class Duty:
    """A site, and everything that tells people about it."""

    site: Site
    feed: LiveFeed
    prometheus: Prometheus
    alertmanager: Alertmanager
    webhook: Webhook

    def judged(self) -> dict[str, Any]:
        """Return what the scorecard's API says of the office, once it has caught up."""
        found = [
            series
            for perspective in self.site.document()["perspectives"]
            for objective in perspective["objectives"]
            for kpi in objective["kpis"]
            if kpi["kpi"] == KPI
            for series in kpi["series"]
            if (series["window"], series["member"]) == (WINDOW, OFFICE)
        ]
        return dict(found[0]) if found else {}

    def becomes(self, status: str) -> dict[str, Any]:
        """Return what the API says once the office has a status."""

        def there() -> dict[str, Any] | None:
            series = self.judged()
            return series if series.get("status") == status else None

        return eventually(there, within_s=WITHIN_S, what=f"{status} in the office")

    def states(self, name: str) -> set[str]:
        """Return the states that alerts of a name have in Prometheus."""
        alerts = self.prometheus.get("alerts")["alerts"]
        return {each["state"] for each in alerts if each["labels"]["alertname"] == name}

    def told(self, status: str, **labels: str) -> Told:
        """Return the first message that the webhook gets about an alert."""
        eventually(
            lambda: self.webhook.of(status, **labels),
            within_s=WITHIN_S,
            what=f"the webhook is told: {status} {labels}",
        )
        return self.webhook.of(status, **labels)[0]


@pytest.fixture
def duty(tmp_path: Path) -> Iterator[Duty]:
    """A site of the small strategy whose other office never falls silent."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "webhook_token").write_text(TOKEN)
    (tmp_path / "secrets" / "smtp_password").write_text("none")
    with ExitStack() as stack:
        try:
            broker = stack.enter_context(EmbeddedBroker())
        except InputError as err:
            missing("broker", str(err))
        settings = {
            "strategy": STRATEGIES / "pocket",
            "stale_after_s": STALE_AFTER_S,
            "flush_interval_s": 0.3,
        }
        site = Site(broker.bootstrap, tmp_path, exactly_once=False, **settings)
        stack.enter_context(site)
        worker = site.worker()
        site.scorecard()
        webhook = stack.enter_context(Webhook())
        config = alertmanager_config(webhook.url, tmp_path / "secrets")
        alertmanager = stack.enter_context(Alertmanager(replaced(config, SHORTER), tmp_path))
        files = {path: shortened(text) for path, text in rule_files(EDITION).items()}
        config = prometheus_config(
            write_rules(tmp_path / "rules", files),
            targets(site.scorecard_url, metrics_url(worker)),
            alertmanager.address,
            every_s=1,
        )
        prometheus = Prometheus(tmp_path / "data", tmp_path / "prometheus.log", config=config)
        stack.enter_context(prometheus)
        feed = stack.enter_context(LiveFeed(site.brokers, ["AIR_B"]))
        yield Duty(site, feed, prometheus, alertmanager, webhook)


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_a_breach_is_told_and_so_is_its_end(
    duty: Duty, record_testsuite_property: Callable[[str, object], None]
) -> None:
    """The message has the alert's labels and the scorecard's figures; a silent feed is told of."""
    site = duty.site
    site.send(soon(3))
    duty.becomes("on_track")
    assert "firing" not in duty.states("KpiOffTrack")

    site.send(late(7))
    appended_s = datetime.now(UTC).timestamp()
    series = duty.becomes("off_track")
    told = duty.told("firing", **OFF_TRACK)
    for step, seconds in steps(duty, told, appended_s).items():
        record_testsuite_property(f"seconds from the breach to {step}", seconds)

    home = {
        "objective": "nobody-waits-without-a-reason-that-is-told-to-them",
        "perspective": "people-who-are-served",
        "owner": "Collector",
    }
    where = {"strategy": EDITION.strategy.id, "office": OFFICE}
    place = {"window": WINDOW, "dimension": "office"}
    assert told.labels == OFF_TRACK | home | where | place | {"severity": "critical"}
    assert told.group == where | {"perspective": home["perspective"]}
    assert (told.path, told.authorization) == ("/hooks/on-duty", f"Bearer {TOKEN}")
    assert series["value"] == 0.3
    assert told.alert["annotations"]["summary"] == (
        "Pronto · Oficina: Muelle Norte, puesto 1: fuera de meta con "
        f"{percent(series['value'])}; hoy se espera {percent(series['expected'])} o más"
    )
    assert "10 casos" in told.alert["annotations"]["description"]

    site.send(soon(100))
    duty.becomes("on_track")
    over = duty.told("resolved", **OFF_TRACK)
    assert over.labels == told.labels
    assert over.alert["startsAt"] == told.alert["startsAt"] < over.alert["endsAt"]

    site.send(late(200))
    eventually(
        lambda: "firing" in duty.states("KpiOffTrack"), within_s=WITHIN_S, what="it fires again"
    )
    duty.feed.stop()
    stale = duty.told("firing", alertname="FeedStale")
    assert stale.labels["owner"] == "operations"
    assert stale.labels["severity"] == "critical"
    summary = stale.alert["annotations"]["summary"]
    assert summary.startswith("No llega ningún evento desde hace ")
    eventually(
        lambda: not duty.states("KpiOffTrack"), within_s=WITHIN_S, what="the KPI's alert is over"
    )
    now_s = datetime.now(UTC).timestamp()
    conditions = [
        duty.prometheus.query(twin.expr.removesuffix(" > 0"), now_s)
        for twin in twins(NAME)
        if twin.name == "KpiOffTrack"
    ]
    values = [value for found in conditions for value in found.values()]
    assert len(values) > 1
    assert set(values) == {0.0}
    active = [
        each["labels"]["alertname"]
        for each in duty.alertmanager.alerts()
        if each["status"]["state"] == "active"
    ]
    assert "FeedStale" in active
    assert "KpiOffTrack" not in active


def percent(ratio: float) -> str:
    """Return a share as a Spanish message writes it."""
    return f"{100 * ratio:.1f} %".replace(".", ",")


def steps(duty: Duty, told: Told, appended_s: float) -> dict[str, float]:
    """Return how many seconds after the causing events each step was taken."""
    of_series = f'kpi="{KPI}",member="{OFFICE}",window="{WINDOW}"'
    status = f'{c.KPI_STATUS.name}{{{of_series},status="off_track"}}'
    (found,) = duty.prometheus.get("query", query=f"{status}[10m]")["result"]
    scraped = [time_s for time_s, value in found["values"] if value == "1"]
    named = f'alertname="KpiOffTrack",{of_series}'
    state = 'ALERTS{{{},alertstate="{}"}}'
    times = {
        "judged": datetime.fromisoformat(duty.judged()["status_since"]).timestamp(),
        "scraped": min(scraped),
    }
    for each in ("pending", "firing"):
        asked = state.format(named, each)
        times[each] = min(duty.prometheus.times(asked, 600, told.at_s))
    times["told"] = told.at_s
    return {step: round(at_s - appended_s, 3) for step, at_s in times.items()}


def without(tree: Any, keys: frozenset[str]) -> Any:
    """Return YAML without some keys, at any depth."""
    if isinstance(tree, dict):
        return {name: without(each, keys) for name, each in tree.items() if name not in keys}
    return [without(each, keys) for each in tree] if isinstance(tree, list) else tree


def test_shortened_rules_differ_in_nothing_but_their_times() -> None:
    """Every alert waits for seconds; recording rules are as they were."""
    times = frozenset(HELD)
    for path, text in rule_files(EDITION).items():
        before, after = (yaml.safe_load(each) for each in (text, shortened(text)))
        assert without(before, times) == without(after, times), path
        for group in after["groups"]:
            for rule in group["rules"]:
                held = {name: rule[name] for name in HELD if name in rule}
                assert held == (HELD if "alert" in rule else {}), path


def test_the_configurations_are_the_shipped_ones_elsewhere() -> None:
    """Of Alertmanager's only addresses and mounted files; of Prometheus' the intervals as well."""
    places = frozenset({"smtp_smarthost", "smtp_auth_password_file", "url", "credentials_file"})
    shipped = yaml.safe_load((DEPLOY / "alertmanager/alertmanager.yml").read_text())
    here = yaml.safe_load(alertmanager_config("http://127.0.0.1:9", Path("/nowhere")))
    assert without(here, places) == without(shipped, places)
    assert here["receivers"][0]["webhook_configs"][0]["url"] == "http://127.0.0.1:9/hooks/on-duty"

    places = frozenset({"static_configs", "dns_sd_configs", "rule_files"})
    times = frozenset({"scrape_interval", "scrape_timeout", "evaluation_interval"})
    shipped = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
    jobs = targets("http://127.0.0.1:1/", "http://127.0.0.1:2/")
    moved = yaml.safe_load(prometheus_config(Path("/r"), jobs, "127.0.0.1:3", every_s=1))
    assert without(moved, places | times) == without(shipped, places | times)
    assert moved["rule_files"] == ["/r/*.yml"]
