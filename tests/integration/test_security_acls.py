"""The rights in docs/security.md are enough, and each of them is needed, on a Kafka with ACLs.

What is tested is the table of the page: a line too few and nothing works, a line too many and the
test that takes it away stays green, which is a failure.
"""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kpi_stream.adapters.kafka.scorecard.records import encode_key, encode_transition
from kpi_stream.adapters.simulator import KafkaSink, Record
from kpi_stream.application.judge import Transition
from kpi_stream.application.ports import Topics
from kpi_stream.domain.readings import SeriesKey
from kpi_stream.domain.status import Status
from tests.support.documents import ROOT
from tests.support.ports import free_port
from tests.support.processes import Process, eventually
from tests.support.secure_kafka import Right, SecureKafka
from tests.support.secure_site import COMMAND, PASSWORDS, connection, settings_of, started
from tests.support.site import page

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

WITHIN_S = 240.0
_FREE, _REMOVED = 7, 5
"""Epochs that no rebuild of these tests takes, and so begin without topics."""
TOPICS = Topics()
_LINE = re.compile(
    r"^\| `(\w+)` \| (\w+) \| (Topic|Group|TransactionalId|Cluster) \| `(\S+)` "
    r"\| (literal|prefixed) \|",
    re.MULTILINE,
)
RIGHTS = [
    Right(user, operation, kind, name, prefixed=pattern == "prefixed")
    for user, operation, kind, name, pattern in _LINE.findall(
        (ROOT / "docs/security.md").read_text()
    )
]
CHANGE = Transition(
    key=SeriesKey("release-time", "30d", "", ""),
    sequence=1,
    before=Status.NO_DATA,
    after=Status.ON_TRACK,
    as_of_ms=1_700_000_000_000,
    value=1.0,
    expected=1.0,
    goal=1.0,
    low=None,
    samples=40,
    no_data=None,
    target="none-in-force",
    version=1,
    digest="0",
)
UNCHECKED = """\
import sys
from kpi_stream.bootstrap import scorecard, worker
from kpi_stream.cli import main
scorecard.require = worker.require = lambda *_: None
sys.argv[0] = "kpi-stream"
main()
"""
"""The command line, with a service that does not ask beforehand what it is allowed."""


def _of(user: str) -> list[Right]:
    return [each for each in RIGHTS if each.user == user]


def _run(
    kafka: SecureKafka, user: str, *words: object, login: str = "scram", epoch: int | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, words)],
        env=settings_of(kafka, user, login) | {"KPI_STREAM_EPOCH": str(epoch or "")},
        capture_output=True,
        text=True,
        check=False,
        timeout=WITHIN_S,
    )


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureKafka]:
    """The broker with all the rights and the topics."""
    with started(tmp_path_factory.mktemp("secure"), PASSWORDS) as broker:
        broker.allow(RIGHTS)
        made = _run(broker, "operator", "topics", "init")
        assert made.returncode == 0, made.stderr
        assert made.stdout.count("created") == 8
        yield broker


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of events, up to the day before yesterday."""
    path = tmp_path_factory.mktemp("events") / "events.jsonl"
    command = [*COMMAND, "simulate", "--days", "3", "--per-day", "20", "--output", str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=WITHIN_S)
    return path


@pytest.fixture(scope="module")
def counted(
    kafka: SecureKafka, events: Path, tmp_path_factory: pytest.TempPathFactory
) -> SecureKafka:
    """The broker, with something in every topic: an empty one is not read."""
    _count(kafka, events, tmp_path_factory.mktemp("counted"), "scram")
    # No status changed in so short a time.
    change = Record(encode_key(CHANGE.key), encode_transition(CHANGE), 0)
    with KafkaSink(kafka.scram, TOPICS.transitions, connection(kafka, "scorecard")) as sink:
        sink.send([change])
    return kafka


def _send_one_of_each(kafka: SecureKafka, events: Path) -> None:
    """An event that counts and one that is rejected, so that a worker writes everything."""
    line = events.read_bytes().splitlines()[0]
    key = json.loads(line)["subject"].encode()
    with KafkaSink(kafka.scram, TOPICS.events, connection(kafka, "producer")) as sink:
        sink.send([Record(key, line, 0), Record(b"?", b"no event", 0)])


@contextmanager
def _without(kafka: SecureKafka, right: Right) -> Iterator[None]:
    kafka.deny([right])
    try:
        yield
    finally:
        kafka.allow([right])


def _scorecard_page(port: int) -> dict[str, object] | None:
    """Return what the scorecard shows, once it has spoken about an instant."""
    try:
        answer = json.loads(page(f"http://127.0.0.1:{port}/api/v1/scorecard"))
    except OSError:
        return None
    return answer if answer.get("as_of") else None


def _all_counted(port: int) -> dict[str, object] | None:
    answer = _scorecard_page(port)
    return answer if answer and answer["caught_up"] and answer["lag_events"] == 0 else None


def _count(
    kafka: SecureKafka, events: Path, folder: Path, login: str
) -> tuple[dict[str, object], str]:
    """Run every process under its own user, from a file to the scorecard.

    Returns:
        What the scorecard shows, and everything that was told on the way.
    """
    copy = folder / "events.jsonl"
    copy.write_bytes(events.read_bytes())
    sent = _run(kafka, "producer", "ingest", copy, login=login)
    assert sent.returncode == 0, sent.stderr
    _send_one_of_each(kafka, events)
    port = free_port()
    debug = {"KPI_STREAM_LOG_LEVEL": "DEBUG", "KPI_STREAM_SCORECARD_PORT": str(port)}
    worker, scorecard = (
        Process(
            [*COMMAND, user],
            log=folder / f"{user}.log",
            env={**settings_of(kafka, user, login), **debug},
        )
        for user in ("worker", "scorecard")
    )
    with worker, scorecard:
        worker.wait_for_output("opened, applied up to", within_s=WITHIN_S)
        shown = scorecard.wait_until(
            lambda: _all_counted(port), within_s=WITHIN_S, what="every event is in the scorecard"
        )
        told = Path(f"/proc/{worker.pid}/cmdline").read_text()
        told += page(f"http://127.0.0.1:{port}/metrics").decode()
        assert scorecard.terminate() == 0
        assert worker.terminate() == 0
    return shown, told + worker.output() + scorecard.output()


@pytest.mark.parametrize("login", ["scram", "certificate"])
def test_the_documented_rights_are_enough(
    kafka: SecureKafka, events: Path, tmp_path: Path, login: str
) -> None:
    """From a file to the scorecard, and no secret is told on the way."""
    shown, told = _count(kafka, events, tmp_path, login)
    assert any(each["value"] is not None for each in _readings(shown))
    assert [each for each in PASSWORDS.values() if each in told] == []


def _readings(shown: dict[str, object]) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    ahead: list[object] = [shown]
    while ahead:
        each = ahead.pop()
        if isinstance(each, dict):
            found += [each] if "value" in each else []
            ahead += each.values()
        elif isinstance(each, list):
            ahead += each
    return found


def test_the_table_has_lines_for_every_user() -> None:
    """A page that was laid out anew would otherwise test nothing."""
    assert {each.user for each in RIGHTS} == set(PASSWORDS)
    assert len(RIGHTS) == len(set(RIGHTS)) > 20


@pytest.mark.parametrize("right", RIGHTS, ids=str)
def test_without_one_of_them_the_command_says_which(
    kafka: SecureKafka, events: Path, tmp_path: Path, right: Right
) -> None:
    """Exit code 2, the operation and the resource, soon, and a few connections at most."""
    copy = tmp_path / "events.jsonl"
    copy.write_bytes(events.read_bytes())
    words = {
        "producer": ["ingest", copy],
        "steward": ["dlq", "redrive", "--all"],
        "viewer": _of_the_viewer(right, tmp_path),
        "operator": _of_the_operator(right),
        "worker": ["worker"],
        "scorecard": ["scorecard"],
    }[right.user]
    epoch = None
    if right.operation == "Create":
        epoch = _something_to_create(kafka, right)
    elif right.operation == "Delete":
        assert _run(kafka, right.user, "topics", "init", epoch=_REMOVED).returncode == 0
    with _without(kafka, right):
        before = kafka.proxy.connections
        refused = _run(kafka, right.user, *words, epoch=epoch)
        connections = kafka.proxy.connections - before
    told = refused.stdout + refused.stderr
    if right.operation == "Create":
        assert _run(kafka, right.user, *words, epoch=epoch).returncode == 0
    assert refused.returncode == 2, told
    assert "does not allow this user" in told
    kind = {"TransactionalId": "transactional id"}.get(right.kind, right.kind.lower())
    assert f"{right.operation} on {kind} {right.name}" in told
    assert "Traceback" not in told
    # A rebuild asks about every epoch before it begins, a check-up about everything.
    assert connections <= (40 if {"rebuild", "doctor"} & {*words} else 10)


def _of_the_viewer(right: Right, folder: Path) -> list[object]:
    if right.name != TOPICS.events:
        return ["worklist"]
    month = f"{datetime.now(UTC):%Y-%m}"
    return ["report", "--period", month, "--output", folder / "report.html"]


def _of_the_operator(right: Right) -> list[str]:
    if right.kind in {"Group", "Cluster"}:
        return ["doctor"]
    if right.operation == "Delete":
        return ["rebuild", "--remove", str(_REMOVED), "--yes"]
    made = {"Create", "Describe", "DescribeConfigs"}
    return ["topics", "init"] if right.operation in made else ["rebuild", "--again"]


def _something_to_create(kafka: SecureKafka, right: Right) -> int | None:
    """Have a topic be missing that is made by this right; return the epoch to ask for."""
    if right.name != TOPICS.events:
        return _FREE
    with kafka.admin() as admin:
        admin.delete_topics([TOPICS.dead_letters])
        eventually(
            lambda: TOPICS.dead_letters not in admin.list_topics(),
            within_s=WITHIN_S,
            what="the topic is gone",
        )
    return None


def test_the_rights_of_the_operator_are_enough_for_a_check_up(kafka: SecureKafka) -> None:
    """Everything of Kafka can be asked; the services are not there in this test."""
    asked = _run(kafka, "operator", "doctor", "--json")
    assert asked.returncode == 1, asked.stdout + asked.stderr
    standings = {each["check"]: each["standing"] for each in json.loads(asked.stdout)}
    assert "cannot be asked" not in standings.values()
    assert {standings[each] for each in ("kafka", "topics", "transactions", "clock")} == {"well"}


RARE = Right("scorecard", "Write", "Topic", TOPICS.transitions)
"""Used when a status changes, which none does while a test waits."""


HIDDEN = Right("scorecard", "Read", "Topic", TOPICS.worklist, prefixed=True)
"""Without it the topic looks as it does where an epoch has none, which is all right: only the
question beforehand tells them apart."""


@pytest.mark.parametrize(
    "right",
    [each for each in _of("worker") + _of("scorecard") if each not in {RARE, HIDDEN}],
    ids=str,
)
def test_kafka_itself_refuses_and_the_service_ends(
    counted: SecureKafka, events: Path, tmp_path: Path, right: Right
) -> None:
    """What is asked beforehand is not more than what is done: without asking it fails as well."""
    _send_one_of_each(counted, events)
    service = Process(
        [sys.executable, "-c", UNCHECKED, right.user],
        log=tmp_path / "service.log",
        env=settings_of(counted, right.user),
    )
    with _without(counted, right), service:
        before, began = counted.proxy.connections, time.monotonic()
        code = service.wait(within_s=WITHIN_S)
        connections, took = counted.proxy.connections - before, time.monotonic() - began
    assert code == 2, service.output()
    (last,) = [each for each in service.output().splitlines() if each.startswith("kpi-stream: ")]
    assert "does not allow" in last or "may not see" in last
    assert connections <= 10 + 5 * took


@pytest.mark.long
@pytest.mark.parametrize(
    "right",
    [each for each in _of("worker") if each.operation != "Read" or each.kind == "Group"],
    ids=str,
)
def test_a_right_that_is_taken_away_ends_the_worker(
    kafka: SecureKafka, events: Path, tmp_path: Path, right: Right
) -> None:
    """Also while it runs, at the next use of the right."""
    worker = Process(
        [*COMMAND, "worker"], log=tmp_path / "worker.log", env=settings_of(kafka, right.user)
    )
    _send_one_of_each(kafka, events)
    with worker:
        worker.wait_for_output("opened, applied up to", within_s=WITHIN_S)
        with _without(kafka, right):
            _send_one_of_each(kafka, events)
            before = kafka.proxy.connections
            assert worker.wait(within_s=WITHIN_S) == 2, worker.output()
            assert kafka.proxy.connections - before < 40
    # In the words of whoever notices first: a write, or the question whether we are still let in.
    assert "does not allow" in worker.output()


@pytest.mark.long
@pytest.mark.parametrize(
    "right",
    [each for each in _of("scorecard") if each.name in {TOPICS.events, TOPICS.rows}],
    ids=str,
)
def test_a_right_that_is_taken_away_ends_the_scorecard(
    counted: SecureKafka, tmp_path: Path, right: Right
) -> None:
    """Those that it uses all the time; the others when it next says something."""
    port = free_port()
    scorecard = Process(
        [*COMMAND, "scorecard"],
        log=tmp_path / "scorecard.log",
        env=settings_of(counted, right.user) | {"KPI_STREAM_SCORECARD_PORT": str(port)},
    )
    with scorecard:
        # Other tests leave events behind that no worker was allowed to count.
        scorecard.wait_until(
            lambda: _scorecard_page(port), within_s=WITHIN_S, what="the scorecard speaks"
        )
        with _without(counted, right):
            before = counted.proxy.connections
            assert scorecard.wait(within_s=WITHIN_S) == 2, scorecard.output()
            assert counted.proxy.connections - before < 40
    assert "does not allow" in scorecard.output()
