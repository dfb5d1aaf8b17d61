"""A sender that keeps what it is given, and the contract of the packaged strategy's offices."""

from collections.abc import Callable

import pytest

from kpi_stream.adapters.events.codec import EventCodec
from kpi_stream.domain.errors import Unavailable
from kpi_stream.domain.events import Event

OFFICES = frozenset({"118", "172", "235"})


class KeepingSender:
    """Keeps records; a record counts only once it was flushed."""

    def __init__(self, *, breaks_after: int | None = None, topic_id: str | None = "one") -> None:
        self.topic = "customs.events"
        self.topic_id = topic_id
        self.kept: list[tuple[bytes, bytes]] = []
        self.flushes = 0
        self._breaks_after = breaks_after

    def send(self, key: bytes, value: bytes) -> None:
        """Keep a record, or break."""
        if self._breaks_after is not None and len(self.kept) >= self._breaks_after:
            msg = "the broker is gone"
            raise Unavailable(msg)
        self.kept.append((key, value))

    def flush(self) -> None:
        """Count the flush."""
        self.flushes += 1


@pytest.fixture
def decode() -> Callable[[bytes, int], Event]:
    """Decode as the product does."""
    return EventCodec(OFFICES, 300_000, 65_536).decode_value
