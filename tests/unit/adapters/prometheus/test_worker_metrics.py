"""What a worker exports."""

import shutil
import subprocess

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from kpi_stream.adapters.prometheus.worker import PrometheusWorkerMetrics
from kpi_stream.application.ports import WorkerMetrics
from kpi_stream.domain.errors import Reason
from kpi_stream.domain.subject import Outcome
from tests.support.required import missing


def samples(metrics: PrometheusWorkerMetrics) -> dict[str, float]:
    """Return every sample by name and labels."""
    text = generate_latest(metrics.registry).decode()
    return {
        sample.name.removeprefix("kpi_stream_worker_")
        + "".join(f",{name}={value}" for name, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
def metrics() -> PrometheusWorkerMetrics:
    """Metrics of a worker with partitions 0 and 1, at second 100."""
    made = PrometheusWorkerMetrics(lambda: 100_000)
    port: WorkerMetrics = made
    for partition in (0, 1):
        port.opened(partition, 0.3, 1_000)
        port.events(partition, {("release.granted", Outcome.COUNTED): 5})
        port.rejected(partition, {Reason.NOT_JSON: 2})
        port.flushed(partition, 0.03, 7, 20)
        port.progress(partition, 40 + partition, 90_000)
        port.store_size(partition, 10, 20)
    port.skipped(1, 3)
    return made


def test_counts_add_up_over_partitions(metrics: PrometheusWorkerMetrics) -> None:
    """Events by type and outcome, rejects by reason, flushes and what they wrote."""
    found = samples(metrics)
    assert found["events_total,outcome=counted,type=release.granted"] == 10
    assert found["rejected_events_total,reason=not_json"] == 4
    assert found["rejected_events_total,reason=oversized"] == 0
    assert found["skipped_events_total"] == 3
    assert found["flushed_events_total"] == 14
    assert found["flushed_records_total"] == 40
    assert found["opened_records_total"] == 2_000
    assert found["flush_duration_seconds_bucket,le=0.025"] == 0
    assert found["flush_duration_seconds_bucket,le=0.05"] == 2


def test_gauges_are_by_partition(metrics: PrometheusWorkerMetrics) -> None:
    """Lag, watermark, data age at the time of the scrape, and size of the state."""
    found = samples(metrics)
    assert found["lag_events,partition=1"] == 41
    assert found["watermark_timestamp_seconds,partition=0"] == 90
    assert found["data_age_seconds,partition=0"] == 10
    assert found["store_subjects,partition=0"] == 10
    assert found["store_rows,partition=0"] == 20
    assert found["partitions_assigned"] == 2
    assert found["healthy"] == 1


def test_a_revoked_partition_disappears(metrics: PrometheusWorkerMetrics) -> None:
    """Its gauges are gone, the counters stay, the other partition stays."""
    metrics.revoked([0])
    metrics.healthy(healthy=False)
    found = samples(metrics)
    assert not [name for name in found if "partition=0" in name]
    assert found["lag_events,partition=1"] == 41
    assert found["partitions_assigned"] == 1
    assert found["events_total,outcome=counted,type=release.granted"] == 10
    assert found["healthy"] == 0
    metrics.opened(0, 0.1, 5)
    assert "lag_events,partition=0" not in samples(metrics)  # not that of an earlier ownership


def test_before_the_first_event_there_is_no_age(metrics: PrometheusWorkerMetrics) -> None:
    """A watermark of -1 is none."""
    metrics.progress(2, 0, -1)
    found = samples(metrics)
    assert found["lag_events,partition=2"] == 0
    assert "data_age_seconds,partition=2" not in found
    assert "watermark_timestamp_seconds,partition=2" not in found


def test_promtool_accepts_it(metrics: PrometheusWorkerMetrics) -> None:
    """Names, types and help texts follow Prometheus's own rules."""
    promtool = shutil.which("promtool") or missing("promtool", "promtool is not installed")
    body = generate_latest(metrics.registry)
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=body, capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")


def test_some_are_rendered_by_name(metrics: PrometheusWorkerMetrics) -> None:
    """Counters of the library as well as gauges of the partitions."""
    metrics.progress(3, 7, -1)
    metrics.skipped(3, 5)
    names = frozenset({"kpi_stream_worker_lag_events", "kpi_stream_worker_skipped_events_total"})
    body, _ = metrics.render("", names)
    samples = [line for line in body.decode().splitlines() if not line.startswith("#")]
    assert sorted(samples) == [
        'kpi_stream_worker_lag_events{partition="0"} 40.0',
        'kpi_stream_worker_lag_events{partition="1"} 41.0',
        'kpi_stream_worker_lag_events{partition="3"} 7.0',
        "kpi_stream_worker_skipped_events_total 8.0",
    ]


def test_they_are_rendered_as_the_scraper_accepts(metrics: PrometheusWorkerMetrics) -> None:
    """OpenMetrics where it is asked for, the text format else."""
    for accept, kind, end in (
        ("application/openmetrics-text; version=1.0.0", "application/openmetrics-text", b"# EOF\n"),
        ("", "text/plain", b"\n"),
    ):
        body, content_type = metrics.render(accept)
        assert b"kpi_stream_worker_healthy 1.0" in body
        assert content_type.startswith(kind)
        assert body.endswith(end)
