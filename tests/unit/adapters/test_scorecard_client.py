"""The client against a real HTTP server of this machine."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from kpi_stream.adapters.http_client.scorecard import Access, ScorecardClient
from kpi_stream.domain.errors import InputError, Unavailable
from tests.support.certificates import Authority
from tests.support.ports import free_port
from tests.support.served import Served, serving


@pytest.fixture
def served() -> Iterator[Served]:
    """A server on a port of its own."""
    with serving() as server:
        yield server


def test_it_asks_the_api_below_the_address(served: Served):
    """A prefix before it, a query behind it; nobody is named where nobody asks."""
    client = ScorecardClient(Access(f"http://127.0.0.1:{served.port}/kpi/"))
    assert client.get("/kpis/a/explanation", {"window": "30d", "office": "a b"}) == {"well": True}
    assert served.asked == [("/kpi/api/v1/kpis/a/explanation?window=30d&office=a+b", None)]


def test_a_proxy_of_the_environment_has_no_say(served: Served, monkeypatch: pytest.MonkeyPatch):
    """Only the address counts."""
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    assert ScorecardClient(Access(f"http://127.0.0.1:{served.port}")).get("/strategy")


def test_a_login_comes_from_a_file_and_is_shown_to_nobody(served: Served, tmp_path: Path):
    """The line's end is no part of the password."""
    password = tmp_path / "password"
    password.write_text("contraseña\n", encoding="utf-8")
    client = ScorecardClient(Access(f"http://127.0.0.1:{served.port}", "ana", password))
    client.get("/strategy")
    assert served.asked[0][1] == "Basic YW5hOmNvbnRyYXNlw7Fh"
    assert "contras" not in repr(client)


def test_tls_is_checked_against_the_given_authority(served: Served, tmp_path: Path):
    """With it the answer comes, and with another one not."""
    authority = Authority(tmp_path / "ca")
    own = authority.certificate("scorecard")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own.certificate, own.key)
    served.socket = context.wrap_socket(served.socket, server_side=True)
    url = f"https://localhost:{served.port}"
    assert ScorecardClient(Access(url, ca_file=authority.file)).get("/strategy")
    other = Authority(tmp_path / "other")
    with pytest.raises(Unavailable, match="certificate verify failed"):
        ScorecardClient(Access(url, ca_file=other.file)).get("/strategy")


@pytest.mark.parametrize(
    ("status", "body", "error", "said"),
    [
        (400, b'{"error": "unknown window 9d"}', InputError, "^unknown window 9d$"),
        (404, b'{"error": "no such KPI"}', InputError, "^no such KPI$"),
        (404, b"404: Not Found", Unavailable, "answered 404 to /strategy: no JSON"),
        (401, b"", InputError, "set KPI_STREAM_SCORECARD_USERNAME and _PASSWORD_FILE"),
        (503, b'{"error": "reading rows"}', Unavailable, "answered 503 to /strategy: reading rows"),
        (200, b"<html>", Unavailable, "answered 200 to /strategy: no JSON"),
        (500, b'["a"]', Unavailable, "answered 500"),
    ],
)
def test_an_error_is_told_in_its_words(
    served: Served, status: int, body: bytes, error: type[Exception], said: str
):
    """What is wrong with the question is the user's to mend, the rest is the scorecard's."""
    served.status, served.body = status, body
    with pytest.raises(error, match=said):
        ScorecardClient(Access(f"http://127.0.0.1:{served.port}")).get("/strategy")


def test_nobody_there_is_said_with_the_remedy():
    """A port on which nothing listens."""
    client = ScorecardClient(Access(f"http://127.0.0.1:{free_port()}"))
    with pytest.raises(Unavailable, match=r"no answer from .*start `kpi-stream scorecard`, or say"):
        client.get("/strategy")


@pytest.mark.parametrize(
    "url", ["", "localhost:9100", "ftp://host", "http://", "http://host:99999", "http://host:x"]
)
def test_what_is_no_address_is_refused(url: str):
    """With one that is."""
    with pytest.raises(InputError, match="is no address of a scorecard; write it as http://host:"):
        ScorecardClient(Access(url))


def test_a_login_in_the_address_is_refused_without_repeating_it():
    """It would stand in logs and histories."""
    with pytest.raises(InputError, match="has no login and no query") as refused:
        ScorecardClient(Access("http://ana:secreto@host:9100"))
    assert "secreto" not in str(refused.value)


def test_files_that_are_missing_are_named(tmp_path: Path):
    """Before anything is sent."""
    gone = tmp_path / "gone"
    with pytest.raises(InputError, match="gone: no certificates"):
        ScorecardClient(Access("https://host", ca_file=gone))
    with pytest.raises(InputError, match="gone: the password cannot be read"):
        ScorecardClient(Access("https://host", "ana", gone))
    with pytest.raises(InputError, match="PASSWORD_FILE is not set; it should name ana's"):
        ScorecardClient(Access("https://host", "ana"))
