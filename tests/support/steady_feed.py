"""A feed that does not stop for the faults of a broker, and knows what the broker has."""

import itertools
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from kpi_stream.adapters.simulator import KafkaSink, Record
from tests.support.site import TOPICS, Site

# Idempotent, so that what is sent again after a fault is in the log once, and more patient than
# any fault of the tests.
_PATIENT = {"enable_idempotence": True, "request_timeout_ms": 300_000, "retry_backoff_ms": 500}
_PAUSE_S = 0.1


@contextmanager
def steady(
    site: Site, brokers: str, records: Sequence[Record], *, per_s: int = 500
) -> Iterator[None]:
    """Send records beside the work, from the first again after the last, and count them.

    Args:
        site: Is told how many records were sent.
        brokers: Where they go; an address that the fault does not reach.
        records: Events that come again count once.
        per_s: About how many a second.
    """
    done, size = threading.Event(), max(1, round(per_s * _PAUSE_S))

    def send() -> None:
        endless = itertools.cycle(records)
        with KafkaSink(brokers, TOPICS.events, _PATIENT) as sink:
            while not done.is_set():
                site.sent += sink.send(list(itertools.islice(endless, size)))
                done.wait(_PAUSE_S)

    with ThreadPoolExecutor(1) as beside:
        sending = beside.submit(send)
        try:
            yield
        finally:
            done.set()
        sending.result()
