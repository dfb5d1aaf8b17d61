"""What is recorded: names, labels, and the arithmetic of ratios. promtool tries the values."""

import re

from kpi_stream.application.monitoring.conventions import all_names
from kpi_stream.application.monitoring.recording import CODES, recordings
from kpi_stream.domain.status import Status


def test_ratios_are_sums_divided_by_sums() -> None:
    """An average of ratios would let an idle worker weigh as much as a busy one."""
    for each in recordings():
        assert "avg" not in each.expr
        for side in each.expr.split(" / "):
            if len(each.expr.split(" / ")) > 1:
                assert "sum(rate(" in side, each.expr


def test_names_say_level_family_and_operation() -> None:
    """Prometheus' own convention; and every recorded family is known."""
    known = all_names()
    names = [each.family.name for each in recordings()]
    assert len(set(names)) == len(names)
    for name in names:
        assert re.fullmatch(r"[a-z]+:[a-z0-9_]+:[a-z0-9_]+", name)
        assert name in known


def test_a_status_has_a_code_that_grows_with_its_severity() -> None:
    """The codes that dashboards map to words and colours."""
    assert CODES == {
        Status.ON_TRACK: 0,
        Status.AT_RISK: 1,
        Status.OFF_TRACK: 2,
        Status.NO_DATA: 3,
    }
