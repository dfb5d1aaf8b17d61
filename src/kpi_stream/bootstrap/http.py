"""Who may ask the HTTP endpoints of a service, and where they listen, from the settings."""

import ipaddress
import logging
import ssl

from kpi_stream.adapters.web.access import HttpAccess, Reread, login_digest
from kpi_stream.bootstrap.secret_files import (
    certificate_files,
    secret,
    show_certificate,
    variable,
)
from kpi_stream.domain.errors import InputError
from kpi_stream.settings import Settings

log = logging.getLogger(__name__)


def http_access(settings: Settings) -> HttpAccess:
    """Return what the endpoints ask of those who come; the log says where that is little.

    Raises:
        InputError: Settings contradict each other, or a file cannot be used.
    """
    access = checked_access(settings)
    _warn(settings, tls=access.tls is not None, login=access.login is not None)
    return access


def checked_access(settings: Settings) -> HttpAccess:
    """Return the same without a word.

    Raises:
        InputError: Settings contradict each other, or a file cannot be used.
    """
    for name, other in (
        ("http_username", "http_password_file"),
        ("http_password_file", "http_username"),
    ):
        if getattr(settings, name) and not getattr(settings, other):
            msg = f"{variable(name)} is set without {variable(other)}"
            raise InputError(msg)
    password, tls = settings.http_password_file, None
    if settings.http_certificate_file is None:
        _context(settings)  # A key without a certificate is a mistake.
    else:
        tls = Reread(lambda: _context(settings), certificate_files(settings, "http"))
    login = None if password is None else Reread(lambda: _digest(settings), (password,))
    return HttpAccess(tls, login)


def _context(settings: Settings) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    show_certificate(context, settings, "http")
    return context


def _digest(settings: Settings) -> bytes:
    return login_digest(settings.http_username, secret(settings, "http_password_file"))


def _warn(settings: Settings, *, tls: bool, login: bool) -> None:
    """Tell where others than this machine can come, and what they can do then."""
    if _is_loopback(settings.host) or (tls and login):
        return
    risks, remedies = [], []
    if not login:
        risks.append("whoever reaches it can read every figure")
        remedies.append("http_password_file")
    if not tls:
        what = "figures and password" if login else "they"
        risks.append(f"{what} cross the network in the open")
        remedies.append("http_certificate_file")
    log.warning(
        "HTTP listens on %s: %s; set %s, or see to it that nobody but Prometheus reaches the port",
        settings.host or "every address",
        ", and ".join(risks),
        " and ".join(variable(each) for each in remedies),
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
