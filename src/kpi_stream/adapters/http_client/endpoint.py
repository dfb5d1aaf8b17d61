"""Asks what answers HTTP on one address; only for commands, which may wait for the answer."""

import http.client
import json
import socket
import ssl
from base64 import b64encode
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from kpi_stream.domain.errors import InputError, Unavailable

_MAX_BYTES = 32_000_000


class Reply(NamedTuple):
    """What was answered."""

    status: int
    text: str


@dataclass(frozen=True, slots=True)
class Login:
    """Who asks, and whom we believe."""

    username: str = ""
    """Empty: nobody is asked who he is."""
    password: str = ""
    ca_file: Path | None = None
    """Certificates that the other's is checked against; None for the usual ones."""

    def __repr__(self) -> str:
        return f"Login({self.username!r})"


class Address(NamedTuple):
    """Where somebody answers."""

    tls: bool
    host: str
    port: int
    prefix: str
    """Of every path; without a slash at its end."""


def read_address(url: str, what: str = "address", port: str = "port") -> Address:
    """Return what an address says.

    Args:
        url: As `https://host:port/prefix`.
        what: What it should be, for the error.
        port: An example, for the error.

    Raises:
        InputError: It is none, or holds more; a password is not repeated.
    """
    parts = urlsplit(url)
    try:
        number = parts.port
    except ValueError:
        number = -1
    if parts.scheme not in {"http", "https"} or not parts.hostname or number == -1:
        msg = f"{url!r} is no {what}; write it as http://host:{port}"
        raise InputError(msg)
    if parts.username is not None or parts.query or parts.fragment:
        msg = f"{parts.hostname}: an {what} has no login and no query"
        raise InputError(msg)
    tls = parts.scheme == "https"
    return Address(tls, parts.hostname, number or (443 if tls else 80), parts.path.rstrip("/"))


def basic(username: str, password: str) -> dict[str, str]:
    """Return the header of a login."""
    word = b64encode(f"{username}:{password}".encode()).decode("ascii")
    return {"Authorization": f"Basic {word}"}


def trusting(ca_file: Path | None) -> ssl.SSLContext:
    """Return what checks certificates against a file, or against the usual ones.

    Raises:
        InputError: The file cannot be used.
    """
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as err:
        msg = f"{ca_file}: no certificates can be read from it: {err.strerror}"
        raise InputError(msg) from None


class Endpoint:
    """One address; what is not in the arguments (a proxy, a redirection) has no say.

    Args:
        url: As `https://host:port/prefix`.
        login: Who asks.
        timeout_s: How long it may be silent.
        ip: Where it is, of several that have the name; None for whichever answers.

    Raises:
        InputError: The address is none, or the file of certificates cannot be used.
    """

    def __init__(
        self, url: str, login: Login | None = None, timeout_s: float = 10.0, ip: str | None = None
    ) -> None:
        address, login = read_address(url), login or Login()
        self._host, self._port, self._prefix = address.host, address.port, address.prefix
        self._ip, self._timeout_s = ip, timeout_s
        self._context = trusting(login.ca_file) if address.tls else None
        self._headers = {"Accept": "*/*", "Connection": "close"}
        if login.username:
            self._headers |= basic(login.username, login.password)
        scheme = "https" if address.tls else "http"
        self.url = url.rstrip("/") if ip is None else f"{scheme}://{_named(ip, self._port)}"

    def __repr__(self) -> str:
        return f"Endpoint({self.url!r})"

    def each(self) -> list[str]:
        """Return every IP address that the name has, such as one for each replica.

        Raises:
            Unavailable: It has none.
        """
        try:
            found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except OSError as err:
            msg = f"{self._host} has no address: {err.strerror or err}"
            raise Unavailable(msg) from err
        return list(dict.fromkeys(str(each[4][0]) for each in found))

    def get(self, path: str) -> Reply:
        """Return the answer to GET, whatever its status.

        Raises:
            Unavailable: There is none.
        """
        connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout_s)
        try:
            connection.sock = self._connected()
            connection.request("GET", f"{self._prefix}{path}", headers=self._headers)
            answer = connection.getresponse()
            body = answer.read(_MAX_BYTES)
        except (OSError, http.client.HTTPException) as err:
            msg = f"no answer from {self.url}: {_said(err)}"
            raise Unavailable(msg) from None
        finally:
            connection.close()
        return Reply(answer.status, body.decode(errors="replace"))

    def json(self, path: str) -> Any:  # noqa: ANN401
        """Return the JSON of an answer.

        Raises:
            InputError: It does not know who asks.
            Unavailable: There is no answer, or another one.
        """
        reply = self.get(path)
        if reply.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            msg = f"{self.url} does not know us"
            raise InputError(msg)
        if reply.status == HTTPStatus.OK:
            try:
                return json.loads(reply.text)
            except ValueError:
                pass
        msg = f"{self.url} answers {reply.status} to {path}, which is not what was asked for"
        raise Unavailable(msg)

    def _connected(self) -> socket.socket:
        address = (self._ip or self._host, self._port)
        plain = socket.create_connection(address, timeout=self._timeout_s)
        if self._context is None:
            return plain
        try:
            return self._context.wrap_socket(plain, server_hostname=self._host)
        except BaseException:
            plain.close()
            raise


def _named(ip: str, port: int) -> str:
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def _said(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    return str(getattr(error, "strerror", None) or str(error) or type(error).__name__)
