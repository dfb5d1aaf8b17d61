"""A whole installation on this machine: Kafka, services, Prometheus, and Grafana's stub."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource

from kpi_stream.adapters.prometheus.rules import rule_files
from kpi_stream.adapters.strategy_files import load_strategy
from kpi_stream.application.monitoring import conventions as c
from kpi_stream.application.monitoring.edition import Edition
from tests.support.grafana_loaded import STRATEGIES, put
from tests.support.grafana_stub import TOKEN, GrafanaStub
from tests.support.kafka import Kafka, KafkaMissing
from tests.support.ports import free_port
from tests.support.processes import Process, eventually
from tests.support.prometheus import Prometheus
from tests.support.required import missing
from tests.support.site import WITHIN_S, Site, keyed, page, run

HARBOUR = STRATEGIES["harbour"]


@dataclass
class Installation:
    """What runs."""

    site: Site
    prometheus: Prometheus
    grafana: GrafanaStub
    rules: Path
    worker: Process
    env: dict[str, str]

    def start_worker(self) -> None:
        """Start the worker, and return once it is ready and Prometheus has seen it."""
        self.worker = self.site.worker()
        port = self.env["KPI_STREAM_WORKER_PORT"]
        eventually(
            lambda: _answers(f"http://127.0.0.1:{port}/-/ready"),
            within_s=WITHIN_S,
            what="the worker is ready",
        )
        self.scraped(up=True)

    def scraped(self, *, up: bool) -> None:
        """Return once Prometheus says so of the worker."""
        self.prometheus_says(
            lambda: any(
                (each["health"] == "up") is up and each["labels"]["job"] == c.WORKER_JOB
                for each in self.prometheus.get("targets")["activeTargets"]
            ),
            f"the worker is {'up' if up else 'down'}",
        )

    def prometheus_says(self, condition: Callable[[], bool], what: str) -> None:
        """Return once Prometheus' answers are so."""
        eventually(condition, within_s=WITHIN_S, what=f"Prometheus says that {what}")


def _answers(url: str) -> bool:
    try:
        return bool(page(url))
    except OSError:
        return False


@contextmanager
def running(folder: Path) -> Iterator[Installation]:
    """Yield all of it, with some events counted; skip the test where no Kafka can run."""
    try:
        kafka = Kafka(folder / "kafka")
    except KafkaMissing as err:
        missing("kafka", str(err))
    ports = {"worker_port": free_port(), "scorecard_port": free_port()}
    rules = folder / "rules"
    rules.mkdir()
    for name, text in rule_files(Edition(load_strategy(HARBOUR), "en")).items():
        (rules / Path(name).name).write_text(text)
    events = folder / "events.jsonl"
    run("simulate", "--strategy", HARBOUR, "--days", "1", "--per-day", "30", "-o", events)
    (folder / "token").write_text(TOKEN)
    with (
        kafka,
        Site(kafka.bootstrap, folder, exactly_once=True, strategy=HARBOUR, **ports) as site,
        GrafanaStub() as stub,
        Prometheus(folder / "data", folder / "prometheus.log", config=_config(ports, rules)) as p,
    ):
        put(stub)
        site.send(keyed(events))
        worker, scorecard = site.worker(), site.start("scorecard")
        url = f"http://127.0.0.1:{ports['scorecard_port']}"
        scorecard.wait_until(
            lambda: _answers(f"{url}/-/ready"), within_s=WITHIN_S, what="the scorecard is ready"
        )
        site.scorecard_url = url
        site.document()
        env = site.env | {
            "KPI_STREAM_PROMETHEUS_URL": p.url,
            "KPI_STREAM_GRAFANA_URL": stub.url,
            "KPI_STREAM_GRAFANA_TOKEN_FILE": str(folder / "token"),
        }
        made = Installation(site, p, stub, rules, worker, env)
        made.prometheus_says(
            lambda: all(each["health"] == "up" for each in p.get("targets")["activeTargets"]),
            "both are up",
        )
        yield made


def _config(ports: Mapping[str, int], rules: Path) -> str:
    jobs = {c.SCORECARD_JOB: ports["scorecard_port"], c.WORKER_JOB: ports["worker_port"]}
    scrapes = [
        {"job_name": job, "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}
        for job, port in jobs.items()
    ]
    return json.dumps(
        {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
            "rule_files": [f"{rules}/*.yml"],
            "scrape_configs": scrapes,
        }
    )


@contextmanager
def altered(installation: Installation, topic: str, setting: str, value: str) -> Iterator[None]:
    """Give a topic another setting for a while."""
    admin = KafkaAdminClient(bootstrap_servers=installation.site.brokers)
    (found,) = admin.describe_configs([ConfigResource("topic", topic)], config_filter="all")[
        "topic"
    ].values()
    before = found[setting]["value"]

    def is_(wanted: str) -> bool:
        (now,) = admin.describe_configs([ConfigResource("topic", topic)], config_filter="all")[
            "topic"
        ].values()
        return bool(now[setting]["value"] == wanted)

    try:
        for wanted in (value, before):
            admin.alter_configs([ConfigResource("topic", topic, {setting: wanted})])
            eventually(lambda w=wanted: is_(w), within_s=WITHIN_S, what=f"{setting}={wanted}")
            if wanted == value:
                yield
    finally:
        admin.close()
