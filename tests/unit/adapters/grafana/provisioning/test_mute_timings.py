"""Warnings wait exactly while no office is open; Alertmanager's own reading of the files agrees."""

import shutil
import subprocess
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from kpi_stream.adapters.grafana.provisioning.mute_timings import outside_office_hours
from kpi_stream.domain.strategy import Calendar
from kpi_stream.domain.working_time import WorkingTime
from tests.support.dashboards import EDITIONS, edition
from tests.support.provisioned import alerting
from tests.support.required import missing

CALENDARS = {
    **{name: edition(name).strategy.calendar for name in ("sunat-es", "harbour-en", "pocket-es")},
    "never shut": Calendar("UTC", frozenset(range(7)), 0, 1440),
    "from midnight": Calendar("Europe/Lisbon", frozenset({0, 5}), 0, 90, frozenset()),
    "until midnight": Calendar(
        "Pacific/Chatham", frozenset(range(5)), 1200, 1440, frozenset({date(2026, 2, 28)})
    ),
}


def muted(intervals: list[dict[str, Any]], at: datetime) -> bool:
    """Return whether an instant lies in any interval, by Alertmanager's documented meaning."""
    return any(_within(each, at.astimezone(ZoneInfo(each["location"]))) for each in intervals)


def _within(interval: dict[str, Any], local: datetime) -> bool:
    clock = f"{local:%H:%M}"
    tests = [local.strftime("%A").lower() in interval.get("weekdays", ())]
    tests = tests if "weekdays" in interval else []
    if "times" in interval:
        tests.append(
            any(part["start_time"] <= clock < part["end_time"] for part in interval["times"])
        )
    for key, value in (
        ("days_of_month", local.day),
        ("months", local.month),
        ("years", local.year),
    ):
        if key in interval:
            tests.append(str(value) in interval[key])
    return all(tests)


@pytest.mark.parametrize("name", CALENDARS)
def test_warnings_wait_exactly_outside_office_hours(name: str):
    """On each day of a year, around every time at which it may change."""
    calendar = CALENDARS[name]
    hours, intervals = WorkingTime(calendar), outside_office_hours(calendar)
    edges = (0, calendar.opens_minute, 720, calendar.closes_minute)
    minutes = sorted({minute % 1440 for edge in edges for minute in (edge - 1, edge)})
    seen = set()
    for day in range(date(2025, 12, 30).toordinal(), date(2027, 1, 2).toordinal()):
        for minute in minutes:
            local = datetime.combine(date.fromordinal(day), time(minute // 60, minute % 60))
            instant = local.replace(tzinfo=ZoneInfo(calendar.time_zone))
            is_open = hours.is_open(round(instant.timestamp() * 1000))
            assert muted(intervals, instant) is not is_open, instant
            seen.add(is_open)
    assert seen == ({True} if name == "never shut" else {True, False})


def test_offices_that_never_shut_mute_nothing():
    """No timing, and no policy that names one."""
    assert outside_office_hours(CALENDARS["never shut"]) == []


def alertmanager(name: str, folder: Path) -> Path:
    """Write the policies and timings of an edition as Alertmanager's configuration."""
    points = alerting(name, "contact-points")["contactPoints"]
    timings = alerting(name, "mute-timings")["muteTimes"]

    def route(policy: dict[str, Any]) -> dict[str, Any]:
        kept = {key: policy[key] for key in policy if key not in {"orgId", "object_matchers"}}
        if "object_matchers" in policy:
            kept["matchers"] = [
                f'{label}{operator}"{value}"'
                for label, operator, value in policy["object_matchers"]
            ]
        if "routes" in policy:
            kept["routes"] = [route(each) for each in policy["routes"]]
        return kept

    config = {
        "route": route(alerting(name, "policies")["policies"][0]),
        "receivers": [{"name": each["name"]} for each in points],
        "time_intervals": [
            {"name": each["name"], "time_intervals": each["time_intervals"]} for each in timings
        ],
    }
    path = folder / "alertmanager.yml"
    path.write_text(yaml.safe_dump(config))
    return path


def amtool(*words: str) -> subprocess.CompletedProcess[str]:
    """Run amtool."""
    program = shutil.which("amtool") or missing("amtool", "amtool is not installed")
    return subprocess.run(
        [program, *words], capture_output=True, text=True, timeout=30, check=False
    )


@pytest.mark.parametrize("name", EDITIONS)
def test_alertmanager_reads_policies_and_timings(name: str, tmp_path: Path):
    """Grafana took both formats from Alertmanager, whose own check is stricter than Grafana's."""
    path = alertmanager(name, tmp_path)
    result = amtool("check-config", str(path))
    assert result.returncode == 0, result.stderr
    strategy = edition(name).strategy.id
    routed = amtool(
        "config",
        "routes",
        "test",
        f"--config.file={path}",
        f"--verify.receivers={strategy}-on-duty",
        "severity=warning",
        "perspective=x",
    )
    assert routed.returncode == 0, routed.stderr


def test_alertmanager_refuses_a_wrong_timing(tmp_path: Path):
    """An hour that does not exist is found, so the check above looks at the timings."""
    path = alertmanager("sunat-es", tmp_path)
    path.write_text(path.read_text().replace("24:00", "25:00"))
    assert amtool("check-config", str(path)).returncode != 0


@pytest.mark.parametrize("name", EDITIONS)
def test_only_warnings_wait(name: str):
    """A critical alert disturbs at any hour; both are told together by perspective and office."""
    (root,) = alerting(name, "policies")["policies"]
    by_severity = {each["object_matchers"][0][2]: each for each in root["routes"]}
    assert set(by_severity) == {"critical", "warning"}
    assert "mute_time_intervals" not in by_severity["critical"]
    assert len(by_severity["warning"]["mute_time_intervals"]) == 1
    for each in (root, *root["routes"]):
        assert each["group_by"] == ["grafana_folder", "perspective", "office"]
