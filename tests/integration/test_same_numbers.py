"""The same numbers everywhere: a file folded by `replay`, and by real workers and a scorecard.

One feed with everything that a feed can have goes the two ways. Every series must come out the
same: value, numerator, denominator, samples, and why there is no value.
"""

import json
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from kpi_stream.adapters.embedded_broker import EmbeddedBroker
from kpi_stream.adapters.kafka.scorecard.records import decode_key
from kpi_stream.adapters.simulator import Record
from kpi_stream.adapters.simulator.kafka_sink import _partition as partition_of
from kpi_stream.adapters.state_codec import MsgspecStateCodec
from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.application.monitoring import conventions
from kpi_stream.application.replay import Replay, Tally
from kpi_stream.bootstrap.common import event_codec, now_ms, retention
from kpi_stream.bootstrap.offline import replay_file
from kpi_stream.domain.errors import Reason
from kpi_stream.domain.readings import Reading, SeriesKey
from kpi_stream.settings import Settings
from tests.support.kafka import Kafka, KafkaMissing
from tests.support.processes import Process, eventually
from tests.support.required import missing
from tests.support.site import PARTITIONS, TOPICS, WITHIN_S, Rows, Site, keyed, page, run, samples

STRATEGY = load_strategy(packaged_strategy_path())
FAULTS = ("duplicates", "disorder", "late", "corrections", "conflicts", "malformed", "cancelled")
WRONG_KEYS = 3
HOUR_MS = 3_600_000


class Numbers(NamedTuple):
    """What must be the same."""

    value: float | None
    numerator: int
    denominator: int
    samples: int
    no_data: str | None


def numbers(reading: Reading) -> Numbers:
    """Return the numbers of a reading."""
    return Numbers(
        reading.value, reading.numerator, reading.denominator, reading.samples, reading.no_data
    )


def said(record: dict[str, Any]) -> Numbers:
    """Return the numbers in a JSON record."""
    return Numbers(*(record[name] for name in Numbers._fields))


def at_ms(text: str) -> int:
    """Return a time of a JSON record in milliseconds."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@dataclass
class Feed:
    """A file of events and what `replay` makes of it."""

    path: Path
    records: list[Record]
    as_of_ms: int
    readings: dict[SeriesKey, Numbers]
    """At `as_of_ms`, the newest recording: what the command prints."""
    later: dict[int, Mapping[SeriesKey, Reading]]
    """At later instants, in order."""
    tally: Tally


@pytest.fixture(scope="module")
def feed(tmp_path_factory: pytest.TempPathFactory) -> Feed:
    """About 25,000 events of four months that end now, and the readings of the command."""
    path = tmp_path_factory.mktemp("feed") / "events.jsonl.gz"
    shares = [word for name in FAULTS for word in (f"--{name}", "0.02")]
    run("simulate", "--days", "120", "--per-day", "20", "--seed", "7", *shares, "-o", path)
    rows = json.loads(run("replay", path, "--format", "json").stdout)
    evaluation, tally = replay_file(path, STRATEGY, Settings.load())
    assert {at_ms(row["as_of"]) for row in rows} == {evaluation.as_of_ms}
    readings = {SeriesKey(*(row[name] for name in SeriesKey._fields)): said(row) for row in rows}
    later = [evaluation.as_of_ms + hours * HOUR_MS for hours in (1, 36)]
    return Feed(
        path,
        keyed(path),
        evaluation.as_of_ms,
        readings,
        {at: replay_file(path, STRATEGY, Settings.load(), at)[0].readings for at in later},
        tally,
    )


@dataclass
class Counted:
    """A site that has counted the feed."""

    site: Site
    rows: Rows
    workers: list[Process]
    """Those that run."""


def one_worker(site: Site, rows: Rows, records: list[Record]) -> list[Process]:
    """Count with one worker."""
    worker = site.worker()
    site.send(records)
    site.wait_until_counted(rows, worker)
    return [worker]


def opened(worker: Process) -> bool:
    """Whether the worker has a partition."""
    return "metrics on" in worker.output() and any(
        sample.name == conventions.PARTITIONS.name and sample.value
        for sample in samples(worker.wait_for_output(r"metrics on (\S+)", within_s=WITHIN_S)[1])
    )


SLICE = 20
"""Events that are sent at once while a worker joins."""


def joined_under_load(site: Site, worker: Process, records: Iterator[list[Record]]) -> None:
    """Send slices, spread out, until a worker has a partition.

    A partition is opened with its first event, and what the others have counted before opens none.
    """
    due_s = 0.0

    def load() -> bool:
        nonlocal due_s
        if time.monotonic() > due_s and (events := next(records, None)) is not None:
            site.send(events)
            due_s = time.monotonic() + 0.5
        return opened(worker)

    worker.wait_until(load, within_s=WITHIN_S, what="it has partitions")


def slices(records: list[Record]) -> Iterator[list[Record]]:
    """Yield the records, some at a time."""
    return (records[start : start + SLICE] for start in range(0, len(records), SLICE))


def two_workers(site: Site, rows: Rows, records: list[Record]) -> list[Process]:
    """Count with two workers that share the partitions from the start."""
    third = len(records) // 3
    workers, load = [site.worker(), site.worker()], slices(records[:third])
    for worker in workers:
        joined_under_load(site, worker, load)
    site.send([each for events in load for each in events] + records[third:])
    site.wait_until_counted(rows, workers[0])
    return workers


def one_two_one(site: Site, rows: Rows, records: list[Record]) -> list[Process]:
    """Start with one worker, let another join and the first one leave, all of it under load."""
    third = len(records) // 3
    first = site.worker()
    site.send(records[:third])
    site.wait_until_counted(rows, first)
    second, load = site.worker(), slices(records[third : 2 * third])
    joined_under_load(site, second, load)
    for events in load:
        site.send(events)
    site.send(records[2 * third : -third // 2])
    assert first.terminate() == 0, first.output()
    site.send(records[-third // 2 :])
    site.wait_until_counted(rows, second)
    return [second]


Plan = Callable[[Site, Rows, list[Record]], list[Process]]


def _kafka(folder: Path) -> Kafka:
    try:
        return Kafka(folder)
    except KafkaMissing as err:
        missing("kafka", str(err))


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((False, one_worker), id="one-worker"),
        pytest.param((False, two_workers), id="two-workers"),
        # Two rebalances take their time: with the slow tests.
        pytest.param((False, one_two_one), id="one-two-one-workers", marks=pytest.mark.slow),
        pytest.param((True, one_worker), id="kafka-one-worker", marks=pytest.mark.kafka),
        pytest.param((True, two_workers), id="kafka-two-workers", marks=pytest.mark.kafka),
        pytest.param((True, one_two_one), id="kafka-one-two-one", marks=pytest.mark.kafka),
    ],
)
def counted(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, feed: Feed
) -> Iterator[Counted]:
    """A site on a broker of its own that has counted everything; the scorecard is ready."""
    on_kafka, plan = request.param
    folder = tmp_path_factory.mktemp("site")
    broker: AbstractContextManager[EmbeddedBroker | Kafka]
    broker = _kafka(folder) if on_kafka else EmbeddedBroker()
    with (
        broker as running,
        Site(
            running.bootstrap,
            folder,
            exactly_once=on_kafka,
            # A worker joins the embedded broker after as long; Apache Kafka allows 6 s at least.
            session_timeout_s=6 if on_kafka else 3,
        ) as site,
        site.rows(STRATEGY) as rows,
    ):
        # What can not be in a file: keys that are missing, or of another subject.
        value = feed.records[0].value
        site.send([Record(key, value, 0) for key in (None, b"another", b"")])
        workers = plan(site, rows, feed.records)
        site.scorecard()
        yield Counted(site, rows, workers)


def test_the_feed_has_everything_that_a_feed_can_have(feed: Feed) -> None:
    """Otherwise the other tests of this file would show little."""
    assert 20_000 < feed.tally.total < 40_000
    assert all(feed.tally.outcomes[each] > 100 for each in ("counted", "duplicate", "conflicting"))
    assert set(feed.tally.rejected) == set(Reason) - {Reason.KEY_MISMATCH, Reason.EXPIRED}
    texts = b"\n".join(record.value for record in feed.records)
    assert texts.count(b'"corrects"') > 100
    assert texts.count(b'"declaration.cancelled"') > 20
    by_data = Counter(each.no_data for each in feed.readings.values())
    assert len(feed.readings) > 1_000
    assert by_data[None] > 500
    assert by_data["too_few"] > 100
    assert by_data["not_measured"] == 1


def test_replay_and_the_live_site_read_the_same(feed: Feed, counted: Counted) -> None:
    """Every series, at the newest recording, an hour later and the day after."""
    table = counted.rows.table()
    live = table.readings(feed.as_of_ms)
    assert {key: numbers(each) for key, each in live.items()} == feed.readings
    for at, alone in feed.later.items():
        assert table.readings(at) == alone


def test_each_partition_has_the_rows_of_its_own_events(feed: Feed, counted: Counted) -> None:
    """Exactly those that folding the partition's log alone gives, whoever counted them."""
    settings = Settings.load()
    decode = event_codec(settings, STRATEGY).decode
    for partition in range(PARTITIONS):
        alone = Replay(STRATEGY, MsgspecStateCodec(), retention(settings))
        mine = [r for r in feed.records if partition_of(r.key or b"", PARTITIONS) == partition]
        alone.take(((r.key, r.value) for r in mine), decode, now_ms())
        expected = {key: value for key, value in alone.fold.drain().rows if value}
        found = {key: value for (p, key), value in counted.rows.by_key.items() if p == partition}
        assert _counters(found) == _counters(expected)


def _counters(rows: dict[bytes, bytes]) -> dict[bytes, dict[str, int]]:
    """Return the rows without those whose counts were all taken back."""
    found = {key: json.loads(value) for key, value in rows.items()}
    return {key: counters for key, counters in found.items() if counters}


def test_every_record_has_exactly_one_outcome(feed: Feed, counted: Counted) -> None:
    """Counted, duplicate, conflicting or a dead letter, for the reasons that replay gives too."""
    expected = Counter({reason.value: count for reason, count in feed.tally.rejected.items()})
    expected["key_mismatch"] = WRONG_KEYS
    assert counted.site.dead_letters(expected.total()) == expected
    outcomes = counted.site.outcomes(*counted.workers)
    if len(counted.site.processes) == len(counted.workers) + 1:  # else one took its counts along
        assert outcomes == Counter(feed.tally.outcomes) + Counter(rejected=expected.total())
        assert outcomes.total() == counted.site.sent == len(feed.records) + WRONG_KEYS


def test_the_scorecard_publishes_the_same_readings(feed: Feed, counted: Counted) -> None:
    """Each record of `kpi.readings` is the reading of its own instant, and no series is missing."""

    def published() -> dict[SeriesKey, dict[str, Any]] | None:
        records = counted.site.records(TOPICS.readings, len(feed.readings) // 2)
        last = {decode_key(each.key): each.value for each in records}
        # A member that left its window is taken back.
        found = {key: json.loads(value) for key, value in last.items() if value is not None}
        newest_ms = max(at_ms(record["as_of"]) for record in found.values())
        whole = found.keys() == counted.rows.table().readings(newest_ms).keys()
        return found if whole else None

    found = eventually(published, within_s=WITHIN_S, what="every reading is published")
    table = counted.rows.table()
    instants = sorted({at_ms(record["as_of"]) for record in found.values()})
    by_instant = {instant: table.readings(instant) for instant in instants}
    for key, record in found.items():
        assert said(record) == numbers(by_instant[at_ms(record["as_of"])][key]), key


def test_the_api_and_the_metrics_say_the_same(counted: Counted) -> None:
    """The scorecard's JSON is the reading of its instant; its metrics have the national values."""
    document = counted.site.document()
    live = counted.rows.table().readings(at_ms(document["as_of"]))
    listed = [
        (SeriesKey(kpi["kpi"], *(series[name] for name in SeriesKey._fields[1:])), series)
        for band in document["perspectives"]
        for objective in band["objectives"]
        for kpi in objective["kpis"]
        for series in kpi["series"]
    ]
    assert {key.kpi for key, _ in listed} == {kpi.id for kpi in STRATEGY.kpis}
    for key, series in listed:
        assert said(series) == numbers(live[key]), key
    # The page is of a later evaluation, and a year's window moves at midnight only.
    shown = {
        SeriesKey(**{name: sample.labels[name] for name in SeriesKey._fields}): sample.value
        for sample in samples(f"{counted.site.scorecard_url}/metrics")
        if sample.name == conventions.KPI_SAMPLES.name and sample.labels["window"] == "12m"
    }
    assert len(shown) > 20
    assert shown == {key: each.samples for key, each in live.items() if key.window == "12m"}


def test_promtool_accepts_the_real_pages(counted: Counted) -> None:
    """The metrics of a real worker and scorecard, with the whole strategy, break no convention."""
    promtool = shutil.which("promtool") or missing("promtool", "promtool is not installed")
    workers = [
        worker.wait_for_output(r"metrics on (\S+)", within_s=WITHIN_S)[1]
        for worker in counted.workers
    ]
    for url in (*workers, f"{counted.site.scorecard_url}/metrics"):
        checked = subprocess.run(
            [promtool, "check", "metrics"], input=page(url), capture_output=True, check=False
        )
        assert (checked.returncode, checked.stdout + checked.stderr) == (0, b""), url
