"""The whole document."""

from html import escape
from pathlib import Path

from kpi_stream.adapters.review import method, movements, places, scorecard, way
from kpi_stream.adapters.review import parts as p
from kpi_stream.application.display import member_name
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.application.review import OFFICE, Review
from kpi_stream.domain.windows import LocalDays

_STYLE = Path(__file__).with_name("style.css")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""No script runs and nothing is fetched, wherever the file is opened."""


def document(review: Review, language: str) -> str:
    """Return the review as one HTML document.

    Args:
        review: The month.
        language: `es` or `en`.
    """
    edition = Edition(review.strategy, language)
    say = edition.say
    first = LocalDays(review.strategy.calendar.time_zone).date_of(review.month.period.start_ms)
    month = p.month_name(edition, first)
    title = say(
        f"Revisión mensual y Estudio de Tiempos de Despacho: {month}",
        f"Monthly review and Time Release Study: {month}",
    )
    whose = edition.text(review.strategy.name)
    if review.office is not None:
        name = member_name(review.strategy, OFFICE, review.office, language)
        whose = f"{whose} · {name} ({review.office})"
    sections = [
        scorecard.summary(review, edition),
        scorecard.scorecard(review, edition),
        movements.movements(review, edition),
        way.stages(review, edition),
        places.offices(review, edition),
        places.initiatives(review, edition),
        method.quality(review, edition),
        method.method(review, edition),
        method.definitions(review, edition),
        method.sources(review, edition),
    ]
    at = p.instant(edition, review.month.as_of_ms)
    style = _STYLE.read_text(encoding="utf-8")
    return (
        f'<!doctype html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        f"<header>\n<p>{escape(whose)}</p>\n<h1>{escape(title)}</h1>\n"
        f'<p class="quiet">{escape(say("Al", "As of"))} {escape(at)}</p>\n'
        f"{_warnings(review, edition)}{_contents(edition)}</header>\n"
        f"<main>\n{''.join(sections)}</main>\n</body>\n</html>\n"
    )


def _warnings(review: Review, edition: Edition) -> str:
    found = []
    if not review.month.over:
        found.append(
            edition.say(
                "El mes no ha terminado: esto es lo que va de él.",
                "The month is not over: this is what there is of it so far.",
            )
        )
    if review.feed.waiting:
        count = p.counted(edition, review.feed.waiting)
        found.append(
            edition.say(
                f"Faltan por contar {count} eventos; los números van a cambiar.",
                f"{count} events are not counted yet; the numbers will change.",
            )
        )
    newest = review.feed.newest_ms
    if review.month.over and newest is not None and newest < review.month.as_of_ms:
        at = p.instant(edition, newest)
        found.append(
            edition.say(
                f"Los datos terminan antes que el mes: el registro más reciente es de {at}.",
                f"The data end before the month does: the newest recording is of {at}.",
            )
        )
    return "".join(p.paragraph(each, "warned") for each in found)


def _contents(edition: Edition) -> str:
    say = edition.say
    names = {
        "summary": say("Resumen", "Summary"),
        "scorecard": say("Cuadro de mando", "Scorecard"),
        "movements": say("Qué se movió y por qué", "What moved and why"),
        "stages": say("Estudio de Tiempos de Despacho", "Time Release Study"),
        "offices": say("Aduanas", "Offices"),
        "initiatives": say("Iniciativas", "Initiatives"),
        "quality": say("Calidad de los datos", "Data quality"),
        "method": say("Método", "Method"),
        "definitions": say("Definiciones", "Definitions"),
        "sources": say("Fuentes", "Sources"),
    }
    items = "".join(f'<li><a href="#{to}">{escape(name)}</a></li>' for to, name in names.items())
    return f'<nav aria-label="{escape(say("Contenido", "Contents"))}"><ul>{items}</ul></nav>\n'
