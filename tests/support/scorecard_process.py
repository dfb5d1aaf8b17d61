"""The scorecard process of the tests: `python -m tests.support.scorecard_process FILE`.

FILE is JSON: brokers, topic prefix, guarantee, and the path of a file with the goal of the one
target, which stands for the strategy's folder: its text is a number, or the strategy is wrong;
`each` there makes it a target of each office as well. Also
`login`, where the HTTP endpoints shall ask for one: user and password.
"""

import asyncio
import json
import logging
import sys
from pathlib import Path

from kpi_stream.adapters.clock import Clock
from kpi_stream.adapters.kafka.scorecard.feed import RowFeed, SourceEnds
from kpi_stream.adapters.kafka.scorecard.publisher import Publisher
from kpi_stream.adapters.prometheus.scorecard import ScorecardMetrics
from kpi_stream.adapters.scorecard_app.ports import ApplyRow, Parts, ScorecardOptions
from kpi_stream.adapters.scorecard_app.process import ScorecardProcess, run_scorecard
from kpi_stream.adapters.web.access import HttpAccess, Reread, login_digest
from kpi_stream.adapters.web.server import WebServer
from kpi_stream.application.judge import EACH
from kpi_stream.application.ports import BrokerOptions, Topics
from kpi_stream.domain.catalogue import Catalogue
from kpi_stream.domain.errors import KpiStreamError, Problem, StrategyError
from kpi_stream.domain.strategy import Strategy
from tests.support.scorecard import ADVANCE, strategy, target, totals


def topics(prefix: str) -> Topics:
    """Return topic names of a test's own."""
    return Topics(*(f"{prefix}.{name}" for name in Topics.__dataclass_fields__))


def load(path: Path) -> Strategy:
    """Return the test strategy with the goal in the file, or report two problems."""
    try:
        wanted = json.loads(path.read_text())
        goal = float(wanted["goal"])
    except (ValueError, TypeError, KeyError) as err:
        problems = [
            Problem("targets.yaml", "goal", "is no number"),
            Problem("kpis.yaml", "kpis[0]", "has no owner"),
        ]
        raise StrategyError(problems) from err
    targets = [target(ADVANCE, goal)]
    if wanted.get("each"):
        more = {"id": f"{ADVANCE}-of-each", "dimension": "office", "members": (EACH,)}
        targets.append(target(ADVANCE, goal, **more))
    made = strategy(*targets)
    kept = made.kpis[: wanted.get("kpis", len(made.kpis))]
    return Strategy(**{**{f: getattr(made, f) for f in made.__slots__}, "kpis": kept})


def main() -> int:
    """Run until SIGTERM."""
    logging.basicConfig(level=logging.INFO)
    given = json.loads(Path(sys.argv[1]).read_text())
    broker = BrokerOptions((given["brokers"],))
    names, exact = topics(given["prefix"]), bool(given["exactly_once"])

    def open_feed(apply_row: ApplyRow) -> RowFeed:
        return RowFeed(broker, names, apply_row, now_ms=Clock().now_ms, certain_ends=exact)

    parts = Parts(
        load_strategy=lambda: load(Path(given["strategy"])),
        fingerprint=lambda each: Catalogue(each).fingerprint,
        make_totals=totals,
        open_feed=open_feed,
        ends=SourceEnds(broker, names),
        output=Publisher(
            broker,
            names,
            transactional_id=f"{given['prefix']}-scorecard" if exact else None,
            certain_ends=exact,
        ),
        metrics=ScorecardMetrics(),
        clock=Clock(),
    )
    options = ScorecardOptions(
        evaluate_every_s=given["evaluate_every_s"], publish_every_s=given["publish_every_s"]
    )

    login = given.get("login")
    access = HttpAccess(login=Reread(lambda: login_digest(*login), ())) if login else None

    def make_server(process: ScorecardProcess) -> WebServer:
        return WebServer(process, given["port"], access=access)

    try:
        asyncio.run(run_scorecard(parts, options, make_server))
    except KpiStreamError as err:
        sys.stderr.write(f"{type(err).__name__}: {err}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
