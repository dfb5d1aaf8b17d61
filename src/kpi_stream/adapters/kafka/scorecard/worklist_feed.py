"""The worklists of every partition and office, as the workers keep them."""

import asyncio
import logging
from collections.abc import Iterable, Mapping

from kpi_stream.adapters.kafka.reader import Record, TopicReader, reading
from kpi_stream.adapters.kafka.refusals import Refused
from kpi_stream.adapters.kafka.scorecard.closing import closed
from kpi_stream.application.ports import BrokerOptions, Topics
from kpi_stream.application.worklist import decode
from kpi_stream.domain.errors import InputError, StateError, Unavailable
from kpi_stream.domain.worklist import OfficeList

_log = logging.getLogger(__name__)

_UNCERTAIN_END_MS = 500
"""How long to read beyond the end that a broker without transactions reports."""
_POLL_MS = 1_000
_AGAIN_S = 10.0
"""Until the topic is asked for again where it could not be read."""


class WorklistFeed:
    """Reads `kpi.worklist` from the first record on, and follows it.

    No figure depends on it: a topic that is missing, or a record that is damaged, is told in the
    log, and what is known is shown.

    Args:
        broker: How to reach Kafka.
        topics: The names of the topics.
        certain_ends: Whether the broker's reported ends can be trusted (Apache Kafka: yes).
    """

    def __init__(self, broker: BrokerOptions, topics: Topics, *, certain_ends: bool = True) -> None:
        self._broker, self._topic = broker, topics.worklist
        self._settle_ms = 0 if certain_ends else _UNCERTAIN_END_MS
        self._lists: dict[tuple[int, bytes], tuple[str, str, OfficeList]] = {}
        """By partition and key: worklist, office and list."""
        self._unread: dict[tuple[int, bytes], tuple[int, bytes]] = {}
        """What came since somebody asked: offset and value. A busy office's list is written several
        times between two evaluations, and read once."""
        self._told = ""

    def of(self, office: str | None) -> Mapping[str, Iterable[OfficeList]]:
        """Return what the partitions hold, by worklist; of one office, or of all."""
        self._read()
        found: dict[str, list[OfficeList]] = {}
        for worklist, of_office, each in self._lists.values():
            if office in (None, of_office):
                found.setdefault(worklist, []).append(each)
        return found

    async def load(self) -> int:
        """Read all lists up to the present and disconnect; return how many records there were.

        Raises:
            Unavailable: No broker answers.
            InputError: The topic does not exist, or may not be read.
        """
        async with reading(self._reader()) as reader:
            return await reader.read_to_end(self._take)

    async def follow(self) -> None:
        """Read the lists and whatever comes, until cancelled.

        Raises:
            Refused: They may not be read any more.
        """
        while True:
            reader = self._reader()
            try:
                await reader.start()
                # A list that went away meanwhile may have left no trace.
                self._lists.clear()
                self._unread.clear()
                await reader.read_to_end(self._take)
                self._told = ""
                while True:
                    self._take(await reader.poll(_POLL_MS))
            except Refused:
                raise
            except (Unavailable, InputError) as err:
                self._tell(f"the worklists cannot be read for now: {err}")
            finally:
                await closed(reader.stop())
            await asyncio.sleep(_AGAIN_S)

    def _reader(self) -> TopicReader:
        return TopicReader(self._broker, self._topic, settle_ms=self._settle_ms)

    def _take(self, records: Iterable[Record]) -> None:
        for partition, offset, key, value, _ in records:
            at = (partition, key or b"")
            if value is None:
                self._lists.pop(at, None)
                self._unread.pop(at, None)
            else:
                self._unread[at] = offset, value

    def _read(self) -> None:
        unread, self._unread = self._unread, {}
        for at, (offset, value) in unread.items():
            self._lists.pop(at, None)
            try:
                self._lists[at] = decode(at[1], value)
            except StateError as err:
                self._tell(f"{self._topic} partition {at[0]} offset {offset}: {err}; left out")

    def _tell(self, words: str) -> None:
        """Say it once, not every few seconds."""
        if words != self._told:
            _log.warning("%s", words)
            self._told = words
