"""Rules that Grafana does not check: every dashboard keeps them, and each finds its defect."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support import dashboard_queries, dashboards
from tests.support.dashboard_rules import Site, book, options_of
from tests.support.dashboards import Json

# The first that asks node installs Grafana's packages.
pytestmark = pytest.mark.timeout(600)

SUNAT = "sunat-es"


@pytest.fixture(scope="module", params=dashboards.EDITIONS)
def site(request) -> Site:
    """Return the dashboards of one edition."""
    return Site(dashboards.edition(request.param), dashboards.boards(request.param))


@pytest.mark.parametrize("rule", book.rules)
def test_every_dashboard_keeps_the_rule(site: Site, rule: str):
    """No dashboard of any edition breaks it."""
    assert list(book.rules[rule](site)) == []


def test_the_rules_look_at_something(site: Site):
    """Each edition has panels, queries and selectors for the rules to look at."""
    assert len(site.boards) > 5
    assert len(list(dashboard_queries.queries(site))) > 100
    assert len(list(dashboard_queries.selectors(site))) > 100


def board(site: Site, name: str = "scorecard") -> Json:
    """Return the dashboard whose uid ends like that."""
    return next(each for each in site.boards.values() if each["uid"].endswith(f"-{name}"))


def panel(site: Site, kind: str, *, need: Callable[[Json], Any] = bool) -> Json:
    """Return the first panel of a kind that has what is needed."""
    found = (each for _, each in site.panels() if each["type"] == kind and need(each))
    return next(found)


def stat(site: Site) -> Json:
    """Return the first stat panel."""
    return panel(site, "stat")


def variable(site: Site, name: str) -> Json:
    """Return a variable of the scorecard."""
    return next(each for each in board(site)["templating"]["list"] if each["name"] == name)


def query(site: Site) -> Json:
    """Return the query of the first stat panel."""
    found: Json = stat(site)["targets"][0]
    return found


def defaults(site: Site) -> Json:
    """Return the field defaults of the first stat panel."""
    found: Json = stat(site)["fieldConfig"]["defaults"]
    return found


def with_thresholds(each: Json) -> Any:
    """Return the thresholds of a panel's defaults, if it has some."""
    return each["fieldConfig"]["defaults"].get("thresholds", {}).get("steps", [])[1:]


def steps(site: Site) -> list[Json]:
    """Return the steps of the first panel that has more than one."""
    found = panel(site, "stat", need=with_thresholds)
    return list(found["fieldConfig"]["defaults"]["thresholds"]["steps"])


def data_link(site: Site) -> Json:
    """Return the link of a panel to a KPI's page."""
    with_link = panel(site, "timeseries", need=lambda each: each.get("links"))
    found: Json = with_link["links"][0]
    return found


def element(site: Site, *, need: Callable[[Json], Any] = bool) -> Json:
    """Return the first element of the map that has what is needed."""
    elements = panel(site, "canvas")["options"]["root"]["elements"]
    return next(each for each in elements if need(each))


def connection(site: Site) -> Json:
    """Return a connection of the map."""
    found: Json = element(site, need=lambda each: each.get("connections"))["connections"][0]
    return found


def joined(site: Site) -> Json:
    """Return a table whose first transformation joins."""
    return panel(site, "table", need=lambda each: each["transformations"][-1]["id"] == "organize")


def ask(expr: str) -> Callable[[Site], object]:
    """Return what puts a query in the place of another."""
    return lambda site: query(site).update(expr=expr)


STATUS = "series:kpi_stream_kpi_status:code"


def other_unit(site: Site) -> None:
    """Ask for hours as if they were a share."""
    kpi = next(k for k in site.edition.strategy.kpis if k.unit.value == "seconds")
    query(site)["expr"] = f'max(kpi_stream_kpi_value_ratio{{kpi="{kpi.id}"}})'


def other_window(site: Site) -> None:
    """Ask for a window that another KPI declares."""
    windows = {window for kpi in site.edition.strategy.kpis for window in kpi.windows}
    kpi = next(k for k in site.edition.strategy.kpis if set(k.windows) != windows)
    window = min(windows - set(kpi.windows))
    query(site)["expr"] = f'max({STATUS}{{kpi="{kpi.id}",window="{window}"}})'


def other_bound(site: Site) -> None:
    """Ask for the lower bound of a KPI that has a goal."""
    kpi = next(k for k in site.edition.strategy.kpis if k.direction.value == "up")
    family = f"kpi_stream_kpi_target_{ {'count': 'number'}.get(kpi.unit.value, kpi.unit.value) }"
    query(site)["expr"] = f'max({family}{{kpi="{kpi.id}",bound="lower"}})'


DEFECTS: tuple[tuple[str, str, Callable[[Site], object]], ...] = (
    ("uneditable-dashboard", "may be edited", lambda s: board(s).update(editable=True)),
    ("frame", "has an id", lambda s: board(s).update(id=7)),
    ("frame", "schemaVersion", lambda s: board(s).update(schemaVersion=36)),
    ("frame", "time zone", lambda s: board(s).update(timezone="browser")),
    ("frame", "tags", lambda s: board(s).update(tags=["kpi-stream"])),
    ("frame", "no description", lambda s: board(s).update(description=" ")),
    ("uids-and-titles", "the strategy's id", lambda s: board(s).update(uid="other-scorecard")),
    ("uids-and-titles", "longer", lambda s: board(s).update(uid="sunat-" + 35 * "x")),
    ("uids-and-titles", "its file is", lambda s: board(s).update(uid="sunat-scores")),
    ("uids-and-titles", "no title", lambda s: board(s).update(title="")),
    (
        "uids-and-titles",
        "twice",
        lambda s: board(s).update(title=board(s, "office")["title"]),
    ),
    ("panel-ids", "panel 2 twice", lambda s: board(s)["panels"][0].update(id=2)),
    ("panel-ids", "id is None", lambda s: board(s)["panels"][0].pop("id")),
    ("grid", "lies on", lambda s: board(s)["panels"][0]["gridPos"].update(x=1)),
    ("grid", "outside", lambda s: board(s)["panels"][0]["gridPos"].update(x=22)),
    ("grid", "no place", lambda s: board(s)["panels"][0]["gridPos"].update(h=0)),
    ("template-datasource", "no variable", lambda s: board(s)["templating"]["list"].pop(0)),
    (
        "template-datasource",
        "provisioned",
        lambda s: variable(s, "datasource")["current"].update(value="prometheus"),
    ),
    ("panel-datasource", "uid", lambda s: stat(s)["datasource"].update(uid="prometheus")),
    ("panel-datasource", "query A", lambda s: query(s).update(datasource=None)),
    ("variables", "no variable window", lambda s: variable(s, "window").update(name="span")),
    ("variables", "has no label", lambda s: variable(s, "window").update(label="")),
    ("variables", "is no option", lambda s: variable(s, "window")["current"].update(value="9d")),
    (
        "variables",
        "Grafana reads",
        lambda s: variable(s, "office").update(query=variable(s, "office")["query"] + ", a : b"),
    ),
    ("known-variables", "'$offices'", lambda s: query(s).update(expr='x{member=~"$offices"}')),
    ("known-variables", "'${span:text}'", lambda s: stat(s).update(title="In ${span:text}")),
    ("panel-title-description", "no title", lambda s: stat(s).update(title=" ")),
    ("panel-title-description", "no description", lambda s: stat(s).pop("description")),
    ("no-value", "no text", lambda s: defaults(s).pop("noValue")),
    ("panel-units", "'seconds'", lambda s: defaults(s).update(unit="seconds")),
    ("panel-units", "''", lambda s: defaults(s).pop("unit")),
    ("thresholds", "first threshold", lambda s: steps(s)[0].update(value=0)),
    ("thresholds", "thresholds [", lambda s: steps(s)[1].update(value=10_000_000)),
    ("links", "no dashboard", lambda s: data_link(s).update(url="/d/sunat-kpi-nothing")),
    (
        "links",
        "loses window",
        lambda s: data_link(s).update(url=data_link(s)["url"].replace("&${window:queryparam}", "")),
    ),
    (
        "links",
        "loses __url_time_range",
        lambda s: data_link(s).update(url=data_link(s)["url"].replace("${__url_time_range}&", "")),
    ),
    (
        "links",
        "no panel 99",
        lambda s: data_link(s).update(url=data_link(s)["url"] + "&viewPanel=99"),
    ),
    ("links", "loses time", lambda s: board(s)["links"][0].update(keepTime=False)),
    ("links", "no dashboard /d/x", lambda s: board(s)["links"][0].update(url="/d/x")),
    ("links", "has the tags", lambda s: board(s)["links"][-1].update(tags=["nothing"])),
    ("panel-no-targets", "no query", lambda s: stat(s).update(targets=[])),
    ("panel-no-targets", "no expression", ask(" ")),
    ("target-promql", "could not parse", ask("sum(up")),
    ("target-promql", "could not parse", ask("rate(up)")),
    ("target-promql", "could not parse", ask("limitk(1, up)")),
    ("target-readable", "expected", ask("sum(up")),
    ("target-families", "'kpi_stream_kpi_colour'", ask("max(kpi_stream_kpi_colour)")),
    ("target-labels", "no label 'office'", ask(f'max({STATUS}{{office="118"}})')),
    ("target-labels", "no label 'office'", ask(f"max by (office) ({STATUS})")),
    ("target-values", "no kpi 'nothing'", ask(f'max({STATUS}{{kpi=~"nothing|other"}})')),
    ("target-values", "no window '31d'", ask(f'max({STATUS}{{window="31d"}})')),
    ("target-values", "no status 'red'", ask('max(kpi_stream_kpi_status{status="red"})')),
    ("target-of-its-kpi", "not of its unit", other_unit),
    ("target-of-its-kpi", "does not declare the window", other_window),
    ("target-of-its-kpi", "has no bound", other_bound),
    ("target-counter-agg", "within sum", ask("sum(kpi_stream_worker_events_total)")),
    ("target-counter-agg", "within rate", ask("rate(process_resident_memory_bytes[1h])")),
    ("target-rate-interval", "[5m]", ask("rate(kpi_stream_worker_events_total[5m])")),
    ("legend-labels", "no label 'office'", lambda s: query(s).update(legendFormat="{{office}}")),
    ("ref-ids", "query A twice", lambda s: stat(s)["targets"].append(query(s))),
    ("ref-ids", "is hidden", lambda s: query(s).update(hide=True)),
    ("ref-ids", "table of a course", lambda s: query(s).update(format="table", instant=False)),
    (
        "ref-ids",
        "no query 'ZZ'",
        lambda s: joined(s)["transformations"][-1]["options"]["renameByName"].update(
            {"Value #ZZ": "x"}
        ),
    ),
    ("canvas", "twice", lambda s: element(s).update(name=connection(s)["targetName"])),
    ("canvas", "leads to 'x'", lambda s: connection(s).update(targetName="x")),
    ("canvas", "without direction", lambda s: connection(s).update(direction="forward")),
    ("canvas", "no room", lambda s: element(s)["placement"].update(left=60, right=60)),
    ("canvas", "place", lambda s: element(s)["constraint"].update(vertical="top")),
)


@pytest.mark.parametrize(
    ("rule", "words", "breaks"), DEFECTS, ids=[f"{rule}: {words}" for rule, words, _ in DEFECTS]
)
def test_a_defect_is_found(rule: str, words: str, breaks: Callable[[Site], object]):
    """The rule that is meant to find it does, and says so."""
    broken = Site(dashboards.edition(SUNAT), dashboards.boards(SUNAT))
    breaks(broken)
    found = list(book.rules[rule](broken))
    assert [each for each in found if words in each], found


def test_every_rule_has_a_defect():
    """No rule is there that nothing was shown to break."""
    assert {rule for rule, _, _ in DEFECTS} == set(book.rules)


def test_another_strategy_is_seen():
    """Dashboards of one strategy break the rules of another: uids, source, KPIs, zone."""
    mixed = Site(dashboards.edition(SUNAT), dashboards.boards("harbour-en"))
    rules = ("uids-and-titles", "template-datasource", "target-values", "frame")
    assert [rule for rule in rules if not list(book.rules[rule](mixed))] == []


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Nacional : (), Callao : 118", [("Nacional", "()"), ("Callao", "118")]),
        (r"Muelle\, puesto 1 : 01", [("Muelle, puesto 1", "01")]),
        ("a : b : c", [("a : b", "c")]),
        ("30d, 7d", [("30d", "30d"), ("7d", "7d")]),
    ],
)
def test_options_are_read_as_grafana_reads_them(written: str, read: list[tuple[str, str]]):
    """Names may hold commas and colons."""
    assert options_of({"query": written}) == read
