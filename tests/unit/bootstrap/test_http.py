"""What the settings say about the HTTP endpoints: who may ask, and what the log says of it."""

import logging
import ssl
from collections.abc import Mapping
from pathlib import Path

import pytest

from kpi_stream.adapters.web.access import HttpAccess
from kpi_stream.bootstrap.http import http_access
from kpi_stream.domain.errors import InputError
from kpi_stream.settings import PREFIX, Settings
from tests.support.certificates import Authority, Certificate

SECRET = "Contraseña 7f3a91"  # noqa: S105  (of files that live for one test)
ELSEWHERE = "0.0.0.0"  # noqa: S104  (nothing is bound)


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate with an encrypted key."""
    return Authority(tmp_path_factory.mktemp("pki")).certificate("scorecard", password=SECRET)


@pytest.fixture
def password(tmp_path: Path) -> Path:
    """A file with a password."""
    file = tmp_path / "password"
    file.write_text(f"{SECRET}\n")
    return file


def access(monkeypatch: pytest.MonkeyPatch, chosen: Mapping[str, object]) -> HttpAccess:
    """Return what settings ask for."""
    for name, value in chosen.items():
        monkeypatch.setenv(f"{PREFIX}{name.upper()}", str(value))
    return http_access(Settings.load())


def test_by_default_they_are_for_this_machine(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Plain, without a login, and nothing needs to be said."""
    assert access(monkeypatch, {}) == HttpAccess(None, None)
    assert Settings().host == "127.0.0.1"
    assert caplog.messages == []


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "localhost", "::1"])
def test_the_loopback_address_is_no_risk(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, host: str
) -> None:
    """However it is written."""
    access(monkeypatch, {"host": host})
    assert caplog.messages == []


@pytest.mark.parametrize("host", [ELSEWHERE, "::", "", "10.0.0.5", "worker-1.example.org"])
def test_another_address_is_told(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    ours: Certificate,
    password: Path,
    host: str,
) -> None:
    """With what is missing and the settings that would add it; with both there is no risk."""
    tls = {
        "http_certificate_file": ours.certificate,
        "http_key_file": ours.key,
        "http_key_password_file": password,
    }
    login = {"http_username": "prometheus", "http_password_file": password}
    told = {}
    for name, chosen in {
        "nothing": {},
        "tls": tls,
        "login": login | dict.fromkeys(tls, ""),
        "both": tls | login,
    }.items():
        caplog.clear()
        access(monkeypatch, {"host": host, "http_username": "", **chosen})
        told[name] = caplog.text
        for each in ("http_username", "http_password_file"):
            monkeypatch.delenv(f"{PREFIX}{each.upper()}", raising=False)
    assert "read every figure" in told["nothing"]
    assert (
        "set KPI_STREAM_HTTP_PASSWORD_FILE and KPI_STREAM_HTTP_CERTIFICATE_FILE" in told["nothing"]
    )
    assert "read every figure" in told["tls"]
    assert "CERTIFICATE" not in told["tls"]
    assert "figures and password cross the network in the open" in told["login"]
    assert "PASSWORD_FILE" not in told["login"]
    assert told["both"] == ""
    assert (host or "every address") in told["nothing"]


def test_a_key_with_a_password_is_shown(
    monkeypatch: pytest.MonkeyPatch, ours: Certificate, password: Path
) -> None:
    """TLS 1.2 or newer, and no certificate is asked of those who come."""
    made = access(
        monkeypatch,
        {
            "http_certificate_file": ours.certificate,
            "http_key_file": ours.key,
            "http_key_password_file": password,
        },
    )
    assert made.tls is not None
    context = made.tls.get()
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.verify_mode is ssl.CERT_NONE


WRONG: dict[str, tuple[dict[str, str], str]] = {
    "a user alone": (
        {"http_username": "prometheus"},
        "KPI_STREAM_HTTP_USERNAME is set without KPI_STREAM_HTTP_PASSWORD_FILE",
    ),
    "a password alone": (
        {"http_password_file": "{password}"},
        "KPI_STREAM_HTTP_PASSWORD_FILE is set without KPI_STREAM_HTTP_USERNAME",
    ),
    "a user that no header can name": (
        {"http_username": "a:b", "http_password_file": "{password}"},
        "KPI_STREAM_HTTP_USERNAME: String should match pattern",
    ),
    "no such password": (
        {"http_username": "prometheus", "http_password_file": "{password}.gone"},
        "KPI_STREAM_HTTP_PASSWORD_FILE: {password}.gone cannot be read",
    ),
    "a key alone": (
        {"http_key_file": "{key}"},
        "KPI_STREAM_HTTP_KEY_FILE is set without KPI_STREAM_HTTP_CERTIFICATE_FILE",
    ),
    "no password of the key": (
        {"http_certificate_file": "{certificate}", "http_key_file": "{key}"},
        (
            "KPI_STREAM_HTTP_KEY_FILE: {key} is encrypted, and "
            "KPI_STREAM_HTTP_KEY_PASSWORD_FILE is not set"
        ),
    ),
    "a certificate that is none": (
        {"http_certificate_file": "{password}"},
        "KPI_STREAM_HTTP_CERTIFICATE_FILE: {password} with the certificate {password} is no usable",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, ours: Certificate, password: Path, name: str
) -> None:
    """And with the path; never with what is in the file."""
    chosen, says = WRONG[name]
    places = {"password": password, "key": ours.key, "certificate": ours.certificate}
    with pytest.raises(InputError) as refused:
        access(monkeypatch, {key: value.format(**places) for key, value in chosen.items()})
    assert says.format(**places) in str(refused.value)
    assert SECRET not in str(refused.value)


def test_a_new_password_that_cannot_be_read_leaves_the_old_one(
    monkeypatch: pytest.MonkeyPatch, password: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody is locked out by a slip, nobody is let in, and the log says so once."""
    made = access(monkeypatch, {"http_username": "p", "http_password_file": password})
    assert made.login is not None
    before = made.login.get()
    password.write_text("")
    with caplog.at_level(logging.INFO):
        assert made.login.get() == made.login.get() == before
    (told,) = caplog.messages
    assert "is empty; what was read before stays in force" in told
    password.write_text("another")
    assert made.login.get() != before
