"""The Time Release Study: who holds the time, stage by stage."""

from collections.abc import Sequence
from html import escape

from kpi_stream.adapters.review import charts
from kpi_stream.adapters.review import parts as p
from kpi_stream.adapters.review.parts import Cell
from kpi_stream.application.display import HOLDERS, member_name
from kpi_stream.application.handbook import phrases
from kpi_stream.application.handbook.words import MILESTONES
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.application.review import OFFICE, Review, Stages, held
from kpi_stream.application.stages import StageReading, WayReading


def stages(review: Review, edition: Edition) -> str:
    """Return the stages: of everything, and by each dimension of the way."""
    found, say, way = review.stages, edition.say, review.strategy.way
    if way is None:
        return ""
    title = say("Estudio de Tiempos de Despacho", "Time Release Study")
    if found is None or not found.whole.samples:
        none = say("Nadie llegó al final en el mes.", "Nobody came to the end in the month.")
        return p.section("stages", title, p.paragraph(none))
    start, end = (MILESTONES[each].one[edition.language] for each in (way.start, way.end))
    count = p.counted(edition, found.whole.samples)
    mean = p.hours(edition, found.whole.mean)
    text = say(
        f"Desde {start} hasta {end}: {count} declaraciones llegaron al final en el mes, en {mean} "
        "de promedio. Cada instante pertenece a una sola etapa y a quien la tiene en sus manos, de "
        "modo que las etapas suman el total.",
        f"From {start} to {end}: {count} declarations came to the end in the month, in {mean} on "
        "average. Each instant belongs to one stage alone and to whoever holds it, so that the "
        "stages add up to the whole.",
    )
    return p.new_page(
        "stages",
        title,
        p.paragraph(text),
        f"<figure>{charts.way(edition, found.whole)}"
        f"{charts.legend(edition, [each for each, _ in found.held])}</figure>\n",
        _national(found, edition),
        _holders(found, edition),
        *(
            _members(dimension, members, edition, review.office)
            for dimension, members in found.dimensions
            if members
        ),
    )


def _national(found: Stages, edition: Edition) -> str:
    say, whole = edition.say, found.whole
    heads: Sequence[str | Cell] = (
        say("Etapa", "Stage"),
        say("Quién la tiene", "Held by"),
        p.right(say("Casos", "Samples")),
        p.right(say("Promedio", "Mean")),
        p.right(say("Mediana", "Median")),
        p.right("p90"),
        p.right(say("Aporta al total", "Adds to the whole")),
        p.right(say("Parte", "Share")),
    )
    inside = [_stage(whole, each, edition) for each in whole.stages if each.inside]
    total = [
        p.row_head(say("Todo el proceso", "The whole way")),
        p.text(""),
        p.figure(p.counted(edition, whole.samples)),
        p.figure(p.hours(edition, whole.mean)),
        p.figure(p.NOTHING),
        p.figure(p.NOTHING),
        p.figure(p.hours(edition, whole.mean)),
        p.figure(p.percent(edition, 1.0)),
    ]
    after = [_stage(whole, each, edition) for each in whole.stages if not each.inside]
    caption = say(
        "Etapas del mes; promedio, mediana y p90 son de quienes tuvieron la etapa. Lo que sigue al "
        "levante no suma.",
        "Stages of the month; mean, median and p90 are of those that had the stage. What comes "
        "after the release adds nothing.",
    )
    return p.table(caption, heads, [inside, [total], after])


def _stage(whole: WayReading, stage: StageReading, edition: Edition) -> Sequence[Cell]:
    part = whole.part(stage)
    share = None if part is None or not whole.mean else part / whole.mean
    return [
        p.row_head(edition.text(stage.stage.name)),
        p.text(HOLDERS[stage.stage.holder][edition.language]),
        p.figure(p.counted(edition, stage.samples)),
        p.figure(p.hours(edition, stage.mean)),
        p.figure(p.hours(edition, stage.p50)),
        p.figure(p.hours(edition, stage.p90)),
        p.figure(p.hours(edition, part)),
        p.figure(p.percent(edition, share)),
    ]


def _holders(found: Stages, edition: Edition) -> str:
    say, mean = edition.say, found.whole.mean or 0.0
    rows = [
        [
            p.row_head(HOLDERS[holder][edition.language]),
            p.figure(p.hours(edition, part)),
            p.figure(p.percent(edition, part / mean if mean else None)),
        ]
        for holder, part in sorted(found.held, key=lambda each: -each[1])
    ]
    heads: Sequence[str | Cell] = (
        say("Quién", "Who"),
        p.right(say("Aporta al total", "Adds to the whole")),
        p.right(say("Parte", "Share")),
    )
    return p.table(say("Quién tiene el tiempo", "Who holds the time"), heads, [rows])


def _members(
    dimension: str, members: Sequence[WayReading], edition: Edition, office: str | None
) -> str:
    say = edition.say
    inside = [each for each in members[0].stages if each.inside]
    heads: list[str | Cell] = [
        phrases.dimension(edition, dimension),
        p.right(say("Casos", "Samples")),
        p.right(say("Promedio", "Mean")),
        *(p.right(edition.text(each.stage.name)) for each in inside),
        say("Quién lo tiene", "Who holds it"),
    ]
    rows = []
    for each in members:
        name = member_name(edition.strategy, dimension, each.member, edition.language)
        kind = "mine" if dimension == OFFICE and each.member == office else ""
        rows.append(
            [
                Cell(escape(name), head=True, kind=kind),
                p.figure(p.counted(edition, each.samples)),
                p.figure(p.hours(edition, each.mean)),
                *(_times(each, stage, edition) for stage in each.stages if stage.inside),
                Cell(charts.shares(edition, held(each))),
            ]
        )
    name = phrases.dimension(edition, dimension)
    caption = say(
        f"{name}: lo que cada etapa aporta al promedio; debajo, mediana · p90 de quienes la "
        "tuvieron, y cuántos",
        f"{name}: what each stage adds to the mean; below, median · p90 of those that had it, and "
        "how many",
    )
    return p.table(caption, heads, [rows])


def _times(reading: WayReading, stage: StageReading, edition: Edition) -> Cell:
    if not stage.samples:
        return p.figure(p.NOTHING)
    below = f"{p.hours(edition, stage.p50)} · {p.hours(edition, stage.p90)}"
    count = f"n {p.counted(edition, stage.samples)}"
    shown = escape(p.hours(edition, reading.part(stage)))
    return Cell(f"{shown}<small>{escape(below)}<br>{escape(count)}</small>", number=True)
