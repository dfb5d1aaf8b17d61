"""The dictionary has every KPI, the runbook every alert, and what they link to is there."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from kpi_stream.application.handbook import dictionary, handbook_files, runbook
from kpi_stream.application.handbook.markdown import MARK, anchor, code, escaped, table
from kpi_stream.application.handbook.runbook import ENTRIES
from kpi_stream.application.monitoring.alert import kebab
from kpi_stream.application.monitoring.alerts import alerts
from kpi_stream.application.monitoring.edition import Edition
from tests.support.dashboards import EDITIONS, boards, edition, panels

MARKDOWN = MarkdownIt("commonmark").enable("table")
BOTH = ("docs/kpis.md", "docs/runbook.md")


def tokens(text: str) -> Iterator[Token]:
    """Yield every token of a document, those within lines included."""
    for each in MARKDOWN.parse(text):
        yield each
        yield from each.children or ()


def visible(text: str) -> str:
    """Return a document as a reader sees it: words without markup."""
    return " ".join(each.content for each in tokens(text) if each.type in {"text", "code_inline"})


def links(text: str) -> list[str]:
    """Return the targets of a document's links."""
    return [str(each.attrs["href"]) for each in tokens(text) if each.type == "link_open"]


def anchors(text: str) -> list[str]:
    """Return the places that links may name."""
    return re.findall(r'^<a id="([^"]+)"></a>$', text, re.MULTILINE)


def section(text: str, name: str) -> str:
    """Return what stands between a place and the next one."""
    return text.partition(anchor(name) + "\n")[2].partition("\n<a id=")[0]


@pytest.mark.parametrize("name", EDITIONS)
def test_every_kpi_is_in_the_dictionary_once(name: str):
    """With its name, question, owner, source, and a link to its dashboard."""
    one = edition(name)
    text = dictionary(one)
    assert Counter(anchors(text)).most_common(1)[0][1] == 1
    for kpi in one.strategy.kpis:
        entry = visible(section(text, kpi.id))
        for part in (one.text(kpi.name), one.text(kpi.question), kpi.owner, kpi.source):
            assert " ".join(part.split()) in entry
        for window in kpi.windows:
            assert window in entry.split()
        told = [each.who for each in one.strategy.benchmarks if each.kpi == kpi.id]
        assert [who for who in told if who not in entry] == []


def test_a_kpi_tells_of_its_worklist():
    """From which share of the limit on, and how many are listed; the others say nothing."""
    one = edition("sunat-es")
    text = dictionary(one)
    (listed,) = one.strategy.worklists
    entry = section(text, listed.kpi)
    assert f"| Lista de trabajo | `{listed.id}`: " in entry
    assert "75 % de su plazo o más" in entry
    assert f"hasta {listed.size}, y" in entry
    assert text.count("Lista de trabajo") == 1


@pytest.mark.parametrize("name", EDITIONS)
def test_every_target_is_in_the_dictionary(name: str):
    """A row for each, with who answers for it and who approved it; untargeted ones say so."""
    one = edition(name)
    text = dictionary(one)
    for kpi in one.strategy.kpis:
        targets = [each for each in one.strategy.targets if each.kpi == kpi.id]
        entry = section(text, kpi.id)
        rows = re.findall(r"^\|.*; [^|]*\| v\d+; .*\|$", entry, re.MULTILINE)
        assert len(rows) == len(targets)
        for row, target in zip(rows, targets, strict=True):
            assert escaped(f"{target.owner}; {target.approver}") in row
            assert f"| v{target.version}; " in row
        none = one.say("No tiene meta", "No target")
        assert (none in entry) is not bool(targets)


def test_targets_are_told_as_their_readers_see_them():
    """Units, dates and shapes of the way; a deadline is the last day on which it holds."""
    text = dictionary(edition("pocket-es"))
    release = section(text, "mean-time-from-arrival-to-release-of-all-goods")
    assert (
        "| nacional | últimos 30 días | 3,0 d (2026-01-01) | 1,0 d o menos | 2026-12-31 "
        "| a ritmo constante | 0,0 %; 10,0 % | Collector; Minister | v1; Circular 1 |" in release
    )
    band = section(text, "red-share")
    assert "| de 2,0 % a 8,0 % | 2026-12-31 | constante |" in band
    assert "v1; supuesto |" in band
    assert "| Oficina: cada valor | últimos 7 días |" in section(text, "soon")
    assert "por escalones (2026-07-01: 2,00 \N{MULTIPLICATION SIGN})" in section(text, "nose")
    assert "Plan por año | 2026: NZD " in section(text, "planned")


@pytest.mark.parametrize("name", EDITIONS)
def test_every_alert_has_an_entry(name: str):
    """One for each name, in which each of its rules is listed with its owner."""
    one = edition(name)
    text = runbook(one)
    every = alerts(one.strategy)
    assert anchors(text) == [*dict.fromkeys(each.anchor for each in every), "datasource-error"]
    for each in every:
        entry = section(text, each.anchor)
        assert escaped(one.text(each.title)) in entry
        assert escaped(each.labels["owner"]) in entry
        assert len(re.findall(r"^\d+\. ", entry, re.MULTILINE)) >= 2
    for first in {each.name: each for each in reversed(every)}.values():
        assert code(first.expr) in section(text, first.anchor)


def test_every_entry_has_an_alert():
    """What the runbook tells about exists in some strategy, in both languages."""
    names = {each.name for name in EDITIONS for each in alerts(edition(name).strategy)}
    assert names == set(ENTRIES)
    for entry in ENTRIES.values():
        for text in (entry.title, entry.means, entry.fires, entry.look, *entry.steps):
            assert set(text) == {"es", "en"}
            assert text["es"] != text["en"]
            numbers = [sorted(re.findall(r"\d+", text[each])) for each in ("es", "en")]
            assert numbers[0] == numbers[1]


def test_an_alert_without_an_entry_is_found(monkeypatch: pytest.MonkeyPatch):
    """The runbook is not written without it."""
    monkeypatch.delitem(ENTRIES, "FeedStale")
    with pytest.raises(KeyError, match="FeedStale"):
        runbook(edition("harbour-en"))


def test_times_are_those_of_the_rule():
    """How long it must hold, and how long it goes on, in words."""
    one = edition("harbour-en")
    for each in alerts(one.strategy):
        if each.name == "KpiOffTrack":
            assert (each.for_s, each.keep_firing_s) == (900, 900)
    entry = section(runbook(one), kebab("KpiOffTrack"))
    assert "It must last for 15 minutes; then it goes on for 15 minutes more." in entry


@pytest.mark.parametrize("name", EDITIONS)
def test_every_link_leads_somewhere(name: str):
    """To a place in one of the two documents, or to a panel that exists."""
    one = edition(name)
    texts = handbook_files(one)
    assert tuple(texts) == BOTH
    places = {path.removeprefix("docs/"): set(anchors(text)) for path, text in texts.items()}
    shown = {
        board["uid"]: {each["id"] for each in panels(board)} for board in boards(name).values()
    }
    seen = Counter[str]()
    for path, text in texts.items():
        for link in links(text):
            if link.startswith(one.grafana_url):
                uid, _, panel = link.removeprefix(f"{one.grafana_url}/d/").partition("?viewPanel=")
                assert uid in shown, link
                assert not panel or int(panel) in shown[uid], link
                seen["dashboard"] += 1
                continue
            page, _, place = link.partition("#")
            assert (page or path.removeprefix("docs/")) in places, link
            assert not place or place in places[page or path.removeprefix("docs/")], link
            seen["place"] += 1
    assert seen["dashboard"] > len(one.strategy.kpis)
    assert seen["place"] > len(one.strategy.kpis)


@pytest.mark.parametrize("name", EDITIONS)
def test_nothing_of_a_strategy_is_markup(name: str):
    """Tables keep their shape, and the only HTML are the places and the mark of the generator."""
    for text in handbook_files(edition(name)).values():
        html = [each.content for each in tokens(text) if each.type.startswith("html_")]
        assert len(html) > 10
        assert {re.sub(r'id="[a-z0-9-]+"', "id", each).strip() for each in html} == {
            *("<a id>", "</a>", MARK)
        }
        # A cell that its row has too many is dropped without a word.
        widths = [
            len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
            for line in text.splitlines()
        ]
        assert max(widths) > 3
        assert [pair for pair in pairwise(widths) if all(pair) and pair[0] != pair[1]] == []


@pytest.mark.parametrize("name", EDITIONS)
def test_the_same_strategy_gives_the_same_bytes(name: str):
    """Nothing in it depends on when or in which order it was made."""
    one = edition(name)
    assert handbook_files(Edition(one.strategy, one.language)) == handbook_files(one)


def test_both_languages_have_the_same_places():
    """Links into the documents hold in either edition, though every sentence is another."""
    es, en = handbook_files(edition("sunat-es")), handbook_files(edition("sunat-en"))
    for path in BOTH:
        assert anchors(es[path]) == anchors(en[path])
        assert links(es[path]) == links(en[path])
    for word in ("Owner", "Formula", "What to do", "Fires when"):
        assert word not in visible(" ".join(es.values()))
    for word in ("Responsable:", "Fórmula", "Qué hacer", "Dispara"):
        assert word not in visible(" ".join(en.values()))


@pytest.mark.parametrize(
    "text", ["a|b", "*a* _b_ `c`", "<b>&amp;</b>", "[x](y)", "NZ$ 5 \\ #1 ~~z~~"]
)
def test_a_text_reads_as_it_is(text: str):
    """Whatever a strategy calls something, a reader sees just that, in a cell as well."""
    assert visible(escaped(text)).replace(" ", "") == text.replace(" ", "")
    assert text.replace(" ", "") in visible(table(("a",), [(escaped(text),)])).replace(" ", "")


def test_code_cannot_end_its_own_fence():
    """A fence is longer than any run of backticks within."""
    (fence,) = [each for each in tokens(code("a ``` b")) if each.type == "fence"]
    assert fence.content == "a ``` b\n"
