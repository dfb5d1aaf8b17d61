"""The pipeline's panels about the processes: how long their work takes, what it costs."""

from kpi_stream.adapters.grafana.dashboards.builder import (
    Board,
    Box,
)
from kpi_stream.adapters.grafana.dashboards.pipeline_charts import (
    BOTH,
    PROCESS,
    RANGE,
    lines,
    quantiles,
)
from kpi_stream.application.monitoring import conventions as c
from kpi_stream.application.monitoring.places import PipelinePanel
from kpi_stream.application.monitoring.promql import select

MEMORY, RESTARTS, CPU, STATE, OUTPUTS, OPENING = 11, 12, 13, 14, 15, 17

_MEMORY = c.Family("process_resident_memory_bytes", "Memory of a process.")
_CPU = c.Family("process_cpu_seconds_total", "Processor time of a process.")
_STARTED = c.Family("process_start_time_seconds", "When a process began.")
"""Families of the Prometheus client itself."""


def flush(board: Board, box: Box) -> None:
    """Add how long a flush takes."""
    say = board.edition.say
    mean = (select(c.FLUSH_MEAN), say("Promedio", "Mean"))
    board.add(
        lines("s", [*quantiles(c.FLUSH_DURATION), mean], 3),
        PipelinePanel.FLUSH,
        box,
        say("Tiempo de escritura", "Flush time"),
        say(
            "Hasta que una escritura es durable en Kafka; mientras dura, el worker no lee. "
            "Normal: decenas de milisegundos. Si sube con la carga, mire los discos de Kafka.",
            "Until a flush is durable in Kafka; the worker reads nothing meanwhile. Usual: tens of "
            "milliseconds. If it rises with the load, look at Kafka's disks.",
        ),
    )


def evaluation(board: Board, box: Box) -> None:
    """Add how long an evaluation takes."""
    say = board.edition.say
    since = f"time() - max({select(c.LAST_EVALUATION)})"
    board.add(
        lines(
            "s",
            [*quantiles(c.EVALUATION_DURATION), (since, say("Desde la última", "Since the last"))],
            2,
        ),
        PipelinePanel.EVALUATION,
        box,
        say("Evaluación del scorecard", "Evaluation of the scorecard"),
        say(
            "Cuánto tarda una evaluación de todos los KPI, y hace cuánto fue la última. Si esta "
            "línea crece sin parar, el scorecard responde pero no evalúa.",
            "How long an evaluation of all KPIs takes, and how long ago the last one was. If that "
            "line grows without end, the scorecard answers but does not evaluate.",
        ),
    )


def outputs(board: Board, box: Box) -> None:
    """Add what the scorecard sends."""
    say = board.edition.say
    panel = lines(
        "suffix: /s",
        [
            (f"sum by (topic) (rate({select(c.PUBLISHED)}{RANGE}))", "{{topic}}"),
            (
                f"sum(rate({select(c.PUBLISH_FAILURES)}{RANGE}))",
                say("Fallos al publicar", "Failures to publish"),
            ),
            (
                f"sum by (outcome) (rate({select(c.ANNOTATIONS)}{RANGE}))",
                say("Anotaciones: {{outcome}}", "Annotations: {{outcome}}"),
            ),
        ],
        2,
    )
    board.add(
        panel,
        OUTPUTS,
        box,
        say("Salidas del scorecard", "Outputs of the scorecard"),
        say(
            "Registros publicados en Kafka por tópico, intentos fallidos, y anotaciones para "
            "Grafana: `sent` enviadas, `failed` intentos fallidos, `dropped` abandonadas.",
            "Records published to Kafka by topic, failed attempts, and annotations for Grafana: "
            "`sent`, `failed` attempts, `dropped` after giving up.",
        ),
    )


def memory(board: Board, box: Box) -> None:
    """Add the memory of each process."""
    say = board.edition.say
    board.add(
        lines("bytes", [(select(_MEMORY, job=BOTH), PROCESS)]),
        MEMORY,
        box,
        say("Memoria", "Memory"),
        say(
            "De cada proceso. La de un worker crece con los casos abiertos de sus particiones, y "
            "se reparte al añadir otro.",
            "Of each process. A worker's grows with the open cases of its partitions, and is "
            "shared out when another is added.",
        ),
    )


def cpu(board: Board, box: Box) -> None:
    """Add the processor time of each process."""
    say = board.edition.say
    board.add(
        lines("percentunit", [(f"rate({select(_CPU, job=BOTH)}{RANGE})", PROCESS)]),
        CPU,
        box,
        say("Procesador", "Processor"),
        say(
            "De cada proceso; 100 % es un núcleo, y un worker no usa más de uno.",
            "Of each process; 100 % is one core, and a worker uses no more than one.",
        ),
    )


def restarts(board: Board, box: Box) -> None:
    """Add how often each process began anew."""
    say = board.edition.say
    restarts = f"sum by (job, instance) (changes({select(_STARTED, job=BOTH)}[1h]))"
    skipped = f"sum(increase({select(c.SKIPPED)}[1h]))"
    board.add(
        lines(
            "none",
            [(restarts, PROCESS), (skipped, say("Eventos releídos", "Events read again"))],
        ),
        RESTARTS,
        box,
        say("Reinicios en la última hora", "Restarts within the hour"),
        say(
            "Veces que cada proceso empezó de nuevo en la hora anterior, y eventos que por ello se "
            "leyeron otra vez (no se cuentan dos veces). Sin un cambio de versión debe ser cero.",
            "How often each process began anew within the hour before, and events that were read "
            "again for it (they are not counted twice). Without an upgrade it should be zero.",
        ),
    )


def state(board: Board, box: Box) -> None:
    """Add what the workers hold."""
    say = board.edition.say
    panel = lines(
        "locale",
        [
            (
                f"sum(max by (partition) ({select(c.STORE_SUBJECTS)}))",
                say("Casos en memoria", "Subjects in memory"),
            ),
            (
                f"sum(max by (partition) ({select(c.STORE_ROWS)}))",
                say("Filas de contadores", "Rows of counters"),
            ),
            (
                select(c.PARTITIONS, job=c.WORKER_JOB),
                say("Particiones de {{instance}}", "Partitions of {{instance}}"),
            ),
        ],
    )
    board.add(
        panel,
        STATE,
        box,
        say("Lo que guardan los workers", "What the workers hold"),
        say(
            "Casos y filas de contadores en memoria, y cuántas particiones tiene cada worker. La "
            "suma de particiones debe ser la de los tópicos.",
            "Subjects and rows of counters in memory, and how many partitions each worker has. "
            "The partitions must add up to those of the topics.",
        ),
    )


def opening(board: Board, box: Box) -> None:
    """Add how long it takes to open a partition."""
    say = board.edition.say
    opened = c.OPEN_DURATION.name
    mean = f"sum({opened}_sum) / (sum({opened}_count) > 0)"
    panel = lines("s", [(mean, say("Tiempo por partición", "Time a partition"))], 2)
    board.add(
        panel,
        OPENING,
        box,
        say("Abrir una partición", "Opening a partition"),
        say(
            "Tiempo medio de leer de Kafka el estado de una partición que llega a un worker, desde "
            "que empezaron los workers. Lo normal: de 50 000 a 80 000 registros por segundo.",
            "Mean time to read the state of a partition from Kafka when a worker gets it, since "
            "the workers began. Usual: 50,000 to 80,000 records a second.",
        ),
    )
