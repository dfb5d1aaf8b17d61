"""The settings with which each user of docs/security.md comes to a Kafka that lets nobody in."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kpi_stream.adapters.kafka.connection import client_arguments
from kpi_stream.bootstrap.common import broker_options
from kpi_stream.settings import PREFIX, Settings
from tests.support.kafka import KafkaMissing
from tests.support.required import missing
from tests.support.secure_kafka import SecureKafka

COMMAND = (sys.executable, "-m", "kpi_stream")
PASSWORDS = {
    user: f"{user}-Contraseña-7f3a91"
    for user in ("worker", "scorecard", "producer", "steward", "viewer", "operator")
}

KEY_PASSWORD = "key-Contraseña-50e2"  # noqa: S105  (of keys that live for one test)


@contextmanager
def started(folder: Path, passwords: Mapping[str, str]) -> Iterator[SecureKafka]:
    """Yield a running broker with these users; skip the test where none can run."""
    try:
        broker = SecureKafka(folder, passwords)
    except KafkaMissing as err:
        missing("kafka", str(err))
    with broker:
        yield broker


def settings_of(kafka: SecureKafka, user: str, login: str = "scram") -> dict[str, str]:
    """Return the environment of a user's command.

    Args:
        kafka: The broker.
        user: One of `PASSWORDS`.
        login: `scram` or `certificate`.
    """
    chosen: dict[str, object] = {
        "broker_ca_file": kafka.authority.file,
        "worker_port": 0,
        "scorecard_port": 0,
        "partitions": 2,
    }
    if login == "scram":
        password = kafka.folder / f"{user}.password"
        password.write_text(kafka.passwords[user] + "\n")
        chosen |= {
            "brokers": kafka.scram,
            "security_protocol": "SASL_SSL",
            "sasl_username": user,
            "sasl_password_file": password,
        }
    else:
        shown = kafka.certificate(user, password=KEY_PASSWORD)
        password = kafka.folder / "key.password"
        password.write_text(KEY_PASSWORD)
        chosen |= {
            "brokers": kafka.address("mtls"),
            "security_protocol": "SSL",
            "broker_certificate_file": shown.certificate,
            "broker_key_file": shown.key,
            "broker_key_password_file": password,
        }
    return os.environ | {f"{PREFIX}{name.upper()}": str(value) for name, value in chosen.items()}


def connection(kafka: SecureKafka, user: str) -> dict[str, Any]:
    """Return the arguments of a client library for a user, as the product makes them."""
    chosen = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in settings_of(kafka, user).items()
        if name.startswith(PREFIX)
    }
    fields = {name: value for name, value in chosen.items() if name in Settings.model_fields}
    return client_arguments(broker_options(Settings(**fields)))
