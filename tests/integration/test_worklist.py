"""The worklist through real processes: counted, killed, released, and read by the command."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient

from kpi_stream.adapters.simulator import Record
from kpi_stream.application.monitoring import conventions
from tests.support.event_examples import accepted
from tests.support.fresh_site import fresh_site
from tests.support.kafka import Kafka
from tests.support.processes import Process, eventually
from tests.support.site import TOPICS, Site, page, samples
from tests.support.verdict import judge, wait_until_counted

GOOD = {name: json.loads(value) for name, value in accepted().items()}
WITHIN_S = 180.0
WAITING = 130
"""Of one office, in two partitions that list 50 each: the rest is counted."""


@pytest.fixture
def site(kafka: Kafka, tmp_path: Path) -> Iterator[Site]:
    """Apache Kafka with two partitions."""
    with fresh_site(kafka.bootstrap, tmp_path, partitions=2, instance_id="the-worker") as made:
        yield made


def event(kind: str, number: int, ago: timedelta) -> Record:
    """An event of an import for consumption at Callao, so long before now."""
    subject = f"118-2026-10-{number:06}"
    at = (datetime.now(UTC) - ago).isoformat()
    own = {"event_id": f"{kind}-{number}", "subject": subject, "office": "118"}
    value = {**GOOD[kind], **own, "occurred_at": at, "recorded_at": at}
    value.pop("corrects", None)
    if kind == "declaration.numbered":
        value["regime"] = "10"
    return Record(subject.encode(), json.dumps(value).encode(), 0)


def counted(site: Site, worker: Process, records: list[Record]) -> None:
    """Send records and return once a worker has counted them."""
    site.send(records)
    wait_until_counted(site, worker, within_s=WITHIN_S)


def said(site: Site, *words: str) -> dict[str, Any]:
    """Return the one worklist, as the command says it once the feed counts as ended."""
    asked = datetime.now(UTC)

    def row() -> dict[str, Any] | None:
        answer = json.loads(site.run("worklist", "--json", *words))
        found: dict[str, Any] = answer["worklists"][0]
        return found if datetime.fromisoformat(answer["as_of"]) > asked else None

    return eventually(row, within_s=WITHIN_S, what="the command speaks of now")


def served(site: Site, late: int) -> list[dict[str, Any]] | None:
    """Return who is listed on the scorecard's API, once it knows that so many are late."""
    (row,) = json.loads(page(f"{site.scorecard_url}/api/v1/worklist"))["worklists"]
    entries: list[dict[str, Any]] = row["entries"]
    return [_standing(each) for each in entries] if row["late"] == late else None


def measured(site: Site) -> dict[tuple[str, str], float]:
    """Return how many wait by office and urgency, as Prometheus would scrape it."""
    return {
        (each.labels["office"], each.labels["urgency"]): each.value
        for each in samples(f"{site.scorecard_url}/metrics")
        if each.name == conventions.WORKLIST.name and each.value
    }


def _begin_the_topic_again(site: Site) -> None:
    """Delete the lists and make their topic anew, as somebody might by mistake."""
    admin = KafkaAdminClient(bootstrap_servers=site.env["KPI_STREAM_BROKERS"])
    try:
        admin.delete_topics([TOPICS.worklist])
        eventually(
            lambda: TOPICS.worklist not in admin.list_topics(),
            within_s=WITHIN_S,
            what="the topic is gone",
        )
    finally:
        admin.close()
    site.run("topics", "init")


def _standing(entry: dict[str, Any]) -> dict[str, Any]:
    """Leave out what the clock changes."""
    return {name: value for name, value in entry.items() if name != "used"}


@pytest.mark.timeout(600)
def test_who_waits_is_listed_until_released(site: Site) -> None:
    """First the longest late, so many and no more; a worker that was killed goes on with it."""
    worker = site.worker()
    numbered = [event("declaration.numbered", each, timedelta(hours=70)) for each in range(WAITING)]
    # The higher the number, the less is used of its 48 hours: by 20 minutes each.
    ago = [timedelta(hours=60) - timedelta(minutes=20 * each) for each in range(WAITING)]
    arrived = [event("transport.arrived", each, ago[each]) for each in range(WAITING)]
    counted(site, worker, [*numbered, *arrived])
    first = [f"118-2026-10-{number:06}" for number in range(50)]
    found = said(site)
    assert [each["subject"] for each in found["entries"]] == first
    # Numbers 0 to 36 have been there for 48 hours by now, those up to 72 for 36.
    assert (found["late"], found["close"]) == (37, 36)
    assert found["more"] == found["late"] + found["close"] - 50
    assert {each["stage"] for each in found["entries"]} == {"discharge"}
    assert {each["holder"] for each in found["entries"]} == {"port"}
    assert said(site, "--office", "235")["late"] == 0
    worker.kill()
    worker = site.worker()
    released = [event("release.granted", number, timedelta(hours=1)) for number in range(10)]
    counted(site, worker, released)
    found = said(site)
    assert [each["subject"] for each in found["entries"]][:40] == first[10:]
    assert (found["late"], found["close"]) == (27, 36)
    site.scorecard()
    site.document()
    shown = eventually(
        lambda: served(site, found["late"]), within_s=WITHIN_S, what="the scorecard has the lists"
    )
    assert shown == [_standing(each) for each in found["entries"]]
    counts = {("118", "late"): found["late"], ("118", "close"): found["close"]}
    eventually(lambda: measured(site) == counts, within_s=WITHIN_S, what="both are measured")
    assert worker.terminate(within_s=60) == 0
    _begin_the_topic_again(site)
    worker = site.worker()
    # Whatever comes first to a partition brings all its lists back.
    others = range(WAITING, WAITING + 8)
    counted(
        site, worker, [event("declaration.numbered", each, timedelta(hours=1)) for each in others]
    )
    again = said(site)
    assert [each["subject"] for each in again["entries"]] == [
        each["subject"] for each in found["entries"]
    ]
    assert (again["late"], again["close"]) == (found["late"], found["close"])
    assert worker.terminate(within_s=60) == 0
    expected = judge(site)
    assert len(expected.worklists) == 2
