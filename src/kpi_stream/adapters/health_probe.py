"""Asks the HTTP server of a service whether the service is well."""

import http.client
import ssl

_TIMEOUT_S = 5.0
"""A server of the same machine that takes longer is not well."""

_ANY = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # noqa: S104  (compared, not bound)
"""Where a server that listens on every address is asked."""


def probe(host: str, port: int, path: str, *, tls: bool = False) -> tuple[bool, str]:
    """Return whether the answer was 200, and its text, or why there was none.

    Args:
        host: The address that the service listens on.
        port: Its TCP port.
        path: What is asked, for example `/-/healthy`.
        tls: Whether it speaks TLS there. Its certificate is not checked: nothing secret is sent,
            and a service whose certificate has expired is not stalled.
    """
    address = _ANY.get(host, host)
    connection = http.client.HTTPConnection(address, port, timeout=_TIMEOUT_S)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection(address, port, timeout=_TIMEOUT_S, context=context)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace").strip()
    except (OSError, http.client.HTTPException) as err:
        return False, f"no answer on port {port}: {err}"
    finally:
        connection.close()
    return answer.status == http.HTTPStatus.OK, text
