"""A site for the operators' page: the packaged strategy over simulated months, in this process.

    python -m tests.support.page_site [PORT]    serves it, for looking at

Nothing of it is written down but what was rejected: the events are folded, judged day by day and
served as the scorecard process does it, without a broker.
"""

import asyncio
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

from kpi_stream.adapters.simulator import simulate
from kpi_stream.adapters.state_codec import MsgspecStateCodec
from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.adapters.web.server import WebServer
from kpi_stream.adapters.web.threaded import Threaded
from kpi_stream.application.as_of import Freshness, PartitionProgress
from kpi_stream.application.history import UNDAMPED, evaluations
from kpi_stream.application.judge import Transition
from kpi_stream.application.readings import ReadingTable
from kpi_stream.application.replay import Replay
from kpi_stream.application.scorecard import Evaluation, Scorecard
from kpi_stream.application.worklist import decode
from kpi_stream.bootstrap.common import event_codec
from kpi_stream.bootstrap.feeds import simulation_options
from kpi_stream.domain.errors import EventRejected, Reason
from kpi_stream.domain.events import Event
from kpi_stream.domain.strategy import Strategy
from kpi_stream.domain.windows import DAY_MS, HOUR_MS
from kpi_stream.domain.worklist import OfficeList
from kpi_stream.settings import Settings

NOW = datetime(2026, 10, 14, 20, 40, tzinfo=UTC)
"""A Wednesday afternoon in Lima."""
NOW_MS = round(NOW.timestamp()) * 1000
DAYS, PER_DAY = 45, 25.0


class PageSite:
    """What the scorecard process would show, from simulated events.

    Args:
        strategy: Whose.
        days: Of history.
        per_day: Declarations a day.
    """

    def __init__(self, strategy: Strategy, days: int = DAYS, per_day: float = PER_DAY) -> None:
        self._strategy = strategy
        self._replay = Replay(strategy, MsgspecStateCodec())
        self._card = Scorecard(strategy, self._replay.table, damping=UNDAMPED)
        self._lists: dict[str, dict[str, OfficeList]] = {}
        self._transitions: list[Transition] = []
        self.latest: Evaluation | None = None
        self._news: dict[asyncio.AbstractEventLoop, asyncio.Event] = {}
        self._drain()
        events = list(self._events(days, per_day))
        # Judged at the end of each day, then at the instant that is shown.
        instants = [NOW_MS - (at * DAY_MS) for at in range(12, 0, -1)]
        for each in evaluations(self._replay, self._card, events, [*instants, NOW_MS]):
            self._transitions += each.transitions
        self.evaluate(NOW_MS)

    def evaluate(self, as_of_ms: int) -> Evaluation:
        """Judge what is counted at an instant; whoever listens hears of it."""
        self._replay.drain()
        tally = self._replay.tally
        rejected = {Reason.UNKNOWN_OFFICE.value: 3, Reason.EXPIRED.value: 1}
        judged = tally.outcomes.total() + sum(rejected.values())
        parts = (PartitionProgress(0, 9, as_of_ms, 10, None, None, judged, rejected),)
        fresh = Freshness(
            as_of_ms,
            caught_up=True,
            now_ms=as_of_ms + 2_000,
            watermark_ms=as_of_ms,
            partitions=parts,
        )
        found = self._card.evaluate(as_of_ms, fresh)
        self._transitions += found.transitions
        self.tell(found)
        return found

    def tell(self, evaluation: Evaluation | None) -> None:
        """Show an evaluation; from any thread."""
        self.latest = evaluation
        for loop, news in list(self._news.items()):
            if loop.is_closed():
                del self._news[loop]
            else:
                loop.call_soon_threadsafe(news.set)

    def _events(self, days: int, per_day: float) -> Iterator[Event]:
        options = simulation_options(
            self._strategy,
            packaged_strategy_path(),
            now_ms=NOW_MS,
            seed=3,
            days=days,
            per_day=per_day,
            random_selection=0.1,
        )
        codec = event_codec(Settings(), self._strategy)
        for record in simulate(options):
            try:
                yield codec.decode_value(record.value, NOW_MS + HOUR_MS)
            except EventRejected as rejected:
                self._replay.tally.rejected[rejected.reason] += 1

    def _drain(self) -> None:
        """Take the worklists along with the rows."""
        replay = self._replay

        def drain() -> None:
            replay._since_drain = 0
            changes = replay.fold.drain()
            for key, value in changes.rows:
                replay.apply_row(0, key, value)
            for key, value in changes.worklists:
                worklist, _, office = key.decode().partition("|")
                lists = self._lists.setdefault(worklist, {})
                if value is None:
                    lists.pop(office, None)
                else:
                    lists[office] = decode(key, value)[2]

        replay.drain = drain  # type: ignore[method-assign]

    # What the server asks.

    def metrics(self, accept: str, names: frozenset[str]) -> tuple[bytes, str]:
        """Return nothing to scrape."""
        del accept, names
        return b"", "text/plain"

    def healthy(self) -> tuple[bool, str]:
        """Return that all is well."""
        return True, "healthy"

    def ready(self) -> tuple[bool, str]:
        """Return whether anything is shown."""
        return (True, "ready") if self.latest else (False, "the rows are being read")

    def evaluation(self) -> Evaluation | None:
        """Return the newest evaluation."""
        return self.latest

    async def evaluated(self) -> None:
        """Return once there is another one."""
        news = self._news[asyncio.get_running_loop()] = asyncio.Event()
        await news.wait()

    def strategy(self) -> Strategy | None:
        """Return the strategy."""
        return self._strategy

    def table(self) -> ReadingTable | None:
        """Return what reads the rows."""
        return self._replay.table

    def transitions(self) -> Sequence[Transition]:
        """Return the changes of the last days."""
        return tuple(self._transitions[-500:])

    def worklists(self, office: str | None) -> Mapping[str, Iterable[OfficeList]]:
        """Return what is listed."""
        return {
            worklist: [each for code, each in lists.items() if office in (None, code)]
            for worklist, lists in self._lists.items()
        }

    async def reload(self) -> Sequence[str]:
        """Refuse."""
        return ("not here",)


@cache
def page_site() -> PageSite:
    """Return the site of the packaged strategy; folded once a run."""
    return PageSite(load_strategy(packaged_strategy_path()))


def main() -> None:
    """Serve until interrupted; a new evaluation every second."""
    site = page_site()
    with Threaded(WebServer(site, int(sys.argv[1]) if sys.argv[1:] else 0)) as server:
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        at_ms = NOW_MS
        while True:
            at_ms += 1_000
            asyncio.run(asyncio.sleep(1))
            latest = site.latest
            if latest is not None:
                site.tell(replace(latest, as_of_ms=at_ms, transitions=()))


if __name__ == "__main__":
    main()
