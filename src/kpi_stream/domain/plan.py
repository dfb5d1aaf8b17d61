"""What a plan by month says should be there by now."""

from collections.abc import Mapping
from datetime import date
from fractions import Fraction

from kpi_stream.domain.windows import LocalDays, Window, first_day


def planned_to_date(
    months: Mapping[str, int], window: Window, as_of_ms: int, days: LocalDays
) -> int | None:
    """Return the planned amount from the window's start to `as_of_ms`.

    Whole months before the present one count in full, the present month by the share of it that
    has elapsed: a plan is seasonal from month to month, and nothing finer is planned.

    Args:
        months: Planned amount by local month (`2026-01`), in the smallest unit.
        window: A window that begins with a month: `mtd`, `qtd` or `ytd`.
        as_of_ms: The instant of the reading.
        days: The strategy's local days.

    Returns:
        The amount, rounded to the smallest unit; None where a month of the window has no plan.

    Example:
        >>> from kpi_stream.domain.windows import parse
        >>> utc = LocalDays("UTC")
        >>> noon_of_16_january = 1768564800000
        >>> planned_to_date({"2026-01": 3100}, parse("mtd"), noon_of_16_january, utc)
        1550
    """
    today = days.date_of(as_of_ms)
    month = first_day(window, today)
    planned = Fraction(0)
    while month <= today:
        amount = months.get(f"{month:%Y-%m}")
        if amount is None:
            return None
        following = date(month.year + month.month // 12, month.month % 12 + 1, 1)
        if following > today:
            start = days.start_of(month.toordinal())
            length = days.start_of(following.toordinal()) - start
            planned += Fraction(amount * (as_of_ms - start), length)
        else:
            planned += amount
        month = following
    return round(planned)
