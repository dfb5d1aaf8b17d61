"""The services of the Compose file, each by its own command, environment and mounted files."""

import json
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kpi_stream.adapters.strategy_files import load_strategy
from kpi_stream.application.monitoring import conventions as c
from kpi_stream.domain.strategy import Unit
from tests.support.compose import resolved
from tests.support.kafka import KafkaMissing, kafka_jars
from tests.support.processes import eventually
from tests.support.rehearsal import Rehearsal
from tests.support.required import missing
from tests.support.site import page

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

WITHIN_S = 180.0
ORDER = ("kafka", "topics", "worker", "scorecard", "prometheus")
"""An order that depends_on allows; Grafana does not run here."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """All of it but Grafana, with a feed."""
    try:
        kafka_jars()
    except KafkaMissing as err:
        missing("kafka", str(err))
    # Whatever the hour of the test, the feed is not stale.
    config = resolved(DEMO_DAYS="40", DEMO_PER_DAY="15", KPI_STREAM_STALE_AFTER_S="1000000000")
    with Rehearsal(config, tmp_path_factory.mktemp("compose")) as services:
        bring_up(services, *ORDER, "simulator")
        yield services


def bring_up(services: Rehearsal, *names: str) -> None:
    """Start services, each when what it depends on is as far as it wants it."""
    for name in names:
        for other, condition in services.depends_on(name).items():
            _fulfil(services, other, condition)
        services.start(name)


def _fulfil(services: Rehearsal, name: str, condition: str) -> None:
    """Wait as Compose does."""
    process = services.processes[name]
    if condition == "service_completed_successfully":
        assert process.wait(within_s=WITHIN_S) == 0, process.output()
    elif condition == "service_healthy":
        process.wait_until(
            lambda: services.healthy(name), within_s=WITHIN_S, what=f"{name} is healthy"
        )


def query(stack: Rehearsal, expression: str) -> list[dict[str, Any]]:
    """Return what Prometheus answers to an instant query; nothing while it starts."""
    text = urllib.parse.quote(expression)
    try:
        answer = json.loads(page(f"{stack.url('prometheus')}/api/v1/query?query={text}"))
    except OSError:
        return []
    assert answer["status"] == "success"
    found: list[dict[str, Any]] = answer["data"]["result"]
    return found


def national(stack: Rehearsal, since_s: float = 0.0) -> dict[str, str]:
    """Return the durations that Prometheus has of the whole country, by KPI and window.

    Args:
        stack: The services.
        since_s: Scraped at this time or later, in seconds since 1970.
    """
    family = c.KPI_VALUE[Unit.SECONDS].name
    selector = f'{family}{{dimension="national",job="{c.SCORECARD_JOB}"}}'
    expression = f"{selector} and timestamp({selector}) >= {since_s}"
    return {
        "{kpi} {window}".format_map(each["metric"]): each["value"][1]
        for each in query(stack, expression)
    }


def test_a_kpi_arrives_in_prometheus(stack: Rehearsal) -> None:
    """From the simulator's events to a value, by way of every service."""
    values = eventually(lambda: national(stack), within_s=WITHIN_S, what="a KPI is in Prometheus")
    strategy = load_strategy(Path(stack.mounts("scorecard")["/etc/kpi-stream/strategy"]))
    durations = {kpi.id for kpi in strategy.kpis if kpi.unit is Unit.SECONDS}
    assert {name.split()[0] for name in values} <= durations
    assert all(float(value) > 0 for value in values.values())


def test_both_jobs_are_scraped(stack: Rehearsal) -> None:
    """The configuration that is mounted finds worker and scorecard by their names."""
    eventually(
        lambda: (
            {each["metric"]["job"] for each in query(stack, "up == 1")}
            >= {c.WORKER_JOB, c.SCORECARD_JOB}
        ),
        within_s=WITHIN_S,
        what="both jobs are up",
    )


@pytest.mark.parametrize("service", ["kafka", "worker", "scorecard", "prometheus"])
def test_its_health_check_says_so(stack: Rehearsal, service: str) -> None:
    """The command of the Compose file, run beside the service, succeeds."""
    stack.processes[service].wait_until(
        lambda: stack.healthy(service), within_s=WITHIN_S, what=f"{service} is healthy"
    )


def test_the_topics_come_from_the_first_service(stack: Rehearsal) -> None:
    """The broker makes none by itself; another `up` finds them and changes nothing."""
    assert stack.settings("kafka")["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"
    assert "customs.events: created" in stack.processes["topics"].output()
    assert stack.run("topics", within_s=WITHIN_S) == 0
    assert "customs.events: exists" in stack.processes["topics"].output()


def test_it_stops_in_good_order_and_goes_on_with_its_data(stack: Rehearsal) -> None:
    """`docker compose stop` and `start`: nobody is killed, what is dead is not healthy."""
    eventually(lambda: national(stack), within_s=WITHIN_S, what="a KPI is in Prometheus")
    stack.processes["simulator"].wait_for_output("live; Ctrl-C ends it", within_s=WITHIN_S)
    stack.processes["simulator"].kill()
    for service in ("prometheus", "scorecard", "worker"):
        assert stack.stop(service) == 0, stack.processes[service].output()[-2000:]
        assert not stack.healthy(service)
    assert stack.stop("kafka") in {0, 143}  # Java's way to end on SIGTERM
    since_s = time.time()
    bring_up(stack, *ORDER)
    eventually(
        lambda: national(stack, since_s), within_s=WITHIN_S, what="a KPI is in Prometheus again"
    )
    assert "customs.events: created" not in stack.processes["topics"].output().splitlines()[-8:]
