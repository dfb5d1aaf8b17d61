"""The API of a running scorecard, wired to the settings; for commands."""

from kpi_stream.adapters.http_client.scorecard import Access, ScorecardClient
from kpi_stream.settings import Settings

_ANY = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "[::1]"}  # noqa: S104  (compared, not bound)
"""Where a server that listens on every address is asked."""


def scorecard_client(settings: Settings, url: str | None = None) -> ScorecardClient:
    """Return a client of the scorecard at an address; by default the configured one, or ours.

    Raises:
        InputError: The address or a setting is wrong. Whether the scorecard answers is not asked.
    """
    username, password_file = settings.scorecard_username, settings.scorecard_password_file
    if not (username or url or settings.scorecard_url):
        # Who serves on this machine may ask there as well.
        username, password_file = settings.http_username, settings.http_password_file
    return ScorecardClient(
        Access(
            url or settings.scorecard_url or here(settings, settings.scorecard_port),
            username,
            password_file,
            settings.scorecard_ca_file,
        )
    )


def here(settings: Settings, port: int) -> str:
    """Return where a service of this machine is asked."""
    scheme = "http" if settings.http_certificate_file is None else "https"
    return f"{scheme}://{_ANY.get(settings.host, settings.host)}:{port}"
