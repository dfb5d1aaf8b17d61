"""The demo from its first process to its last: what it shows, and that nothing is left of it."""

import os
import pty
import re
import signal
import socket
import subprocess
import termios
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self
from urllib.error import URLError

import pytest

from kpi_stream.adapters.embedded_broker import HOST, broker_binary
from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.application.display import NO_DATA_WORDS, STATUS_WORDS
from kpi_stream.application.monitoring import conventions
from kpi_stream.domain.errors import InputError
from tests.support.ports import free_port
from tests.support.processes import Process, eventually
from tests.support.required import missing
from tests.support.site import COMMAND, run, samples

STRATEGY = load_strategy(packaged_strategy_path())
WITHIN_S = 180.0
GONE_S = 20.0
SERVICES = ("tansu", "worker", "scorecard")


class Place:
    """Where a demo runs: its own temporary folder, ports, and a mark that its processes inherit."""

    def __init__(self, folder: Path, ports: tuple[int, int]) -> None:
        self.folder = folder
        self.temporary = folder / "tmp"
        self.temporary.mkdir(parents=True)
        self.scorecard_port, self.worker_port = ports
        self.mark = f"KPI_STREAM_TEST_MARK={uuid.uuid4().hex}"
        name, _, value = self.mark.partition("=")
        self.env = {
            name: value,
            "TMPDIR": str(self.temporary),
            "KPI_STREAM_SCORECARD_PORT": str(self.scorecard_port),
            "KPI_STREAM_WORKER_PORT": str(self.worker_port),
            "COLUMNS": "160",
            # A worker joins the embedded broker's group after about a session timeout.
            "KPI_STREAM_SESSION_TIMEOUT_S": "3",
            "KPI_STREAM_EVALUATION_INTERVAL_S": "0.25",
        }

    def demo(self, *words: str) -> Process:
        """Return a demo that is not started."""
        command = [*COMMAND, "demo", *words]
        return Process(command, log=self.folder / "demo.log", env=self.env)

    def processes(self) -> dict[int, str]:
        """Return the command lines of all processes of the demo, by process id."""
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                marked = self.mark.encode() in (entry / "environ").read_bytes().split(b"\0")
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:  # it has ended, or is another user's
                continue
            if marked:
                found[int(entry.name)] = words
        return found

    def service(self, name: str) -> int | None:
        """Return the process id of a service, not that of its guard."""
        there = self.processes().items()
        return next((pid for pid, words in there if name in words and "/bin/sh" not in words), None)

    def nothing_runs(self) -> None:
        """Wait until no process of the demo is left."""
        eventually(
            lambda: not self.processes(), within_s=GONE_S, what=f"the end of {self.processes()}"
        )

    def nothing_is_left(self) -> None:
        """Every process has ended already, and the temporary folder is empty."""
        assert not self.processes()
        assert list(self.temporary.iterdir()) == []


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Callable[..., Place]]:
    """Makes places; in the end no process is left in any."""
    if not Path("/proc/self/environ").exists():
        missing("proc", "there is no /proc to find the processes by")
    try:
        broker_binary()
    except InputError as err:
        missing("broker", str(err))
    made: list[Place] = []

    def make(ports: tuple[int, int] | None = None) -> Place:
        made.append(Place(tmp_path / str(len(made)), ports or (free_port(), free_port())))
        return made[-1]

    yield make
    for each in made:
        for pid in each.processes():
            os.kill(pid, signal.SIGKILL)


def counting(at: Place) -> bool:
    """Whether the demo's worker has counted an event."""
    try:
        found = samples(f"http://{HOST}:{at.worker_port}/metrics")
    except (URLError, ConnectionError):
        return False
    return any(each.name == conventions.EVENTS.name and each.value for each in found)


def words(language: str) -> list[str]:
    """Every way in which a status is told."""
    told = [each[language] for each in STATUS_WORDS.values()]
    return told + [each[language].partition("{")[0] or " of " for each in NO_DATA_WORDS.values()]


def test_a_demo_that_does_not_go_live_prints_the_scorecard(place: Callable[..., Place]) -> None:
    """It exits 0 with a table in which each objective's KPIs stand with their status."""
    at, language = place(), "en"
    done = run("demo", "--once", "--days", "30", "--language", language, env=at.env)
    at.nothing_is_left()
    assert "Traceback" not in done.stderr
    lines = done.stdout.splitlines()
    kpis = {each.id: each for each in STRATEGY.kpis}
    place_of = {
        each.id: at for each in STRATEGY.objectives for at, line in enumerate(lines)
        if line.startswith(each.name[language][:15])
    }  # fmt: skip
    assert list(place_of) == [each.id for each in STRATEGY.objectives]
    for objective in STRATEGY.objectives:
        start = place_of[objective.id]
        if not objective.kpis:
            assert re.search(r"\s—\s", lines[start])
        for offset, part in enumerate(objective.kpis):
            line = lines[start + offset]
            assert f" {kpis[part.kpi].code} " in line
            assert any(each in line for each in words(language)), line
    assert any(STATUS_WORDS[status][language] in done.stdout for status in STATUS_WORDS)
    assert max(map(len, lines)) <= 160


def test_ctrl_c_during_the_history_ends_everything(place: Callable[..., Place]) -> None:
    """Events are on their way, and still nothing runs or lies about when the demo has ended."""
    at = place()
    with at.demo() as demo:
        demo.wait_until(lambda: counting(at), within_s=WITHIN_S, what="the worker counts")
        assert all(at.service(each) for each in SERVICES)
        demo.send(signal.SIGINT)
        assert demo.wait(within_s=WITHIN_S) == 130
        at.nothing_is_left()
        assert "ending the demo" in demo.output()
        assert "Traceback" not in demo.output()
        assert "100%" not in demo.output()


class Terminal:
    """A demo on a terminal of 50 lines and 150 columns; leaving the context kills it."""

    def __init__(self, at: Place, *words: str) -> None:
        self._main, other = pty.openpty()
        termios.tcsetwinsize(other, (50, 150))
        env = {**os.environ, **at.env, "TERM": "xterm"}
        del env["COLUMNS"]
        self.process = subprocess.Popen(
            [*COMMAND, "demo", *words],
            stdin=other,
            stdout=other,
            stderr=other,
            env=env,
            start_new_session=True,
        )
        os.close(other)
        os.set_blocking(self._main, False)
        self._text = b""

    def text(self) -> str:
        """Return everything that was written so far."""
        try:
            while chunk := os.read(self._main, 1 << 16):
                self._text += chunk
        except OSError:  # nothing more for now, or the other end was closed
            pass
        return self._text.decode(errors="replace")

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Return the first match in what was written."""
        return eventually(lambda: re.search(pattern, self.text()), within_s=WITHIN_S, what=pattern)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._main)


@pytest.mark.slow
def test_two_demos_go_live_beside_each_other(place: Callable[..., Place]) -> None:
    """The second takes other ports; kill -9 of the first leaves nothing; Ctrl-C ends the second."""
    one = place()
    other = place((one.scorecard_port, one.worker_port))
    with one.demo("--days", "2") as first:
        url = rf"http://{HOST}:(\d+)/"
        assert int(first.wait_for_output(url, within_s=WITHIN_S)[1]) == one.scorecard_port
        with Terminal(other, "--days", "2") as second:
            found = second.wait_for(rf"scorecard +{url}[\s\S]+worker {url}")
            assert not {int(found[1]), int(found[2])} & {one.scorecard_port, one.worker_port}
            first.send(signal.SIGKILL)
            first.wait(within_s=GONE_S)
            one.nothing_runs()
            # Redrawn in place: the cursor goes up again.
            second.wait_for(r"K04 [\s\S]+\x1b\[1A[\s\S]+K04 ")
            assert second.process.poll() is None
            second.process.send_signal(signal.SIGINT)
            assert eventually(
                lambda: _drained(second) is not None, within_s=WITHIN_S, what="its end"
            )
            assert second.process.returncode == 0
            other.nothing_is_left()
            assert "Traceback" not in second.text()


def _drained(terminal: Terminal) -> int | None:
    # A full terminal would hold its writer back.
    terminal.text()
    return terminal.process.poll()


@pytest.mark.parametrize(
    ("victim", "said"),
    [
        ("worker", r"the worker ended by itself \(exit code \d+\):\n(.*\n)*.* INFO "),
        # The services look for the broker for a while before they end: with the slow tests.
        pytest.param("tansu", r"the embedded broker ended by itself:\n", marks=pytest.mark.slow),
    ],
)
def test_a_process_that_dies_ends_the_demo_with_its_last_words(
    place: Callable[..., Place], victim: str, said: str
) -> None:
    """Exit code 1, the tail of the log, and nothing left of the others."""
    at = place()
    with at.demo() as demo:
        demo.wait_until(lambda: counting(at), within_s=WITHIN_S, what="the worker counts")
        pid = at.service(victim)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert demo.wait(within_s=WITHIN_S) == 1
        at.nothing_is_left()
        assert re.search(said, demo.output())
        assert "Traceback" not in demo.output()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "no such file"),
        (b"Date,Office\n2020-01-01,30\n", "no column"),
        (b"not packed", "gzip"),
    ],
)
def test_wrong_declarations_are_refused_before_anything_starts(
    place: Callable[..., Place], content: bytes | None, said: str
) -> None:
    """One line that names the file, and exit code 2."""
    at = place()
    name = "declarations.csv" if content is None or b"," in content else "declarations.csv.gz"
    path = at.folder / name
    if content is not None:
        path.write_bytes(content)
    done = run("demo", "--once", "--declarations", path, env=at.env, code=2)
    assert done.stdout == ""
    assert re.fullmatch(rf"kpi-stream: {re.escape(str(path))}: .*{said}.*\n", done.stderr)
    at.nothing_is_left()


def test_a_named_port_that_is_taken_is_refused(place: Callable[..., Place]) -> None:
    """One line with the port and the ways out, and exit code 2."""
    at = place()
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run("demo", "--once", "--days", "2", "--port", str(port), env=at.env, code=2)
    assert re.fullmatch(rf"kpi-stream: port {port} is taken; .*--port.*\n", done.stderr)
    at.nothing_is_left()
