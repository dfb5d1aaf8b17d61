"""Alerts about the events: none come, an office sends none, they wait, they are rejected."""

from collections.abc import Iterator

from kpi_stream.application.monitoring import conventions as c
from kpi_stream.application.monitoring.alert import Alert, Number, Severity, Show
from kpi_stream.application.monitoring.alerts.series import OFFICE, while_listening
from kpi_stream.application.monitoring.places import PipelinePanel, pipeline_uid
from kpi_stream.application.monitoring.promql import select
from kpi_stream.domain.strategy import Strategy

OPERATIONS = "operations"
"""The owner of what no KPI's owner can repair: whoever runs the pipeline."""

FEED_STALE_FOR_S = 2 * 60
"""The scorecard has waited for its own limit (15 minutes) before it calls the feed stale."""
OFFICE_SILENT_FOR_S = 5 * 60
SILENT_S = 7200
"""Working time with the usual activity of an office that may pass without any event."""
LAGGING_FOR_S = 10 * 60
LAG_EVENTS = 10_000
"""A worker counts as many in a few seconds; so many for ten minutes do not come from a burst."""
LAG_BEFORE = "offset 10m"
"""A lag that is smaller than it was then is being worked off."""
REJECTED_FOR_S = 10 * 60
REJECTED_SHARE = 0.01
REJECTED_MINIMUM = 5
"""Fewer in ten minutes are single mistakes, whatever their share."""
KEEP_S = 5 * 60


def feed_alerts(strategy: Strategy) -> Iterator[Alert]:
    """Yield the rules of the feed."""
    yield feed_stale(strategy)
    if strategy.offices:
        yield office_silent(strategy)
    yield worker_lagging(strategy)
    yield events_rejected(strategy)


def feed_stale(strategy: Strategy) -> Alert:
    """Return the rule for a feed without any event; it silences the KPIs' own alerts."""
    return Alert(
        name="FeedStale",
        title={"es": "Sin eventos: indicadores sin datos", "en": "No events: KPIs without data"},
        expr=f"max({select(c.STALE)})",
        for_s=FEED_STALE_FOR_S,
        keep_firing_s=KEEP_S,
        severity=Severity.CRITICAL,
        labels={"owner": OPERATIONS},
        numbers=(Number("age", f"max({select(c.DATA_AGE)})", show=Show.DURATION),),
        summary={
            "es": "No llega ningún evento desde hace {age}; todos los indicadores están sin datos",
            "en": "No event has come for {age}; every KPI is without data",
        },
        description={
            "es": (
                "Ninguna aduana envía eventos, o nadie los cuenta. Las alertas de los indicadores "
                "callan mientras tanto. Mire primero si los workers están en marcha y sin "
                "retraso; si lo están, pregunte a quien envía los eventos."
            ),
            "en": (
                "No office sends events, or nobody counts them. The alerts of the KPIs are silent "
                "meanwhile. Look first whether the workers are up and without lag; if they are, "
                "ask whoever sends the events."
            ),
        },
        dashboard=pipeline_uid(strategy),
        panel=PipelinePanel.DATA_AGE,
    )


def office_silent(strategy: Strategy) -> Alert:
    """Return the rule for one office without events while the others send them.

    An office that is active in a quarter of its hours may be silent four times as long as one
    that is always active.
    """
    silent = f"max by ({OFFICE}) ({select(c.OFFICE_SILENT)})"
    active = f"max by ({OFFICE}) ({select(c.OFFICE_ACTIVE)})"
    names = {
        member.code: member.name
        for each in strategy.dimensions
        if each.id == OFFICE
        for member in each.members
    }
    return Alert(
        name="OfficeSilent",
        title={"es": "Aduana sin eventos", "en": "Silent office"},
        expr=while_listening(f"({silent} * {active} > bool {SILENT_S})"),
        for_s=OFFICE_SILENT_FOR_S,
        keep_firing_s=KEEP_S,
        severity=Severity.WARNING,
        labels={"owner": OPERATIONS},
        by=OFFICE,
        numbers=(
            Number("silent", silent, show=Show.DURATION),
            Number("active", f"{active} * 100", 0, " %"),
        ),
        summary={
            "es": "{$office}: sin eventos desde hace {silent} de horario de oficina",
            "en": "{$office}: no events for {silent} of office hours",
        },
        description={
            "es": (
                "Esta aduana tuvo eventos en el {active} de sus cuartos de hora de la última "
                "semana, y ahora calla; sus indicadores se quedan atrás. Mire primero si el "
                "sistema de la aduana envía, y si sus eventos se rechazan."
            ),
            "en": (
                "This office had events in {active} of its quarter hours of the last week, and is "
                "silent now; its KPIs fall behind. Look first whether the office's system sends, "
                "and whether its events are rejected."
            ),
        },
        dashboard=pipeline_uid(strategy),
        panel=PipelinePanel.SILENT_OFFICES,
        names={OFFICE: names},
    )


def worker_lagging(strategy: Strategy) -> Alert:
    """Return the rule for events that wait, and do not get fewer."""
    lag = select(c.WORKER_LAG)
    # While a partition moves, two workers may report it for one scrape.
    now = f"sum(max by (partition) ({lag}))"
    before = f"sum(max by (partition) ({lag} {LAG_BEFORE}))"
    return Alert(
        name="WorkerLagging",
        title={"es": "Eventos en espera", "en": "Events are waiting"},
        expr=f"({now} > bool {LAG_EVENTS}) * ({now} >= bool {before})",
        for_s=LAGGING_FOR_S,
        keep_firing_s=KEEP_S,
        severity=Severity.WARNING,
        labels={"owner": OPERATIONS},
        numbers=(
            Number("lag", now, 0),
            Number("before", before, 0),
            Number("age", f"max({select(c.WORKER_DATA_AGE)})", show=Show.DURATION),
        ),
        summary={
            "es": "{lag} eventos en espera, y no bajan: eran {before} hace 10 minutos",
            "en": "{lag} events are waiting, and not fewer: they were {before} 10 minutes ago",
        },
        description={
            "es": (
                "Los workers cuentan menos de lo que llega; lo último contado tiene {age}. Mire "
                "primero el tiempo de cada escritura y la memoria; si ambos están bien, añada un "
                "worker (hasta uno por partición)."
            ),
            "en": (
                "The workers count less than what comes; the newest counted event is {age} old. "
                "Look first at the time of a flush and at the memory; if both are well, add a "
                "worker (up to one a partition)."
            ),
        },
        dashboard=pipeline_uid(strategy),
        panel=PipelinePanel.LAG,
    )


def events_rejected(strategy: Strategy) -> Alert:
    """Return the rule for events that are not accepted: too large a share, and not just a few."""
    rejected = f"sum(rate({select(c.REJECTED)}[10m]))"
    # No series of accepted events exists before the first one.
    every = f"((sum(rate({select(c.EVENTS)}[10m])) or vector(0)) + {rejected})"
    many = f"sum(increase({select(c.REJECTED)}[10m]))"
    return Alert(
        name="EventsRejected",
        title={"es": "Eventos rechazados", "en": "Rejected events"},
        expr=(
            f"({rejected} / {every} > bool {REJECTED_SHARE}) * ({many} >= bool {REJECTED_MINIMUM})"
        ),
        for_s=REJECTED_FOR_S,
        keep_firing_s=KEEP_S,
        severity=Severity.WARNING,
        labels={"owner": OPERATIONS},
        numbers=(
            Number("share", f"{rejected} / {every} * 100", 1, " %"),
            Number("many", many, 0),
        ),
        summary={
            "es": "Se rechaza el {share} de los eventos: {many} en 10 minutos",
            "en": "{share} of the events are rejected: {many} in 10 minutes",
        },
        description={
            "es": (
                "Lo rechazado no se cuenta en ningún indicador y espera en el tópico de "
                "rechazados con su motivo. Mire primero los motivos y quién envía; una vez "
                "corregido en el origen, esos eventos deben enviarse de nuevo."
            ),
            "en": (
                "What is rejected counts in no KPI and waits in the topic of dead letters with "
                "its reason. Look first at the reasons and at who sends; once it is corrected at "
                "the source, those events must be sent again."
            ),
        },
        dashboard=pipeline_uid(strategy),
        panel=PipelinePanel.REJECTS,
    )
