"""The client of Grafana's HTTP interface, on real sockets."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kpi_stream.adapters.clock import Clock
from kpi_stream.adapters.grafana import client as client_module
from kpi_stream.adapters.grafana.client import Access, GrafanaClient, GrafanaError, Trouble
from kpi_stream.domain.errors import InputError
from tests.support.grafana_stub import (
    TOKEN,
    Bad,
    GrafanaStub,
    cut,
    endless,
    hang,
    page,
    says,
)

BODY = {"text": "hello", "tags": ["a"], "time": 1_000}


@pytest.fixture
def grafana() -> Iterator[GrafanaStub]:
    """A Grafana."""
    with GrafanaStub() as stub:
        yield stub


@pytest.fixture
def token(tmp_path: Path) -> Path:
    """The file with its token."""
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    return file


@pytest.fixture
def client(grafana: GrafanaStub, token: Path) -> Iterator[GrafanaClient]:
    """A client of it that is not patient."""
    made = GrafanaClient(Access(grafana.url, token, timeout_s=0.2), Clock().monotonic)
    yield made
    made.close()


def trouble(ask: Callable[[], object]) -> GrafanaError:
    """Return why there was no result."""
    with pytest.raises(GrafanaError) as caught:
        ask()
    return caught.value


def test_it_posts_json_with_the_token(client: GrafanaClient, grafana: GrafanaStub) -> None:
    """Method, path, headers and body are those that Grafana documents."""
    assert client.post("/annotations", BODY) == {"message": "Annotation added", "id": 1}
    (seen,) = grafana.seen
    assert (seen.method, seen.path, seen.body) == ("POST", "/api/annotations", BODY)
    assert seen.headers["Authorization"] == f"Bearer {TOKEN}"
    assert seen.headers["Content-Type"] == "application/json"


def test_a_query_keeps_its_order_and_repeats_lists(
    client: GrafanaClient, grafana: GrafanaStub
) -> None:
    """Tags are one parameter each, with what they contain quoted."""
    assert client.get("/annotations", tags=["a:b c", "d&e"], limit=7) == []
    assert grafana.seen[0].query == {"tags": ["a:b c", "d&e"], "limit": ["7"]}


def test_a_replaced_token_works_at_once(
    client: GrafanaClient, grafana: GrafanaStub, token: Path
) -> None:
    """The file is read for every request, so nothing is restarted."""
    client.get("/annotations")
    grafana.token = "glsa_another"  # noqa: S105  (of a stub)
    assert trouble(lambda: client.get("/annotations")).trouble is Trouble.TOKEN
    token.write_text("glsa_another")
    assert client.get("/annotations") == []


@pytest.mark.parametrize("text", ["", "\n", "two words", "two\nlines", "tókèn", "\x00"])
def test_a_file_without_a_token_sends_nothing(
    client: GrafanaClient, grafana: GrafanaStub, token: Path, text: str
) -> None:
    """The reason names the file and what it should hold, and not what it holds."""
    token.write_text(text, encoding="utf-8")
    error = trouble(lambda: client.get("/annotations"))
    assert error.trouble is Trouble.TOKEN
    assert str(error) == f"{token}: holds no token; it should be one line of it"
    token.unlink()
    assert "cannot be read: No such file" in str(trouble(lambda: client.get("/annotations")))
    assert grafana.seen == []


@pytest.mark.parametrize(
    ("bad", "kind", "status", "text"),
    [
        (says(400, "bad request data"), Trouble.REFUSED, 400, "answers 400: bad request data"),
        (says(401, "Invalid API key"), Trouble.TOKEN, 401, "does not know the token: Invalid"),
        (says(403, "Access denied"), Trouble.FORBIDDEN, 403, "forbids it to the token's service"),
        (says(404), Trouble.REFUSED, 404, "answers 404"),
        (says(429), Trouble.BUSY, 429, "too many requests"),
        (says(500), Trouble.UNKNOWN, 500, "answers 500"),
        (page(502, "<html>Bad gateway</html>"), Trouble.UNKNOWN, 502, "Grafana answers 502"),
        (page(503, "[1]"), Trouble.UNKNOWN, 503, "Grafana answers 503"),
        (page(), Trouble.UNKNOWN, None, "answers what is no JSON; is it Grafana?"),
        (page(200, ""), Trouble.UNKNOWN, None, "answers what is no JSON; is it Grafana?"),
        (says(302, Location="/login"), Trouble.REFUSED, None, "redirects"),
        (cut, Trouble.UNKNOWN, None, "broke the connection"),
        (hang, Trouble.UNKNOWN, None, "does not answer in time"),
    ],
)
def test_each_kind_of_trouble(
    client: GrafanaClient,
    grafana: GrafanaStub,
    bad: Bad,
    kind: Trouble,
    status: int | None,
    text: str,
) -> None:
    """An answer that is no result becomes what a caller can do, and words for people."""
    grafana.always = bad
    error = trouble(lambda: client.post("/annotations", BODY))
    assert (error.trouble, error.status) == (kind, status)
    assert text in str(error)
    assert len(grafana.seen) == 1  # nothing is repeated or sent on by itself


def test_nobody_listens(token: Path) -> None:
    """Nothing was sent, so it can be repeated without a look."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        client = GrafanaClient(Access(url, token, timeout_s=1.0), Clock().monotonic)
        error = trouble(lambda: client.get("/health"))
    assert (error.trouble, str(error)) == (
        Trouble.UNREACHABLE,
        f"Grafana at {url} cannot be reached",
    )


@pytest.mark.parametrize(
    ("value", "seconds"), [("7", 7.0), ("Wed, 21 Oct 2015 07:28:00 GMT", None), ("-1", None)]
)
def test_grafana_says_how_long(
    client: GrafanaClient, grafana: GrafanaStub, value: str, seconds: float | None
) -> None:
    """`Retry-After` in seconds is kept; a date would need Grafana's clock."""
    grafana.always = says(429, Retry_After=value)
    assert trouble(lambda: client.get("/annotations")).retry_after_s == seconds


def test_an_answer_without_an_end_is_not_read_to_it(
    client: GrafanaClient, grafana: GrafanaStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than any answer of Grafana's is refused, and the connection is closed."""
    monkeypatch.setattr(client_module, "_MAX_BYTES", 3_000_000)
    grafana.always = endless
    error = trouble(lambda: client.get("/annotations"))
    assert "does not come to the end of its answer" in str(error)
    assert grafana.hung_up.wait(20)


def test_an_answer_in_drops_has_an_end_in_time(grafana: GrafanaStub, token: Path) -> None:
    """However quickly each piece comes, all of them together may take so long and no longer."""
    seconds = iter(range(0, 1_000, 10))
    grafana.always = endless
    client = GrafanaClient(Access(grafana.url, token, timeout_s=5.0), lambda: next(seconds))
    error = trouble(lambda: client.get("/annotations"))
    assert "does not come to the end of its answer" in str(error)
    assert next(seconds) == 50  # asked at 0, and after each of four pieces: 10, 20, 30, 40


def test_the_token_is_in_no_text(client: GrafanaClient, grafana: GrafanaStub, token: Path) -> None:
    """Not where a proxy shows the request in its error, and not where the header is impossible."""
    grafana.always = says(502, f"GET with Authorization: Bearer {TOKEN} failed")
    error = trouble(lambda: client.get("/annotations"))
    assert TOKEN not in f"{error} {error!r} {error.__cause__}"
    assert "Bearer ... failed" in str(error)
    assert TOKEN not in repr(client)
    assert token.name not in repr(client)


def test_what_grafana_says_is_one_short_line(client: GrafanaClient, grafana: GrafanaStub) -> None:
    """A message cannot forge lines of the log."""
    grafana.always = says(400, "first\nsecond\x1b[31m" + "x" * 1_000)
    text = str(trouble(lambda: client.get("/annotations")))
    assert text.isprintable()
    assert len(text) < 260


def test_a_prefix_is_kept(grafana: GrafanaStub, token: Path) -> None:
    """Grafana below a path of a proxy is asked below it."""
    grafana.prefix = "/grafana"
    client = GrafanaClient(Access(f"{grafana.url}/", token), Clock().monotonic)
    assert client.get("/health")["database"] == "ok"
    assert grafana.seen[0].path == "/grafana/api/health"
    client.close()


def test_the_environment_has_no_say(
    client: GrafanaClient, grafana: GrafanaStub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A proxy or a ~/.netrc of the machine changes neither way nor token."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    client.get("/annotations")
    assert grafana.seen[0].headers["Authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    "url",
    [
        *("", "grafana:3000", "ftp://grafana", "http://", "http://admin:secret@grafana:3000"),
        *("http://grafana:port", "http://grafana/?orgId=2", "http://grafana/#x", "http://[::1"),
    ],
)
def test_an_address_that_is_none(token: Path, url: str) -> None:
    """It is refused before anything is sent, and a password in it is not repeated."""
    with pytest.raises(InputError, match="KPI_STREAM_GRAFANA_URL") as caught:
        GrafanaClient(Access(url, token), Clock().monotonic)
    assert "secret" not in str(caught.value)


def test_missing_certificates_are_said_at_the_start(token: Path, tmp_path: Path) -> None:
    """Not at the first annotation, weeks later."""
    access = Access("https://grafana", token, ca_file=tmp_path / "ca.pem")
    with pytest.raises(InputError, match=r"ca\.pem: there is no such file of certificates"):
        GrafanaClient(access, Clock().monotonic)
