"""Data quality, method, definitions and sources: what one must know to believe the numbers."""

from collections.abc import Iterator, Sequence

from kpi_stream.adapters.review import parts as p
from kpi_stream.adapters.review.parts import Cell
from kpi_stream.adapters.review.scorecard import where
from kpi_stream.application.display import member_name
from kpi_stream.application.handbook import phrases
from kpi_stream.application.handbook.formula import counts_when, formula
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.application.review import OFFICE, Review, Source
from kpi_stream.domain.strategy import Kpi, NotMeasured, Text
from kpi_stream.domain.subject import Outcome

_OUTCOMES: dict[str, Text] = {
    Outcome.COUNTED: {"es": "contado", "en": "counted"},
    Outcome.DUPLICATE: {"es": "repetido", "en": "duplicate"},
    Outcome.CONFLICTING: {"es": "contradictorio", "en": "conflicting"},
}


def quality(review: Review, edition: Edition) -> str:
    """Return what had to be interpreted, what is missing, and what nobody approved."""
    say, found, feed = edition.say, review.quality, review.feed
    rows = [
        (
            say("Declaraciones con datos contradictorios", "Declarations with conflicting facts"),
            p.counted(edition, found.conflicting),
            say(
                "dos fuentes dicen cosas distintas; vale la registrada primero",
                "two sources say different things; the one recorded first counts",
            ),
        ),
        *(
            (
                say(f"Duraciones negativas: {name}", f"Negative durations: {name}"),
                p.counted(edition, count),
                say(
                    "el fin antes del comienzo; cuentan como 0", "end before begin; they count as 0"
                ),
            )
            for name, count in _clamped(review, edition)
        ),
        (
            say("Metas con cifras supuestas", "Targets with assumed figures"),
            p.counted(edition, found.assumed),
            say("nadie las ha aprobado todavía", "nobody has approved them yet"),
        ),
        *(
            (
                say(f"Eventos: {name}", f"Events: {name}"),
                p.counted(edition, count),
                say("de todos los archivos leídos", "of all the files that were read"),
            )
            for name, count in (
                *((_OUTCOMES[name][edition.language], n) for name, n in feed.outcomes.items()),
                *(
                    (say(f"rechazado, {name}", f"rejected, {name}"), count)
                    for name, count in feed.rejected.items()
                ),
            )
        ),
    ]
    if feed.source is Source.ROWS:
        rows.append(
            (
                say("Eventos aún sin contar", "Events not counted yet"),
                p.counted(edition, feed.waiting),
                say("al leer los conteos", "when the counts were read"),
            )
        )
    silent = [
        member_name(edition.strategy, OFFICE, each, edition.language) for each in found.silent
    ]
    none = [
        [
            p.row_head(p.named(edition, row.kpi), where(row.reading.key, edition)),
            p.text(p.why_none(edition, row.kpi, row.reading, untold=row.untold)),
        ]
        for row in review.rows
        if row.reading.value is None
    ]
    parts = [
        p.table(
            say("Lo que hubo que interpretar en el mes", "What had to be interpreted in the month"),
            (
                say("Qué", "What"),
                p.right(say("Cuántos", "How many")),
                say("Qué significa", "Meaning"),
            ),
            [[[p.row_head(a), p.figure(b), p.text(c)] for a, b, c in rows]],
        )
    ]
    if silent:
        names = "; ".join(silent)
        parts.append(
            p.paragraph(
                say(
                    f"Aduanas sin ningún evento en el mes: {names}.",
                    f"Offices without any event in the month: {names}.",
                )
            )
        )
    if none:
        parts.append(
            p.table(
                say("Indicadores sin valor", "KPIs without a value"),
                (say("Indicador", "KPI"), say("Por qué", "Why")),
                [none],
            )
        )
    return p.new_page("quality", say("Calidad de los datos", "Data quality"), *parts)


def _clamped(review: Review, edition: Edition) -> Iterator[tuple[str, int]]:
    for kpis, count in review.quality.clamped:
        yield "; ".join(p.named(edition, kpi) for kpi in kpis), count


def method(review: Review, edition: Edition) -> str:
    """Return how the numbers were made."""
    say = edition.say
    at = p.instant(edition, review.month.as_of_ms)
    newest = (
        p.NOTHING if review.feed.newest_ms is None else p.instant(edition, review.feed.newest_ms)
    )
    told = say(
        f"Todo se lee en un solo instante: {at}. Es lo que el cuadro de mando dice de ese "
        "instante: las mismas ventanas, metas, trayectorias y tolerancias.",
        f"Everything is read at one instant: {at}. It is what the scorecard says of that instant: "
        "the same windows, targets, trajectories and tolerances.",
    )
    known = say(
        "Cuenta lo que se sabe hoy de ese mes: los eventos que llegaron después y las correcciones "
        f"están incluidos. El registro más reciente que se contó es de {newest}. Por eso una "
        "revisión que se hace más tarde puede diferir de lo que el tablero mostró aquel día.",
        "What counts is what is known today of that month: late events and corrections are in it. "
        f"The newest recording that was counted is of {newest}. So a review that is made later may "
        "differ from what the dashboard showed on that day.",
    )
    over = say(
        "El mes se cuenta entero, por días locales, también su último cuarto de hora. Lo que "
        "estaba abierto en aquel momento solo se sabe si se leen los eventos; de los conteos no se "
        "puede saber después.",
        "The month is counted whole, by local days, its last quarter of an hour as well. What was "
        "open at that time is known only where the events are read; from the counts it cannot be "
        "known afterwards.",
    )
    status = say(
        "Un estado es el de la lectura en ese instante; el tablero lo cambia solo cuando se "
        "mantiene varias lecturas seguidas.",
        "A status is that of the reading at that instant; the dashboard changes it only once it "
        "has held for several readings.",
    )
    study = say(
        "El Estudio de Tiempos de Despacho sigue el artículo 7.6 del Acuerdo sobre Facilitación "
        "del Comercio de la OMC (medir y publicar el tiempo medio de levante) y la guía de la OMA. "
        "Medianas y percentiles tienen un error de 1 % como máximo; promedios y conteos son "
        "exactos.",
        "The Time Release Study follows Article 7.6 of the WTO Trade Facilitation Agreement "
        "(measure and publish the average release time) and the WCO's guide. Medians and "
        "percentiles are within 1 %; means and counts are exact.",
    )
    source = (
        say("Archivos de eventos: ", "Files of events: ") + ", ".join(review.feed.files)
        if review.feed.source is Source.EVENTS
        else say("Conteos del tópico de filas.", "Counts of the topic of rows.")
    )
    parts = [told, known, *([over] if review.month.over else []), status, study, source]
    return p.section("method", say("Método", "Method"), *map(p.paragraph, parts))


def definitions(review: Review, edition: Edition) -> str:
    """Return what each KPI means, and where its figures come from."""
    say = edition.say
    kpis = list({row.kpi.id: row.kpi for row in review.rows}.values())
    heads: Sequence[str | Cell] = (
        say("Indicador", "KPI"),
        say("Fórmula", "Formula"),
        say("Cuándo cuenta", "When it counts"),
        say("Responsable", "Owner"),
        say("Fuente", "Source"),
    )
    return p.new_page(
        "definitions",
        say("Definiciones", "Definitions"),
        p.table(
            say("Indicadores en palabras", "KPIs in words"),
            heads,
            [[_definition(kpi, edition)] for kpi in kpis],
        ),
    )


def _definition(kpi: Kpi, edition: Edition) -> Sequence[Cell]:
    strategy, language = edition.strategy, edition.language
    when = ""
    if not isinstance(kpi.measure, NotMeasured):
        when = counts_when(kpi, strategy, language)
    return [
        p.row_head(p.named(edition, kpi), phrases.unit(edition, kpi)),
        p.text(formula(kpi, strategy, language)),
        p.text(when),
        p.text(kpi.owner),
        p.text(kpi.source),
    ]


def sources(review: Review, edition: Edition) -> str:
    """Return where targets and published figures come from."""
    say, strategy = edition.say, review.strategy
    kpis = {row.kpi.id: row.kpi for row in review.rows}
    targets = [
        [
            p.row_head(p.named(edition, kpis[each.kpi]), phrases.scope(edition, each)),
            p.figure(phrases.goal(edition, kpis[each.kpi], each)),
            p.figure(p.day(edition, p.last_day(edition, each))),
            p.text(each.owner),
            p.text(
                "; ".join(
                    filter(None, (say("supuesto", "assumption") * each.assumption, each.source))
                )
                or p.NOTHING
            ),
        ]
        for each in strategy.targets
        if each.kpi in kpis
    ]
    published = [
        [
            p.row_head(p.named(edition, kpis[each.kpi]), f"{each.who}, {each.period}"),
            p.figure(p.value(edition, kpis[each.kpi], each.value)),
            p.text(each.source),
        ]
        for each in strategy.benchmarks
        if each.kpi in kpis
    ]
    parts = []
    if targets:
        parts.append(
            p.table(
                say("Metas", "Targets"),
                (
                    say("Indicador", "KPI"),
                    p.right(say("Meta", "Target")),
                    p.right(say("Hasta", "By")),
                    say("Responsable", "Owner"),
                    say("Fuente", "Source"),
                ),
                [targets],
            )
        )
    if published:
        parts.append(
            p.table(
                say("Cifras publicadas de otros", "Published figures of others"),
                (say("Indicador", "KPI"), p.right(say("Valor", "Value")), say("Fuente", "Source")),
                [published],
            )
        )
    return p.section("sources", say("Fuentes", "Sources"), *parts) if parts else ""
