"""Every alert of a strategy: its KPIs, its feed, the processes that count it.

What holds for all of them:

* The expression is 0 or 1 for each series, and absent where nothing can be said. It never has the
  labels of the process that exported it, so a restart is the same alert.
* A KPI, an ageing stock or a silent office is judged only while the feed speaks: a stale feed and
  a backfill make the expression 0, which ends the alert (after its time to keep firing) and starts
  the waiting time anew. The silence itself has its own alert.
* No value of a KPI is no alert of its own: the status is then `no_data`, so "off track" is 0.
* Processes are watched by expressions that are never absent: nothing to scrape is 1.
"""

from kpi_stream.application.monitoring.alert import Alert
from kpi_stream.application.monitoring.alerts.ageing import ageing_alerts
from kpi_stream.application.monitoring.alerts.feed import feed_alerts
from kpi_stream.application.monitoring.alerts.kpis import kpi_alerts
from kpi_stream.application.monitoring.alerts.services import service_alerts
from kpi_stream.domain.strategy import Strategy


def alerts(strategy: Strategy) -> tuple[Alert, ...]:
    """Return every rule of a strategy, those of one name together."""
    return (
        *kpi_alerts(strategy),
        *ageing_alerts(strategy),
        *feed_alerts(strategy),
        *service_alerts(strategy),
    )
