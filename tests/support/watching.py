"""Prometheus, Alertmanager and a webhook over the processes of a site, configured as shipped.

The files of `deploy/` are used as they stand. Only what names a place of the deployment is moved
(addresses, mounted files), and time is shortened where a test cannot wait as long as people do.
"""

import json
import re
import shutil
import threading
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from kpi_stream.adapters.embedded_broker import HOST
from kpi_stream.application.monitoring import conventions as c
from tests.support.ports import free_port
from tests.support.processes import Process
from tests.support.required import missing

DEPLOY = Path(__file__).parents[2] / "deploy"
HELD = {"for": "2s", "keep_firing_for": "2s"}
"""How long a condition holds, and an alert goes on, in shortened rules."""
_HOLDS = re.compile(r"^( +)(for|keep_firing_for): \w+$", re.MULTILINE)
_READY_S = 180.0


def prometheus_config(
    rules: Path, targets: Mapping[str, str], alertmanager: str | None, *, every_s: int
) -> str:
    """Return the shipped configuration with shorter intervals and the addresses of here.

    Args:
        rules: The folder of the rule files.
        targets: `host:port` by the name of the job.
        alertmanager: Its `host:port`; None where alerts are told nobody.
        every_s: Between two scrapes, and between two evaluations of the rules.
    """
    content: dict[str, Any] = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
    times = ("scrape_interval", "evaluation_interval")
    content["global"] |= dict.fromkeys((*times, "scrape_timeout"), f"{every_s}s")
    content["rule_files"] = [str(rules / Path(each).name) for each in content["rule_files"]]
    jobs = {each["job_name"]: each for each in content["scrape_configs"]}
    assert set(jobs) == set(targets)
    for name, job in jobs.items():
        _here(job, targets[name])
    (told,) = content["alerting"]["alertmanagers"]
    if alertmanager is None:
        del content["alerting"]
    else:
        _here(told, alertmanager)
    return yaml.safe_dump(content)


def _here(found: dict[str, Any], address: str) -> None:
    """Replace how something is found by an address."""
    assert found.pop("dns_sd_configs", None) or found.pop("static_configs", None)
    found["static_configs"] = [{"targets": [address]}]


def targets(scorecard_url: str, worker_url: str) -> dict[str, str]:
    """Return `host:port` by the name of the job."""
    urls = {c.SCORECARD_JOB: scorecard_url, c.WORKER_JOB: worker_url}
    return {job: url.split("/")[2] for job, url in urls.items()}


def write_rules(folder: Path, files: Mapping[str, str]) -> Path:
    """Write rule files into a folder, and return it."""
    folder.mkdir()
    for path, text in files.items():
        (folder / Path(path).name).write_text(text, encoding="utf-8")
    return folder


def shortened(rules: str) -> str:
    """Return a rule file whose alerts wait for seconds; nothing else is another.

    Example:
        >>> shortened("    for: 15m")
        '    for: 2s'
    """
    return _HOLDS.sub(lambda found: f"{found[1]}{found[2]}: {HELD[found[2]]}", rules)


def alertmanager_config(webhook_url: str, secrets: Path) -> str:
    """Return the shipped example with a webhook of here; its mail leads nowhere.

    Args:
        webhook_url: Stands for the site's chat.
        secrets: The folder that would be mounted.
    """
    text = (DEPLOY / "alertmanager/alertmanager.yml").read_text(encoding="utf-8")
    moved = {
        "mail.example.org:587": f"{HOST}:{free_port()}",
        "https://chat.example.org": webhook_url,
        "/etc/alertmanager/secrets": str(secrets),
    }
    return replaced(text, moved)


def replaced(text: str, by: Mapping[str, str]) -> str:
    """Return a text with pieces replaced, each of which must be there."""
    for there, here in by.items():
        assert there in text, there
        text = text.replace(there, here)
    return text


class Alertmanager:
    """A real Alertmanager, as a context manager."""

    def __init__(self, config: str, folder: Path) -> None:
        program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
        if program is None:
            missing("alertmanager", "alertmanager is not installed")
        path = folder / "alertmanager.yml"
        path.write_text(config, encoding="utf-8")
        self.address = f"{HOST}:{free_port()}"
        self._process = Process(
            [
                program,
                f"--config.file={path}",
                f"--storage.path={folder / 'alertmanager'}",
                f"--web.listen-address={self.address}",
                "--cluster.listen-address=",
            ],
            log=folder / "alertmanager.log",
            dies_with_parent=True,
        )

    def __enter__(self) -> Self:
        self._process.start()
        self._process.wait_until(self._ready, within_s=_READY_S, what="Alertmanager is ready")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.kill()

    def alerts(self) -> list[dict[str, Any]]:
        """Return the alerts that it holds."""
        with urllib.request.urlopen(f"http://{self.address}/api/v2/alerts", timeout=30) as answer:
            found: list[dict[str, Any]] = json.load(answer)
        return found

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{self.address}/-/ready", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


@dataclass(frozen=True)
class Told:
    """One alert of a message."""

    at_s: float
    """When the message came, in seconds since 1970."""
    path: str
    """Where it came."""
    authorization: str
    group: Mapping[str, str]
    """What the alerts of the message have in common."""
    alert: Mapping[str, Any]
    """`status`, `labels`, `annotations`, `startsAt`, ... as Alertmanager writes them."""

    @property
    def status(self) -> str:
        """Return `firing` or `resolved`."""
        return str(self.alert["status"])

    @property
    def labels(self) -> dict[str, str]:
        """Return the alert's labels."""
        return dict(self.alert["labels"])


class Webhook:
    """An HTTP server that keeps what Alertmanager tells it, as a context manager."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        kept = self.told

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                at_s = time.time()
                length = int(self.headers["Content-Length"])
                message = json.loads(self.rfile.read(length))
                authorization = self.headers.get("Authorization", "")
                kept.extend(
                    Told(at_s, self.path, authorization, message["groupLabels"], each)
                    for each in message["alerts"]
                )
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer((HOST, 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{HOST}:{self._server.server_port}"

    def of(self, status: str, **labels: str) -> list[Told]:
        """Return what was told of alerts with a status and these labels, oldest first."""
        return [
            each
            for each in tuple(self.told)
            if each.status == status and labels.items() <= each.labels.items()
        ]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
