"""A Prometheus of this machine scrapes a real worker and a real scorecard by TLS and a login.

Its configuration is deploy/prometheus/prometheus-tls.yml with the addresses and files of the test.
"""

import base64
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from kpi_stream.adapters.embedded_broker import EmbeddedBroker
from kpi_stream.application.monitoring import conventions as c
from tests.support.certificates import Authority
from tests.support.compose import ROOT
from tests.support.ports import free_port
from tests.support.processes import Process, eventually
from tests.support.prometheus import Prometheus
from tests.support.site import COMMAND, Site

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

WITHIN_S = 180.0
USER, PASSWORD = "prometheus", "scrape-Contraseña-7f3a91"
SHIPPED = ROOT / "deploy/prometheus"
NAME = "kpi-stream"
"""The name in the certificate, which prometheus-tls.yml asks for."""


@dataclass
class Stack:
    """A worker and a scorecard, and what one needs to ask them."""

    folder: Path
    authority: Authority
    env: dict[str, str]
    services: tuple[Process, ...]
    ports: dict[str, int]
    """By the name of the job."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Both services with TLS and a login, on every address, as in a container."""
    folder = tmp_path_factory.mktemp("http")
    authority = Authority(folder / "pki")
    ours = authority.certificate(NAME, names=f"DNS:{NAME}")
    (folder / "password").write_text(PASSWORD)
    chosen = {
        "http_username": USER,
        "http_password_file": folder / "password",
        "http_certificate_file": ours.certificate,
        "http_key_file": ours.key,
        "scorecard_port": free_port(),
        "worker_port": free_port(),
        "log_level": "DEBUG",
    }
    ports = {c.SCORECARD_JOB: chosen["scorecard_port"], c.WORKER_JOB: chosen["worker_port"]}
    with (
        EmbeddedBroker().start() as broker,
        Site(broker.bootstrap, folder, exactly_once=False, **chosen) as site,
    ):
        services = (site.worker(), site.start("scorecard"))
        for service in ("worker", "scorecard"):
            eventually(
                lambda service=service: _healthcheck(site.env, service, "--ready").returncode == 0,
                within_s=WITHIN_S,
                what=f"the {service} is ready",
            )
        yield Stack(folder, authority, site.env, services, ports)


def _healthcheck(env: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, "healthcheck", *words]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


REFUSED: dict[str, tuple[dict[str, object], str]] = {
    "no password": ({"basic_auth": None}, "401 Unauthorized"),
    "a wrong password": (
        {"basic_auth": {"username": USER, "password": "no"}},
        "401 Unauthorized",
    ),
    "plain HTTP": ({"scheme": "http", "tls_config": None}, "EOF|reset by peer|malformed"),
    "another authority": ({"tls_config": {"server_name": NAME}}, "certificate signed by unknown"),
    "another name": (
        {"tls_config": {"server_name": "elsewhere", "ca_file": "{authority}"}},
        "certificate is valid for kpi-stream, not elsewhere",
    ),
}
"""What is wrong: changes to a job, and what Prometheus says of its targets."""


def _shipped(stack: Stack) -> dict[str, Any]:
    """Return the shipped configuration with the test's addresses and files."""
    config: dict[str, Any] = yaml.safe_load((SHIPPED / "prometheus-tls.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s"}
    del config["rule_files"], config["alerting"]
    for job in config["scrape_configs"]:
        job.pop("dns_sd_configs", None)
        job["static_configs"] = [{"targets": [f"127.0.0.1:{stack.ports[job['job_name']]}"]}]
        job["basic_auth"] = {**job["basic_auth"], "password_file": str(stack.folder / "password")}
        job["tls_config"] = {**job["tls_config"], "ca_file": str(stack.authority.file)}
    return config


def _changed(stack: Stack, job: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a job with one thing wrong, under the name of that."""
    changes, _ = REFUSED[name]
    tls = changes.get("tls_config")
    if isinstance(tls, dict) and "ca_file" in tls:
        changes = {**changes, "tls_config": {**tls, "ca_file": str(stack.authority.file)}}
    changed = {**job, **changes, "job_name": f"{job['job_name']}, {name}"}
    return {key: value for key, value in changed.items() if value is not None}


@pytest.fixture(scope="module")
def prometheus(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """The shipped configuration, and its jobs once more for each thing that can be wrong."""
    folder = tmp_path_factory.mktemp("prometheus")
    config = _shipped(stack)
    right = config["scrape_configs"]
    config["scrape_configs"] = right + [
        _changed(stack, job, name) for job in right for name in REFUSED
    ]
    text = yaml.safe_dump(config, sort_keys=False)
    with Prometheus(folder / "data", folder / "prometheus.log", config=text) as running:
        yield running


def _said(prometheus: Prometheus, jobs: Iterable[str], what: str) -> list[str]:
    """Return what Prometheus says of the targets of jobs; nothing before it knows all of them."""
    found = {
        each["labels"]["job"]: str(each[what])
        for each in prometheus.get("targets")["activeTargets"]
    }
    return [found[job] for job in jobs if set(jobs) <= found.keys()]


def test_the_two_configurations_differ_in_nothing_else() -> None:
    """What is true of one deployment is true of the other."""
    plain, secured = (
        yaml.safe_load((SHIPPED / name).read_text())
        for name in ("prometheus.yml", "prometheus-tls.yml")
    )
    for job in secured["scrape_configs"]:
        assert job.pop("scheme") == "https"
        assert job.pop("basic_auth")["username"] == USER
        assert job.pop("tls_config")["server_name"] == NAME
    assert secured == plain


def test_it_scrapes_both(stack: Stack, prometheus: Prometheus) -> None:
    """With the shipped configuration both are up and their figures are there."""
    eventually(
        lambda: set(_said(prometheus, stack.ports, "health")) == {"up"},
        within_s=WITHIN_S,
        what="both targets are up",
    )
    for name in (c.HEALTHY.name, c.RELOAD_SUCCESSFUL.name):
        eventually(
            lambda name=name: set(prometheus.query(name, time.time()).values()) == {1.0},
            within_s=WITHIN_S,
            what=f"{name} is stored",
        )


@pytest.mark.parametrize("name", REFUSED)
def test_others_are_refused(stack: Stack, prometheus: Prometheus, name: str) -> None:
    """Prometheus says why; the services say nothing that could fill a log, and go on."""
    says = REFUSED[name][1].split("|")

    def refused() -> bool:
        errors = _said(prometheus, [f"{job}, {name}" for job in stack.ports], "lastError")
        return bool(errors) and all(any(part in each for part in says) for each in errors)

    eventually(refused, within_s=WITHIN_S, what=f"both say {says}")
    for service in stack.services:
        assert "Traceback" not in service.output()
        assert service.output().count("wrong user or password") <= 1 + WITHIN_S / 60
        assert service.running


def _post(stack: Stack, password: str | None) -> int:
    context = ssl.create_default_context(cafile=stack.authority.file)
    context.check_hostname = False
    headers = {}
    if password is not None:
        login = base64.b64encode(f"{USER}:{password}".encode()).decode()
        headers = {"Authorization": f"Basic {login}"}
    url = f"https://127.0.0.1:{stack.ports[c.SCORECARD_JOB]}/-/reload"
    request = urllib.request.Request(url, method="POST", headers=headers)
    try:
        opened = urllib.request.urlopen(request, context=context, timeout=30)  # noqa: S310  (loopback)
        with opened as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_the_strategy_is_read_again_for_who_has_the_password(stack: Stack) -> None:
    """And for nobody else."""
    assert _post(stack, None) == 401
    assert _post(stack, "no") == 401
    assert _post(stack, PASSWORD) == 200


def test_the_health_check_needs_no_password_and_no_trust(stack: Stack) -> None:
    """In a container it has neither; where TLS is spoken it speaks TLS."""
    done = _healthcheck(stack.env, "worker", "--ready")
    assert (done.returncode, done.stdout[:13]) == (0, "worker: ready")
    plain = {key: value for key, value in stack.env.items() if "HTTP_" not in key}
    assert _healthcheck(plain, "worker").returncode == 1


def test_the_log_says_where_metrics_are(stack: Stack) -> None:
    """With the scheme that is spoken there."""
    told = stack.services[0].output()
    assert f"metrics on https://127.0.0.1:{stack.ports[c.WORKER_JOB]}/metrics" in told
