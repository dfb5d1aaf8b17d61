"""Asks a running scorecard's API; only for commands, which may wait for the answer."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from kpi_stream.adapters.http_client.endpoint import basic, read_address, trusting
from kpi_stream.domain.errors import InputError, Unavailable

_TIMEOUT_S = 30.0
"""An explanation of one office reads every row of a year, which takes some seconds."""
_MAX_BYTES = 32_000_000
_SAYS_CHARS = 300


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach the scorecard."""

    url: str
    """As `https://host:port/prefix`."""
    username: str = ""
    """Who asks; empty: the scorecard asks nobody who they are."""
    password_file: Path | None = None
    """File with the password of that user."""
    ca_file: Path | None = None
    """Certificates that the scorecard's is checked against; None for the usual ones."""


class ScorecardClient:
    """Asks the API of one scorecard; what is not in the access (a proxy) has no say.

    Args:
        access: How to reach it; nothing is sent before the first question.

    Raises:
        InputError: The address is none, or a file is missing.
    """

    def __init__(self, access: Access) -> None:
        address = read_address(access.url, "address of a scorecard", "9100")
        self.url = access.url.rstrip("/")
        self._host, self._port, self._path = address.host, address.port, address.prefix
        self._context = trusting(access.ca_file) if address.tls else None
        self._headers = {"Accept": "application/json", **_login(access)}

    def __repr__(self) -> str:
        return f"ScorecardClient({self.url!r})"

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401  (JSON)
        """Return the JSON that the scorecard answers to `GET /api/v1<path>`.

        Raises:
            InputError: It does not know what is asked for, or not who asks.
            Unavailable: It cannot be reached, or cannot answer (yet).
        """
        asked = f"{self._path}/api/v1{path}" + (f"?{urlencode(query)}" if query else "")
        status, body = self._ask(asked)
        try:
            answer = json.loads(body)
        except ValueError:
            answer = None
        if status == HTTPStatus.OK and answer is not None:
            return answer
        if status == HTTPStatus.UNAUTHORIZED:
            msg = (
                f"{self.url} does not know us; set KPI_STREAM_SCORECARD_USERNAME and _PASSWORD_FILE"
            )
            raise InputError(msg)
        said = answer.get("error", "") if isinstance(answer, dict) else ""
        if status in {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND} and said:
            raise InputError(str(said)[:_SAYS_CHARS])
        msg = f"{self.url} answered {status} to {path}: {str(said)[:_SAYS_CHARS] or 'no JSON'}"
        raise Unavailable(msg)

    def _ask(self, path: str) -> tuple[int, bytes]:
        connection = (
            http.client.HTTPConnection(self._host, self._port, timeout=_TIMEOUT_S)
            if self._context is None
            else http.client.HTTPSConnection(
                self._host, self._port, timeout=_TIMEOUT_S, context=self._context
            )
        )
        try:
            connection.request("GET", path, headers=self._headers)
            response = connection.getresponse()
            body = response.read(_MAX_BYTES + 1)
        except (OSError, http.client.HTTPException) as err:
            msg = (
                f"no answer from {self.url}: {err}; start `kpi-stream scorecard`, or say where it "
                "runs with --url"
            )
            raise Unavailable(msg) from None
        finally:
            connection.close()
        if len(body) > _MAX_BYTES:
            msg = f"{self.url} answered with more than {_MAX_BYTES} bytes"
            raise Unavailable(msg)
        return response.status, body


def _login(access: Access) -> dict[str, str]:
    if not access.username:
        return {}
    if access.password_file is None:
        msg = f"KPI_STREAM_SCORECARD_PASSWORD_FILE is not set; it should name {access.username}'s"
        raise InputError(msg)
    try:
        password = access.password_file.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        msg = f"{access.password_file}: the password cannot be read from it"
        raise InputError(msg) from None
    return basic(access.username, password)
