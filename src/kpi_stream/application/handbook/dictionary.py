"""The dictionary of KPIs: what each one means, what it should be, and who answers for it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from kpi_stream.application.display import number
from kpi_stream.application.handbook import phrases
from kpi_stream.application.handbook.formula import counts_when, formula
from kpi_stream.application.handbook.markdown import (
    anchor,
    bullets,
    escaped,
    link,
    page,
    table,
)
from kpi_stream.application.monitoring import conventions as c
from kpi_stream.application.monitoring.alerts import alerts
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.application.monitoring.places import kpi_uid
from kpi_stream.application.monitoring.promql import select
from kpi_stream.domain.strategy import Kpi, NotMeasured, Objective, Plan, Target, Worklist

RUNBOOK = "runbook.md"
"""The other document, beside this one."""


def dictionary(edition: Edition) -> str:
    """Return the dictionary as Markdown: every KPI once, under its first objective."""
    strategy = edition.strategy
    name = escaped(edition.text(strategy.name))
    kpis = {kpi.id: kpi for kpi in strategy.kpis}
    names = _anchors(edition)
    placed: set[str] = set()
    parts = [
        edition.say(f"# Diccionario de indicadores: {name}", f"# Dictionary of KPIs: {name}"),
        f"*{escaped(edition.text(strategy.vision))}*",
        _how_to_read(edition),
    ]
    for perspective in strategy.perspectives:
        parts.append(f"## {escaped(edition.text(perspective.name))}")
        for objective in strategy.objectives:
            if objective.perspective != perspective.id:
                continue
            parts += [*_objective(edition, objective, kpis)]
            for part in objective.kpis:
                if part.kpi not in placed:
                    placed.add(part.kpi)
                    parts += _kpi(edition, kpis[part.kpi], names.get(part.kpi, {}))
    others = [kpi for kpi in strategy.kpis if kpi.id not in placed]
    if others:
        parts.append(edition.say("## Sin objetivo", "## Without an objective"))
        for kpi in others:
            parts += _kpi(edition, kpi, names.get(kpi.id, {}))
    return page(parts)


def _how_to_read(edition: Edition) -> str:
    zone = edition.strategy.calendar.time_zone
    return edition.say(
        "Cada indicador se compara con lo que debería ser hoy, en el camino de su línea de base a "
        "su meta, y no con la meta final. Dentro de la primera tolerancia está en meta; dentro de "
        "la segunda, en riesgo; más allá, fuera de meta. Con menos casos que el mínimo no hay "
        f"dato. Los días son los de {escaped(zone)}. Un supuesto es una cifra que nadie ha "
        "aprobado todavía.",
        "Each KPI is held against what it should be today, on the way from its baseline to its "
        "target, and not against the final target. Within the first tolerance it is on track; "
        "within the second, at risk; beyond, off track. With fewer cases than the minimum there "
        f"is no data. Days are those of {escaped(zone)}. An assumption is a figure that nobody "
        "has approved yet.",
    )


def _objective(edition: Edition, objective: Objective, kpis: dict[str, Kpi]) -> Iterator[str]:
    yield anchor(f"objective-{objective.id}")
    yield f"### {phrases.objective_title(edition, objective)}"
    owner = edition.say("Responsable", "Owner")
    yield f"{escaped(edition.text(objective.statement))} {owner}: {escaped(objective.owner)}."
    effects = [each for each in edition.strategy.objectives if each.id in objective.causes]
    if effects:
        names = (
            f"[{phrases.objective_title(edition, each)}](#objective-{each.id})" for each in effects
        )
        yield edition.say("Conduce a: ", "Leads to: ") + "; ".join(names) + "."
    yield table(
        (edition.say("Indicador", "KPI"), edition.say("Peso", "Weight")),
        (
            (
                f"[{phrases.kpi_title(edition, kpis[part.kpi])}](#{part.kpi})",
                f"{number(part.weight * 100, 0, edition.language)} %",
            )
            for part in objective.kpis
        ),
    )


def _kpi(edition: Edition, kpi: Kpi, names: Mapping[str, str]) -> Iterator[str]:
    yield anchor(kpi.id)
    yield f"#### {phrases.kpi_title(edition, kpi)}"
    yield f"**{escaped(edition.text(kpi.question))}**"
    yield table((edition.say("Qué", "What"), ""), _facts(edition, kpi))
    yield from _targets(edition, kpi)
    yield from _benchmarks(edition, kpi)
    yield from _initiatives(edition, kpi)
    yield from _alerts(edition, names)


def _facts(edition: Edition, kpi: Kpi) -> Iterator[tuple[str, str]]:
    say, strategy, language = edition.say, edition.strategy, edition.language
    yield say("Fórmula", "Formula"), escaped(formula(kpi, strategy, language))
    measured = not isinstance(kpi.measure, NotMeasured)
    if measured:
        yield say("Cuándo cuenta", "When it counts"), escaped(counts_when(kpi, strategy, language))
    if isinstance(kpi.measure, Plan):
        yield say("Plan por año", "Plan by year"), escaped(_plan(edition, kpi.measure))
    yield say("Unidad", "Unit"), escaped(phrases.unit(edition, kpi))
    if measured:
        yield say("Mínimo de casos", "Fewest cases"), str(kpi.minimum_sample)
    windows = ", ".join(f"{phrases.window(edition, each)} (`{each}`)" for each in kpi.windows)
    yield say("Ventanas", "Windows"), windows
    dimensions = [escaped(phrases.dimension(edition, each)) for each in kpi.dimensions]
    yield say("Se desglosa por", "Broken down by"), ", ".join(dimensions) or say("nada", "nothing")
    for each in strategy.worklists:
        if each.kpi == kpi.id:
            yield say("Lista de trabajo", "Worklist"), _worklist(edition, each)
    yield say("Responsable", "Owner"), escaped(kpi.owner)
    yield say("Fuente", "Source"), escaped(kpi.source)
    uid = kpi_uid(strategy, kpi.id)
    yield say("Tablero", "Dashboard"), link(uid, phrases.dashboard(edition, uid))
    family = c.KPI_VALUE[kpi.unit]
    yield say("En Prometheus", "In Prometheus"), f"`{select(family, kpi=kpi.id)}`"


def _worklist(edition: Edition, worklist: Worklist) -> str:
    close = f"{number(worklist.close * 100, 0, edition.language)} %"
    return f"`{worklist.id}`: " + edition.say(
        f"lo que espera y ha usado el {close} de su plazo o más; de cada aduana, lo que vence "
        f"antes, hasta {worklist.size}, y cuántos más hay",
        f"what waits and has used {close} of its limit or more; of each office what falls due "
        f"first, up to {worklist.size}, and how many more there are",
    )


def _plan(edition: Edition, plan: Plan) -> str:
    years: dict[str, int] = defaultdict(int)
    for month, cents in plan.months.items():
        years[month[:4]] += cents
    currency = edition.strategy.currency
    return "; ".join(
        f"{year}: {currency} {number(cents / 100, 0, edition.language)}"
        for year, cents in sorted(years.items())
    )


def _targets(edition: Edition, kpi: Kpi) -> Iterator[str]:
    say = edition.say
    targets = [each for each in edition.strategy.targets if each.kpi == kpi.id]
    if not targets:
        yield say("No tiene meta: se muestra y no se juzga.", "No target: shown, not judged.")
        return
    yield f"**{say('Metas', 'Targets')}**"
    yield table(
        (
            say("Ámbito", "Scope"),
            say("Ventana", "Window"),
            say("Línea de base", "Baseline"),
            say("Meta", "Target"),
            say("Hasta el", "By"),
            say("Trayectoria", "Trajectory"),
            say("Tolerancias", "Tolerances"),
            say("Responsable; aprueba", "Owner; approver"),
            say("Fuente", "Source"),
        ),
        (_target(edition, kpi, each) for each in targets),
    )


def _target(edition: Edition, kpi: Kpi, target: Target) -> tuple[str, ...]:
    def percent(share: float) -> str:
        return f"{number(share * 100, 1, edition.language)} %"

    baseline = phrases.value(edition, kpi, target.baseline)
    source = target.source or edition.say("sin fuente", "no source")
    if target.assumption:
        source = "; ".join(filter(None, (edition.say("supuesto", "assumption"), target.source)))
    return (
        escaped(phrases.scope(edition, target)),
        escaped(phrases.window(edition, target.window)),
        escaped(f"{baseline} ({phrases.day(edition, target.baseline_at)})"),
        escaped(phrases.goal(edition, kpi, target)),
        phrases.last_day(edition, target),
        escaped(phrases.trajectory(edition, kpi, target)),
        f"{percent(target.green_tolerance)}; {percent(target.amber_tolerance)}",
        escaped("; ".join(filter(None, (target.owner, target.approver)))),
        escaped(f"v{target.version}; {source}"),
    )


def _benchmarks(edition: Edition, kpi: Kpi) -> Iterator[str]:
    say = edition.say
    found = [each for each in edition.strategy.benchmarks if each.kpi == kpi.id]
    if found:
        yield f"**{say('Cifras publicadas', 'Published figures')}**"
        yield table(
            (
                say("Quién", "Who"),
                say("Cuándo", "When"),
                say("Valor", "Value"),
                say("Fuente", "Source"),
                say("Nota", "Note"),
            ),
            (
                (
                    escaped(each.who),
                    escaped(each.period),
                    escaped(phrases.value(edition, kpi, each.value)),
                    escaped(each.source),
                    escaped(each.note.get(edition.language, "")),
                )
                for each in found
            ),
        )


def _initiatives(edition: Edition, kpi: Kpi) -> Iterator[str]:
    served = {
        each.id
        for each in edition.strategy.objectives
        if kpi.id in {part.kpi for part in each.kpis}
    }
    found = [each for each in edition.strategy.initiatives if served.intersection(each.objectives)]
    if found:
        yield f"**{edition.say('Iniciativas de sus objetivos', 'Initiatives of its objectives')}**"
        yield bullets(
            f"{escaped(edition.text(each.name))} ({escaped(each.owner)}, {each.start} → {each.end})"
            for each in found
        )


def _alerts(edition: Edition, names: Mapping[str, str]) -> Iterator[str]:
    if names:
        title = edition.say("Alertas", "Alerts")
        links = (link(name, f"{RUNBOOK}#{to}") for name, to in names.items())
        yield f"**{title}**: " + ", ".join(links)


def _anchors(edition: Edition) -> dict[str, dict[str, str]]:
    """Return the place of each name of an alert in the runbook, by KPI."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for each in alerts(edition.strategy):
        if "kpi" in each.labels:
            found[each.labels["kpi"]][each.name] = each.anchor
    return found
