"""The runbook: what to do about each kind of alert, for whoever is on duty."""

from collections.abc import Iterator, Sequence

from kpi_stream.application.handbook import phrases
from kpi_stream.application.handbook.entry import Entry
from kpi_stream.application.handbook.kpi_entries import KPI_ENTRIES
from kpi_stream.application.handbook.markdown import (
    anchor,
    bullets,
    code,
    escaped,
    link,
    page,
    steps,
    table,
)
from kpi_stream.application.handbook.pipeline_entries import FEED_ENTRIES, SERVICE_ENTRIES
from kpi_stream.application.monitoring.alert import Alert, Severity
from kpi_stream.application.monitoring.alerts import alerts
from kpi_stream.application.monitoring.edition import Edition

ENTRIES: dict[str, Entry] = {**KPI_ENTRIES, **FEED_ENTRIES, **SERVICE_ENTRIES}
"""By the name of the alert."""

DICTIONARY = "kpis.md"
"""The other document, beside this one."""

UNREACHABLE = "DatasourceError"
"""Grafana's own name for a rule that it cannot evaluate."""


def runbook(edition: Edition) -> str:
    """Return the runbook as Markdown: one entry for each name of an alert of the strategy.

    Raises:
        KeyError: An alert has no entry in `ENTRIES`.
    """
    name = escaped(edition.text(edition.strategy.name))
    kinds: dict[str, list[Alert]] = {}
    for each in alerts(edition.strategy):
        kinds.setdefault(each.name, []).append(each)
    parts = [
        edition.say(f"# Manual de guardia: {name}", f"# Runbook: {name}"),
        _how_to_read(edition),
        table(
            (
                edition.say("Alerta", "Alert"),
                edition.say("Qué es", "What it is"),
                edition.say("Cuándo molesta", "When it disturbs"),
                edition.say("Reglas", "Rules"),
            ),
            (_line(edition, kind) for kind in kinds.values()),
        ),
    ]
    for kind in kinds.values():
        parts += _entry(edition, kind)
    parts += _unreachable(edition)
    return page(parts)


def _how_to_read(edition: Edition) -> str:
    return edition.say(
        "Una regla dispara cuando su expresión es 1 durante el tiempo indicado, y se resuelve "
        "cuando deja de serlo. Sin eventos recientes, las alertas de los indicadores callan: "
        "habla FeedStale. Una alerta se silencia en Grafana con un motivo y un plazo, no se "
        f"borra. Los indicadores están en el [diccionario]({DICTIONARY}).",
        "A rule fires when its expression is 1 for the time given, and is resolved when it no "
        "longer is. Without recent events the alerts of the KPIs are silent: FeedStale speaks. "
        "An alert is silenced in Grafana with a reason and an end, not deleted. The KPIs are in "
        f"the [dictionary]({DICTIONARY}).",
    )


def _line(edition: Edition, kind: Sequence[Alert]) -> tuple[str, ...]:
    first = kind[0]
    return (
        link(first.name, f"#{first.anchor}"),
        escaped(edition.text(ENTRIES[first.name].title)),
        _when(edition, first),
        str(len(kind)),
    )


def _when(edition: Edition, alert: Alert) -> str:
    if alert.severity is Severity.CRITICAL:
        return edition.say("crítica: a cualquier hora", "critical: at any hour")
    return edition.say("aviso: en horario de oficina", "warning: in office hours")


def _entry(edition: Edition, kind: Sequence[Alert]) -> Iterator[str]:
    say, text = edition.say, edition.text
    first, entry = kind[0], ENTRIES[kind[0].name]
    yield anchor(first.anchor)
    yield f"## {first.name}: {escaped(text(entry.title))}"
    yield text(entry.means)
    owners = sorted({each.labels["owner"] for each in kind})
    facts = [
        (say("Dispara cuando", "Fires when"), f"{text(entry.fires)} {_lasting(edition, first)}"),
        (say("Severidad", "Severity"), _when(edition, first)),
        (say("Responsable", "Owner"), ", ".join(map(escaped, owners))),
        (say("Mire primero", "Look first at"), text(entry.look)),
    ]
    yield bullets(f"**{name}**: {said}" for name, said in facts)
    yield f"**{say('Qué hacer', 'What to do')}**"
    yield steps(text(each) for each in entry.steps)
    yield f"**{say('Expresión', 'Expression')}**" + (
        say(" (de la primera regla)", " (of the first rule)") if len(kind) > 1 else ""
    )
    yield code(first.expr)
    yield _rules(edition, kind)


def _lasting(edition: Edition, alert: Alert) -> str:
    holds = phrases.lasting(edition, alert.for_s)
    text = edition.say(f"Debe durar {holds}", f"It must last for {holds}")
    if alert.keep_firing_s:
        keeps = phrases.lasting(edition, alert.keep_firing_s)
        text += edition.say(
            f"; después sigue {keeps} más, para no ir y venir",
            f"; then it goes on for {keeps} more",
        )
    return f"{text}."


def _rules(edition: Edition, kind: Sequence[Alert]) -> str:
    """Return the rules of one name, each with the panel that shows it."""
    say = edition.say

    def title(alert: Alert) -> str:
        text, kpi = edition.text(alert.title), alert.labels.get("kpi")
        return escaped(text) if kpi is None else link(text, f"{DICTIONARY}#{kpi}")

    return table(
        (say("Regla", "Rule"), say("Responsable", "Owner"), say("Tablero", "Dashboard")),
        (
            (
                title(each),
                escaped(each.labels["owner"]),
                link(say("abrir", "open"), phrases.dashboard(edition, each.dashboard, each.panel)),
            )
            for each in kind
        ),
    )


def _unreachable(edition: Edition) -> Iterator[str]:
    say = edition.say
    title = say("Grafana no puede evaluar", "Grafana cannot evaluate")
    yield anchor("datasource-error")
    yield f"## {UNREACHABLE}: {title}"
    yield say(
        "Grafana le da este nombre a una regla que no pudo evaluar, casi siempre porque Prometheus "
        "no responde. Solo lo dicen WorkerDown y ScorecardDown; las demás reglas se quedan como "
        "estaban, y mientras tanto no avisan de nada nuevo.",
        "Grafana's own name for a rule that it could not evaluate, nearly always since Prometheus "
        "does not answer. Only WorkerDown and ScorecardDown say so; the other rules stay as they "
        "were, and tell of nothing new meanwhile.",
    )
    yield f"**{say('Qué hacer', 'What to do')}**"
    yield steps(
        (
            say(
                "Compruebe que Prometheus esté en marcha y que Grafana lo alcance.",
                "Check that Prometheus is up and that Grafana reaches it.",
            ),
            say(
                "Disco lleno o memoria agotada: libere espacio o dele más, y reinícielo.",
                "Disk full or out of memory: make room or give it more, and restart it.",
            ),
        )
    )
