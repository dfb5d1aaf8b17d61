"""What people read about the strategy and its alerts: the dictionary of KPIs and the runbook.

Here belongs how a measure, a target and an alert are put into words, as Markdown; where the pages
are served or written to does not.
"""

from collections.abc import Mapping

from kpi_stream.application.handbook.dictionary import dictionary
from kpi_stream.application.handbook.runbook import runbook
from kpi_stream.application.monitoring.edition import Edition

__all__ = ["dictionary", "handbook_files", "runbook"]


def handbook_files(edition: Edition) -> Mapping[str, str]:
    """Return the content of the two documents, by path."""
    return {"docs/kpis.md": dictionary(edition), "docs/runbook.md": runbook(edition)}
