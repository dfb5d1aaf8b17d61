"""A Prometheus of this machine: blocks from OpenMetrics, and a server that is asked over HTTP."""

import json
import shutil
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.error import URLError

from kpi_stream.adapters.embedded_broker import HOST
from kpi_stream.adapters.prometheus.history_files import BLOCK_HOURS
from tests.support.ports import free_port
from tests.support.processes import Process
from tests.support.required import missing

_READY_S = 180
RETENTION = "100y"
"""Of what a test loads, however old."""

Labels = tuple[tuple[str, str], ...]


def make_blocks(history: Path, storage: Path) -> None:
    """Make a block of each file of a history, as docs/operations.md says."""
    promtool = shutil.which("promtool") or missing("promtool", "promtool is not installed")
    command = [promtool, "tsdb", "create-blocks-from", f"--max-block-duration={BLOCK_HOURS}h"]
    for file in sorted(history.glob("*.om")):
        words = [*command, "openmetrics", str(file), str(storage)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


class Prometheus:
    """A server over a folder of blocks, as a context manager.

    Args:
        storage: Its data.
        log: Gets what it prints.
        lookback: How far back an instant query looks for a sample, as Prometheus writes it.
        config: Its configuration; an empty one scrapes nothing.
    """

    def __init__(
        self, storage: Path, log: Path, lookback: str = "5m", config: str = "{}\n"
    ) -> None:
        program = shutil.which("prometheus") or missing("prometheus", "it is not installed")
        file = log.with_suffix(".yml")
        file.write_text(config, encoding="utf-8")
        self._address = f"{HOST}:{free_port()}"
        self._process = Process(
            [
                program,
                f"--config.file={file}",
                f"--storage.tsdb.path={storage}",
                f"--storage.tsdb.retention.time={RETENTION}",
                f"--query.lookback-delta={lookback}",
                f"--web.listen-address={self._address}",
                "--web.enable-lifecycle",
            ],
            log=log,
            dies_with_parent=True,
        )

    def __enter__(self) -> Self:
        self._process.start()
        self._process.wait_until(self._ready, within_s=_READY_S, what="Prometheus is ready")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.kill()

    @property
    def url(self) -> str:
        """Where it is asked."""
        return f"http://{self._address}"

    def reload(self) -> None:
        """Have it read its configuration and its rules again; return once it has."""
        url = f"http://{self._address}/-/reload"
        with urllib.request.urlopen(url, data=b"", timeout=30) as answer:
            assert answer.status == 200

    def query(self, expr: str, at_s: float) -> dict[Labels, float]:
        """Return the value of each series, by its labels, at an instant."""
        found = self.get("query", query=expr, time=repr(at_s))
        return {
            tuple(sorted(each["metric"].items())): float(each["value"][1])
            for each in found["result"]
        }

    def times(self, selector: str, within_s: float, at_s: float) -> set[float]:
        """Return the times of all samples of a selector within a range before an instant."""
        found = self.get("query", query=f"{selector}[{within_s:.0f}s]", time=repr(at_s))
        return {time_s for each in found["result"] for time_s, _ in each["values"]}

    def get(self, endpoint: str, **parameters: str) -> Mapping[str, Any]:
        """Return the data of an answer of the API."""
        query = urllib.parse.urlencode(parameters)
        url = f"http://{self._address}/api/v1/{endpoint}?{query}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            data: Mapping[str, Any] = json.load(answer)["data"]
        return data

    def _ready(self) -> bool:
        try:
            url = f"http://{self._address}/-/ready"
            with urllib.request.urlopen(url, timeout=5) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False
