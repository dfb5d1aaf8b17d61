"""An endpoint against a real HTTP server of this machine."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from kpi_stream.adapters.http_client.endpoint import Endpoint, Login
from kpi_stream.domain.errors import InputError, Unavailable
from tests.support.certificates import Authority
from tests.support.ports import free_port
from tests.support.served import Served, serving

SECRET = "Contraseña-7f3a91"  # noqa: S105  (of a server that lives for one test)


@pytest.fixture
def served() -> Iterator[Served]:
    """A server on a port of its own."""
    with serving() as server:
        yield server


def test_it_asks_below_its_address(served: Served) -> None:
    """With a login where there is one; the status is part of the answer."""
    served.status, served.body = 503, b"not yet\n"
    endpoint = Endpoint(f"http://127.0.0.1:{served.port}/kpi/", Login("ops", SECRET))
    assert endpoint.get("/-/ready") == (503, "not yet\n")
    ((path, login),) = served.asked
    assert path == "/kpi/-/ready"
    assert login is not None
    assert login.startswith("Basic ")
    assert SECRET not in repr(endpoint) + repr(Login("ops", SECRET))


def test_json_or_why_there_is_none(served: Served) -> None:
    """An answer that is none, one that asks for a login, and nobody."""
    endpoint = Endpoint(f"http://127.0.0.1:{served.port}")
    assert endpoint.json("/a") == {"well": True}
    served.body = b"<html>"
    with pytest.raises(Unavailable, match="answers 200 to /a, which is not what"):
        endpoint.json("/a")
    served.status = 401
    with pytest.raises(InputError, match="does not know us"):
        endpoint.json("/a")
    with pytest.raises(Unavailable, match=r"no answer from http://127\.0\.0\.1:\d+: Connection"):
        Endpoint(f"http://127.0.0.1:{free_port()}").json("/a")


def test_one_of_several_addresses_of_a_name(served: Served) -> None:
    """The name says which there are; each is asked by itself."""
    name = Endpoint(f"http://localhost:{served.port}")
    assert "127.0.0.1" in name.each()
    one = Endpoint(f"http://localhost:{served.port}", ip="127.0.0.1")
    assert one.url == f"http://127.0.0.1:{served.port}"
    assert one.get("/").status == 200
    with pytest.raises(Unavailable, match=r"no-such-host\.invalid has no address"):
        Endpoint("http://no-such-host.invalid").each()


def test_a_certificate_is_checked(served: Served, tmp_path: Path) -> None:
    """Against the file that is named, and against the name also where an address is asked."""
    authority = Authority(tmp_path / "pki")
    ours = authority.certificate("service", names="DNS:localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(ours.certificate, ours.key)
    served.socket = context.wrap_socket(served.socket, server_side=True)
    trusting = Login(ca_file=authority.file)
    url = f"https://localhost:{served.port}"
    assert Endpoint(url, trusting, ip="127.0.0.1").get("/").status == 200
    with pytest.raises(Unavailable, match="its certificate is not trusted"):
        Endpoint(url, ip="127.0.0.1").get("/")
    with pytest.raises(Unavailable, match=r"its certificate is not trusted: .*mismatch"):
        Endpoint(f"https://127.0.0.1:{served.port}", trusting).get("/")


@pytest.mark.parametrize(
    "url", ["host:9101", "ftp://host", "http://", "http://host:port", "http://me:secret@host"]
)
def test_an_address_that_is_none(url: str) -> None:
    """Said before anybody is asked, without what may be a password."""
    with pytest.raises(InputError) as refused:
        Endpoint(url)
    assert "secret" not in str(refused.value)


def test_certificates_that_cannot_be_read(tmp_path: Path) -> None:
    """The file is named."""
    with pytest.raises(InputError, match="nowhere: no certificates can be read"):
        Endpoint("https://host", Login(ca_file=tmp_path / "nowhere"))
