"""What a KPI's dashboard says in words: definition, targets, responsibility, what to do."""

from collections.abc import Iterator

from kpi_stream.application.handbook import phrases
from kpi_stream.application.handbook.formula import counts_when, formula
from kpi_stream.application.handbook.markdown import bullets, escaped, link
from kpi_stream.application.monitoring import places
from kpi_stream.application.monitoring.alerts import alerts
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.domain.strategy import Kpi, NotMeasured, Target


def about(edition: Edition, kpi: Kpi) -> str:
    """Return the text in Markdown."""
    back = link(
        edition.say("Todos los KPI", "All KPIs"),
        places.link(places.scorecard_uid(edition.strategy)),
    )
    parts = (
        f"**{escaped(edition.text(kpi.question))}**",
        *_definition(edition, kpi),
        *_alerts(edition, kpi),
        *_targets(edition, kpi),
        *_served(edition, kpi),
        *_benchmarks(edition, kpi),
        back,
    )
    return "\n\n".join(parts)


def _definition(edition: Edition, kpi: Kpi) -> Iterator[str]:
    say, strategy, language = edition.say, edition.strategy, edition.language
    facts = {say("Unidad", "Unit"): escaped(phrases.unit(edition, kpi))}
    if isinstance(kpi.measure, NotMeasured):
        reason = escaped(edition.text(kpi.measure.reason))
        yield f"**{say('Por qué no hay cifra', 'Why there is no figure')}:** {reason}"
    else:
        yield f"**{say('Fórmula', 'Formula')}:** {escaped(formula(kpi, strategy, language))}"
        told = escaped(counts_when(kpi, strategy, language))
        yield f"**{say('Cuándo cuenta', 'When it counts')}:** {told}"
        windows = ", ".join(phrases.window(edition, window) for window in kpi.windows)
        facts[say("Ventanas", "Windows")] = windows
        facts[say("Mínimo de casos", "Fewest cases")] = str(kpi.minimum_sample)
    facts[say("Responsable", "Owner")] = escaped(kpi.owner)
    facts[say("Fuente", "Source")] = escaped(kpi.source)
    yield bullets(f"{name}: {value}" for name, value in facts.items())


def _alerts(edition: Edition, kpi: Kpi) -> Iterator[str]:
    anchors = {
        each.name: each.anchor
        for each in alerts(edition.strategy)
        if each.labels.get("kpi") == kpi.id
    }
    manual = edition.say("Manual: qué hacer cuando avisa", "Runbook: what to do when it alerts")
    if not anchors:
        yield link(manual, edition.runbook_url)
        return
    entries = (link(name, f"{edition.runbook_url}#{to}") for name, to in anchors.items())
    yield f"**{manual}:** " + ", ".join(entries)


def _targets(edition: Edition, kpi: Kpi) -> Iterator[str]:
    title = edition.say("Metas", "Targets")
    found = [target for target in edition.strategy.targets if target.kpi == kpi.id]
    if not found:
        yield f"**{title}:** " + edition.say("ninguna todavía.", "none yet.")
        return
    yield f"**{title}**"
    yield bullets(_target(edition, kpi, target) for target in found)


def _target(edition: Edition, kpi: Kpi, target: Target) -> str:
    say = edition.say
    place = escaped(phrases.scope(edition, target))
    goal = escaped(phrases.goal(edition, kpi, target))
    by = phrases.last_day(edition, target)
    baseline = escaped(phrases.value(edition, kpi, target.baseline))
    since = phrases.day(edition, target.baseline_at)
    way = escaped(phrases.trajectory(edition, kpi, target))
    who = [target.owner, say("aprobó", "approved by") + f" {target.approver}"]
    if target.assumption:
        who.append(say("supuesto", "assumption"))
    said_by = escaped("; ".join([f"v{target.version}", *who]))
    return (
        f"{place}, {phrases.window(edition, target.window)}: **{goal}** "
        + say(f"hasta el {by}, desde {baseline} el {since}", f"by {by}, from {baseline} on {since}")
        + f", {way} ({said_by})"
    )


def _served(edition: Edition, kpi: Kpi) -> Iterator[str]:
    objectives = [
        each
        for each in edition.strategy.objectives
        if any(part.kpi == kpi.id for part in each.kpis)
    ]
    served = {each.id for each in objectives}
    initiatives = [
        each for each in edition.strategy.initiatives if served.intersection(each.objectives)
    ]
    if objectives:
        yield f"**{edition.say('Objetivo', 'Objective')}**"
        yield bullets(
            f"{phrases.objective_title(edition, each)} ({escaped(each.owner)}): "
            f"{escaped(edition.text(each.statement))}"
            for each in objectives
        )
    if initiatives:
        title = edition.say("Iniciativas detrás", "Initiatives behind it")
        yield f"**{link(title, places.link(places.initiatives_uid(edition.strategy)))}**"
        yield bullets(
            f"{escaped(edition.text(each.name))} ({escaped(each.owner)})" for each in initiatives
        )


def _benchmarks(edition: Edition, kpi: Kpi) -> Iterator[str]:
    found = [each for each in edition.strategy.benchmarks if each.kpi == kpi.id]
    if not found:
        return
    title = edition.say("Cifras de otras administraciones", "Figures of other administrations")
    yield f"**{title}**"
    lines = []
    for each in found:
        figure = phrases.value(edition, kpi, each.value)
        told = "; ".join(filter(None, (each.source, each.note.get(edition.language, ""))))
        lines.append(escaped(f"{each.who}, {each.period}: {figure} ({told})"))
    yield bullets(lines)
