"""The handbook as pages: places, links, tables, and nothing that a strategy could slip in."""

import re
from html.parser import HTMLParser

import pytest

from kpi_stream.adapters.web.pages import PAGES, Handbook, body, document
from kpi_stream.application.handbook.markdown import anchor, escaped, page, table
from kpi_stream.application.monitoring.alerts import alerts
from tests.support.dashboards import EDITIONS, edition

VOID = {"br", "hr", "meta"}


class Seen(HTMLParser):
    """What a browser would find."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag and its attributes."""
        given = dict(attrs)
        self.tags.add(tag)
        self.ids += [given["id"] or ""] if "id" in given else []
        self.links += [given["href"] or ""] if "href" in given else []
        assert not [name for name in given if name.startswith("on")]
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Note that a tag ends; the one that began last."""
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note words."""
        self.words.append(data)


def seen(name: str, which: str) -> Seen:
    """Return a page of an edition as a browser finds it."""
    one = edition(name)
    return Seen(Handbook("https://grafana.example").page(which, one.strategy, one.language))


@pytest.mark.parametrize("name", EDITIONS)
def test_every_alert_leads_to_its_heading(name: str):
    """What a rule's runbook_url names is an id of the page, once."""
    ids = seen(name, "runbook").ids
    for each in alerts(edition(name).strategy):
        assert ids.count(each.anchor) == 1


@pytest.mark.parametrize("name", EDITIONS)
def test_every_kpi_has_a_heading(name: str):
    """Its id is the KPI's, once; the page has its name."""
    found = seen(name, "kpis")
    words = " ".join("".join(found.words).split())
    for each in edition(name).strategy.kpis:
        assert found.ids.count(each.id) == 1
        assert " ".join(edition(name).text(each.name).split()) in words


@pytest.mark.parametrize("name", EDITIONS)
def test_every_link_of_a_page_leads_somewhere(name: str):
    """To the other page in the same language, to a place that is there, or to Grafana."""
    pages = {which: seen(name, which) for which in PAGES}
    language = edition(name).language
    for which, found in pages.items():
        for link in found.links:
            if link.startswith("https://grafana.example/d/"):
                continue
            target, _, place = link.partition("#")
            path, _, query = target.partition("?")
            assert (path or which) in pages
            assert not place or place in pages[path or which].ids
            assert query in {"", f"language={language}"} or (path, place) == (which, "")


@pytest.mark.parametrize("name", EDITIONS)
def test_a_page_asks_no_other_host(name: str):
    """Neither scripts nor pictures nor styles from elsewhere."""
    for which in PAGES:
        assert not seen(name, which).tags & {"script", "img", "link", "iframe", "form"}


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", '<a id="x"></a>', "<!-- x -->", "<b onclick=x>y</b>"]
)
def test_no_html_comes_through(text: str):
    """A text of a strategy is text, whether its Markdown escapes it or not."""
    for given in (text, escaped(text), table(("a",), [(escaped(text),)])):
        found = Seen(body(page([f"before {given}" if given == text else given]), "en"))
        assert not found.tags & {"script", "a", "b"}
        assert found.ids == []
        assert text in "".join(found.words)


def test_no_link_runs_a_script():
    """A target that is no address stays text."""
    assert Seen(body("[x](javascript:alert(1))", "en")).links == []


def test_a_place_is_the_id_of_what_follows():
    """The heading gets it; the comment of the generator is left out."""
    html = body(page([anchor("a-b"), "## Title", "text"]), "en")
    assert html == '<h2 id="a-b">Title</h2>\n<p>text</p>\n'


def test_links_between_the_documents_keep_the_language():
    """In docs/ they name files, here pages."""
    html = body("[a](kpis.md#soon) [b](runbook.md) [c](other.md) [d](#soon)", "es")
    assert re.findall('href="([^"]+)"', html) == [
        *("kpis?language=es#soon", "runbook?language=es", "other.md", "#soon")
    ]


def test_wide_tables_scroll():
    """Each table has a box of its own."""
    html = document("kpis", table(("a", "b"), [("1", "2")]), "en")
    assert '<div class="wide"><table>' in html
    assert html.count("</table>\n</div>") == 1
    Seen(html)


def test_a_page_is_rendered_once_a_strategy(monkeypatch: pytest.MonkeyPatch):
    """It is the same text until another strategy is in force."""
    asked: list[str] = []
    written = PAGES["kpis"]
    monkeypatch.setitem(PAGES, "kpis", lambda one: (asked.append(one.language), written(one))[1])
    handbook = Handbook()
    pocket, harbour = edition("pocket-es").strategy, edition("harbour-en").strategy
    first = handbook.page("kpis", pocket, "es")
    assert handbook.page("kpis", pocket, "es") is first
    assert handbook.page("kpis", pocket, "en") != first
    assert "Almadra" in handbook.page("kpis", harbour, "en")
    assert asked == ["es", "en", "en"]
