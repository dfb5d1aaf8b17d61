"""What moved and why: the change of every KPI, split into mix and rate by each dimension."""

from collections.abc import Sequence
from fractions import Fraction
from html import escape

from kpi_stream.adapters.review import parts as p
from kpi_stream.adapters.review.parts import Cell
from kpi_stream.application.display import member_name
from kpi_stream.application.explanation import Caution, Cost, Explanation, Split, WhyNot
from kpi_stream.application.handbook import phrases
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.application.periods import Period
from kpi_stream.application.review import Review
from kpi_stream.domain.strategy import Direction, Text
from kpi_stream.domain.windows import LocalDays

EXPLAINED = 6
"""How many KPIs are explained one by one; the others are in the table and in the CSV files."""
_MEMBERS = 4

WHY_NOT: dict[WhyNot, Text] = {
    WhyNot.NOT_MEASURED: {"es": "no se mide", "en": "not measured"},
    WhyNot.STOCK: {"es": "no se sabe qué había abierto antes", "en": "what was open is not known"},
    WhyNot.LIFT: {"es": "razón de razones", "en": "a ratio of ratios"},
    WhyNot.PLAN: {"es": "un solo plan para todos", "en": "one plan for all"},
    WhyNot.NOT_KEPT: {"es": "ya no se guarda", "en": "not kept any more"},
    WhyNot.NO_ROWS: {"es": "nada contado antes", "en": "nothing counted before"},
    WhyNot.EMPTY: {"es": "sin casos", "en": "no cases"},
}
CAUTIONS: dict[Caution, Text] = {
    Caution.UNFINISHED: {
        "es": "El último día no ha terminado.",
        "en": "The last day is not over.",
    },
    Caution.UNLIKE: {
        "es": "Los dos periodos no tienen los mismos días.",
        "en": "The two periods have not the same number of days.",
    },
    Caution.PARTLY: {
        "es": "El periodo anterior no está completo en los datos.",
        "en": "The earlier period is not whole in the data.",
    },
}


def movements(review: Review, edition: Edition) -> str:
    """Return the table of changes and the explanations of the largest."""
    say = edition.say
    note = say(
        "El cambio se reparte en «mezcla» (cambió el peso de los miembros) y «tasa» (cambió lo que "
        "cada uno hizo); los efectos suman el cambio exactamente. Primero los que más cambiaron "
        "respecto de su tamaño.",
        "A change is split into “mix” (the members' weights changed) and “rate” (what each of them "
        "did changed); the effects add up to the change exactly. Those that changed most for their "
        "size come first.",
    )
    heads: Sequence[str | Cell] = (
        say("Indicador", "KPI"),
        p.right(say("Antes", "Before")),
        p.right(say("Ahora", "Now")),
        p.right(say("Cambio", "Change")),
        say("Sentido", "Direction"),
        p.right(say("Casos", "Samples")),
        say("Observación", "Remark"),
    )
    split = [each for each in review.moved if each.why_not is None and each.splits]
    return p.new_page(
        "movements",
        say("Qué se movió y por qué", "What moved and why"),
        p.paragraph(note, "quiet"),
        p.table(
            say("Cambio de cada indicador", "Change of each KPI"),
            heads,
            [[_line(each, edition) for each in review.moved]],
        ),
        *(_explained(each, edition) for each in split[:EXPLAINED]),
    )


def periods(found: Explanation, edition: Edition) -> str:
    """Return which two periods are compared."""
    if found.period is None or found.previous is None:
        return p.window(edition, found.window)
    first, second = (_days(each, edition) for each in (found.previous, found.period))
    return edition.say(f"{second}, antes {first}", f"{second}, before {first}")


def _days(period: Period, edition: Edition) -> str:
    days = LocalDays(edition.strategy.calendar.time_zone)
    first, last = (days.date_of(each) for each in (period.start_ms, period.end_ms - 1))
    return f"{p.day(edition, first)}\N{EN DASH}{p.day(edition, last)}"


def worse(found: Explanation) -> bool | None:
    """Return whether a KPI got worse; None for a band, or without a change."""
    change, direction = found.change, found.kpi.direction
    if not change or direction is Direction.BAND:
        return None
    return (change < 0) is (direction is Direction.UP)


def _line(found: Explanation, edition: Edition) -> Sequence[Cell]:
    kpi, got = found.kpi, worse(found)
    direction = ""
    if got is not None:
        direction = edition.say("peor", "worse") if got else edition.say("mejor", "better")
    tone = "worse" if got else "better"
    remarks = [CAUTIONS[each][edition.language] for each in found.cautions]
    if found.of_mean:
        remarks.append(edition.say("Es el promedio.", "This is the mean."))
    if found.why_not is not None:
        remarks.append(WHY_NOT[found.why_not][edition.language])
    return [
        p.row_head(p.named(edition, kpi), periods(found, edition)),
        p.figure(p.value(edition, kpi, found.before.value)),
        p.figure(p.value(edition, kpi, found.now.value)),
        p.figure(p.signed(edition, kpi, found.change)),
        Cell(f'<span class="{tone}">{escape(direction)}</span>'),
        p.figure(p.counted(edition, found.now.samples)),
        p.text(" ".join(remarks)),
    ]


def _explained(found: Explanation, edition: Edition) -> str:
    kpi = found.kpi
    change = p.signed(edition, kpi, found.change)
    title = f"{p.named(edition, kpi)}: {change}"
    tables = "".join(_split(found, each, edition) for each in found.splits)
    costs = "".join(f"<li>{escape(_cost(found, each, edition))}</li>" for each in found.costs)
    if costs:
        head = edition.say("Los que más cuestan", "Those that cost most")
        costs = f"<p>{escape(head)}:</p><ul>{costs}</ul>"
    return (
        f'<div class="why"><h3>{escape(title)}</h3>'
        f'<p class="quiet">{escape(periods(found, edition))}</p>'
        f'<div class="splits">{tables}</div>{costs}</div>\n'
    )


def _split(found: Explanation, split: Split, edition: Edition) -> str:
    kpi, say = found.kpi, edition.say

    def cell(of: Fraction) -> Cell:
        return p.figure(p.signed(edition, kpi, float(of * found.scale)))

    rows = [
        [
            p.row_head(
                member_name(edition.strategy, split.dimension, each.member, edition.language)
            ),
            cell(each.mix),
            cell(each.rate),
            cell(each.total),
        ]
        for each in split.effects[:_MEMBERS]
    ]
    rest = split.effects[_MEMBERS:]
    if rest:
        mix = sum((each.mix for each in rest), Fraction(0))
        rate = sum((each.rate for each in rest), Fraction(0))
        name = say(f"otros {len(rest)}", f"{len(rest)} others")
        rows.append([p.row_head(name), cell(mix), cell(rate), cell(mix + rate)])
    total = [
        p.row_head(say("Todo", "All")),
        cell(split.mix),
        cell(split.rate),
        cell(split.mix + split.rate),
    ]
    return p.table(
        phrases.dimension(edition, split.dimension),
        (
            say("Miembro", "Member"),
            p.right(say("Mezcla", "Mix")),
            p.right(say("Tasa", "Rate")),
            p.right(say("Suma", "Sum")),
        ),
        [rows, [total]],
    )


def _cost(found: Explanation, cost: Cost, edition: Edition) -> str:
    name = member_name(edition.strategy, cost.dimension, cost.member, edition.language)
    dimension = phrases.dimension(edition, cost.dimension)
    gap = p.signed(edition, found.kpi, float(cost.gap * found.scale))
    value = p.value(edition, found.kpi, cost.value)
    count = p.counted(edition, cost.samples)
    return edition.say(
        f"{dimension}, {name}: {value} en {count} casos, {gap} del total",
        f"{dimension}, {name}: {value} in {count} cases, {gap} of the whole",
    )
