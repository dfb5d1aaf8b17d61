"""The scorecard, wired to real Kafka, Prometheus and Grafana; it needs no Faust."""

import asyncio
from functools import partial

from kpi_stream.adapters.clock import Clock
from kpi_stream.adapters.kafka.access import Access
from kpi_stream.adapters.kafka.scorecard.feed import RowFeed, SourceEnds
from kpi_stream.adapters.kafka.scorecard.publisher import Publisher
from kpi_stream.adapters.kafka.scorecard.worklist_feed import WorklistFeed
from kpi_stream.adapters.prometheus.scorecard import ScorecardMetrics
from kpi_stream.adapters.scorecard_app.ports import (
    Annotator,
    ApplyRow,
    Parts,
    ScorecardOptions,
)
from kpi_stream.adapters.scorecard_app.process import ScorecardProcess, run_scorecard
from kpi_stream.adapters.state_codec import MsgspecStateCodec
from kpi_stream.adapters.strategy_files import load_strategy
from kpi_stream.adapters.watchdog import Watchdog
from kpi_stream.adapters.web.pages import Handbook
from kpi_stream.adapters.web.server import WebServer
from kpi_stream.application.ports import Guarantee, Topics
from kpi_stream.application.readings import ReadingTable
from kpi_stream.application.totals import RowTotals
from kpi_stream.bootstrap.broker import require, require_admission
from kpi_stream.bootstrap.collection import keep_for_good
from kpi_stream.bootstrap.common import broker_options, strategy_path, topics
from kpi_stream.bootstrap.epochs import Epoch, find_epoch
from kpi_stream.bootstrap.http import http_access
from kpi_stream.bootstrap.logs import log_to_stderr
from kpi_stream.domain.catalogue import Catalogue
from kpi_stream.domain.hysteresis import Damping
from kpi_stream.domain.strategy import Strategy
from kpi_stream.settings import Settings


def run_scorecard_process(settings: Settings) -> None:
    """Judge the counted rows until told to end; once another epoch serves, start again."""
    log_to_stderr(settings)
    load_strategy(strategy_path(settings))  # what is wrong in it is said before Kafka is waited for
    epoch = find_epoch(settings)
    settings = epoch.settings
    broker, names, codec = broker_options(settings), topics(settings), MsgspecStateCodec()
    exact = settings.processing_guarantee is Guarantee.EXACTLY_ONCE
    # The topics of the output have no epoch, so that two epochs fence each other as well.
    transactional_id = f"{settings.app_id}-scorecard" if exact else None
    access = _scorecard_access(names, transactional_id, epoch)
    http = http_access(settings)
    require(settings, access)
    metrics, clock = ScorecardMetrics(), Clock()

    def make_totals(strategy: Strategy) -> ReadingTable:
        catalogue = Catalogue(strategy)
        return ReadingTable(catalogue, RowTotals(catalogue, codec))

    def open_feed(apply_row: ApplyRow) -> RowFeed:
        return RowFeed(broker, names, apply_row, now_ms=clock.now_ms, certain_ends=exact)

    parts = Parts(
        load_strategy=lambda: load_strategy(strategy_path(settings)),
        fingerprint=lambda strategy: Catalogue(strategy).fingerprint,
        make_totals=make_totals,
        open_feed=open_feed,
        ends=SourceEnds(broker, names, still_admitted=partial(require_admission, settings, access)),
        output=Publisher(
            broker,
            names,
            transactional_id=transactional_id,
            certain_ends=exact,
        ),
        metrics=metrics,
        clock=clock,
        annotator=_annotator(settings, metrics),
        worklists=WorklistFeed(broker, names, certain_ends=exact),
        epoch_over=epoch.end,
        loaded=keep_for_good,
    )
    options = ScorecardOptions(
        evaluate_every_s=settings.evaluation_interval_s,
        publish_every_s=settings.publish_interval_s,
        stale_after_s=settings.stale_after_s,
        unanswered_after_s=settings.stalled_after_s,
        damping=Damping(settings.hold_evaluations, settings.status_margin),
    )

    def make_server(process: ScorecardProcess) -> WebServer:
        handbook = Handbook(settings.public_grafana_url.rstrip("/"))
        return WebServer(process, settings.scorecard_port, settings.host, handbook, http)

    def watch(process: ScorecardProcess) -> Watchdog:
        return Watchdog(process.stalled, settings.stalled_exit_s, Clock().monotonic)

    asyncio.run(run_scorecard(parts, options, make_server, watch))
    epoch.start_again()


def _scorecard_access(names: Topics, transactional_id: str | None, epoch: Epoch) -> Access:
    """Return what a scorecard does with Kafka; docs/security.md has the same as ACLs."""
    return Access(
        {
            names.events: ("Describe",),
            names.rows: ("Read",),
            names.readings: ("Read", "Write"),
            names.transitions: ("Read", "Write"),
            **epoch.reads,
        },
        # An epoch that an earlier version made has none.
        spare={names.worklist: ("Read",)},
        transactional_ids=() if transactional_id is None else (transactional_id,),
    )


def _annotator(settings: Settings, metrics: ScorecardMetrics) -> Annotator | None:
    """Return who tells Grafana, None where no Grafana is named."""
    if not settings.grafana_url:
        return None
    # Its HTTP client takes its time, and the worker needs none.
    from kpi_stream.bootstrap.grafana import annotator  # noqa: PLC0415

    return annotator(settings, metrics)
