"""The operators' page: its files, as they are in the wheel, and what a browser may do with them."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from aiohttp import web

STATIC = Path(__file__).parent / "static"
INDEX = "index.html"
VIEWS = ("/", "/scorecard", "/kpi/{kpi}", "/stages", "/worklist", "/activity")
"""Addresses of the page; its script reads which one it is."""

_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""What is served; licences and notes stay in the folder."""

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # Asked again each time, and answered by 304: a new version is seen at once.
    "Cache-Control": "no-cache",
    "Vary": "Accept-Encoding",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file, ready to be sent."""

    plain: bytes
    packed: bytes
    """With gzip."""
    kind: str
    etag: str


@cache
def assets() -> Mapping[str, Asset]:
    """Return every file that is served, by its path below `static`."""
    found = {}
    for path in sorted(STATIC.rglob("*")):
        if path.suffix in _KINDS:
            plain = path.read_bytes()
            digest = hashlib.sha256(plain).hexdigest()[:16]
            packed = gzip.compress(plain, mtime=0)
            name = path.relative_to(STATIC).as_posix()
            found[name] = Asset(plain, packed, _KINDS[path.suffix], f'"{digest}"')
    return found


def answer(name: str, request: web.Request) -> web.Response:
    """Return a file, or that the browser has it already."""
    asset = assets().get(name)
    if asset is None:
        return web.Response(text="there is no such file\n", status=404)
    packs = "gzip" in request.headers.get("Accept-Encoding", "")
    # The same file packed and plain are two things to a cache.
    etag = asset.etag if not packs else f'{asset.etag[:-1]}-gz"'
    headers = {**_HEADERS, "ETag": etag}
    if etag in (each.strip() for each in request.headers.get("If-None-Match", "").split(",")):
        return web.Response(status=304, headers=headers)
    if packs:
        headers["Content-Encoding"] = "gzip"
    body = asset.packed if packs else asset.plain
    return web.Response(body=body, headers={**headers, "Content-Type": asset.kind})
