"""The offices in their order, and the initiatives with what is overdue."""

from collections.abc import Sequence
from html import escape

from kpi_stream.adapters.review import charts
from kpi_stream.adapters.review import parts as p
from kpi_stream.adapters.review.parts import Cell
from kpi_stream.application.display import MARKS, member_name
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.application.review import OFFICE, OfficeRow, Review
from kpi_stream.application.scorecard import JudgedInitiative
from kpi_stream.domain.strategy import Kpi


def offices(review: Review, edition: Edition) -> str:
    """Return the ranking of the offices by the mean attainment of their targets."""
    say = edition.say
    kpis = {each.key: each.kpi for row in review.offices for each in row.judged}
    columns = list({(key.kpi, key.window): kpi for key, kpi in kpis.items()}.items())
    heads: list[str | Cell] = [
        p.right("#"),
        say("Aduana", "Office"),
        say("Estado", "Status"),
        p.right(say("Cumple", "Attains")),
        *(
            p.right(f"{p.named(edition, kpi)} ({p.window(edition, window)})")
            for (_, window), kpi in columns
        ),
        p.right(say("Casos", "Samples")),
        p.right(say("Tiempo medio", "Mean time")),
    ]
    rows = [
        _office(place, row, columns, edition, mine=row.office == review.office)
        for place, row in enumerate(review.offices, 1)
    ]
    note = say(
        "El orden es el del cumplimiento medio de las metas de cada aduana (cada una hasta 100 %); "
        "sin datos suficientes no hay puesto.",
        "The order is that of the mean attainment of each office's targets (each up to 100 %); "
        "without enough data there is no place.",
    )
    caption = say("Aduanas, la mejor primero", "Offices, the best first")
    return p.new_page(
        "offices",
        say("Aduanas", "Offices"),
        p.paragraph(note, "quiet"),
        p.table(caption, heads, [rows]) if rows else p.paragraph(p.NOTHING),
    )


def _office(
    place: int,
    row: OfficeRow,
    columns: Sequence[tuple[tuple[str, str], Kpi]],
    edition: Edition,
    *,
    mine: bool,
) -> Sequence[Cell]:
    name = member_name(edition.strategy, OFFICE, row.office, edition.language)
    judged = {(each.key.kpi, each.key.window): each for each in row.judged}
    values = []
    for key, kpi in columns:
        each = judged.get(key)
        if each is None or each.reading.value is None:
            values.append(p.figure(p.NOTHING))
            continue
        kind = f"status {each.status.value}"
        mark = f'<span class="{kind}" aria-hidden="true">{MARKS[each.status]}</span>'
        shown = escape(p.value(edition, kpi, each.reading.value))
        count = escape(f"n {p.counted(edition, each.reading.samples)}")
        values.append(Cell(f"{shown} {mark}<small>{count}</small>", number=True))
    way = row.way
    return [
        p.figure(p.NOTHING if row.credit is None else str(place)),
        Cell(f"{escape(name)}<small>{escape(row.office)}</small>", head=True, kind="mine" * mine),
        Cell(p.status(edition, row.status)),
        p.figure(p.percent(edition, row.credit)),
        *values,
        p.figure(p.NOTHING if way is None else p.counted(edition, way.samples)),
        p.figure(p.NOTHING if way is None else p.hours(edition, way.mean)),
    ]


def initiatives(review: Review, edition: Edition) -> str:
    """Return the initiatives and the actions that are overdue."""
    say = edition.say
    heads: Sequence[str | Cell] = (
        say("Iniciativa", "Initiative"),
        say("Responsable", "Owner"),
        p.right(say("Avance", "Done")),
        p.right(say("Tiempo", "Time gone")),
        say("Avance y tiempo", "Done and time"),
        p.right(say("Gastado", "Spent")),
        say("Plazo", "Term"),
    )
    parts = [
        p.table(
            say("Iniciativas: avance frente al tiempo", "Initiatives: done against time gone"),
            heads,
            [[_initiative(each, edition) for each in review.initiatives]],
        )
    ]
    late = [
        [
            p.row_head(edition.text(action.name)),
            p.text(edition.text(each.initiative.name)),
            p.text(action.responsible),
            p.figure(p.day(edition, action.due)),
        ]
        for each in review.initiatives
        for action in sorted(each.overdue, key=lambda one: one.due)
    ]
    if late:
        parts.append(
            p.table(
                say("Acciones vencidas", "Overdue actions"),
                (
                    say("Acción", "Action"),
                    say("Iniciativa", "Initiative"),
                    say("Responsable", "Responsible"),
                    p.right(say("Vencía", "Was due")),
                ),
                [late],
            )
        )
    else:
        none = say("Ninguna acción está vencida.", "No action is overdue.")
        parts.append(p.paragraph(none))
    return p.section("initiatives", say("Iniciativas", "Initiatives"), *parts)


def _initiative(judged: JudgedInitiative, edition: Edition) -> Sequence[Cell]:
    one = judged.initiative
    done, gone = p.percent(edition, one.progress), p.percent(edition, judged.elapsed)
    label = edition.say(f"avance {done}, tiempo {gone}", f"done {done}, time gone {gone}")
    return [
        p.row_head(edition.text(one.name)),
        p.text(one.owner),
        p.figure(done),
        p.figure(gone),
        Cell(charts.progress(label, one.progress, judged.elapsed)),
        p.figure(p.percent(edition, judged.spent)),
        p.text(f"{p.day(edition, one.start)}\N{EN DASH}{p.day(edition, one.end)}"),
    ]
