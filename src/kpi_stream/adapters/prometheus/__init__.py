"""Prometheus: what the two processes export, under names that one file decides.

Here belongs the translation of an evaluation, or of the worker's counts, into metric families;
what a number means does not. Only this package imports prometheus_client.
"""

from prometheus_client import disable_created_metrics

# A `_created` series for every counter doubles the series and tells nothing that a scrape
# does not: switched off here, once, for both processes.
disable_created_metrics()  # type: ignore[no-untyped-call]
