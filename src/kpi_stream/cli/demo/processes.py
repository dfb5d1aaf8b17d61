"""The demo's processes: the embedded broker, a worker and the scorecard, ended together."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.error import URLError
from urllib.request import urlopen

from kpi_stream.adapters.embedded_broker import HOST, EmbeddedBroker, free_port, guarded, is_free
from kpi_stream.application.ports import Guarantee
from kpi_stream.bootstrap.topics import init_topics
from kpi_stream.domain.errors import InputError, Unavailable
from kpi_stream.settings import PREFIX, Settings

_STOP_S = 15.0
_LOG_LINES = 12


class Demo:
    """Everything that runs during a demo, as a context manager.

    Args:
        settings: The user's settings; addresses and the guarantee are replaced.
        port: The scorecard's port; None takes the usual one, or a free one where that is taken.
    """

    def __init__(self, settings: Settings, port: int | None) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="kpi-stream-demo-"))
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._broker = EmbeddedBroker(log=self._folder / "broker.log")
        self._wanted, self._base = port, settings
        self.settings = settings

    @property
    def url(self) -> str:
        """Where the scorecard is served."""
        return f"http://{self.settings.host}:{self.settings.scorecard_port}"

    @property
    def worker_url(self) -> str:
        """Where the worker's metrics are served."""
        return f"http://{self.settings.host}:{self.settings.worker_port}"

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _start(self) -> None:
        scorecard = self._wanted
        if scorecard is None:
            scorecard = _or_free(self._base.scorecard_port)
        elif not is_free(scorecard):
            msg = (
                f"port {scorecard} is taken; end the program that listens there "
                "(another demo?), choose another --port, or leave it out for a free one"
            )
            raise InputError(msg)
        self._broker.start()
        self.settings = self._base.model_copy(
            update={
                "brokers": self._broker.bootstrap,
                "processing_guarantee": Guarantee.AT_LEAST_ONCE,
                "replication_factor": 1,
                "host": HOST,
                # A hundred declarations a day leave quiet hours at night.
                "stale_after_s": 12 * 3600.0,
                "scorecard_port": scorecard,
                "worker_port": _or_free(self._base.worker_port),
            }
        )
        for report in init_topics(self.settings):
            if not report.ok:
                raise InputError("\n".join(map(str, report.problems)))
        for name in ("worker", "scorecard"):
            self._spawn(name)

    def _spawn(self, name: str) -> None:
        log = (self._folder / f"{name}.log").open("wb")
        environment = dict(os.environ)  # noqa: TID251 # handed on, not read
        for field in Settings.model_fields:
            value = getattr(self.settings, field)
            if value is not None:
                environment[PREFIX + field.upper()] = str(value)
        with log:
            self._children[name] = subprocess.Popen(
                guarded([sys.executable, "-m", "kpi_stream", name]),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                # Ctrl-C belongs to the demo, which ends the others in order.
                start_new_session=True,
            )

    def check(self) -> None:
        """Raise with the end of its log where a process has ended by itself.

        Raises:
            Unavailable: The worker, the scorecard or the broker is gone.
        """
        for name, child in self._children.items():
            if child.poll() is not None:
                code = child.returncode
                msg = f"the {name} ended by itself (exit code {code}):\n{self._log_tail(name)}"
                raise Unavailable(msg)
        if not self._broker.running:
            msg = f"the embedded broker ended by itself:\n{self._log_tail('broker')}"
            raise Unavailable(msg)

    def _log_tail(self, name: str) -> str:
        text = (self._folder / f"{name}.log").read_text(errors="replace")
        return "\n".join(text.splitlines()[-_LOG_LINES:])

    def scorecard(self) -> dict[str, Any] | None:
        """Return what the scorecard says now, None before its first evaluation."""
        try:
            with urlopen(f"{self.url}/api/v1/scorecard", timeout=10) as answer:  # noqa: S310
                document: dict[str, Any] = json.load(answer)
                return document
        except (URLError, TimeoutError, ConnectionError):
            return None

    def close(self) -> None:
        """End all processes, first those that write, last the broker, and leave no file behind.

        A second Ctrl-C changes nothing: it takes seconds, and is bounded.
        """
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            self._close()
        finally:
            signal.signal(signal.SIGINT, before)

    def _close(self) -> None:
        for child in self._children.values():
            if child.stdin is not None:
                child.stdin.close()
        for child in self._children.values():
            try:
                child.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
        self._children.clear()
        self._broker.stop()
        shutil.rmtree(self._folder)


def _or_free(port: int) -> int:
    return port if is_free(port) else free_port()
