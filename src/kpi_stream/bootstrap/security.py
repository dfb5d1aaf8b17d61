"""How this process proves to Kafka who it is, and checks who answers: from files, once, at start.

Everything that is wrong with a file is said here, with the variable that names it, before anything
is connected. The text of an error never holds what is in a file.
"""

import ssl
from dataclasses import replace
from pathlib import Path

from kpi_stream.adapters.kafka.tls import tls_context
from kpi_stream.application.ports import BrokerOptions
from kpi_stream.domain.errors import InputError
from kpi_stream.settings import PREFIX, Settings

_TLS = ("broker_ca_file", "broker_certificate_file", "broker_key_file", "broker_key_password_file")
_SASL = ("sasl_username", "sasl_password_file")


def secured(broker: BrokerOptions, settings: Settings) -> BrokerOptions:
    """Return the options with what the security protocol needs.

    Raises:
        InputError: Settings contradict each other, or a file cannot be used.
    """
    protocol = settings.security_protocol
    _refuse_unused(settings, () if protocol == "SASL_SSL" else _SASL)
    _refuse_unused(settings, _TLS if protocol == "PLAINTEXT" else ())
    if protocol == "PLAINTEXT":
        return broker
    broker = replace(broker, security_protocol=protocol, ssl_context=_context(settings))
    if protocol == "SSL":
        return broker
    for name in _SASL:
        if not getattr(settings, name):
            msg = f"{_variable(name)} is not set, and {protocol} needs it"
            raise InputError(msg)
    return replace(
        broker,
        sasl_mechanism=settings.sasl_mechanism,
        sasl_username=settings.sasl_username,
        sasl_password=_secret(settings, "sasl_password_file"),
    )


def _refuse_unused(settings: Settings, names: tuple[str, ...]) -> None:
    """A certificate or password that nothing is done with means that its protocol was forgotten."""
    for name in names:
        if getattr(settings, name):
            msg = (
                f"{_variable(name)} is set, but {_variable('security_protocol')} is "
                f"{settings.security_protocol}, which does not use it; "
                f"{'SASL_SSL' if name in _SASL else 'SSL and SASL_SSL'} would"
            )
            raise InputError(msg)


def _context(settings: Settings) -> ssl.SSLContext:
    authorities, certificate = settings.broker_ca_file, settings.broker_certificate_file
    if authorities is not None:
        _read(authorities, "broker_ca_file")
    try:
        context = tls_context(authorities)
    except ssl.SSLError as err:
        name, what = "broker_ca_file", "holds no PEM certificate"
        raise _unusable(name, authorities, what) from err
    if certificate is not None:
        _show(context, settings, certificate)
        return context
    for name in ("broker_key_file", "broker_key_password_file"):
        if getattr(settings, name) is not None:
            msg = f"{_variable(name)} is set without {_variable('broker_certificate_file')}"
            raise InputError(msg)
    return context


def _show(context: ssl.SSLContext, settings: Settings, certificate: Path) -> None:
    """Have the context show our certificate."""
    _read(certificate, "broker_certificate_file")
    name, key = "broker_certificate_file", certificate
    if settings.broker_key_file is not None:
        name, key = "broker_key_file", settings.broker_key_file
        _read(key, name)
    encrypted = settings.broker_key_password_file is not None
    password = _secret(settings, "broker_key_password_file") if encrypted else None

    def ask() -> str:
        # Without an answer of ours OpenSSL would ask the terminal.
        if password is None:
            lacks = f"is encrypted, and {_variable('broker_key_password_file')} is not set"
            raise _unusable(name, key, lacks)
        return password

    try:
        context.load_cert_chain(certificate, key, ask)
    except ssl.SSLError as err:
        if err.reason == "KEY_VALUES_MISMATCH":
            what = f"is not the key of the certificate {certificate}"
        elif password is not None:
            path = settings.broker_key_password_file
            what = f"cannot be read with the password of {path} ({err.reason or 'bad PEM'})"
        else:
            what = f"with the certificate {certificate} is no usable PEM"
        raise _unusable(name, key, what) from err


def _secret(settings: Settings, name: str) -> str:
    path: Path = getattr(settings, name)
    try:
        secret = _read(path, name).decode().strip("\r\n")
    except UnicodeDecodeError:
        # Not chained: it would carry the content.
        raise _unusable(name, path, "is not text in UTF-8") from None
    if not secret:
        raise _unusable(name, path, "is empty")
    if "\n" in secret:
        raise _unusable(name, path, "has more than one line")
    return secret


def _read(path: Path, name: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as err:
        raise _unusable(name, path, f"cannot be read: {err.strerror}") from err


def _unusable(name: str, path: Path | None, what: str) -> InputError:
    return InputError(f"{_variable(name)}: {path} {what}")


def _variable(name: str) -> str:
    return PREFIX + name.upper()
