"""The TLS of every connection to Kafka: version, checks, and how it ends."""

import ssl
from pathlib import Path


class _EndsAtOnce(ssl.SSLObject):
    """Says that the connection ends, and does not wait until the broker has said so as well.

    uvloop waits 30 s for that, and a broker that still holds a fetch back does not answer: opening
    a partition, which reads three topics one after the other, took a minute and a half. Nothing is
    read any more, so nothing can be cut off unnoticed (RFC 8446, 6.1).
    """

    def unwrap(self) -> None:
        try:
            super().unwrap()
        except ssl.SSLWantReadError:
            return


def tls_context(authorities: Path | None) -> ssl.SSLContext:
    """Return a context that checks the broker's certificate and host name; TLS 1.2 or newer.

    Args:
        authorities: A PEM file; None for those of the machine. Only these count: who names an
            authority of his own does not mean every other one as well.

    Raises:
        OSError: The file cannot be read, or (`ssl.SSLError`) holds no certificate.
    """
    context = ssl.create_default_context(cafile=authorities)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslobject_class = _EndsAtOnce
    return context
