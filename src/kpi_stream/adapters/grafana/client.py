"""Grafana's HTTP interface, through grafana-api: each answer becomes a result or a reason.

grafana-api 1.0.3 reads an error page before it looks at the status, has no header of the answer
(Retry-After), sets no end to its size, and keeps one token for ever; so a hook looks at every
answer before it does, and the token is read from its file for every request: a rotated one works
at once.
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
import urllib3
from grafana_api.grafana_api import GrafanaAPI

from kpi_stream.domain.errors import InputError, Unavailable

_UNAUTHORIZED, _FORBIDDEN, _TOO_MANY, _WRONG, _BROKEN = 401, 403, 429, 400, 500
_SAYS_CHARS = 200
"""Of what Grafana says about an error, for a line in a log."""
_MAX_BYTES = 32_000_000
"""No answer is as long; all rules of a strategy are about 1 MB."""
_PIECE_BYTES = 65_536
_WHOLE_ANSWER = 6
"""An answer that comes in drops may take as many times as long as one piece of it."""


class Trouble(Enum):
    """Why there is no result, by what a caller can do."""

    UNREACHABLE = "unreachable"
    """Nothing was sent: no such host, no connection. Repeat it."""
    UNKNOWN = "unknown"
    """It was sent, and what became of it is not known. Look before repeating it."""
    TOKEN = "token"  # noqa: S105  (a kind of trouble)
    """401, or there is no usable token. Repeat it: the token may be replaced."""
    FORBIDDEN = "forbidden"
    """403: the token may not do this (here). Repeat it: rights may be given."""
    BUSY = "busy"
    """429. Repeat it later."""
    REFUSED = "refused"
    """Any other 4xx, or a redirection: repeating changes nothing."""


class GrafanaError(Unavailable):
    """Grafana gave no result; the text is for people and never holds the token."""

    def __init__(
        self,
        trouble: Trouble,
        text: str,
        *,
        status: int | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        """Keep the kind, the HTTP status (None without an answer) and how long Grafana says."""
        super().__init__(text)
        self.trouble, self.status, self.retry_after_s = trouble, status, retry_after_s


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach Grafana."""

    url: str
    """As `https://host:port/prefix`."""
    token_file: Path
    """File with a service account's token."""
    timeout_s: float = 5.0
    """Longest wait for a connection, and for each piece of an answer."""
    ca_file: Path | None = None
    """Certificates that Grafana's is checked against; None for the usual ones."""


class GrafanaClient:
    """Asks Grafana; for one thread at a time.

    Args:
        access: How to reach it; nothing is sent before the first question.
        monotonic: Seconds that never go back.

    Raises:
        InputError: The address is none, or the file of certificates is missing.
    """

    def __init__(self, access: Access, monotonic: Callable[[], float]) -> None:
        self._token_file = access.token_file
        self._whole_s, self._monotonic = access.timeout_s * _WHOLE_ANSWER, monotonic
        parts = _parts(access.url)
        self.url = access.url.rstrip("/")
        if access.ca_file is not None and not access.ca_file.is_file():
            msg = f"{access.ca_file}: there is no such file of certificates"
            raise InputError(msg)
        self._api = GrafanaAPI(
            "",
            timeout=access.timeout_s,
            verify=True if access.ca_file is None else str(access.ca_file),
            **parts,
        )
        session = self._api.s
        # What is not in the settings has no say: no proxy, no ~/.netrc, no other certificates.
        session.trust_env = False
        # A page of sign-in is no answer, and a POST that is sent on becomes a GET.
        session.max_redirects = 0
        session.hooks["response"] += [self._read, _examine]

    def __repr__(self) -> str:
        return f"GrafanaClient({self.url!r})"

    def get(self, path: str, **query: str | int | list[str]) -> Any:  # noqa: ANN401  (JSON)
        """Return the JSON that Grafana answers to `GET /api<path>`.

        Raises:
            GrafanaError: There is no such answer.
        """
        asked = f"?{urlencode(query, doseq=True)}" if query else ""
        return self._ask("GET", path + asked, None)

    def post(self, path: str, body: Mapping[str, object]) -> Any:  # noqa: ANN401  (JSON)
        """Return the JSON that Grafana answers to `POST /api<path>` with a JSON body.

        Raises:
            GrafanaError: There is no such answer; `UNKNOWN` where it may have worked.
        """
        return self._ask("POST", path, body)

    def close(self) -> None:
        """Close the connections."""
        self._api.s.close()

    def _ask(self, method: str, path: str, body: Mapping[str, object] | None) -> Any:  # noqa: ANN401
        self._api.auth.token = self._token()
        # No error is chained: requests quotes headers, and so the token, in some of its texts.
        try:
            return getattr(self._api, method)(path, json=body)
        except GrafanaError:
            raise
        except requests.exceptions.TooManyRedirects:
            text = f"Grafana at {self.url} redirects; the address should be the one it serves"
            raise GrafanaError(Trouble.REFUSED, text) from None
        except requests.exceptions.SSLError:
            text = (
                f"the certificate of Grafana at {self.url} is not trusted; "
                "name its authority in KPI_STREAM_GRAFANA_CA_FILE"
            )
            raise GrafanaError(Trouble.UNREACHABLE, text) from None
        except requests.exceptions.ConnectTimeout:
            text = f"Grafana at {self.url} takes no connection in time"
            raise GrafanaError(Trouble.UNREACHABLE, text) from None
        except requests.exceptions.Timeout:
            text = f"Grafana at {self.url} does not answer in time"
            raise GrafanaError(Trouble.UNKNOWN, text) from None
        except requests.exceptions.ConnectionError as err:
            raise _broken(err, self.url) from None
        except (requests.exceptions.RequestException, ValueError, TypeError):
            text = f"Grafana at {self.url} answers what is no JSON; is it Grafana?"
            raise GrafanaError(Trouble.UNKNOWN, text) from None

    def _read(self, response: requests.Response, *_: object, **__: object) -> None:
        """Read the whole answer, which requests would do without an end in size or time."""
        until, body = self._monotonic() + self._whole_s, io.BytesIO()
        try:
            while piece := response.raw.read1(_PIECE_BYTES, decode_content=True):
                if body.tell() + len(piece) > _MAX_BYTES or self._monotonic() > until:
                    response.close()
                    text = f"Grafana at {self.url} does not come to the end of its answer"
                    raise GrafanaError(Trouble.UNKNOWN, text)
                body.write(piece)
        except urllib3.exceptions.TimeoutError as err:
            raise requests.exceptions.ReadTimeout from err
        except urllib3.exceptions.HTTPError as err:
            raise requests.exceptions.ConnectionError(err) from err
        body.seek(0)
        response.raw = body

    def _token(self) -> str:
        try:
            token = self._token_file.read_text(encoding="ascii").strip()
        except OSError as err:
            text = f"{self._token_file}: cannot be read: {err.strerror}"
            raise GrafanaError(Trouble.TOKEN, text) from err
        except ValueError:
            token = ""
        if not token.isprintable() or not token or " " in token:
            text = f"{self._token_file}: holds no token; it should be one line of it"
            raise GrafanaError(Trouble.TOKEN, text)
        return token


def _parts(url: str) -> dict[str, Any]:
    try:
        split = urlsplit(url)
        port = split.port
    except ValueError:
        split, port = urlsplit(""), None
    wrong = split.username is not None or split.query or split.fragment
    if split.scheme not in ("http", "https") or not split.hostname or wrong:
        # The text is not repeated: somebody may have put a password into it.
        msg = (
            "KPI_STREAM_GRAFANA_URL is no address of Grafana; it should be "
            "http(s)://host:port, without a user, and the token in a file"
        )
        raise InputError(msg)
    prefix = split.path.strip("/")
    return {
        "protocol": split.scheme,
        "host": f"[{split.hostname}]" if ":" in split.hostname else split.hostname,
        "port": port,
        "url_path_prefix": f"{prefix}/" if prefix else "",
    }


def _broken(error: requests.exceptions.ConnectionError, url: str) -> GrafanaError:
    # urllib3 says in the innermost error whether there ever was a connection.
    inner = error.args[0] if error.args else None
    reason = getattr(inner, "reason", inner)
    name = type(reason).__name__
    if name in ("NewConnectionError", "NameResolutionError", "ConnectTimeoutError"):
        return GrafanaError(Trouble.UNREACHABLE, f"Grafana at {url} cannot be reached")
    return GrafanaError(Trouble.UNKNOWN, f"Grafana at {url} broke the connection")


def _examine(response: requests.Response, *_: object, **__: object) -> None:
    """Raise what an answer means, where it is no result."""
    status = response.status_code
    if status < _WRONG:
        return
    says = _says(response)
    if status == _UNAUTHORIZED:
        raise GrafanaError(Trouble.TOKEN, f"Grafana does not know the token{says}", status=status)
    if status == _FORBIDDEN:
        text = f"Grafana forbids it to the token's service account{says}"
        raise GrafanaError(Trouble.FORBIDDEN, text, status=status)
    if status == _TOO_MANY:
        text = f"Grafana has too many requests{says}"
        after_s = _seconds(response.headers.get("Retry-After", ""))
        raise GrafanaError(Trouble.BUSY, text, status=status, retry_after_s=after_s)
    trouble = Trouble.UNKNOWN if status >= _BROKEN else Trouble.REFUSED
    raise GrafanaError(trouble, f"Grafana answers {status}{says}", status=status)


def _says(response: requests.Response) -> str:
    try:
        body = response.json()
    except ValueError:
        return ""
    message = body.get("message") if isinstance(body, dict) else None
    if not isinstance(message, str) or not message:
        return ""
    # Some proxies show a request in their error page, token and all.
    token = str(response.request.headers.get("Authorization", "")).removeprefix("Bearer ")
    safe = message.replace(token, "...") if token else message
    return ": " + "".join(c if c.isprintable() else " " for c in safe[:_SAYS_CHARS])


def _seconds(text: str) -> float | None:
    # The other form, a date, would need a clock that agrees with Grafana's.
    return float(text) if text.isascii() and text.isdigit() else None
