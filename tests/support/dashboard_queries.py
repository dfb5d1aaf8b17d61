"""Rules about the queries of dashboards: PromQL, families, labels, refs and what Canvas holds."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import yaml

from kpi_stream.application.monitoring import conventions as c
from kpi_stream.application.monitoring.conventions import Family
from kpi_stream.domain.readings import NoData
from kpi_stream.domain.status import Status
from kpi_stream.domain.strategy import NATIONAL, OTHER, UNKNOWN, Direction, Kpi
from tests.support.dashboard_rules import WITHOUT_QUERY, Site, book, texts, twice
from tests.support.dashboards import Json
from tests.support.promql_reading import LABELS_OF_A_TARGET, Reading, Selector, read
from tests.support.required import missing

FOREIGN = {
    "up": (),
    "scrape_duration_seconds": (),
    "process_cpu_seconds_total": (),
    "process_resident_memory_bytes": (),
    "process_start_time_seconds": (),
}
"""What Prometheus and its client add by themselves."""
RATES = frozenset({"rate", "irate", "increase"})
RATE_INTERVALS = frozenset({"$__rate_interval", "$__range", "1h"})
"""An hour is what the panels of rare things count within."""
SINCE_THE_BEGINNING = frozenset({f"{c.OPEN_DURATION.name}{part}" for part in ("_sum", "_count")})
"""Partitions are opened when a worker starts: the mean since then is the only one there is."""
_HISTOGRAM = re.compile(r"_duration_seconds(_bucket|_sum|_count)$")
_RULE = re.compile(r"rule (\d+)")


@cache
def families() -> dict[str, Family]:
    """Return every family by name."""
    found = {name: Family(name, "", labels) for name, labels in FOREIGN.items()}
    for each in vars(c).values():
        for one in each.values() if isinstance(each, dict) else (each,):
            if isinstance(one, Family):
                found[one.name] = one
    return found


def family_of(name: str) -> Family:
    """Return the family of a series' name; KeyError if there is none."""
    if name in families():
        return families()[name]
    part = _HISTOGRAM.search(name)
    if part is None:
        raise KeyError(name)
    whole = families()[name.removesuffix(part[1])]
    more = ("le",) if part[1] == "_bucket" else ()
    return Family(name, whole.help, (*whole.labels, *more))


def labels_of(name: str) -> frozenset[str]:
    """Return the labels of a family; none of an unknown one."""
    try:
        return frozenset(family_of(name).labels)
    except KeyError:
        return frozenset()


@cache
def reading(expr: str) -> Reading:
    """Return what an expression holds."""
    return read(expr, labels_of)


def queries(site: Site) -> Iterator[tuple[str, Json, Json]]:
    """Yield (how a finding names it, query, panel)."""
    for name, panel in site.panels():
        for target in panel.get("targets", ()):
            yield f"{name} query {target.get('refId')}", target, panel


def readings(site: Site) -> Iterator[tuple[str, Reading]]:
    """Yield (how a finding names it, what the expression holds); unreadable ones are left out."""
    for name, target, _ in queries(site):
        try:
            yield name, reading(target["expr"])
        except ValueError:
            continue


def selectors(site: Site) -> Iterator[tuple[str, Selector]]:
    """Yield (how a finding names it, selector)."""
    for name, found in readings(site):
        for each in found.selectors:
            yield name, each


def without_variables(expr: str) -> str:
    """Return PromQL that Prometheus parses: spans in place of Grafana's, words of its variables."""
    spans = re.sub(r"\$__(rate_interval|range|interval)\b", "5m", expr)
    return re.sub(r"\$\{?[a-z]\w*(:\w+)?\}?", "x", spans)


@book
def panel_no_targets(site: Site) -> Iterator[str]:
    """A panel that shows data asks for some."""
    for name, panel in site.panels():
        if panel["type"] not in WITHOUT_QUERY and not panel.get("targets"):
            yield f"{name}: no query"
        for target in panel.get("targets", ()):
            if not str(target.get("expr", "")).strip():
                yield f"{name} query {target.get('refId')}: no expression"


@book
def target_promql(site: Site) -> Iterator[str]:
    """Prometheus' own parser takes every expression."""
    promtool = shutil.which("promtool") or missing("promtool", "promtool is not installed")
    asked: dict[str, str] = {}
    for name, target, _ in queries(site):
        asked.setdefault(without_variables(target["expr"]), name)
    rules = [{"record": f"q{at}", "expr": expr} for at, expr in enumerate(asked)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rules.yml")
        path.write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": rules}]}))
        command = [promtool, "check", "rules", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    names = list(asked.values())
    for line in done.stderr.splitlines() if done.returncode else ():
        found = _RULE.search(line)
        yield f"{names[int(found[1]) - 1] if found else ''}: {line.strip()}"


@book
def target_readable(site: Site) -> Iterator[str]:
    """What the rules below cannot read they cannot check."""
    for name, target, _ in queries(site):
        try:
            found = reading(target["expr"])
        except ValueError as error:
            yield f"{name}: {error}"
            continue
        written = re.findall(r"[a-z_:]*kpi_stream_\w+(?::\w+)?", target["expr"])
        if len(written) != sum("kpi_stream_" in each.name for each in found.selectors):
            yield f"{name}: {len(written)} families, read {len(found.selectors)}"


@book
def target_families(site: Site) -> Iterator[str]:
    """Every family is one that is exported or recorded."""
    for name, each in selectors(site):
        try:
            family_of(each.name)
        except KeyError:
            yield f"{name}: no family {each.name!r}"


@book
def target_labels(site: Site) -> Iterator[str]:
    """A matcher for a label that a family has not finds nothing, or everything."""
    for name, each in selectors(site):
        known = labels_of(each.name) | LABELS_OF_A_TARGET
        for label, _, _ in each.matchers:
            if label not in known:
                yield f"{name}: {each.name} has no label {label!r}"
    for name, found in readings(site):
        known = LABELS_OF_A_TARGET | {"le"} | found.made
        for each in found.selectors:
            known |= labels_of(each.name)
        yield from (f"{name}: no label {label!r}" for label in found.named - known)


@book
def target_values(site: Site) -> Iterator[str]:
    """A matcher for a value that no series has finds nothing."""
    strategy = site.edition.strategy
    known = {
        "kpi": {kpi.id for kpi in strategy.kpis},
        "window": {window for kpi in strategy.kpis for window in kpi.windows},
        "dimension": {NATIONAL} | {each.id for each in strategy.dimensions},
        "member": {"", OTHER, UNKNOWN}
        | {member.code for each in strategy.dimensions for member in each.members},
        "objective": {each.id for each in strategy.objectives},
        "initiative": {each.id for each in strategy.initiatives},
        "benchmark": {each.id for each in strategy.benchmarks},
        "status": {each.value for each in Status},
        "reason": {each.value for each in NoData},
        "bound": {"goal", "lower", "upper"},
        "job": {c.SCORECARD_JOB, c.WORKER_JOB},
    }
    for name, each in selectors(site):
        for label, how, value in each.matchers:
            if "$" in value or label not in known:
                continue
            given = value.split("|") if how in {"=~", "!~"} else [value]
            for one in given:
                if one not in known[label] and not re.search(r"[.*+()]", one):
                    yield f"{name}: {each.name} has no {label} {one!r}"


@book
def target_of_its_kpi(site: Site) -> Iterator[str]:
    """A KPI has the family of its unit, the windows that it declares, and one kind of bound."""
    kpis = {kpi.id: kpi for kpi in site.edition.strategy.kpis}
    for name, each in selectors(site):
        given = {label: value for label, how, value in each.matchers if how in {"=", "=~"}}
        for kpi in filter(None, map(kpis.get, given.get("kpi", "").split("|"))):
            yield from (f"{name}: {kpi.id}: {wrong}" for wrong in _unlike(each.name, given, kpi))


def _unlike(family: str, given: dict[str, str], kpi: Kpi) -> Iterator[str]:
    for per_unit in (c.KPI_VALUE, c.KPI_EXPECTED, c.KPI_TARGET, c.KPI_FORECAST, c.KPI_BENCHMARK):
        units = [unit for unit, one in per_unit.items() if one.name == family]
        if units and units != [kpi.unit]:
            yield f"{family} is not of its unit"
    window = given.get("window", "$")
    if "$" not in window and window not in kpi.windows:
        yield f"does not declare the window {window}"
    dimension = given.get("dimension", NATIONAL)
    if not re.search(r"[|$]", dimension) and dimension not in (NATIONAL, *kpi.dimensions):
        yield f"does not declare the dimension {dimension}"
    bound = given.get("bound")
    if bound and (bound == "goal") == (kpi.direction is Direction.BAND):
        yield f"has no bound {bound}"


@book
def target_counter_agg(site: Site) -> Iterator[str]:
    """A counter is asked for its increase, and nothing else is."""
    for name, each in selectors(site):
        counter = each.name.endswith("_total") or bool(_HISTOGRAM.search(each.name))
        if each.name in SINCE_THE_BEGINNING:
            continue
        if counter != (each.within in RATES):
            yield f"{name}: {each.name} within {each.within or 'nothing'}"


@book
def target_rate_interval(site: Site) -> Iterator[str]:
    """A fixed span is shorter than the step of a long range, and loses what lies between."""
    for name, each in selectors(site):
        if each.within in RATES and each.range not in RATE_INTERVALS:
            yield f"{name}: {each.within} over [{each.range}]"


@book
def legend_labels(site: Site) -> Iterator[str]:
    """A legend names labels that the series have when they arrive."""
    for name, target, _ in queries(site):
        try:
            labels = reading(target["expr"]).labels or frozenset()
        except ValueError:
            continue
        for label in re.findall(r"{{\s*(\w+)\s*}}", target.get("legendFormat", "")):
            if label not in labels:
                yield f"{name}: the series have no label {label!r}"


@book
def ref_ids(site: Site) -> Iterator[str]:
    """A query has one name, and what names a query names one that is there."""
    for name, panel in site.panels():
        refs = [each.get("refId") for each in panel.get("targets", ())]
        yield from (f"{name}: query {ref} twice" for ref in twice(iter(refs)))
        named = {
            override["matcher"]["options"]
            for override in panel.get("fieldConfig", {}).get("overrides", ())
            if override["matcher"]["id"] == "byFrameRefID"
        }
        for each in panel.get("transformations", ()):
            if each.get("filter", {}).get("id") == "byRefId":
                named.add(each["filter"]["options"])
            for key, text in (*texts(each["options"]), *((k, k) for k in _keys(each["options"]))):
                del key
                named |= set(re.findall(r"^(?:Value|Trend) #(\w+)$", text))
        yield from (f"{name}: no query {ref!r}" for ref in sorted(named - set(refs)))
        for target in panel.get("targets", ()):
            if target.get("hide"):
                yield f"{name}: query {target['refId']} is hidden"
            if target.get("format") == "table" and not target.get("instant"):
                yield f"{name}: query {target['refId']} is a table of a course"


def _keys(tree: object) -> Iterator[str]:
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield key
            yield from _keys(value)


@book
def canvas(site: Site) -> Iterator[str]:
    """Elements have names of their own and lie on the panel; connections end at one of them."""
    for name, panel in site.panels():
        if panel["type"] != "canvas":
            continue
        elements = panel["options"]["root"]["elements"]
        names = [each.get("name") for each in elements]
        yield from (f"{name}: element {one!r} twice" for one in twice(iter(names)))
        for each in elements:
            at, who = each["placement"], f"{name} element {each.get('name')!r}"
            edges = [at.get(edge, -1) for edge in ("left", "right", "top", "bottom")]
            scaled = {"horizontal": "scale", "vertical": "scale"}
            if each["constraint"] != scaled or not all(0 <= edge <= 100 for edge in edges):
                yield f"{who}: place {at}"
            elif edges[0] + edges[1] >= 100 or edges[2] + edges[3] >= 100:
                yield f"{who}: no room {at}"
            for one in each.get("connections", ()):
                if one.get("targetName") not in names:
                    yield f"{who}: leads to {one.get('targetName')!r}"
                if not isinstance(one.get("direction"), dict):
                    yield f"{who}: a connection without direction"
