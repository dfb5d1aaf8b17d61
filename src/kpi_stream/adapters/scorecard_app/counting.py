"""A strategy in force with the rows that are counted for it, and its replacement by another."""

import asyncio
from dataclasses import dataclass

from kpi_stream.adapters.scorecard_app.ports import Feed, Parts
from kpi_stream.application.scorecard import Scorecard
from kpi_stream.domain.errors import KpiStreamError, StrategyError
from kpi_stream.domain.strategy import Strategy


@dataclass(frozen=True, slots=True)
class Counting:
    """What belongs together: a scorecard, the feed of its totals, and its definitions."""

    scorecard: Scorecard
    feed: Feed
    fingerprint: str

    @property
    def matches(self) -> bool:
        """Return whether the rows were counted by the definitions of the strategy."""
        return self.feed.misfit is None and self.feed.fingerprint in (None, self.fingerprint)


class ReloadRefused(Exception):
    """The strategy is not taken; the one before stays in force."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        """Keep each problem as a line for the operator."""
        self.problems = problems
        super().__init__("\n".join(problems))


async def replacement(current: Counting, parts: Parts) -> Counting:
    """Return what the strategy files say now, ready to take the place of `current`.

    Where KPIs, dimensions and calendar are the same, the totals go on; else the rows are read
    again for new totals, while the current ones stay in use.

    Raises:
        ReloadRefused: The files are wrong, or the worker counts by other definitions.
    """
    try:
        strategy = await asyncio.to_thread(parts.load_strategy)
        fingerprint = parts.fingerprint(strategy)
    except StrategyError as err:
        raise ReloadRefused(tuple(map(str, err.problems))) from err
    except (KpiStreamError, ValueError) as err:
        raise ReloadRefused((str(err),)) from err
    counted = current.feed.fingerprint
    if counted not in (None, fingerprint):
        msg = (
            f"the worker counts by other KPI definitions ({counted}, this strategy gives "
            f"{fingerprint}); count by this strategy first, with: kpi-stream rebuild"
        )
        raise ReloadRefused((msg,))
    if _counts_alike(current.scorecard.strategy, strategy):
        scorecard = current.scorecard.with_strategy(strategy, current.scorecard.totals)
        return Counting(scorecard, current.feed, fingerprint)
    totals = parts.make_totals(strategy)
    feed = parts.open_feed(totals.apply_row)
    try:
        await feed.load()
    except KpiStreamError as err:
        await feed.close()
        raise ReloadRefused((str(err),)) from err
    if feed.misfit is not None:
        await feed.close()
        raise ReloadRefused((feed.misfit,))
    return Counting(current.scorecard.with_strategy(strategy, totals), feed, fingerprint)


def _counts_alike(one: Strategy, other: Strategy) -> bool:
    return (one.kpis, one.dimensions, one.calendar) == (
        other.kpis,
        other.dimensions,
        other.calendar,
    )
