"""Annotations as Grafana takes them: what is told of a changed status and of a changed strategy.

Their tags are stable, since dashboards and people's own queries select by them. On every one are
`kpi-stream`, the strategy's id, and `id:...`, by which this program finds its own again. Beyond:

* a changed status: `kpi:<id>`, `status:<on_track|at_risk|off_track|no_data>`, `objective:<id>`
  and, for a member, `<dimension>:<code>`, as in `office:118`;
* a target: `kpi:<id>`, `target:<new|revised|withdrawn>`, `objective:<id>`;
* a strategy that was read again: `strategy:reloaded`, on the map.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from kpi_stream.application.display import (
    MARKS,
    NO_DATA_WORDS,
    STATUS_WORDS,
    member_name,
    number,
    shown,
)
from kpi_stream.application.judge import EACH, Transition, target_digest
from kpi_stream.application.monitoring import places
from kpi_stream.domain.strategy import NATIONAL, Kpi, Strategy, Target, Text

TAG = "kpi-stream"
"""On every annotation of this program."""

_VALUE_CHARS = 100
"""Grafana keeps the two halves of a tag `key:value` in columns of this width."""

_HARMLESS = str.maketrans(
    {
        "<": "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}",
        ">": "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}",
    }
)
"""Grafana shows a text as HTML, and a member's code may come from an event."""

_MUST: Text = {"es": "debe", "en": "should be"}
_NEW: Text = {"es": "Meta nueva", "en": "New target"}
_REVISED: Text = {"es": "Meta revisada", "en": "Target revised"}
_WITHDRAWN: Text = {"es": "Meta retirada", "en": "Target withdrawn"}
_UNTIL: Text = {"es": "hasta el", "en": "by"}
_BEFORE: Text = {"es": "antes", "en": "before"}
_RELOADED: Text = {"es": "Estrategia leída de nuevo", "en": "Strategy read again"}
_COUNTS: Text = {
    "es": "metas nuevas {new}, revisadas {revised}, retiradas {withdrawn}",
    "en": "targets new {new}, revised {revised}, withdrawn {withdrawn}",
}
_EACH: Text = {"es": "cada uno: {dimension}", "en": "each: {dimension}"}


@dataclass(frozen=True, slots=True)
class Note:
    """One annotation."""

    id: str
    """A tag that no other annotation of the same instant has; finds it again."""
    at_ms: int
    dashboard: str
    """Uid of the dashboard."""
    panel: int | None
    """Number of the panel; None for all of the dashboard's."""
    tags: tuple[str, ...]
    text: str

    def body(self) -> dict[str, object]:
        """Return what Grafana takes as JSON."""
        body: dict[str, object] = {
            "dashboardUID": self.dashboard,
            "time": self.at_ms,
            "tags": [*self.tags, self.id],
            "text": self.text,
        }
        if self.panel is not None:
            body["panelId"] = self.panel
        return body


def of_transitions(transitions: Iterable[Transition], strategy: Strategy) -> list[Note]:
    """Return an annotation for each changed status of a KPI that the strategy (still) has."""
    kpis = {kpi.id: kpi for kpi in strategy.kpis}
    return [
        _transition(each, kpis[each.key.kpi], strategy)
        for each in transitions
        if each.key.kpi in kpis
    ]


def of_reload(old: Strategy, new: Strategy, at_ms: int) -> list[Note]:
    """Return an annotation for each target that was decided anew, and one for the strategy.

    None where nothing was changed at all; a changed wording alone changes no target.
    """
    if old == new:
        return []
    before, after = _decided(old), _decided(new)
    notes = []
    counts = {"new": 0, "revised": 0, "withdrawn": 0}
    for id_ in sorted(before.keys() | after.keys()):
        was, now = before.get(id_), after.get(id_)
        if was is not None and now is not None and was[1] == now[1]:
            continue
        change = "new" if was is None else "withdrawn" if now is None else "revised"
        counts[change] += 1
        note = _target(change, was, now, new, at_ms)
        if note is not None:
            notes.append(note)
    language = new.language
    text = f"▶ {_RELOADED[language]}: {_COUNTS[language].format(**counts)}"
    tags = (TAG, new.id, "strategy:reloaded")
    notes.append(Note(_tag("id", "reload"), at_ms, places.map_uid(new), None, tags, text))
    return notes


def _transition(each: Transition, kpi: Kpi, strategy: Strategy) -> Note:
    key, language = each.key, strategy.language
    tags = [TAG, strategy.id, _tag("kpi", kpi.id), _tag("status", each.after.value)]
    tags += _objective(strategy, kpi)
    if key.dimension != NATIONAL:
        tags.append(_tag(key.dimension, key.member))
    return Note(
        _tag("id", "/".join((*key, str(each.sequence)))),
        each.as_of_ms,
        places.kpi_uid(strategy, kpi.id),
        int(places.KpiPanel.VALUE),
        tuple(tags),
        f"{MARKS[each.after]} {STATUS_WORDS[each.after][language]}: "
        f"{_against(each, kpi, strategy)} · {_where(strategy, key.dimension, (key.member,))}"
        f"{key.window}",
    )


def _against(each: Transition, kpi: Kpi, strategy: Strategy) -> str:
    language = strategy.language
    samples = number(each.samples, 0, language)
    if each.value is None:
        if each.no_data is None:
            return f"(n {samples})"
        minimum = number(kpi.minimum_sample, 0, language)
        return NO_DATA_WORDS[each.no_data][language].format(samples=samples, minimum=minimum)
    value = shown(each.value, kpi, strategy, language)
    must = each.goal if each.expected is None else each.expected
    wanted = _goal(must, each.low, kpi, strategy)
    return f"{value}, {_MUST[language]} {wanted} (n {samples})"


def _goal(value: float, low: float | None, kpi: Kpi, strategy: Strategy) -> str:
    upper = shown(value, kpi, strategy, strategy.language)
    return (
        upper
        if low is None
        else f"{shown(low, kpi, strategy, strategy.language)} \N{EN DASH} {upper}"
    )


def _decided(strategy: Strategy) -> Mapping[str, tuple[Target, str, Kpi]]:
    kpis = {kpi.id: kpi for kpi in strategy.kpis}
    return {
        target.id: (target, target_digest(kpis[target.kpi], target), kpis[target.kpi])
        for target in strategy.targets
    }


def _target(
    change: str,
    was: tuple[Target, str, Kpi] | None,
    now: tuple[Target, str, Kpi] | None,
    strategy: Strategy,
    at_ms: int,
) -> Note | None:
    found = now or was
    if found is None or all(kpi.id != found[2].id for kpi in strategy.kpis):
        return None  # a withdrawn KPI has no dashboard any more
    target, _, kpi = found
    language = strategy.language
    words = {"new": _NEW, "revised": _REVISED, "withdrawn": _WITHDRAWN}[change][language]
    text = f"▶ {words}: {_decision(target, kpi, strategy)}"
    if was is not None and now is not None:
        text += f" ({_BEFORE[language]} {_decision(*was[::2], strategy)})"
    where = _where(strategy, target.dimension, target.members)
    return Note(
        _tag("id", f"target/{target.id}"),
        at_ms,
        places.kpi_uid(strategy, kpi.id),
        int(places.KpiPanel.VALUE),
        (
            *(TAG, strategy.id, _tag("kpi", kpi.id), _tag("target", change)),
            *_objective(strategy, kpi),
        ),
        f"{text} · {where}{target.window}",
    )


def _decision(target: Target, kpi: Kpi, strategy: Strategy) -> str:
    # The deadline is the midnight that ends its day.
    day = (target.deadline - timedelta(microseconds=1)).date()
    date = f"{day:%d/%m/%Y}" if strategy.language == "es" else f"{day:%Y-%m-%d}"
    goal = _goal(target.value, target.low, kpi, strategy)
    return f"{goal} {_UNTIL[strategy.language]} {date}"


def _where(strategy: Strategy, dimension: str, members: tuple[str, ...]) -> str:
    if dimension == NATIONAL:
        return ""
    if members == (EACH,):
        names = {each.id: each.name for each in strategy.dimensions}
        name = names.get(dimension, {}).get(strategy.language, dimension)
        return _EACH[strategy.language].format(dimension=name) + " · "
    language = strategy.language
    known = ", ".join(member_name(strategy, dimension, each, language) for each in members)
    return known.translate(_HARMLESS) + " · "


def _objective(strategy: Strategy, kpi: Kpi) -> list[str]:
    for objective in strategy.objectives:
        if any(each.kpi == kpi.id for each in objective.kpis):
            return [_tag("objective", objective.id)]
    return []


def _tag(key: str, value: str) -> str:
    """Return a tag that Grafana keeps whole: it cuts the value at a second colon.

    Example:
        >>> _tag("office", "a:b")
        'office:a;b'
    """
    whole = value.replace(":", ";").strip()
    if len(whole) > _VALUE_CHARS:
        digest = hashlib.sha256(value.encode()).hexdigest()[:12]
        whole = f"{whole[: _VALUE_CHARS - 13]}~{digest}"
    return f"{key}:{whole}"
