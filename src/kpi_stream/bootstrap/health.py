"""The health of a service, asked from beside it."""

from kpi_stream.adapters.health_probe import probe
from kpi_stream.settings import Settings


def ask(settings: Settings, service: str, *, ready: bool) -> tuple[bool, str]:
    """Return whether a service of this machine is well, and its reason.

    Args:
        settings: Those of the service: where it listens.
        service: `worker` or `scorecard`.
        ready: Ask whether it does its work already, not whether it gets on.
    """
    port = settings.worker_port if service == "worker" else settings.scorecard_port
    path = "/-/ready" if ready else "/-/healthy"
    return probe(settings.host, port, path, tls=settings.http_certificate_file is not None)
