"""Who is not let in, and who does not let a broker in: one clear error, and no second attempt."""

import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from kafka.admin import UserScramCredentialDeletion

from kpi_stream.settings import PREFIX
from tests.support.certificates import Authority
from tests.support.counting_proxy import CountingProxy
from tests.support.ports import free_port
from tests.support.processes import Process
from tests.support.secure_kafka import MECHANISM, Right, SecureKafka
from tests.support.secure_site import COMMAND, PASSWORDS, settings_of, started
from tests.support.site import page

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

WITHIN_S = 180.0
WRONG_PASSWORD = "another-Contraseña-11bd"  # noqa: S105  (it opens nothing)
EVERYTHING = [
    Right(user, "All", kind, name, prefixed=True)
    for user in ("worker", "scorecard", "operator")
    for kind, name in (
        ("Topic", "customs."),
        ("Topic", "kpi."),
        ("Group", "kpi-"),
        ("TransactionalId", "kpi-"),
    )
]


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureKafka]:
    """The broker; rights are not what is tested here."""
    with started(tmp_path_factory.mktemp("secure"), PASSWORDS) as broker:
        broker.allow(EVERYTHING)
        environment = settings_of(broker, "operator")
        subprocess.run([*COMMAND, "topics", "init"], env=environment, check=True, timeout=WITHIN_S)
        yield broker


@dataclass(frozen=True)
class Mistake:
    """What is wrong, and what is said about it."""

    change: Callable[[SecureKafka], dict[str, object]]
    """Settings that differ from right ones."""
    says: str
    names: str
    """The setting that the text leads to."""
    listener: str = "scram"
    login: str = "scram"
    code: int = 2


def _password(kafka: SecureKafka) -> dict[str, object]:
    file = kafka.folder / "wrong.password"
    file.write_text(WRONG_PASSWORD)
    return {"sasl_password_file": file}


def _certificate(kafka: SecureKafka, *, days: int = 2, foreign: bool = False) -> dict[str, object]:
    authority = Authority(kafka.folder / "other", "other") if foreign else kafka.authority
    made = authority.certificate("worker", days=days, file=f"wrong{days}{foreign}")
    return {
        "broker_certificate_file": made.both,
        "broker_key_file": "",
        "broker_key_password_file": "",
    }


MISTAKES = {
    "wrong password": Mistake(_password, "does not accept user and password", "SASL_PASSWORD_FILE"),
    "unknown user": Mistake(
        lambda _: {"sasl_username": "nobody"},
        "does not accept user and password",
        "SASL_USERNAME (it is 'nobody')",
    ),
    "mechanism that is not enabled": Mistake(
        lambda _: {"sasl_mechanism": "SCRAM-SHA-256"},
        "speaks another security protocol",
        "SASL_MECHANISM (it is 'SCRAM-SHA-256')",
    ),
    "another authority": Mistake(
        lambda kafka: {"broker_ca_file": Authority(kafka.folder / "other", "other").file},
        "is not trusted: unable to get local issuer certificate",
        "BROKER_CA_FILE",
    ),
    "expired certificate of the broker": Mistake(
        lambda _: {},
        "is not trusted: certificate has expired",
        "BROKER_CA_FILE",
        listener="expired",
    ),
    "certificate of another host": Mistake(
        lambda _: {},
        "is not trusted: IP address mismatch, certificate is not valid for '127.0.0.1'",
        "BROKERS",
        listener="elsewhere",
    ),
    "our certificate has expired": Mistake(
        lambda kafka: _certificate(kafka, days=-1),
        "does not accept our certificate",
        "BROKER_CERTIFICATE_FILE",
        listener="mtls",
        login="certificate",
    ),
    "our certificate is of another authority": Mistake(
        lambda kafka: _certificate(kafka, foreign=True),
        "does not accept our certificate",
        "BROKER_CERTIFICATE_FILE",
        listener="mtls",
        login="certificate",
    ),
    "no certificate": Mistake(
        lambda _: {
            "broker_certificate_file": "",
            "broker_key_file": "",
            "broker_key_password_file": "",
        },
        "does not accept our certificate, or that there is none",
        "BROKER_CERTIFICATE_FILE (it is 'not set')",
        listener="mtls",
        login="certificate",
    ),
    "no TLS where the broker speaks it": Mistake(
        lambda _: {
            "security_protocol": "PLAINTEXT",
            "sasl_username": "",
            "sasl_password_file": "",
            "broker_ca_file": "",
        },
        "does it speak PLAINTEXT there?",
        "BROKERS",
        code=1,
    ),
    "no password where the broker wants one": Mistake(
        lambda _: {"security_protocol": "SSL", "sasl_username": "", "sasl_password_file": ""},
        "does it speak SSL there?",
        "BROKERS",
        code=1,
    ),
}


def _environment(kafka: SecureKafka, user: str, mistake: Mistake, address: str) -> dict[str, str]:
    right = settings_of(kafka, user, mistake.login)
    changed = {"brokers": address, **mistake.change(kafka)}
    return right | {f"{PREFIX}{name.upper()}": str(value) for name, value in changed.items()}


def _refused(
    kafka: SecureKafka, words: list[object], user: str, mistake: Mistake, port: int
) -> None:
    with CountingProxy(port) as door:
        address = f"127.0.0.1:{door.port}"
        done = subprocess.run(
            [*COMMAND, *map(str, words)],
            env=_environment(kafka, user, mistake, address),
            capture_output=True,
            text=True,
            check=False,
            timeout=WITHIN_S,
        )
        connections = door.connections
    assert done.returncode == mistake.code, done.stderr
    assert mistake.says in done.stderr
    assert f"{PREFIX}{mistake.names}" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert connections == 1
    told = done.stdout + done.stderr
    assert [each for each in (*PASSWORDS.values(), WRONG_PASSWORD) if each in told] == []


def _port(kafka: SecureKafka, listener: str) -> int:
    return int(kafka.address(listener).rpartition(":")[2])


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_once(kafka: SecureKafka, name: str) -> None:
    """Which it is and which setting to look at, after a single connection."""
    mistake = MISTAKES[name]
    _refused(kafka, ["worker"], "worker", mistake, _port(kafka, mistake.listener))


@pytest.mark.parametrize(
    "words",
    [["topics", "init"], ["scorecard"], ["ingest", "{events}"], ["simulate", "--days", "1"]],
    ids=lambda words: words[0],
)
def test_every_command_says_it(kafka: SecureKafka, tmp_path: Path, words: list[str]) -> None:
    """One place makes the connections of all."""
    events = tmp_path / "events.jsonl"
    events.write_text("{}\n")
    asked: list[object] = [each.format(events=events) for each in words]
    _refused(kafka, asked, "worker", MISTAKES["wrong password"], _port(kafka, "scram"))


@pytest.mark.parametrize("service", ["worker", "scorecard"])
def test_a_login_that_is_taken_away_ends_the_service(
    kafka: SecureKafka, tmp_path: Path, service: str
) -> None:
    """It finds out when it must connect again, and does not try for ever."""
    port = free_port()
    environment = settings_of(kafka, service) | {f"{PREFIX}{service.upper()}_PORT": str(port)}
    running = Process([*COMMAND, service], log=tmp_path / "service.log", env=environment)
    with running:
        running.wait_until(lambda: _ready(port), within_s=WITHIN_S, what="it is ready")
        with kafka.admin() as admin:
            admin.alter_user_scram_credentials([UserScramCredentialDeletion(service, MECHANISM)])
        before, began = kafka.proxy.connections, time.monotonic()
        kafka.proxy.cut()
        assert running.wait(within_s=WITHIN_S) == 2, running.output()
        took, connections = time.monotonic() - began, kafka.proxy.connections - before
    assert "does not accept user and password" in running.output()
    # The bound is on the rate: how long it takes depends on when the next question is due.
    assert connections <= 20 + 10 * took


def _ready(port: int) -> bool:
    try:
        return page(f"http://127.0.0.1:{port}/-/ready").startswith(b"ready")
    except OSError:
        return False
