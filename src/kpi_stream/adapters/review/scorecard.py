"""The summary and the scorecard at the month's last instant."""

from collections import Counter
from collections.abc import Iterator, Sequence
from html import escape

from kpi_stream.adapters.review import parts as p
from kpi_stream.adapters.review.parts import Cell
from kpi_stream.application.display import HOLDERS, member_name
from kpi_stream.application.handbook import phrases
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.application.review import Review, Row
from kpi_stream.domain.forecast import Verdict
from kpi_stream.domain.status import SEVERITY, Status
from kpi_stream.domain.strategy import NATIONAL, Text

VERDICTS: dict[Verdict, Text] = {
    Verdict.ALREADY_MET: {"es": "ya se cumple", "en": "met already"},
    Verdict.ON_PACE: {"es": "se cumpliría", "en": "would be met"},
    Verdict.OFF_PACE: {"es": "no se cumpliría", "en": "would be missed"},
}
_COLUMNS = 9
_FURTHEST = 5
"""How many of the targets that are missed the summary names."""


def summary(review: Review, edition: Edition) -> str:
    """Return the figures to begin with, and what needs attention."""
    say = edition.say
    judged = [row.judged for row in review.rows if row.judged is not None]
    many = Counter(each.status for each in judged)
    facts = "".join(
        f"<div><dt>{p.status(edition, each)}</dt><dd>{many[each]}</dd></div>"
        for each in (*SEVERITY, Status.NO_DATA)
    )
    if review.stages is not None and review.stages.whole.samples:
        whole = review.stages.whole
        for title, content in (
            (
                say("Llegaron al final del proceso", "Came to the end"),
                p.counted(edition, whole.samples),
            ),
            (say("Tiempo medio", "Mean time"), p.hours(edition, whole.mean)),
        ):
            facts += f"<div><dt>{escape(title)}</dt><dd>{escape(content)}</dd></div>"
    late = [row for row in review.rows if row.judged and row.judged.status is Status.OFF_TRACK]
    overdue = sum(len(each.overdue) for each in review.initiatives)
    text = say(
        f"De {len(judged)} metas juzgadas, {len(late)} están fuera de lo previsto para esta fecha. "
        f"Acciones vencidas de las iniciativas: {overdue}.",
        f"Of {len(judged)} targets that are judged, {len(late)} are off what was due by this date. "
        f"Actions of initiatives that are overdue: {overdue}.",
    )
    late.sort(key=_attained)
    items = "".join(f"<li>{escape(_late(row, edition))}</li>" for row in late[:_FURTHEST])
    return p.section(
        "summary",
        say("Resumen", "Summary"),
        f'<dl class="facts">{facts}</dl>\n',
        p.paragraph(text),
        p.paragraph(say("Las más lejanas:", "Those that are furthest:") if items else ""),
        f"<ul>{items}</ul>\n" if items else "",
        p.paragraph(_held_most(review, edition)),
    )


def _attained(row: Row) -> float:
    reached = None if row.judged is None else row.judged.credit
    return 1.0 if reached is None else reached


def _late(row: Row, edition: Edition) -> str:
    value = p.value(edition, row.kpi, row.reading.value)
    gap = p.signed(edition, row.kpi, row.gap)
    named = f"{p.named(edition, row.kpi)} ({where(row.reading.key, edition)})"
    return edition.say(
        f"{named}: {value}, {gap} de lo previsto", f"{named}: {value}, {gap} from what was due"
    )


def _held_most(review: Review, edition: Edition) -> str:
    if review.stages is None or not review.stages.held:
        return ""
    holder, part = max(review.stages.held, key=lambda each: each[1])
    share = p.percent(edition, part / (review.stages.whole.mean or part or 1.0))
    name = HOLDERS[holder][edition.language]
    return edition.say(
        f"Quien más tiempo retiene la mercancía: {name}, {share} del total.",
        f"Who holds the goods longest: {name}, {share} of the whole.",
    )


def scorecard(review: Review, edition: Edition) -> str:
    """Return the table of KPIs, by perspective and objective."""
    say = edition.say
    heads: Sequence[str | Cell] = (
        say("Estado", "Status"),
        say("Indicador", "KPI"),
        p.right(say("El mes", "The month")),
        p.right(say("Valor", "Value")),
        p.right(say("Debía ser", "Expected")),
        p.right(say("Brecha", "Gap")),
        p.right(say("Meta", "Target")),
        p.right(say("Pronóstico", "Forecast")),
        p.right(say("Casos", "Samples")),
    )
    note = say(
        "«Valor» es el de la ventana de la meta, como en el tablero; «El mes», el del mes "
        "calendario. «Debía ser» es el punto de la trayectoria en esta fecha.",
        "“Value” is that of the target's window, as on the dashboard; “The month” is that of the "
        "calendar month. “Expected” is the trajectory's point at this date.",
    )
    return p.new_page(
        "scorecard",
        say("Cuadro de mando al cierre", "Scorecard at the end of the month"),
        p.paragraph(note, "quiet"),
        p.table(
            say("Indicadores por perspectiva y objetivo", "KPIs by perspective and objective"),
            heads,
            _groups(review, edition),
        ),
    )


def _groups(review: Review, edition: Edition) -> Iterator[list[Sequence[Cell]]]:
    by_kpi: dict[str, list[Row]] = {}
    for row in review.rows:
        by_kpi.setdefault(row.kpi.id, []).append(row)
    placed: set[str] = set()
    for perspective in review.strategy.perspectives:
        for each in review.evaluation.objectives:
            objective = each.objective
            if objective.perspective != perspective.id:
                continue
            ids = [part.kpi for part in objective.kpis if part.kpi in by_kpi]
            ids = [kpi for kpi in ids if kpi not in placed]
            placed.update(ids)
            if not ids:
                continue
            title = f"{objective.code} {edition.text(objective.name)}".strip()
            below = f"{edition.text(perspective.name)} · {objective.owner}"
            stands = ""
            if review.office is None:
                reached = p.percent(edition, each.attainment)
                stands = f"{p.status(edition, each.status)} · {reached} "
                stands += edition.say("de lo previsto", "of what was due")
            head = Cell(
                f"{escape(title)} &nbsp; {stands}<small>{escape(below)}</small>",
                head=True,
                span=_COLUMNS,
            )
            yield [[head], *(_line(row, edition) for kpi in ids for row in by_kpi[kpi])]
    rest = [row for kpi, rows in by_kpi.items() if kpi not in placed for row in rows]
    if rest:
        title = edition.say("Sin objetivo", "Without an objective")
        head = Cell(escape(title), head=True, span=_COLUMNS)
        yield [[head], *(_line(row, edition) for row in rest)]


def where(row_key: tuple[str, str, str, str], edition: Edition) -> str:
    """Return window and member of a series in words."""
    _, window, dimension, member = row_key
    said = p.window(edition, window)
    if dimension == NATIONAL:
        return said
    return f"{said} · {member_name(edition.strategy, dimension, member, edition.language)}"


def _line(row: Row, edition: Edition) -> Sequence[Cell]:
    kpi, judged, reading = row.kpi, row.judged, row.reading
    month = None if row.month is None else row.month.value
    cells = [
        p.row_head(p.named(edition, kpi), where(reading.key, edition)),
        p.figure(p.value(edition, kpi, month)),
    ]
    if reading.value is None:
        why = p.why_none(edition, kpi, reading, untold=row.untold)
        cells.append(Cell(f"{p.NOTHING}<small>{escape(why)}</small>", number=True))
    else:
        cells.append(p.figure(p.value(edition, kpi, reading.value)))
    if judged is None:
        unjudged = edition.say("sin meta", "no target")
        return [
            Cell(f'<span class="quiet">{escape(unjudged)}</span>'),
            *cells,
            *(p.figure(p.NOTHING) for _ in range(4)),
            p.figure(p.counted(edition, reading.samples)),
        ]
    target, ahead = judged.target, judged.forecast
    expected = phrases.goal(edition, kpi, target) if target.low is not None else ""
    by = p.day(edition, p.last_day(edition, target))
    forecast = p.NOTHING
    if ahead is not None:
        verdict = VERDICTS[ahead.verdict][edition.language]
        shown = escape(p.value(edition, kpi, ahead.value))
        forecast = f"{shown}<small>{escape(verdict)}</small>"
    return [
        Cell(p.status(edition, judged.status)),
        *cells,
        p.figure(expected or p.value(edition, kpi, judged.expected)),
        p.figure(p.signed(edition, kpi, row.gap)),
        Cell(
            f"{escape(phrases.goal(edition, kpi, target))}<small>{escape(by)}</small>",
            number=True,
        ),
        Cell(forecast, number=True),
        p.figure(p.counted(edition, reading.samples)),
    ]
