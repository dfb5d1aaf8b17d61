"""Kafka's refusals: the connection works, and we, or the broker, are not who the other expects.

They are told from a broker that is away, since waiting does not help and asking again and again
looks like an attack: whoever meets one stops. Both client libraries number errors as Kafka does.
"""

import ssl
from collections.abc import Iterator
from enum import Enum, auto

from aiokafka.errors import AuthenticationFailedError, AuthenticationMethodNotSupported

from kpi_stream.domain.errors import InputError

_OTHER_PROTOCOL = frozenset({"WRONG_VERSION_NUMBER", "NO_PROTOCOLS_AVAILABLE", "HTTP_REQUEST"})


class Refusal(Enum):
    """Why, by what has to be put right."""

    UNTRUSTED = auto()
    """The broker's certificate: its authority, its names or its time."""
    CERTIFICATE = auto()
    """Our certificate, or that there is none."""
    LOGIN = auto()
    """User and password."""
    PROTOCOL = auto()
    """The broker speaks another security protocol, or knows no such mechanism."""
    ACCESS = auto()
    """We are known, and not allowed to do it."""


_NUMBERS: dict[int | None, Refusal] = {
    29: Refusal.ACCESS,  # topic
    30: Refusal.ACCESS,  # group
    31: Refusal.ACCESS,  # cluster
    33: Refusal.PROTOCOL,  # the mechanism is not enabled
    34: Refusal.PROTOCOL,  # SASL out of order
    53: Refusal.ACCESS,  # transactional id
    58: Refusal.LOGIN,
}
"""By Kafka's numbers of errors."""
_WORDS = {
    Refusal.UNTRUSTED: "is not trusted",
    Refusal.CERTIFICATE: "does not accept our certificate, or that there is none",
    Refusal.LOGIN: "does not accept user and password",
    Refusal.PROTOCOL: "speaks another security protocol",
    Refusal.ACCESS: "does not allow it",
}


class Refused(InputError):
    """Kafka refuses, or is refused; nobody should try again before something is put right."""

    def __init__(self, refusal: Refusal, text: str) -> None:
        """Keep the kind; the text is for people and holds no secret."""
        super().__init__(text)
        self.refusal = refusal


def refused(error: BaseException, what: str) -> Refused | None:
    """Return the refusal behind an error of a client library; None where there is none.

    Args:
        error: With its causes: a library may say no more than that a connection was closed.
        what: Who refuses, or is refused: the beginning of the text.
    """
    for each in _causes(error):
        kind = _kind(each)
        if kind is not None:
            return Refused(kind, f"{what} {_WORDS[kind]}: {_said(each)}")
    return None


def _kind(error: BaseException) -> Refusal | None:
    if isinstance(error, ssl.SSLError):
        return _kind_of_tls(error)
    if isinstance(error, AuthenticationFailedError):
        return Refusal.LOGIN
    if isinstance(error, AuthenticationMethodNotSupported):
        return Refusal.PROTOCOL
    # An OSError has a number too, of the operating system's.
    number = None if isinstance(error, OSError) else getattr(error, "errno", None)
    return _NUMBERS.get(number)


def _kind_of_tls(error: ssl.SSLError) -> Refusal | None:
    reason = error.reason or ""
    if isinstance(error, ssl.SSLCertVerificationError):
        return Refusal.UNTRUSTED
    if "ALERT" in reason and ("CERTIFICATE" in reason or "UNKNOWN_CA" in reason):
        return Refusal.CERTIFICATE
    return Refusal.PROTOCOL if reason in _OTHER_PROTOCOL else None


def _said(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return str(error.verify_message or error.reason)
    if isinstance(error, ssl.SSLError):
        return str(error.reason).replace("SSLV3_", "").replace("_", " ").lower()
    # Some carry the connection, which says nothing.
    told = all(isinstance(each, str | tuple | set | list) for each in error.args)
    return str(error) if error.args and told else type(error).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    for _ in range(5):
        if seen is None:
            return
        yield seen
        seen = seen.__cause__ or seen.__context__
