"""Alerts about the two processes and the strategy that they hold."""

from collections.abc import Iterator

from kpi_stream.application.monitoring import conventions as c
from kpi_stream.application.monitoring.alert import Alert, Number, Severity, Show
from kpi_stream.application.monitoring.alerts.feed import OPERATIONS
from kpi_stream.application.monitoring.places import PipelinePanel, pipeline_uid
from kpi_stream.application.monitoring.promql import select
from kpi_stream.domain.strategy import Strategy

UP = c.Family("up", "1 where the last scrape of a target worked, 0 where it did not.", ("job",))
"""Prometheus' own family."""

DOWN_FOR_S = 2 * 60
"""A restart takes less."""
STALLED_FOR_S = 60
STALLED_S = 60
"""The scorecard evaluates every second, and Prometheus looks every 15."""
STRATEGY_FOR_S = 60
KEEP_S = 2 * 60


def service_alerts(strategy: Strategy) -> Iterator[Alert]:
    """Yield the rules of the processes and of the strategy in force."""
    yield worker_down(strategy)
    yield scorecard_down(strategy)
    yield scorecard_stalled(strategy)
    yield reload_refused(strategy)
    yield strategy_mismatch(strategy)


def worker_down(strategy: Strategy) -> Alert:
    """Return the rule for workers that are gone or ill; never absent.

    As many workers should work as Prometheus knows targets, as worked at any time of the last 30
    minutes (a target found by DNS vanishes with its worker), and at least one.
    """
    working = f"(sum({select(c.HEALTHY)}) or vector(0))"
    known = f"(count({select(UP, job=c.WORKER_JOB)}) or vector(0))"
    before = f"max_over_time({working}[30m:1m])"
    return Alert(
        name="WorkerDown",
        expr=(
            f"clamp_max(({working} < bool 1) + ({working} < bool {known}) "
            f"+ ({working} < bool {before}), 1)"
        ),
        for_s=DOWN_FOR_S,
        keep_firing_s=KEEP_S,
        severity=Severity.CRITICAL,
        labels={"owner": OPERATIONS},
        numbers=(Number("working", working, 0), Number("before", before, 0)),
        title={"es": "Faltan workers", "en": "Workers are missing"},
        summary={
            "es": "Workers que funcionan: {working}; en la última media hora hubo {before}",
            "en": "Workers that work: {working}; in the last half hour there were {before}",
        },
        description={
            "es": (
                "Un worker no responde, o se detuvo por un error; los demás toman sus particiones. "
                "Sin ninguno no se cuenta nada. Mire primero su registro: la última línea dice el "
                "error. Si se quitó a propósito, la alerta termina sola en media hora."
            ),
            "en": (
                "A worker does not answer, or stopped with an error; the others take over its "
                "partitions. Without any, nothing is counted. Look first at its log: the last "
                "line tells the error. If it was taken away on purpose, the alert ends by itself "
                "within half an hour."
            ),
        },
        dashboard=pipeline_uid(strategy),
        panel=PipelinePanel.UP,
    )


def scorecard_down(strategy: Strategy) -> Alert:
    """Return the rule for a scorecard that cannot be scraped; never absent."""
    evaluated = f"max_over_time({select(c.LAST_EVALUATION)}[1d])"
    return Alert(
        name="ScorecardDown",
        expr=f"((sum({select(UP, job=c.SCORECARD_JOB)}) or vector(0)) < bool 1)",
        for_s=DOWN_FOR_S,
        keep_firing_s=KEEP_S,
        severity=Severity.CRITICAL,
        labels={"owner": OPERATIONS},
        numbers=(Number("silent", f"time() - max({evaluated})", show=Show.DURATION),),
        title={"es": "El scorecard no responde", "en": "The scorecard is down"},
        summary={
            "es": "El scorecard no responde; su última evaluación fue hace {silent}",
            "en": "The scorecard does not answer; its last evaluation was {silent} ago",
        },
        description={
            "es": (
                "No hay indicadores, ni sus alertas. Los eventos se siguen contando y nada se "
                "pierde. Mire primero su registro, y si llega a Kafka."
            ),
            "en": (
                "There are no KPIs, nor their alerts. Events go on being counted and nothing is "
                "lost. Look first at its log, and whether it reaches Kafka."
            ),
        },
        dashboard=pipeline_uid(strategy),
        panel=PipelinePanel.UP,
    )


def scorecard_stalled(strategy: Strategy) -> Alert:
    """Return the rule for a scorecard that answers but does not evaluate."""
    age = f"time() - max({select(c.LAST_EVALUATION)})"
    return Alert(
        name="ScorecardStalled",
        expr=f"({age} > bool {STALLED_S})",
        for_s=STALLED_FOR_S,
        keep_firing_s=KEEP_S,
        severity=Severity.WARNING,
        labels={"owner": OPERATIONS},
        numbers=(Number("age", age, show=Show.DURATION),),
        title={"es": "El scorecard no evalúa", "en": "The scorecard does not evaluate"},
        summary={
            "es": "La última evaluación del scorecard fue hace {age}",
            "en": "The scorecard's last evaluation was {age} ago",
        },
        description={
            "es": (
                "El proceso responde, pero los indicadores que muestra son viejos. Mire primero "
                "cuánto duran sus evaluaciones, y después su registro; reinícielo si no avanza."
            ),
            "en": (
                "The process answers, but the KPIs that it shows are old. Look first at how long "
                "its evaluations take, then at its log; restart it if it does not go on."
            ),
        },
        dashboard=pipeline_uid(strategy),
        panel=PipelinePanel.EVALUATION,
    )


def reload_refused(strategy: Strategy) -> Alert:
    """Return the rule for a changed strategy that was not accepted."""
    return Alert(
        name="StrategyReloadRefused",
        expr=f"(min({select(c.RELOAD_SUCCESSFUL)}) < bool 1)",
        for_s=STRATEGY_FOR_S,
        keep_firing_s=KEEP_S,
        severity=Severity.WARNING,
        labels={"owner": OPERATIONS},
        numbers=(Number("age", f"time() - max({select(c.RELOAD_TIMESTAMP)})", show=Show.DURATION),),
        title={"es": "Estrategia rechazada", "en": "Strategy refused"},
        summary={
            "es": "La estrategia cambiada fue rechazada; sigue vigente la leída hace {age}",
            "en": "The changed strategy was refused; the one read {age} ago stays in force",
        },
        description={
            "es": (
                "Los archivos de la estrategia tienen errores. Mire primero `kpi-stream check` "
                "con esa carpeta: nombra cada uno con su archivo. Corríjalos y recargue."
            ),
            "en": (
                "The files of the strategy have errors. Look first at `kpi-stream check` with "
                "that folder: it names each one with its file. Correct them and reload."
            ),
        },
        dashboard=pipeline_uid(strategy),
        panel=PipelinePanel.RELOAD,
    )


def strategy_mismatch(strategy: Strategy) -> Alert:
    """Return the rule for rows that were counted by other definitions: nothing is shown."""
    return Alert(
        name="StrategyMismatch",
        expr=f"(min({select(c.STRATEGY_MATCHES)}) < bool 1)",
        for_s=STRATEGY_FOR_S,
        keep_firing_s=KEEP_S,
        severity=Severity.CRITICAL,
        labels={"owner": OPERATIONS},
        numbers=(Number("age", f"time() - max({select(c.RELOAD_TIMESTAMP)})", show=Show.DURATION),),
        title={
            "es": "Contado con otra estrategia",
            "en": "Counted by another strategy",
        },
        summary={
            "es": "Los workers cuentan con otras definiciones que las leídas hace {age}",
            "en": "The workers count by other definitions than those that were read {age} ago",
        },
        description={
            "es": (
                "El scorecard no muestra indicadores para no mostrar números equivocados. Mire "
                "primero qué estrategia tiene cada worker; cuente con la del scorecard (kpi-stream "
                "rebuild cuenta todo otra vez), o recargue en el scorecard la que ellos usan."
            ),
            "en": (
                "The scorecard shows no KPIs, so as not to show wrong numbers. Look first at which "
                "strategy each worker has; count by the scorecard's (kpi-stream rebuild counts "
                "everything again), or reload the one that they use in the scorecard."
            ),
        },
        dashboard=pipeline_uid(strategy),
        panel=PipelinePanel.RELOAD,
    )
