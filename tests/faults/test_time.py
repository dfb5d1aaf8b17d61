"""Clocks that go wrong, events of the future, partitions that fall silent, history months later.

Rows depend on the log alone, and what is in the future the broker's clock decides, which stamps
every event at its receipt. The pure part is in `tests/laws/test_uneven_partitions.py` and
`tests/laws/test_summer_time.py`.
"""

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kpi_stream.adapters.event_files import read_lines
from kpi_stream.adapters.kafka.scorecard.records import decode_key
from kpi_stream.adapters.simulator import KafkaSink, Record
from kpi_stream.adapters.simulator.kafka_sink import _partition as partition_of
from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.application.monitoring import conventions
from kpi_stream.bootstrap.offline import replay_file
from kpi_stream.domain.errors import Reason
from kpi_stream.settings import Settings
from tests.support.fresh_site import fresh_site
from tests.support.kafka import Kafka
from tests.support.processes import Process
from tests.support.site import PARTITIONS, TOPICS, Site, keyed, run, samples
from tests.support.verdict import judge

STRATEGY = load_strategy(packaged_strategy_path())
WITHIN_S = 180.0
SKEW_S = 600
STALE_S = 6.0
PIECE = 25


@pytest.fixture
def site(kafka: Kafka, tmp_path: Path) -> Iterator[Site]:
    """A site whose events come to an end that is noticed soon."""
    with fresh_site(kafka.bootstrap, tmp_path, stale_after_s=STALE_S) as made:
        yield made


def skewed(site: Site, seconds: int, service: str, **settings: Any) -> Process:
    """Start a service on a machine whose clock is ahead; one of a negative number is late."""
    more = {f"KPI_STREAM_{key.upper()}": str(value) for key, value in settings.items()}
    command = [sys.executable, "-m", "tests.support.skewed", str(seconds), service]
    log = site.folder / f"skewed-{len(site.processes)}.log"
    folder = Path(__file__).parents[2]
    process = Process(command, log=log, env=site.env | more, cwd=folder)
    site.processes.append(process)
    return process.start()


def dated(line: bytes, ahead: timedelta) -> bytes:
    """Return the event as one that is recorded so far ahead of now."""
    event = json.loads(line)
    at = datetime.now(UTC) + ahead
    stamp = at.isoformat()
    return json.dumps(
        {
            **event,
            "event_id": f"at-{at.timestamp() * 1e6:.0f}",
            "occurred_at": stamp,
            "recorded_at": stamp,
        }
    ).encode()


def sample(site: Site, family: conventions.Family) -> float:
    """Return the one value of a family on the scorecard's page."""
    (value,) = [
        each.value for each in samples(f"{site.scorecard_url}/metrics") if each.name == family.name
    ]
    return value


def simulated(folder: Path, *words: str) -> Path:
    """Return a file of events that ends now, unless told otherwise."""
    path = folder / "events.jsonl"
    run("simulate", "--days", "40", "--per-day", "20", "--seed", "5", *words, "-o", path)
    return path


@pytest.mark.long
@pytest.mark.timeout(400)
@pytest.mark.parametrize("seconds", [SKEW_S, -SKEW_S])
def test_the_clock_of_a_worker_takes_no_part_in_what_is_counted(
    site: Site, tmp_path: Path, seconds: int
) -> None:
    """Rows and rejects are those of the log, and the scorecard knows when the feed has ended.

    An event of two minutes ago counts, whatever the worker believes, and one that is six minutes
    ahead does not; nor does one of the next year, which leaves the watermark where it was.
    """
    until = datetime.now(UTC) - timedelta(hours=2)
    lines = keyed(simulated(tmp_path, "--until", until.isoformat(timespec="seconds")))
    ahead = (timedelta(minutes=-2), timedelta(minutes=6), timedelta(days=366))
    more = [lines[-1]._replace(value=dated(lines[-1].value, each)) for each in ahead]
    worker = skewed(site, seconds, "worker")
    site.send([*lines, *more])
    with site.rows(STRATEGY) as rows:
        site.wait_until_counted(rows, worker)
        newest = max(each.watermark_ms or 0 for each in rows._feed.progress({}))
    expected = judge(site)
    assert Counter(expected.rejected.values()) == {Reason.FUTURE_TIME: 2}
    assert 120 <= time.time() - newest / 1000 < 120 + WITHIN_S

    site.scorecard()
    document = site.document()  # caught up; a worker that is ahead does not hold it back for long
    as_of = datetime.fromisoformat(document["as_of"])
    assert abs((datetime.now(UTC) - as_of).total_seconds()) < WITHIN_S


@pytest.mark.timeout(400)
def test_silence_of_a_partition_is_no_standstill_and_of_all_is_stale(
    site: Site, tmp_path: Path
) -> None:
    """Time goes on by the wall clock, with one partition silent and with all; then it is told.

    An event that is rejected is no sign of life of what is counted, and one that counts is.
    """
    lines = keyed(simulated(tmp_path))
    first = [each for each in lines if each.key == lines[0].key]
    worker = site.worker()
    site.send(first)  # one subject: all other partitions stay without any event
    site.scorecard()
    with site.rows(STRATEGY) as rows:
        site.wait_until_counted(rows, worker)
    before = site.document()["as_of"]

    def later() -> str | None:
        now = site.document()
        return now["as_of"] if now["as_of"] > before and now["stale"] else None

    worker.wait_until(later, within_s=WITHIN_S, what="time goes on, and the feed is stale")
    assert sample(site, conventions.STALE) == 1

    site.send([Record(lines[0].key, b"{", 0) for _ in range(20)])
    with site.rows(STRATEGY) as rows:
        site.wait_until_counted(rows, worker)
    worker.wait_until(
        lambda: sample(site, conventions.CAUGHT_UP) == 1,
        within_s=WITHIN_S,
        what="rejects do not hold it back",
    )
    assert sample(site, conventions.STALE) == 1

    def alive() -> bool:
        # Again and again: on a slow machine one event is old by the time that it is counted.
        site.send([lines[-1]._replace(value=dated(lines[-1].value, timedelta()))])
        return sample(site, conventions.STALE) == 0

    worker.wait_until(alive, within_s=WITHIN_S, what="it is alive again")


def test_a_feed_of_rejects_alone_is_caught_up_and_says_nothing(site: Site) -> None:
    """All of it was read; that there is no event to speak about is another question."""
    worker = site.worker()
    site.scorecard()
    site.send([Record(b"%d" % number, b"{", 0) for number in range(40)])
    with site.rows(STRATEGY) as rows:
        site.wait_until_counted(rows, worker)
    worker.wait_until(
        lambda: sample(site, conventions.CAUGHT_UP) == 1, within_s=WITHIN_S, what="it is caught up"
    )
    assert conventions.AS_OF.name not in {
        each.name for each in samples(f"{site.scorecard_url}/metrics")
    }


@pytest.mark.long
@pytest.mark.timeout(400)
def test_rows_have_no_grace_however_unevenly_partitions_advance(site: Site, tmp_path: Path) -> None:
    """A year's backlog, one partition wholly before the next, late events too: nothing is lost.

    Engines with a grace period lost 22 to 74 % of such a backlog; here nothing ever closes.
    """
    faults = ["--days", "365", "--per-day", "1", "--late", "0.1", "--disorder", "0.2"]
    path = simulated(tmp_path, *faults)
    lines = keyed(path)
    worker = site.worker()
    site.scorecard()
    with site.rows(STRATEGY) as rows:
        for partition in range(PARTITIONS):
            site.send([each for each in lines if partition_of(each.key, PARTITIONS) == partition])
            site.wait_until_counted(rows, worker)
        judge(site)
        document = site.document()
        as_of_ms = round(datetime.fromisoformat(document["as_of"]).timestamp() * 1000)
        alone, tally = replay_file(path, STRATEGY, Settings(), as_of_ms)
        assert sum(tally.outcomes.values()) == len(lines) > 1_500
        assert rows.table().readings(as_of_ms) == alone.readings


@pytest.mark.long
@pytest.mark.timeout(400)
def test_a_feed_replayed_months_later_gets_the_statuses_of_its_own_time(
    kafka: Kafka, tmp_path: Path
) -> None:
    """Each transition that is published of the history is what `replay` says of that instant.

    One partition, so that the rows at an instant are those of the events recorded until then.
    """
    path = simulated(tmp_path, "--until", f"{datetime.now(UTC) - timedelta(days=200):%Y-%m-%d}")
    # No two at the same instant, or a flush between them would belong to neither.
    by_instant = {json.loads(line)["recorded_at"]: line for line in read_lines(path)}
    lines = [line for _, line in sorted(by_instant.items())]
    path.write_bytes(b"\n".join(lines) + b"\n")
    settings = {
        "partitions": 1,
        "flush_max_events": 100,
        "flush_interval_s": 0.02,
        "evaluation_interval_s": 0.02,
        # So that a status is a function of the reading alone.
        "hold_evaluations": 1,
        "status_margin": 0,
    }
    with fresh_site(kafka.bootstrap, tmp_path, **settings) as site:
        site.scorecard()
        worker = site.worker()
        records = keyed(path)
        with site.rows(STRATEGY) as rows, KafkaSink(site.brokers, TOPICS.events) as sink:
            # Piece by piece, so that the scorecard sees it grow; the broker's answers set the pace.
            for begin in range(0, len(records), PIECE):
                site.sent += sink.send(records[begin : begin + PIECE])
                if not begin:
                    site.wait_until_counted(rows, worker)
            site.wait_until_counted(rows, worker)
        site.document()  # once it has caught up
        published = [
            (decode_key(each.key), json.loads(each.value))
            for each in site.records(TOPICS.transitions, 1)
        ]
    last = json.loads(lines[-1])["recorded_at"]
    horizon = datetime.fromisoformat(last)
    of_history = [
        (key, each) for key, each in published if datetime.fromisoformat(each["as_of"]) <= horizon
    ]
    instants = sorted({each["as_of"] for _, each in of_history})
    assert len(instants) > 1
    for at in instants[:: max(1, len(instants) // 10)]:
        as_of = datetime.fromisoformat(at)
        known = [
            line
            for line in lines
            if datetime.fromisoformat(json.loads(line)["recorded_at"]) <= as_of
        ]
        prefix = tmp_path / "prefix.jsonl"
        prefix.write_bytes(b"\n".join(known) + b"\n")
        alone, _ = replay_file(prefix, STRATEGY, Settings(), round(as_of.timestamp() * 1000))
        told = {key: each for key, each in of_history if each["as_of"] == at}
        wanted = {each.key: (each.status.value, each.reading.value) for each in alone.judged}
        assert {key: (each["to"], each["value"]) for key, each in told.items()} == {
            key: wanted[key] for key in told
        }
