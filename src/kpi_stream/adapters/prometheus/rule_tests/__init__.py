"""Cases for the alerting and recording rules, for `promtool test rules`.

One file for each name of alert. What is put in and what must come out is written down by case; of
an alert only its texts and its labels are taken, never its expression, its times or its numbers.
So a rule that changes its mind is noticed.
"""

from kpi_stream.adapters.prometheus.rule_tests.ageing import ageing_file
from kpi_stream.adapters.prometheus.rule_tests.feed import FEED
from kpi_stream.adapters.prometheus.rule_tests.kpis import TIMES, kpi_file
from kpi_stream.adapters.prometheus.rule_tests.recording import recording_file
from kpi_stream.adapters.prometheus.rule_tests.services import SERVICES
from kpi_stream.adapters.prometheus.rule_tests.writing import file
from kpi_stream.adapters.prometheus.rules import by_name
from kpi_stream.application.monitoring.alerts import alerts
from kpi_stream.application.monitoring.edition import Edition


def rule_test_files(edition: Edition) -> dict[str, str]:
    """Return the test files by path: one for each rule file.

    Raises:
        KeyError: An alert has no cases.
    """
    single = {**FEED, **SERVICES}
    files = dict([recording_file()])
    for name, members in by_name(alerts(edition.strategy)).items():
        if name in TIMES:
            path, content = kpi_file(edition, members)
        elif name == "DeclarationsAgeing":
            path, content = ageing_file(edition, members)
        else:
            alert = members[0]
            path, content = file(alert.anchor, single[name](edition, alert))
        files[path] = content
    return files
