"""The review of a month from the rows of real workers: as from their events, as the dashboards."""

import csv
import json
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from kpi_stream.adapters.simulator import Record
from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.application.monitoring import conventions
from kpi_stream.domain.strategy import Stock
from tests.support.event_examples import accepted
from tests.support.fresh_site import fresh_site
from tests.support.kafka import Kafka
from tests.support.ports import free_port
from tests.support.processes import eventually
from tests.support.site import WITHIN_S, Site, keyed, run, samples

STRATEGY = load_strategy(packaged_strategy_path())
STOCKS = {kpi.id for kpi in STRATEGY.kpis if isinstance(kpi.measure, Stock)}


def tables(folder: Path) -> dict[str, list[dict[str, str]]]:
    """Return the rows of every CSV file in a folder."""
    found = {}
    for path in folder.iterdir():
        with path.open(encoding="utf-8", newline="") as file:
            found[path.stem] = list(csv.DictReader(file))
    return found


@pytest.mark.timeout(600)
def test_rows_and_events_tell_the_same_month(own_kafka: Kafka, tmp_path: Path) -> None:
    """Two workers' rows of a month that ended long ago, against the file; a stock is untold."""
    events = tmp_path / "events.jsonl"
    words = "simulate --days 60 --per-day 6 --seed 4 --until 2026-06-20 --late 0.02"
    run(*words.split(), "--output", events)
    with Site(own_kafka.bootstrap, tmp_path, exactly_once=True) as site:
        rows = site.rows(STRATEGY)
        with rows:
            workers = [site.worker(), site.worker()]
            site.send(keyed(events))
            site.wait_until_counted(rows, workers[0])
        report = ("report", "--period", "2026-05", "--output", tmp_path / "report.html")
        site.run(*report, "--csv", tmp_path / "rows")
        site.run(*report, "--csv", tmp_path / "events", "--events", events)
    by_rows, by_events = tables(tmp_path / "rows"), tables(tmp_path / "events")
    assert by_rows.keys() == by_events.keys()
    for name in ("movements", "effects", "stages", "offices", "initiatives", "actions"):
        assert by_rows[name] == by_events[name], name
    for one, other in zip(by_rows["scorecard"], by_events["scorecard"], strict=True):
        if one["kpi"] in STOCKS:
            assert (one["value"], one["no_data"]) == ("", "untold")
            assert other["no_data"] != "untold"
            assert int(other["samples"]) > 0
        else:
            assert one == other


Shown = Mapping[tuple[str, ...], float]
"""Values by KPI, window, dimension and member."""
_VALUES = {family.name for family in conventions.KPI_VALUE.values()}


def shown(site: Site) -> Shown | None:
    """Return what Prometheus would scrape, once it speaks of now."""
    scraped = samples(f"{site.scorecard_url}/metrics")
    if not any(each.name == conventions.CAUGHT_UP.name and each.value == 1 for each in scraped):
        return None
    return {
        tuple(each.labels[name] for name in conventions.SERIES): each.value
        for each in scraped
        if each.name in _VALUES
    }


def just_now() -> Record:
    """A declaration of a minute ago, so that the month in progress has one on its first day."""
    at = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    own = {"subject": "118-2026-10-999999", "occurred_at": at, "recorded_at": at}
    value = {**json.loads(accepted()["declaration.numbered"]), **own}
    value.pop("corrects", None)
    return Record(own["subject"].encode(), json.dumps(value).encode(), 0)


@pytest.mark.timeout(600)
def test_a_month_in_progress_says_what_the_dashboards_say(kafka: Kafka, tmp_path: Path) -> None:
    """Value by value, from whichever epoch serves; and what cannot be told has its words."""
    events = tmp_path / "events.jsonl"
    run("simulate", "--days", "40", "--per-day", "6", "--seed", "4", "--output", events)
    month = f"{datetime.now(ZoneInfo(STRATEGY.calendar.time_zone)):%Y-%m}"
    report = ("report", "--period", month, "--output", tmp_path / "report.html")
    with fresh_site(kafka.bootstrap, tmp_path, instance_id="the-worker") as site:
        worker = site.worker()
        site.send([*keyed(events), just_now()])
        with site.rows(STRATEGY) as rows:
            site.wait_until_counted(rows, worker)
        site.scorecard()
        before = eventually(lambda: shown(site), within_s=WITHIN_S, what="it speaks of now")
        site.run(*report, "--csv", tmp_path / "first")
        after = shown(site)
        assert after is not None
        # The clock moves on meanwhile; what did not change is the same at any instant between.
        still = {key: value for key, value in before.items() if after.get(key) == value}
        assert len(still) > len(before) / 2
        first = values(tmp_path / "first")
        same = {key: value for key, value in first.items() if key in still}
        assert len(same) > 10
        assert same == {key: still[key] for key in same}
        text = (tmp_path / "report.html").read_text(encoding="utf-8")
        assert "El mes no ha terminado" in text

        other = tmp_path / "strategy"
        shutil.copytree(packaged_strategy_path(), other)
        kpis = (other / "kpis.yaml").read_text()
        (other / "kpis.yaml").write_text(kpis.replace("limit: 48h", "limit: 47h", 1))
        refused = run(*report, "--strategy", other, env=site.env, code=2).stderr
        assert "kpi.rows was counted by other definitions than this strategy's" in refused
        site.run("rebuild", "--strategy", other)
        site.run(*report, "--strategy", other, "--csv", tmp_path / "second")
        assert len(values(tmp_path / "second")) >= len(first) - 1
        refused = run(*report, env=site.env, code=2).stderr
        assert "kpi.rows.2 was counted by other definitions" in refused
    nowhere = {**site.env, "KPI_STREAM_BROKERS": f"127.0.0.1:{free_port()}"}
    refused = run(*report, env=nowhere, code=1).stderr
    assert "no Kafka broker answers" in refused
    assert "KPI_STREAM_BROKERS" in refused
    assert "Traceback" not in refused


def values(folder: Path) -> dict[tuple[str, ...], float]:
    """Return the values of the scorecard's table."""
    return {
        tuple(row[name] for name in conventions.SERIES): float(row["value"])
        for row in tables(folder)["scorecard"]
        if row["value"]
    }
