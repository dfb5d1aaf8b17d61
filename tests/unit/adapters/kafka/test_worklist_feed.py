"""The worklists as the scorecard takes them from their topic."""

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Self

import pytest

from kpi_stream.adapters.kafka.reader import Record
from kpi_stream.adapters.kafka.scorecard import worklist_feed as module
from kpi_stream.adapters.kafka.scorecard.worklist_feed import WorklistFeed
from kpi_stream.application.ports import BrokerOptions, Topics
from kpi_stream.domain.errors import InputError
from kpi_stream.domain.worklist import Waiting

CALLAO, PAITA = b"release|118", b"release|046"


def listed(*subjects: str) -> bytes:
    """Return the record of a list."""
    entries = [(each, 1_000 + at, "red", "control", 900) for at, each in enumerate(subjects)]
    return json.dumps({"listed": entries, "later": {"7": 2}}).encode()


class FakeReader:
    """Gives batches of records, one a read, and then nothing; may be missing at first."""

    def __init__(self, missing: int, *batches: list[Record]) -> None:
        self.missing, self.batches = missing, list(batches)
        self.started = self.stopped = 0

    async def start(self) -> Self:
        """Connect, unless the topic is missing."""
        self.started += 1
        if self.started <= self.missing:
            msg = "topic kpi.worklist has the partitions []"
            raise InputError(msg)
        return self

    async def stop(self) -> None:
        """Note it."""
        self.stopped += 1

    async def read_to_end(self, take: Callable[[list[Record]], None]) -> int:
        """Hand over the first batch."""
        records = self.batches.pop(0)
        take(records)
        return len(records)

    async def poll(self, wait_ms: int) -> list[Record]:
        """Return the next batch."""
        assert wait_ms > 0
        await asyncio.sleep(0)
        return self.batches.pop(0) if self.batches else []


def feed_of(monkeypatch: pytest.MonkeyPatch, reader: FakeReader) -> WorklistFeed:
    """Return a feed that reads by that reader, and asks again at once."""
    monkeypatch.setattr(module, "TopicReader", lambda *_, **__: reader)
    monkeypatch.setattr(module, "_AGAIN_S", 0.0)
    return WorklistFeed(BrokerOptions(("nowhere",)), Topics())


def record(partition: int, offset: int, key: bytes, value: bytes | None) -> Record:
    """Return a record."""
    return Record(partition, offset, key, value, 0)


def followed(feed: WorklistFeed, until: Callable[[], bool]) -> None:
    """Follow until a condition holds; then cancel, as the process does at its end."""

    async def run() -> None:
        task = asyncio.ensure_future(feed.follow())
        async with asyncio.timeout(30):
            while not until():  # noqa: ASYNC110  (any condition, of any fake)
                await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())


def subjects(feed: WorklistFeed, office: str | None) -> list[str]:
    """Return who is listed in the one worklist."""
    lists = feed.of(office).get("release", [])
    return sorted(one.subject for each in lists for one in each.listed)


def test_lists_are_replaced_by_partition_and_office(monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest of each counts, a tombstone takes it away, and an office can be asked for."""
    reader = FakeReader(
        0,
        [record(0, 0, CALLAO, listed("a", "b")), record(1, 0, CALLAO, listed("c"))],
        [record(0, 1, PAITA, listed("d")), record(0, 2, CALLAO, listed("b"))],
        [record(1, 1, CALLAO, None), record(0, 3, b"other|118", listed("e"))],
    )
    feed = feed_of(monkeypatch, reader)
    assert feed.of(None) == {}
    followed(feed, lambda: "other" in feed.of(None))
    assert subjects(feed, None) == ["b", "d"]
    assert subjects(feed, "118") == ["b"]
    (callao,) = feed.of("118")["release"]
    assert callao.listed == (Waiting(1_000, "b", "118", "red", "control", 900),)
    assert callao.later == {7: 2}
    assert subjects(feed, "235") == []
    assert reader.stopped == reader.started == 1


def test_a_topic_that_is_missing_is_told_once_and_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A scorecard works without it, and has the lists once somebody has made it."""
    reader = FakeReader(3, [record(0, 0, CALLAO, listed("a"))])
    feed = feed_of(monkeypatch, reader)
    with caplog.at_level(logging.WARNING):
        followed(feed, lambda: subjects(feed, None) == ["a"])
    told = [each.getMessage() for each in caplog.records]
    assert len(told) == 1
    assert "cannot be read for now: topic kpi.worklist" in told[0]
    assert reader.stopped == reader.started == 4


def test_a_damaged_record_is_named_and_left_out(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The other lists are shown; no figure depends on it."""
    batch = [
        record(0, 0, CALLAO, listed("a")),
        record(2, 5, CALLAO, b"{"),
        record(0, 1, PAITA, listed("d")),
    ]
    feed = feed_of(monkeypatch, FakeReader(0, batch))
    with caplog.at_level(logging.WARNING):
        followed(feed, lambda: subjects(feed, None) == ["a", "d"])
    (told,) = [each.getMessage() for each in caplog.records]
    assert told.startswith("kpi.worklist partition 2 offset 5: ")
    assert told.endswith("; left out")


def test_a_list_that_came_again_and_again_is_read_once(monkeypatch: pytest.MonkeyPatch):
    """The newest is, when somebody asks."""
    read: list[bytes] = []
    plain = module.decode
    monkeypatch.setattr(
        module, "decode", lambda key, value: read.append(value) or plain(key, value)
    )
    again = [record(0, at, CALLAO, listed(f"s{at}")) for at in range(3)]
    reader = FakeReader(0, again, [record(0, 3, PAITA, listed("p"))])
    feed = feed_of(monkeypatch, reader)
    followed(feed, lambda: not reader.batches)
    assert subjects(feed, None) == ["p", "s2"]
    assert subjects(feed, "118") == ["s2"]
    assert read == [listed("s2"), listed("p")]
