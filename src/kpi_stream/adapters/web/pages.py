"""The handbook as web pages: the same Markdown as in docs/, rendered without any other host.

The rendering lets no HTML through, whatever a strategy calls its KPIs; the places that links name
become the ids of the headings after them.
"""

import re
from collections.abc import Sequence
from html import escape

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from kpi_stream.application.handbook import dictionary, runbook
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.domain.strategy import Strategy, Text

LANGUAGES = ("es", "en")
PAGES = {"kpis": dictionary, "runbook": runbook}
"""What writes each page, by its path."""
TITLES: dict[str, Text] = {
    "kpis": {"es": "Indicadores", "en": "KPIs"},
    "runbook": {"es": "Manual de guardia", "en": "Runbook"},
}

_ANCHOR = re.compile(r'<a id="([A-Za-z0-9_-]+)"></a>')
_COMMENT = re.compile(r"<!--.*-->", re.DOTALL)
_DOCUMENT = re.compile(r"^(?:docs/)?(kpis|runbook)\.md(?=#|$)")

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 72rem; padding: 1rem; }
nav { display: flex; flex-wrap: wrap; gap: 1.5rem; }
nav :last-child { margin-left: auto; }
h2, h3 { border-top: 1px solid #8886; margin-top: 2.5rem; padding-top: 1rem; }
:target { background: #ffd54f55; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { border: 1px solid #8886; padding: .3rem .6rem; text-align: left; vertical-align: top; }
pre { background: #8882; overflow-x: auto; padding: .8rem; white-space: pre-wrap; }
"""

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
"""No script runs and nothing is fetched, even if the rendering let something through."""


class Handbook:
    """The pages of the strategy in force, each rendered once a language.

    Args:
        grafana_url: Where people reach Grafana.
    """

    def __init__(self, grafana_url: str = Edition.grafana_url) -> None:
        self._grafana_url = grafana_url
        self._cached: tuple[Strategy | None, dict[tuple[str, str], str]] = (None, {})

    def page(self, name: str, strategy: Strategy, language: str) -> str:
        """Return a page as HTML.

        Args:
            name: One of `PAGES`.
            strategy: The one in force.
            language: One of `LANGUAGES`.
        """
        # In one step: another thread may ask for a page of another strategy meanwhile.
        cached = self._cached
        if cached[0] is not strategy:
            cached = self._cached = (strategy, {})
        rendered = cached[1]
        if (name, language) not in rendered:
            edition = Edition(strategy, language, self._grafana_url)
            rendered[name, language] = document(name, PAGES[name](edition), language)
        return rendered[name, language]


def document(name: str, markdown: str, language: str) -> str:
    """Return a whole HTML document.

    Args:
        name: Its path, one of `PAGES`.
        markdown: What it says.
        language: Its own; links between the pages keep it.
    """
    links = [
        f'<a href="{page}?language={language}">{escape(title[language])}</a>'
        for page, title in TITLES.items()
    ]
    other, called = ("en", "English") if language == "es" else ("es", "Español")
    links.append(f'<a href="{name}?language={other}" lang="{other}">{called}</a>')
    return (
        f'<!doctype html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(TITLES[name][language])}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<nav>{' '.join(links)}</nav>\n<main>\n{body(markdown, language)}</main>\n"
        "</body>\n</html>\n"
    )


def body(markdown: str, language: str) -> str:
    """Return Markdown as HTML, its places as ids and its links as those of these pages."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = _placed(parser.parse(markdown))
    for token in tokens:
        for each in token.children or ():
            if each.type == "link_open":
                address = str(each.attrs["href"])
                each.attrs["href"] = _DOCUMENT.sub(rf"\1?language={language}", address)
    parser.add_render_rule("table_open", _wide)
    parser.add_render_rule("table_close", _wide_end)
    return str(parser.renderer.render(tokens, parser.options, {}))


def _placed(tokens: Sequence[Token]) -> list[Token]:
    """Return the tokens without places and comments; a place is an id of the block after it."""
    kept: list[Token] = []
    place = ""
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token.type == "paragraph_open":
            content = tokens[at + 1].content
            found = _ANCHOR.fullmatch(content)
            if found or _COMMENT.fullmatch(content):
                place = found[1] if found else place
                at += 3
                continue
        if place and token.nesting == 1:
            token.attrSet("id", place)
            place = ""
        kept.append(token)
        at += 1
    return kept


def _wide(
    renderer: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, _: EnvType
) -> str:
    return '<div class="wide">' + renderer.renderToken(tokens, at, options, {})


def _wide_end(
    renderer: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, _: EnvType
) -> str:
    return renderer.renderToken(tokens, at, options, {}) + "</div>\n"
