"""The recent days of the judged series, for their forecasts.

A history costs as many readings as it has days, so it is not made anew every second: only when
the 15-minute pane of `as_of` has changed, and then for a few series at each evaluation.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from kpi_stream.application.judge import Judged
from kpi_stream.domain.forecast import DAYS, Point, forecast
from kpi_stream.domain.readings import SeriesKey
from kpi_stream.domain.windows import pane_floor


class History(Protocol):
    """Where the readings of past days come from."""

    def daily(
        self, kpi: str, window: str, dimension: str, member: str, as_of_ms: int, days: int
    ) -> Sequence[Point]:
        """Return (end of day in milliseconds, value) of the last local days, oldest first."""
        ...


class Outlook:
    """Histories by series, refreshed by and by.

    Args:
        history: The rows.
        budget: Histories to refresh at one evaluation; None for all that are due.
    """

    def __init__(self, history: History, budget: int | None = None) -> None:
        self._history = history
        self._budget = budget
        self._points: dict[SeriesKey, tuple[int, tuple[Point, ...]]] = {}

    def with_forecasts(self, judged: Iterable[Judged], as_of_ms: int) -> tuple[Judged, ...]:
        """Return the judged series with history and forecast; without, where not made yet."""
        series = tuple(judged)
        self._refresh(series, pane_floor(as_of_ms), as_of_ms)
        return tuple(self._extended(each, as_of_ms) for each in series)

    def _refresh(self, series: Sequence[Judged], pane: int, as_of_ms: int) -> None:
        known = self._points
        due = [each.key for each in series if known.get(each.key, (-1,))[0] != pane]
        # The longest waiting first, and those that have no history at all before them.
        due.sort(key=lambda key: known[key][0] if key in known else -1)
        fresh = {each.key for each in series}
        self._points = {key: known[key] for key in known if key in fresh}
        for key in due[: self._budget]:
            self._points[key] = (pane, tuple(self._history.daily(*key, as_of_ms, DAYS)))

    def _extended(self, judged: Judged, as_of_ms: int) -> Judged:
        if judged.key not in self._points:
            return judged
        points = self._points[judged.key][1]
        ahead = forecast(judged.kpi, judged.target, points, judged.reading.value, as_of_ms)
        return replace(judged, forecast=ahead, history=points)
