"""Events that happen while a test runs: single ones, and a feed that never pauses."""

import itertools
import json
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

from kpi_stream.adapters.simulator import KafkaSink, Record
from tests.support.site import TOPICS

EVERY_S = 1.0
NEVER = timedelta()
_numbers = itertools.count(1)


def event(of: str, subject: str, office: str, *, ago: timedelta = NEVER, **fields: Any) -> Record:
    """Return an event that is recorded now.

    Args:
        of: Its type.
        subject: Whom it is about.
        office: Where.
        ago: How long ago it occurred.
        fields: What the type says besides.
    """
    now = datetime.now(UTC)
    message = {
        "event_id": f"live-{next(_numbers)}",
        "type": of,
        "schema_version": 1,
        "subject": subject,
        "occurred_at": (now - ago).isoformat(),
        "recorded_at": now.isoformat(),
        "office": office,
        "source": "test",
        **fields,
    }
    return Record(subject.encode(), json.dumps(message).encode(), round(now.timestamp() * 1000))


def numbered(subject: str, office: str, *, ago: timedelta = NEVER) -> Record:
    """Return the number of a declaration."""
    return event(
        "declaration.numbered",
        subject,
        office,
        ago=ago,
        regime="10",
        transport_mode="sea",
        clearance_mode="anticipated",
        importer="importer-1",
        declarant="agent-1",
        aeo=False,
        electronic=True,
        hs_chapter="39",
        origin="BR",
        cif_cents=1_000_000,
        duties_cents=120_000,
    )


class LiveFeed:
    """Numbers a declaration a second, in one office after the other, as a context manager.

    Args:
        brokers: The broker's address.
        offices: Where.
    """

    def __init__(self, brokers: str, offices: Sequence[str]) -> None:
        self._brokers, self._offices = brokers, offices
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        with KafkaSink(self._brokers, TOPICS.events) as sink:
            for record in self._records():
                sink.send([record])
                if self._stop.wait(EVERY_S):
                    return

    def _records(self) -> Iterator[Record]:
        for at, office in enumerate(itertools.cycle(self._offices)):
            yield numbered(f"{office}-live-{at}", office)

    def stop(self) -> None:
        """Fall silent."""
        self._stop.set()
        self._thread.join()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
