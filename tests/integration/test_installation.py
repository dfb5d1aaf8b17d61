"""`kpi-stream doctor` on a whole installation that runs: all is well, then one thing at a time.

Apache Kafka, a worker, a scorecard and a Prometheus of this machine; Grafana is its stub.
"""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from kafka import KafkaAdminClient

from kpi_stream.application.checkup.frame import Finding, Severity, Standing, examine
from kpi_stream.application.checkup.frame import Result as Made
from kpi_stream.application.ports import Topics
from kpi_stream.bootstrap import doctor_kafka
from kpi_stream.bootstrap.common import now_ms
from kpi_stream.bootstrap.doctor import checks
from kpi_stream.bootstrap.installation import Generated
from kpi_stream.cli import cli
from tests.support.grafana_loaded import STRATEGIES
from tests.support.installation import HARBOUR, Installation, altered, running
from tests.support.ports import free_port
from tests.support.processes import eventually
from tests.support.site import WITHIN_S

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(400)]

TOPICS = Topics()
NAMES = [each.name for each in checks()]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """All of it, with some events counted."""
    with running(tmp_path_factory.mktemp("installation")) as made:
        yield made


@pytest.fixture(autouse=True)
def environment(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of whoever runs the command."""
    for name, value in installation.env.items():
        monkeypatch.setenv(name, value)


def doctor(*options: str) -> Result:
    """Run the command as the files were generated."""
    return CliRunner().invoke(cli, ["doctor", "--language", "en", *options])


def made(*names: str, clock: Callable[[], int] = now_ms) -> list[Made]:
    """Make some checks, and those that they rest on."""
    wanted = set(names)
    plan = checks(Generated(language="en"), clock)
    for each in reversed(plan):
        wanted |= set(each.needs) if each.name in wanted else set()
    return [*examine([each for each in plan if each.name in wanted], lambda _: None)]


def only(results: list[Made]) -> Finding:
    """Return the one finding that there is."""
    (finding,) = [finding for each in results for finding in each.findings]
    return finding


def test_all_is_well(installation: Installation) -> None:
    """Nothing on standard output, exit code 0; on standard error what was seen."""
    result = doctor()
    assert (result.exit_code, result.stdout) == (0, ""), result.stdout
    assert result.stderr.splitlines()[-1] == "all is well"
    for said in (
        "kafka: 1 broker, version 4.3",
        "topics: 8 of 8 can be used; epoch 1",
        "counting: group kpi-stream: Stable, members: 1; events that wait, by partition: 0: 0,",
        "this machine (within ",
        "ready; partitions 0, 1, 2, 3",
        "2 of 2 targets of ours are up",
        "rules are loaded",
        f"grafana: {installation.grafana.url} serves what was generated",
    ):
        assert said in result.stderr
    asked = [each for each in result.stderr.splitlines() if each.startswith("asking about ")]
    assert asked == [f"asking about {name}" for name in NAMES]


def test_each_check_as_json() -> None:
    """For a machine: every check with its standing."""
    result = doctor("--json")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert [(each["check"], each["standing"]) for each in document] == [
        (name, "well") for name in NAMES
    ]
    assert all(each["said"] for each in document)


def test_a_topic_that_is_missing_is_made_by_the_remedy(installation: Installation) -> None:
    """And without it nothing else is said."""
    admin = KafkaAdminClient(bootstrap_servers=installation.site.brokers)
    admin.delete_topics([TOPICS.dead_letters])
    eventually(
        lambda: TOPICS.dead_letters not in admin.list_topics(), within_s=WITHIN_S, what="it is gone"
    )
    admin.close()
    results = made("topics")
    assert only(results) == Finding(
        f"topic {TOPICS.dead_letters}", "is missing", "make it with: kpi-stream topics init"
    )
    installation.site.run("topics", "init")
    assert made("topics")[-1].standing is Standing.WELL


def test_without_the_events_what_rests_on_them_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here an epoch of which there is no topic."""
    monkeypatch.setenv("KPI_STREAM_EPOCH", "7")
    results = {each.check: each for each in made("counting", "clock", "strategy")}
    assert {each.place for each in results["topics"].findings} == {
        f"topic {name}.7" for name in TOPICS.state
    }
    assert results["counting"].standing is Standing.NOT_MADE
    assert results["counting"].said == "rests on topics"
    assert results["strategy"].said == "rests on counting"


@pytest.mark.parametrize(
    ("topic", "setting", "value", "severity", "said"),
    [
        (TOPICS.readings, "cleanup.policy", "delete", "problem", "has cleanup.policy=delete, comp"),
        (TOPICS.events, "retention.ms", "86400000", "warning", "has retention.ms=86400000, asked"),
        (TOPICS.rows, "segment.ms", "1000000", "warning", "has segment.ms=1000000, asked for 216"),
        (TOPICS.dead_letters, "min.insync.replicas", "2", "problem", "nothing can be written"),
    ],
)
def test_a_setting_that_is_another(
    installation: Installation, topic: str, setting: str, value: str, severity: str, said: str
) -> None:
    """With the command that puts it right."""
    with altered(installation, topic, setting, value):
        findings = made("topics")[-1].findings
    first = findings[0]
    assert (first.place, first.severity) == (f"topic {topic}", Severity(severity))
    assert said in first.problem
    if setting != "min.insync.replicas":
        assert len(findings) == 1
        assert first.fix.startswith(
            f"kafka-configs.sh --alter --entity-type topics --entity-name {topic} --add-config "
        )
    assert made("topics")[-1].findings == ()


def test_other_numbers_than_the_settings_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of partitions (they cannot be changed), and of copies (there are no such brokers)."""
    monkeypatch.setenv("KPI_STREAM_PARTITIONS", "5")
    problems = {each.place: each.problem for each in made("topics")[-1].findings}
    parted = {f"topic {name}" for name in (TOPICS.events, TOPICS.dead_letters, *TOPICS.state)}
    assert problems == dict.fromkeys(parted, "has 4 partitions, 5 are needed")
    monkeypatch.setenv("KPI_STREAM_PARTITIONS", "4")
    monkeypatch.setenv("KPI_STREAM_REPLICATION_FACTOR", "3")
    kafka, topics = made("topics")[1:]
    assert "asks for 3 copies of a topic, and there are 1 brokers" in kafka.findings[0].problem
    assert {each.problem for each in topics.findings} == {
        "has replication.factor=1, asked for 3",
    }


def test_transactions_that_are_too_long_for_the_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker of this test allows 15 minutes."""
    monkeypatch.setattr(doctor_kafka, "TRANSACTION_TIMEOUT_MS", 900_001)
    found = only(made("transactions"))
    assert found.problem == "transaction.max.timeout.ms=900000, and a worker asks for 900001"
    monkeypatch.setenv("KPI_STREAM_PROCESSING_GUARANTEE", "at_least_once")
    assert made("transactions")[-1].standing is Standing.NOT_ASKED


@pytest.mark.parametrize(
    ("ours_s", "severity", "said"),
    [
        (-36_000, "problem", "36000 s ahead of"),
        (600, "problem", "600 s behind"),
        (60, "warning", "60 s behind"),
    ],
)
def test_a_clock_that_is_wrong(ours_s: int, severity: str, said: str) -> None:
    """Measured against a broker that runs, without a record: the controller says its time.

    Where the broker is ahead, also the newest events say so, each for its partition's leader.
    """
    findings = made("clock", clock=lambda: round(time.time() * 1000) + ours_s * 1000)[-1].findings
    assert findings[0].place == "clock of Kafka's controller"
    assert (findings[0].severity, said in findings[0].problem) == (severity, True)
    leaders = [each for each in findings if each.place.startswith("clock of the leader of")]
    assert bool(leaders) == (ours_s < 0)
    assert all("at least" in each.problem for each in leaders)


def test_a_strategy_that_is_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another target is judged in another way; another definition counts in another way."""
    changed = tmp_path / "strategy"
    shutil.copytree(HARBOUR, changed)
    targets = changed / "targets.yaml"
    targets.write_text(targets.read_text().replace("owner: ", "owner: another ", 1))
    monkeypatch.setenv("KPI_STREAM_STRATEGY", str(changed))
    found = only(made("strategy"))
    assert (found.place, "judges by another strategy" in found.problem) == ("scorecard", True)
    monkeypatch.setenv("KPI_STREAM_STRATEGY", str(STRATEGIES["pocket"]))
    places = [each.place for each in made("strategy")[-1].findings]
    assert "kpi.rows partition 0" in places
    assert places[-1] == "scorecard"


def test_a_grafana_that_lacks_something(installation: Installation) -> None:
    """Summarised; the longer list is another command's."""
    boards = installation.grafana.dashboards
    taken = {name: boards.pop(name) for name in ("harbour-map", "harbour-scorecard")}
    try:
        found = only(made("grafana"))
    finally:
        boards.update(taken)
    assert found.place == f"grafana {installation.grafana.url}"
    assert "is missing, and 1 further differences" in found.problem
    assert found.fix == "kpi-stream doctor grafana lists them"


def test_rules_of_another_strategy(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A changed expression or a missing rule is seen, though Prometheus writes rules anew."""
    changed = tmp_path / "strategy"
    shutil.copytree(HARBOUR, changed)
    monkeypatch.setenv("KPI_STREAM_STRATEGY", str(changed))
    assert made("rules")[-1].findings == ()
    down = installation.rules / "worker-down.yml"
    text = down.read_text()
    rejected = installation.rules / "events-rejected.yml"
    other = rejected.read_text()
    try:
        down.unlink()
        rejected.write_text(other.replace("> bool 0.01", "> bool 0.02"))
        installation.prometheus.reload()
        missing_, differs = made("rules")[-1].findings
    finally:
        down.write_text(text)
        rejected.write_text(other)
        installation.prometheus.reload()
    assert (missing_.place, missing_.problem) == (
        "rule harbour-worker-down/WorkerDown",
        "is not loaded",
    )
    assert missing_.severity is Severity.PROBLEM
    assert (differs.place, differs.problem) == (
        "rule harbour-events-rejected/EventsRejected",
        "is another than the generated one",
    )
    assert differs.severity is Severity.WARNING
    assert made("rules")[-1].standing is Standing.WELL


def test_a_worker_that_is_gone(installation: Installation) -> None:
    """The group, the address and Prometheus say so, each with its remedy; then all is well again.

    Exit code 1: each of them could be asked.
    """
    assert installation.worker.terminate() == 0
    installation.scraped(up=False)
    result = doctor()
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert [each.partition(";")[0] for each in lines[:1]] == [
        "problem: group kpi-stream: no worker runs"
    ]
    worker = f"http://127.0.0.1:{installation.env['KPI_STREAM_WORKER_PORT']}"
    assert lines[1].startswith(f"problem: worker {worker}: no answer from {worker}: Connection ref")
    assert "start it: kpi-stream worker" in lines[1]
    assert lines[2].startswith(f"problem: target {worker}/metrics: the last scrape failed: ")
    assert len(lines) == 3
    installation.start_worker()
    assert doctor().exit_code == 0


def test_a_worker_is_asked_at_each_address_of_its_name(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several of them are separated by commas; what has no address is said."""
    here = f"http://127.0.0.1:{installation.env['KPI_STREAM_WORKER_PORT']}"
    monkeypatch.setenv("KPI_STREAM_WORKER_URLS", f"{here}, http://no-such-worker.invalid:9101")
    found = only(made("workers"))
    assert found.place == "worker http://no-such-worker.invalid:9101"
    assert "has no address" in found.problem


def test_what_cannot_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 2; what needs it is not made, what does not is made."""
    monkeypatch.setenv("KPI_STREAM_BROKERS", f"127.0.0.1:{free_port()}")
    monkeypatch.setenv("KPI_STREAM_PROMETHEUS_URL", "")
    result = doctor("--json")
    assert result.exit_code == 2
    standings: dict[str, Any] = {
        each["check"]: each["standing"] for each in json.loads(result.stdout)
    }
    assert standings == dict.fromkeys(NAMES, "not made") | {
        **dict.fromkeys(("settings", "workers", "scorecard", "grafana"), "well"),
        **dict.fromkeys(("prometheus", "rules"), "not asked"),
        "kafka": "cannot be asked",
    }
    monkeypatch.setenv("KPI_STREAM_PARTITIONS", "many")
    result = doctor()
    assert result.exit_code == 2
    assert result.stdout.startswith("problem: settings: KPI_STREAM_PARTITIONS: ")
    assert "1 problem; 11 checks could not be made" in result.stderr
