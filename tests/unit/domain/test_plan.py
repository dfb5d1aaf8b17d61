import pytest

from kpi_stream.domain.plan import planned_to_date
from kpi_stream.domain.windows import LocalDays, parse

LIMA = LocalDays("America/Lima")
NEW_YEAR = 1_735_707_600_000  # 2025-01-01T00:00 in Lima
DAY = 86_400_000


@pytest.mark.parametrize(
    ("window", "days", "planned"),
    [
        ("mtd", 0, 0),
        ("mtd", 15.5, 1550),
        ("ytd", 31, 3100),
        ("ytd", 31 + 14, 3100 + 1400),
        ("mtd", 31 + 14, 1400),
        ("qtd", 31 + 28 + 31 - 1 / 3_100_000, 3100 + 2800 + 310),
    ],
)
def test_a_plan_accrues_month_by_month(window: str, days: float, planned: int):
    """Whole months count in full, and the present one by its elapsed share."""
    months = {"2025-01": 3100, "2025-02": 2800, "2025-03": 310}
    at = NEW_YEAR + round(days * DAY)
    assert planned_to_date(months, parse(window), at, LIMA) == planned


def test_a_window_with_an_unplanned_month_has_no_plan():
    """A plan of a part is not a plan of the whole."""
    months = {"2025-02": 2800}
    at = NEW_YEAR + 40 * DAY
    assert planned_to_date(months, parse("mtd"), at, LIMA) == 900
    assert planned_to_date(months, parse("ytd"), at, LIMA) is None
