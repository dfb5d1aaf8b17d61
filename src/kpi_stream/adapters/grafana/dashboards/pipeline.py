"""Pipeline health, for the engineers: do events arrive, are they counted, is it soon enough?"""

from collections.abc import Iterable

from kpi_stream.adapters.grafana.dashboards import pipeline_events, pipeline_processes
from kpi_stream.adapters.grafana.dashboards.builder import (
    ORANGE,
    VERMILION,
    Board,
    Box,
    Json,
)
from kpi_stream.adapters.grafana.dashboards.pipeline_charts import BOTH, PROCESS, states
from kpi_stream.application.monitoring import conventions as c
from kpi_stream.application.monitoring import places
from kpi_stream.application.monitoring.alerts.services import UP
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.application.monitoring.places import PipelinePanel
from kpi_stream.application.monitoring.promql import select


def build(edition: Edition) -> Iterable[Json]:
    """Return the dashboard of the pipeline's health."""
    board = Board(
        edition,
        places.pipeline_uid(edition.strategy),
        edition.say("Salud del flujo de datos", "Pipeline health"),
        edition.say(
            "¿Llegan los eventos, se cuentan y se evalúan a tiempo? Para los ingenieros.",
            "Do events arrive, are they counted and evaluated in time? For the engineers.",
        ),
        refresh="15s",
        since="now-6h",
    )
    _up(board, Box(0, 0, 12, 7))
    _reload(board, Box(12, 0, 12, 7))
    pipeline_events.lag(board, Box(0, 7, 8, 9))
    pipeline_events.rate(board, Box(8, 7, 8, 9))
    pipeline_events.age(board, Box(16, 7, 8, 9))
    pipeline_events.rejects(board, Box(0, 16, 8, 9))
    pipeline_events.share(board, Box(8, 16, 8, 9))
    pipeline_events.offices(board, Box(16, 16, 8, 9))
    pipeline_processes.flush(board, Box(0, 25, 8, 9))
    pipeline_processes.evaluation(board, Box(8, 25, 8, 9))
    pipeline_processes.outputs(board, Box(16, 25, 8, 9))
    pipeline_processes.memory(board, Box(0, 34, 8, 9))
    pipeline_processes.cpu(board, Box(8, 34, 8, 9))
    pipeline_processes.restarts(board, Box(16, 34, 8, 9))
    pipeline_processes.state(board, Box(0, 43, 12, 9))
    pipeline_processes.opening(board, Box(12, 43, 12, 9))
    return [board.json()]


def _up(board: Board, box: Box) -> None:
    say = board.edition.say
    panel = states(
        [
            (select(UP, job=BOTH), PROCESS),
            (select(c.HEALTHY, job=c.WORKER_JOB), f"{PROCESS}, {say('sano', 'healthy')}"),
        ],
        yes=say("Sí", "Yes"),
        no=say("No", "No"),
        bad=VERMILION,
    )
    board.add(
        panel,
        PipelinePanel.UP,
        box,
        say("¿Responden los procesos?", "Do the processes answer?"),
        say(
            "Una fila por proceso: si Prometheus lo alcanza, y si un worker se declara sano. Sin "
            "workers nada se cuenta; sin scorecard no hay indicadores.",
            "A row a process: whether Prometheus reaches it, and whether a worker calls itself "
            "healthy. Without workers nothing is counted; without the scorecard there are no KPIs.",
        ),
    )


def _reload(board: Board, box: Box) -> None:
    say = board.edition.say
    panel = states(
        [
            (f"min({select(c.RELOAD_SUCCESSFUL)})", say("Estrategia leída", "Strategy read")),
            (f"min({select(c.STRATEGY_MATCHES)})", say("Contado con ella", "Counted by it")),
            (f"min({select(c.CAUGHT_UP)})", say("Al día", "Caught up")),
        ],
        yes=say("Sí", "Yes"),
        no=say("No", "No"),
        bad=ORANGE,
    )
    board.add(
        panel,
        PipelinePanel.RELOAD,
        box,
        say("¿Rige la estrategia?", "Is the strategy in force?"),
        say(
            "Leída: el último cambio se aceptó (si no, `kpi-stream check` nombra los errores). "
            "Contado con ella: los workers usan las mismas definiciones. Al día: no se están "
            "cargando meses anteriores.",
            "Read: the last change was accepted (if not, `kpi-stream check` names the errors). "
            "Counted by it: the workers use the same definitions. Caught up: no earlier months "
            "are being loaded.",
        ),
    )
