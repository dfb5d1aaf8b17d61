"""No secret is told: by a service, a command, a metric, an error, `ps`; and nobody in a label.

Everything that has a secret runs with all of them set, at the level that tells most, and is refused
where it can be.
"""

import base64
import json
import os
import ssl
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import click
import pytest
from kafka.admin import UserScramCredentialDeletion
from prometheus_client.parser import text_string_to_metric_families

from kpi_stream.adapters.simulator import KafkaSink, Record
from kpi_stream.application.monitoring import conventions as c
from kpi_stream.application.ports import Topics
from kpi_stream.cli import cli
from kpi_stream.settings import PREFIX
from tests.support.grafana_stub import TOKEN, GrafanaStub, says
from tests.support.ports import free_port
from tests.support.processes import Process, eventually
from tests.support.secure_kafka import MECHANISM, Right, SecureKafka
from tests.support.secure_site import (
    COMMAND,
    KEY_PASSWORD,
    PASSWORDS,
    connection,
    settings_of,
    started,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

WITHIN_S = 180.0
HTTP_USER, HTTP_PASSWORD = "prometheus", "http-Contraseña-c41e"
HTTP_KEY_PASSWORD = "http-key-Contraseña-9b07"  # noqa: S105  (for one test)
SCORECARD_PASSWORD = "scorecard-Contraseña-5e0d"  # noqa: S105  (for one test)
PROMETHEUS_PASSWORD = "prometheus-Contraseña-2a6f"  # noqa: S105  (for one test)
WRONG = "wrong-Contraseña-11bd"
PATHS = ("/metrics", "/-/healthy", "/-/ready", "/api/v1/scorecard", "/kpis", "/nowhere")
NAMED = ("subject", "officer", "importer", "declarant", "event_id", "manifest_id")
"""Fields of an event that say who or what it is about."""
ELSEWHERE = {
    *("demo", "replay", "whatif", "backfill", "check", "schema", "generate", "completion"),
    *("worker", "scorecard"),
}
"""Commands that reach no service, and the two services, which have tests of their own here."""


@dataclass
class Services:
    """Both services with every secret, after a feed."""

    kafka: SecureKafka
    env: dict[str, str]
    events: Path
    running: dict[str, Process]
    ports: dict[str, int]
    key: Path
    pages: dict[str, str] = field(default_factory=dict)
    """What was served, by service and path."""

    def told(self) -> dict[str, str]:
        """Return all that can be read about the services from outside, by where."""
        found = dict(self.pages)
        for name, process in self.running.items():
            found[f"{name}: log"] = process.output()
            if process.running:
                for each in ("cmdline", "environ"):
                    text = Path(f"/proc/{process.pid}/{each}").read_bytes()
                    found[f"{name}: {each}"] = text.decode(errors="replace")
        return found


def forms(secret: str, *users: str) -> set[str]:
    """Return the ways in which a secret could be told."""
    found = {secret, repr(secret)[1:-1], ascii(secret)[1:-1], json.dumps(secret)[1:-1]}
    found |= {repr(secret.encode())[2:-1], urllib.parse.quote(secret), secret.encode().hex()}
    for text in (
        secret,
        *(f"{user}:{secret}" for user in users),
        *(f"\0{u}\0{secret}" for u in users),
    ):
        coded = base64.b64encode(text.encode()).decode().rstrip("=")
        # The last characters depend on what comes after.
        found.add(coded[: len(coded) // 4 * 4])
    return found


def secrets(services: Services) -> dict[str, set[str]]:
    """Return every secret in every form, by name."""
    key = "".join(services.key.read_text().splitlines()[1:-1])
    return {
        **{f"password of {user}": forms(each, user) for user, each in PASSWORDS.items()},
        "password of a key": forms(KEY_PASSWORD),
        "password of the HTTP endpoints": forms(HTTP_PASSWORD, HTTP_USER),
        "password of their key": forms(HTTP_KEY_PASSWORD),
        "password for the scorecard": forms(SCORECARD_PASSWORD, HTTP_USER),
        "password for Prometheus": forms(PROMETHEUS_PASSWORD, HTTP_USER),
        "a wrong password": forms(WRONG, HTTP_USER, *PASSWORDS),
        "Grafana's token": forms(TOKEN),
        "a private key": {key[at : at + 40] for at in range(0, len(key) - 40, 40)},
    }


def leaks(services: Services, told: dict[str, str]) -> list[str]:
    """Return each secret that was told, and where."""
    return [
        f"{name} in {where}"
        for name, ways in secrets(services).items()
        for where, text in told.items()
        if any(way in text for way in ways)
    ]


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Running, with a feed counted, after refusals of every kind."""
    folder = tmp_path_factory.mktemp("secrets")
    with started(folder / "kafka", PASSWORDS) as kafka, GrafanaStub() as grafana:
        grafana.always = says(401, "Unauthorized")
        rights = [
            ("Topic", "customs."),
            ("Topic", "kpi."),
            ("Group", "k"),
            ("TransactionalId", "k"),
        ]
        kafka.allow(
            Right(user, "All", kind, name, prefixed=True)
            for user in PASSWORDS
            for kind, name in rights
        )
        common = _settings(kafka, folder, grafana)
        _run(settings_of(kafka, "operator") | common, "topics", "init", code=0)
        events = folder / "events.jsonl"
        _run(
            os.environ.copy(), "simulate", "--days=3", "--per-day=20", f"--output={events}", code=0
        )
        _send(kafka, events)
        ports = {name: free_port() for name in ("worker", "scorecard")}
        running = {
            name: Process(
                [*COMMAND, name],
                log=folder / f"{name}.log",
                env=settings_of(kafka, name)
                | common
                | {f"{PREFIX}{each.upper()}_PORT": str(port) for each, port in ports.items()},
            )
            for name in ports
        }
        key = Path(common[f"{PREFIX}HTTP_KEY_FILE"])
        made = Services(kafka, common, events, running, ports, key)
        with running["worker"], running["scorecard"]:
            _scrape(made, kafka.authority.file)
            yield made


def _settings(kafka: SecureKafka, folder: Path, grafana: GrafanaStub) -> dict[str, str]:
    """Return the settings of all secrets but the user's own."""
    ours = kafka.certificate("client", password=KEY_PASSWORD)
    http = kafka.certificate("http", password=HTTP_KEY_PASSWORD)
    for name, text in {
        "key": KEY_PASSWORD,
        "http": HTTP_PASSWORD,
        "http_key": HTTP_KEY_PASSWORD,
        "grafana": TOKEN,
        "scorecard": SCORECARD_PASSWORD,
        "prometheus": PROMETHEUS_PASSWORD,
        "wrong": WRONG,
    }.items():
        (folder / name).write_text(f"{text}\n")
    chosen = {
        "broker_certificate_file": ours.certificate,
        "broker_key_file": ours.key,
        "broker_key_password_file": folder / "key",
        "http_username": HTTP_USER,
        "http_password_file": folder / "http",
        "http_certificate_file": http.certificate,
        "http_key_file": http.key,
        "http_key_password_file": folder / "http_key",
        "grafana_url": grafana.url,
        "grafana_token_file": folder / "grafana",
        "scorecard_username": HTTP_USER,
        "scorecard_password_file": folder / "scorecard",
        # The stub refuses everybody, whoever it is for.
        "prometheus_url": grafana.url,
        "prometheus_username": HTTP_USER,
        "prometheus_password_file": folder / "prometheus",
        "log_level": "DEBUG",
        "hold_evaluations": 1,
        "stale_after_s": 1e9,
        "flush_interval_s": 0.1,
    }
    return {f"{PREFIX}{name.upper()}": str(value) for name, value in chosen.items()}


def _send(kafka: SecureKafka, events: Path) -> None:
    """Send the feed as its source would, and one record that is rejected."""
    records = [
        Record(json.loads(line)["subject"].encode(), line, 0)
        for line in events.read_bytes().splitlines()
    ]
    with KafkaSink(kafka.scram, Topics().events, connection(kafka, "producer")) as sink:
        sink.send([*records, Record(b"?", b"no event", 0)])


def _get(port: int, path: str, authority: Path, password: str | None) -> tuple[int, str]:
    context = ssl.create_default_context(cafile=authority)
    headers = {}
    if password is not None:
        login = base64.b64encode(f"{HTTP_USER}:{password}".encode()).decode()
        headers = {"Authorization": f"Basic {login}"}
    request = urllib.request.Request(f"https://127.0.0.1:{port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, context=context, timeout=30) as answer:  # noqa: S310  (as above)
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, f"{error.headers}{error.read().decode()}"
    except OSError:
        return 0, ""


def _scrape(services: Services, authority: Path) -> None:
    """Keep every page, once the feed is counted, and the answers to who may not see it."""
    for name, counted in (("worker", c.FLUSHED_EVENTS.name), ("scorecard", c.KPI_STATUS.name)):
        port, process = services.ports[name], services.running[name]

        def complete(port: int = port, counted: str = counted) -> bool:
            families = text_string_to_metric_families(
                _get(port, "/metrics", authority, HTTP_PASSWORD)[1]
            )
            return any(
                sample.value
                for family in families
                for sample in family.samples
                if sample.name.startswith(counted)
            )

        process.wait_until(complete, within_s=WITHIN_S, what=f"{counted} is served")
        for path in (
            "/metrics",
            "/-/healthy",
            "/-/ready",
            "/api/v1/scorecard",
            "/kpis",
            "/nowhere",
        ):
            for password in (HTTP_PASSWORD, WRONG, None):
                status, text = _get(port, path, authority, password)
                assert status
                services.pages[f"{name}: {path} with {password and '*'}: {status}"] = text


def test_the_services_tell_none(services: Services) -> None:
    """Not in a log, a page, a command line or the environment; also where they are refused."""
    told = services.told()
    assert "wrong user or password" in told["worker: log"]
    assert {where for where in told if where.endswith(": 401")}
    assert leaks(services, told) == []


def test_a_secret_that_is_told_is_found(services: Services) -> None:
    """In each form, so that the test above can fail."""
    login = base64.b64encode(f"{HTTP_USER}:{HTTP_PASSWORD}".encode()).decode()
    for text in (f"Authorization: Basic {login}", repr({"password": HTTP_PASSWORD}), HTTP_PASSWORD):
        assert leaks(services, {"a log": f"... {text} ..."}) == [
            "password of the HTTP endpoints in a log"
        ]
    assert leaks(services, {"a log": services.key.read_text().replace("\n", "")})


def test_nobody_is_in_a_label(services: Services) -> None:
    """Of all exported series no label names a declaration, an officer, or whom it concerns."""
    feed = [json.loads(line) for line in services.events.read_bytes().splitlines()]
    known = {str(event[name]) for event in feed for name in NAMED if event.get(name)}
    assert {name for event in feed for name in NAMED if event.get(name)} == set(NAMED)
    assert len(known) > len(feed)
    for service in services.ports:
        text = services.pages[f"{service}: /metrics with *: 200"]
        families = list(text_string_to_metric_families(text))
        values = {
            value
            for family in families
            for sample in family.samples
            for value in sample.labels.values()
        }
        assert len(values) > 5
        assert [each for each in known if any(each in value for value in values)] == []


def _commands(group: click.Group, *before: str) -> Iterator[tuple[str, ...]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if not isinstance(command, click.Group) or command.invoke_without_command:
            yield (*before, name)
        if isinstance(command, click.Group):
            yield from _commands(command, *before, name)


WORDS = {
    ("simulate",): ["simulate", "--days=1"],
    ("explain",): ["explain", "release-time-mean", "--url", "http://127.0.0.1:{scorecard}"],
    ("report",): ["report", "--period=2026-06"],
    ("worklist",): ["worklist"],
    ("topics", "init"): ["topics", "init"],
    ("ingest",): ["ingest", "{events}"],
    ("rebuild",): ["rebuild"],
    ("healthcheck",): ["healthcheck", "scorecard"],
    ("dlq", "list"): ["dlq", "list"],
    ("dlq", "show"): ["dlq", "show", "0:0"],
    ("dlq", "redrive"): ["dlq", "redrive", "--all"],
    ("doctor",): ["doctor"],
    ("doctor", "grafana"): ["doctor", "grafana"],
}


def test_every_command_that_reaches_a_service_is_listed() -> None:
    """A new one is tested here, or listed as one that has nothing to hide."""
    found = {words for words in _commands(cli) if words[0] not in ELSEWHERE}
    assert found == set(WORDS)


@pytest.mark.long
@pytest.mark.parametrize("command", WORDS, ids=" ".join)
def test_a_command_that_is_refused_tells_none(
    services: Services, tmp_path: Path, command: tuple[str, ...]
) -> None:
    """With a wrong password for Kafka, and a Grafana that knows no such token."""
    wrong = tmp_path / "password"
    wrong.write_text(WRONG)
    env = settings_of(services.kafka, "worker") | services.env
    env |= {f"{PREFIX}SASL_PASSWORD_FILE": str(wrong)}
    given = {"events": services.events, "scorecard": services.ports["scorecard"]}
    words = [each.format(**given) for each in WORDS[command]]
    code, told = _run(env, *words)
    assert code != 0, told
    assert leaks(services, {"output": told}) == []


def _run(env: dict[str, str], *words: str, code: int | None = None) -> tuple[int, str]:
    done = subprocess.run(
        [*COMMAND, *words], env=env, capture_output=True, text=True, check=False, timeout=WITHIN_S
    )
    assert code in {None, done.returncode}, done.stderr
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["worker", "scorecard"])
def test_a_service_whose_login_is_taken_away_tells_none(services: Services, name: str) -> None:
    """It ends with an error, and that says nothing more than who was refused."""
    with services.kafka.admin() as admin:
        admin.alter_user_scram_credentials([UserScramCredentialDeletion(name, MECHANISM)])
    services.kafka.proxy.cut()
    process = services.running[name]
    eventually(lambda: not process.running, within_s=WITHIN_S, what=f"the {name} has ended")
    assert "does not accept user and password" in process.output()
    assert leaks(services, services.told()) == []
