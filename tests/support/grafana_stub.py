"""Grafana's HTTP interface on loopback, as strict as the documented one; and its bad days.

Grafana itself does not run where the tests do. What this answers is taken from its documentation
and from the handlers of Grafana 12 and 13 (`pkg/api/annotations.go`, `pkg/web/binding.go`).
"""

import json
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "glsa_a-token-of-the-tests_00000000"  # noqa: S105  (of a stub)
WITHIN_S = 20.0
_TAG_CHARS = 100
_FIELDS = {
    "dashboardId": int,
    "dashboardUID": str,
    "panelId": int,
    "time": int,
    "timeEnd": int,
    "text": str,
    "tags": list,
    "data": dict,
}


@dataclass(frozen=True)
class Seen:
    """A request that came."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class Answer:
    """What is answered: a status, and JSON, or a text as it stands."""

    status: int
    body: object
    headers: Mapping[str, str] = field(default_factory=dict)


Bad = Callable[["_Handler", Seen], Answer | None]
"""One bad day: an answer in place of the right one; None where it has dealt with the connection."""


def says(status: int, message: str = "no", **headers: str) -> Bad:
    """Return a refusal, in Grafana's words for one."""
    return lambda _handler, _seen: Answer(status, {"message": message}, headers)


def page(status: int = 200, text: str = "<html>Sign in</html>") -> Bad:
    """Return a page of something that is not Grafana."""
    return lambda _handler, _seen: Answer(status, text)


def hang(handler: "_Handler", _seen: Seen) -> None:
    """Say nothing until the test lets go or ends."""
    handler.grafana.hanging.set()
    handler.grafana.let_go.wait(WITHIN_S)
    handler.close_connection = True


def cut(handler: "_Handler", _seen: Seen) -> None:
    """Break the connection, having done nothing."""
    handler.close_connection = True


def cut_afterwards(handler: "_Handler", seen: Seen) -> None:
    """Do what is asked, and break the connection before the answer."""
    handler.grafana.right(seen)
    handler.close_connection = True


def endless(handler: "_Handler", _seen: Seen) -> None:
    """Answer without an end."""
    handler.send_response(200)
    handler.end_headers()
    handler.close_connection = True
    piece = b" " * 1_000_000
    try:
        while not handler.grafana.let_go.is_set():
            handler.wfile.write(piece)
    except OSError:
        handler.grafana.hung_up.set()


class GrafanaStub:
    """A context manager; within it, `url` can be asked.

    Args:
        role: Of the token's account: Viewer, Editor or Admin.
    """

    def __init__(self, role: str = "Editor") -> None:
        self.role, self.token = role, TOKEN
        self.prefix = ""
        self.dashboards: dict[str, dict[str, Any]] = {}
        """By uid: `meta` and `dashboard`."""
        self.served: dict[str, object] = {}
        """Any other path's JSON."""
        self.annotations: list[dict[str, Any]] = []
        self.seen: list[Seen] = []
        self.bad: deque[Bad] = deque()
        """Bad days of the next requests for annotations, one each."""
        self.always: Bad | None = None
        """A bad day of every request, after those."""
        self.hanging, self.let_go, self.hung_up = (threading.Event() for _ in range(3))
        self._lock = threading.RLock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.grafana = self  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}{self.prefix}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.let_go.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def posts(self) -> list[Any]:
        """Return the bodies of all POSTs of annotations, answered or not."""
        with self._lock:
            return [each.body for each in self.seen if each.method == "POST"]

    def answer(self, handler: "_Handler", seen: Seen) -> Answer | None:
        """Return what is answered; None where the connection was dealt with."""
        with self._lock:
            self.seen.append(seen)
            bad = self.always
            if self.bad and seen.path == "/api/annotations":
                bad = self.bad.popleft()
        return self.right(seen) if bad is None else bad(handler, seen)

    def right(self, seen: Seen) -> Answer:
        """Return what Grafana answers on a good day."""
        with self._lock:
            path = seen.path.removeprefix(self.prefix)
            if path == "/api/health":
                health = {"database": "ok", "version": "13.2.3", "commit": "0"}
                return Answer(200, self.served.get(path, health))
            given = seen.headers.get("Authorization", "")
            if given != f"Bearer {self.token}":
                message = "Invalid API key" if given else "Unauthorized"
                return Answer(401, {"message": message, "messageId": "api-key.invalid"})
            if path == "/api/annotations":
                return self._post(seen) if seen.method == "POST" else self._find(seen)
            return self._get(path, seen)

    def _get(self, path: str, seen: Seen) -> Answer:
        found = self.served.get(path)
        if path.startswith("/api/dashboards/uid/"):
            found = self.dashboards.get(unquote(path.rpartition("/")[2]))
        elif path == "/api/search":
            found = self._search(seen)
        if found is None or seen.method != "GET":
            return Answer(404, {"message": "Not found", "traceID": ""})
        return found if isinstance(found, Answer) else Answer(200, found)

    def _post(self, seen: Seen) -> Answer:
        body, kind = seen.body, seen.headers.get("Content-Type", "").partition(";")[0]
        if kind != "application/json" or not isinstance(body, dict) or not _typed(body):
            return Answer(400, {"message": "bad request data"})
        uid = body.get("dashboardUID", "")
        if self.role == "Viewer" or (uid and uid not in self.dashboards):
            return Answer(403, {"message": "Access denied to save the annotation"})
        if not body.get("text"):
            return Answer(400, {"message": "Failed to save annotation"})
        tags = [_halves(each) for each in body.get("tags", [])]
        if any(len(half) > _TAG_CHARS for tag in tags for half in tag):
            return Answer(500, {"message": "Failed to save annotation"})
        at_ms = body.get("time", 0)
        made = {
            "id": len(self.annotations) + 1,
            "dashboardUID": uid,
            "panelId": body.get("panelId", 0),
            "time": at_ms,
            "timeEnd": body.get("timeEnd", at_ms),
            "text": body["text"],
            "tags": [":".join(filter(None, tag)) for tag in tags],
        }
        self.annotations.append(made)
        return Answer(200, {"message": "Annotation added", "id": made["id"]})

    def _find(self, seen: Seen) -> Answer:
        query = {name: values[0] for name, values in seen.query.items()}
        since, until = int(query.get("from", 0)), int(query.get("to", 0))
        wanted = {":".join(filter(None, _halves(each))) for each in seen.query.get("tags", [])}
        uid = query.get("dashboardUID")
        if uid and uid not in self.dashboards:
            return Answer(400, {"message": "Invalid dashboard UID in annotation request"})
        test = any if query.get("matchAny") == "true" else all
        found = [
            each
            for each in self.annotations
            if (not wanted or test(tag in each["tags"] for tag in wanted))
            and (not (since and until) or (each["time"] <= until and each["timeEnd"] >= since))
            and (not uid or each["dashboardUID"] == uid)
        ]
        return Answer(200, found[: int(query.get("limit", 100))])

    def _search(self, seen: Seen) -> list[dict[str, Any]]:
        folders = seen.query.get("folderUIDs", [])
        return [
            {"uid": uid, "title": each["dashboard"].get("title", ""), "type": "dash-db"}
            for uid, each in self.dashboards.items()
            if not folders or each["meta"].get("folderUid") in folders
        ]


def _typed(body: Mapping[str, Any]) -> bool:
    """Return whether Go would read each field of a body; unknown fields are ignored."""
    return all(
        name not in _FIELDS or (isinstance(value, _FIELDS[name]) and not isinstance(value, bool))
        for name, value in body.items()
    ) and all(isinstance(each, str) for each in body.get("tags", []))


def _halves(tag: str) -> tuple[str, str]:
    """Return key and value as Grafana keeps them: what follows a second colon is lost."""
    parts = tag.split(":")
    return parts[0].strip(), parts[1].strip() if len(parts) > 1 else ""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    @property
    def grafana(self) -> GrafanaStub:
        stub: GrafanaStub = self.server.grafana  # type: ignore[attr-defined]
        return stub

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        split = urlsplit(self.path)
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            body = raw
        headers = {name.title(): value for name, value in self.headers.items()}
        seen = Seen(self.command, split.path, parse_qs(split.query), headers, body)
        answer = self.grafana.answer(self, seen)
        if answer is None:
            return
        plain = isinstance(answer.body, str)
        text = (str(answer.body) if plain else json.dumps(answer.body)).encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", "text/html" if plain else "application/json")
        self.send_header("Content-Length", str(len(text)))
        for name, value in answer.headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Write nothing."""
