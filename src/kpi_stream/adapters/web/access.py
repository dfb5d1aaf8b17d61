"""Who may ask: TLS and basic authentication, from files that are read again once they change."""

import base64
import binascii
import hashlib
import hmac
import logging
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from kpi_stream.domain.errors import InputError

log = logging.getLogger(__name__)

T = TypeVar("T")
_Stamp = tuple[tuple[int, int, int] | None, ...]


class Reread(Generic[T]):
    """What was made from files; made again at the next use after one of them has changed.

    Args:
        make: Reads the files; raises InputError where they cannot be used. At the start that
            ends the process; later what was made before stays in force, and the log says so.
        paths: The files.
    """

    def __init__(self, make: Callable[[], T], paths: Sequence[Path]) -> None:
        self._make, self._paths = make, tuple(paths)
        # Before they are read: a change in between is then seen at the next use.
        self._stamp = self._look()
        self._made = make()

    def get(self) -> T:
        """Return it, made from the files as they are now."""
        stamp = self._look()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._made = self._make()
            except InputError as err:
                # Also halfway through a renewal: a new certificate whose key is still the old one.
                log.error("%s; what was read before stays in force", err)  # noqa: TRY400
            else:
                log.info("read again: %s", ", ".join(str(path) for path in self._paths))
        return self._made

    def _look(self) -> _Stamp:
        return tuple(_stamp(path) for path in self._paths)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


@dataclass(frozen=True, slots=True)
class HttpAccess:
    """What a server asks of those who come; by default nothing."""

    tls: Reread[ssl.SSLContext] | None = None
    """None: plain HTTP."""
    login: Reread[bytes] | None = None
    """The digest of who may come, from `login_digest`; None: nobody is asked who he is."""

    def admits(self, authorization: str) -> bool:
        """Return whether an Authorization header names the user and the password."""
        if self.login is None:
            return False
        scheme, _, given = authorization.partition(" ")
        try:
            named = base64.b64decode(given.strip(), validate=True)
        except (binascii.Error, ValueError):
            named = b""
        # Digests, so that neither the time nor a difference in length tells anything.
        right = hmac.compare_digest(hashlib.sha256(named).digest(), self.login.get())
        return right and scheme.lower() == "basic"


def login_digest(user: str, password: str) -> bytes:
    """Return what the credentials of a request are compared with."""
    return hashlib.sha256(f"{user}:{password}".encode()).digest()
