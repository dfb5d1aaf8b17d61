"""The check-up of an installation: what is asked, in which order; nothing is changed."""

from collections.abc import Callable
from functools import partial

from kpi_stream.adapters.clock import Clock
from kpi_stream.application.checkup.frame import Check
from kpi_stream.bootstrap.doctor_http import HttpChecks
from kpi_stream.bootstrap.doctor_kafka import KafkaChecks
from kpi_stream.bootstrap.installation import Generated, Installation


def checks(
    options: Generated | None = None, now_ms: Callable[[], int] | None = None
) -> list[Check]:
    """Return the checks; none of them was made yet.

    Args:
        options: With which the files of Grafana and Prometheus were generated.
        now_ms: Our wall clock.
    """
    site = Installation(options or Generated())
    kafka, http = KafkaChecks(site, now_ms or Clock().now_ms), HttpChecks(site)
    return [
        Check("settings", site.read),
        Check("kafka", kafka.reached, ("settings",)),
        Check("topics", kafka.topics, ("kafka",)),
        Check("transactions", kafka.transactions, ("kafka",)),
        Check("counting", kafka.counting, ("topics",)),
        Check("clock", kafka.clocks, ("topics",)),
        Check("workers", http.workers, ("settings",)),
        Check("scorecard", http.scorecard, ("settings",)),
        Check("strategy", partial(http.strategies, kafka.fingerprints), ("counting", "scorecard")),
        Check("prometheus", http.prometheus, ("settings",)),
        Check("rules", http.rules, ("prometheus",)),
        Check("grafana", http.grafana, ("settings",)),
    ]
