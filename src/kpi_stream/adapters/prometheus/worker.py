"""The metrics of a worker process: what it does, never what a KPI is worth."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from prometheus_client import (
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from kpi_stream import __version__
from kpi_stream.adapters.prometheus.families import Gauges, chosen, own_registry
from kpi_stream.application.monitoring import conventions as c
from kpi_stream.domain.errors import Reason
from kpi_stream.domain.subject import Outcome

_FLUSH_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""A flush takes tens of milliseconds and is due every few hundred."""
_OPEN_BUCKETS = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""50,000 to 80,000 records are read a second (docs/performance.md)."""


class _Partitions(Collector):
    """Gauges of the assigned partitions; a revoked one is gone at the next scrape."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self.lag: dict[int, int] = {}
        self.watermark_ms: dict[int, int] = {}
        self.subjects: dict[int, int] = {}
        self.rows: dict[int, int] = {}
        self.assigned: set[int] = set()
        self.healthy = True

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Return nothing: registering must not collect."""
        return ()

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Return the families of this scrape."""
        gauges = Gauges()
        now_ms = self._now_ms()
        # Copies: the worker's thread may take a partition meanwhile.
        for partition in sorted(self.assigned):
            name = str(partition)
            gauges.set(c.WORKER_LAG, self.lag.get(partition), name)
            gauges.set(c.STORE_SUBJECTS, self.subjects.get(partition), name)
            gauges.set(c.STORE_ROWS, self.rows.get(partition), name)
            watermark_ms = self.watermark_ms.get(partition, -1)
            if watermark_ms >= 0:
                gauges.set(c.WORKER_WATERMARK, watermark_ms / 1000, name)
                # At scrape time, so that it grows while nothing comes.
                gauges.set(c.WORKER_DATA_AGE, max(0, now_ms - watermark_ms) / 1000, name)
        gauges.set(c.PARTITIONS, len(self.assigned))
        gauges.set(c.HEALTHY, self.healthy)
        gauges.info(c.BUILD_INFO, __version__)
        return gauges.collect()


class PrometheusWorkerMetrics:
    """Implements `application.ports.WorkerMetrics`.

    Args:
        now_ms: The wall clock, milliseconds since 1970 UTC.
    """

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self.registry = own_registry()
        self._gauges = _Partitions(now_ms)
        self.registry.register(self._gauges)
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._events = self._counter(c.EVENTS)
        self._rejected = self._counter(c.REJECTED)
        for reason in Reason:
            self._rejected.labels(reason.value)  # 0 is a number: a rate needs a start
        self._skipped = self._counter(c.SKIPPED)
        self._flushed_events = self._counter(c.FLUSHED_EVENTS)
        self._flushed_records = self._counter(c.FLUSHED_RECORDS)
        self._opened_records = self._counter(c.OPENED_RECORDS)
        self._flush_duration = self._histogram(c.FLUSH_DURATION, _FLUSH_BUCKETS)
        self._open_duration = self._histogram(c.OPEN_DURATION, _OPEN_BUCKETS)

    def events(self, partition: int, counts: Mapping[tuple[str, Outcome], int]) -> None:
        """Add events by (event type, outcome)."""
        self._gauges.assigned.add(partition)
        for (event_type, outcome), count in counts.items():
            self._events.labels(event_type, outcome.value).inc(count)

    def rejected(self, partition: int, counts: Mapping[Reason, int]) -> None:
        """Add rejected events by reason."""
        self._gauges.assigned.add(partition)
        for reason, count in counts.items():
            self._rejected.labels(reason.value).inc(count)

    def skipped(self, partition: int, events: int) -> None:
        """Add events that were read again and had been applied before."""
        self._gauges.assigned.add(partition)
        self._skipped.inc(events)

    def flushed(self, partition: int, seconds: float, events: int, records: int) -> None:
        """Note one durable flush."""
        self._gauges.assigned.add(partition)
        self._flush_duration.observe(seconds)
        self._flushed_events.inc(events)
        self._flushed_records.inc(records)

    def progress(self, partition: int, lag: int, watermark_ms: int) -> None:
        """Set how many events wait and the newest recorded_at applied (-1: none yet)."""
        self._gauges.assigned.add(partition)
        self._gauges.lag[partition] = lag
        self._gauges.watermark_ms[partition] = watermark_ms

    def store_size(self, partition: int, subjects: int, rows: int) -> None:
        """Set how much state a partition holds in memory."""
        self._gauges.assigned.add(partition)
        self._gauges.subjects[partition] = subjects
        self._gauges.rows[partition] = rows

    def opened(self, partition: int, seconds: float, records: int) -> None:
        """Note that a partition's state was read."""
        self._gauges.assigned.add(partition)
        self._open_duration.observe(seconds)
        self._opened_records.inc(records)

    def revoked(self, partitions: Sequence[int]) -> None:
        """Forget the gauges of partitions that this worker no longer owns."""
        gauges = self._gauges
        gauges.assigned.difference_update(partitions)
        for partition in partitions:
            for held in (gauges.lag, gauges.watermark_ms, gauges.subjects, gauges.rows):
                held.pop(partition, None)

    def healthy(self, healthy: bool) -> None:  # noqa: FBT001
        """Set whether the worker works; False from the first error that stops it."""
        self._gauges.healthy = healthy

    def render(self, accept: str, names: frozenset[str] = frozenset()) -> tuple[bytes, str]:
        """Return (body, content type) for a scraper's Accept header; called in a thread.

        With names, of the samples with one of them alone.
        """
        encode, content_type = choose_encoder(accept)
        return encode(chosen(self.registry, names)), content_type

    def _counter(self, family: c.Family) -> Counter:
        return Counter(family.name, family.help, family.labels, registry=self.registry)

    def _histogram(self, family: c.Family, buckets: Sequence[float]) -> Histogram:
        return Histogram(family.name, family.help, registry=self.registry, buckets=buckets)
