"""Certificates and passwords come from files; what is wrong with one is said with its variable."""

import ssl
from collections.abc import Mapping
from pathlib import Path

import pytest

from kpi_stream.adapters.kafka.connection import client_arguments
from kpi_stream.application.ports import BrokerOptions
from kpi_stream.bootstrap.common import broker_options
from kpi_stream.domain.errors import InputError
from kpi_stream.settings import PREFIX, Settings
from tests.support.certificates import Authority, Certificate

SECRET = "Contraseña 7f3a91"  # noqa: S105  (of keys that live for one test)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority."""
    return Authority(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def ours(authority: Authority) -> Certificate:
    """A certificate with an encrypted key."""
    return authority.certificate("worker", password=SECRET)


def _options(monkeypatch: pytest.MonkeyPatch, chosen: Mapping[str, object]) -> BrokerOptions:
    for name, value in chosen.items():
        monkeypatch.setenv(f"{PREFIX}{name.upper()}", str(value))
    return broker_options(Settings.load())


def _file(folder: Path, content: str | bytes) -> Path:
    path = folder / "secret"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_without_settings_nothing_is_secured(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demonstration and the embedded broker speak plain text."""
    assert client_arguments(_options(monkeypatch, {}))["security_protocol"] == "PLAINTEXT"


def test_a_password_reaches_every_client(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, authority: Authority
) -> None:
    """Without its line end; the certificate and the name of the broker are checked."""
    made = _options(
        monkeypatch,
        {
            "security_protocol": "SASL_SSL",
            "broker_ca_file": authority.file,
            "sasl_username": "worker",
            "sasl_password_file": _file(tmp_path, f"{SECRET}\n"),
        },
    )
    arguments = client_arguments(made)
    assert arguments["sasl_plain_password"] == SECRET
    assert arguments["sasl_mechanism"] == "SCRAM-SHA-512"
    context = arguments["ssl_context"]
    assert isinstance(context, ssl.SSLContext)
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert len(context.get_ca_certs()) == 1
    assert SECRET not in repr(made)


def test_without_an_authority_those_of_the_machine_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a browser has them."""
    context = _options(monkeypatch, {"security_protocol": "SSL"}).ssl_context
    assert isinstance(context, ssl.SSLContext)
    assert context.check_hostname


@pytest.mark.parametrize("one_file", [True, False])
def test_a_certificate_is_loaded_with_its_key(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    authority: Authority,
    ours: Certificate,
    *,
    one_file: bool,
) -> None:
    """The key lies beside it or in the same file."""
    files = (
        {"broker_certificate_file": ours.both}
        if one_file
        else {
            "broker_certificate_file": ours.certificate,
            "broker_key_file": ours.key,
        }
    )
    chosen = {
        "security_protocol": "SSL",
        "broker_ca_file": authority.file,
        "broker_key_password_file": _file(tmp_path, SECRET),
        **files,
    }
    assert _options(monkeypatch, chosen).ssl_context is not None


def _wrong(
    authority: Authority, ours: Certificate, folder: Path
) -> dict[str, tuple[dict[str, object], str]]:
    """Settings by what is wrong with them, and what is said about it."""
    nowhere, gibberish = folder / "nowhere.pem", _file(folder, f"-----BEGIN {SECRET}")
    other = authority.certificate("other")
    sasl = {
        "security_protocol": "SASL_SSL",
        "sasl_username": "worker",
        "sasl_password_file": gibberish,
    }
    tls = {"security_protocol": "SSL", "broker_certificate_file": ours.certificate}
    two_lines, empty, binary = (folder / each for each in ("two", "empty", "binary"))
    two_lines.write_text(f"{SECRET}\nmore\n")
    empty.write_text("\n")
    binary.write_bytes(b"\xff\xfe" + SECRET.encode())
    return {
        "no such password file": (
            {**sasl, "sasl_password_file": nowhere},
            f"KPI_STREAM_SASL_PASSWORD_FILE: {nowhere} cannot be read: No such file",
        ),
        "a folder": (
            {**sasl, "sasl_password_file": folder},
            f"KPI_STREAM_SASL_PASSWORD_FILE: {folder} cannot be read: Is a directory",
        ),
        "an empty one": (
            {**sasl, "sasl_password_file": empty},
            f"KPI_STREAM_SASL_PASSWORD_FILE: {empty} is empty",
        ),
        "two passwords": (
            {**sasl, "sasl_password_file": two_lines},
            f"KPI_STREAM_SASL_PASSWORD_FILE: {two_lines} has more than one line",
        ),
        "no text": (
            {**sasl, "sasl_password_file": binary},
            f"KPI_STREAM_SASL_PASSWORD_FILE: {binary} is not text",
        ),
        "no user": (
            {**sasl, "sasl_username": ""},
            "KPI_STREAM_SASL_USERNAME is not set, and SASL_SSL needs it",
        ),
        "no password": (
            {"security_protocol": "SASL_SSL", "sasl_username": "worker"},
            "KPI_STREAM_SASL_PASSWORD_FILE is not set, and SASL_SSL needs it",
        ),
        "a forgotten protocol": (
            {"broker_ca_file": authority.file},
            "KPI_STREAM_BROKER_CA_FILE is set, but KPI_STREAM_SECURITY_PROTOCOL is PLAINTEXT",
        ),
        "a password that is not used": (
            {**tls, "sasl_password_file": gibberish},
            "KPI_STREAM_SASL_PASSWORD_FILE is set, but KPI_STREAM_SECURITY_PROTOCOL is SSL",
        ),
        "no such authority": (
            {"security_protocol": "SSL", "broker_ca_file": nowhere},
            f"KPI_STREAM_BROKER_CA_FILE: {nowhere} cannot be read: No such file",
        ),
        "an authority that is none": (
            {"security_protocol": "SSL", "broker_ca_file": gibberish},
            f"KPI_STREAM_BROKER_CA_FILE: {gibberish} holds no PEM certificate",
        ),
        "a certificate that is none": (
            {"security_protocol": "SSL", "broker_certificate_file": gibberish},
            f"KPI_STREAM_BROKER_CERTIFICATE_FILE: {gibberish} with the certificate",
        ),
        "the key of another": (
            {**tls, "broker_key_file": other.key},
            f"KPI_STREAM_BROKER_KEY_FILE: {other.key} is not the key of the certificate",
        ),
        "no password of the key": (
            {**tls, "broker_key_file": ours.key},
            (
                f"KPI_STREAM_BROKER_KEY_FILE: {ours.key} is encrypted, and "
                "KPI_STREAM_BROKER_KEY_PASSWORD_FILE is not set"
            ),
        ),
        "the wrong password of the key": (
            {**tls, "broker_key_file": ours.key, "broker_key_password_file": gibberish},
            (
                f"KPI_STREAM_BROKER_KEY_FILE: {ours.key} cannot be read with the password of "
                f"{gibberish}"
            ),
        ),
        "a key alone": (
            {"security_protocol": "SSL", "broker_key_file": ours.key},
            "KPI_STREAM_BROKER_KEY_FILE is set without KPI_STREAM_BROKER_CERTIFICATE_FILE",
        ),
        "a protocol in the open": (
            {"security_protocol": "SASL_PLAINTEXT"},
            "KPI_STREAM_SECURITY_PROTOCOL: Input should be 'PLAINTEXT', 'SSL' or 'SASL_SSL'",
        ),
        "a password in the open": (
            {**sasl, "sasl_mechanism": "PLAIN"},
            "KPI_STREAM_SASL_MECHANISM: Input should be 'SCRAM-SHA-512' or 'SCRAM-SHA-256'",
        ),
    }


NAMES = (
    "no such password file", "a folder", "an empty one", "two passwords", "no text", "no user",
    "no password", "a forgotten protocol", "a password that is not used", "no such authority",
    "an authority that is none", "a certificate that is none", "the key of another",
    "no password of the key", "the wrong password of the key", "a key alone",
    "a protocol in the open", "a password in the open",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_what_is_wrong_is_said_with_its_variable(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    authority: Authority,
    ours: Certificate,
    name: str,
) -> None:
    """And with the path; never with what is in the file."""
    wrong = _wrong(authority, ours, tmp_path)
    assert set(wrong) == set(NAMES)
    chosen, says = wrong[name]
    with pytest.raises(InputError) as refused:
        _options(monkeypatch, chosen)
    text = str(refused.value)
    assert says in text
    assert SECRET not in text
