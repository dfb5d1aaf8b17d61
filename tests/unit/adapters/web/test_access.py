"""Who is let in, how much he may take, and what is said of him: both servers, over real sockets."""

import base64
import http.client
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from kpi_stream.adapters.web.access import HttpAccess, Reread, login_digest
from kpi_stream.adapters.web.door import Limits
from kpi_stream.adapters.web.server import WebServer
from kpi_stream.adapters.web.service import HttpServer
from kpi_stream.adapters.web.threaded import Threaded
from kpi_stream.domain.errors import InputError
from tests.support.certificates import Authority, Certificate
from tests.support.processes import eventually
from tests.support.web_site import FakeSite

USER, PASSWORD = "prometheus", "Contraseña-7f3a91"
OPEN = ["/-/healthy", "/-/ready"]
CLOSED = ["/metrics", "/api/v1/scorecard", "/runbook", "/kpis", "/", "/nowhere"]
SOON_S = 0.4
"""A deadline that a test waits for."""
WITHIN_S = 30.0


def basic(user: str, password: str, scheme: str = "Basic") -> dict[str, str]:
    """Return the header of a login."""
    return {"Authorization": f"{scheme} {base64.b64encode(f'{user}:{password}'.encode()).decode()}"}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority."""
    return Authority(tmp_path_factory.mktemp("pki"))


def shown(certificate: Certificate) -> ssl.SSLContext:
    """Return a server's context."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate.certificate, certificate.key)
    except ssl.SSLError as err:
        msg = f"{certificate.certificate} is wrong"
        raise InputError(msg) from err
    return context


def with_login() -> HttpAccess:
    """Return what asks for a login."""
    return HttpAccess(login=Reread(lambda: login_digest(USER, PASSWORD), ()))


def with_tls(certificate: Certificate) -> HttpAccess:
    """Return what speaks TLS."""
    files = (certificate.certificate, certificate.key)
    return HttpAccess(tls=Reread(lambda: shown(certificate), files))


@dataclass
class Rig:
    """Starts servers; all of them end with the test."""

    stack: ExitStack
    site: FakeSite

    def serve(
        self,
        access: HttpAccess | None = None,
        limits: Limits | None = None,
        *,
        worker: bool = False,
    ) -> int:
        """Start a scorecard's server, or a worker's, and return its port."""
        server = (
            HttpServer(self.site.metrics, self.site, 0, access=access, limits=limits)
            if worker
            else WebServer(self.site, 0, access=access, limits=limits)
        )
        return self.stack.enter_context(Threaded(server)).port

    def connect(self, port: int) -> socket.socket:
        """Return a connection that the test need not close."""
        return self.stack.enter_context(socket.create_connection(("127.0.0.1", port), WITHIN_S))


@pytest.fixture
def rig() -> Iterator[Rig]:
    """No server yet."""
    with ExitStack() as stack:
        yield Rig(stack, FakeSite())


def ask(
    port: int,
    path: str,
    headers: dict[str, str] | None = None,
    method: str = "GET",
    tls: ssl.SSLContext | None = None,
    body: bytes | None = None,
) -> tuple[int, str, http.client.HTTPMessage]:
    """Return status, text and headers of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WITHIN_S)
    if tls is not None:
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=WITHIN_S, context=tls)
    with closing(connection):
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), answer.headers


@pytest.mark.parametrize("worker", [True, False])
def test_a_login_opens_what_is_closed(rig: Rig, *, worker: bool) -> None:
    """With it everything is as without one; without it, or with another, 401 and why."""
    port = rig.serve(with_login(), worker=worker)
    wrong = [
        {},
        basic(USER, "Contraseña-7f3a92"),
        basic(USER, ""),
        basic("", PASSWORD),
        basic("someone", PASSWORD),
        basic(USER, PASSWORD, "Bearer"),
        {"Authorization": f"Basic {USER}:{PASSWORD}".encode().decode("latin-1")},
        {"Authorization": "Basic"},
        {"Authorization": ""},
    ]
    for path in CLOSED:
        assert {ask(port, path, each)[0] for each in wrong} == {401}
        status, text, headers = ask(port, path)
        assert (status, text) == (401, "user and password are needed\n")
        assert headers["WWW-Authenticate"] == 'Basic realm="kpi-stream", charset="UTF-8"'
        assert headers["Connection"] == "close"
    assert ask(port, "/metrics", basic(USER, PASSWORD))[:2] == (200, "a 1\n")
    assert ask(port, "/metrics", basic(USER, PASSWORD, "basic"))[0] == 200
    assert ask(port, "/nowhere", basic(USER, PASSWORD))[0] == 404


def test_the_checks_need_none(rig: Rig) -> None:
    """What restarts a container has no password to give."""
    port = rig.serve(with_login())
    assert [ask(port, path)[:2] for path in OPEN] == [(200, "fine\n")] * 2
    rig.site.well = (False, "nothing moved")
    assert [ask(port, path)[:2] for path in OPEN] == [(503, "nothing moved\n")] * 2


def test_nobody_writes_without_a_login(rig: Rig) -> None:
    """Where there is none nobody does, where there is one who has it, and no page of a browser."""
    port = rig.serve()
    status, text, _ = ask(port, "/-/reload", method="POST")
    assert status == 403
    assert "KPI_STREAM_HTTP_PASSWORD_FILE" in text
    closed = rig.serve(with_login())
    assert ask(closed, "/-/reload", method="POST")[0] == 401
    assert ask(closed, "/-/reload", basic(USER, "no"), "POST")[0] == 401
    page = {"Origin": "https://elsewhere.example"} | basic(USER, PASSWORD)
    assert ask(closed, "/-/reload", page, "POST")[0] == 403
    assert rig.site.reloads == 0
    assert ask(closed, "/-/reload", basic(USER, PASSWORD), "POST")[0] == 200
    assert rig.site.reloads == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_do_nothing(rig: Rig, method: str) -> None:
    """Also not on the addresses that are open to all."""
    port, closed = rig.serve(), rig.serve(with_login())
    for path in (*OPEN, *CLOSED, "/-/reload"):
        assert ask(port, path, method=method)[0] == 403
        assert ask(closed, path, method=method)[0] == 401
    assert ask(closed, "/metrics", basic(USER, PASSWORD), method)[0] == 405
    assert rig.site.reloads == 0


def test_a_wrong_password_is_told_without_it(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    """Once a minute, with the address; never what was given."""
    port = rig.serve(with_login())
    with caplog.at_level(logging.DEBUG):
        ask(port, "/metrics")
        assert caplog.messages == []
        for _ in range(5):
            ask(port, "/metrics", basic("someone", "guess-4711"))
    (told,) = caplog.messages
    assert "wrong user or password from 127.0.0.1" in told
    assert "someone" not in told
    assert "4711" not in told


def test_a_certificate_is_shown_and_checked(rig: Rig, authority: Authority) -> None:
    """Whoever trusts the authority and calls the right name gets through; nothing in the open."""
    port = rig.serve(with_tls(authority.certificate("scorecard")))
    trusting = ssl.create_default_context(cafile=authority.file)
    assert ask(port, "/metrics", tls=trusting)[:2] == (200, "a 1\n")
    with pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer"):
        ask(port, "/metrics", tls=ssl.create_default_context())
    with pytest.raises((http.client.HTTPException, OSError)):
        ask(port, "/metrics")
    old = ssl.create_default_context(cafile=authority.file)
    old.check_hostname = False
    assert ask(port, "/metrics", tls=trusting)[0] == 200


def test_a_renewed_certificate_is_shown_from_the_next_connection_on(
    rig: Rig, authority: Authority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Halfway, with the new certificate and the old key, the one before is still shown."""
    before, after = authority.certificate("before"), authority.certificate("after")
    live = Certificate(tmp_path / "live.crt", tmp_path / "live.key", tmp_path / "unused")
    live.certificate.write_bytes(before.certificate.read_bytes())
    live.key.write_bytes(before.key.read_bytes())
    port = rig.serve(with_tls(live))
    trusting = ssl.create_default_context(cafile=authority.file)

    def name() -> str:
        with (
            socket.create_connection(("127.0.0.1", port), WITHIN_S) as plain,
            trusting.wrap_socket(plain, server_hostname="127.0.0.1") as secured,
        ):
            found = secured.getpeercert()
        assert found is not None
        return dict(each for (each,) in found["subject"])["commonName"]

    assert name() == "before"
    replace(live.certificate, after.certificate.read_bytes())
    assert name() == "before"
    assert "what was read before stays in force" in caplog.text
    replace(live.key, after.key.read_bytes())
    assert name() == "after"


def replace(path: Path, content: bytes) -> None:
    """Replace a file in one step, as who renews certificates does."""
    new = path.with_suffix(".new")
    new.write_bytes(content)
    new.replace(path)


def test_a_new_password_counts_at_once(rig: Rig, tmp_path: Path) -> None:
    """And the old one no more."""
    file = tmp_path / "password"
    file.write_text("old")
    access = HttpAccess(login=Reread(lambda: login_digest(USER, file.read_text()), (file,)))
    port = rig.serve(access)
    assert ask(port, "/metrics", basic(USER, "old"))[0] == 200
    replace(file, b"new")
    assert ask(port, "/metrics", basic(USER, "old"))[0] == 401
    assert ask(port, "/metrics", basic(USER, "new"))[0] == 200


def ended(connection: socket.socket) -> bool:
    """Return whether the server has ended a connection, answered or not."""
    _read_all(connection)
    return True


def _read_all(connection: socket.socket) -> int:
    connection.settimeout(WITHIN_S)
    read = 0
    with suppress(ConnectionResetError):
        while got := connection.recv(65_536):
            read += len(got)
    return read


@pytest.mark.parametrize("sent", [b"", b"GET /metrics HTTP/1.1\r\nHost: a\r\n"])
@pytest.mark.parametrize("secured", [True, False])
def test_a_slow_request_is_cut_and_delays_nobody(
    rig: Rig, authority: Authority, sent: bytes, *, secured: bool
) -> None:
    """Nothing, half a request, or half a handshake: meanwhile others are answered."""
    access = with_tls(authority.certificate("slow")) if secured else None
    tls = ssl.create_default_context(cafile=authority.file) if secured else None
    port = rig.serve(access, Limits(exchange_s=SOON_S))
    slow = rig.connect(port)
    slow.sendall(sent)
    assert ask(port, "/metrics", tls=tls)[0] == 200
    assert ended(slow)


def test_bytes_now_and_then_do_not_prolong_it(rig: Rig) -> None:
    """The time of a request begins once."""
    port = rig.serve(limits=Limits(exchange_s=SOON_S))
    slow = rig.connect(port)
    slow.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\nX: ")

    def dripped() -> bool:
        try:
            slow.sendall(b"x")
        except OSError:
            return True
        return False

    eventually(dripped, within_s=WITHIN_S, what="the slow request is cut")


def test_a_connection_is_kept_between_scrapes(rig: Rig) -> None:
    """For longer than one exchange may take, and not for ever."""
    port = rig.serve(limits=Limits(exchange_s=SOON_S, idle_s=4 * SOON_S))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WITHIN_S)
    with closing(connection):
        for _ in range(2):
            connection.request("GET", "/metrics")
            assert connection.getresponse().read() == b"a 1\n"
            threading.Event().wait(2 * SOON_S)
        assert connection.sock is not None
        assert ended(connection.sock)


def test_who_does_not_read_is_cut(rig: Rig) -> None:
    """An answer that is larger than all buffers does not wait for ever."""
    rig.site.body = b"a 1\n" * 8_000_000
    port = rig.serve(limits=Limits(exchange_s=SOON_S, idle_s=SOON_S))
    deaf = rig.connect(port)
    deaf.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
    threading.Event().wait(3 * SOON_S)
    rig.site.body = b"a 1\n"
    assert ask(port, "/metrics")[0] == 200
    assert 0 < _read_all(deaf) < 8_000_000


@pytest.mark.parametrize("secured", [True, False])
def test_many_connections_keep_nobody_out(rig: Rig, authority: Authority, *, secured: bool) -> None:
    """Whoever has sent nothing for longest leaves; the descriptors of the process stay bounded."""
    access = with_tls(authority.certificate("many")) if secured else None
    tls = ssl.create_default_context(cafile=authority.file) if secured else None
    port = rig.serve(access, Limits(connections=8))
    before = _descriptors()
    silent = [rig.connect(port) for _ in range(40)]
    assert ask(port, "/-/healthy", tls=tls)[0] == 200
    assert ended(silent[0])
    ours = _descriptors() - before - len(silent)
    assert ours <= 8 + 2


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_scrape_that_hangs_delays_no_check(rig: Rig) -> None:
    """Pages are made one at a time, in a thread; whoever gave up is not served any more."""
    go_on = threading.Event()
    rig.site.before_page = lambda: go_on.wait(WITHIN_S)
    port = rig.serve()
    callers = [rig.connect(port) for _ in range(10)]
    for each in callers:
        each.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
    eventually(lambda: rig.site.pages == 1, within_s=WITHIN_S, what="a page is being made")
    assert ask(port, "/-/healthy")[0] == 200
    for each in callers:
        each.close()
    assert ask(port, "/-/ready")[0] == 200
    go_on.set()
    assert ask(port, "/metrics")[0] == 200
    assert rig.site.pages <= 3


TOO_MUCH: dict[str, Callable[[int], bytes]] = {
    "a long line": lambda _: b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    "a long header": lambda _: b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
    "many headers": lambda _: (
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"".join(b"X%d: a\r\n" % at for at in range(5_000))
    ),
    "no HTTP": lambda _: b"\x16\x03\x01" + b"\x00" * 500,
    "a secret that is too long": lambda _: (
        b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic s3cret" + b"x" * 100_000 + b"\r\n\r\n"
    ),
}


@pytest.mark.parametrize("name", TOO_MUCH)
def test_too_much_is_refused_in_silence(
    rig: Rig, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """400 and the end, without a line in the log, which would hold what the caller likes."""
    port = rig.serve(with_login())
    caller = rig.connect(port)
    with caplog.at_level(logging.INFO):
        try:
            caller.sendall(TOO_MUCH[name](port))
            answer = caller.recv(65_536)
        except ConnectionError:
            answer = b""
        assert answer == b"" or answer.startswith((b"HTTP/1.0 400", b"HTTP/1.1 400"))
        assert ended(caller)
        assert ask(port, "/-/healthy")[0] == 200
    assert caplog.messages == []


def test_a_body_is_refused(rig: Rig) -> None:
    """Nothing here takes one, however it comes."""
    port = rig.serve(with_login())
    assert ask(port, "/-/reload", basic(USER, PASSWORD), "POST", body=b"x" * 100)[0] == 413
    chunked = {"Transfer-Encoding": "chunked"} | basic(USER, PASSWORD)
    assert ask(port, "/-/reload", chunked, "POST", body=b"1\r\nx\r\n0\r\n\r\n")[0] == 413
    assert rig.site.reloads == 0
