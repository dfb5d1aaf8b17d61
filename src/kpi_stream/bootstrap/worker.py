"""The worker, wired to real Kafka and Prometheus; it needs neither numpy nor the web API."""

import logging
import socket
from functools import partial

from kpi_stream.adapters.clock import Clock
from kpi_stream.adapters.faust_app.app import WorkerOptions
from kpi_stream.adapters.faust_app.app import run_worker as run_faust
from kpi_stream.adapters.faust_app.liveness import Liveness
from kpi_stream.adapters.faust_app.partitions import FlushOptions
from kpi_stream.adapters.kafka.access import Access
from kpi_stream.adapters.kafka.refusals import refused
from kpi_stream.adapters.kafka.store import PartitionStore
from kpi_stream.adapters.prometheus.worker import PrometheusWorkerMetrics
from kpi_stream.adapters.strategy_files import load_strategy
from kpi_stream.adapters.watchdog import Watchdog
from kpi_stream.adapters.web.service import HttpServer
from kpi_stream.adapters.web.threaded import Threaded
from kpi_stream.application.ports import Guarantee
from kpi_stream.bootstrap.broker import require, require_admission
from kpi_stream.bootstrap.common import application, broker_options, strategy_path, topics
from kpi_stream.bootstrap.epochs import Epoch, find_epoch
from kpi_stream.bootstrap.http import http_access
from kpi_stream.bootstrap.logs import log_to_stderr
from kpi_stream.bootstrap.stores import store_options
from kpi_stream.domain.catalogue import Catalogue
from kpi_stream.settings import Settings


def instance(settings: Settings) -> tuple[str | None, bool]:
    """Return the worker's static member id, and whether it is made of the host's name.

    A container keeps its name over restarts, and whoever removes it gives the next one another.
    """
    wanted = settings.instance_id
    name = wanted.replace("{hostname}", socket.gethostname())
    return name or None, name != wanted


def run_worker(settings: Settings) -> None:
    """Count events until told to end (SIGTERM, SIGINT); once another epoch serves, start again."""
    log_to_stderr(settings)
    strategy = load_strategy(strategy_path(settings))
    epoch = find_epoch(settings)
    settings = epoch.settings
    epoch.require_definitions(Catalogue(strategy).fingerprint)
    names = topics(settings)
    access, http = _worker_access(settings, epoch), http_access(settings)
    require(settings, access)
    broker, clock = broker_options(settings), Clock()
    metrics = PrometheusWorkerMetrics(clock.now_ms)
    liveness = Liveness(clock.monotonic, settings.stalled_after_s)

    stores = store_options(
        settings, strategy, metrics, handover=epoch.handover, reading=liveness.reading
    )
    name, of_host = instance(settings)
    options = WorkerOptions(
        broker=broker,
        topics=names,
        application=application(settings),
        instance_id=name,
        leaves=of_host,
        session_timeout_s=settings.session_timeout_s,
        flush=FlushOptions(
            settings.flush_interval_s,
            settings.flush_max_events,
            fenced_s=settings.session_timeout_s,
            accept_missing=settings.accept_missing_events,
        ),
        refused=refused,
        still_admitted=partial(require_admission, settings, access),
        epoch_over=epoch.end,
    )
    with (
        Threaded(
            HttpServer(metrics.render, liveness, settings.worker_port, settings.host, http)
        ) as server,
        Watchdog(liveness.stalled, settings.stalled_exit_s, clock.monotonic),
    ):
        logging.getLogger(__name__).info("metrics on %s/metrics", server.url)
        run_faust(
            options,
            lambda partition: PartitionStore.open(stores, partition),
            metrics,
            liveness=liveness,
        )
    epoch.start_again()


def _worker_access(settings: Settings, epoch: Epoch) -> Access:
    """Return what a worker does with Kafka; docs/security.md has the same as ACLs."""
    names, group = topics(settings), application(settings)
    exact = settings.processing_guarantee is Guarantee.EXACTLY_ONCE
    return Access(
        {
            names.events: ("Read",),
            names.declarations: ("Read", "Write"),
            names.rows: ("Read", "Write"),
            names.worklist: ("Write",),
            names.dead_letters: ("Write",),
            **epoch.reads,
        },
        group=group,
        # One for all: a worker may be given any partition, so its right is to their prefix.
        transactional_ids=(f"{group}-0",) if exact else (),
    )
