"""Lists in the place of the scorecard's output topics."""

from collections.abc import Sequence
from typing import Any

import pytest

from kpi_stream.adapters.kafka.reader import OnRecords, Record
from kpi_stream.adapters.kafka.scorecard import publisher
from kpi_stream.adapters.kafka.writer import Part
from kpi_stream.application.ports import Topics
from kpi_stream.domain.errors import Unavailable

TOPICS = Topics()


class Log:
    """A broker of lists: one list of records a topic."""

    def __init__(self) -> None:
        self.records: dict[str, list[Record]] = {TOPICS.readings: [], TOPICS.transitions: []}
        self.fail_after: int | None = None
        self.error: Exception = Unavailable("the broker is gone")

    def count(self) -> tuple[int, int]:
        """Return how many (readings, transitions) were written."""
        return len(self.records[TOPICS.readings]), len(self.records[TOPICS.transitions])


class ListWriter:
    """Writes part after part, and may fail after some of them."""

    def __init__(self, log: Log) -> None:
        self.log = log

    async def start(self) -> None:
        """Nothing to connect."""

    async def stop(self) -> None:
        """Nothing to disconnect."""

    async def write(self, parts: Sequence[Part]) -> None:
        """Append, as the ordered writer does."""
        for at, part in enumerate(parts):
            if self.log.fail_after is not None and at >= self.log.fail_after:
                raise self.log.error
            self.log.records[part.topic] += [
                Record(0, 0, each.key, each.value, 0) for each in part.records
            ]
        if self.log.fail_after is not None:
            raise self.log.error


class ListReader:
    """Reads a list to its end."""

    def __init__(self, log: Log, topic: str) -> None:
        self.log, self.topic = log, topic

    async def start(self) -> "ListReader":
        """Nothing to connect."""
        return self

    async def stop(self) -> None:
        """Nothing to disconnect."""

    async def read_to_end(self, on_records: OnRecords) -> int:
        """Hand everything over."""
        on_records(self.log.records[self.topic])
        return len(self.log.records[self.topic])


def lists_for_topics(monkeypatch: pytest.MonkeyPatch) -> Log:
    """Let every publisher of the test write to and read from the returned lists."""
    made = Log()

    def reader(_: object, topic: str, **__: Any) -> ListReader:
        return ListReader(made, topic)

    def writer(*_: object, **__: object) -> ListWriter:
        return ListWriter(made)

    monkeypatch.setattr(publisher, "TopicReader", reader)
    monkeypatch.setattr(publisher, "OrderedWriter", writer)
    return made
