"""The example for Alertmanager: what amtool says, and what a real Alertmanager holds back."""

import json
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.application.monitoring.alerts import alerts
from kpi_stream.domain.working_time import WorkingTime
from tests.support.ports import free_port
from tests.support.processes import Process, eventually
from tests.support.required import missing

CONFIG = Path(__file__).parents[2] / "deploy" / "alertmanager" / "alertmanager.yml"
STRATEGY = load_strategy(packaged_strategy_path())
DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
DAY = [{"start_time": "00:00", "end_time": "24:00"}]


def amtool(*words: str | Path) -> tuple[int, str]:
    """Return the exit code and what amtool said."""
    program = shutil.which("amtool") or missing("alertmanager", "amtool is not installed")
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def content() -> dict[str, Any]:
    """Return the example."""
    found: dict[str, Any] = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    return found


def test_amtool_accepts_it(tmp_path: Path) -> None:
    """As it is; not with a receiver that does not exist."""
    code, said = amtool("check-config", CONFIG)
    assert code == 0, said
    wrong = tmp_path / "alertmanager.yml"
    text = CONFIG.read_text(encoding="utf-8")
    wrong.write_text(text.replace("receiver: on-duty", "receiver: nobody"), encoding="utf-8")
    code, said = amtool("check-config", wrong)
    assert code != 0
    assert 'undefined receiver "nobody"' in said


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        ("severity=critical alertname=KpiOffTrack perspective=users office=118", "on-duty"),
        ("severity=critical alertname=FeedStale owner=operations", "on-duty"),
        ("severity=warning alertname=KpiAtRisk perspective=processes", "operations"),
        ("severity=warning alertname=OfficeSilent office=172", "operations"),
        ("alertname=Another", "operations"),
    ],
)
def test_severity_says_who_is_told(labels: str, receiver: str) -> None:
    """What is critical reaches whoever is on duty, everything else the office."""
    words = ["config", "routes", "test", f"--config.file={CONFIG}"]
    code, said = amtool(*words, f"--verify.receivers={receiver}", *labels.split())
    assert code == 0, said
    other = {"on-duty": "operations", "operations": "on-duty"}[receiver]
    assert amtool(*words, f"--verify.receivers={other}", *labels.split())[0] == 1


def test_messages_are_grouped_by_perspective_and_office() -> None:
    """Also in the routes below: none has a grouping of its own."""
    route = content()["route"]
    assert route["group_by"] == ["strategy", "perspective", "office"]
    assert not [each for each in route["routes"] if "group_by" in each]
    muted = {each["matchers"][0]: each.get("mute_time_intervals") for each in route["routes"]}
    assert muted == {
        'severity="critical"': None,
        'severity="warning"': ["outside-office-hours"],
    }


def test_the_matchers_name_alerts_that_exist() -> None:
    """An alert that is renamed is renamed here."""
    names = {each.name for each in alerts(STRATEGY)}
    for rule in content()["inhibit_rules"]:
        for matcher in rule["source_matchers"] + rule["target_matchers"]:
            wanted = matcher.split('"')[1].split("|")
            assert set(wanted) - {"Kpi.+"} <= names
    equal = {label for rule in content()["inhibit_rules"] for label in rule["equal"]}
    assert equal == {"strategy", "kpi", "window", "dimension", "member"}


class Muted:
    """Whether an instant lies in the example's intervals, as Alertmanager reads them."""

    def __init__(self) -> None:
        (named,) = content()["time_intervals"]
        self._intervals = named["time_intervals"]
        (name,) = {each["location"] for each in self._intervals}
        self._zone = ZoneInfo(name)

    def __call__(self, at: datetime) -> bool:
        """Return whether all parts of one interval hold."""
        local = at.astimezone(self._zone)
        clock, weekday = f"{local:%H:%M}", DAYS[local.weekday()]
        date = {"days_of_month": local.day, "months": local.month, "years": local.year}
        return any(
            any(part["start_time"] <= clock < part["end_time"] for part in each.get("times", DAY))
            and weekday in each.get("weekdays", DAYS)
            and all(str(now) in each.get(field, [str(now)]) for field, now in date.items())
            for each in self._intervals
        )


def test_warnings_are_muted_outside_the_office_hours_of_the_strategy() -> None:
    """At half past every hour of three years: hours, weekends, holidays are its calendar's."""
    work = WorkingTime(STRATEGY.calendar)
    muted = Muted()
    start = datetime(2025, 1, 1, 0, 30, tzinfo=UTC)
    for hour in range(1095 * 24):
        at = start + timedelta(hours=hour)
        assert muted(at) is not work.is_open(round(at.timestamp() * 1000)), at
    assert muted(datetime(2026, 7, 28, 15, tzinfo=UTC))
    assert not muted(datetime(2026, 7, 27, 15, tzinfo=UTC))


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of a real Alertmanager with the example, whose addresses lead nowhere."""
    program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if program is None:
        missing("alertmanager", "alertmanager is not installed")
    root = tmp_path_factory.mktemp("alertmanager")
    config = root / "alertmanager.yml"
    text = CONFIG.read_text(encoding="utf-8")
    nowhere = f"127.0.0.1:{free_port()}"
    text = text.replace("mail.example.org:587", nowhere)
    text = text.replace("https://chat.example.org", f"http://{nowhere}")
    assert text.count(nowhere) == 3
    config.write_text(text, encoding="utf-8")
    url = f"http://127.0.0.1:{free_port()}"
    command = [
        program,
        f"--config.file={config}",
        f"--storage.path={root / 'data'}",
        f"--web.listen-address={url.removeprefix('http://')}",
        "--cluster.listen-address=",
    ]
    with Process(command, log=root / "log", dies_with_parent=True) as process:
        process.wait_until(lambda: _answers(url), within_s=90, what="Alertmanager is ready")
        yield url


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/-/ready", timeout=2) as answer:  # noqa: S310  (loopback)
            return bool(answer.status == 200)
    except OSError:
        return False


def becomes(url: str, expected: dict[str, str], *sent: dict[str, str]) -> None:
    """Send alerts of one strategy and wait for their states, by name: active or suppressed.

    It looks whether a cause is there when it is asked, but hears of a new one a little later.
    """
    body = json.dumps([{"labels": each} for each in sent]).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/api/v2/alerts", body, headers)  # noqa: S310  (loopback)
    urllib.request.urlopen(request, timeout=10).close()  # noqa: S310  (loopback)
    asked = f"{url}/api/v2/alerts?filter=strategy%3D%22{sent[0]['strategy']}%22"

    def states() -> bool:
        with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310  (loopback)
            every = json.load(answer)
        return {each["labels"]["alertname"]: each["status"]["state"] for each in every} == expected

    eventually(states, within_s=90, what=str(expected))


def test_a_cause_silences_its_effects(alertmanager: str) -> None:
    """Of a strategy with a stale feed only that is told; of another, everything."""

    def sent(strategy: str, **expected: str) -> None:
        named = ({"alertname": name, "strategy": strategy} for name in expected)
        becomes(alertmanager, expected, *named)

    effects = ("KpiAboveBand", "DeclarationsAgeing", "OfficeSilent")
    silenced = dict.fromkeys(effects, "suppressed")
    sent("one", FeedStale="active", WorkerLagging="active", **silenced)
    sent("two", **dict.fromkeys(effects, "active"))
    sent("three", WorkerDown="active", WorkerLagging="suppressed")
    sent("four", ScorecardDown="active", ScorecardStalled="suppressed", KpiAtRisk="suppressed")
    sent("five", StrategyMismatch="active", KpiProjectedMiss="suppressed", FeedStale="active")


def test_of_one_series_the_worst_is_enough(alertmanager: str) -> None:
    """The same KPI in another office is another matter."""
    series = {"strategy": "six", "kpi": "k", "window": "30d", "dimension": "office"}
    becomes(
        alertmanager,
        {"KpiOffTrack": "active", "KpiAtRisk": "suppressed", "KpiProjectedMiss": "active"},
        {**series, "alertname": "KpiOffTrack", "member": "118"},
        {**series, "alertname": "KpiAtRisk", "member": "118"},
        {**series, "alertname": "KpiProjectedMiss", "member": "172"},
    )
