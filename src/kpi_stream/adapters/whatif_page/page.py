"""The page around the pictures: what was tried, the table, one picture a series."""

from datetime import datetime
from functools import partial
from html import escape
from zoneinfo import ZoneInfo

from kpi_stream.adapters.whatif_page.chart import Texts, chart, moment
from kpi_stream.application.display import (
    MARKS,
    STATUS_WORDS,
    member_name,
    number,
    presentation,
    shown,
)
from kpi_stream.application.handbook.formula import formula
from kpi_stream.application.whatif import Comparison, Course, Pair
from kpi_stream.domain.status import Status
from kpi_stream.domain.strategy import Kpi, Strategy

_WORDS: dict[str, dict[str, str]] = {
    "title": {"es": "Qué habría pasado si", "en": "What if"},
    "note": {
        "es": "La misma historia juzgada por dos estrategias en {n} instantes, {first} a {last}. "
        "En cada uno cuenta lo que estaba registrado hasta entonces. Veces: instantes fuera de "
        "meta. Alertas: rachas de ellos.",
        "en": "The same history judged by two strategies, at {n} instants from {first} to {last}. "
        "At each one what was recorded by then counts. Breaches: instants off track. Alerts: runs "
        "of them.",
    },
    "today": {"es": "hoy", "en": "today"},
    "other": {"es": "prueba", "en": "trial"},
    "reading": {"es": "lectura", "en": "reading"},
    "expected": {"es": "debe", "en": "expected"},
    "kpi": {"es": "Indicador", "en": "KPI"},
    "by": {"es": "Según", "en": "By"},
    "goal": {"es": "Meta", "en": "Target"},
    "until": {"es": "hasta", "en": "by"},
    "breaches": {"es": "Veces", "en": "Breaches"},
    "alerts": {"es": "Alertas", "en": "Alerts"},
    "first": {"es": "Primera vez", "en": "First breach"},
    "silent": {"es": "Sin datos en todo el periodo", "en": "Without data all the time"},
}

_COUNTS = ("breaches", "alerts", "first")

_STYLE = """
:root { color-scheme: light dark; --ground: #fff; --ink: #16191d; --quiet: #5a636e; --rule: #d8dce1;
  --reading: #16191d; --today: #0b5a82; --other: #8a5300;
  --on: #009e73; --risk: #e69f00; --off: #d55e00; --none: #9aa1a8; }
@media (prefers-color-scheme: dark) { :root { --ground: #14171a; --ink: #eceff2; --quiet: #a5aeb8;
  --rule: #363d45; --reading: #eceff2; --today: #7cc4ee; --other: #f2bd62; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 78rem; padding: 1.2rem; background: var(--ground);
  color: var(--ink); font: 15px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .4rem; } h2 { font-size: 1.12rem; margin: 2rem 0 .3rem; }
p { color: var(--quiet); margin: .3rem 0; max-width: 56rem; }
.wide { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .35rem .8rem .35rem 0; border-bottom: 1px solid var(--rule);
  white-space: nowrap; vertical-align: baseline; font-weight: 400; }
th.text, td.text { text-align: left; }
th[scope="rowgroup"] { white-space: normal; min-width: 15rem; }
thead th { color: var(--quiet); font-size: .85rem; }
tr.first > * { border-bottom-color: transparent; }
.key { display: inline-block; width: 1.4rem; border-top: 3px solid; margin-right: .4rem;
  vertical-align: .25rem; }
.key.today { color: var(--today); } .key.other { color: var(--other); border-top-style: dashed; }
ul.marks { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1.4rem; padding: 0; }
.swatch { display: inline-block; width: 1.3rem; text-align: center; margin-right: .4rem;
  color: #000; }
svg { width: 100%; height: auto; display: block; font-size: 12px; }
figure { margin: 0; break-inside: avoid; }
.grid { stroke: var(--rule); } .tick { fill: var(--quiet); font-variant-numeric: tabular-nums; }
path { fill: none; stroke-width: 2; stroke-linejoin: round; }
path.reading.today, path.reading.other { stroke: var(--reading); }
path.reading.other { stroke-dasharray: 2 3; }
path.expected { stroke-width: 2.2; } path.expected.today { stroke: var(--today); }
path.expected.other { stroke: var(--other); stroke-dasharray: 7 4; }
circle { fill: var(--reading); } circle.expected.today { fill: var(--today); }
circle.expected.other { fill: var(--other); }
.label { font-weight: 600; } .label.reading { fill: var(--reading); }
.label.expected.today { fill: var(--today); } .label.expected.other { fill: var(--other); }
rect.on_track, .swatch.on_track { fill: var(--on); background: var(--on); }
rect.at_risk, .swatch.at_risk { fill: var(--risk); background: var(--risk); }
rect.off_track, .swatch.off_track { fill: var(--off); background: var(--off); }
rect.no_data, .swatch.no_data { fill: var(--none); background: var(--none); }
.mark { fill: #000; }
@media print { :root { --ground: #fff; --ink: #000; --quiet: #444; --rule: #bbb; --reading: #000;
  --today: #0b5a82; --other: #8a5300; } body { padding: 0; max-width: none; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  table { font-size: .8rem; } .wide { overflow: visible; } }
"""


def whatif_page(found: Comparison, language: str) -> str:
    """Return a comparison as one HTML file.

    Args:
        found: Both strategies over the history.
        language: `es` or `en`.
    """
    title = f"{_say('title', language)} · {found.today.name[language]}"
    zone = ZoneInfo(found.today.calendar.time_zone)
    note = _say("note", language).format(
        n=number(len(found.instants), 0, language),
        first=moment(found.instants[0], zone),
        last=moment(found.instants[-1], zone),
    )
    return "\n".join(
        [
            "<!doctype html>",
            f'<html lang="{language}"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>",
            f"<h1>{escape(title)}</h1><p>{escape(note)}</p>",
            _table(found, zone, language),
            _silent(found, language),
            _marks(language),
            *(_figure(pair, found, zone, language) for pair in found.pairs if pair.has_data),
            "</main></body></html>",
            "",
        ]
    )


def _say(word: str, language: str) -> str:
    return _WORDS[word][language]


def _table(found: Comparison, zone: ZoneInfo, language: str) -> str:
    headings = [
        f'<th scope="col" class="text">{_say("kpi", language)}</th>',
        f'<th scope="col" class="text">{_say("by", language)}</th>',
        f'<th scope="col" class="text">{_say("goal", language)}</th>',
        *(f'<th scope="col">{MARKS[each]} {STATUS_WORDS[each][language]}</th>' for each in Status),
        *(
            f'<th scope="col">{_say(each, language)}</th>'
            for each in ("breaches", "alerts", "first")
        ),
    ]
    pairs = [each for each in found.pairs if each.has_data]
    rows = "\n".join(_rows(each, found, zone, language) for each in pairs)
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{_say("kpi", language)}"><table>'
        f"<thead><tr>{''.join(headings)}</tr></thead>\n<tbody>{rows}</tbody></table></div>"
    )


def _rows(pair: Pair, found: Comparison, zone: ZoneInfo, language: str) -> str:
    sides = pair.sides
    rows = []
    for place, (side, course) in enumerate(sides):
        name = ""
        if place == 0:
            text = escape(_name(pair, course, found, language))
            name = f'<th scope="rowgroup" class="text" rowspan="{len(sides)}">{text}</th>'
        cells = [
            f'<th scope="row" class="text">{_key(side)}{_say(side, language)}</th>',
            f'<td class="text">{escape(_goal(course, _of(found, side), zone, language))}</td>',
            *(f"<td>{escape(each)}</td>" for each in _cells(course, zone, language)),
        ]
        first = ' class="first"' if place + 1 < len(sides) else ""
        rows.append(f"<tr{first}>{name}{''.join(cells)}</tr>")
    return "\n".join(rows)


def _key(side: str) -> str:
    return f'<span class="key {side}"></span>'


def _cells(course: Course, zone: ZoneInfo, language: str) -> list[str]:
    if course.target is None:
        return ["—"] * (len(Status) + 3)
    shares = [course.share(status) or 0.0 for status in Status]
    first = course.first_breach_ms
    return [
        *(f"{number(share * 100, 1, language)} %" for share in shares),
        number(course.breaches, 0, language),
        number(course.alerts, 0, language),
        "—" if first is None else moment(first, zone),
    ]


def _of(found: Comparison, side: str) -> Strategy:
    return found.today if side == "today" else found.other


def _goal(course: Course, strategy: Strategy, zone: ZoneInfo, language: str) -> str:
    target = course.target
    if target is None:
        return "—"
    ends = [each for each in (target.low, target.value) if each is not None]
    text = "\N{EN DASH}".join(shown(each, course.kpi, strategy, language) for each in ends)
    # The deadline is the midnight that ends its day.
    last = datetime.fromtimestamp(target.deadline.timestamp() - 1, zone)
    return f"{text} {_say('until', language)} {last:%Y-%m-%d}"


def _silent(found: Comparison, language: str) -> str:
    """Return a line about what never had data, which would only fill the page."""
    silent = [each for each in found.pairs if not each.has_data]
    if not silent:
        return ""
    names = (_name(pair, pair.sides[0][1], found, language) for pair in silent)
    return f"<p>{_say('silent', language)}: {escape('; '.join(names))}</p>"


def _marks(language: str) -> str:
    marks = "".join(
        f'<li><span class="swatch {each}">{MARKS[each]}</span>{STATUS_WORDS[each][language]}</li>'
        for each in Status
    )
    return f'<ul class="marks">{marks}</ul>'


def _figure(pair: Pair, found: Comparison, zone: ZoneInfo, language: str) -> str:
    course = pair.sides[0][1]
    name = _name(pair, course, found, language)
    texts = Texts(
        {side: _say(side, language) for side in ("today", "other")},
        _say("reading", language),
        _say("expected", language),
        partial(_value, course.kpi, found.today, language),
        presentation(course.kpi)[0],
        zone,
        language,
    )
    picture = chart(pair, found.instants, texts, name)
    words = [course.kpi.question[language], *_definitions(pair, found, language)]
    said = "".join(f"<p>{escape(each)}</p>" for each in words)
    return f"<section><h2>{escape(name)}</h2>{said}<figure>{picture}</figure></section>"


def _definitions(pair: Pair, found: Comparison, language: str) -> list[str]:
    """Return both definitions in words, where they differ; once a KPI, not at every member."""
    if pair.key.member or pair.today is None or pair.other is None:
        return []
    if pair.today.kpi.measure == pair.other.kpi.measure:
        return []
    return [
        f"{_say(side, language)}: {formula(course.kpi, _of(found, side), language)}"
        for side, course in pair.sides
    ]


def _value(kpi: Kpi, strategy: Strategy, language: str, value: float | None) -> str:
    return shown(value, kpi, strategy, language)


def _name(pair: Pair, course: Course, found: Comparison, language: str) -> str:
    key, kpi = pair.key, course.kpi
    member = member_name(found.today, key.dimension, key.member, language)
    name = f"{kpi.code} {kpi.name[language]}".strip()
    if member:
        name = kpi.code or name
    return " · ".join(each for each in (name, member, key.window) if each)
