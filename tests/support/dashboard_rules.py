"""What Grafana accepts in silence and a reader would miss: rules about dashboards.

The first are those of Grafana's dashboard-linter that apply here; those about queries are in
`dashboard_queries`. A rule yields one line for each thing that is wrong.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from kpi_stream.application.monitoring import places
from kpi_stream.application.monitoring.edition import Edition
from tests.support import grafana_node
from tests.support.dashboards import Json, panels

COLUMNS = 24
SCHEMA_VERSION = 42
DISTINCT = 31
"""Characters of a uid that are kept of one that is too long."""
VARIABLES = ("datasource", "office", "window")
"""What every link keeps, so what every dashboard must have."""
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
WITHOUT_QUERY = frozenset({"text", "annolist", "dashlist"})
_CUSTOM_UNIT = re.compile(r"(prefix|suffix|time|si|count|currency|bool):.+")
_REFERENCE = re.compile(r"\$(?:\{(\w+)(?:[.:][^}]*)?\}|(\w+))|\[\[(\w+)")
_PLACE = re.compile(r"/d/([\w-]+|\$\{[^}]+\})([^\s)\"']*)")


@dataclass(frozen=True)
class Site:
    """The dashboards of one edition."""

    edition: Edition
    boards: Mapping[str, Json]
    """By path."""

    @cached_property
    def uids(self) -> frozenset[str]:
        """The uid of each dashboard."""
        return frozenset(str(board.get("uid")) for board in self.boards.values())

    def panels(self) -> Iterator[tuple[str, Json]]:
        """Yield (how a finding names it, panel)."""
        for board in self.boards.values():
            for panel in panels(board):
                yield f"{board.get('uid')} panel {panel.get('id')}", panel


Rule = Callable[[Site], Iterator[str]]


@dataclass
class Book:
    """Rules by name."""

    rules: dict[str, Rule] = field(default_factory=dict)

    def __call__(self, rule: Rule) -> Rule:
        """Add a rule under its function's name."""
        self.rules[rule.__name__.replace("_", "-")] = rule
        return rule


book = Book()


def texts(tree: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield (key, text) for every text within."""
    if isinstance(tree, str):
        yield key, tree
    elif isinstance(tree, Mapping):
        for name, value in tree.items():
            yield from texts(value, name)
    elif isinstance(tree, list):
        for value in tree:
            yield from texts(value, key)


def twice(names: Iterator[Any]) -> list[Any]:
    """Return what is there more than once."""
    return [name for name, count in Counter(names).items() if count > 1]


@book
def uneditable_dashboard(site: Site) -> Iterator[str]:
    """A change in the browser would be lost at the next start."""
    for board in site.boards.values():
        if board.get("editable") is not False:
            yield f"{board.get('uid')}: may be edited"


@book
def frame(site: Site) -> Iterator[str]:
    """The classic model without the number of a database, in the administration's time."""
    zone = site.edition.strategy.calendar.time_zone
    for board in site.boards.values():
        uid = board.get("uid")
        if board.get("id") is not None:
            yield f"{uid}: has an id"
        if board.get("schemaVersion") != SCHEMA_VERSION:
            yield f"{uid}: schemaVersion {board.get('schemaVersion')}"
        if board.get("timezone") != zone:
            yield f"{uid}: time zone {board.get('timezone')!r}"
        if not {"kpi-stream", site.edition.strategy.id} <= set(board.get("tags", ())):
            yield f"{uid}: tags {board.get('tags')}"
        if not str(board.get("description", "")).strip():
            yield f"{uid}: no description"


@book
def uids_and_titles(site: Site) -> Iterator[str]:
    """Grafana refuses a long uid and, in one folder, a second title."""
    # A digest of the whole follows where the id takes all the room.
    prefix = site.edition.strategy.id.replace("_", "-")[:DISTINCT]
    for path, board in site.boards.items():
        uid = str(board.get("uid"))
        if not re.fullmatch(rf"{re.escape(prefix)}[a-zA-Z0-9-]*-[a-zA-Z0-9-]+", uid):
            yield f"{uid}: does not begin with the strategy's id"
        if len(uid) > places.MAX_UID:
            yield f"{uid}: longer than {places.MAX_UID}"
        if not path.endswith(f"/{uid}.json"):
            yield f"{uid}: its file is {path}"
        if not str(board.get("title", "")).strip():
            yield f"{uid}: no title"
    for what in ("uid", "title"):
        yield from (
            f"{what} {name!r} twice" for name in twice(b.get(what) for b in site.boards.values())
        )


@book
def panel_ids(site: Site) -> Iterator[str]:
    """Alerts and links name a panel by its number."""
    for board in site.boards.values():
        ids = [panel.get("id") for panel in board.get("panels", ())] + [
            each.get("id") for panel in board.get("panels", ()) for each in panel.get("panels", ())
        ]
        yield from (f"{board.get('uid')}: panel {number} twice" for number in twice(iter(ids)))
        for number in ids:
            if not isinstance(number, int) or number < 1:
                yield f"{board.get('uid')}: a panel's id is {number!r}"


@book
def grid(site: Site) -> Iterator[str]:
    """Grafana moves a panel that lies on another."""
    for board in site.boards.values():
        taken: dict[tuple[int, int], Any] = {}
        for panel in board.get("panels", ()):
            at = panel["gridPos"]
            name = f"{board.get('uid')} panel {panel.get('id')}"
            if at["x"] < 0 or at["y"] < 0 or at["w"] < 1 or at["h"] < 1:
                yield f"{name}: no place {at}"
            if at["x"] + at["w"] > COLUMNS:
                yield f"{name}: outside the {COLUMNS} columns"
            cells = {
                (x, y)
                for x in range(at["x"], at["x"] + at["w"])
                for y in range(at["y"], at["y"] + at["h"])
            }
            yield from (
                f"{name}: lies on panel {other}"
                for other in {taken[cell] for cell in cells & set(taken)}
            )
            taken |= dict.fromkeys(cells, panel.get("id"))


@book
def template_datasource(site: Site) -> Iterator[str]:
    """One dashboard serves any Prometheus, and at first the provisioned one."""
    uid = places.datasource_uid(site.edition.strategy)
    for board in site.boards.values():
        found = [each for each in board["templating"]["list"] if each.get("name") == "datasource"]
        if [(each.get("type"), each.get("query")) for each in found] != [
            ("datasource", "prometheus")
        ]:
            yield f"{board.get('uid')}: no variable for the data source"
        elif found[0].get("current", {}).get("value") != uid:
            yield f"{board.get('uid')}: chooses no provisioned data source at first"


@book
def panel_datasource(site: Site) -> Iterator[str]:
    """Every panel and query asks what the variable names."""
    for name, panel in site.panels():
        if panel.get("datasource") != SOURCE:
            yield f"{name}: {panel.get('datasource')}"
        for target in panel.get("targets", ()):
            if target.get("datasource") != SOURCE:
                yield f"{name} query {target.get('refId')}: {target.get('datasource')}"


def options_of(variable: Json) -> list[tuple[str, str]]:
    r"""Return (text, value) as Grafana reads them from the text of a custom variable.

    It splits at commas that no backslash precedes, and each part at its last ` : `.
    """
    found = []
    for part in re.findall(r"(?:\\,|[^,])+", variable.get("query", "")):
        whole = part.replace("\\,", ",")
        pair = re.fullmatch(r"\s*(.+)\s:\s(.+)", whole)
        text, value = (pair[1], pair[2]) if pair else (whole, whole)
        found.append((text.strip(), value.strip()))
    return found


@book
def variables(site: Site) -> Iterator[str]:
    """The variables that links keep are everywhere, with the options that their text gives."""
    for board in site.boards.values():
        uid, listed = board.get("uid"), board["templating"]["list"]
        names = [each.get("name") for each in listed]
        yield from (f"{uid}: no variable {name}" for name in VARIABLES if name not in names)
        yield from (f"{uid}: variable {name} twice" for name in twice(iter(names)))
        for each in listed:
            if not each.get("label"):
                yield f"{uid}: variable {each.get('name')} has no label"
            if each.get("type") != "custom":
                continue
            written = [(one["text"], one["value"]) for one in each.get("options", ())]
            if written != options_of(each):
                yield f"{uid}: {each['name']}: Grafana reads {options_of(each)}"
            current = each.get("current", {})
            if (current.get("text"), current.get("value")) not in written:
                yield f"{uid}: {each['name']}: {current.get('value')!r} is no option"
            yield from (f"{uid}: option {one} twice" for one in twice(v for _, v in iter(written)))


@book
def known_variables(site: Site) -> Iterator[str]:
    """A variable that does not exist stays in the text as it is written."""
    for board in site.boards.values():
        known = {each.get("name") for each in board["templating"]["list"]}
        for key, text in texts({name: board[name] for name in board if name != "templating"}):
            for found in _REFERENCE.finditer(text):
                name = found[1] or found[2] or found[3]
                # `$1` is a group of a regular expression, `$__` are Grafana's own.
                if not name.isdigit() and not name.startswith("__") and name not in known:
                    yield f"{board.get('uid')}: {key}: no variable {found[0]!r}"


@book
def panel_title_description(site: Site) -> Iterator[str]:
    """A reader finds out what is counted at the (i)."""
    for name, panel in site.panels():
        for key in ("title", "description"):
            if not str(panel.get(key, "")).strip():
                yield f"{name}: no {key}"


@book
def no_value(site: Site) -> Iterator[str]:
    """Where there is no value a word stands and not an empty panel."""
    for name, panel in site.panels():
        if panel["type"] in WITHOUT_QUERY:
            continue
        if not str(panel.get("fieldConfig", {}).get("defaults", {}).get("noValue", "")).strip():
            yield f"{name}: no text for no data"


@book
def panel_units(site: Site) -> Iterator[str]:
    """Grafana shows an unknown unit as a suffix and says nothing."""
    known = set(grafana_node.units())
    for name, panel in site.panels():
        if panel["type"] in WITHOUT_QUERY:
            continue
        config = panel.get("fieldConfig", {})
        units = [config.get("defaults", {}).get("unit", "")] + [
            each["value"]
            for override in config.get("overrides", ())
            for each in override["properties"]
            if each["id"] == "unit"
        ]
        for unit in units:
            if unit not in known and not _CUSTOM_UNIT.fullmatch(unit):
                yield f"{name}: no unit {unit!r}"


@book
def thresholds(site: Site) -> Iterator[str]:
    """The first step has no value, the others rise."""
    for name, panel in site.panels():
        config = panel.get("fieldConfig", {})
        found = [config.get("defaults", {}).get("thresholds")] + [
            each["value"]
            for override in config.get("overrides", ())
            for each in override["properties"]
            if each["id"] == "thresholds"
        ]
        for each in found:
            steps: list[Any] = [step.get("value") for step in each["steps"]] if each else [None]
            if not steps or steps[0] is not None:
                yield f"{name}: the first threshold has a value"
            elif None in steps[1:] or steps[1:] != sorted(set(steps[1:])):
                yield f"{name}: thresholds {steps}"


@book
def links(site: Site) -> Iterator[str]:
    """A link leads to a dashboard that exists, and keeps the time range and the variables."""
    for board in site.boards.values():
        uid = board.get("uid")
        for key, text in texts({**board, "links": []}):
            for place, rest in _PLACE.findall(text):
                yield from (f"{uid}: {key}: {each}" for each in _leads(site, place, rest))
        for each in board.get("links", ()):
            if not (each.get("keepTime") and each.get("includeVars")):
                yield f"{uid}: the link {each.get('title')} loses time or variables"
            if each.get("type") == "dashboards":
                tagged = [
                    one for one in site.boards.values() if set(each["tags"]) <= set(one["tags"])
                ]
                if not tagged:
                    yield f"{uid}: no dashboard has the tags {each['tags']}"
            elif each.get("url", "").removeprefix("/d/") not in site.uids:
                yield f"{uid}: no dashboard {each.get('url')}"


def _leads(site: Site, place: str, rest: str) -> Iterator[str]:
    if not place.startswith("${__data.fields") and place not in site.uids:
        yield f"no dashboard {place!r}"
    kept = {"${__url_time_range}"} | {f"${{{name}:queryparam}}" for name in VARIABLES}
    given = set(rest.lstrip("?").split("&"))
    for each in kept - given:
        name = each[2:].partition(":")[0]
        if not any(one.startswith(f"var-{name}=") for one in given):
            yield f"{place}: loses {name.removesuffix('}')}"
    for number in re.findall(r"viewPanel=(\d+)", rest):
        found = [b for b in site.boards.values() if b.get("uid") == place]
        if not any(panel["id"] == int(number) for board in found for panel in panels(board)):
            yield f"{place}: no panel {number}"
